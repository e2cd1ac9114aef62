"""Why a filter took a row in one build and not in the other: the clause, the row's value, the threshold, or the row that won its place. Of rows of one filter."""

from collections.abc import Callable
from typing import Any

import polars as pl

from ...compiler.clauses import Keep
from ...compiler.expressions import Constant, conjuncts
from ..looks import COMPARE
from ..path import Atom, Clause, Side, barriers
from .ledgers import Ledger


def reads(clause: Clause, ledger: Ledger) -> list[str]:
    """The columns of the ledger that `filtered` asks for a clause of its build."""
    columns = [held for side in clause.sides if (held := ledger.held(side))]
    return [*columns, *(["prompt_id", ledger.column(clause.column("rival"))] if isinstance(clause.step, Keep) else [])]


def filtered(clause: Clause, counterpart: Clause | None, out: Ledger, inn: Ledger, here: pl.DataFrame, there: pl.DataFrame) -> pl.DataFrame:
    """Of rows that `clause` dropped in `out`, those of `CAUSES` that a filter has but `clause` and `counterpart`. `here` and `there` are the rows in the two ledgers.

    Where both builds have the clause, `origin` is what is otherwise of the row; else `recipe`. Of `keep best`, `rival` is the row that had the last place.
    """
    same = counterpart is not None and counterpart.text == clause.text
    moved = _moved(clause, counterpart, out, inn, here, there) if same and counterpart else [pl.lit(False)] * 2
    if isinstance(clause.step, Keep):
        seen = _values(clause, counterpart, out, inn)
        origin = pl.when(pl.any_horizontal(moved)).then(pl.lit("value")).otherwise(pl.lit("rival"))
        rival = pl.col(f"out {out.column(clause.column('rival'))}")
    else:
        seen = _compared(clause, counterpart, out, inn)
        origin = pl.when(moved[0]).then(pl.lit("value")).when(moved[1]).then(pl.lit("threshold")).otherwise(pl.lit("data"))
        rival = pl.lit(None, pl.String)
    return _beside(here, there).select(
        pl.col("out row_id").alias("row_id"),
        pl.lit("keep best" if isinstance(clause.step, Keep) else "filter").alias("kind"),
        (origin if same else pl.lit("recipe")).alias("origin"),
        *(value.cast(pl.Float64).alias(name) for name, value in seen.items()),
        rival.alias("rival"),
    )


def _beside(here: pl.DataFrame, there: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([here.select(pl.all().name.prefix("out ")), there.select(pl.all().name.prefix("in "))], how="horizontal")


def _moved(clause: Clause, counterpart: Clause, out: Ledger, inn: Ledger, here: pl.DataFrame, there: pl.DataFrame) -> list[pl.Expr]:
    """Whether what the row has by itself differs in the two builds, and whether a quantile or a rank does."""
    own: list[pl.Expr] = []
    others: list[pl.Expr] = []
    for side, twin in zip(clause.sides, counterpart.sides, strict=True):
        first, second = out.held(side), inn.held(twin)
        if first in here.columns and second in there.columns:
            (others if any(barriers(side.expression)) else own).append(pl.col(f"out {first}").ne_missing(pl.col(f"in {second}")))
    return [pl.any_horizontal(each) if each else pl.lit(False) for each in (own, others)]


def _values(clause: Clause, counterpart: Clause | None, out: Ledger, inn: Ledger) -> dict[str, pl.Expr]:
    """What `keep best` compares, on both sides; a text has no number."""
    found = {}
    for name, each, ledger in (("value out", clause, out), ("value in", counterpart, inn)):
        if each is not None and each.value is not None and (number := _number(each.value, ledger, name[6:])) is not None:
            found[name] = number
    return found


def _compared(clause: Clause, counterpart: Clause | None, out: Ledger, inn: Ledger) -> dict[str, pl.Expr]:
    """Value and bound of the first comparison that the row failed, and the same in the other build; nothing where `or` and `not` join them."""
    parts = conjuncts(clause.step.condition) if not isinstance(clause.step, Keep) else []
    if [atom.expression for atom in clause.atoms] != parts:
        return {}
    found: dict[str, list[pl.Expr]] = {"value out": [], "bound out": [], "value in": [], "bound in": []}
    earlier: pl.Expr = pl.lit(False)
    for atom in clause.atoms:
        failed = ~_met(atom, out).fill_null(value=False)
        twin = _twin(atom, counterpart)
        for side, ledger, each in (("out", out, atom), ("in", inn, twin)):
            for name, what in (("value", each and each.left), ("bound", each and each.right)):
                if what is not None and (number := _number(what, ledger, side)) is not None:
                    found[f"{name} {side}"].append(pl.when(failed & ~earlier).then(number))
        earlier = earlier | failed
    return {name: pl.coalesce(values) for name, values in found.items() if values}


def _met(atom: Atom, out: Ledger) -> pl.Expr:
    if atom.operator is None or atom.left is None or atom.right is None:
        held = out.held(atom.truth) if atom.truth else None
        return pl.col(f"out {held}") if held and out.schema[held] == pl.Boolean else pl.lit(True)
    left, right = (_side(side, out, "out") for side in (atom.left, atom.right))
    if left is None or right is None:
        return pl.lit(True)
    compare: Callable[[pl.Expr, pl.Expr], Any] = COMPARE[atom.operator]
    return compare(left, right)


def _twin(atom: Atom, counterpart: Clause | None) -> Atom | None:
    """The comparison of the same value in the other build's clause."""
    others = counterpart.atoms if counterpart is not None else ()
    return next((each for each in others if each.left and atom.left and (each.left.text, each.operator) == (atom.left.text, atom.operator)), None)


def _side(side: Side, ledger: Ledger, where: str) -> pl.Expr | None:
    held = ledger.held(side)
    return pl.col(f"{where} {held}") if held else None if side.column else pl.lit(side.constant)


def _number(side: Side, ledger: Ledger, where: str) -> pl.Expr | None:
    """The side as a number; None where it is none."""
    held = ledger.held(side)
    if held is None:
        number = isinstance(side.expression, Constant) and isinstance(side.constant, int | float) and not isinstance(side.constant, bool)
        return pl.lit(side.constant) if number else None
    return pl.col(f"{where} {held}") if ledger.schema[held].is_numeric() else None
