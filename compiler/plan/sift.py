"""Which filters of `select` run before which scores: what is cheap, and drops rows, before what is dear.

A filter may move only where no quantile, rank or `keep best` stands before it, and is none itself. One that joins a cheap
condition with a dear one by `and` is divided where that spares the dear score rows.
"""

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace

from ..clauses import Keep, Where
from ..expressions import Expression, Operation, columns, conjuncts, is_barrier
from ..semantics import ir
from ..semantics.catalogue import DEAR


@dataclass(frozen=True, slots=True)
class Round:
    """Scores that are computed, then filters that read no others."""

    scores: tuple[str, ...]
    wheres: tuple[Where, ...]


@dataclass(frozen=True, slots=True)
class Sifted:
    """`rounds` in their order, then the scores of `last`; `steps` are left for `select`."""

    rounds: tuple[Round, ...]
    last: tuple[str, ...]
    steps: tuple[Where | Keep, ...]


def sift(steps: Sequence[Where | Keep], scores: Sequence[ir.Score], needed: Iterable[str], held: Set[str] = frozenset()) -> Sifted:
    """Rounds by rising cost. A filter on a dear score goes before scores that are dearer still, and only before such.

    A filter that reads one of the scores `held` stays in `select`: others choose among the rows that it drops.
    """
    costs = {score.name: score.cost for score in scores}
    order = {name: (cost, at) for at, (name, cost) in enumerate(costs.items())}
    needed = set(needed)
    free = next((i for i, step in enumerate(steps) if isinstance(step, Keep) or is_barrier(step.condition)), len(steps))
    parts = [part for step in steps[:free] if isinstance(step, Where) for part in _parts(step, costs)]
    dearest = max((costs[name] for name in needed), default=0)
    rounds: list[Round] = []
    done: set[str] = set()
    free_parts = [part for part in parts if not _scores(part.condition) & held]
    for cost in sorted({_cost(part.condition, costs) for part in free_parts}):
        group = [part for part in free_parts if _cost(part.condition, costs) == cost]
        if cost >= DEAR and cost >= dearest:
            break
        read = {name for part in group for name in _scores(part.condition)} - done
        done |= read
        rounds.append(Round(tuple(sorted(read, key=order.__getitem__)), tuple(group)))
    moved = {id(part) for each in rounds for part in each.wheres}
    left = tuple(part for part in parts if id(part) not in moved)
    return Sifted(tuple(rounds), tuple(sorted(needed - done, key=order.__getitem__)), (*left, *steps[free:]))


def _parts(where: Where, costs: dict[str, int]) -> Iterator[Where]:
    """The filter, or where a part of it is dear one filter for each cost, all in its words."""
    parts = conjuncts(where.condition)
    levels = sorted({_cost(part, costs) for part in parts})
    if len(levels) < 2 or levels[-1] < DEAR:
        yield where
        return
    for level in levels:
        same = tuple(part for part in parts if _cost(part, costs) == level)
        yield replace(where, condition=same[0] if len(same) == 1 else Operation("and", same))


def _scores(expression: Expression) -> set[str]:
    return {c.name for c in columns(expression) if c.source == "score"}


def _cost(expression: Expression, costs: dict[str, int]) -> int:
    return max((costs[name] for name in _scores(expression)), default=0)
