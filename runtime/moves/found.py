"""What parts the datasets of two builds, as data: rows that moved with the cause of each, causes with their counts, scores that shifted. Nothing here decides."""

from dataclasses import dataclass

import polars as pl

CAUSES = pl.Schema({
    "row_id": pl.String, "kind": pl.String, "clause": pl.String, "counterpart": pl.String, "origin": pl.String, "through": pl.String, "why": pl.String,
    "value out": pl.Float64, "value in": pl.Float64, "bound out": pl.Float64, "bound in": pl.Float64, "rival": pl.String,
    "advantage out": pl.Float64, "advantage in": pl.Float64, "charge out": pl.Float64, "charge in": pl.Float64,
})  # fmt: skip
"""Of a row that one build has (`in`) and the other has not (`out`) why that is. `kind`: what left it out (`KINDS`). `clause`: its text where the row is out, null where that
build has none; `counterpart`: what the other says in its place, the same text where it says the same, null where it says nothing. `origin`: what is otherwise (`ORIGINS`).
`through`: the clause, or `new data` and the like, by which that came about, where one row stands in another's way. `why`: what the ledger says of the row.

`value` is what the clause compared with `bound`; `advantage` what the row was worth less all prices, `charge` what `clause` added to that (below 0: cost).
"""

KINDS = (
    "scan", "teachers", "heldout", "decontaminate", "dedup", "filter", "keep best", "quota", "soft quota", "budget", "keep at most", "objective", "draw", "ties", "unread",
)  # fmt: skip
"""`unread`: the row is not in the ledger of the build that it is not selected in. `ties`: prices tell nothing, many selections are as good, or whole rows do not come out even."""

ORIGINS = ("recipe", "data", "value", "threshold", "rival", "labels", "displaced", "none")
"""`recipe`: the clause is written otherwise, or only one build has it. `data`: the corpora, or a file that decontaminates. `value`: the row's own value, `threshold`: the quantile or
rank that it is held against, `rival`: another row that stands in its place. `labels`: its skills, teacher or tokens. `displaced`: the clauses are the same, its price is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """The dual of a clause in both builds, 0 where it holds nothing back and None where there is none; `unit`: `example` or `token`."""

    before: float | None
    after: float | None
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Rows that moved the same way for the same reason. `through`: what it came about by, with the rows of each, most first. `examples`: ids of some of the rows."""

    move: str
    kind: str
    clause: str | None
    counterpart: str | None
    origin: str
    rows: int
    examples: tuple[str, ...]
    price: Price | None = None
    through: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A score of the rows that both ledgers have. `changed` rows have two values that differ: by `median` and at most by `most` (None of texts);
    `gained` have one only after, `lost` only before."""

    score: str
    changed: int
    median: float | None
    most: float | None
    gained: int
    lost: int

    @property
    def any(self) -> bool:
        return bool(self.changed or self.gained or self.lost)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """A teacher or a skill: its selected rows before and after, those that came and those that went."""

    name: str
    before: int
    after: int
    added: int
    removed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """Rows of the two ledgers: in both, and in one alone."""

    both: int
    only_before: int
    only_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """`rows`: those that moved, sorted by `move` and row id: `move` (added, removed), `prompt_id`, `teacher`, `skills`, `tokens` and `CAUSES` with `before` and `after` in the
    place of `in` and `out`; without causes where `uncaused` says why. `reweighted`: row id and weight `before` and `after` of kept rows. `relabelled` kept rows have another teacher,
    or other skills. `tokens` are None where not all are known."""

    before: int
    after: int
    kept: int
    tokens_before: int | None
    tokens_after: int | None
    rows: pl.DataFrame
    reweighted: pl.DataFrame
    relabelled: int
    scanned: Scanned
    causes: tuple[Cause, ...] = ()
    uncaused: str | None = None
    teachers: tuple[Tally, ...] = ()
    skills: tuple[Tally, ...] = ()
    shifts: tuple[Shift, ...] = ()
    scores_before: tuple[str, ...] = ()
    scores_after: tuple[str, ...] = ()

    @property
    def added(self) -> int:
        return self.after - self.kept

    @property
    def removed(self) -> int:
        return self.before - self.kept

    @property
    def any(self) -> bool:
        """Whether the datasets differ at all."""
        apart = (self.rows.height, self.reweighted.height, self.relabelled, self.scanned.only_before, self.scanned.only_after)
        return any(apart) or any(s.any for s in self.shifts) or self.scores_before != self.scores_after
