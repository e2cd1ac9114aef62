"""The stages over one frame, as tests write their rows: `Rows.of` before, its frame after."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import polars as pl
from mixc.compiler.plan.stages import Filter, Plan, Scan, Score, Select
from mixc.runtime import audit as audits
from mixc.runtime import datasets, ranking
from mixc.runtime import score as scores
from mixc.runtime import select as selection
from mixc.runtime.context import Context
from mixc.runtime.engines.students import Students
from mixc.runtime.events import Watch
from mixc.runtime.rows import Rows
from mixc.runtime.store import Store
from mixc.runtime.texts import Texts


def score(stage: Score, rows: pl.DataFrame, context: Context) -> Any:
    """As `score.score`."""
    done = scores.score(stage, Rows.of(rows), context)
    return SimpleNamespace(rows=done.rows.frame(), computed=done.computed, reused=done.reused, nulls=done.nulls, summary=done.summary)


def missing(stage: Score, rows: pl.DataFrame, context: Context, **known: bool) -> pl.DataFrame:
    """As `score.missing`."""
    return scores.missing(stage, Rows.of(rows), context, **known)


def from_store(stage: Score, rows: pl.DataFrame, context: Context, **known: bool) -> pl.DataFrame:
    """As `score.from_store`, with `open:NAME` in any case."""
    found = scores.from_store(stage, Rows.of(rows), context, **known).frame()
    return found if f"open:{stage.name}" in found.columns else found.with_columns(pl.lit(False).alias(f"open:{stage.name}"))


def filter_rows(stage: Filter, rows: pl.DataFrame) -> tuple[pl.DataFrame, tuple[selection.Step, ...]]:
    """As `select.filter_rows`."""
    done, steps = selection.filter_rows(stage, Rows.of(rows))
    return done.frame(), steps


def select(stage: Select, rows: pl.DataFrame, funnel: tuple[selection.Step, ...] = ()) -> Any:
    """As `select.select`."""
    done = selection.select(stage, Rows.of(rows), funnel)
    return SimpleNamespace(rows=done.rows.frame(), solution=done.solution, funnel=done.funnel, notices=done.notices)


def narrow(scan: Scan, needed: Collection[str], texts: Texts, watch: Watch, store: Store | None = None) -> pl.DataFrame:
    """As `datasets.scanned` with a store, else as `datasets.narrow`."""
    if store is None:
        return datasets.narrow(scan, needed, texts, watch)
    return datasets.scanned(scan, needed, Context(store, Students(), watch, texts)).frame()


def union(frames: Sequence[pl.DataFrame], scans: Sequence[Scan], watch: Watch, texts: Texts | None = None) -> pl.DataFrame:
    """As `datasets.union`, of corpora that fit into memory."""
    context = replace(Context(Store.__new__(Store), Students(), watch), texts=texts or Texts())
    return datasets.union([Rows.of(frame) for frame in frames], scans, context).frame()


def audit(plan: Plan, rows: pl.DataFrame) -> tuple[audits.Audit, ...]:
    """As `audit.audit`."""
    return audits.audit(plan, Rows.of(rows))


def means(found: pl.DataFrame, score: str, seed: int) -> dict[str, ranking.Mean]:
    """As `ranking.means` of one frame."""
    return ranking.means([found], score, seed)
