"""`verify_math`: right answers are true, wrong ones false, and what cannot be judged is neither."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import polars as pl
import pytest
from mixc.compiler.diagnostics import Fault
from mixc.compiler.plan.stages import Score
from mixc.compiler.source import Span
from mixc.runtime.context import Context
from mixc.runtime.engines.students import Students
from mixc.runtime.scorers import graders
from mixc.runtime.scorers.graders import Grade, grade_math
from mixc.runtime.scorers.mathematics import judge, surely_equal
from mixc.runtime.store import Store
from mixc.tests.compiling import RUN, drawn
from mixc.tests.runtime.frames import score

pytest.importorskip("math_verify")

RIGHT = [
    ("1,000", r"so \boxed{1000}"),
    ("1000", r"so \boxed{1,000}"),
    (r"\$18", r"\boxed{18}"),
    ("18", r"\boxed{\$18}"),
    ("18 dollars", "The answer is 18."),
    ("18", r"\boxed{18 dollars}"),
    ("18", r"\boxed{18\text{ dollars}}"),
    ("$18.00", r"\boxed{18}"),
    ("1/2", r"\boxed{\frac{1}{2}}"),
    (r"\frac{1}{2}", "the answer is 0.5"),
    (r"$\frac12$", r"\boxed{1/2}"),
    ("50%", r"\boxed{50\%}"),
    ("50%", r"\boxed{50 percent}"),
    ("x=5", r"\boxed{5}"),
    ("east", r"\boxed{\text{east}}"),
    ("(3,4)", r"\boxed{(3, 4)}"),
    ("10^{10}", r"\boxed{10000000000}"),
    (r"25\sqrt{2}", r"\boxed{25√2}"),
    (r"2\pi", r"\boxed{2π}"),
    ("-3", r"\boxed{−3}"),
    (r"\boxed{7}", r"\boxed{7}"),
    ("18", "The answer to the first part is 3.\n#### 18"),
    ("18", r"First \boxed{3}, no, \boxed{18}"),
]
WRONG = [
    ("18", ""),
    ("18", "I do not know"),
    ("18", r"\boxed{19}"),
    ("3", r"\boxed{-3}"),
    ("5x", r"\boxed{5}"),
    ("x^2+1", r"\boxed{1}"),
    ("25", r"\boxed{25√2}"),
    ("east", r"\boxed{west}"),
    ("3", r"First \boxed{3}, no, \boxed{18}"),
    ("18", r"18, so \boxed{}"),
]


def test_right_answers_are_true_and_wrong_ones_false_however_they_are_written() -> None:
    grades = grade_math([(response, reference) for reference, response in RIGHT + WRONG])
    assert grades == [Grade(True)] * len(RIGHT) + [Grade(False)] * len(WRONG)


def test_without_a_reference_nothing_is_said() -> None:
    assert grade_math([("1", None), ("1", "  ")]) == [Grade(None, "no reference")] * 2


@pytest.mark.parametrize(
    ("response", "reference"),
    [(r"\boxed{5}\%", "5"), (r"\boxed{5} \boxed{6}", "5"), (r"\boxed{5}. The final answer is: 6. I hope", "5"), ("5", "5")],
)
def test_the_short_cut_leaves_the_doubtful_to_the_judge(response: str, reference: str) -> None:
    assert not surely_equal(response, reference)


def test_an_answer_that_makes_the_judge_hang_is_unknown_and_the_others_are_graded() -> None:
    counts: list[int] = []
    pairs: list[tuple[str, str | None]] = [(r"\boxed{2+2}", "4"), (r"\boxed{9^{9^{9^{9}}}}", "7"), (r"\boxed{6}", "7")]
    grades = grade_math(pairs, 1.0, counts.append)
    assert grades == [Grade(True), Grade(None, "unknown: timed out after 1 s"), Grade(False)]
    assert counts == [1, 2, 3]


@pytest.mark.parametrize("judgement", ["__import__('os')._exit(1)", "1 / 0"])
def test_a_judge_that_dies_or_raises_leaves_the_answer_unknown(
    monkeypatch: pytest.MonkeyPatch, judgement: str
) -> None:
    monkeypatch.setattr(graders, "judge", exec)
    monkeypatch.setattr(graders.workers, "work", partial(items_of, graders.workers.work))
    assert grade_math([(judgement, "7")]) == [Grade(None, "unknown: the grader failed")]


def items_of(work: Callable[..., Iterator[object]], judge: object, pairs: list[tuple[str, str]], **settings: object):
    return work(judge, [response for response, _ in pairs], **settings)


def test_a_missing_package_is_a_fault_that_names_the_extra(monkeypatch: pytest.MonkeyPatch, golden) -> None:
    monkeypatch.setattr(graders, "find_spec", lambda name: None)
    with pytest.raises(Fault) as raised:
        grade_math([(r"\boxed{1+1}", "2")])
    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.code == "MIX0509" and "mixc[train]" in (diagnostic.help or "")
    golden(RUN / "MIX0509.txt", drawn((diagnostic,), ()))


def test_grades_are_stored_by_reference_and_read_back(tmp_path: Path) -> None:
    stage = Score(
        id="score:correct", inputs=(), name="correct", scorer="verify_math", version=1, reads=("reference",), type="bool",
        span=Span("spec.mix", 0, 1),
    )  # fmt: skip
    rows = pl.DataFrame({"row_id": ["a", "b", "c"], "prompt": "p", "response": r"\boxed{4}", "reference": ["4", "5", None]})
    rows = rows.with_columns(reason=pl.lit(None, pl.String))
    context = Context(Store(tmp_path), Students())
    first = score(stage, rows, context)
    assert first.rows["score:correct"].to_list() == [True, False, None]
    assert first.rows["score:correct:why"].to_list() == [None, None, "no reference"]
    second = score(stage, rows.with_columns(reference=pl.Series(["4", "4", None])), context)
    assert (second.computed, second.reused) == (1, 2)
    assert second.rows["score:correct"].to_list() == [True, True, None]


@pytest.mark.parametrize(
    ("scorer", "responses", "references", "found", "why"),
    [
        ("exact_match", ["The answer is 12", "Final answer: 13", "I see."], [12, 12, None], [True, False, None], [None, None, "no reference"]),
        ("choice", ["So it is (B).\nThe answer is B.", "The answer is C.", "The answer is A. No, the answer is B."], ["B", "B", "B"], [True, False, None], None),
    ],
)
def test_what_is_compared_as_written_is_a_score(tmp_path: Path, scorer: str, responses: list[str], references: list, found: list, why: list | None) -> None:
    stage = Score(
        id="score:correct", inputs=(), name="correct", scorer=scorer, version=1, reads=("column:gold",), type="bool", span=Span("spec.mix", 0, 1)
    )
    rows = pl.DataFrame({"row_id": ["a", "b", "c"], "prompt": "p", "response": responses, "column:gold": references})
    rows = rows.with_columns(reason=pl.lit(None, pl.String))
    context = Context(Store(tmp_path), Students())
    first, again = score(stage, rows, context), score(stage, rows, context)
    assert first.rows["score:correct"].to_list() == found and (first.computed, again.computed, again.reused) == (3, 0, 3)
    assert first.rows["score:correct:why"].to_list() == (why or [None, None, "unknown: several answers: A, B"])
    with pytest.raises(Fault) as raised:
        score(stage, rows.with_columns(pl.Series("column:gold", [["B"], ["B"], ["B"]])), context)
    assert [d.code for d in raised.value.diagnostics] == ["MIX0502"]


def teachers() -> Path:
    shared = Path(os.environ.get("MIXC_SHARED", Path(__file__).parents[2].parent / "shared" / "data"))
    return shared / "teachers.parquet"


@pytest.mark.shared
@pytest.mark.parametrize("corpus", ["gsm8k", "math_l5"])
def test_grades_agree_with_those_of_real_responses(corpus: str) -> None:
    if not teachers().exists():
        pytest.skip("the teachers' responses are not here")
    rows = pl.scan_parquet(teachers()).filter(pl.col("corpus") == corpus).collect().sample(800, seed=1)
    pairs = list(zip(rows["response"], rows["reference_answer"], strict=True))
    grades = grade_math(pairs)
    agree = sum(grade.value == correct for grade, correct in zip(grades, rows["correct"], strict=True))
    assert agree >= 0.99 * len(rows)
    sure = [pair for pair in pairs if surely_equal(*pair)]
    assert len(sure) > 200 and all(judge(pair) for pair in sure[:300])


def test_grading_does_not_load_the_package_here() -> None:
    """sympy stays in the workers: their crash is not ours."""
    assert importlib.util.find_spec("math_verify") is not None
    code = f"""
import importlib.util, sys
root = {str(Path(__file__).parents[2])!r}
spec = importlib.util.spec_from_file_location("mixc", root + "/__init__.py", submodule_search_locations=[root])
sys.modules["mixc"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["mixc"])
from mixc.runtime.scorers.graders import grade_math
assert grade_math([("1+1", "2")])[0].value is not None
print(sorted({{"sympy", "math_verify", "torch"}} & set(sys.modules)))
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
