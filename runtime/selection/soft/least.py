"""The least shortfall of soft targets: a program over kinds of rows and types of prompts, which is as small for millions of candidates as for
thousands. It knows no objective but the shortfall, and what a coarse one would rather be short of.
"""

from dataclasses import dataclass, replace
from math import floor

import numpy as np

from ..highs import Refusal, run
from ..integer import bound, maximise
from ..matrix import NONE, Matrix, stacked
from ..problem import Problem, Soft
from ..rows import Row
from .kinds import Kinds, Types, types
from .lines import Line

ENTRIES = 50_000
"""Kinds of all types of prompts up to which the program knows how prompts are made up; beyond, only how many rows of a leaf they let in."""
BINS = 8_000
"""Into about how many parts the kinds are cut where tokens or values matter."""
DEAR = 4
"""How many times the greatest value of a row it costs to miss one of a target, where that is to be missed as little as can be."""


@dataclass(frozen=True, slots=True, eq=False)
class Least:
    """No selection lacks less than `proven` in all. `lacking`: what each leaf then lacks, in whole numbers that sum to `proven`; some selection lacks
    just that, unless tokens count. `wish`: the same by what would cost little. `supply`: the most that can be taken of each leaf.
    """

    proven: int
    lacking: np.ndarray
    wish: np.ndarray
    supply: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class _Bins:
    """Parts of the kinds, by rising tokens or values: `kind` and `rows` of each, the `low`est, `high`est and `sum` of tokens, the mean `value`."""

    kind: np.ndarray
    rows: np.ndarray
    low: np.ndarray
    high: np.ndarray
    sum: np.ndarray
    value: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class _Program:
    """Rows of a linear program over columns of at most `upper` each; the last `leaves` are what each leaf lacks, those from `counts` on the bins."""

    rows: list[Row]
    upper: np.ndarray
    counts: int
    leaves: int

    @property
    def matrix(self) -> Matrix:
        return replace(stacked(self.rows, len(self.upper)), upper=self.upper)

    @property
    def lacking(self) -> np.ndarray:
        """The columns of the leaves."""
        return np.arange(len(self.upper) - self.leaves, len(self.upper))

    def lean(self) -> np.ndarray:
        """Minus one for all that is lacking."""
        return np.r_[np.zeros(len(self.upper) - self.leaves, np.int64), np.full(self.leaves, -1)]


def least(problem: Problem, soft: Soft[np.ndarray], known: Kinds, made: list[Line], value: np.ndarray) -> Least | None:
    """The least sum of the shortfalls, and leaves to lack it by: of all that are as good those that cost little of `value`, what each row adds
    to the objective. None where nothing satisfies the hard clauses.
    """
    held = types(problem, known, problem.at_most.count) if problem.at_most else None
    alike = _kinds_as_bins(problem, known)
    counted = bool((alike.high > alike.low).any()) and (soft.unit == "tokens" or any(line.tokens.any() for line in made))
    bins = _bins(problem, known, problem.tokens.astype(float), None) if counted else alike
    program = _program(problem, soft, known, made, held, bins, ranged=counted)
    if not counted and (held is None or len(held.kind) <= ENTRIES):
        best = maximise(program.matrix, program.lean())
        if best is None:
            return None
        proven, lacking = -best.value, best.chosen[program.lacking]
    else:
        relaxed = run(program.matrix, program.lean(), integral=False)
        if isinstance(relaxed, Refusal):
            return None
        proven = max(0, -floor(bound(program.matrix, program.lean(), relaxed.price)[2]))
        lacking = rounded(relaxed.x[program.lacking], proven)
    wish = _wish(problem, soft, known, made, held, value) if proven else None
    return Least(proven, lacking, lacking if wish is None else rounded(wish, proven), _supply(problem, soft, known, held))


def _wish(problem: Problem, soft: Soft[np.ndarray], known: Kinds, made: list[Line], held: Types | None, value: np.ndarray) -> np.ndarray | None:
    """What each leaf would lack if the rows of a kind were of a few values each, taken in parts; None where such rows satisfy nothing."""
    counted = any(line.tokens.any() for line in made)
    bins = _bins(problem, known, problem.tokens.astype(float) if counted else None, value)
    program = _program(problem, soft, known, made, held, bins, ranged=False)
    power = 2.0**30 / max(float(np.abs(value).max(initial=0.0)), 2.0**-500)
    worth = np.r_[np.zeros(len(program.upper) - program.leaves, np.int64), np.full(program.leaves, -DEAR * 2**30)]
    worth[program.counts : program.counts + len(bins.rows)] = np.rint(bins.value * power)
    found = run(program.matrix, worth, integral=False)
    return None if isinstance(found, Refusal) else found.x[program.lacking]


def _program(problem: Problem, soft: Soft[np.ndarray], known: Kinds, made: list[Line], held: Types | None, bins: _Bins, *, ranged: bool) -> _Program:
    """`ranged`: the tokens of a bin's rows are a column, between those of its shortest and of its longest rows; else each has the mean."""
    fine = held is not None and len(held.kind) <= ENTRIES
    entries, parts, leaves = len(held.kind) if held is not None and fine else 0, len(bins.rows), len(soft.leaves)
    counts, room = entries, entries + parts
    lacking = room + (parts if ranged else 0)
    found: list[Row] = []
    upper = [np.zeros(0, np.int64)]
    if held is not None and fine:
        found, most = _of_types(held, known, bins, counts, problem.at_most.count if problem.at_most else 0)
        upper.append(most)
    upper.append(bins.rows)
    base = bins.low if ranged else np.rint(bins.sum / bins.rows).astype(np.int64)
    if ranged:
        spread, over = bins.high - bins.low, bins.sum - bins.low * bins.rows
        upper.append(over)
        for b in range(parts):
            found.append(Row(np.array([room + b, counts + b]), np.array([1, -spread[b]]), int(over[b] - spread[b] * bins.rows[b]), 0))

    def row(ones: np.ndarray, tokens: np.ndarray, low: int | None, high: int | None, more: int | None = None) -> Row:
        each = ones[bins.kind] + tokens[bins.kind] * base
        at = np.flatnonzero(each)
        index, number = counts + at, each[at]
        if ranged:
            varied = np.flatnonzero(tokens[bins.kind])
            index, number = np.r_[index, room + varied], np.r_[number, tokens[bins.kind][varied]]
        return Row(index, number, low, high) if more is None else Row(np.r_[index, more], np.r_[number, 1], low, high)

    found += [row(line.ones, line.tokens, _none(line.low), _none(line.high)) for line in made]
    nothing = np.zeros(known.total, np.int64)
    inside = known.leaves.astype(np.int64)
    if held is not None and not fine:
        found += [row(each, nothing, None, int(most)) for each, most in _lets_in(held, known, problem.at_most.count if problem.at_most else 0)]
    for i, target in enumerate(soft.targets):
        found.append(row(*((nothing, inside[i]) if soft.unit == "tokens" else (inside[i], nothing)), target, None, lacking + i))
    return _Program(found, np.concatenate([*upper, np.array(soft.targets, np.int64)]), counts, leaves)


def _none(bound: int) -> int | None:
    return None if abs(bound) == NONE else bound


def _of_types(held: Types, known: Kinds, bins: _Bins, counts: int, most: int) -> tuple[list[Row], np.ndarray]:
    """A column for each kind of a type: how many of its rows are taken; at most `most` for each prompt, and the bins have no more of a kind."""
    found, start = [], np.searchsorted(held.type, np.arange(len(held.prompts) + 1))
    total = np.bincount(held.type, held.number, len(held.prompts))
    for t in np.flatnonzero(total > most):
        at = np.arange(start[t], start[t + 1])
        found.append(Row(at, np.ones(len(at), np.int64), None, int(most * held.prompts[t])))
    order, parts = np.argsort(held.kind, kind="stable"), np.argsort(bins.kind, kind="stable")
    ends, cuts = np.searchsorted(held.kind[order], np.arange(known.total + 1)), np.searchsorted(bins.kind[parts], np.arange(known.total + 1))
    for k in range(known.total):
        mine, taken = order[ends[k] : ends[k + 1]], parts[cuts[k] : cuts[k + 1]]
        found.append(Row(np.r_[mine, counts + taken], np.r_[np.full(len(mine), -1), np.ones(len(taken), np.int64)], None, 0))
    return found, held.number * held.prompts[held.type]


def _lets_in(held: Types, known: Kinds, most: int) -> list[tuple[np.ndarray, int]]:
    """Of all rows, of each leaf and of each quota's group: how many the prompts let in."""
    groups = [np.ones(known.total, bool), *known.leaves, *known.quotas]
    return [(each.astype(np.int64), _room(held, each, most)) for each in groups]


def _room(held: Types, inside: np.ndarray, most: int) -> int:
    at = inside[held.kind]
    number = np.bincount(held.type[at], held.number[at], len(held.prompts)).astype(np.int64)
    return int((np.minimum(number, most) * held.prompts).sum())


def _supply(problem: Problem, soft: Soft[np.ndarray], known: Kinds, held: Types | None) -> np.ndarray:
    """The most of each leaf that can be taken, where prompts alone limit it; in tokens, all there is."""
    if soft.unit == "tokens":
        return np.array([int(problem.tokens[m].sum()) for m in soft.members], np.int64)
    if held is None or problem.at_most is None:
        return known.leaves.astype(np.int64) @ known.rows
    return np.array([_room(held, each, problem.at_most.count) for each in known.leaves], np.int64)


def _kinds_as_bins(problem: Problem, known: Kinds) -> _Bins:
    low, high, total = np.full(known.total, NONE), np.zeros(known.total, np.int64), np.zeros(known.total, np.int64)
    for ufunc, into in ((np.minimum, low), (np.maximum, high), (np.add, total)):
        ufunc.at(into, known.of, problem.tokens)
    return _Bins(np.arange(known.total), known.rows, low, high, total, np.zeros(known.total))


def _bins(problem: Problem, known: Kinds, tokens: np.ndarray | None, value: np.ndarray | None) -> _Bins:
    """Each kind cut into parts of as many rows each, by rising tokens, value, or tokens and then value."""
    each = max(2, BINS // max(known.total, 1))
    parts = [(by, each if tokens is None or value is None else max(2, int(each**0.5))) for by in (tokens, value) if by is not None]
    part, sizes = known.of.astype(np.int64), known.rows
    for by, most in parts:
        order = np.lexsort((by, part))
        place = np.arange(problem.size) - np.repeat(np.r_[0, np.cumsum(sizes)[:-1]], sizes)
        cut = part[order] * most + place * most // np.repeat(sizes, sizes)
        _, numbers, sizes = np.unique(cut, return_inverse=True, return_counts=True)
        part = np.empty(problem.size, np.int64)
        part[order] = numbers
    order = np.argsort(part, kind="stable")
    start = np.r_[0, np.cumsum(sizes)[:-1]][: len(sizes)]
    if not problem.size:
        none = np.zeros(0, np.int64)
        return _Bins(none, none, none, none, none, np.zeros(0))
    held = problem.tokens[order]
    low, high, total = (f.reduceat(held, start) for f in (np.minimum, np.maximum, np.add))
    mean = np.zeros(len(start)) if value is None else np.add.reduceat(value[order], start) / sizes
    return _Bins(known.of[order][start], sizes, low, high, total, mean)


def rounded(parts: np.ndarray, total: int) -> np.ndarray:
    """The parts as whole numbers, by largest remainder; their sum is at most `total`."""
    whole = np.floor(parts + 1e-9).astype(np.int64)
    last = np.argsort(-(parts - whole), kind="stable")
    more = min(max(0, total - int(whole.sum())), int(np.count_nonzero(parts - whole > 1e-9)))
    whole[last[:more]] += 1
    return whole
