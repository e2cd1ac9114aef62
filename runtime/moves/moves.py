"""Two builds to what moved between their selections, row by row with the cause, and what else their datasets have otherwise. Reads the folders alone."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from ...compiler.plan.changes import Change
from ..contender import RECIPE, Contender
from .causes import Apart, causes
from .found import CAUSES, Moves, Scanned
from .group import group
from .ledgers import Ledger, ledger
from .shifts import shifts
from .tallies import tallies

ADDED, REMOVED = "added", "removed"


def moves(before: Contender, after: Contender, changes: Sequence[Change]) -> Moves:
    """What moved from one build to the other. `changes`: what the later plan says otherwise. Both are builds of which `unmoved` says nothing. Fault MIX0501."""
    ledgers = ledger(before), ledger(after)
    chosen = before.selections[RECIPE], after.selections[RECIPE]
    added, removed = _without(chosen[1], chosen[0]), _without(chosen[0], chosen[1])
    kept = chosen[1].join(chosen[0], on="row_id", suffix=" before", maintain_order="left")
    untraced = [each for each in ledgers if not each.traced]
    rows = [_caused(ADDED, added, Apart(ledgers[0], ledgers[1], changes, True), untraced), _caused(REMOVED, removed, Apart(ledgers[1], ledgers[0], changes, False), untraced)]
    found = pl.concat(rows)
    shared, scanned = _shared(*ledgers)
    return Moves(
        before=chosen[0].height, after=chosen[1].height, kept=kept.height,
        tokens_before=_tokens(chosen[0]), tokens_after=_tokens(chosen[1]),
        rows=found, reweighted=_reweighted(before.folder, after.folder),
        relabelled=kept.filter(pl.col("teacher").ne_missing(pl.col("teacher before")) | (pl.col("skills") != pl.col("skills before")).fill_null(value=True)).height,
        scanned=scanned,
        causes=() if untraced else group(found, *ledgers),
        uncaused=_uncaused(untraced) if untraced else None,
        teachers=tallies(*chosen, added, removed, "teacher"), skills=tallies(*chosen, added, removed, "skills"),
        shifts=shifts(*ledgers, shared), scores_before=ledgers[0].scores, scores_after=ledgers[1].scores,
    )  # fmt: skip


def unmoved(before: Contender, after: Contender) -> str | None:
    """Why the rows of two builds cannot be compared, in words; None where they can."""
    short = [each for each in (before, after) if RECIPE not in each.selections or not (each.folder / "ledger.parquet").is_file()]
    if not short:
        return None
    return f"{' and '.join(f'`{each.folder}`' for each in short)} stopped before the selection: `mixc build SPEC --until select` runs it so far"


def _without(rows: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    return rows.join(others.select("row_id"), on="row_id", how="anti", maintain_order="left").sort("row_id")


def _caused(move: str, rows: pl.DataFrame, apart: Apart, untraced: Sequence[Ledger]) -> pl.DataFrame:
    """The rows with their causes, those of the two builds by their order; without where one of the ledgers tells none."""
    told = pl.DataFrame(schema=CAUSES) if untraced else causes(apart, rows["row_id"])
    found = rows.select(pl.lit(move).alias("move"), pl.all()).join(told, on="row_id", how="left", maintain_order="left")
    sides = ("before", "after") if move == ADDED else ("after", "before")
    named = {f"{what} {side}": f"{what} {name}" for what in ("value", "bound", "advantage", "charge") for side, name in zip(("out", "in"), sides, strict=True)}
    renamed = found.rename(named)
    return renamed.select(*[name for name in renamed.columns if name not in named.values()], *(f"{what} {name}" for what in ("value", "bound", "advantage", "charge") for name in ("before", "after")))


def _shared(before: Ledger, after: Ledger) -> tuple[tuple[pl.Series, pl.Series] | None, Scanned]:
    """The places of the rows that both ledgers have, None where these are all rows of both; and how many there are."""
    if before.ids.equals(after.ids):
        return None, Scanned(both=before.ids.len(), only_before=0, only_after=0)
    second = after.places(before.ids)
    here = second.is_not_null()
    both = here.arg_true(), second.filter(here)
    return both, Scanned(both=both[0].len(), only_before=before.ids.len() - both[0].len(), only_after=after.ids.len() - both[0].len())


def _reweighted(before: Path, after: Path) -> pl.DataFrame:
    """The rows of both selections whose weights differ; a selection without weights weighs every row 1."""
    sides = [_weights(folder).rename({"weight": name}) for folder, name in ((before, "before"), (after, "after"))]
    both = sides[0].join(sides[1], on="row_id")
    return both.filter(pl.col("before").ne_missing(pl.col("after"))).sort("row_id").collect()


def _weights(folder: Path) -> pl.LazyFrame:
    rows = pl.scan_parquet(folder / "selected.parquet")
    known = "weight" in rows.collect_schema()
    return rows.select("row_id", (pl.col("weight") if known else pl.lit(1.0)).cast(pl.Float64).alias("weight"))


def _tokens(rows: pl.DataFrame) -> int | None:
    return int(rows["tokens"].sum()) if rows["tokens"].null_count() == 0 else None


def _uncaused(untraced: Sequence[Ledger]) -> str:
    folders = " and ".join(f"`{each.folder}`" for each in untraced)
    return f"{folders} {'was' if len(untraced) == 1 else 'were'} written by a version that kept no trace of the rows: build again with this one, scores that are in the store are not computed again"
