"""Who gets the trained tokens: the rows of each teacher and of each skill, what was selected of them and what is trained on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import polars as pl


class Trained(Protocol):
    """The account of one row: `trained` of the `whole` tokens of its answer carry loss."""

    @property
    def row_id(self) -> str: ...
    @property
    def whole(self) -> int: ...
    @property
    def trained(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Portion:
    """The selected rows of one teacher or skill: `selected` are their tokens as the selection counts them (None where it does not), `trained` the
    tokens that carry loss in an epoch, the template's own included. `cut` rows lost the end of their answer, `dropped` ones are not trained on.
    """

    name: str
    rows: int
    selected: int | None
    trained: int
    cut: int
    dropped: int

    def to_dict(self) -> dict[str, object]:
        """Plain JSON values."""
        return {name: getattr(self, name) for name in ("name", "rows", "selected", "trained", "cut", "dropped")}


def portions(rows: pl.DataFrame, turns: Sequence[Trained]) -> tuple[tuple[Portion, ...], tuple[Portion, ...]]:
    """By teacher and by skill, most trained tokens first, then by name. A row counts under each of its chains and each of their ancestors, once."""
    account = pl.DataFrame(
        {
            "row_id": [turn.row_id for turn in turns],
            "trained": [turn.trained for turn in turns],
            "cut": [0 < turn.trained < turn.whole for turn in turns],
        },
        schema={"row_id": pl.String, "trained": pl.Int64, "cut": pl.Boolean},
    )
    lacking = {"teacher": pl.lit(""), "tokens": pl.lit(None, pl.Int64), "skills": pl.lit([], dtype=pl.List(pl.String))}
    known = rows.with_columns(made.alias(name) for name, made in lacking.items() if name not in rows.columns)
    joined = known.select("row_id", pl.col("teacher").fill_null(""), "tokens", "skills").join(account, on="row_id", how="inner")
    nodes = [_ancestry(chains or ()) for chains in joined["skills"].to_list()]
    by_skill = joined.with_columns(pl.Series("skills", nodes, dtype=pl.List(pl.String))).explode("skills", empty_as_null=True).drop_nulls("skills")
    return _of(joined, "teacher"), _of(by_skill, "skills")


def _of(rows: pl.DataFrame, by: str) -> tuple[Portion, ...]:
    counted = rows["tokens"].null_count() == 0
    sums = rows.group_by(by).agg(
        pl.len().cast(pl.Int64).alias("rows"), pl.col("tokens").sum().alias("selected"), pl.col("trained").sum(),
        pl.col("cut").cast(pl.Int64).sum(), (pl.col("trained") == 0).cast(pl.Int64).sum().alias("dropped"),
    )  # fmt: skip
    ordered = sums.sort(["trained", by], descending=[True, False])
    return tuple(
        Portion(name, rows, int(selected) if counted else None, trained, cut, dropped)
        for name, rows, selected, trained, cut, dropped in ordered.select(by, "rows", "selected", "trained", "cut", "dropped").iter_rows()
    )


def _ancestry(chains: Iterable[str]) -> list[str]:
    """The chains and all that lead to them, each once, in order."""
    nodes = set[str]()
    for chain in chains:
        names = chain.split("->")
        nodes.update("->".join(names[:depth]) for depth in range(1, len(names) + 1))
    return sorted(nodes)
