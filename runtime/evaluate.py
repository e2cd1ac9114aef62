"""An `Evaluate` stage: accuracy on benchmarks and held-out negative log-likelihood of the student before training and of every arm after it.

Answers and likelihoods are kept in the store by model, template and text, so a rerun, another arm or a larger limit asks only what is new.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from ..compiler.plan.stages import Evaluate, Model, Score
from .accuracy import Accuracy, accuracy
from .answers import answers
from .benchmarks import read_benchmark
from .context import Context
from .events import Notice
from .recipes import HELDOUT, paired, scores, summary
from .rows import Rows
from .score import score

BEFORE = "before"
RECIPE = "recipe"
ANSWERS = {
    "arm": pl.String(), "recipe": pl.String(), "seed": pl.Int64(), "benchmark": pl.String(), "id": pl.String(), "sample": pl.Int64(),
    "answer": pl.String(), "text": pl.String(), "tokens": pl.Int64(), "finished": pl.Boolean(), "correct": pl.Boolean(), "why": pl.String(),
    "skills": pl.List(pl.String()), "level": pl.String(), "nll": pl.Float64(),
}  # fmt: skip
"""The columns of `answers.parquet`."""


@dataclass(frozen=True, slots=True)
class Trained:
    """An arm that was trained: its name, the `recipe` whose arms differ by their `seed` alone, its `folder` in the build, the `model` as it was saved.

    `examples` and `tokens` (those that carry loss) are what it read in an epoch.
    """

    name: str
    recipe: str
    seed: int
    folder: str
    model: Path
    examples: int | None = None
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Results by benchmark and arm, `before` first. `items` has the columns ANSWERS: a row an arm, problem and sample, or an arm and held-out row."""

    arms: tuple[dict[str, object], ...]
    benchmarks: dict[str, dict[str, Accuracy]]
    heldout: dict[str, object] | None
    items: pl.DataFrame

    def to_dict(self) -> dict[str, object]:
        """What `eval.json` holds: means over seeds are in `recipes`, the recipe beside each other one in `paired`."""
        found = scores(self.items)
        base = {each.benchmark: each for each in found if each.recipe == RECIPE}
        beside = [(each, base[each.benchmark]) for each in found if each.recipe != RECIPE and each.benchmark in base]
        return {
            "arms": list(self.arms),
            "benchmarks": {name: {arm: one.to_dict() for arm, one in arms.items()} for name, arms in self.benchmarks.items()},
            **({"heldout": self.heldout} if self.heldout else {}),
            "recipes": summary(found),
            "paired": [each.turned().to_data() for each in paired(beside)],
        }


def evaluate(
    stage: Evaluate, heldout: pl.DataFrame | None, trained: Iterable[Trained], context: Context, chains: Mapping[str, str] | None = None
) -> Evaluation:
    """The student of `stage` measured, and each arm as `trained` brings it; its model is let go of before the next is asked for.

    `heldout` has row_id, prompt and response; `chains`: every skill's chain by name. MIX0511 where a benchmark is not usable, MIX0506 and 0507 where a
    model is not.
    """
    if stage.model is None:
        raise ValueError("an evaluation needs a student")
    read = [(benchmark, read_benchmark(benchmark, stage.seed)) for benchmark in stage.benchmarks]
    benchmarks: dict[str, dict[str, Accuracy]] = {benchmark.name: {} for benchmark in stage.benchmarks}
    listed: list[dict[str, object]] = []
    frames = [pl.DataFrame(schema=ANSWERS)]
    measured: dict[str, pl.DataFrame] = {}
    many = len(stage.arms) + 1
    for number, (arm, model) in enumerate(_arms(stage.model, trained), 1):
        listed.append(_listed(arm))
        name, seed = (BEFORE, stage.seed) if arm is None else (arm.name, arm.seed)
        shown = f"{name}, arm {number} of {many}" if many > 2 else name
        for benchmark, items in read:
            answered = answers(stage, benchmark, items, model, seed, f"{benchmark.name}, {shown}", context, chains or {})
            benchmarks[benchmark.name][name] = accuracy(answered)
            frames.append(_labelled(answered, benchmark.name, name, arm))
        if heldout is not None and not heldout.is_empty():
            measured[name] = _likelihood(stage, model, shown, heldout, context)
            frames.append(_labelled(measured[name], HELDOUT, name, arm))
        context.students.release(model)
    found = _heldout(stage, measured, context) if measured else None
    return Evaluation(tuple(listed), benchmarks, found, pl.concat(frames))


def model_of(student: Model, trained: Path) -> Model:
    """A trained student in its folder, which holds the template that it was trained with."""
    return replace(student, model=str(trained.resolve()), folder="", revision=None, template=None)


def _arms(student: Model, trained: Iterable[Trained]) -> Iterable[tuple[Trained | None, Model]]:
    yield None, student
    for arm in trained:
        yield arm, model_of(student, arm.model)


def _listed(arm: Trained | None) -> dict[str, object]:
    if arm is None:
        return {"arm": BEFORE, "recipe": None, "seed": None}
    read = {} if arm.examples is None else {"examples": arm.examples, "trained_tokens": arm.tokens}
    return {"arm": arm.name, "recipe": arm.recipe, "seed": arm.seed, "folder": arm.folder, **read}


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


def _heldout(stage: Evaluate, measured: Mapping[str, pl.DataFrame], context: Context) -> dict[str, object]:
    """Mean over rows of each arm; only rows that every arm could measure count, so that the arms compare."""
    everywhere = set.intersection(*(set(found.drop_nulls("nll")["id"]) for found in measured.values()))
    rows = next(iter(measured.values())).height
    missing = sorted({id for found in measured.values() for id in found["id"]} - everywhere)
    if missing:
        whys = {why for found in measured.values() for why in found["why"].drop_nulls()}
        context.watch(Notice(
            stage.id, f"{len(missing)} of {rows} held-out rows are not measured ({', '.join(sorted(whys))})"
        ))  # fmt: skip
    means = {arm: _mean(found, sorted(everywhere)) for arm, found in measured.items()}
    return {"rows": len(everywhere), "unmeasured": missing, **means}


def _mean(found: pl.DataFrame, ids: Sequence[str]) -> float | None:
    return math.fsum(found.filter(pl.col("id").is_in(ids))["nll"]) / len(ids) if ids else None


def _labelled(found: pl.DataFrame, benchmark: str, name: str, arm: Trained | None) -> pl.DataFrame:
    """The frame with the columns of ANSWERS that it has, and whose it is."""
    named = found.with_columns(
        pl.lit(benchmark).alias("benchmark"), pl.lit(name).alias("arm"),
        pl.lit(arm and arm.recipe, pl.String).alias("recipe"), pl.lit(arm and arm.seed, pl.Int64).alias("seed"),
    )  # fmt: skip
    if "sample" not in named.columns:
        named = named.with_columns(pl.lit(0, pl.Int64).alias("sample"))
    absent = {each: pl.lit(None, dtype) for each, dtype in ANSWERS.items() if each not in named.columns}
    return named.with_columns(**absent).select(*ANSWERS).cast(ANSWERS)  # type: ignore[arg-type]
