"""A `Score` stage: what is known comes from the store, the scorer computes the rest, which is kept as it comes.

It knows keys, shards and counts; what a score means is the scorer's business.
"""

import re
import time
from collections import Counter
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import cast

import polars as pl

from ..compiler.plan.stages import Score
from .agreed import tell_agreed
from .chunks import in_chunks
from .context import Context
from .events import Event, Notice, Passed, Progress, ignore
from .identity import digest
from .pass_rates import PASS_RATE, attempts, grading, refuse_no_share, shares
from .precision import recalled
from .rows import Rows, alive
from .scorers import column
from .scorers.base import Aside, Maker, Partial, Pooled, Ratio, Reader, Scorer, Stepped, Stepwise
from .scorers.registry import computed, scorer
from .shelf import Shelf
from .store import fingerprint
from .texts import OWN

# A shard holds at least this many rows and this many seconds of work, or what a slow scorer does in the longer time.
SHARD_ROWS = 64
SHARD_SECONDS = 1.0
SHARD_SECONDS_SLOW = 20.0


@dataclass(frozen=True, slots=True)
class Scored:
    """The rows with their new columns, how many values were computed and reused, and how many are null for what."""

    rows: Rows
    computed: int
    reused: int
    nulls: dict[str, int]

    @property
    def summary(self) -> str:
        """One line for people."""
        stored = self.computed or self.reused
        first = f"{self.computed:,} scored, {self.reused:,} from the store" if stored else "read from the rows"
        alike = Counter[str]()
        for why, count in self.nulls.items():
            alike[re.sub(r"[0-9][0-9,.]*", "…", why)] += count
        return ", ".join([first, *(f"{count:,} without a value ({why})" for why, count in sorted(alike.items()))])


def score(stage: Score, rows: Rows, context: Context) -> Scored:
    """Add `score:NAME` and `score:NAME:why`, null for rows that have a `reason`; rows keep their order.

    Beside them stand `score:NAME:tokens` and `:steps` where the scorer is `base.Stepped`, `:over` and `:under` where it is a `base.Ratio`.

    What is computed is stored shard by shard, also when the run is interrupted. Faults are the scorer's, or MIX0508.
    """
    if stage.scorer == PASS_RATE:
        graded = score(grading(stage, rows), attempts(rows), context)
        refuse_no_share(stage, graded.rows)
        found = shares(stage, graded.rows)
        nulls = Counter(why for live in found.live([f"score:{stage.name}:why"]) for why in live.to_series().drop_nulls())
        return Scored(found, graded.computed, graded.reused, dict(nulls))
    if stage.scorer == "column":
        live = rows.candidates(stage.reads)
        return _joined(stage, rows, [column.read(stage, live)], 0, 0)
    asked = scorer(stage)
    if isinstance(asked, Pooled) and asked.pooled(stage):  # a value depends on all rows: they are read together
        found = [_scored(stage, asked, rows.candidates(), context)]
    else:
        found = [_scored(stage, asked, live, context) for live in rows.live()]
    return _joined(stage, rows, [values for values, _, _ in found], sum(fresh for _, fresh, _ in found), sum(known for _, _, known in found))


def _scored(stage: Score, asked: Scorer, live: pl.DataFrame, context: Context) -> tuple[pl.DataFrame, int, int]:
    """The new columns of these rows, in their order, and how many values were computed and reused."""
    live = live.with_columns(_key(stage, live))
    distinct = _distinct(stage, live)
    shelf = _shelf(stage, asked, context)
    with shelf.in_use():
        stored = _look_up(stage, asked, shelf, distinct["key"], context)
        missing = _with_texts(distinct.join(stored, on="key", how="anti", maintain_order="left"), context)
        fresh = _compute(stage, asked, missing, shelf, context) if len(missing) else []
    if stage.model is not None and isinstance(asked, Reader) and missing.is_empty() and len(stored):
        for each in recalled(stage.id, stage.model, context):
            context.watch(each)
    values = _values(stage, asked, pl.concat([stored, *fresh]))
    found = live.select("key").join(values, on="key", how="left", maintain_order="left").drop("key")
    return found, len(missing), len(stored)


def missing(stage: Score, rows: Rows, context: Context, *, absent: bool = False) -> pl.DataFrame:
    """What `score` would give to the scorer, without the texts: the live rows without a value in the store, each key once. Loads no model.

    Of a model that is `absent` nothing is in the store, for its fingerprint is not known.
    """
    if stage.scorer == PASS_RATE:
        each = grading(stage, rows)
        return pl.DataFrame() if each.scorer == "column" else missing(each, attempts(rows), context, absent=absent)
    found, chunks = [], 0
    for live in rows.live():
        distinct = _distinct(stage, live.with_columns(_key(stage, live))).with_columns(pl.col("chunk") + chunks)
        chunks = int(distinct["chunk"].max() or 0) + 1 if distinct.height else chunks  # type: ignore[arg-type]
        found.append(distinct if absent else _lacking(stage, distinct, context))
    return pl.concat(found)


def _lacking(stage: Score, distinct: pl.DataFrame, context: Context) -> pl.DataFrame:
    asked = scorer(stage)
    stored = _look_up(stage, asked, _shelf(stage, asked, context), distinct["key"], context)
    return distinct.join(stored, on="key", how="anti", maintain_order="left")


def from_store(stage: Score, rows: Rows, context: Context, *, absent: bool = False, exact: bool = True) -> Rows:
    """The rows with the columns of `score` as far as the store has them; `open:NAME` is true where it has not, or where a value depends on a pool of
    rows and these are not all `exact`ly those of a run. There is no such column where all is known."""
    if stage.scorer == PASS_RATE:
        each = grading(stage, rows)
        if each.scorer == "column":
            return score(stage, rows, context).rows
        return shares(stage, from_store(each, attempts(rows), context, absent=absent))
    asked = scorer(stage)
    pooled = isinstance(asked, Pooled) and asked.pooled(stage)
    parts = [_known(stage, asked, live, context, absent) for live in ([rows.candidates()] if pooled else rows.live())]
    lacking = pl.concat([found["known"] for found in parts]).is_null()
    found = [part.drop("known") for part in parts]
    if pooled and (lacking.any() or not exact):
        lacking = pl.repeat(True, len(lacking), eager=True)  # of one that is missing every value depends
        found = [f.with_columns(value=pl.lit(None, f.schema["value"]), why=pl.lit(None, pl.String)) for f in found]
    joined = _joined(stage, rows, found, 0, 0).rows
    if not lacking.any():
        return joined
    return _beside_live(joined, pl.DataFrame({f"open:{stage.name}": lacking})).map(
        lambda part: part.with_columns(pl.col(f"open:{stage.name}").fill_null(value=False))
    )


def _known(stage: Score, asked: Scorer, live: pl.DataFrame, context: Context, absent: bool) -> pl.DataFrame:
    """The columns of these rows as the store has them; `known` is null where it has not."""
    live = live.with_columns(_key(stage, live))
    stored = pl.DataFrame(schema={"key": pl.String, **asked.schema(stage)})
    if not absent:
        stored = _look_up(stage, asked, _shelf(stage, asked, context), live["key"].unique(), context)
    values = _values(stage, asked, stored).with_columns(known=True)
    return live.select("key").join(values, on="key", how="left", maintain_order="left").drop("key")


def stored_steps(stage: Score, rows: pl.DataFrame, context: Context) -> pl.DataFrame | None:
    """`row_id`, `step_tokens` and `step_logprob` (see `scorers.base.Stepwise`) of these rows, with their texts, as far as the store has them; None where
    the scorer keeps no steps."""
    asked = scorer(stage)
    if not isinstance(asked, Stepwise):
        return None
    keyed = rows.select("row_id", _key(stage, rows))
    stored = _look_up(stage, asked, _shelf(stage, asked, context), keyed["key"].unique(), context)
    return keyed.join(asked.step_values(stage, stored), on="key", how="inner", maintain_order="left").drop("key")


def _distinct(stage: Score, live: pl.DataFrame) -> pl.DataFrame:
    """Each key once, in the chunks and the order in which a scorer gets them."""
    return in_chunks(live.select(_wanted(stage, live)).unique("key", keep="first", maintain_order=True))


def _values(stage: Score, asked: Scorer, stored: pl.DataFrame) -> pl.DataFrame:
    """What the scorer makes of what is stored: `key`, `value`, `why`, and what else it can tell of a response."""
    values = asked.value(stage, stored)
    if isinstance(asked, Stepped):
        values = values.join(asked.extents(stage, stored), on="key", how="left", maintain_order="left")
    if isinstance(asked, Ratio):
        values = values.join(asked.ratio(stage, stored), on="key", how="left", maintain_order="left")
    return values


def _key(stage: Score, rows: pl.DataFrame) -> pl.Expr | pl.Series:
    """The row id where the scorer reads nothing else of the row, else the digest of the row id and of what it reads."""
    if not stage.reads:
        return pl.col("row_id").alias("key")
    texts = {name: pl.col(name) for name in stage.reads}
    for name in stage.reads:
        if rows.schema[name] != pl.String():
            texts[name] = pl.struct(name).struct.json_encode()
    return rows.select("row_id", **texts).select(digest("row_id", *texts)).to_series().alias("key")


def _with_texts(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """The rows as a scorer gets them: with prompt and response, without what stood for them."""
    return context.texts.add(rows, ("prompt", "response")).drop(*OWN, strict=False)


def _wanted(stage: Score, rows: pl.DataFrame) -> list[str]:
    texts = [name for name in ("prompt", "response", *OWN) if name in rows.columns]
    return list(dict.fromkeys(["key", "row_id", *texts, *stage.reads]))


def _shelf(stage: Score, asked: Scorer, context: Context) -> Shelf:
    identity = asked.identity(stage, context)
    return context.store.shelf(fingerprint(identity), identity)


def _look_up(stage: Score, asked: Scorer, shelf: Shelf, keys: pl.Series, context: Context) -> pl.DataFrame:
    partial = asked if isinstance(asked, Partial) else None
    stored = shelf.load(
        keys.to_list(), schema=asked.schema(stage), say=lambda message: context.watch(Notice(stage.id, message)), prefer=partial and partial.prefer
    )
    return stored if partial is None else stored.filter(partial.holds(stage))


def _compute(stage: Score, asked: Scorer, missing: pl.DataFrame, shelf: Shelf, context: Context) -> list[pl.DataFrame]:
    """What the scorer says of the missing rows, as frames that are in the store by the time this returns or raises."""
    order = ["key", *asked.schema(stage)]
    kept: list[pl.DataFrame] = []
    unkept: list[pl.DataFrame] = []
    asides: dict[str, list[Aside]] = {}

    def keep() -> None:
        made_by = asked.made_by(stage, context) if isinstance(asked, Maker) else None
        if unkept:
            shard = pl.concat(unkept)
            shelf.append(shard, made_by, prefer=asked.prefer if isinstance(asked, Partial) else None)
            kept.append(shard)
            unkept.clear()
        for name, rows in asides.items():  # after what they came with: a chunk whose rows are all kept is not read again
            context.store.shelf(name, rows[0].identity).append(pl.concat(one.frame for one in rows), made_by, prefer=rows[0].prefer)
        asides.clear()

    done, since = 0, time.monotonic()
    comparing = 0.0

    def fair(event: Event) -> None:
        """A model's pace is that of its reading: comparing engines, and loading both for it, is left out."""
        if isinstance(event, Passed):
            event = replace(event, seconds=max(event.seconds - comparing, 0.0))
        context.watch(event)

    tell = context.watch if not asked.reports else ignore
    tell(Progress(stage.id, 0, len(missing), "responses"))
    # A scorer is a generator: closing it ends its workers at once, whatever ended this loop.
    with closing(cast("Generator[pl.DataFrame | Aside]", computed(asked, stage, missing, replace(context, watch=fair)))) as frames:
        try:
            for frame in frames:
                if isinstance(frame, Aside):
                    asides.setdefault(fingerprint(frame.identity), []).append(frame)
                    continue
                unkept.append(frame.select(order))
                done += len(frame)
                comparing += tell_agreed(stage.id, context)
                tell(Progress(stage.id, done, len(missing), "responses"))
                seconds = time.monotonic() - since
                rows = sum(map(len, unkept))
                if (rows >= SHARD_ROWS and seconds >= SHARD_SECONDS) or seconds >= SHARD_SECONDS_SLOW:
                    keep()
                    since = time.monotonic()
        finally:
            keep()
    answered = pl.concat(kept)["key"] if kept else pl.Series("key", [], pl.String)
    if len(answered) != len(missing) or answered.n_unique() != len(missing):
        raise RuntimeError(f"the scorer {asked.name} answered for {answered.n_unique()} of {len(missing)} rows")
    return kept


def _joined(stage: Score, rows: Rows, parts: list[pl.DataFrame], computed: int, reused: int) -> Scored:
    """Put the columns of the live rows, in the order of the parts, beside all rows. A number that is not finite is no value."""
    found = pl.concat(parts)
    value = pl.col("value")
    if found.schema["value"].is_float():
        finite = value.is_finite()
        why = pl.when(~finite).then(pl.lit("not a finite number")).otherwise(pl.col("why"))
        found = found.with_columns(pl.when(finite).then(value), why=why)
    found = found.with_columns(why=pl.when(value.is_null()).then(pl.col("why").fill_null("no value")))
    nulls = dict(found["why"].drop_nulls().value_counts().iter_rows())
    names = {"value": f"score:{stage.name}"} | {name: f"score:{stage.name}:{name}" for name in found.columns if name != "value"}
    return Scored(_beside_live(rows, found.rename(names)), computed, reused, dict(sorted(nulls.items())))


def _beside_live(rows: Rows, columns: pl.DataFrame) -> Rows:
    """The rows with these columns of those without a reason, in the order of the parts; the others have null there."""
    start = 0

    def add(part: pl.DataFrame) -> pl.DataFrame:
        nonlocal start
        live = pl.col("reason").is_null()
        count = alive(part)
        mine, start = columns.slice(start, count), start + count
        if count == part.height:
            return part.with_columns(mine.get_columns())
        place = (live.cum_sum().cast(pl.UInt32) - 1).alias("mixc:place")
        found = part.select(pl.when(live).then(place)).to_series()
        return part.with_columns(mine[name].gather(found).alias(name) for name in mine.columns)

    return rows.map(add)
