"""Teachers by the mean of one score, with bootstrap intervals: one definition for `mixc rank-teachers` and for the teachers of a build.

Knows rows with a value, not where they come from.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from .statistics import draws, interval

SIGNIFICANT = 9
MANY = 100_000
"""Prompts above which an interval is worked out: of so many only 200 draws would be made, which is the coarser answer."""


@dataclass(frozen=True, slots=True)
class Mean:
    """A teacher's score: `low` to `high` is its 95 % interval. All three None without a value; no interval of a single prompt.

    `prompts` and `responses` are those with a value.
    """

    mean: float | None
    low: float | None
    high: float | None
    prompts: int
    responses: int

    def to_data(self) -> dict[str, object]:
        """As `teachers.json` and `mixc rank-teachers --format json` have it."""
        interval = None if self.low is None else [self.low, self.high]
        return {"mean": self.mean, "interval": interval, "prompts": self.prompts, "responses": self.responses}


@dataclass(frozen=True, slots=True)
class Gap:
    """A teacher beside the best one, over the `prompts` for which both have a value: its mean less that of the best, with the 95 % interval.

    `better`: the share of bootstrap draws in which it is the better one, a tie counting half. None without a common prompt.
    """

    prompts: int
    difference: float | None
    low: float | None
    high: float | None
    better: float | None


@dataclass(frozen=True, slots=True)
class Place:
    """One teacher. `in_common`: its mean over the prompts for which every teacher has a value; None where there is none. `gap` is None of the best."""

    teacher: str
    score: Mean
    in_common: float | None
    gap: Gap | None


@dataclass(frozen=True, slots=True)
class Ranking:
    """Best first, equal means by name, those without a value last. `in_common`: the prompts for which every teacher has a value."""

    places: tuple[Place, ...]
    in_common: int


@dataclass(frozen=True, slots=True)
class _Prompts:
    """One teacher's prompts in the order of their ids, and for each the means over its responses of the score's two parts."""

    ids: np.ndarray
    over: np.ndarray
    under: np.ndarray | None
    responses: int

    def of(self, ids: np.ndarray) -> "_Prompts":
        at = np.searchsorted(self.ids, ids)
        return _Prompts(ids, self.over[at], None if self.under is None else self.under[at], 0)

    @property
    def mean(self) -> float | None:
        return _value(math.fsum(self.over), float(len(self.over)) if self.under is None else math.fsum(self.under))

    def redrawn(self, table: np.ndarray) -> np.ndarray:
        under = table.shape[1] if self.under is None else np.take(self.under, table).sum(axis=1)
        return np.take(self.over, table).sum(axis=1) / under


def valued(rows: pl.DataFrame, score: str) -> pl.DataFrame:
    """The rows that have a value of the score, as `rank` and `means` take them: `teacher`, `prompt_id`, `over`, and `under` where the score is a ratio of sums."""
    value = f"score:{score}"
    if value not in rows.columns:
        return pl.DataFrame(schema={"teacher": pl.String, "prompt_id": pl.String, "over": pl.Float64})
    known = rows.filter(pl.col(value).is_not_null()).sort("row_id")
    if f"{value}:over" in rows.columns:
        return known.select("teacher", "prompt_id", over=f"{value}:over", under=f"{value}:under").drop_nulls()
    return known.select("teacher", "prompt_id", over=pl.col(value).cast(pl.Float64))


def correct(rows: pl.DataFrame, judge: str | None) -> dict[str, tuple[int, int]]:
    """By teacher, the responses that the judge calls true, and those that it calls true or false; those without a verdict count in neither."""
    if judge is None or f"score:{judge}" not in rows.columns:
        return {}
    verdict = pl.col(f"score:{judge}").drop_nulls()
    counted = rows.group_by("teacher").agg(verdict.sum().alias("right"), verdict.len().alias("judged"))
    return {teacher: (int(right), int(judged)) for teacher, right, judged in counted.sort("teacher").iter_rows() if judged}


def means(found: Iterable[pl.DataFrame], score: str, seed: int) -> dict[str, Mean]:
    """Each teacher's mean over its prompts of the mean over its responses to that prompt: every prompt weighs the same.

    Of a ratio of sums both parts are averaged so and then divided. The interval is the percentile bootstrap over the teacher's prompts, drawn by
    the seed, the score's and the teacher's name; see `statistics.draws`. Each of `found` is what `valued` gives, its rows in the order of their ids;
    a prompt is in one of them.
    """
    parts: dict[str, list[_Prompts]] = {}
    first = 0
    for frame in found:
        for name, prompts in _by_teacher(frame).items():
            parts.setdefault(name, []).append(replace(prompts, ids=prompts.ids + first))
        first += frame["prompt_id"].n_unique()
    return {name: _mean(_whole(parts[name]), f"{score}:{name}", seed) for name in sorted(parts)}


def _whole(parts: list[_Prompts]) -> _Prompts:
    if len(parts) == 1:
        return parts[0]
    under = [p.under for p in parts if p.under is not None]
    ids, over = (np.concatenate([getattr(p, name) for p in parts]) for name in ("ids", "over"))
    return _Prompts(ids, over, np.concatenate(under) if under else None, sum(p.responses for p in parts))


def rank(found: pl.DataFrame, score: str, seed: int, teachers: Iterable[str], better: str = "high") -> Ranking:
    """The `teachers` in their order by `means`, each beside the best one by the paired bootstrap over the prompts that both have.

    `better` is `high` or `low`: which end is the best.
    """
    sign = 1.0 if better == "high" else -1.0
    by = _by_teacher(found)
    scored = {name: _mean(prompts, f"{score}:{name}", seed) for name, prompts in by.items()}
    none = Mean(None, None, None, 0, 0)
    order = sorted(teachers, key=lambda name: (-sign * value if (value := scored.get(name, none).mean) is not None else math.inf, name))
    common = _common([by[name].ids for name in order if name in by]) if all(name in by for name in order) else np.zeros(0, np.int64)
    best = order[0] if order and order[0] in by else None
    places = [
        Place(
            name,
            scored.get(name, none),
            _short(by[name].of(common).mean) if len(common) else None,
            None if best is None or name == best else _gap(by[best], by.get(name), f"{score}:{best}:{name}", seed, sign),
        )
        for name in order
    ]
    return Ranking(tuple(places), len(common))


def _by_teacher(found: pl.DataFrame) -> dict[str, _Prompts]:
    """In the order of names; sums in the order of rows, so that they are the same on every machine. A prompt's id is its place among all of them."""
    names = found["teacher"].unique().sort()
    place = names.to_frame().with_row_index("place")
    of = found.select("teacher").join(place, on="teacher", how="left", nulls_equal=True, maintain_order="left")["place"].to_numpy().astype(np.int64)
    prompt = found["prompt_id"].rank("dense").to_numpy().astype(np.int64)
    key = of * (int(prompt.max(initial=0)) + 1) + prompt
    order = np.argsort(key, kind="stable")
    ends = np.searchsorted(of[order], np.arange(len(names) + 1))
    parts: dict[str, _Prompts] = {}
    for name, first, last in zip(names, ends[:-1], ends[1:], strict=True):
        mine = order[first:last]
        ids, starts, counts = np.unique(prompt[mine], return_index=True, return_counts=True)
        over, under = (np.add.reduceat(found[c].to_numpy()[mine], starts) / counts if c in found.columns else None for c in ("over", "under"))
        assert over is not None
        parts[str(name)] = _Prompts(ids, over, under, len(mine))
    return parts


def _mean(prompts: _Prompts, label: str, seed: int) -> Mean:
    count, mean = len(prompts.ids), prompts.mean
    low = high = None
    if mean is not None and count > 1:
        if count > MANY:
            low, high = _about(mean, prompts)
        else:
            low, high = interval(np.concatenate([prompts.redrawn(table) for table in draws(seed, label, count)]))
    return Mean(_short(mean), _short(low), _short(high), count, prompts.responses)


def _about(mean: float, prompts: _Prompts) -> tuple[float, float]:
    """The 95 % interval by the normal approximation, which the bootstrap comes to where prompts are so many; of a ratio by its linear part."""
    under = np.ones(1) if prompts.under is None else prompts.under
    residual = prompts.over - mean * under
    count = len(prompts.over)
    half = 1.959964 * math.sqrt(float(np.square(residual).sum()) / (count - 1)) / (float(under.mean()) * math.sqrt(count))
    return mean - half, mean + half


def _gap(best: _Prompts, other: _Prompts | None, label: str, seed: int, sign: float) -> Gap:
    ids = _common([best.ids, other.ids]) if other is not None else np.zeros(0, np.int64)
    if other is None or not len(ids):
        return Gap(0, None, None, None, None)
    here, there = other.of(ids), best.of(ids)
    one, two = here.mean, there.mean
    if one is None or two is None:
        return Gap(len(ids), None, None, None, None)
    if len(ids) == 1:
        return Gap(1, _short(one - two), None, None, None)
    away = np.concatenate([here.redrawn(table) - there.redrawn(table) for table in draws(seed, label, len(ids))])
    low, high = interval(away)
    wins = (np.count_nonzero(sign * away > 0) + np.count_nonzero(away == 0) / 2) / len(away)
    return Gap(len(ids), _short(one - two), _short(low), _short(high), round(float(wins), 4))


def _common(ids: Sequence[np.ndarray]) -> np.ndarray:
    shared = ids[0] if ids else np.zeros(0, np.int64)
    for other in ids[1:]:
        shared = np.intersect1d(shared, other, assume_unique=True)
    return shared


def _value(over: float, under: float) -> float | None:
    value = over / under if under else math.nan
    return value if math.isfinite(value) else None


def _short(value: float | None) -> float | None:
    """Nine digits that count: what a machine's own rounding can reach is cut off."""
    return None if value is None else float(f"{value:.{SIGNIFICANT}g}")
