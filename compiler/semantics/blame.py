"""What is wrong in a recipe that was made from a spec alone, said at the clause that made it."""

import dataclasses
from collections.abc import Sequence

from ..diagnostics import Diagnostic, Diagnostics, Severity
from ..source import Span
from .expand import Variation

Same = tuple[str, Span | str]


def blame(found: Sequence[tuple[Variation, Diagnostics]], notes: Diagnostics) -> None:
    """Report once what several variants share, and nothing that is wrong in the recipe itself (it is in `notes` already)."""
    known = {_same(d) for d in notes}
    alike: dict[Same, list[tuple[Variation, Diagnostic]]] = {}
    for variation, inner in found:
        for diagnostic in inner:
            told = variation.warns or diagnostic.severity is Severity.ERROR
            if told and variation.places and _same(diagnostic) not in known:
                alike.setdefault(_same(diagnostic), []).append((variation, diagnostic))
    for group in alike.values():
        notes.report(_placed([variation for variation, _ in group], group[0][1]))


def _same(diagnostic: Diagnostic) -> Same:
    return diagnostic.code, diagnostic.primary.span if diagnostic.primary else diagnostic.message


def _placed(variations: Sequence[Variation], found: Diagnostic) -> Diagnostic:
    """The diagnostic at what all these variants have in common, or at what makes the first of them."""
    first = variations[0]
    common = tuple(place for place in first.places if all(place in v.places for v in variations))
    at, *more = common or first.places
    if found.primary and found.primary.span == at.span:
        return found
    notes = found.notes
    where = f"in {first.title}"
    if 0 < len(common) < len(first.places):
        where = f"with `{', '.join(label.text for label in common)}`"
    elif others := variations[1:]:
        also = ", ".join(other.title for other in others[:3]) + (f" and {len(others) - 3} more" if len(others) > 3 else "")
        notes = (*notes, f"the same in {also}")
    under = tuple(label for label in (found.primary, *found.secondary) if label and label.span != at.span)
    return dataclasses.replace(found, message=f"{where}: {found.message}", primary=at, secondary=(*more, *under), notes=notes, edits=())
