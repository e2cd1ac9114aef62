"""Skills of rows by a column of the corpus, as chains from the root's child to the node. Knows trees, nothing of quotas."""

from collections import Counter

import polars as pl

from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.plan.stages import Tag
from .events import Notice, Watch
from .rows import Rows


def by_column(stage: Tag, rows: Rows, watch: Watch) -> Rows:
    """The rows with `skills`, List(String), sorted and without repeats. A value that the tree does not have gives no skill and is counted.

    Fault MIX0502 if the column holds neither texts nor lists of texts.
    """
    column = f"column:{stage.column}"
    kind = rows.schema[column]
    if kind == pl.String:
        names = pl.when(pl.col(column).is_null()).then(pl.lit([], dtype=pl.List(pl.String))).otherwise(pl.concat_list(column))
    elif kind == pl.List(pl.String):
        names = pl.col(column).fill_null(pl.lit([], dtype=pl.List(pl.String)))
    elif kind == pl.Null:
        names = pl.lit([], dtype=pl.List(pl.String))
    else:
        raise Fault(
            Diagnostic(
                "MIX0502", f"skills are texts or lists of texts, column `{stage.column}` is neither", Label(stage.span, f"holds {kind}")
            )
        )
    strangers: Counter[str] = Counter()

    def named(part: pl.DataFrame) -> pl.DataFrame:
        if kind != pl.String:
            return _tidied(stage, part.with_columns(skills=names), strangers)
        # Few names stand in many rows: each is looked up once.
        counted = part.group_by(column).len("mixc:rows").with_columns(skills=names)
        known = _tidied(stage, counted, strangers).select(column, "skills")
        return part.join(known, on=column, how="left", nulls_equal=True, maintain_order="left")

    done = rows.map(named)
    if strangers:
        shown = ", ".join(f"`{s}`" for s in sorted(strangers)[:5]) + (" …" if len(strangers) > 5 else "")
        watch(Notice(stage.id, f"{strangers.total():,} tags are not in the tree and give no skill: {shown}"))
    return done


def _tidied(stage: Tag, rows: pl.DataFrame, strangers: Counter[str]) -> pl.DataFrame:
    tagged = rows if stage.tree is None else _in_tree(stage, rows, strangers)
    return tagged.with_columns(pl.col("skills").list.drop_nulls().list.unique().list.sort())


def _in_tree(stage: Tag, rows: pl.DataFrame, strangers: Counter[str]) -> pl.DataFrame:
    """The rows with the chains of their skills; names that the tree does not have are added to the `strangers`, with the rows that have them."""
    chains = dict(stage.tree or ())
    known = {**{chain: chain for chain in chains.values()}, **chains}
    counts = pl.col("mixc:rows") if "mixc:rows" in rows.columns else pl.lit(1)
    used = rows.select("skills", counts.alias("count")).explode("skills").drop_nulls("skills")
    others = used.filter(~pl.col("skills").is_in(list(known))).group_by("skills").agg(pl.col("count").sum())
    strangers.update(dict(others.iter_rows()))
    return rows.with_columns(pl.col("skills").list.eval(pl.element().replace_strict(known, default=None, return_dtype=pl.String)))
