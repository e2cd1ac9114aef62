"""Why an optimum has a row in one build and not in the other, both times a candidate: what the objective and each clause's price add to its advantage, side by side."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from ...compiler.clauses import AtMost, Budget, Quota
from ..built import Built
from ..charges import NOISE, Clauses, Priced, priced, taken
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


@dataclass(frozen=True, slots=True)
class _Side:
    """The rows in one of the builds: in its ledger, and as its prices see them. Everything asked of it is f64[rows] or bool[rows]."""

    priced: Priced
    rows: pl.DataFrame
    ledger: Ledger

    @property
    def maximised(self) -> str:
        return f"maximize {self.priced.stage.objective_text}"

    @property
    def tokens(self) -> np.ndarray:
        return self.rows["tokens"].fill_null(0).to_numpy()

    def column(self, name: str) -> np.ndarray:
        return self.rows[self.ledger.column(name)].cast(pl.Float64).fill_null(float("nan")).to_numpy()

    def advantage(self) -> np.ndarray:
        return self.column("advantage")

    def worth(self) -> np.ndarray:
        """The objective, by the tokens where they alone are budgeted."""
        value = np.nan_to_num(self.column("objective"))
        return value * self.tokens if self.priced.weighted else value

    def counts(self, place: int | None) -> np.ndarray:
        """Which rows a clause counts."""
        members = None if place is None else self.priced.members[place]
        return np.ones(self.rows.height, bool) if members is None else members.to_numpy()

    def charges(self, place: int | None) -> np.ndarray:
        """What a quota or budget adds to the objective of each row, below 0 where it costs."""
        clause, told = (None, None) if place is None else (self.priced.clauses[place], self.priced.told[place])
        if clause is None or isinstance(clause, AtMost) or told is None or not told["price"]:
            return np.zeros(self.rows.height)
        amount = taken(clause, self.counts(place), self.tokens, told["side"], self.priced.counted)
        return amount * (-told["price"] if told["side"] == "high" else told["price"])

    def aimed(self) -> np.ndarray:
        """What the prices of its targets add to each row: of every leaf that it has."""
        soft = self.priced.soft
        if soft is None:
            return np.zeros(self.rows.height)
        told = [(each["leaf"], float(each.get("price") or 0.0)) for each in soft["leaves"]]
        prices = pl.DataFrame(told, schema={"skills": pl.String, "price": pl.Float64}, orient="row")
        leaves = self.rows.select(pl.col("skills").list.unique()).with_row_index("row").explode("skills", empty_as_null=True)
        paid = leaves.join(prices, on="skills", how="left", maintain_order="left").group_by("row", maintain_order=True).agg(pl.col("price").sum())
        return paid["price"].to_numpy() * (self.tokens if soft["unit"] == "tokens" else 1)

    def full(self) -> np.ndarray:
        """Which rows are of a prompt that has as many selected rows as `keep at most` allows."""
        most = self.priced.stage.at_most
        if most is None:
            return np.zeros(self.rows.height, bool)
        chosen = self.ledger.read(["prompt_id", "status"]).filter(pl.col("status") == "selected")["prompt_id"].value_counts().filter(pl.col("count") >= most.count)
        return self.rows["prompt_id"].is_in(chosen["prompt_id"].implode()).to_numpy()

    def just_met(self, place: int | None, bound: str) -> bool:
        """Whether a clause has this bound (`low`, `high`) and not one more or less would do."""
        told = None if place is None else self.priced.told[place]
        return told is not None and told[bound] is not None and told["slack"] == 0


def reads(ledger: Ledger) -> list[str]:
    """The columns that `outbid` asks of a ledger."""
    counted = [name for name in ledger.schema if name.startswith("column ") or name == "teacher value"]
    return ["prompt_id", "teacher", "skills", "tokens", *(ledger.column(name) for name in ("objective", "advantage")), *counted]


def outbid(out: Ledger, inn: Ledger, here: pl.DataFrame, there: pl.DataFrame) -> pl.DataFrame:
    """Of rows that were candidates in both builds and selected in `inn` alone, those of `CAUSES` that prices know: the part that helped most to make it so.

    The advantage of a row is the objective and what every clause adds to it, so the parts add up to the difference of the two advantages. Where none
    of them is above rounding, for the prices are of the relaxation and many rows may be worth the same, it is a clause that is written otherwise and just met, if one counts the row:
    else the kind is `ties`. Where a build has no budget, nothing is charged in it.
    """
    sides = [_Side(priced(Built(ledger.folder, ledger.plan, dict(ledger.manifest), rows)), rows, ledger) for ledger, rows in ((out, here), (inn, there))]
    terms = _terms(sides[0], sides[1])
    gains = np.array([term.inn - term.out for term in terms])
    changed = np.array([not term.same for term in terms])
    scale = max((float(np.abs(term.inn).max(initial=0.0)) for term in terms if term.kind == OBJECTIVE), default=0.0)
    noise = max(NOISE * scale, *(side.priced.noise({"tokens": side.tokens.max(initial=0)}) for side in sides), 1e-12)
    best = np.argmax(np.where(gains > noise, gains + np.where(changed, noise, 0.0)[:, None], -np.inf), axis=0)
    tied = gains.max(axis=0) <= noise
    for place in sorted(np.flatnonzero(changed), key=lambda place: terms[place].kind != AT_MOST):
        decides = tied & terms[place].at_bound
        best, tied = np.where(decides, place, best), tied & ~decides

    def pick(of: Callable[[_Term], object], untold: object) -> list[object]:
        each = [of(term) for term in terms]
        return [untold if tie else each[b] for b, tie in zip(best, tied, strict=True)]

    at = np.arange(len(best))
    charges = [np.where(tied, np.nan, np.array([getattr(term, side) for term in terms])[best, at]) for side in ("out", "inn")]
    return pl.DataFrame(
        {
            "row_id": here["row_id"], "kind": pick(lambda t: t.kind, "ties"),
            "clause": pick(lambda t: t.clause, sides[0].maximised), "counterpart": pick(lambda t: t.counterpart, sides[1].maximised),
            "origin": _origins(terms, best, tied), "advantage out": sides[0].advantage(), "advantage in": sides[1].advantage(),
            "charge out": charges[0], "charge in": charges[1],
        },
        schema_overrides=dict.fromkeys(("kind", "clause", "counterpart", "origin"), pl.String),
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


def _terms(out: _Side, inn: _Side) -> list[_Term]:
    """The parts of the advantages on both sides: objective, quotas and budgets, soft targets, and `keep at most` for what is left."""
    found = [_Term(OBJECTIVE, out.maximised, inn.maximised, out.worth(), inn.worth())]
    for mine, theirs in paired(out.priced.clauses, inn.priced.clauses):
        clause = None if mine is None else out.priced.clauses[mine]
        counterpart = None if theirs is None else inn.priced.clauses[theirs]
        counts = out.counts(mine), inn.counts(theirs)
        bound = counts[0] * out.just_met(mine, "high") | counts[1] * inn.just_met(theirs, "low")
        kind = "budget" if isinstance(clause or counterpart, Budget) else "quota"
        found.append(_Term(kind, clause and clause.text, counterpart and counterpart.text, out.charges(mine), inn.charges(theirs), bound, counts))
    if out.priced.soft or inn.priced.soft:
        texts = [None if side.priced.soft is None else str(side.priced.soft["clause"]) for side in (out, inn)]
        found.append(_Term(SOFT, texts[0], texts[1], out.aimed(), inn.aimed()))
    most = out.priced.stage.at_most, inn.priced.stage.at_most
    if any(most):
        known = [np.sum([getattr(term, name) for term in found], axis=0) for name in ("out", "inn")]
        rest = [side.advantage() - said if limit else np.zeros(len(said)) for side, limit, said in zip((out, inn), most, known, strict=True)]
        found.append(_Term(AT_MOST, most[0] and most[0].text, most[1] and most[1].text, np.nan_to_num(rest[0]), np.nan_to_num(rest[1]), out.full()))
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
