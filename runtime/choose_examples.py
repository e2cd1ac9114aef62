"""Which rows of a ledger a report shows: the best and the worst of the selected, those nearest to the line on either side, and some by chance.

It knows the columns of a ledger, not texts; every choice is by values and row ids, so that the same ledger gives the same rows.
"""

import hashlib

import polars as pl

from ..compiler.clauses import Keep
from ..compiler.plan.stages import Plan, Select
from .ledger import TRACED
from .path import path

KINDS = ("best", "worst", "borderline", "random")
EACH = 3
SIDES = 2
"""So many borderline rows are shown of those that are in, and of those that are out."""
CHOSEN = {"kind": pl.String(), "row_id": pl.String(), "nearness": pl.Float64(), "by": pl.String()}


def choose_examples(plan: Plan, ledger: pl.LazyFrame) -> pl.DataFrame:
    """`kind`, `row_id`, and of a borderline row how far it is from the line (`nearness`) and what draws it (`by`); in the order in which they are shown.

    Best and worst are by what is maximised; none where that is random or nothing. Borderline rows are by their `advantage` (the objective less the
    prices of the clauses that count them), and where every candidate was selected by the margin in the last `keep best` that dropped rows.
    """
    columns = ledger.collect_schema().names()
    ledger = ledger.select("row_id", "status", *_numbers(plan, columns))
    found = [*_ends(plan, ledger), *_borderline(plan, ledger), _random(plan, ledger)]
    return pl.concat([pl.DataFrame(schema=CHOSEN), *(frame.select(*CHOSEN) for frame in found)])


def traced(name: str, columns: list[str]) -> str:
    """The ledger's column for one of the trace."""
    return f"{name} {TRACED}" if f"{name} {TRACED}" in columns else name


def _numbers(plan: Plan, columns: list[str]) -> list[pl.Expr]:
    """What decided, by names of their own; null where the ledger has none of it."""
    margins = [clause.column("margin") for clause in path(plan) if isinstance(clause.step, Keep)]
    wanted = {"objective": pl.Float64, "advantage": pl.Float64, "step": pl.Int32} | dict.fromkeys(margins, pl.Float64)
    return [
        (pl.col(traced(name, columns)) if traced(name, columns) in columns else pl.lit(None)).cast(kind).alias(name) for name, kind in wanted.items()
    ]


def _ends(plan: Plan, ledger: pl.LazyFrame) -> list[pl.DataFrame]:
    stage = next((s for s in plan.stages if isinstance(s, Select)), None)
    if stage is None or stage.objective is None or (stage.soft and stage.soft.shape == "paper"):
        return []
    valued = ledger.filter(status="selected").filter(pl.col("objective").is_not_null()).select("row_id", "objective")
    best = _first(valued, "objective", EACH, descending=True)
    worst = _first(valued.filter(~pl.col("row_id").is_in(best["row_id"].implode())), "objective", EACH, descending=False)
    return [_named(frame, kind) for kind, frame in (("best", best), ("worst", worst))]


def _borderline(plan: Plan, ledger: pl.LazyFrame) -> list[pl.DataFrame]:
    """Of the first line that has rows on both sides, from the end of the recipe: those nearest to it."""
    clauses = path(plan)
    lines = [(len(clauses) + 1, "advantage", "the prices")]
    lines += [(c.number, c.column("margin"), c.text) for c in reversed(clauses) if isinstance(c.step, Keep)]
    for number, column, text in lines:
        known = ledger.filter(pl.col(column).is_not_null())
        within = known.filter(status="selected").select("row_id", column)
        out = known.filter(pl.col("status") != "selected", pl.col("step") == number).select("row_id", column)
        nearest = _first(out, column, SIDES, descending=True)
        if nearest.height:
            both = [_first(within, column, SIDES, descending=False), nearest]
            return [_named(frame, "borderline").with_columns(nearness=pl.Series(frame[column]), by=pl.lit(text)) for frame in both]
    return []


def _random(plan: Plan, ledger: pl.LazyFrame) -> pl.DataFrame:
    """Selected rows from a place on that the seed names, in the circle of row ids (which are digests)."""
    start = hashlib.blake2b(f"{plan.name}:{plan.seed}".encode(), digest_size=16).hexdigest()
    after = pl.col("row_id") < start
    picked = ledger.filter(status="selected").select("row_id", after=after).sort("after", "row_id").head(EACH).collect()
    return _named(picked, "random")


def _first(rows: pl.LazyFrame, column: str, count: int, *, descending: bool) -> pl.DataFrame:
    return rows.sort(column, "row_id", descending=[descending, False]).head(count).collect()


def _named(rows: pl.DataFrame, kind: str) -> pl.DataFrame:
    return rows.select("row_id", kind=pl.lit(kind), nearness=pl.lit(None, pl.Float64), by=pl.lit(None, pl.String))
