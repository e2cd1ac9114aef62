"""Examples laid side by side into packs, whole. It knows lengths only."""

from collections.abc import Sequence


def packs(lengths: Sequence[int], capacity: int) -> list[list[int]]:
    """Indices of the examples in packs of at most `capacity` tokens, an example longer than that alone: first fit, the longest first.

    Every index stands in one pack; packs come in the order in which they were begun, indices in a pack in their own. The number of packs is at
    most 11/9 of the fewest possible, plus 6/9 (Dósa 2007).
    """
    made: list[list[int]] = []
    room: list[int] = []
    for i in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        at = next((p for p, left in enumerate(room) if lengths[i] <= left), None)
        if at is None:
            made.append([])
            room.append(capacity)
            at = len(made) - 1
        made[at].append(i)
        room[at] -= lengths[i]
    return [sorted(pack) for pack in made]
