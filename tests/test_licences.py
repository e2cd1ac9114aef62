"""`license COLUMN` and `require license` row by row, from the command line: what leaves, what is told before anything costs, what comes out."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from jsonschema import Draft202012Validator
from mixc.compiler.diagnostics import Diagnostics
from mixc.compiler.licences import respelt
from mixc.compiler.source import Source
from mixc.compiler.syntax.arrange import arrange
from mixc.tests.cli.running import Run, runner
from mixc.tests.project import SCORED, make_project, rows, write_rows
from mixc.tests.runtime.served import served
from mixc.tests.runtime.sums import answer, spec, sums

ROOT = Path(__file__).parents[1]
TERMS = ("MIT", "Apache-2.0", "apache 2.0", "GPL-3.0", None, "  ")
REQUIRE = 'require license in ["MIT", "Apache-2.0"]'
LICENSED = SCORED.replace("  teacher   model\n}", f"  teacher   model\n  license   terms\n}}\n\n{REQUIRE}").replace("budget   12", "budget   up to 12")


def terms(made: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, each under a licence, under none, or under a blank one."""
    return [row | {"terms": TERMS[(3 * i + i // 7) % len(TERMS)]} for i, row in enumerate(made)]


ROWS = terms(rows(30, 3))


@pytest.fixture
def mixc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    make_project(tmp_path)
    write_rows(tmp_path / "data" / "rows.jsonl", ROWS)
    return runner(tmp_path, monkeypatch, capsys)


def built(mixc: Run, text: str, name: str = "spec") -> tuple[dict[str, Any], pl.DataFrame, pl.DataFrame, str]:
    """The manifest, the ledger and the selection of a build, and what it said beside its summary."""
    Path(f"{name}.mix").write_text(text)
    code, _, said = mixc("build", f"{name}.mix")
    assert code == 0, said
    folder = Path("build", name)
    return json.loads((folder / "manifest.json").read_text()), pl.read_parquet(folder / "ledger.parquet"), pl.read_parquet(folder / "selected.parquet"), said


def stated(made: list[dict[str, Any]] = ROWS) -> dict[tuple[str, str], str | None]:
    """The licence of each row by prompt and teacher, a blank one being none; not worked out by the program."""
    return {(row["prompt_id"], row["model"]): (row["terms"] or "").strip() or None for row in made}


def test_rows_under_no_allowed_licence_leave_with_that_reason_and_are_never_scored(mixc: Run) -> None:
    text = LICENSED.replace("score correct = column(good)", "score correct = verify_math(reference)")
    manifest, ledger, selected, _ = built(mixc, text)
    licence = stated()
    for row in ledger.iter_rows(named=True):
        mine = licence[row["prompt_id"], row["teacher"]]
        why = "no licence is stated" if mine is None else f'"{mine}" is not allowed'
        assert (row["reason"] == f"{REQUIRE}: {why}") is (mine not in ("MIT", "Apache-2.0"))
    allowed = sum(mine in ("MIT", "Apache-2.0") for mine in licence.values())
    assert manifest["counts"]["funnel"][:3] == [
        {"clause": "scan rows", "rows": 90}, {"clause": REQUIRE, "rows": allowed}, {"clause": "teachers", "rows": allowed},
    ]  # fmt: skip
    assert manifest["counts"]["scores"]["correct"] == {"computed": allowed, "reused": 0}
    assert [licence[row["prompt_id"], row["teacher"]] for row in selected.iter_rows(named=True)] == selected["license"].to_list()
    counts = manifest["counts"]["licences"]
    assert counts["all"] == dict(Counter(selected["license"])) == counts["corpora"]["rows"]
    by = Counter(selected.select("teacher", "license").iter_rows())
    assert {(teacher, name): count for teacher, found in counts["teachers"].items() for name, count in found.items()} == by
    told = {one["licence"]: (one["rows"], one["allowed"]) for one in manifest["counts"]["evidence"]["scan:rows"]["licences"]}
    assert told == {name: (count, name in ("MIT", "Apache-2.0")) for name, count in Counter(licence.values()).items()}
    gone = ledger.filter(pl.col("reason").str.ends_with('"GPL-3.0" is not allowed'))["row_id"][0]
    code, said, _ = mixc("why", "build/spec", gone, "--why-not")
    assert code == 0 and f'dropped: {REQUIRE}: "GPL-3.0" is not allowed' in " ".join(said.split())
    assert "this comes before every filter" in " ".join(said.split())


def test_a_plan_counts_the_rows_of_each_licence_before_anything_costs(mixc: Run) -> None:
    Path("spec.mix").write_text(LICENSED)
    code, said, _ = mixc("plan", "spec.mix")
    count = Counter(stated().values())
    refused = 90 - count["MIT"] - count["Apache-2.0"]
    assert code == 0 and f"{refused} under no allowed licence" in " ".join(said.replace("|  ", " ").split())
    assert f'rows: allowed "MIT" {count["MIT"]}, "Apache-2.0" {count["Apache-2.0"]}; not allowed' in " ".join(said.split())
    assert said.index("licences ") < said.index("cost ")
    data = json.loads(mixc("plan", "spec.mix", "--format", "json")[1])
    Draft202012Validator(json.loads((ROOT / "compiler/plan/report.json").read_text())).validate(data)
    assert {one["licence"]: one["rows"] for one in data["licences"]["rows"]} == count
    assert {one["licence"] for one in data["licences"]["rows"] if one["allowed"]} == {"MIT", "Apache-2.0"}
    assert sum(share["rows"]["value"] for share in data["composition"]["licences"]) == data["composition"]["rows"]["value"]
    data = json.loads(mixc("plan", "scored.mix", "--format", "json")[1])
    assert data["licences"] == {} and data["composition"]["licences"] == []


@pytest.mark.parametrize("verb", ["plan", "build"])
def test_where_no_row_is_allowed_it_is_an_error_with_the_licences_that_are_there(mixc: Run, verb: str) -> None:
    Path("spec.mix").write_text(LICENSED.replace('["MIT", "Apache-2.0"]', '["mit"]'))
    code, _, said = mixc(verb, "spec.mix")
    flat = " ".join(said.split())
    assert code == 4 and "error[MIX0544]: no row of `rows` is under a licence that is allowed" in flat and "--> spec.mix:13:1" in said
    assert f'its rows: not stated {Counter(stated().values())[None]}, "' in flat
    assert '"MIT" may be "mit" in another spelling' in flat and 'add "MIT" to the list if it is one that you allow' in flat
    assert not Path("build/spec").exists()


def test_what_is_nearly_an_allowed_licence_is_pointed_out_and_not_taken_for_it(mixc: Run) -> None:
    _, _, selected, said = built(mixc, LICENSED)
    assert set(selected["license"]) == {"MIT", "Apache-2.0"}
    rows = Counter(stated().values())["apache 2.0"]
    assert f'warning[MIX0432]: "apache 2.0", of {rows} rows of `rows`, is not allowed, and "Apache-2.0" is' in said and "GPL" not in said
    quiet = LICENSED.replace("require license", '# mixc: allow MIX0432 because "it was looked at"\nrequire license')
    assert "MIX0432" not in built(mixc, quiet)[3]
    assert "MIX0610" not in mixc("check", "spec.mix")[2]


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("apache 2.0", "Apache-2.0"), ("Apache License, Version 2.0", "Apache-2.0"), ("the mit licence", "MIT"), ("GPL v3.0", "GPL-3.0"), ("MIT", None),
        ("GPL-2.0", None), ("CC-BY-NC-4.0", None), ("gpl-3.0+", None), ("license", None), ("", None), ("…", None),
    ],
)  # fmt: skip
def test_only_the_spelling_of_a_licence_may_differ(name: str, other: str | None) -> None:
    assert respelt(name, ["MIT", "Apache-2.0", "GPL-3.0", "CC-BY-4.0", "…!"]) == other


def test_a_mix_under_another_licence_than_its_rows_is_told_with_their_number(mixc: Run) -> None:
    free = LICENSED.replace(f"{REQUIRE}\n", "").replace("{ seed 3 }", '{\n  seed    3\n  license "MIT"\n}')
    _, _, selected, said = built(mixc, free)
    others = Counter(selected["license"].to_list())
    mine = others.pop("MIT", 0)
    assert others.keys() - {None} and None in others
    message = f'the mix says that it is under "MIT", and {sum(others.values())} of the {mine + sum(others.values())} rows selected from `rows` are not'
    assert message in " ".join(said.split()) and f"not stated {others[None]}" in said
    assert message in " ".join(mixc("plan", "spec.mix")[2].split()), "a plan whose selection is known says it too"
    both = LICENSED.replace("{ seed 3 }", '{\n  seed    3\n  license "MIT"\n}')
    assert "the mix says" not in built(mixc, both)[3], "`require` names the licences that the recipe takes on purpose"


def test_licences_of_whole_corpora_and_of_rows_come_out_side_by_side(mixc: Run) -> None:
    more = '\ncorpus more {\n  scan      "more/*.jsonl"\n  prompt    question\n  response  answer\n  reference gold\n  teacher   model\n  license   "CC0-1.0"\n}\n'
    text = LICENSED.replace("  id        prompt_id\n", "").replace("skills topics", f"{more}\nskills topics").replace('"Apache-2.0"]', '"Apache-2.0", "CC0-1.0"]')
    other = [row | {"question": f"Again: {row['question']}"} for row in rows(10, 4)]
    write_rows(Path("more/more.jsonl"), other)
    manifest, ledger, selected, _ = built(mixc, text)
    assert set(manifest["counts"]["licences"]["corpora"]) == {"rows", "more"}
    assert manifest["counts"]["licences"]["corpora"]["more"] == {"CC0-1.0": selected.filter(pl.col("prompt").str.starts_with("Again"))["license"].len()}
    assert selected.filter(pl.col("prompt").str.starts_with("Again"))["license"].unique().to_list() == ["CC0-1.0"]
    silent = text.replace('  license   "CC0-1.0"\n', "").replace("require license in", "# require license in")
    _, _, selected, said = built(mixc, silent)
    assert selected.filter(pl.col("prompt").str.starts_with("Again"))["license"].is_null().all()
    write_rows(Path("more/more.jsonl"), [dict(row) for row in ROWS[:1]])
    Path("spec.mix").write_text(text)
    code, _, said = mixc("build", "spec.mix")
    assert code == 4 and "MIX0504" in said and "differ in `license`" in said, "one row cannot be under two licences"
    write_rows(Path("more/more.jsonl"), [dict(next(row for row in ROWS if row["terms"] == "GPL-3.0"))])
    _, ledger, _, _ = built(mixc, text)
    assert ledger.height == 90, "what one corpus may give, another's licence does not take away"


def test_a_spec_that_states_no_licence_has_no_such_column(mixc: Run) -> None:
    manifest, _, selected, said = built(mixc, SCORED)
    assert "license" not in selected.columns and manifest["counts"]["licences"]["all"] == {"not stated": selected.height} and "licence" not in said
    assert manifest["counts"]["evidence"] == {} and [step["clause"] for step in manifest["counts"]["funnel"]][:2] == ["scan rows", "teachers"]


def states(said: str) -> dict[str, str]:
    return {score["name"]: score["state"] for score in json.loads(said)["scores"]}


def test_fewer_allowed_licences_bring_no_row_and_more_may(mixc: Run) -> None:
    Path("wide.mix").write_text(LICENSED.replace('"Apache-2.0"]', '"Apache-2.0", "GPL-3.0"]').replace("column(good)", "verify_math(reference)"))
    Path("narrow.mix").write_text(LICENSED.replace("column(good)", "verify_math(reference)"))
    code, said, _ = mixc("diff", "wide.mix", "narrow.mix", "--format", "json")
    assert code == 2 and states(said) == {"length": "read", "correct": "cached"}
    code, said, _ = mixc("diff", "narrow.mix", "wide.mix", "--format", "json")
    assert code == 2 and states(said) == {"length": "read", "correct": "new rows"}


def test_the_prompts_of_rows_that_are_not_allowed_are_not_asked_and_an_answer_has_no_licence(mixc: Run) -> None:
    pytest.importorskip("math_verify")
    path = sums(Path())
    made = [json.loads(line) for line in path.read_text().splitlines()]
    write_rows(path, [row | {"terms": "MIT" if row["pid"] not in ("p002", "p003") else "GPL-3.0"} for row in made])
    with served(answer) as server:
        text = spec(server.url).replace("  teacher   model\n", "  teacher   model\n  license   terms\n").replace("teacher human", 'require license in ["MIT"]\nteacher human', 1)
        Path("sums.mix").write_text(text)
        assert "28 to answer (7 prompts x 4" in mixc("plan", "sums.mix")[1]
        code, _, said = mixc("build", "sums.mix")
        assert code == 0, said
        asked = {body["messages"][0]["content"].split()[2] for body in server.asked}
    assert asked == {str(i) for i in range(10) if i % 6 < 5} - {"2", "3"}
    selected = pl.read_parquet("build/sums/selected.parquet")
    assert dict(selected.group_by("teacher").agg(pl.col("license").unique()).iter_rows()) == {"human": ["MIT"], "writer": [None]}
    counts = json.loads(Path("build/sums/manifest.json").read_text())["counts"]["licences"]
    assert list(counts["teachers"]["writer"]) == ["not stated"] and list(counts["teachers"]["human"]) == ["MIT"]


def test_the_page_is_true(mixc: Run) -> None:
    page = (ROOT / "docs/licences.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```mix\n(.*?)```", page, re.S)
    assert arrange(Source("page.mix", text), Diagnostics()) == text
    given = ["MIT"] * 22 + ["CC-BY-4.0"] * 21 + ["GPL-3.0"] * 30 + [None] * 30
    made = [{"question": f"What is {i}?", "solution": f"{i}.", "answer": str(i), "model": ("terse", "tutor")[i % 2], "terms": one} for i, one in enumerate(given)]
    write_rows(Path("rows.jsonl"), made)
    Path("page.mix").write_text(text + '\ndecontaminate none because "an example"\n')
    code, said, errors = mixc("plan", "page.mix")
    assert code == 0 and "MIX0432" not in errors and re.findall(r"```text\n(.*?)```", page, re.S)[0] in said


def test_a_licence_that_is_a_whole_text_is_shown_in_short(mixc: Run) -> None:
    text = "MIT License\n\n" + "Permission is hereby granted, free of charge, to any person. " * 30
    write_rows(Path("data/rows.jsonl"), [row | {"terms": text if i % 2 else "MIT"} for i, row in enumerate(ROWS)])
    _, ledger, _, _ = built(mixc, LICENSED.replace(REQUIRE, 'require license in ["MIT"]'))
    reasons = ledger["reason"].drop_nulls().unique().to_list()
    (one,) = [reason for reason in reasons if reason.startswith("require")]
    assert "\n" not in one and len(one) < 140 and "MIT License Permission is" in one
