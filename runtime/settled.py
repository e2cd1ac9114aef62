"""What an expression needs of rows in other parts, worked out over all of them from the columns that it reads, and put beside the rows."""

from collections.abc import Callable, Sequence

import polars as pl

from ..compiler.backends.polars import column_name
from ..compiler.backends.polars_barriers import Known, looks_across, looks_at_skills, nodes, settle
from ..compiler.backends.polars_lowering import group_column
from ..compiler.expressions import Column, Expression, Quantile, Rank, columns
from .rows import Rows

OWN = "mixc:settled "
"""How the columns begin that `settled` adds."""
_SKILL = Column("role", "skill")


def settled(rows: Rows, e: Expression, tie: str) -> tuple[Rows, Known]:
    """The rows with the quantiles and ranks in `e` beside them, and their columns by part of `e`; nothing where each part can tell for itself."""
    found = across(rows, e, tie, lambda part: part)
    return (rows, {}) if found is None else (rows.beside(found[0]), found[1])


def across(
    rows: Rows, e: Expression, tie: str, seen: Callable[[pl.DataFrame], pl.DataFrame], also: Sequence[str] = (), named: str = ""
) -> tuple[pl.DataFrame, Known] | None:
    """The quantiles and ranks in `e` over the rows as they are `seen`, in the order of the parts, and their columns by part of `e`.

    None where each part can tell for itself. `also`: columns that `seen` reads; `named`: what tells the columns from those of another expression.
    """
    if len(rows.parts) == 1 or not looks_across(e):
        return None
    frame, lowering = settle(narrow(rows, [*reads(e, tie), *also], seen).lazy(), e, tie)
    names = {part: f"{OWN}{named}{number}" for number, part in enumerate(lowering.known)}
    last = {part: f"{OWN}{named}last {number}" for number, part in enumerate(lowering.last)}
    values = (value.alias(names[part]) for part, value in lowering.known.items())
    found = frame.select(*values, *(row.alias(last[part]) for part, row in lowering.last.items())).collect()
    return found.with_columns(_named(found[name]) for name in last.values()), {part: (name, last.get(part)) for part, name in names.items()}


def _named(ids: pl.Series) -> pl.Series:
    """Row ids as texts again; they are few different ones, the last of each group."""
    numbers = ids.unique().drop_nulls()
    texts = pl.Series([f"{number:032x}" for number in numbers], dtype=pl.String)
    return ids.replace_strict(numbers, texts, default=None, return_dtype=pl.String)


def unsettled(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows without the columns of `settled`."""
    return rows.drop(name for name in rows.columns if name.startswith(OWN))


def reads(e: Expression, tie: str) -> list[str]:
    """The columns that quantiles and ranks in `e` need, `reason` among them."""
    inside = [n for n in nodes(e) if isinstance(n, Quantile | Rank)]
    groups = {group_column(n.group) for n in inside if n.group is not None and n.group != _SKILL}
    own = {"row_id", tie} if looks_at_skills(e) or any(isinstance(n, Rank) for n in inside) else set[str]()
    skills = {"skills"} if looks_at_skills(e) else set[str]()
    return sorted({column_name(c) for c in columns(e)} | groups | own | skills | {"reason"})


def narrow(rows: Rows, names: Sequence[str], seen: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
    """All rows as they are `seen`, with the columns `names`. A reason is there or not, and row ids are 128-bit numbers: their order is that of the texts."""
    return pl.concat([_narrow(seen(part)) for part in rows.each(list(dict.fromkeys(names)))])


def _narrow(part: pl.DataFrame) -> pl.DataFrame:
    changed = [pl.when(pl.col("reason").is_not_null()).then(True).alias("reason")]
    if "row_id" in part.columns:
        changed.append(pl.col("row_id").str.decode("hex").bin.reinterpret(dtype=pl.UInt128, endianness="big"))
    return part.with_columns(changed)
