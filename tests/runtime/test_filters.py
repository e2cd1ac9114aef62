"""The filters of a stage run as one plan: what they leave, why, and how many each left, is what one after the other leaves in memory."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from mixc.compiler.plan.stages import Filter, Keep, Select, Where
from mixc.runtime.rows import alive
from mixc.runtime.select import DROPPED_AT, one_step, tied
from mixc.tests.compiler.test_polars_backend import SCHEMA, SPAN, conditions, frames, numbers
from mixc.tests.runtime.frames import filter_rows, select

steps = st.lists(
    st.builds(lambda e, n: Where(text=f"where {n}", condition=e, span=SPAN), conditions, st.integers(1, 9))
    | st.builds(lambda e, k: Keep(text=f"keep best {k}", count=k, by=e, span=SPAN), numbers, st.integers(1, 2)),
    max_size=4,
).map(tuple)


@settings(max_examples=150, deadline=None)
@given(frames(), steps)
def test_one_plan_leaves_what_one_filter_after_the_other_leaves(rows, steps):
    frame = pl.DataFrame(rows, schema=SCHEMA).drop("tie")
    expected, left = tied(frame, 5), []
    for step in steps:
        expected = one_step(expected, step).collect(engine="in-memory").sort("row_id")
        left.append((step.text, alive(expected)))
    chosen = select(Select(id="select", inputs=(), steps=steps, seed=5, span=SPAN), frame)
    assert [(step.clause, step.rows) for step in chosen.funnel] == left
    assert chosen.rows.select("row_id", "reason").equals(expected.select("row_id", "reason"))
    wheres = tuple(step for step in steps if isinstance(step, Where))
    if wheres == steps:
        done, counts = filter_rows(Filter(id="filter", inputs=(), wheres=wheres, seed=5, span=SPAN), frame.sample(fraction=1, shuffle=True, seed=1))
        assert done.drop(DROPPED_AT).equals(expected) and [(step.clause, step.rows) for step in counts] == left


