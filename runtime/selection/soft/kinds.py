"""Candidates that every clause and every leaf counts alike are one kind; prompts with as many rows of each kind are one type. It knows no
objective and no bounds.
"""

from dataclasses import dataclass
from itertools import count

import numpy as np

from ..problem import Problem
from ..shortfall import FEW


@dataclass(frozen=True, slots=True, eq=False)
class Kinds:
    """`of`: the kind of each row. `rows` (int64): how many there are of each. `quotas`, `leaves`: bool[quotas or leaves, kinds], what counts them."""

    of: np.ndarray
    rows: np.ndarray
    quotas: np.ndarray
    leaves: np.ndarray

    @property
    def total(self) -> int:
        """How many kinds there are."""
        return len(self.rows)


@dataclass(frozen=True, slots=True, eq=False)
class Types:
    """`prompts` (int64): how many there are of each type. One entry of `type`, `kind` and `number` for each kind of a type: how many rows of it such a
    prompt has, at most as many as may be taken.
    """

    prompts: np.ndarray
    type: np.ndarray
    kind: np.ndarray
    number: np.ndarray


def kinds(problem: Problem) -> Kinds:
    """The kinds of the candidates."""
    if problem.size <= FEW:  # each is a kind of its own: the program then knows their tokens, and is exact
        each = np.arange(problem.size)
        inside = [np.array([np.isin(each, m) for m in held], bool).reshape(len(held), problem.size) for held in (problem.members, problem.soft.members if problem.soft else ())]
        return Kinds(each, np.ones(problem.size, np.int64), *inside)
    groups = [*problem.members, *(problem.soft.members if problem.soft else ())]
    for seed in count():
        marks = np.random.Generator(np.random.PCG64(seed)).integers(0, 2**63, len(groups), dtype=np.uint64)
        mark = np.zeros(problem.size, np.uint64)
        for each, members in zip(marks, groups, strict=True):
            mark[members] += each
        _, of, rows = np.unique(mark, return_inverse=True, return_counts=True)
        inside = np.array([np.bincount(of[members], minlength=len(rows)) for members in groups], np.int64).reshape(len(groups), -1)
        if np.all((inside == 0) | (inside == rows)):  # else two kinds have one mark
            held = inside > 0
            return Kinds(of, rows, held[: len(problem.members)], held[len(problem.members) :])
    raise AssertionError


def types(problem: Problem, known: Kinds, most: int) -> Types:
    """The types of the prompts, where at most `most` rows of one may be taken."""
    pair, number = np.unique(problem.prompt.astype(np.int64) * max(known.total, 1) + known.of, return_counts=True)
    prompt, kind, number = pair // max(known.total, 1), pair % max(known.total, 1), np.minimum(number, most)
    start = np.flatnonzero(np.r_[True, prompt[1:] != prompt[:-1]])[: len(prompt)]
    size = np.diff(np.r_[start, len(prompt)])
    for seed in count():
        marks = np.random.Generator(np.random.PCG64(seed)).integers(0, 2**63, known.total, dtype=np.uint64)
        mark = marks[kind] * number.astype(np.uint64)
        _, first, of, prompts = np.unique(np.add.reduceat(mark, start) if len(start) else mark, return_index=True, return_inverse=True, return_counts=True)
        like = np.repeat(start[first[of]] - start, size) + np.arange(len(prompt))
        if np.array_equal(size, size[first[of]]) and np.array_equal(kind, kind[like]) and np.array_equal(number, number[like]):
            sizes = size[first]
            entries = np.repeat(start[first] - np.r_[0, np.cumsum(sizes)[:-1]], sizes) + np.arange(int(sizes.sum()))
            return Types(prompts, np.repeat(np.arange(len(first)), sizes), kind[entries], number[entries])
    raise AssertionError
