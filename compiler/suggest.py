"""Did you mean: the nearest of the known names."""

from collections.abc import Iterable


def suggest(name: str, known: Iterable[str]) -> str | None:
    """The known name nearest to `name`: the same but for case, else within a third of its length in edits; ties go to the first by name."""
    names = sorted(set(known))
    for candidate in names:
        if candidate.lower() == name.lower():
            return candidate
    limit = max(len(name) // 3, 1)
    best = min(names, key=lambda candidate: (distance(name, candidate), candidate), default=None)
    return best if best is not None and distance(name, best) <= limit else None


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
