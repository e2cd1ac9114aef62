"""Did you mean: the nearest of the known names."""

from bisect import bisect_left
from collections.abc import Iterable

MANY = 128
"""Names of which each is looked at; thousands of misspelt names among thousands would take minutes."""
LONGEST = 64
"""Nothing longer is a misspelling that is worth its cost: the table of edits grows with both lengths."""


def suggest(name: str, known: Iterable[str]) -> str | None:
    """The known name nearest to `name`: the same but for case, else within a third of its length in edits; ties go to the first by name."""
    names = _few(name, sorted(set(known)))
    for candidate in names:
        if candidate.lower() == name.lower():
            return candidate
    if len(name) > LONGEST:
        return None
    limit = max(len(name) // 3, 1)
    best = min(names, key=lambda candidate: (distance(name, candidate), candidate), default=None)
    return best if best is not None and distance(name, best) <= limit else None


def _few(name: str, names: list[str]) -> list[str]:
    """The names to look at: where there are very many, those beside it in the order of the alphabet."""
    if len(names) <= MANY:
        return names
    at = bisect_left(names, name)
    return names[max(at - MANY // 4, 0) : at + MANY // 4]


def distance(a: str, b: str) -> int:
    """Edits between two words: insertions, deletions, replacements and swaps of neighbours (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row, last = row, [i], before
        for j, y in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]
