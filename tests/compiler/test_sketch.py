"""What two sketches tell of two sets, against the sets themselves; the sketch of many rows at once is the same."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mixc.compiler.plan.sketch import CELLS, TABLES, Key, Sketch, cells_of, check_of, parted, read_sketch
from mixc.runtime.sketching import Sketching

KEYS = st.builds(Key, st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1))


def drawn(seed: int, number: int) -> list[Key]:
    chance = random.Random(seed)
    return [Key(chance.getrandbits(64), chance.getrandbits(32)) for _ in range(number)]


def sketch(keys: list[Key]) -> Sketch:
    made = Sketch()
    made.add(keys)
    return made


@settings(max_examples=80, deadline=None)
@given(st.lists(KEYS, max_size=60, unique_by=lambda k: k.content), st.data())
def test_what_is_told_is_what_parts_the_sets(keys: list[Key], data: st.DataObject):
    cut = data.draw(st.integers(0, len(keys)))
    width = data.draw(st.integers(0, min(8, len(keys))))
    before, after = keys[:cut], keys[width:]
    found = parted(sketch(before), sketch(after))
    if found is not None:
        assert set(found.came) == set(after) - set(before) and set(found.went) == set(before) - set(after)


@pytest.mark.parametrize("came, went, told", [(0, 0, 1.0), (1, 0, 1.0), (10, 10, 0.98), (20, 18, 0.8), (60, 60, 0.0)])
def test_few_rows_are_told_of_any_number_and_many_never_wrongly(came: int, went: int, told: float):
    right = 0
    for seed in range(100):
        common, new, old = drawn(seed, 300), drawn(1000 + seed, came), drawn(2000 + seed, went)
        found = parted(sketch(common + old), sketch(new + common))
        if found is not None:
            assert (set(found.came), set(found.went)) == (set(new), set(old))
            right += 1
    assert right >= 100 * told and (told > 0 or right == 0)


def test_arrays_give_the_same_cells_in_any_order_and_parts():
    keys = drawn(3, 5000)
    made = Sketching()
    for part in (keys[4000:], keys[:1], keys[1:4000]):
        made.add(np.array([k.content for k in part], dtype=np.uint64), np.array([k.place for k in part], dtype=np.uint32))
    assert made.sketch() == sketch(keys) and made.sketch().text() == sketch(keys[::-1]).text()


def test_a_text_comes_back_and_nothing_else_is_one():
    made = sketch(drawn(1, 9))
    assert read_sketch(made.text()) == made and len(made.text()) == 1920
    for wrong in ("", "AAAA", made.text()[:-4], "é" * 1920):
        with pytest.raises(ValueError):
            read_sketch(wrong)


def test_a_row_stands_in_one_cell_of_each_table():
    for key in drawn(7, 200):
        cells = cells_of(key.content)
        assert [cell // CELLS for cell in cells] == list(range(TABLES)) and 0 <= check_of(key) < 2**32


def test_a_row_that_came_in_the_place_of_one_that_went_is_changed():
    old, new = [Key(1, 10), Key(2, 20), Key(3, 30), Key(4, 30)], [Key(5, 10), Key(6, 40), Key(7, 30)]
    found = parted(sketch(old), sketch(new))
    assert found is not None and (found.changed, len(found.came), len(found.went)) == (2, 3, 4)
