"""Why an optimum has a row in one build and not in the other, both times a candidate: what the objective and each clause's price add to its advantage, side by side."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from ...compiler.clauses import AtMost, Budget, Quota
from ..built import Built
from ..charges import NOISE, Clauses, Priced, aimed, priced, taken
from .ledgers import Ledger

OBJECTIVE, SOFT, AT_MOST = "objective", "soft quota", "keep at most"


@dataclass(frozen=True, slots=True)
class _Term:
    """What a part of the selection adds to the advantage of each row (f64[rows]) in the build that leaves them out and in the one that has them; which rows it counts in each.

    `at_bound` (bool[rows]): it counts the row, and is just met as a ceiling where the row is out, or as a floor where it is in.
    """

    kind: str
    clause: str | None
    counterpart: str | None
    out: np.ndarray
    inn: np.ndarray
    at_bound: np.ndarray | bool = False
    counts: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def same(self) -> bool:
        return self.clause == self.counterpart


def reads(ledger: Ledger) -> list[str]:
    """The columns that `outbid` asks of a ledger."""
    counted = [name for name in ledger.schema if name.startswith("column ") or name == "teacher value"]
    return ["teacher", "skills", "tokens", *(ledger.column(name) for name in ("objective", "advantage")), *counted]


def outbid(out: Ledger, inn: Ledger, here: pl.DataFrame, there: pl.DataFrame) -> pl.DataFrame:
    """Of rows that were candidates in both builds and selected in `inn` alone, those of `CAUSES` that prices know: the part that helped most to make it so.

    The advantage of a row is the objective and what every clause adds to it, so the parts add up to the difference of the two advantages. Where none
    of them is above rounding, for the prices are of the relaxation and many rows may be worth the same, it is a clause that is written otherwise and just met, if one counts the row:
    else the kind is `ties`. Where a build has no budget, nothing is charged in it.
    """
    sides = [(priced(_built(ledger, rows)), rows, ledger) for ledger, rows in ((out, here), (inn, there))]
    terms = _terms(sides[0], sides[1])
    gains = np.array([term.inn - term.out for term in terms])
    changed = np.array([not term.same for term in terms])
    scale = max((float(np.abs(term.inn).max(initial=0.0)) for term in terms if term.kind == OBJECTIVE), default=0.0)
    noise = max(NOISE * scale, *(p.noise({"tokens": _tokens(rows).max(initial=0)}) for p, rows, _ in sides), 1e-12)
    best = np.argmax(np.where(gains > noise, gains + np.where(changed, noise, 0.0)[:, None], -np.inf), axis=0)
    tied = gains.max(axis=0) <= noise
    for place in np.flatnonzero(changed):
        decides = tied & terms[place].at_bound
        best, tied = np.where(decides, place, best), tied & ~decides

    def pick(of: Callable[[_Term], object], untold: object) -> list[object]:
        each = [of(term) for term in terms]
        return [untold if tie else each[b] for b, tie in zip(best, tied, strict=True)]

    at = np.arange(len(best))
    out_charge, in_charge = (np.array([getattr(term, side) for term in terms])[best, at] for side in ("out", "inn"))
    advantages = [_float(rows, ledger.column("advantage")) for _, rows, ledger in sides]
    return pl.DataFrame(
        {
            "row_id": here["row_id"], "kind": pick(lambda t: t.kind, "ties"),
            "clause": pick(lambda t: t.clause, _maximised(sides[0][0])), "counterpart": pick(lambda t: t.counterpart, _maximised(sides[1][0])),
            "origin": _origins(terms, best, tied), "advantage out": advantages[0], "advantage in": advantages[1],
            "charge out": np.where(tied, np.nan, out_charge), "charge in": np.where(tied, np.nan, in_charge),
        },
        schema_overrides={name: pl.String for name in ("kind", "clause", "counterpart", "origin")},
    ).with_columns(pl.col(pl.Float64).fill_nan(None))  # fmt: skip


def _origins(terms: Sequence[_Term], best: np.ndarray, tied: np.ndarray) -> list[str]:
    found = []
    for row, (place, tie) in enumerate(zip(best, tied, strict=True)):
        term = terms[place]
        if tie:
            found.append("none")
        elif not term.same:
            found.append("recipe")
        elif term.kind == OBJECTIVE:
            found.append("value")
        else:
            relabelled = term.counts is not None and bool(term.counts[0][row] != term.counts[1][row])
            found.append("labels" if relabelled else "displaced")
    return found


Sided = tuple[Priced, pl.DataFrame, Ledger]


def _terms(first: Sided, second: Sided) -> list[_Term]:
    (out, here, _), (inn, there, _) = first, second
    worth = [_worth(*side) for side in (first, second)]
    objective = _Term(OBJECTIVE, _maximised(out), _maximised(inn), *worth)
    height = here.height
    found = [objective]
    for mine, theirs in paired(out.clauses, inn.clauses):
        clauses = [None if place is None else side.clauses[place] for side, place in ((out, mine), (inn, theirs))]
        charges = [np.zeros(height) if place is None else _charges(side, rows, place) for (side, rows, _), place in ((first, mine), (second, theirs))]
        counts = [_counts(side, rows, place) for (side, rows, _), place in ((first, mine), (second, theirs))]
        bound = _just_met(out, mine, "high") * counts[0] | _just_met(inn, theirs, "low") * counts[1]
        kind = "budget" if any(isinstance(c, Budget) for c in clauses) else "quota"
        found.append(_Term(kind, *(c.text if c else None for c in clauses), *charges, bound, (counts[0], counts[1])))
    if out.soft or inn.soft:
        texts = [side.soft["clause"] if side.soft else None for side in (out, inn)]
        found.append(_Term(SOFT, *texts, *(_aimed(side, rows) for side, rows, _ in (first, second))))
    if out.stage.at_most or inn.stage.at_most:
        texts = [side.stage.at_most.text if side.stage.at_most else None for side in (out, inn)]
        said = [sum((getattr(term, name) for term in found), np.zeros(height)) for name in ("out", "inn")]
        rest = [np.zeros(height) if text is None else np.nan_to_num(_float(rows, ledger.column("advantage")) - known) for text, known, (_, rows, ledger) in zip(texts, said, (first, second), strict=True)]
        found.append(_Term(AT_MOST, *texts, *rest))
    return found


def paired(out: Clauses, inn: Clauses) -> list[tuple[int | None, int | None]]:
    """The quotas and budgets of two selections by twos: those of one text, then of one group and unit, then of one group; what is left stands alone."""
    left, right = ([place for place, c in enumerate(side) if not isinstance(c, AtMost)] for side in (out, inn))
    found: list[tuple[int | None, int | None]] = []
    for key in (lambda c: c.text, _told, _of):
        for place in [*left]:
            twin = next((other for other in right if key(inn[other]) == key(out[place])), None)
            if twin is not None:
                found.append((place, twin))
                left.remove(place)
                right.remove(twin)
    found += [(place, None) for place in left] + [(None, place) for place in right]
    return sorted(found, key=lambda pair: (pair[0] is None, pair[0] or 0, pair[1] or 0))


def _told(c: Quota | Budget | AtMost) -> object:
    bounds = (c.low is None, c.high is None) if isinstance(c, Quota) else ()
    return (_of(c), getattr(c, "unit", None), bounds)


def _of(c: Quota | Budget | AtMost) -> object:
    return ("quota", c.group) if isinstance(c, Quota) else ("budget", getattr(c, "unit", None))


def _built(ledger: Ledger, rows: pl.DataFrame) -> Built:
    return Built(ledger.folder, ledger.plan, dict(ledger.manifest), rows)


def _maximised(side: Priced) -> str:
    return f"maximize {side.stage.objective_text}"


def _tokens(rows: pl.DataFrame) -> np.ndarray:
    return rows["tokens"].fill_null(0).to_numpy()


def _float(rows: pl.DataFrame, name: str) -> np.ndarray:
    return rows[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _worth(side: Priced, rows: pl.DataFrame, ledger: Ledger) -> np.ndarray:
    value = np.nan_to_num(_float(rows, ledger.column("objective")))
    return value * _tokens(rows) if side.weighted else value


def _counts(side: Priced, rows: pl.DataFrame, place: int | None) -> np.ndarray:
    members = None if place is None else side.members[place]
    return np.ones(rows.height, bool) if members is None else members.to_numpy()


def _just_met(side: Priced, place: int | None, bound: str) -> bool:
    told = None if place is None else side.told[place]
    return told is not None and told[bound] is not None and told["slack"] == 0


def _charges(side: Priced, rows: pl.DataFrame, place: int) -> np.ndarray:
    """f64[rows]: what a quota or budget adds to the objective of each row, below 0 where it costs."""
    clause, told = side.clauses[place], side.told[place]
    if isinstance(clause, AtMost) or told is None or not told["price"]:
        return np.zeros(rows.height)
    amount = taken(clause, _counts(side, rows, place), _tokens(rows), told["side"], side.counted)
    return amount * (-told["price"] if told["side"] == "high" else told["price"])


def _aimed(side: Priced, rows: pl.DataFrame) -> np.ndarray:
    if side.soft is None:
        return np.zeros(rows.height)
    soft = side.soft
    return np.array([sum(c.amount for c in aimed(soft, row)) for row in rows.select("skills", "tokens").iter_rows(named=True)], float)
