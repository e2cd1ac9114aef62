"""The rows of a matrix that only say how many of theirs are taken at most (`keep at most k per prompt`): what they cost follows
from the prices of the other rows, and so does how sure each column is.
"""

from dataclasses import dataclass

import numpy as np

from .matrix import NONE, Matrix


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """The leading `count` rows of a matrix, which have no column in common. `row` and `column`: their entries by row; `start`: where
    each begins; `most`: how many of its columns are 1 at most.
    """

    count: int
    row: np.ndarray
    column: np.ndarray
    start: np.ndarray
    most: np.ndarray

    def ends(self, advantage: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of each block the advantage of the last column that it lets in and of the first that it keeps out, none below zero."""
        value = advantage[self.column]
        value = np.maximum(value[np.lexsort((-value, self.row))], 0.0)
        return value[self.start + self.most - 1], value[self.start + self.most]


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """What prices say of each column: `base`, its value, and `doubt`, what it costs of the bound to do the opposite (by one where it may be more than 1).

    `price`: the prices, those of the blocks between their two ends. `bound`: no selection exceeds it; below zero for a value of
    nothing it says that there is no selection.
    """

    price: np.ndarray
    base: np.ndarray
    doubt: np.ndarray
    bound: float


def blocks(matrix: Matrix) -> Blocks:
    """The blocks of a matrix."""
    size = np.bincount(matrix.row, minlength=matrix.height)
    wrong = np.append((matrix.low != -NONE) | (matrix.high <= 0) | (matrix.high >= size), True)
    wrong[matrix.row[(matrix.value != 1) | (matrix.most[matrix.column] != 1)]] = True
    inside = matrix.row < int(np.argmax(wrong))
    row, column = matrix.row[inside], matrix.column[inside]
    order = np.lexsort((row, column))
    again = column[order][1:] == column[order][:-1]
    count = int(min(np.argmax(wrong), row[order][1:][again].min(initial=matrix.height)))
    row, column = row[row < count], column[row < count]
    order = np.argsort(row, kind="stable")
    return Blocks(count, row[order], column[order], np.searchsorted(row[order], np.arange(count)), matrix.high[:count])


def settle(matrix: Matrix, value: np.ndarray, price: np.ndarray, block: Blocks) -> Settled:
    """What `price` says. Those of the blocks are worked out anew, those of a sign that their row's bounds do not allow are left out."""
    price = np.where((price > 0) & (matrix.high == NONE) | (price < 0) & (matrix.low == -NONE), 0.0, price)
    price[: block.count] = 0.0
    advantage = (value - matrix.dot(price)).astype(float)
    last, first = block.ends(advantage)
    price[: block.count] = (last + first) / 2
    less_out, less_in = np.zeros(matrix.width), np.zeros(matrix.width)
    less_out[block.column], less_in[block.column] = first[block.row], last[block.row]
    net = advantage.copy()
    net[block.column] -= price[block.row]
    base = matrix.most * (net > 0)
    doubt = np.where(net > 0, advantage - less_out, less_in - advantage)
    at = np.where(price > 0, matrix.high, np.where(price < 0, matrix.low, 0))
    terms = price * at
    rounding = 1e-13 * float((matrix.most * np.abs(value)).sum() + np.abs(terms).sum() + np.abs(matrix.value * price[matrix.row]).sum())
    return Settled(price, base, np.maximum(doubt, 0.0), float(terms.sum() + (matrix.most * np.maximum(net, 0.0)).sum()) + rounding)
