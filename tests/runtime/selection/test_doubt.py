"""What a core leaves out is decided for all prices within its margin; the best of each run of rows."""

import numpy as np
import pytest
from mixc.runtime.selection.prices.classes import classes
from mixc.runtime.selection.prices.constraints import constraints
from mixc.runtime.selection.prices.doubt import Margin, core
from mixc.runtime.selection.prices.dual import point, system
from mixc.runtime.selection.prices.passes import sample
from mixc.runtime.selection.prices.pool import pool
from mixc.runtime.selection.prices.segments import runs, top
from mixc.tests.runtime.selection.test_prices import large, table


@pytest.mark.parametrize("most", [1, 2, 6, None])
def test_the_dual_of_the_core_is_that_of_the_pool(most: int | None) -> None:
    asked = table(large(4, 3000, most))
    known = classes(asked)
    made = constraints(asked, known)
    held, rows = system(made, 1.0, known), pool(sample(asked, known, 1.0))
    rng = np.random.default_rng(0)
    price = rng.normal(size=made.height) * 0.1
    room = Margin(np.full(len(known.rows), 0.05), np.full(len(known.rows), 1e-4))
    part = core(rows, made, held, price, 0.02, room)
    assert 0 < part.pool.size < rows.size and part.taken.any()
    tried = [p for p in price + rng.normal(size=(200, made.height)) * 0.01 if part.holds(p)]
    assert tried
    for moved in tried:
        whole, here = point(rows, held, moved, 0.02), point(part.pool, part.held, moved, 0.02)
        taken = part.taken.astype(float)
        taken[part.inside] = here.taken
        assert np.allclose(taken, whole.taken, atol=1e-3)
        gain = held.advantage(rows, price * 0)[part.taken].sum() - 0.01 * part.taken.sum()
        assert here.value + gain == pytest.approx(whole.value, rel=1e-6)


@pytest.mark.parametrize("count", [1, 2, 4, 5, 9])
@pytest.mark.parametrize("whole", [True, False])
def test_the_best_of_each_run_are_those_of_sorting(count: int, whole: bool) -> None:
    rng = np.random.default_rng(count)
    prompt = np.sort(rng.integers(0, 60, 300))
    gain = rng.integers(0, 6, 300) if whole else rng.normal(size=300)
    first, size, place = runs(prompt)
    assert size.sum() == 300 and np.array_equal(first[place], np.searchsorted(prompt, prompt))
    wanted = np.zeros(300, bool)
    for p in np.unique(prompt):
        rows = np.flatnonzero(prompt == p)
        wanted[rows[np.argsort(-gain[rows], kind="stable")[:count]]] = True
    assert np.array_equal(top(gain, first, place, count), wanted)
