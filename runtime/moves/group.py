"""Moved rows to their causes: rows that moved the same way for the same reason together, with the price of the clause in both builds and what brought it about."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from .found import Cause, Price
from .ledgers import Ledger

EXAMPLES = 3
BY = ("move", "kind", "clause", "counterpart", "origin")
FOLLOWS = ("displaced", "none")
"""Origins of rows that moved because others did."""
PRICED = ("quota", "soft quota", "budget")


def group(rows: pl.DataFrame, before: Ledger, after: Ledger) -> tuple[Cause, ...]:
    """The causes of the moved rows, most rows first, displaced rows behind as many others. A displaced row is told to take the room of, or to make room for, rows that moved
    the other way by something else."""
    found = [_cause(part, before, after) for _, part in rows.group_by(BY, maintain_order=True)]
    found.sort(key=lambda c: (-c.rows, c.origin in FOLLOWS, c.move, c.kind, c.clause or "", c.counterpart or "", c.origin))
    return tuple(replace(cause, through=_made_room(cause, found)) if cause.origin in FOLLOWS else cause for cause in found)


def _cause(rows: pl.DataFrame, before: Ledger, after: Ledger) -> Cause:
    head = rows.row(0, named=True)
    through = rows["through"].drop_nulls().value_counts()
    return Cause(
        move=head["move"], kind=head["kind"], clause=head["clause"], counterpart=head["counterpart"], origin=head["origin"], rows=rows.height,
        examples=tuple(rows["row_id"].head(EXAMPLES)),
        price=_price(head, before, after) if head["kind"] in PRICED else None,
        through=tuple(sorted(((str(name), int(n)) for name, n in through.iter_rows()), key=lambda each: (-each[1], each[0]))),
    )  # fmt: skip


def _made_room(cause: Cause, found: Sequence[Cause]) -> tuple[tuple[str, int], ...]:
    """By what rows moved the other way that were not displaced themselves."""
    rows: dict[str, int] = {}
    for each in found:
        if each.origin not in FOLLOWS and each.move != cause.move:
            name = _data(each) if each.kind == "unread" else each.clause or each.counterpart or each.kind
            rows[name] = rows.get(name, 0) + each.rows
    return tuple(sorted(rows.items(), key=lambda each: (-each[1], each[0])))


def _data(cause: Cause) -> str:
    return "new data" if cause.move == "added" else "gone data"


def _price(head: Mapping[str, Any], before: Ledger, after: Ledger) -> Price | None:
    texts = (head["clause"], head["counterpart"]) if head["move"] == "added" else (head["counterpart"], head["clause"])
    told = [next(_told(ledger, text), None) for ledger, text in zip((before, after), texts, strict=True)]
    known = next((each for each in told if each), None)
    if known is None:
        return None
    prices = [None if each is None else float(each.get("price") or 0.0) for each in told]
    return Price(before=prices[0], after=prices[1], unit="token" if "tokens" in (known.get("unit") or "") else "example")


def _told(ledger: Ledger, text: str | None) -> Iterator[Mapping[str, Any]]:
    selection = ledger.manifest.get("selection") or {}
    for each in (*selection.get("clauses", ()), *([selection["soft"]] if selection.get("soft") else [])):
        if each["clause"] == text:
            yield each
