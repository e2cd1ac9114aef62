"""Which texts the stages of a plan read as columns of the frame, so that no other is carried along. Knows the plan, not the rows."""

from collections.abc import Iterable, Iterator

from ..compiler.backends.polars import column_name
from ..compiler.expressions import Column, Expression, Operation, Quantile, Rank
from ..compiler.plan.stages import Evaluate, Filter, Heldout, Profile, Scan, Score, Select, Stage, Tag, Teachers, Train, Where
from .texts import PROMPT, TEXTS

ALL = frozenset({*TEXTS, PROMPT})


def needs(stages: Iterable[Stage]) -> frozenset[str]:
    """The texts (prompt, response, reference, license) and `mixc:prompt`, as far as some stage after the scan reads them in the frame."""
    stages = tuple(stages)
    found = {name for stage in stages for name in _of(stage) if name in ALL}
    if sum(isinstance(stage, Scan) for stage in stages) > 1:
        found.add(PROMPT)
    return frozenset(found)


def read(e: Expression) -> frozenset[str]:
    """The columns of the frame that an expression reads; of a group of prompts, their ids and not their texts."""
    match e:
        case Column():
            return frozenset((column_name(e),))
        case Operation(_, arguments):
            return frozenset().union(*(read(a) for a in arguments))
        case Quantile(of=of, group=group) | Rank(of=of, group=group):
            return read(of) | (read(group) if group and group != Column("role", "prompt") else frozenset())
        case _:
            return frozenset()


def _of(stage: Stage) -> Iterator[str]:
    match stage:
        case Teachers():
            yield from (name for t in stage.teachers if t.condition for name in read(t.condition))
            yield from (name for g in stage.generated if g.where for name in read(g.where.condition))
            yield from (PROMPT,) if stage.generated else ()
        case Filter():
            yield from (name for where in stage.wheres for name in read(where.condition))
        case Score():
            yield from stage.reads
            yield from () if stage.scorer == "column" else (PROMPT,)
        case Tag():
            yield from {"column": (), "llm": (PROMPT,)}.get(stage.method, ("prompt",))
        case Profile(grade=grade):
            yield from grade.reads if grade else ()
        case Select():
            for step in stage.steps:
                yield from read(step.condition if isinstance(step, Where) else step.by)
            yield from read(stage.objective) if stage.objective else ()
        case Heldout() | Train() | Evaluate():  # a plan counts the tokens of their student
            yield PROMPT
