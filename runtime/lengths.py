"""How many tokens the responses of a plan have, before and after each stage: by the student's tokenizer, by a column, or by characters."""

from dataclasses import dataclass, field

import polars as pl

from ..compiler.diagnostics import Fault
from ..compiler.plan.stages import Evaluate, Model, Plan, Score, Select, Train
from .context import Context
from .engines.characters import CHARACTERS
from .figure import Figure
from .rows import Rows
from .sampling import EXACT_ROWS, sample_of
from .score import score
from .texts import CHARACTERS as COUNTED
from .texts import characters

RESPONSE = COUNTED["response"]
BY_TOKENIZER, BY_CHARACTERS = "tokenizer", "characters"
NOT_AT_HAND = ("MIX0506", "MIX0509")


@dataclass(slots=True)
class Lengths:
    """Tokens by row id as far as they are counted. `ratio` is tokens a character for the others, `error` its relative standard error.

    `column` is the score that counts tokens; `source` the corpus's own column that it is read from, if it is.
    """

    column: str | None = None
    source: str | None = None
    ratio: float = 1 / CHARACTERS
    error: float | None = None
    known: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"row_id": pl.String, "length": pl.Int64}))

    @property
    def reads(self) -> list[str]:
        """The columns of rows that `of` looks at, as far as they are there."""
        open_ = f"open:{str(self.column).removeprefix('score:')}"
        return ["row_id", "response", RESPONSE, open_, *(name for name in (self.column, self.source) if name)]

    def of(self, rows: Rows, most: bool = False) -> Figure:
        """The tokens of the candidates among `rows`: exact where each of them is counted."""
        parts = [self.each(live).sum().row(0) for live in rows.live(self.reads)]
        return self.figure(sum(counted for counted, _ in parts), sum(unknown for _, unknown in parts), most)

    def figure(self, counted: int, unknown: int, most: bool = False) -> Figure:
        """So many tokens that are counted, and those of responses of so many characters whose are not."""
        if not unknown:
            return Figure(value=counted, most=most)
        guessed = unknown * self.ratio
        error = None if self.error is None else self.error * guessed
        return Figure(value=round(counted + guessed), exact=False, most=most, error=error)

    def each(self, live: pl.DataFrame) -> pl.DataFrame:
        """Of each row, which has `reads`: `counted`, its tokens, or else `unknown`, the characters of its response; 0 in the other."""
        counts = None
        if self.column not in live.columns and self.source in live.columns and live[str(self.source)].dtype.is_numeric():
            counts = pl.col(str(self.source)).cast(pl.Float64).fill_nan(None)
        elif self.column in live.columns and f"open:{str(self.column).removeprefix('score:')}" not in live.columns:
            counts = pl.col(str(self.column))
        if counts is not None:
            return live.select(counted=counts.fill_null(0).cast(pl.Int64), unknown=pl.lit(0))
        lengths = live.select("row_id", characters("response", live).alias("characters")).join(self.known, on="row_id", how="left", maintain_order="left")
        unknown = pl.when(pl.col("length").is_null()).then("characters").fill_null(0).cast(pl.Int64)
        return lengths.select(counted=pl.col("length").fill_null(0).cast(pl.Int64), unknown=unknown)


def lengths(plan: Plan) -> Lengths:
    """Nothing counted yet."""
    select = next((s for s in plan.stages if isinstance(s, Select)), None)
    if select is None or not select.tokens:
        return Lengths()
    counting = next((s for s in plan.stages if isinstance(s, Score) and s.name == select.tokens), None)
    return Lengths(f"score:{select.tokens}", counting.reads[0] if counting is not None and counting.scorer == "column" else None)


def count(found: Lengths, plan: Plan, rows: Rows, context: Context) -> None:
    """Count the responses of `rows`, a sample of them where they are many; without a tokenizer nothing is counted.

    The counts are those of the scorer `tokens`, and kept in the store as such.
    """
    model = student(plan)
    if model is None or not context.students.is_here(model):
        return
    few = rows if rows.height <= EXACT_ROWS else Rows.of(sample_of(rows, "row_id").sort("row_id"))
    counting = Score(
        id="tokens", inputs=(), name="mixc:length", scorer="tokens", version=1, model=model, type="number", unit="tokens", span=model.span
    )
    try:
        live = score(counting, few, context).rows.candidates()
    except Fault as fault:
        if {d.code for d in fault.diagnostics} <= set(NOT_AT_HAND):
            return
        raise
    fresh = live.select("row_id", characters("response", live).alias("characters"), pl.col("score:mixc:length").alias("length"))
    found.known = pl.concat([found.known, fresh.select("row_id", "length")]).unique("row_id", keep="first", maintain_order=True)
    if few is not rows:
        chars = fresh["characters"].fill_null(0).cast(pl.Int64)
        found.ratio = int(fresh["length"].sum()) / max(1, int(chars.sum()))
        spread = float((fresh["length"] - found.ratio * chars).std() or 0.0)  # type: ignore[arg-type]
        found.error = spread / max(1.0, float(fresh["length"].mean() or 1.0)) / len(fresh) ** 0.5  # type: ignore[arg-type]


def student(plan: Plan) -> Model | None:
    """Whose tokens count: the trained student, else the first that is asked for anything."""
    stages = sorted(plan.stages, key=lambda s: not isinstance(s, Train))
    return next((s.model for s in stages if isinstance(s, Train | Score | Evaluate) and s.model is not None), None)
