"""What is measured of a score over rows, and when it is worth a warning."""

import random
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from mixc.compiler.diagnostics import Severity
from mixc.compiler.plan.stages import Plan
from mixc.runtime.audit import Audit, Correlation
from mixc.runtime.confounded import LEAST_ROWS, ROWS_A_TEACHER, confounded, strong
from mixc.tests.compiling import RUN, compile_in, drawn
from mixc.tests.project import STUDENT, make_project
from mixc.tests.runtime.frames import audit
from mixc.tests.runtime.test_statistics import same, slow_explained, slow_pearson, slow_ranks, slow_within


def plan(folder: Path, text: str = STUDENT) -> Plan:
    make_project(folder, prompts=1)
    (folder / "tiny").mkdir(exist_ok=True)
    (folder / "spec.mix").write_text(text, encoding="utf-8")
    found = compile_in(folder, "spec.mix").plan
    assert found is not None
    return found


def rows(count: int, steps: bool = True) -> pl.DataFrame:
    chance = random.Random(count)
    made = [
        {
            "row_id": f"{chance.random():.9f}", "prompt_id": f"p{chance.randrange(count // 3)}", "teacher": f"t{chance.randrange(3)}",
            "score:naturalness": chance.choice([None, -chance.random()]), "score:naturalness:tokens": chance.randint(5, 90),
            "score:naturalness:steps": chance.randint(1, 5) if steps else 1, "reason": chance.choice([None, "select: not chosen"]),
        }
        for _ in range(count)
    ]  # fmt: skip
    return pl.DataFrame(made)


def test_each_number_is_that_of_its_definition_over_the_rows_with_a_value(tmp_path: Path) -> None:
    table = rows(60)
    (found,) = audit(plan(tmp_path), table.sample(fraction=1, shuffle=True, seed=2))
    known = [r for r in table.to_dicts() if r["score:naturalness"] is not None]
    value = [r["score:naturalness"] for r in known]
    length = [float(r["score:naturalness:tokens"]) for r in known]
    mean = [n / r["score:naturalness:steps"] for n, r in zip(length, known, strict=True)]
    teachers, prompts = ([sorted({r[name] for r in known}).index(r[name]) for r in known] for name in ("teacher", "prompt_id"))
    assert (found.score, found.rows, found.one_step, found.teachers) == ("naturalness", len(known), False, 3)
    assert found.step_length is not None
    for correlation, column in ((found.step_length, mean), (found.response_length, length)):
        assert same(correlation.pearson, slow_pearson(value, column))
        assert same(correlation.spearman, slow_pearson(slow_ranks(value), slow_ranks(column)))
    assert same(found.teacher, slow_explained(value, teachers)) and same(found.within_prompts, slow_within(value, teachers, prompts))


def test_where_a_response_is_one_step_its_length_is_said_once(tmp_path: Path) -> None:
    (found,) = audit(plan(tmp_path), rows(30, steps=False))
    assert found.one_step and found.step_length is None and found.to_data()["step_length"] is None


def test_without_values_there_is_nothing_to_say(tmp_path: Path) -> None:
    made = plan(tmp_path)
    empty = rows(30).with_columns(pl.lit(None, pl.Float64).alias("score:naturalness"))
    assert audit(made, empty) == audit(made, rows(30).drop("score:naturalness:tokens")) == ()
    (one,) = audit(made, rows(30).filter(pl.col("score:naturalness").is_not_null()).head(1))
    assert (one.rows, one.teacher, one.within_prompts, one.response_length) == (1, None, None, Correlation(None, None))


def found(rows: int = 400, step: float | None = 0.1, response: float | None = 0.1, within: float | None = 0.1, teachers: int = 3, score: str = "naturalness") -> Audit:
    length = None if step is None else Correlation(step, step)
    return Audit(score, rows, length is None, length, Correlation(response, response), teachers, within, within)


@pytest.mark.parametrize(
    ("audited", "what"),
    [
        (found(), []),
        (found(step=0.5), ["step length"]),
        (found(step=0.499999), []),
        (found(step=-0.5, response=0.7), ["step length", "response length"]),
        (found(step=0.9, rows=LEAST_ROWS), ["step length"]),
        (found(step=0.9, rows=LEAST_ROWS - 1), []),
        (found(step=None, response=0.8), ["response length"]),
        (found(within=0.5), ["teacher"]),
        (found(within=0.9, teachers=40), ["teacher"]),
        (found(within=0.9, teachers=41), []),
        (found(within=None, response=None), []),
    ],
)
def test_strong_begins_at_one_half_and_not_among_few_rows(audited: Audit, what: list[str]) -> None:
    assert ROWS_A_TEACHER * 40 == 400
    assert list(strong(audited)) == what


def test_the_warning_stands_at_the_score_and_tells_the_way_out(tmp_path: Path, golden) -> None:
    text = STUDENT.replace("quota    teacher brief <= 60%\n  ", "").replace("by naturalness", "by naturalness + fluency")
    made = plan(tmp_path, text)
    outcome = compile_in(tmp_path, "spec.mix")
    said = confounded(made, (found(step=0.62, within=0.71), found(step=None, response=-0.8, score="fluency")))
    assert {d.severity for d in said} == {Severity.WARNING}
    golden(RUN / "MIX0614.txt", drawn(said, outcome.sources))


def test_the_way_out_is_one_that_is_not_taken_yet(tmp_path: Path) -> None:
    for debias, way in (("none", "`debias: drop_first`, or `debias: length`"), ("drop_first", "`debias: length` in its call"), ("length", "with a `where`")):
        made = plan(tmp_path, STUDENT.replace("split: sentence", f"split: sentence, debias: {debias}"))
        (said,) = confounded(made, (found(step=0.62),))
        assert said.help is not None and way in said.help


def test_a_quota_on_a_teacher_is_the_way_out_of_a_score_that_tells_teachers(tmp_path: Path) -> None:
    assert confounded(plan(tmp_path), (found(within=0.9),)) == ()
    assert confounded(plan(tmp_path, STUDENT.replace("quota    teacher brief <= 60%\n  ", "")), (found(within=0.9),)) != ()


def test_a_score_that_nothing_is_selected_by_is_measured_and_not_warned_of(tmp_path: Path) -> None:
    made = plan(tmp_path)
    assert confounded(made, (replace(found(step=0.9), score="fluency"),)) == ()
