"""Why each of some rows is in one build and not in the other: told by the step that left it out, then by what is otherwise there. Knows two ledgers and what the plans say otherwise."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from ...compiler.plan.changes import Change
from ...compiler.plan.stages import Decontaminate, Dedup, Plan, Select
from ..path import UNCHOSEN, Clause, path
from . import filters, prices
from .found import CAUSES
from .ledgers import Ledger

BLOCKS = {"scan": ("corpus",), "teachers": ("teacher",), "heldout": ("evaluate",), "decontaminate": ("decontaminate",), "dedup": ("dedup",), "unread": ("corpus", "teacher")}
"""The declarations of a spec that say which rows come to the filters, by the kind of cause."""
NEW, GONE = "new data", "gone data"
DRAWN = f"{UNCHOSEN}drawn"


@dataclass(frozen=True, slots=True)
class Apart:
    """The build where the rows are `out`, the one that has them (`inn`), and what the plans say otherwise. `newer`: whether `inn` is the later one."""

    out: Ledger
    inn: Ledger
    changes: Sequence[Change]
    newer: bool

    @property
    def counterparts(self) -> Mapping[str, str | None]:
        """By the text of a clause of `out` that was changed what `inn` says in its place."""
        pairs = [(c.before, c.after) if self.newer else (c.after, c.before) for c in self.changes]
        return {mine.text: theirs and theirs.text for mine, theirs in pairs if mine is not None}

    def twin(self, clause: Clause) -> Clause | None:
        """The filter of `inn` that stands for one of `out`: of the same text, else the one that it was changed from or to."""
        named = {each.text: each for each in path(self.inn.plan)}
        return named.get(clause.text) or named.get(self.counterparts.get(clause.text) or "")

    def changed(self, kind: str) -> list[str]:
        """What the blocks that a kind of cause belongs to say otherwise, as the build says it where the rows are out, else as the other does."""
        found = [c for c in self.changes if c.block.split()[0] in BLOCKS[kind] and c.work.cost]
        sides = [(c.before or c.after) if self.newer else (c.after or c.before) for c in found]
        return [side.text for side in sides if side is not None]


def causes(apart: Apart, ids: pl.Series) -> pl.DataFrame:
    """`CAUSES` of the rows, in their order. They are selected in `inn` and not in `out`, and both ledgers are traced."""
    out, inn = apart.out, apart.inn
    theirs, mine = inn.places(ids), out.places(ids)
    step, reason = out.column("step"), "reason"
    last = len(path(out.plan)) + 1
    steps = out.read([step], mine)[step]
    dropped = [clause for clause in path(out.plan) if (steps == clause.number).any()]
    twins = [apart.twin(clause) for clause in dropped]
    priced = bool((steps == last).any())
    here = out.read([step, reason, *_columns(out, dropped, priced)], mine).with_columns(row_id=ids)
    there = inn.read(["row_id", *_columns(inn, [twin for twin in twins if twin], priced)], theirs)
    found = [_unread(apart, here.filter(pl.Series(mine.is_null())))]
    found += [_early(apart, here.filter((steps == 0).fill_null(value=False)))]
    for clause, twin in zip(dropped, twins, strict=True):
        rows = (steps == clause.number).fill_null(value=False)
        found.append(_filtered(apart, clause, twin, here.filter(rows), there.filter(rows)))
    rows = (steps == last).fill_null(value=False)
    found += _unchosen(apart, here.filter(rows), there.filter(rows))
    known = pl.concat([_whole(each, here) for each in found if each.height] or [pl.DataFrame(schema=CAUSES)])
    return pl.DataFrame({"row_id": ids}).join(known, on="row_id", how="left", maintain_order="left")


def _columns(ledger: Ledger, clauses: Sequence[Clause], priced: bool) -> list[str]:
    return [*(prices.reads(ledger) if priced else ()), *(name for clause in clauses for name in filters.reads(clause, ledger))]


def _whole(found: pl.DataFrame, here: pl.DataFrame) -> pl.DataFrame:
    """The same with every column of `CAUSES`, in its order; `why` is what the ledger says after the clause."""
    lacking = [pl.lit(None, dtype).alias(name) for name, dtype in CAUSES.items() if name not in found.columns and name != "why"]
    told = found.with_columns(lacking).join(here.select("row_id", "reason"), on="row_id", how="left", maintain_order="left")
    said = pl.when(pl.col("clause").is_not_null() & pl.col("reason").str.starts_with(pl.concat_str("clause", pl.lit(": ")))).then(
        pl.col("reason").str.slice(pl.col("clause").str.len_chars() + 2)
    )
    return told.with_columns(why=pl.coalesce(said, "reason")).select(CAUSES.names()).cast(CAUSES)  # type: ignore[arg-type]


def _unread(apart: Apart, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows that the other build never read: other data, or another `where` of the corpus."""
    said = apart.changed("unread")
    return rows.select(
        "row_id", kind=pl.lit("unread"), clause=pl.lit("; ".join(said) or None, pl.String), origin=pl.lit("recipe" if said else "data"),
        through=pl.lit(None if said else NEW if apart.newer else GONE, pl.String),
    )  # fmt: skip


def _early(apart: Apart, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows that were dropped before every filter, by the clause that their reason begins with."""
    texts = [stage.text for stage in apart.out.plan.stages if isinstance(stage, Decontaminate | Dedup)]
    same = {stage.text for stage in apart.inn.plan.stages if isinstance(stage, Decontaminate | Dedup)}
    head = pl.col("reason").str.split(": ").list.first()
    clause = pl.coalesce(*(pl.when(pl.col("reason").str.starts_with(f"{text}: ")).then(pl.lit(text)) for text in texts), head)
    found = rows.select("row_id", clause=clause).with_columns(kind=pl.col("clause").str.split(" ").list.first())
    moved = _files(apart.out) != _files(apart.inn)
    origin = pl.lit("data")
    for kind, blocks in BLOCKS.items():
        changed = any(c.block.split()[0] in blocks and c.work.cost for c in apart.changes)
        other = "rival" if kind == "dedup" else "data"
        origin = pl.when(pl.col("kind") == kind).then(pl.lit("recipe" if changed else other)).otherwise(origin)
    benchmarks = pl.when((pl.col("kind") == "decontaminate") & (pl.col("origin") == "data") & moved).then(pl.lit("another file"))
    twin = pl.when(pl.col("clause").is_in(list(same)) | ~pl.col("kind").is_in(["decontaminate", "dedup"])).then("clause")
    return found.with_columns(origin=origin, counterpart=twin).with_columns(through=benchmarks)


def _files(ledger: Ledger) -> object:
    return ledger.manifest.get("files")


def _filtered(apart: Apart, clause: Clause, twin: Clause | None, here: pl.DataFrame, there: pl.DataFrame) -> pl.DataFrame:
    found = filters.filtered(clause, twin, apart.out, apart.inn, here, there)
    told = found.with_columns(clause=pl.lit(clause.text), counterpart=pl.lit(twin and twin.text, pl.String))
    if twin is None or found["kind"][0] != "keep best":
        return told
    by = _came_between(apart, clause, twin, here["prompt_id"])
    return told.with_columns(prompt_id=here["prompt_id"]).join(by, on="prompt_id", how="left", maintain_order="left").with_columns(
        through=pl.when(pl.col("origin") == "rival").then("through")
    ).drop("prompt_id")


def _came_between(apart: Apart, clause: Clause, twin: Clause, prompts: pl.Series) -> pl.DataFrame:
    """Of each prompt what became, in the build that has the row, of the best of those that `clause` kept in the other and that did not come as far there: `through`."""
    out, inn = apart.out, apart.inn
    step, place = out.column("step"), out.column(clause.column("place"))
    kept = out.read(["prompt_id", step, place]).with_columns(row_id=out.ids)
    kept = kept.filter(pl.col("prompt_id").is_in(prompts.unique().implode()) & (pl.col(step).fill_null(clause.number + 1) > clause.number)).sort(place, "row_id", nulls_last=True)
    places = inn.places(kept["row_id"])
    there = inn.read(["reason", inn.column("step")], places)
    reached = pl.col(inn.column("step"))
    texts = {each.number: each.text for each in path(inn.plan) if each.number < twin.number}
    gone = pl.when(pl.Series(places.is_null())).then(pl.lit(GONE if apart.newer else NEW))
    early = pl.when(reached == 0).then(pl.col("reason").str.split(": ").list.first())
    dropped = reached.replace_strict(texts, default=None, return_dtype=pl.String) if texts else pl.lit(None, pl.String)
    through = there.select(through=pl.coalesce(gone, early, dropped, pl.when(reached == twin.number).then(pl.lit("its value"))))
    return kept.select("prompt_id").hstack(through).drop_nulls("through").group_by("prompt_id", maintain_order=True).first()


def _unchosen(apart: Apart, here: pl.DataFrame, there: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Rows that passed every filter: without an objective or tokens, drawn by chance, or outbid."""
    reason, out, inn = here["reason"], apart.out, apart.inn
    drawn, chosen = reason.str.starts_with(DRAWN), reason.str.starts_with(UNCHOSEN)
    lacking = here.filter(~chosen)
    if lacking.height:
        clause = pl.col("reason").str.split(": ").list.first()
        known = pl.col("clause").is_in(_texts(apart.inn.plan))
        told = lacking.select("row_id", kind=pl.lit("objective"), clause=clause)
        yield told.with_columns(counterpart=pl.when(known).then("clause"), origin=pl.when(known).then(pl.lit("value")).otherwise(pl.lit("recipe")))
    if drawn.any():
        clause = pl.col("reason").str.strip_prefix(DRAWN).str.strip_prefix(" by ").str.strip_chars("`")
        yield here.filter(drawn).select("row_id", kind=pl.lit("draw"), clause=clause, counterpart=clause, origin=pl.lit("displaced"))
    outbid = chosen & ~drawn
    if outbid.any():
        yield prices.outbid(out, inn, here.filter(outbid), there.filter(outbid))


def _texts(plan: Plan) -> list[str]:
    stage = next(s for s in plan.stages if isinstance(s, Select))
    return [f"maximize {stage.objective_text}", *(c.text for c in (*stage.quotas, *stage.budgets))]
