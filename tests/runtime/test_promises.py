"""What the selection promised, held against what is trained on: every kind of bound, with a real tokenizer and template."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from mixc.compiler.clauses import Budget, Group, Quota
from mixc.compiler.diagnostics import Fault
from mixc.compiler.plan.stages import Select
from mixc.compiler.source import Source, Span
from mixc.runtime.events import Notice
from mixc.runtime.examples import tokenise
from mixc.runtime.hold import hold, kept
from mixc.runtime.path import SELECTION
from mixc.runtime.promised import promised
from mixc.runtime.rows import Rows
from mixc.runtime.select import DROPPED_AT
from mixc.tests.compiling import RUN, drawn
from mixc.tests.runtime.test_train import make_context, make_stage
from mixc.tests.runtime.tiny import make_tiny_student

STRONG, WEAK = Group(kind="teacher", value="strong"), Group(kind="teacher", value="weak")
SUMS = Group(kind="skill", value="Algebra")
LEVEL = Group(kind="column", value="hard", column="level")
SPEC = """\
select {
  quota  teacher strong >= 75% of tokens
  budget 6 examples
}

train tiny {
  steps      3
  max_length 60 tokens
}
"""
FILE = Source("a.mix", SPEC)


def place(text: str) -> Span:
    start = SPEC.find(text.replace("quota ", "quota  "))
    return Span("a.mix", start, start + len(text) + text.startswith("quota ")) if start >= 0 else Span("a.mix", 0, 6)


def quota(group: Group, unit: str, low: float | None = None, high: float | None = None, equal: bool = False, text: str = "quota") -> Quota:
    return Quota(text=text, group=group, low=low, high=high, unit=unit, equal=equal, span=place(text))


def budget(amount: int, unit: str, up_to: bool = False) -> Budget:
    text = f"budget {amount} {unit}"
    return Budget(text=text, amount=amount, unit=unit, up_to=up_to, span=place(text))


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("promises")
    events: list = []
    return make_tiny_student(folder / "student"), make_context(folder, events), events


def make_rows(context, stage, long: int = 3, of: int = 6, prompts: dict[int, str] | None = None) -> pl.DataFrame:
    """`of` rows, the first `long` of them strong, hard and long; `score:length` are the tokens of the response alone."""
    frame = pl.DataFrame(
        {
            "row_id": [f"{number:032x}" for number in range(of)],
            "prompt": [(prompts or {}).get(number, "How many?") for number in range(of)],
            "response": ["First we add. " * (8 if number < long else 2) + "It is 0." for number in range(of)],
            "skills": [["Algebra->Sums"] if number < long else ["Counting"] for number in range(of)],
            "teacher": ["strong" if number < long else "weak" for number in range(of)],
            "column:level": ["hard" if number < long else "easy" for number in range(of)],
            "weight": [1.0] * of,
            "reason": pl.Series([None] * of, dtype=pl.String),
        }
    )
    lengths = context.students.tokenizer(stage.model).responses(frame["response"].to_list())
    return frame.with_columns(pl.Series("score:length", [len(one.ids) for one in lengths], dtype=pl.Int64))


def select(*clauses, tokens: str | None = "length") -> Select:
    return Select(
        id="select", inputs=(), quotas=tuple(c for c in clauses if isinstance(c, Quota)), budgets=tuple(c for c in clauses if isinstance(c, Budget)),
        tokens=tokens, seed=1, span=Span("a.mix", 0, 6),
    )  # fmt: skip


def held(world, clause, limit: int = 4096, format: str = "plain", **made):
    """What became of one clause over rows that are all selected."""
    student, context, _ = world
    stage = make_stage(student, format=format)
    rows = make_rows(context, stage, **made)
    _, report = tokenise(stage, rows, context.students.tokenizer(stage.model), limit)
    (found,) = kept(promised(select(clause), Rows.of(rows)), report)
    return found, report, rows


LONG, SHORT = 60, 18  # tokens of a response of the strong and of the weak teacher
CUT = 56  # tokens of an example, prompt included: only the strong ones are cut


def test_the_rows_of_these_tests_are_what_they_are_said_to_be(world) -> None:
    _, report, rows = held(world, budget(6, "examples"), CUT)
    by_teacher = dict(rows.group_by("teacher").agg(pl.col("score:length").max()).iter_rows())
    assert by_teacher == {"strong": LONG, "weak": SHORT}
    assert report.truncated == tuple(rows["row_id"][:3]) and not report.dropped
    assert all(turn.left == (1, 1) for turn in report.turns[3:]) and all(turn.left[0] < turn.left[1] == LONG for turn in report.turns[:3])


@pytest.mark.parametrize("group", [STRONG, SUMS, LEVEL], ids=["teacher", "skill", "column"])
@pytest.mark.parametrize(
    ("unit", "low", "high", "equal"),
    [
        ("tokens", 3 * LONG, None, False),
        ("tokens", 3 * LONG - 10, 3 * LONG + 100, False),
        ("tokens", 3 * LONG, 3 * LONG, True),
        ("% of tokens", 70, None, False),
        ("% of tokens", 70, 80, False),
    ],
)
def test_a_floor_that_cutting_takes_from_is_broken(world, group, unit, low, high, equal) -> None:
    clause = quota(group, unit, low, high, equal)
    whole, _, _ = held(world, clause)
    assert whole.kept and whole.cut == whole.dropped == 0
    cut, report, rows = held(world, clause, CUT)
    assert not cut.kept and (cut.rows, cut.cut, cut.dropped) == (3, 3, 0)
    assert cut.trained == sum(t.trained for t in report.turns[:3]) < cut.selected == int(rows["score:length"][:3].sum())


@pytest.mark.parametrize("group", [WEAK, Group(kind="skill", value="Counting")], ids=["teacher", "skill"])
def test_a_cap_on_a_share_is_broken_by_what_the_others_lose(world, group) -> None:
    clause = quota(group, "% of tokens", None, 30)
    assert held(world, clause)[0].kept
    found, _, _ = held(world, clause, CUT)
    assert not found.kept and found.cut == 0 and (found.selected_share or 0) < 30 < (found.trained_share or 0)


def test_equal_to_a_share_of_tokens_may_miss_by_the_longest_candidate_and_no_more(world) -> None:
    for share, keeps in ((74, True), (88, False)):
        clause = quota(STRONG, "% of tokens", share, share, equal=True)
        assert held(world, clause, long=6, of=12)[0].kept
        found, _, _ = held(world, clause, CUT, long=6, of=12)
        assert found.kept is keeps and abs((found.trained_share or 0) - share) > 5


def test_a_filled_token_budget_is_broken_by_cutting_more_than_the_longest_candidate(world) -> None:
    total = 3 * LONG + 3 * SHORT
    assert held(world, budget(total, "tokens"))[0].kept
    found, _, _ = held(world, budget(total, "tokens"), CUT)
    assert not found.kept and found.low == total - LONG + 1 and found.trained < found.low
    few, _, _ = held(world, budget(total, "tokens"), LONG + 2)
    assert few.kept and few.cut == 3, "what is lost is less than a row"


def test_the_template_alone_breaks_nothing(world) -> None:
    """At the very bound of the selection: two tokens more a row, and with skills many more."""
    total = 3 * LONG + 3 * SHORT
    at_bound = 100 * 3 * SHORT / total
    for format in ("plain", "skill_aware"):
        for clause in (
            quota(STRONG, "tokens", None, 3 * LONG), quota(SUMS, "tokens", 3 * LONG, 3 * LONG, True), budget(total, "tokens"),
            quota(WEAK, "% of tokens", None, at_bound + 1e-9), quota(STRONG, "% of tokens", 100 - at_bound - 1e-9),
        ):  # fmt: skip
            found, _, _ = held(world, clause, format=format)
            assert found.kept, (format, clause)
            assert found.trained > found.selected == found.left
            if format == "skill_aware" and clause.unit == "tokens" and clause is not None and isinstance(clause, Quota) and not clause.equal:
                assert not found.within


@pytest.mark.parametrize(
    ("clause", "keeps"),
    [
        (budget(6, "examples"), False),
        (budget(6, "examples", up_to=True), True),
        (quota(STRONG, "examples", 3, None), False),
        (quota(STRONG, "examples", 3, 3, True), False),
        (quota(STRONG, "examples", None, 3), True),
        (quota(STRONG, "examples", 2, 4), True),
        (quota(STRONG, "%", 50, None), False),
        (quota(WEAK, "%", None, 50), False),
        (quota(WEAK, "%", 50, 50, True), True),  # within an example
        (quota(STRONG, "% of tokens", 75, None), False),
        (quota(STRONG, "tokens", 3 * LONG, None), False),
        (quota(WEAK, "tokens", 3 * SHORT, None), True),
    ],
)
def test_a_row_left_out_for_its_prompt_breaks_what_counts_it(world, clause, keeps) -> None:
    assert held(world, clause)[0].kept
    found, report, _ = held(world, clause, 120, prompts={1: "why " * 90})
    assert report.dropped == (f"{1:032x}",)
    assert found.kept is keeps
    assert found.dropped == (1 if clause.text.startswith("budget") or clause.group == STRONG else 0)  # type: ignore[union-attr]


def test_with_skills_the_lines_are_not_the_response(world) -> None:
    """Half of the answer may be its skills: what is left of the response is counted behind them."""
    student, context, _ = world
    stage = make_stage(student, format="skill_aware")
    rows = make_rows(context, stage, long=1, of=1)
    tokenizer = context.students.tokenizer(stage.model)
    (example,), _ = tokenise(stage, rows, tokenizer, 4096)
    block = len(tokenizer.hf("Skills:\nAlgebra->Sums\n", add_special_tokens=False)["input_ids"])
    for extra in (0, 5, LONG, LONG + 1):
        _, report = tokenise(stage, rows, tokenizer, example.start + block + extra)
        (turn,) = report.turns
        assert turn.trained == block + extra and turn.left == (min(extra, LONG), LONG)


def test_a_template_that_rewrites_the_response_counts_the_whole_turn(world, tmp_path: Path) -> None:
    student, context, _ = world
    (tmp_path / "chat.jinja").write_text("{% for m in messages %}[{{ m['role'] }}]{{ m['content'] | upper if m['role'] == 'assistant' else m['content'] }}{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}")
    stage = make_stage(student)
    stage = replace(stage, model=replace(stage.model, template=str(tmp_path / "chat.jinja"), folder=str(tmp_path)))
    rows = make_rows(context, stage, long=1, of=1)
    _, report = tokenise(stage, rows, context.students.tokenizer(stage.model), 60)
    (turn,) = report.turns
    assert turn.left == (turn.trained, turn.whole)


def test_the_selections_own_ruler_is_what_counts(world) -> None:
    """A column that counts words keeps its promise while nothing is cut, and loses in proportion."""
    student, context, _ = world
    stage = make_stage(student)
    rows = make_rows(context, stage).with_columns(pl.lit(100).alias("score:length"))
    tokenizer = context.students.tokenizer(stage.model)
    clause = quota(STRONG, "tokens", 300, 300, True)
    _, report = tokenise(stage, rows, tokenizer, 4096)
    assert kept(promised(select(clause), Rows.of(rows)), report)[0].kept
    _, report = tokenise(stage, rows, tokenizer, CUT)
    (found,) = kept(promised(select(clause), Rows.of(rows)), report)
    part, of = report.turns[0].left
    assert found.left == 3 * ((200 * part + of) // (2 * of)) and not found.kept


def test_nothing_is_broken_that_no_row_was_lost_for(world) -> None:
    """Whatever the clauses are, as long as the selection keeps them: rows that are neither cut nor left out keep them too."""
    student, context, _ = world
    stage = make_stage(student, format="skill_aware")
    rows = make_rows(context, stage)
    _, report = tokenise(stage, rows, context.students.tokenizer(stage.model), 4096)
    chance = np.random.default_rng(0)
    for _ in range(300):
        group = [STRONG, WEAK, SUMS, LEVEL][chance.integers(4)]
        unit = ["tokens", "% of tokens", "examples", "%"][chance.integers(4)]
        low, high = sorted(float(x) for x in chance.integers(0, 101 if "%" in unit else 260, 2))
        equal = bool(chance.integers(2))
        clause = quota(group, unit, low, low if equal else high, equal)
        (found,) = kept(promised(select(clause), Rows.of(rows)), report)
        assert found.kept, clause


def test_a_broken_promise_reads_as_its_golden_and_stops_before_anything_is_loaded(world, golden) -> None:
    student, context, events = world
    stage = replace(make_stage(student, max_length=60), span=place("train tiny"))
    rows = make_rows(context, stage, prompts={1: "why " * 90})
    clauses = (quota(STRONG, "% of tokens", 75, None, text="quota teacher strong >= 75% of tokens"), budget(6, "examples"))
    _, report = tokenise(stage, rows, context.students.tokenizer(stage.model), 60)
    with pytest.raises(Fault) as caught:
        hold(stage, report, promised(select(*clauses), Rows.of(rows)), context)
    assert {d.code for d in caught.value.diagnostics} == {"MIX0513"}
    golden(RUN / "MIX0513.txt", drawn(caught.value.diagnostics, (FILE,)))
    events.clear()
    quiet = hold(stage, report, promised(select(quota(STRONG, "tokens", None, 192)), Rows.of(rows)), context)
    assert [p.kept for p in quiet.promises] == [True] and json.dumps(quiet.to_dict())


def test_what_the_template_alone_moves_is_told(world) -> None:
    student, context, events = world
    stage = make_stage(student, format="skill_aware")
    rows = make_rows(context, stage)
    _, report = tokenise(stage, rows, context.students.tokenizer(stage.model), 4096)
    events.clear()
    hold(stage, report, promised(select(quota(STRONG, "tokens", None, 3 * LONG)), Rows.of(rows)), context)
    (told,) = [e.message for e in events if isinstance(e, Notice)]
    assert told.startswith("`quota` is kept by the responses, 180 tokens selected; with what the chat template adds")


def test_an_arm_without_quotas_is_held_to_its_budgets_alone(world) -> None:
    student, context, _ = world
    stage = make_stage(student)
    rows = make_rows(context, stage)
    _, report = tokenise(stage, rows, context.students.tokenizer(stage.model), CUT)
    both = select(quota(STRONG, "tokens", 3 * LONG), budget(6, "examples"))
    assert [p.kept for p in kept(promised(both, Rows.of(rows)), report)] == [False, True]
    assert [p.kept for p in kept(promised(replace(both, quotas=()), Rows.of(rows)), report)] == [True]


def test_the_longest_candidate_counts_though_it_is_not_selected(world) -> None:
    student, context, _ = world
    stage = make_stage(student)
    strong = pl.col("teacher") == "strong"
    rows = make_rows(context, stage).with_columns(reason=pl.when(strong).then(pl.lit("select: not chosen")))
    for where, longest in ((SELECTION, LONG), ("filter:1:0", SHORT)):
        found = promised(select(budget(3 * SHORT, "tokens")), Rows.of(rows.with_columns(pl.when(strong).then(pl.lit(where)).alias(DROPPED_AT))))
        assert (len(found.ids), found.longest) == (3, longest)


def bounds(clause, total: int, longest: int, alone: bool) -> tuple[Fraction, Fraction]:
    """The least and the most that a clause allows, by the words of the language."""
    if isinstance(clause, Budget):
        least = 0 if clause.up_to or (clause.unit == "tokens" and not alone) else clause.amount if clause.unit == "examples" else clause.amount - longest + 1
        return Fraction(least), Fraction(clause.amount)
    of = Fraction(total, 100) if "%" in clause.unit else Fraction(1)
    miss = 0 if not clause.equal or clause.unit == "examples" else 1 if clause.unit == "%" else longest
    low, high = (None if b is None else Fraction(str(b)) * of for b in (clause.low, clause.high))
    return (Fraction(0) if low is None else low - miss), (Fraction(10**9) if high is None else high + miss)


def test_the_verdict_is_that_of_the_definition_for_any_clause_and_any_cut(world) -> None:
    student, context, _ = world
    stage = make_stage(student)
    rows = make_rows(context, stage, long=4, of=10, prompts={2: "why " * 12, 7: "why " * 30})
    tokenizer, chance = context.students.tokenizer(stage.model), np.random.default_rng(3)
    verdicts: list[tuple[bool, bool]] = []
    for limit in (30, 40, 56, 70, 75, 90, 4096):
        examples, report = tokenise(stage, rows, tokenizer, limit)
        carried = {e.row_id: len(e.tokens) - e.start for e in examples}
        left = {t.row_id: t.left for t in report.turns}
        frame = rows.with_columns(
            pl.col("row_id").replace_strict(carried, default=0).alias("trained"),
            pl.Series("left", [int(Fraction(w) * Fraction(*left[id]) + Fraction(1, 2)) for id, w in rows.select("row_id", "score:length").iter_rows()]),
        )
        for _ in range(120):
            unit, group = ["tokens", "% of tokens", "examples", "%"][chance.integers(4)], [STRONG, WEAK, SUMS, LEVEL][chance.integers(4)]
            if chance.integers(5) == 0:
                clause = budget(int(chance.integers(1, 12)) if "tokens" not in unit else int(chance.integers(60, 420)), "tokens" if "tokens" in unit else "examples")
            else:
                most = 101 if "%" in unit else 11 if unit == "examples" else 260
                low, high = sorted(float(x) for x in chance.integers(0, most, 2))
                clause = quota(group, unit, low, low, True) if chance.integers(2) else quota(group, unit, low, high)
            inside = {"strong": pl.col("teacher") == "strong", "weak": pl.col("teacher") == "weak"}.get(clause.group.value, pl.col("teacher") == "strong") if isinstance(clause, Quota) else pl.lit(value=True)

            def holds(column: str, on: pl.DataFrame, clause=clause, inside=inside, unit=unit, longest=frame) -> bool:
                mine = on.filter(inside)
                amount, total = (mine[column].sum(), on[column].sum()) if "tokens" in unit else (mine.height, on.height)
                low, high = bounds(clause, total, max(LONG, longest[column].max() or 0), True)
                return low <= amount <= high

            trained = frame.filter(pl.col("trained") > 0)
            kept_by_definition = holds("trained", trained) or holds("left", trained) or not holds("score:length", frame)
            (found,) = kept(promised(select(clause), Rows.of(rows)), report)
            assert found.kept is kept_by_definition, (limit, clause, found)
            verdicts.append((found.kept, holds("score:length", frame)))
    assert sum(not kept for kept, _ in verdicts) > 30 and sum(kept and before for kept, before in verdicts) > 100


def test_rows_in_parts_promise_what_they_do_in_one(world) -> None:
    student, context, _ = world
    rows = make_rows(context, make_stage(student))
    clauses = select(quota(STRONG, "tokens", 100), budget(6, "examples"))
    one, two = promised(clauses, Rows.of(rows)), promised(clauses, Rows((rows[3:], rows[:3])))
    assert (one.ids, one.tokens.tolist(), one.longest) == (two.ids, two.tokens.tolist(), two.longest)
    assert [m.tolist() for m in one.members] == [m.tolist() for m in two.members]
