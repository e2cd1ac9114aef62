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
    tagged = rows.with_columns(skills=names)
    if stage.tree is not None:
        tagged = _in_tree(stage, tagged, watch)
    return tagged.with_columns(pl.col("skills").list.drop_nulls().list.unique().list.sort())


def _in_tree(stage: Tag, rows: pl.DataFrame, watch: Watch) -> pl.DataFrame:
    chains = dict(stage.tree or ())
    known = {**{chain: chain for chain in chains.values()}, **chains}
    used = rows["skills"].explode().drop_nulls()
    strangers = sorted(set(used.unique().to_list()) - set(known))
    if strangers:
        count = used.is_in(strangers).sum()
        shown = ", ".join(f"`{s}`" for s in strangers[:5]) + (" …" if len(strangers) > 5 else "")
        watch(Notice(stage.id, f"{count:,} tags are not in the tree and give no skill: {shown}"))
    return rows.with_columns(pl.col("skills").list.eval(pl.element().replace_strict(known, default=None, return_dtype=pl.String)))
