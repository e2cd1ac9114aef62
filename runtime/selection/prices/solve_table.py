"""Solves a selection over a table of any size by Lagrangian prices, with a proof of how far from the best the answer can be.

Prices come from a sample of the prompts; one pass keeps the rows that any prices near those leave in play; a linear program over the rows in
doubt makes the prices exact, an integer program makes the rows whole; one pass in integers proves the bound. No answer depends on the order
of the rows, on files or on threads.
"""

from math import fsum

from ..outcomes import broken
from ..problem import Conflict, Infeasible
from ..table import Selected, Table
from .attempt import attempt
from .classes import Classes, classes
from .filled import filled
from .report import member, reported


def solve_table(table: Table) -> Selected | Infeasible:
    """The selection of nearly the highest objective among those that satisfy every clause, how near, or why there is none."""
    known = classes(table)
    if not table.budgets:
        return _everything(table, known)
    up_to = [b.amount for b in table.budgets if b.up_to]
    if up_to and table.count is None:
        return filled(table, known, min(*up_to, known.total, *up_to))
    return attempt(table, known, table.count)


def _everything(table: Table, known: Classes) -> Selected | Infeasible:
    held = table.frame.select("row", "prompt", "objective").collect(engine="streaming")
    fullest = int(held["prompt"].value_counts()["count"].max() or 0) if held.height else 0  # pyright: ignore[reportArgumentType]
    prices = (0.0,) * len(table.clauses)
    done = reported(table, known, known.rows, known.tokens, fullest, prices)
    for i, outcome in enumerate(done):
        if broken(outcome):
            return Infeasible(conflict=Conflict(members=(member(table, known, i),), changes=(), all_selected=True))
    total = fsum(held["objective"])
    return Selected(
        rows=held["row"].sort(),
        objective=total,
        bound=total,
        gap=0.0,
        resolution=0.0,
        method="all",
        outcomes=done,
        prices=prices,
        passes=2,
    )
