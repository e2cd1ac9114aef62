"""Gives each row its skills, as chains from the root's child to the node. Knows trees and columns, nothing of quotas."""

import polars as pl

from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.plan.stages import Tag
from .events import Notice, Watch


def tag(stage: Tag, rows: pl.DataFrame, watch: Watch) -> pl.DataFrame:
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
    if kind != pl.String:
        return _tidied(stage, rows.with_columns(skills=names), watch)
    # Few names stand in many rows: each is looked up once.
    counted = rows.group_by(column).len("mixc:rows").with_columns(skills=names)
    known = _tidied(stage, counted, watch).select(column, "skills")
    return rows.join(known, on=column, how="left", nulls_equal=True, maintain_order="left")


def _tidied(stage: Tag, rows: pl.DataFrame, watch: Watch) -> pl.DataFrame:
    tagged = rows if stage.tree is None else _in_tree(stage, rows, watch)
    return tagged.with_columns(pl.col("skills").list.drop_nulls().list.unique().list.sort())


def _in_tree(stage: Tag, rows: pl.DataFrame, watch: Watch) -> pl.DataFrame:
    chains = dict(stage.tree or ())
    known = {**{chain: chain for chain in chains.values()}, **chains}
    counts = pl.col("mixc:rows") if "mixc:rows" in rows.columns else pl.lit(1)
    used = rows.select("skills", counts.alias("count")).explode("skills").drop_nulls("skills")
    strangers = sorted(set(used["skills"].unique().to_list()) - set(known))
    if strangers:
        count = used.filter(pl.col("skills").is_in(strangers))["count"].sum()
        shown = ", ".join(f"`{s}`" for s in strangers[:5]) + (" …" if len(strangers) > 5 else "")
        watch(Notice(stage.id, f"{count:,} tags are not in the tree and give no skill: {shown}"))
    return rows.with_columns(pl.col("skills").list.eval(pl.element().replace_strict(known, default=None, return_dtype=pl.String)))
