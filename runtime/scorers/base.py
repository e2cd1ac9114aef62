"""What a scorer is. A scorer turns rows into stored values, and stored values into a score; it knows nothing of the store or the plan's other stages."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import polars as pl

from ...compiler.plan.stages import Score
from ..context import Context


class Scorer(Protocol):
    """One entry of the registry. What `compute` yields is stored for ever under `identity`; `value` is cheap and never stored.

    Rows come as a frame with `key` (unique), `row_id`, `prompt`, `response`, and one column for each of `stage.reads`.
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

    def compute(self, stage: Score, rows: pl.DataFrame, context: Context) -> Iterator[pl.DataFrame]:
        """Frames of `key` and `schema` columns, each row of `rows` exactly once in all, in any order; small frames, as soon as they are known."""
        ...

    def value(self, stage: Score, stored: pl.DataFrame) -> pl.DataFrame:
        """`key`, `value` (Boolean, Int64 or Float64 as `stage.type` and unit say) and `why` from the stored columns."""
        ...


@runtime_checkable
class Reader(Protocol):
    """A scorer that has a model read the rows."""

    def reads(self, stage: Score, rows: pl.DataFrame, context: Context, *, rough: bool = False) -> dict[str, int]:
        """By key, the tokens of the passes that `compute` would have the model read for the row, 0 where it would not.

        Loads the tokenizer, no weights; where it need only be `rough` not even that. What stands in two rows alike is counted for each. Faults MIX0506, MIX0507, MIX0509.
        """
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
