"""Rows of one prompt lie side by side: where each run of them starts, and which of a run are best. It knows neither prices nor clauses."""

import numpy as np

FEW = 4


def starts(prompt: np.ndarray) -> np.ndarray:
    """Where each run of equal numbers starts."""
    return np.flatnonzero(np.r_[True, prompt[1:] != prompt[:-1]])[: len(prompt)]


def runs(prompt: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where each run starts, how long it is, and the number of the run of each row."""
    first = starts(prompt)
    size = np.diff(np.r_[first, len(prompt)])
    return first, size, np.repeat(np.arange(len(first)), size)


def top(gain: np.ndarray, first: np.ndarray, place: np.ndarray, count: int) -> np.ndarray:
    """bool[rows]: the `count` greatest of each run, the earlier of equals first. `first`, `place`: as `runs` has them."""
    best = np.zeros(len(gain), bool)
    if not len(gain):
        return best
    if count > FEW:
        order = np.lexsort((-gain, place))
        best[order] = np.arange(len(gain)) - first[place] < count
        return best
    least = np.iinfo(gain.dtype).min if gain.dtype.kind == "i" else -np.inf
    left = gain
    for n in range(count):
        if n:
            left = np.where(best, least, gain)
        at = np.flatnonzero((left == np.maximum.reduceat(left, first)[place]) & ~best)
        best[at[starts(place[at])]] = True
    return best


def crowded(prompt: np.ndarray, most: int) -> np.ndarray:
    """The rows (indices) of the prompts that have more than `most`."""
    _, size, _ = runs(prompt)
    return np.flatnonzero(np.repeat(size > most, size))
