"""What a scorer is. A scorer turns rows into stored values, and stored values into a score; it knows nothing of the store or the plan's other stages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import polars as pl

from ...compiler.plan.stages import Score
from ..context import Context


@dataclass(frozen=True, slots=True)
class Aside:
    """Rows for the shelf of another identity, which a pass told by the way: kept once the scorer's own frames before it are. `prefer`: see `Shelf.append`."""

    identity: Mapping[str, object]
    frame: pl.DataFrame
    prefer: str | None = None


@dataclass(frozen=True, slots=True)
class Reads:
    """What a model has to read: `windows` different ones, `whole` of them responses in full context, `tokens` tokens in packed rows."""

    whole: int
    windows: int
    tokens: int


@dataclass(slots=True)
class Expected:
    """What scorings that come first will have put into the store, by model and row id.

    `heads`: how many tokens from the start of a response are read; `told`: what a pass over the whole of it has told. `cut`: where only prompts with a seeded hash up to it are counted, so that all scorings count the same.
    """

    heads: dict[object, dict[str, int]] = field(default_factory=dict)
    told: dict[object, dict[str, frozenset[str]]] = field(default_factory=dict)
    cut: int | None = None


class Scorer(Protocol):
    """One entry of the registry. What `compute` yields is stored for ever under `identity`; `value` is cheap and never stored.

    Rows come as a frame with `key` (unique), `row_id`, `prompt`, `response`, one column for each of `stage.reads`, and the
    number of their `chunk`, by which they are sorted: responses of one prompt stand together.
    """

    name: str
    reports: bool
    """Whether `compute` tells its own progress (in tokens); if not, rows are counted as they come."""

    def identity(self, stage: Score, context: Context) -> dict[str, object]:
        """All that the stored values depend on besides the row (name, version, arguments that matter, digests): hashed into the fingerprint."""
        ...

    def schema(self, stage: Score) -> dict[str, pl.DataType]:
        """The columns that `compute` yields besides `key`; one of them is `why` (String: null, or why there is no value)."""
        ...

    def compute(self, stage: Score, rows: pl.DataFrame, context: Context) -> Iterator[pl.DataFrame | Aside]:
        """Frames of `key` and `schema` columns, each row of `rows` exactly once in all, in any order; small frames, as soon as they are known."""
        ...

    def value(self, stage: Score, stored: pl.DataFrame) -> pl.DataFrame:
        """`key`, `value` (Boolean, Int64 or Float64 as `stage.type` and unit say) and `why` from the stored columns."""
        ...


@runtime_checkable
class Reader(Protocol):
    """A scorer that has a model read the rows."""

    def reads(self, stage: Score, rows: pl.DataFrame, context: Context, expected: Expected, *, rough: bool = False) -> dict[int, Reads]:
        """By chunk, what `compute` would have the model read for these rows once what is `expected` is there, which then holds what `compute` adds.

        Loads the tokenizer, no weights; where it need only be `rough` not even that, and the store is not asked. Faults MIX0506, MIX0507, MIX0509.
        """
        ...


@runtime_checkable
class Partial(Protocol):
    """A scorer whose stored rows may lack what it needs, because another score had them read. Of two rows of a key the one with more in `prefer` counts."""

    prefer: str

    def holds(self, stage: Score) -> pl.Expr:
        """Whether a stored row has what the stage needs."""
        ...


@runtime_checkable
class Pooled(Protocol):
    """A scorer whose value of one row depends on the others: known only when all stored rows are."""

    def pooled(self, stage: Score) -> bool:
        """Whether that is so with the arguments of this stage."""
        ...


@runtime_checkable
class Maker(Protocol):
    """A scorer that tells what makes its values: written beside them, and no part of their identity."""

    def made_by(self, stage: Score, context: Context) -> dict[str, str]:
        """Such as `engine` and `device`, for the frames that `compute` has yielded since it was last asked. Loads nothing."""
        ...


@runtime_checkable
class Stepped(Protocol):
    """A scorer that cuts responses into steps of tokens, so that its scores can be held against their lengths."""

    def extents(self, stage: Score, stored: pl.DataFrame) -> pl.DataFrame:
        """`key`, `tokens` and `steps` (UInt32) of each response from the stored columns; both null where it was not cut. A scorer without steps has one."""
        ...


@runtime_checkable
class Stepwise(Protocol):
    """A scorer that keeps what it read of each step, so that a report can show it."""

    def step_values(self, stage: Score, stored: pl.DataFrame) -> pl.DataFrame:
        """`key`, `step_tokens` (list of Int32) and `step_logprob` (list of Float64: the sum over the step's tokens, nats), an element a step, of each
        response that has steps."""
        ...


@runtime_checkable
class Directed(Protocol):
    """A scorer of which the lower value may be the better one."""

    better: str
    """`high` or `low`; that of a scorer that does not say is `high`."""


@runtime_checkable
class Ratio(Protocol):
    """A scorer whose score of many responses is one sum over another, and not the mean of their scores (rank_surprisal: 2601.14249, eq. 9)."""

    def ratio(self, stage: Score, stored: pl.DataFrame) -> pl.DataFrame:
        """`key`, `over` and `under` (Float64, `under` above 0) of each response from the stored columns; both null where it has no score."""
        ...
