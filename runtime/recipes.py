"""The answers of several arms to what each recipe's runs come to, and to paired tests between recipes. Knows frames, not files.

The frame is `answers.parquet`: a row an arm, benchmark, problem and sample. Arms of one `recipe` are its runs; an arm without one stands for itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from .paired import Difference, Mean, difference, holm, mean_share, mean_value, pass_at_k

HELDOUT = "heldout"
READS = ("arm", "recipe", "seed", "benchmark", "id", "sample", "correct", "nll")
"""The columns that are read of the answers."""


@dataclass(frozen=True, slots=True)
class Scores:
    """A recipe on a benchmark: `values` is `runs x problems`, the share of samples that are right, or nats a token for `heldout`.

    `arms` and `seeds` name the runs, `ids` the problems, sorted. `right` counts right samples as `values` stand, of `asked`.
    `unknown`: answers that could not be graded, which count as wrong. `left_out`: problems that not every run has an answer to.
    """

    recipe: str
    benchmark: str
    arms: tuple[str, ...]
    seeds: tuple[int | None, ...]
    ids: tuple[str, ...]
    values: np.ndarray
    right: np.ndarray
    asked: np.ndarray
    unknown: int
    left_out: int

    @property
    def is_share(self) -> bool:
        """Whether the values are shares of right answers; else they are nats, and lower is better."""
        return self.benchmark != HELDOUT

    @property
    def samples(self) -> int:
        """The samples of a problem, the fewest where they are not equal."""
        return int(self.asked.min())

    def of(self, ids: Sequence[str]) -> np.ndarray:
        """The values of these problems alone, in their order."""
        places = {id: place for place, id in enumerate(self.ids)}
        return self.values[:, [places[id] for id in ids]]

    def mean(self) -> Mean:
        """Over runs and problems, with its interval."""
        return mean_share(self.values, self.samples) if self.is_share else mean_value(self.values)

    def pass_at(self, k: int) -> float:
        """The mean of pass@k over runs and problems; `k` at most `samples`."""
        return float(np.mean([pass_at_k(int(n), int(c), k) for n, c in zip(self.asked.flat, self.right.flat, strict=True)]))


@dataclass(frozen=True, slots=True)
class Paired:
    """`recipe` beside `against` on the `difference.problems` problems that both answered, the first less the second.

    `holm`: the p adjusted for all `comparisons` that were made at once.
    """

    benchmark: str
    recipe: str
    against: str
    difference: Difference
    holm: float
    comparisons: int

    def turned(self) -> "Paired":
        """The same with both recipes in each other's place: the same draws, so that a difference has one interval wherever it is told."""
        d = self.difference
        other = replace(d, value=0.0 - d.value, low=0.0 - d.high, high=0.0 - d.low, higher=d.lower, lower=d.higher, runs=(d.runs[1], d.runs[0]))
        return replace(self, recipe=self.against, against=self.recipe, difference=other)

    def to_data(self) -> dict[str, object]:
        """As `eval.json` has it, in `paired`."""
        d = self.difference
        return {
            "benchmark": self.benchmark, "recipe": self.recipe, "against": self.against, "difference": d.value, "interval": [d.low, d.high],
            "p": d.p, "test": d.test, "holm": self.holm, "comparisons": self.comparisons, "problems": d.problems,
            "higher": d.higher, "lower": d.lower, "runs": list(d.runs),
        }  # fmt: skip


def scores(answers: pl.DataFrame) -> list[Scores]:
    """Every recipe on every benchmark, in the order in which they stand. `answers` has the columns READS; unknown grades count as wrong."""
    named = answers.with_columns(pl.coalesce("recipe", "arm").alias("recipe"))
    found = []
    for (benchmark, recipe), rows in named.group_by("benchmark", "recipe", maintain_order=True):
        held = _scores(str(recipe), str(benchmark), rows)
        found += [held] if held.ids else []
    return found


def summary(found: Iterable[Scores]) -> list[dict[str, object]]:
    """Each recipe's mean over its runs with the interval, as `eval.json` has it in `recipes`."""
    return [_summary(each) for each in found]


def paired(pairs: Iterable[tuple[Scores, Scores]]) -> list[Paired]:
    """The first of each pair beside the second, p adjusted over all of them. A pair of two benchmarks is an error, one that shares no problem is left out."""
    made = []
    for first, second in pairs:
        if first.benchmark != second.benchmark:
            raise ValueError(f"`{first.benchmark}` is not compared with `{second.benchmark}`")
        shared = sorted(set(first.ids) & set(second.ids))
        if shared:
            made.append((first, second, difference(first.of(shared), second.of(shared), shares=first.is_share)))
    adjusted = holm([d.p for _, _, d in made])
    return [Paired(a.benchmark, a.recipe, b.recipe, d, p, len(made)) for (a, b, d), p in zip(made, adjusted, strict=True)]


def against(found: Sequence[Scores], reference: str) -> list[Paired]:
    """Every other recipe beside `reference`, benchmark by benchmark."""
    base = {each.benchmark: each for each in found if each.recipe == reference}
    return paired((each, base[each.benchmark]) for each in found if each.recipe != reference and each.benchmark in base)


def _scores(recipe: str, benchmark: str, rows: pl.DataFrame) -> Scores:
    arms = rows.select("arm", "seed").unique(subset="arm", maintain_order=True).sort("seed", maintain_order=True, nulls_last=False)
    if benchmark == HELDOUT:
        rows = rows.filter(pl.col("nll").is_not_null() & pl.col("nll").is_not_nan())
        measure, unknown = pl.col("nll").mean(), 0
    else:
        measure, unknown = pl.col("correct").fill_null(False).mean(), rows["correct"].null_count()
    asked = rows.group_by("id", "arm").agg(
        measure.alias("value"), pl.col("correct").fill_null(False).sum().alias("right"), pl.len().alias("asked")
    )
    whole = asked.group_by("id").agg(pl.len().alias("runs")).filter(pl.col("runs") == arms.height).select("id").sort("id")
    cells = whole.join(arms.select("arm").with_row_index("run"), how="cross").join(asked, on=["id", "arm"], how="left").sort("run", "id")
    shape = (arms.height, whole.height)
    values, right, samples = (
        cells[name].cast(kind).to_numpy().reshape(shape) for name, kind in (("value", pl.Float64), ("right", pl.Int64), ("asked", pl.Int64))
    )
    left_out = asked["id"].n_unique() - whole.height
    return Scores(recipe, benchmark, tuple(arms["arm"]), tuple(arms["seed"]), tuple(whole["id"]), values, right, samples, unknown, left_out)


def _summary(found: Scores) -> dict[str, object]:
    mean = found.mean()
    interval = [mean.low, mean.high]
    data: dict[str, object] = {"recipe": found.recipe, "benchmark": found.benchmark, "arms": list(found.arms), "seeds": list(found.seeds)}
    if not found.is_share:
        return data | {"nll": mean.value, "interval": interval, "rows": mean.problems, "left_out": found.left_out}
    every = [k for k in dict.fromkeys((1, found.samples)) if k]
    return data | {
        "accuracy": mean.value, "interval": interval, "problems": mean.problems, "samples": found.samples, "unknown": found.unknown,
        "left_out": found.left_out, "pass_at_k": {str(k): found.pass_at(k) for k in every},
    }  # fmt: skip
