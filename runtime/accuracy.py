"""What the answers of one model to one benchmark come to: accuracy with its interval, pass@k, by skill and by level. Knows frames, not models."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from .paired import mean_share, pass_at_k
from .proportions import wilson

ARROW = "->"


@dataclass(frozen=True, slots=True)
class Share:
    """Of `n` problems, answered `samples` times each, `correct` answers are right; `accuracy` is the mean of the problems' shares (Avg@k)."""

    accuracy: float
    low: float
    high: float
    n: int
    correct: int

    def to_dict(self) -> dict[str, object]:
        """As `eval.json` has it."""
        return {"accuracy": self.accuracy, "interval": [self.low, self.high], "n": self.n, "correct": self.correct}


@dataclass(frozen=True, slots=True)
class Accuracy:
    """All problems, and those of each skill (in every ancestor too) and level. `unknown` answers could not be graded, `cut` ones ran into the limit of
    tokens: both count as they are, which is wrong for the unknown. `passed`: k and pass@k, the chance that one of k samples is right."""

    whole: Share
    samples: int
    unknown: int
    cut: int
    passed: tuple[tuple[int, float], ...]
    by_skill: tuple[tuple[str, Share], ...]
    by_level: tuple[tuple[str, Share], ...]

    def to_dict(self) -> dict[str, object]:
        """As `eval.json` has it."""
        return {
            **self.whole.to_dict(), "unknown": self.unknown, "cut": self.cut, "samples": self.samples,
            "pass_at_k": {str(k): value for k, value in self.passed},
            "by_skill": {name: share.to_dict() for name, share in self.by_skill},
            "by_level": {name: share.to_dict() for name, share in self.by_level},
        }  # fmt: skip


def accuracy(answers: pl.DataFrame) -> Accuracy:
    """Of the answers (`id`, `correct`, `finished`, `skills`, `level`; at least one) of a model. Every problem has as many samples.

    The interval is Wilson's 95 % for one sample a problem; for several, that of `paired.mean_share`, since samples of one problem are alike.
    """
    by_problem = answers.group_by("id", maintain_order=True).agg(
        pl.col("correct").fill_null(False).sum().cast(pl.Int64).alias("right"), pl.len().cast(pl.Int64).alias("asked"), pl.col("skills").first(), pl.col("level").first()
    )
    samples = int(by_problem["asked"].min() or 1)  # type: ignore[arg-type]
    powers = [2**i for i in range(samples.bit_length())]
    counts = list(zip(by_problem["asked"], by_problem["right"], strict=True))
    passed = tuple((k, math.fsum(pass_at_k(n, c, k) for n, c in counts) / len(counts)) for k in dict.fromkeys((*powers, samples)))
    skilled = by_problem.with_columns(pl.col("skills").map_elements(_nodes, return_dtype=pl.List(pl.String), skip_nulls=True)).explode("skills")
    return Accuracy(
        _share(by_problem, samples), samples, answers["correct"].null_count(), int((~answers["finished"]).sum()), passed,
        _shares(skilled, "skills", samples), _shares(by_problem, "level", samples),
    )  # fmt: skip


def _nodes(chains: Sequence[str]) -> list[str]:
    """Every node of the chains, once: a problem counts in each of its skills and in every ancestor."""
    return list(dict.fromkeys(node for chain in chains for node in chain.split(ARROW)))


def _shares(problems: pl.DataFrame, by: str, samples: int) -> tuple[tuple[str, Share], ...]:
    groups = problems.drop_nulls(by).partition_by(by, as_dict=True)
    return tuple((str(key[0]), _share(groups[key], samples)) for key in sorted(groups))


def _share(problems: pl.DataFrame, samples: int) -> Share:
    right, n = int(problems["right"].sum()), problems.height
    if samples == 1:
        return Share(right / n, *wilson(right, n), n, right)
    mean = mean_share((problems["right"] / problems["asked"]).to_numpy().astype(np.float64)[None, :], samples)
    return Share(mean.value, mean.low, mean.high, n, right)
