"""The columns that every corpus has, and what is said of a column that is not among them. Knows types of columns, not the clauses that read them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..diagnostics import Diagnostics
from ..source import Span
from .meant import meant
from .types import OPAQUE


@dataclass(frozen=True, slots=True)
class Shared(Mapping[str, str]):
    """Column to type, of the columns in all corpora; `lacking` names a corpus for each column that only some have."""

    kinds: Mapping[str, str]
    lacking: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.kinds[column]

    def __iter__(self) -> Iterator[str]:
        return iter(self.kinds)

    def __len__(self) -> int:
        return len(self.kinds)


def in_common(tables: Mapping[str, Mapping[str, str] | None]) -> Shared | None:
    """What the corpora have in common, from the columns of each by its name; None where one cannot be looked at."""
    known = {name: table for name, table in tables.items() if table is not None}
    if len(known) < len(tables) or not tables:
        return None
    first, *others = known.values()
    kinds = {c: k if all(t[c] == k for t in others) else "other" for c, k in first.items() if all(c in t for t in others)}
    columns = dict.fromkeys(c for table in known.values() for c in table)
    return Shared(kinds, {c: next(n for n, t in known.items() if c not in t) for c in columns if c not in kinds})


def barred(column: str, columns: Mapping[str, str] | None, span: Span, notes: Diagnostics) -> bool:
    """Whether a column that is there cannot be read by a clause, which is reported: not all corpora have it, or its values are of no type here."""
    if columns is not None and columns.get(column) == OPAQUE:
        message = f"column `{column}` holds neither texts, numbers, true and false, nor lists of texts"
        notes.error("MIX0305", message, span, "dates or structures", help="write such values into the file as texts or as numbers")
        return True
    corpus = columns.lacking.get(column) if isinstance(columns, Shared) else None
    if corpus is not None:
        help = f"a clause reads the rows of every corpus: give the files of `{corpus}` this column, or take the corpus out"
        notes.error("MIX0209", f"corpus `{corpus}` has no column `{column}`", span, "not in all files", help=help)
    return corpus is not None


def absent(column: str, columns: Mapping[str, str], span: Span, notes: Diagnostics, *, text: bool = False, others: tuple[str, ...] = ()) -> None:
    """Report a column that no clause may read; `text`: it is written in quotes, `others`: what else may stand there."""
    listed = ", ".join(f"`{c}`" for c in sorted(columns)[:12])
    help = f"there {'are' if len(columns) > 1 else 'is'} {listed}{' …' * (len(columns) > 12)}" if columns else None
    given = meant(column, (*others, *columns), span, help, text=text)
    notes.error("MIX0209", f"no corpus has a column `{column}`", span, "not in the files", **given)
