"""Two lists of clauses to the pairs that belong together: equal meanings first, then the same key in order, then what is left alone."""

from collections.abc import Iterator, Sequence

from .recite import Item

Pair = tuple[Item | None, Item | None]


def match(before: Sequence[Item], after: Sequence[Item]) -> Iterator[Pair]:
    """Every clause of either side once, in the order of `after`, those that are gone where they stood."""
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for same in (_means, _reads, _is_named):
        for there, new in enumerate(after):
            if there in partner:
                continue
            here = next((i for i, old in enumerate(before) if i not in taken and same(old, new)), None)
            if here is not None:
                partner[there] = here
                taken.add(here)
    gone = [i for i in range(len(before)) if i not in taken]
    for there, new in enumerate(after):
        here = partner.get(there)
        until = min((partner[later] for later in partner if later >= there), default=len(before))
        while gone and gone[0] < until:
            yield before[gone.pop(0)], None
        yield (None if here is None else before[here]), new
    yield from ((before[i], None) for i in gone)


def _means(old: Item, new: Item) -> bool:
    return old.key == new.key and old.meaning == new.meaning


def _reads(old: Item, new: Item) -> bool:
    """The same clause about the same thing: its first words but for the last are the same."""
    return old.key == new.key and old.text.rsplit(" ", 1)[0] == new.text.rsplit(" ", 1)[0]


def _is_named(old: Item, new: Item) -> bool:
    return old.key == new.key
