"""What a build's summary and a plan say of the tokens that are trained on."""

import io

from mixc.cli.console import THEME
from mixc.cli.trained import MOST, trained_lines, trained_tables
from mixc.compiler.clauses import Budget
from mixc.compiler.source import Span
from mixc.runtime.examples import Report
from mixc.runtime.portions import Portion
from mixc.runtime.promised import Held
from rich.console import Console


def held(**changes) -> Held:
    base = {
        "clause": Budget(text="budget 700 tokens", amount=700, unit="tokens", span=Span("a.mix", 0, 1)), "unit": "tokens", "selected": 690, "left": 690,
        "trained": 740, "low": None, "high": 700, "selected_share": None, "trained_share": None, "rows": 12, "cut": 1, "dropped": 1, "within": False, "kept": True,
    }  # fmt: skip
    return Held(**(base | changes))


def report(skills: int = 2, counted: bool = True, lost: int = 1, promises=()) -> Report:
    def portion(name: str, rows: int, trained: int) -> Portion:
        return Portion(name, rows, 345 if counted else None, trained, lost, lost)

    return Report(
        12, 11, 512, ("a",) * lost, ("b",) * lost, 0, 740, 30, teachers=(portion("strong", 8, 500), portion("weak", 4, 240)),
        skills=tuple(portion(f"skill {i}", 2, 70 - i) for i in range(skills)), promises=tuple(promises),
    )  # fmt: skip


def drawn(found: Report) -> list[list[str]]:
    console = Console(file=io.StringIO(), width=120, theme=THEME, color_system=None)
    for each in trained_tables(found.to_dict()):
        console.print(each)
    return [line.split() for line in console.file.getvalue().splitlines() if line.strip()]  # type: ignore[attr-defined]


def test_who_gets_the_tokens_and_who_lost_rows() -> None:
    lines = drawn(report())
    assert lines[1] == ["teacher", "examples", "tokens", "selected", "trained", "on", "share", "cut", "left", "out"]
    assert lines[2] == ["strong", "7", "345", "500", "68%", "1", "1"]
    assert lines[4] == ["all", "10", "690", "740", "100%", "2", "2"]
    assert ["skill", "0", "1", "345", "70", "9%", "1", "1"] in lines


def test_what_nothing_counts_and_nobody_lost_has_no_column() -> None:
    lines = drawn(report(counted=False, lost=0))
    assert lines[1] == ["teacher", "examples", "trained", "on", "share"] and lines[2] == ["strong", "8", "500", "68%"]


def test_of_many_skills_the_first_are_shown_and_the_others_counted() -> None:
    assert ["and", "3", "more"] in drawn(report(skills=MOST + 3))
    assert "and 3 more" in "\n".join(trained_lines(report(skills=MOST + 3)))


def test_a_clause_is_shown_where_another_amount_is_trained_on() -> None:
    assert ["budget", "700", "tokens", "690", "tokens", "740", "tokens", "kept", "by", "the", "responses", "alone"] in drawn(report(promises=[held()]))
    assert not any(line[0] == "budget" for line in drawn(report(promises=[held(trained=690, within=True)])))
    assert "budget 700 tokens: kept by the responses; with what the template adds 740 tokens" in list(trained_lines(report(promises=[held()])))
    assert not any("budget" in line for line in trained_lines(report(promises=[held(trained=690, within=True)])))
