"""An `Evaluate` stage: greedy accuracy on benchmarks and held-out negative log-likelihood, before and after training.

Answers are kept in the store by model, template and problem, so a rerun or a larger limit asks only what is new.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.plan.stages import Benchmark, Evaluate, Model, Score
from .benchmarks import Item, read_benchmark
from .context import Context
from .events import Notice
from .identity import digest as identity
from .proportions import wilson
from .responses import Asking, LocalModel, Question, responses
from .rows import Rows
from .score import score


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Of `n` problems `correct` are solved; `unknown` could not be graded, `cut` ran into the token limit: both are in `n`."""

    n: int
    correct: int
    unknown: int
    cut: int

    def to_dict(self) -> dict[str, object]:
        """The counts, the share that is correct and its Wilson 95 % interval."""
        low, high = wilson(self.correct, self.n)
        return {
            "accuracy": self.correct / self.n, "interval": [low, high], "n": self.n,
            "correct": self.correct, "unknown": self.unknown, "cut": self.cut,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Results by arm: `before` and, where something was trained, `after`. `items` has a row a problem or held-out row and arm."""

    benchmarks: dict[str, dict[str, Accuracy]]
    heldout: dict[str, object] | None
    items: pl.DataFrame

    def to_dict(self) -> dict[str, object]:
        """What `eval.json` holds, but for the arms that the caller adds."""
        named: dict[str, object] = {
            name: {arm: accuracy.to_dict() for arm, accuracy in arms.items()} for name, arms in self.benchmarks.items()
        }
        found: dict[str, object] = {"benchmarks": named}
        return found | {"heldout": self.heldout} if self.heldout else found


def evaluate(stage: Evaluate, heldout: pl.DataFrame | None, trained: Path | None, context: Context) -> Evaluation:
    """The student of `stage` measured, and the model in the folder `trained` if there is one.

    `heldout` has row_id, prompt and response. MIX0511 where a benchmark is not usable, MIX0506 and 0507 where a model is not.
    """
    read = {benchmark.name: _read(benchmark, stage.seed) for benchmark in stage.benchmarks}
    arms = _arms(stage, trained)
    benchmarks: dict[str, dict[str, Accuracy]] = {name: {} for name in read}
    frames = [pl.DataFrame(schema=ITEMS)]
    measured: dict[str, pl.DataFrame] = {}
    for arm, model in arms.items():
        for name, items in read.items():
            answered = _answer(stage, model, f"{name}, {arm}", items, context)
            benchmarks[name][arm] = _accuracy(answered)
            frames.append(_labelled(answered, name, arm))
        if heldout is not None and not heldout.is_empty():
            measured[arm] = _likelihood(stage, model, arm, heldout, context)
            frames.append(_labelled(measured[arm], "heldout", arm))
    summary = _heldout(stage, measured, context) if measured else None
    return Evaluation(benchmarks, summary, pl.concat(frames))


ITEMS = {
    "arm": pl.String(), "benchmark": pl.String(), "id": pl.String(), "answer": pl.String(), "text": pl.String(),
    "tokens": pl.Int64(), "finished": pl.Boolean(), "correct": pl.Boolean(), "nll": pl.Float64(), "why": pl.String(),
}  # fmt: skip


def _arms(stage: Evaluate, trained: Path | None) -> dict[str, Model]:
    if stage.model is None:
        raise ValueError("an evaluation needs a student")
    arms = {"before": stage.model}
    if trained is not None:  # the template that it was trained with is in its folder
        arms["after"] = replace(stage.model, model=str(trained.resolve()), folder="", revision=None, template=None)
    return arms


def _read(benchmark: Benchmark, seed: int) -> list[Item]:
    if benchmark.samples != 1:
        raise Fault(Diagnostic(
            "MIX0511", f"{benchmark.samples} samples a problem are not supported yet",
            Label(benchmark.span, "each problem is answered once, greedily"), help="write `samples 1`",
        ))  # fmt: skip
    return read_benchmark(benchmark, seed)


def asking(stage: Evaluate, of: str = "") -> Asking:
    """How an evaluation asks: arms are compared, so one engine answers for all of them."""
    return Asking(stage=stage.id, of=of, max_tokens=stage.max_tokens, fair=True)


def _answer(stage: Evaluate, model: Model, of: str, items: Sequence[Item], context: Context) -> pl.DataFrame:
    """`id`, `problem`, `answer`, the model's greedy text and its grade for each item, in order."""
    found = responses(asking(stage, of), [Question(item.problem) for item in items], LocalModel(model, context), context)
    frame = pl.DataFrame(
        {"id": [i.id for i in items], "problem": [i.problem for i in items], "answer": [i.answer for i in items]}, schema_overrides=dict.fromkeys(("id", "problem", "answer"), pl.String)
    )
    return _graded(stage, of, frame.hstack(found.select("text", "tokens", "finished", "engine")), context)


def _graded(stage: Evaluate, of: str, answered: pl.DataFrame, context: Context) -> pl.DataFrame:
    """The answers with `correct` (null where it is unknown) and `why` it is unknown."""
    grading = Score(
        id=f"{stage.id} ({of})", inputs=(), name="correct", scorer="verify_math", version=1, reads=("reference",),
        type="bool", span=stage.span,
    )  # fmt: skip
    rows = answered.select(
        identity("problem", "text").alias("row_id"),
        pl.col("problem").alias("prompt"),
        pl.col("text").alias("response"),
        pl.col("answer").alias("reference"),
        pl.lit(None, pl.String).alias("reason"),
    )
    graded = score(grading, Rows.of(rows), context).rows.frame()
    return answered.with_columns(correct=graded["score:correct"], why=graded["score:correct:why"])


def _accuracy(answers: pl.DataFrame) -> Accuracy:
    correct = answers["correct"]
    return Accuracy(
        answers.height, int(correct.fill_null(False).sum()), correct.null_count(), int((~answers["finished"]).sum())
    )


def likelihood(stage: Evaluate, model: Model, arm: str) -> Score:
    """The scoring of the held-out rows by one arm."""
    return Score(
        id=f"{stage.id} (held out, {arm})", inputs=(), name="logprob", scorer="global_logprob", version=1, model=model,
        type="number", unit="nats", span=stage.span,
    )  # fmt: skip


def _likelihood(stage: Evaluate, model: Model, arm: str, heldout: pl.DataFrame, context: Context) -> pl.DataFrame:
    """`id` and `nll` of each held-out row, sorted by id: nats a token of the response alone after the prompt, null with `why`."""
    scoring = likelihood(stage, model, arm)
    rows = heldout.sort("row_id").with_columns(pl.lit(None, pl.String).alias("reason"))
    scored = score(scoring, Rows.of(rows), context).rows.frame()
    return scored.select(
        pl.col("row_id").alias("id"),
        (-pl.col("score:logprob")).alias("nll"),
        pl.col("score:logprob:why").alias("why"),
    )


def _heldout(stage: Evaluate, measured: dict[str, pl.DataFrame], context: Context) -> dict[str, object]:
    """Mean over rows of each arm; only rows that every arm could measure count, so that the arms compare."""
    everywhere = set.intersection(*(set(found.drop_nulls("nll")["id"]) for found in measured.values()))
    rows = next(iter(measured.values())).height
    missing = sorted({id for found in measured.values() for id in found["id"]} - everywhere)
    if missing:
        whys = {why for found in measured.values() for why in found["why"].drop_nulls()}
        context.watch(Notice(
            stage.id, f"{len(missing)} of {rows} held-out rows are not measured ({', '.join(sorted(whys))})"
        ))  # fmt: skip
    means = {
        arm: math.fsum(found.filter(pl.col("id").is_in(sorted(everywhere)))["nll"]) / len(everywhere) if everywhere else None
        for arm, found in measured.items()
    }
    return {"rows": len(everywhere), "unmeasured": missing, **means}


def _labelled(found: pl.DataFrame, benchmark: str, arm: str) -> pl.DataFrame:
    """The frame with the columns of ITEMS that it has, and whose it is."""
    named = found.with_columns(pl.lit(benchmark).alias("benchmark"), pl.lit(arm).alias("arm"))
    absent = {name: pl.lit(None, dtype) for name, dtype in ITEMS.items() if name not in named.columns}
    return named.with_columns(**absent).select(*ITEMS)
