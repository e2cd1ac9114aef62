"""Why rows of a finished build are in or out: from the folder alone, what each clause saw of them and what its prices made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from ..compiler.clauses import Keep
from ..compiler.plan.stages import Evaluate
from ..compiler.plan.units import objective_unit, unit_of
from .account import Account, Rival, Standing, Ticket, Visit
from .built import Built, unreadable
from .charges import Priced, charges, priced
from .exchange import exchange
from .looks import holds, looks
from .named_rows import named_rows
from .path import Clause, path, unscored
from .why_not import needs

Row = Mapping[str, Any]


def why(build: Built, name: str, *, why_not: bool = False) -> tuple[Account, ...]:
    """The account of the row that `name` means, or of every row of the prompt, those that are in first.

    With `why_not` also the least changes that would let a dropped row in, or put a selected one out. Faults as `named_rows`; MIX0501 where a baseline's selection
    cannot be read.
    """
    chosen = named_rows(build, name)
    prices = priced(build)
    places = build.ledger.with_row_index("mixc:place").join(chosen.select("row_id"), on="row_id", how="semi")
    place = dict(places.select("row_id", "mixc:place").iter_rows())
    arms = _arms(build, chosen["row_id"])
    found = [replace(_account(build, prices, place[row["row_id"]], row), arms=arms.get(row["row_id"], ())) for row in chosen.iter_rows(named=True)]
    return tuple(replace(each, needs=needs(build, each)) for each in found) if why_not else tuple(found)


def _arms(build: Built, rows: pl.Series) -> dict[str, tuple[str, ...]]:
    """The baselines that selected each of these rows, in the order of the evaluation; none in a build that stopped before it wrote them."""
    stage = next((s for s in build.plan.stages if isinstance(s, Evaluate)), None)
    found: dict[str, tuple[str, ...]] = {}
    for arm in stage.arms if stage else ():
        path = build.folder / "arms" / arm.name / "selected.parquet"
        if arm.select is not None and path.is_file():
            try:
                mine = pl.scan_parquet(path, glob=False).select("row_id").filter(pl.col("row_id").is_in(rows.implode())).collect()["row_id"]
            except (pl.exceptions.PolarsError, OSError) as error:
                raise unreadable(build.folder, f"`arms/{arm.name}/selected.parquet`: {str(error).splitlines()[0]}", "build it again") from None
            found |= {row: (*found.get(row, ()), arm.name) for row in mine}
    return found


def _account(build: Built, prices: Priced, place: int, row: Row) -> Account:
    step, clauses = row[build.column("step")], path(build.plan)
    return Account(
        row_id=row["row_id"],
        prompt_id=row["prompt_id"],
        teacher=row["teacher"],
        skills=tuple(row["skills"] or ()),
        tokens=row["tokens"],
        selected=row["status"] == "selected",
        reason=row["reason"],
        step=step,
        tie=row[build.column("tie")],
        visits=tuple(_visit(build, clause, row, step) for clause in clauses),
        standing=_standing(build, prices, place, row, len(clauses)),
    )


def _visit(build: Built, clause: Clause, row: Row, step: int | None) -> Visit:
    outcome = "passed" if step is None or step > clause.number else "dropped" if step == clause.number else "not reached"
    if isinstance(clause.step, Keep):
        return _kept(build, clause, clause.step, row, outcome)
    seen = looks(build, clause, row)
    met = {atom.expression: look.met for atom, look in zip(clause.atoms, seen, strict=True)}
    would = holds(clause.step.condition, met) if outcome == "not reached" else None
    return Visit(number=clause.number, clause=clause.text, kind="where", outcome=outcome, would=would, looks=seen, scored=not unscored(build.plan, [clause.step.condition], step))


def _kept(build: Built, clause: Clause, keep: Keep, row: Row, outcome: str) -> Visit:
    value = clause.value
    found = None if value is None else build.value(value, row)
    number = float(found) if isinstance(found, int | float) else None
    ahead = row[build.column(clause.column("margin"))]
    rival = _rival(build, row[build.column(clause.column("rival"))], number, ahead)
    would = None
    if outcome == "not reached" and number is not None:
        would = rival is None or (rival.ahead or 0.0, rival.tie) > (0.0, row[build.column("tie")])
    return Visit(
        number=clause.number, clause=clause.text, kind="keep best", outcome=outcome, would=would, value=number,
        unit=unit_of(keep.by, build.plan), place=row[build.column(clause.column("place"))], count=keep.count, rival=rival,
        scored=not unscored(build.plan, [keep.by], row[build.column("step")]),
    )  # fmt: skip


def _rival(build: Built, row_id: str | None, mine: float | None, ahead: float | None) -> Rival | None:
    if row_id is None:
        return None
    other = build.ledger.row(by_predicate=pl.col("row_id") == row_id, named=True)
    value = None if mine is None or ahead is None else mine - ahead
    return Rival(row_id=row_id, prompt_id=other["prompt_id"], teacher=other["teacher"], value=value, ahead=ahead, tie=other[build.column("tie")])


def _standing(build: Built, prices: Priced, place: int, row: Row, filters: int) -> Standing | None:
    """Where the row stands among the candidates; None where it has no objective, or was dropped before there was any."""
    step, value = row[build.column("step")], row[build.column("objective")]
    if step == 0:
        return None
    if prices.drawn is not None:
        return _drawn(prices, prices.drawn, row)
    weighted = prices.weighted and row["tokens"] is not None
    worth = None if value is None else value * row["tokens"] if weighted else value
    known, counts = row[build.column("advantage")], build.ledger[build.column("step")]
    solved = build.ledger[build.column("advantage")].is_not_null().any()
    uncounted = prices.counts_tokens and row["tokens"] is None
    priceable = solved and not uncounted
    found, advantage = charges(prices, place, row, known, worth) if priceable and worth is not None else ((), None)
    candidate = (counts.fill_null(filters + 1) > filters) & build.ledger[build.column("objective")].is_not_null()
    if prices.counts_tokens:
        candidate &= build.ledger["tokens"].is_not_null()
    return Standing(
        clause=f"maximize {prices.stage.objective_text}",
        value=worth,
        unit=objective_unit(build.plan),
        weighted=weighted,
        charges=found,
        advantage=advantage,
        estimated=known is None,
        rival=exchange(build, prices, place, row, candidate) if priceable else None,
        scored=prices.stage.objective is None or not unscored(build.plan, [prices.stage.objective], step),
        unknown="its tokens were never counted" if uncounted and solved else None,
    )


def _drawn(prices: Priced, drawn: Sequence[Row], row: Row) -> Standing:
    """The standing of a row where rows are drawn: the leaves of it that are drawn from."""
    tickets = tuple(Ticket(**leaf) for leaf in drawn if leaf["leaf"] in (row["skills"] or ()))
    clause = prices.stage.soft.text if prices.stage.soft else ""
    return Standing(clause=clause, value=None, unit=None, weighted=False, charges=(), advantage=None, estimated=False, rival=None, tickets=tickets)
