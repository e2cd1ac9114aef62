"""The sketch of many rows at once, as `compiler.plan.sketch` defines it: arrays in, the same cells out."""

import numpy as np

from ..compiler.plan.sketch import CELLS, MIX, SALTS, SPREAD, TABLES, Sketch


class Sketching:
    """Adds rows up. `add` may be called any number of times, in any order."""

    def __init__(self) -> None:
        self._counts = np.zeros(TABLES * CELLS, dtype=np.int64)
        self._words = np.zeros((3, TABLES * CELLS), dtype=np.uint64)

    def add(self, contents: np.ndarray, places: np.ndarray) -> None:
        """uint64[rows] digests of all values, uint32[rows] of what stays when they are edited."""
        contents, places = contents.astype(np.uint64), places.astype(np.uint64)
        checks = _mixed(contents ^ (places * np.uint64(SPREAD))) & np.uint64(0xFFFFFFFF)
        for table, salt in enumerate(SALTS):
            cells = (_mixed(contents ^ np.uint64(salt)) % np.uint64(CELLS)).astype(np.int64) + table * CELLS
            self._counts += np.bincount(cells, minlength=TABLES * CELLS)
            for sums, values in zip(self._words, (contents, places, checks), strict=True):
                np.bitwise_xor.at(sums, cells, values)

    def sketch(self) -> Sketch:
        """What the rows so far come to."""
        words = [each.tolist() for each in self._words]
        return Sketch(list(zip(self._counts.tolist(), *words, strict=True)))


def _mixed(words: np.ndarray) -> np.ndarray:
    words = (words ^ words >> np.uint64(30)) * np.uint64(MIX[0])
    words = (words ^ words >> np.uint64(27)) * np.uint64(MIX[1])
    return words ^ words >> np.uint64(31)
