"""Prices from a sample of the prompts, and how far they may be from those of the whole table. It reads no table."""

import numpy as np
import polars as pl

from .classes import Classes
from .constraints import Constraints
from .dual import system
from .newton import newton
from .pool import pool, unsorted
from .sifted import covariance, margin, within

SMALL = 200_000
COARSE = 16


def estimated(drawn: pl.DataFrame, made: Constraints, known: Classes, part: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Prices over the rows drawn as `sample` draws them, how they vary, and the smoothing they were found with: first over a sixteenth of the
    sample, then over what that leaves.
    """
    doubt = max(300, 12 * made.height)
    price, smooth = np.zeros(made.height), 0.25
    spread = np.zeros((made.height, made.height))
    if drawn.height > SMALL // COARSE:
        coarse = pool(drawn.filter(pl.col("mixc:hash") < int(part / COARSE * 2**64)))
        held = system(made, part / COARSE, known)
        rough = newton(coarse, made, held, price, smooth=smooth, doubt=doubt, least=2.0**-5, ridge=0.5)
        spread = covariance(coarse, held, rough, 1 / COARSE)
        price, smooth = rough.price, rough.smooth
    held, every = system(made, part, known), unsorted(drawn)
    inside = np.ones(drawn.height, bool)
    tries = 4 if spread.any() else 1
    while True:
        room = margin(held, spread, 2 * smooth + 2.0**-20) if spread.any() else None
        if room is not None:
            inside = within(every, held, price, room)
        sifted = pool(drawn.filter(pl.Series(inside)))
        found = newton(sifted, made, held, price, smooth=smooth, doubt=doubt, margin=room, least=2.0**-9, ridge=0.5)
        price, smooth, tries = found.price, found.smooth, tries - 1
        if not tries or not np.any((held.advantage(every, price) > 0) & ~inside):
            return price, covariance(sifted, held, found, part), smooth
