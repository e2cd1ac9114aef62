"""A table's candidates as crowds, by how many rows of a prompt may be selected. It reads the table once."""

import polars as pl

from ..prices.classes import Classes
from ..table import Table
from .crowd import Crowd, crowd


class Census:
    """`plain`: no clause counts tokens, so that rows of one class are alike and prompts of the same classes are too."""

    def __init__(self, table: Table, known: Classes, *, plain: bool) -> None:
        self.width = len(known.rows)
        prompt = pl.col("prompt") if table.frame.collect_schema()["prompt"].is_integer() else pl.col("prompt").rank("dense")
        tokens = pl.lit(0, pl.Int64) if plain else pl.col("tokens")
        held = known.coded(table.frame).select(prompt=prompt, cls=known.code, tokens=tokens, many=pl.lit(1, pl.Int64))
        self._held = _patterns(held) if plain else held.collect(engine="streaming")
        self._crowds: dict[int | None, Crowd] = {}

    @property
    def fullest(self) -> int:
        """How many rows the prompt with the most has."""
        return int(self._held["prompt"].value_counts()["count"].max() or 0) if self._held.height else 0  # type: ignore[arg-type]

    def crowd(self, most: int | None) -> Crowd:
        """All rows, of which `most` of a prompt can be selected; None: all of them."""
        if most not in self._crowds:
            self._crowds[most] = crowd(self._held, self.width, most)
        return self._crowds[most]


def _patterns(held: pl.LazyFrame) -> pl.DataFrame:
    """A prompt for each set of classes that prompts have, standing for all that have it."""
    prompts = held.group_by("prompt").agg(pl.col("cls").sort()).group_by("cls").agg(many=pl.len().cast(pl.Int64)).sort("cls")
    return prompts.with_row_index("prompt").explode("cls").with_columns(tokens=pl.lit(0, pl.Int64)).select("prompt", "cls", "tokens", "many").collect()
