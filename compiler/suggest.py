"""Did you mean: the nearest of the known names."""

from bisect import bisect_left
from collections.abc import Iterable

MANY = 128
"""Names of which each is looked at; thousands of misspelt names among thousands would take minutes."""
LONGEST = 64
"""Nothing longer is a misspelling that is worth its cost: the table of edits grows with both lengths."""
SHORTEST_PREFIX = 3


def suggest(name: str, known: Iterable[str]) -> str | None:
    """The known name nearest to `name`, if one is near; ties go to the first by name."""
    return next(iter(nearest(name, known)), None)


def sure(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` is a misspelling of, where no other is near: a machine may write it."""
    near = nearest(name, known, begun=False)
    return near[0] if len(near) == 1 else None


def nearest(name: str, known: Iterable[str], *, begun: bool = True) -> tuple[str, ...]:
    """All that `name` may be a misspelling of, the nearest first.

    Those that are the same but for case and underscores; else those within a third of its length in edits; else, with `begun`, those that it begins.
    """
    names = _few(name, sorted({k for k in known if k}))
    plain = _plain(name)
    if same := tuple(k for k in names if _plain(k) == plain):
        return tuple(sorted(same, key=lambda k: (k.lower() != name.lower(), k)))
    if not plain or len(name) > LONGEST:
        return ()
    limit = max(len(name) // 3, 1)
    letters = set(name.lower())
    # An edit adds, drops or replaces one letter: what differs in more letters needs no table.
    few = [k for k in names if abs(len(k) - len(name)) <= limit and len(letters.symmetric_difference(k.lower())) <= 2 * limit]
    near = [(distance(name.lower(), k.lower()), k) for k in few]
    if close := tuple(k for d, k in sorted(near) if d <= limit and d < max(len(k), len(name))):
        return close
    if not begun:
        return ()
    return tuple(k for k in names if len(plain) >= SHORTEST_PREFIX and _plain(k).startswith(plain))


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


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")
