"""`mixc rank-teachers`: the table and the JSON, what it is asked and what it refuses, and that it computes what a build would and no more."""

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from mixc.compiler.diagnostics import Fault
from mixc.compiler.plan.stages import Pending
from mixc.runtime.context import Context
from mixc.runtime.engines.students import Students
from mixc.runtime.identity import seeded_hash
from mixc.runtime.rank_teachers import Question, rank_teachers
from mixc.runtime.ranked_by import declared
from mixc.runtime.store import Store
from mixc.tests.cli.running import Run, runner
from mixc.tests.compiling import compile_in
from mixc.tests.project import SCORED, make_project, rows
from mixc.tests.runtime.tiny import make_tiny_student

HERE = Path(__file__).parent / "ranking"
GRADED = SCORED.replace("column(good)", "verify_math(reference)")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `mixc WORDS` in a project of 12 prompts; gives the exit code, stdout and stderr."""
    make_project(tmp_path)
    (tmp_path / "graded.mix").write_text(GRADED)
    return runner(tmp_path, monkeypatch, capsys)


def ranked(run: Run, *words: str) -> dict:
    code, shown, said = run("rank-teachers", *words, "--format", "json")
    assert code == 0, said
    return json.loads(shown)


@pytest.mark.parametrize("words", [("scored.mix",), ("scored.mix", "--by", "correct", "--sample", "6"), ("graded.mix", "--all")])
def test_the_table_is_what_the_golden_says(words: tuple[str, ...], run: Run, golden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    code, shown, _ = run("rank-teachers", *words)
    assert code == 0
    golden(HERE / f"{'-'.join(word.strip('-').removesuffix('.mix') for word in words)}.txt", shown)


def test_the_json_is_what_the_golden_says(run: Run, golden) -> None:
    golden(HERE / "scored.json", run("rank-teachers", "scored.mix", "--format", "json", "-q")[1])


def test_means_are_those_of_the_rows(run: Run) -> None:
    found = ranked(run, "scored.mix", "--by", "length", "--all")
    assert (found["score"], found["unit"], found["better"], found["responses"]) == ("length", "tokens", "low", "all")
    made = rows()
    assert [t["teacher"] for t in found["teachers"]] == ["terse", "tutor", "rambler"]
    for teacher in found["teachers"]:
        own = [r for r in made if r["model"] == teacher["teacher"]]
        assert teacher["mean"] == pytest.approx(sum(r["count"] for r in own) / len(own))
        assert teacher["correct"] == {"responses": sum(r["good"] for r in own), "of": 12, "share": pytest.approx(sum(r["good"] for r in own) / 12, abs=1e-6)}
    right = ranked(run, "scored.mix")
    assert right["responses"] == "correct" and right["judge"] == "correct"
    for teacher in right["teachers"]:
        assert teacher["responses"] == sum(r["good"] for r in made if r["model"] == teacher["teacher"])
    both = {r["prompt_id"] for r in made if r["good"] and r["model"] == "terse"} & {r["prompt_id"] for r in made if r["good"] and r["model"] == "tutor"}
    assert right["teachers"][1]["to_best"]["prompts"] == len(both)


def test_the_same_words_give_the_same_bytes_and_write_no_build(run: Run) -> None:
    first = run("rank-teachers", "graded.mix", "--format", "json")[1]
    assert run("rank-teachers", "graded.mix", "--format", "json")[1] == first
    assert sorted(p.name for p in Path().iterdir()) == [".mixc", "bench.jsonl", "data", "graded.mix", "scored.mix", "whole.mix"]


def test_all_leaves_out_the_conditions_that_ask_for_correct_responses(run: Run) -> None:
    Path("graded.mix").write_text(GRADED.replace("where    correct", "where    correct and length >= 4 tokens"))
    assert run("rank-teachers", "graded.mix", "--by", "correct")[0] == 0
    text = GRADED.replace("score length", "student tiny { model \"tiny\" }\nscore natural = global_logprob(student: tiny)\nscore length").replace("maximize random", "maximize natural")
    make_tiny_student(Path("tiny"))
    Path("graded.mix").write_text(text)
    wrong = sum(not r["good"] for r in rows())
    every, right = ranked(run, "graded.mix", "--all"), ranked(run, "graded.mix")
    assert (every["left_out"], right["left_out"]) == (["where correct"], [])
    assert sum(t["responses"] for t in every["teachers"]) - sum(t["responses"] for t in right["teachers"]) == wrong > 0


def test_a_sample_scores_its_prompts_alone_and_the_rest_finds_them_in_the_store(run: Run) -> None:
    _, _, said = run("rank-teachers", "graded.mix", "--by", "correct", "--sample", "4")
    assert "score:correct: 12 scored, 0 from the store" in said
    ids = pl.Series([f"p{n:03}" for n in range(12)])
    smallest = set(ids.gather(pl.Series(seeded_hash(3, ids)).arg_sort()[:4]))
    found = ranked(run, "graded.mix", "--by", "correct", "--sample", "4")
    assert found["prompts"] == {"looked_at": 4, "of": 12, "in_common": 4}
    good = {t: [r["good"] for r in rows() if r["model"] == t and r["prompt_id"] in smallest] for t in ("terse", "tutor", "rambler")}
    assert {t["teacher"]: t["mean"] for t in found["teachers"]} == {t: pytest.approx(sum(g) / 4) for t, g in good.items()}
    _, _, said = run("build", "graded.mix")
    assert "score:correct: 24 scored, 12 from the store" in said


def test_a_build_computes_what_was_ranked_by_and_has_the_same_numbers(run: Run) -> None:
    make_tiny_student(Path("tiny"))
    found = ranked(run, "whole.mix")
    assert (found["score"], found["better"], found["unit"]) == ("naturalness", "high", "nats")
    _, _, said = run("build", "whole.mix", "--until", "select")
    assert "score:naturalness: 0 scored" in said and "score:fluency" not in said
    table = json.loads(Path("build/whole/teachers.json").read_text())
    assert table["judge"] == "correct"
    ledger = pl.read_parquet("build/whole/ledger.parquet")
    for teacher in table["teachers"]:
        (same,) = (t for t in found["teachers"] if t["teacher"] == teacher["teacher"])
        assert teacher["scores"]["naturalness"] == {name: same[name] for name in ("mean", "interval", "prompts", "responses")}
        assert teacher["correct"] == same["correct"] and set(teacher["scores"]) == {"naturalness", "length"}
        own = ledger.filter(pl.col("teacher") == teacher["teacher"])
        assert teacher["candidates"] == own.filter(pl.col("reason").is_null() | pl.col("reason").str.starts_with("select: not ")).height
        assert own.height == teacher["rows"] >= teacher["candidates"] >= teacher["selected"] == own.filter(pl.col("status") == "selected").height


def test_a_score_of_the_selected_rows_is_ranked_over_the_candidates(run: Run) -> None:
    make_tiny_student(Path("tiny"))
    found = ranked(run, "whole.mix", "--by", "fluency")
    assert sum(t["responses"] for t in found["teachers"]) == sum(r["good"] for r in rows() if r["split"] == "train")


@pytest.mark.parametrize(
    ("words", "says", "help"),
    [
        (("--by", "lenght"), "no score `lenght` for `--by`", "did you mean `length`?"),
        (("--by", "zzzzzzzz"), "no score `zzzzzzzz` for `--by`", "one of `correct`, `length`"),
        (("--judge", "corect"), "no score `corect` for `--judge`", "did you mean `correct`?"),
        (("--judge", "length"), "no score `length` for `--judge`", "one of `correct`"),
        (("--sample", "none"), "`none` is not a number of prompts", ""),
        (("--sample", "0"), "`0` is not a number of prompts", ""),
        (("--correct", "--all"), "not allowed with", ""),
        (("--smaple", "3"), "no flag `--smaple`", "did you mean `--sample`?"),
    ],
)
def test_a_wrong_question_is_refused_with_the_right_one(words: tuple[str, ...], says: str, help: str, run: Run) -> None:
    code, out, said = run("rank-teachers", "scored.mix", *words)
    assert (code, out) == (1, "") and says in said and help in said and "Traceback" not in said
    code, shown, _ = run("rank-teachers", "scored.mix", *words, "--format", "json")
    (found,) = json.loads(shown)["diagnostics"]
    assert code == 1 and says in found["message"]


def test_a_question_of_several_answers_names_them(run: Run) -> None:
    Path("two.mix").write_text(SCORED.replace("score length", "score words = column(count, unit: tokens)\nscore nice = column(good)\nscore length").replace("by -length", "by words - length"))
    code, _, said = run("rank-teachers", "two.mix")
    assert code == 1 and "which score are teachers to be ranked by?" in said and "one of `length`, `words`" in said
    code, _, said = run("rank-teachers", "two.mix", "--by", "words", "--correct")
    assert code == 1 and "which score tells correct responses?" in said and "one of `correct`, `nice`" in said
    assert ranked(run, "two.mix", "--by", "words")["responses"] == "all"
    assert ranked(run, "two.mix", "--by", "words", "--judge", "nice")["judge"] == "nice"


def test_without_a_judge_all_responses_count_and_correct_is_refused(run: Run) -> None:
    Path("plain.mix").write_text(SCORED.replace("score correct = column(good)\n", "").replace("  where    correct\n", ""))
    found = ranked(run, "plain.mix")
    assert (found["responses"], found["judge"], found["teachers"][0]["correct"]) == ("all", None, None)
    code, _, said = run("rank-teachers", "plain.mix", "--correct")
    assert code == 1 and "no score of the spec tells which responses are correct" in said
    code, _, said = run("rank-teachers", "plain.mix", "--judge", "correct")
    assert code == 1 and "no score `correct` for `--judge`" in said
    Path("bare.mix").write_text(Path("plain.mix").read_text().replace("score length  = column(count, unit: tokens)\n", "").replace("  where    length <= 400 tokens\n  keep     best 2 per prompt by -length\n", ""))
    code, _, said = run("rank-teachers", "bare.mix")
    assert code == 1 and "the spec declares none" in said


def test_a_stage_that_cannot_run_yet_is_refused_at_its_place(run: Run) -> None:
    plan = compile_in(Path.cwd(), "scored.mix").plan
    assert plan is not None
    span = declared(plan)["correct"].span
    waiting = replace(plan, pending=(Pending(what="`column`", stage="score", span=span), Pending(what="training", stage="train", span=span)))
    root = Path(".mixc")
    context = Context(store=Store(root), students=Students(root))
    with pytest.raises(Fault) as refused:
        rank_teachers(waiting, Question("length", "correct"), context)
    assert [(d.code, d.primary.span if d.primary else None) for d in refused.value.diagnostics] == [("MIX0410", span)]
    assert rank_teachers(waiting, Question("length", every=True), context).ranking.in_common == 12


def test_nothing_to_rank_is_a_diagnostic_at_the_score(run: Run) -> None:
    Path("scored.mix").write_text(SCORED.replace("column(good)", "column(bad)"))
    made = [r | {"bad": False} for r in rows()]
    Path("data/rows.jsonl").write_text("".join(json.dumps(r) + "\n" for r in made))
    code, _, said = run("rank-teachers", "scored.mix")
    assert code == 4 and "error[MIX0503]: no response has a value of `length` to rank teachers by" in said
    assert "36 are not correct by `correct`" in said and "rank all responses with `--all`" in said
    assert ranked(run, "scored.mix", "--all")["teachers"][0]["correct"]["responses"] == 0
