"""The rows of a build that a person means by a row id, the beginning of one, or a prompt id."""

import polars as pl

from ..compiler.diagnostics import Diagnostic, Fault
from ..compiler.suggest import suggest
from .built import Built

SHORTEST = 6
"""Digits that the beginning of an id must have."""
SHOWN = 5


def named_rows(build: Built, name: str) -> pl.DataFrame:
    """The row with this id, or all rows of this prompt: the selected ones first, then those that came furthest.

    Fault MIX0525 where nothing has the id, MIX0526 where several things have an id that begins so.
    """
    ledger, step = build.ledger, build.column("step")
    whole = ledger.filter(pl.col("row_id") == name)
    if whole.is_empty():
        whole = ledger.filter(pl.col("prompt_id") == name)
    if whole.is_empty() and len(name) >= SHORTEST:
        whole = _begun(ledger, name)
    if whole.is_empty():
        raise _unknown(build, name)
    last = (pl.col("status") == "selected").alias("in")
    return whole.sort(last, pl.col(step).fill_null(0), "row_id", descending=[True, True, False])


def _begun(ledger: pl.DataFrame, name: str) -> pl.DataFrame:
    rows = ledger.filter(pl.col("row_id").str.starts_with(name.lower()))
    prompts = ledger.filter(pl.col("prompt_id").str.starts_with(name))
    if rows.height + prompts["prompt_id"].n_unique() < 2 or (rows.is_empty() and prompts["prompt_id"].n_unique() == 1):
        return rows if rows.height else prompts
    found = [*(f"row `{each}`" for each in rows["row_id"].sort()), *(f"prompt `{each}`" for each in prompts["prompt_id"].unique().sort())]
    more = f" and {len(found) - SHOWN:,} more" if len(found) > SHOWN else ""
    message = f"`{name}` is the beginning of {len(found):,} ids"
    raise Fault(Diagnostic("MIX0526", message, notes=(f"{', '.join(found[:SHOWN])}{more}",), help="give more of its digits"))


def _unknown(build: Built, name: str) -> Fault:
    ids = [*build.ledger["prompt_id"].unique().to_list(), *build.ledger["row_id"].to_list()]
    near = suggest(name, ids) or next((each for each in sorted(ids) if len(name) >= 3 and each.startswith(name)), None)
    if near is not None:
        help = f"did you mean `{near}`?"
    elif len(name) < SHORTEST:
        help = f"an id may be cut off, but not below {SHORTEST} digits"
    else:
        help = f"`row_id` and `prompt_id` of every row that was read are in `{build.folder / 'ledger.parquet'}`"
    return Fault(Diagnostic("MIX0525", f"no row and no prompt of `{build.folder}` has the id `{name}`", help=help))
