"""The licences of a corpus's rows: counted, and judged by `require license` row by row. Knows one scan, nothing of later stages."""

from collections import Counter
from dataclasses import dataclass
from functools import partial

import polars as pl

from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.licences import respelt
from ..compiler.plan.stages import Scan
from .contradictions import has_prompt
from .rows import Rows

REQUIRED = "require license in ["
"""How the reason of a row begins that was left out for its licence."""
UNSTATED = "not stated"
MOST = 50
"""A corpus with more licences than this is told of by the most frequent ones."""
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Licensed:
    """`counts`: rows with a prompt by licence, None where they state none; most first, then by name. `allowed`, `clause`: of `require`, None and empty where
    no row is judged."""

    corpus: str
    counts: tuple[tuple[str | None, int], ...]
    allowed: tuple[str, ...] | None = None
    clause: str = ""

    @property
    def refused(self) -> dict[str | None, int]:
        """The rows that `require` does not allow, by licence."""
        return {} if self.allowed is None else {name: rows for name, rows in self.counts if name not in self.allowed}

    @property
    def respelt(self) -> dict[str, str]:
        """The licences that are not allowed and differ from one that is in their spelling alone."""
        found = {name: respelt(name, self.allowed or ()) for name in self.refused if name is not None}
        return {name: other for name, other in found.items() if other is not None}

    def to_data(self) -> list[dict[str, object]]:
        """A list of `{"licence", "rows", "allowed"}`; `allowed` is null where nothing is required, `licence` where none is stated."""
        shown = [{"licence": name and short(name), "rows": rows, "allowed": self._allows(name)} for name, rows in self.counts[:MOST]]
        others = sum(rows for _, rows in self.counts[MOST:])
        return [*shown, *([{"licence": f"{len(self.counts) - MOST:,} others", "rows": others, "allowed": None}] if others else [])]

    def _allows(self, name: str | None) -> bool | None:
        return None if self.allowed is None else name in self.allowed


def licensed(scan: Scan, rows: Rows) -> tuple[Rows, Licensed | None]:
    """The rows with `license`, and what was counted of them; as they are, and None, where the corpus says nothing of its licence.

    A row that states no licence has null. Where the rows have their own and `require` stands, one that it does not allow gets that for a reason, in place of
    a missing response but not of a missing prompt. Fault MIX0544 where none is allowed.
    """
    if scan.license is not None:
        rows = rows.map(lambda part: part.with_columns(pl.lit(scan.license).alias("license")))
    elif scan.roles.license is not None:
        rows = rows.map(lambda part: part.with_columns(pl.when(pl.col("license").str.strip_chars() != "").then("license").alias("license")))
    else:
        return rows, None
    counted: Counter[str | None] = Counter()
    for part in rows.each(["license", "reason"]):
        counted.update(dict(part.filter(has_prompt())["license"].value_counts().iter_rows()))
    counts = tuple(sorted(counted.items(), key=lambda one: (-one[1], one[0] is None, one[0] or "")))
    if scan.require is None or scan.roles.license is None:
        return rows, Licensed(scan.corpus, counts)
    found = Licensed(scan.corpus, counts, scan.require.allowed, scan.require.text)
    if counts and len(found.refused) == len(counts):
        raise _none(scan, found)
    return rows.map(partial(_judged, scan)), found


def refused() -> pl.Expr:
    """Whether a row was left out for its licence."""
    return pl.col("reason").str.starts_with(REQUIRED).fill_null(value=False)


def short(name: str) -> str:
    """A licence on one line; some state the whole text of theirs."""
    line = " ".join(name.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def named(name: str | None) -> str:
    """A licence in quotes, or that there is none."""
    return UNSTATED if name is None else f'"{short(name)}"'


def listed(counts: dict[str | None, int], most: int = 6) -> str:
    """`"MIT" 120, not stated 3`, the first ones."""
    shown = [f"{named(name)} {rows:,}" for name, rows in list(counts.items())[:most]]
    return ", ".join(shown) + (f" and {len(counts) - most:,} more" if len(counts) > most else "")


def _judged(scan: Scan, part: pl.DataFrame) -> pl.DataFrame:
    assert scan.require is not None
    name, allowed = pl.col("license"), list(scan.require.allowed)
    kinds = part.select(name.unique().drop_nulls()).to_series().to_list()
    cut = {each: short(each) for each in kinds if each != short(each)}
    shown = name.replace(cut) if cut else name
    why = pl.when(name.is_null()).then(pl.lit("no licence is stated")).otherwise(pl.format('"{}" is not allowed', shown))
    out = has_prompt() & ~name.is_in(allowed).fill_null(value=False)
    said = pl.concat_str(pl.lit(f"{scan.require.text}: "), why)
    return part.with_columns(reason=pl.when(out).then(said).otherwise("reason"))


def _none(scan: Scan, found: Licensed) -> Fault:
    assert scan.require is not None
    near = [f'"{short(name)}" may be "{other}" in another spelling; licences are compared as they are written' for name, other in found.respelt.items()]
    first = next(iter(found.respelt), None)
    help = f'add "{short(first)}" to the list if it is one that you allow' if first else "allow a licence that is there, or take another corpus"
    return Fault(
        Diagnostic(
            "MIX0544",
            f"no row of `{scan.corpus}` is under a licence that is allowed",
            Label(scan.require.span, "allows none of them"),
            secondary=(Label(scan.span, "these rows"),),
            notes=(f"its rows: {listed(dict(found.counts))}", *near[:3]),
            help=help,
        )
    )
