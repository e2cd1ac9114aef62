"""Clauses with their names resolved and units settled, shared by the typed IR and the plan. Data only."""

from dataclasses import dataclass

from .expressions import Expression
from .source import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A student: `model` is a hub id, a folder or a `.gguf` file; a path is relative to `folder` (that of the spec)."""

    student: str
    model: str
    folder: str = ""
    revision: str | None = None
    dtype: str = "bf16"
    template: str | None = None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Which column of the corpus plays which role."""

    prompt: str
    response: str
    reference: str | None = None
    teacher: str | None = None
    id: str | None = None
    license: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Keep the rows where `condition` is true. `text` is the clause in canonical form, as reasons quote it."""

    text: str
    condition: Expression
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """Keep the `count` rows of each prompt with the highest `by`, ties by the seeded hash."""

    text: str
    count: int
    by: Expression
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class AtMost:
    """`keep at most k per prompt`: a constraint of the selection, not a filter."""

    text: str
    count: int
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rows that a quota counts. kind `skill`: any element of any chain; `teacher`: the declared name; `teacher_value`: the column's value; `column`: a corpus column's value."""

    kind: str
    value: str
    column: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """`low <= amount of the group <= high` in `unit`: `examples`, `tokens`, `%` (of the selected examples) or `% of tokens`. `equal`: written with `=`."""

    text: str
    group: Group
    low: float | None = None
    high: float | None = None
    unit: str
    equal: bool = False
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """`amount` in `unit` (`examples` or `tokens`); `up_to`: as many as the other clauses allow."""

    text: str
    amount: int
    unit: str
    up_to: bool = False
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedTeacher:
    name: str
    corpus: str
    condition: Expression | None = None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    name: str
    path: str
    samples: int = 1
    limit: int | None = None
    span: Span
