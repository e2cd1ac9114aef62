"""Scores of a response read whole behind its prompt: one pass tells all of them, and each is an expression over its token table."""

from collections.abc import Iterator, Mapping

import polars as pl

from ...compiler.plan.passes import TAKES
from ...compiler.plan.stages import Score
from ..context import Context
from ..engines.base import ENTROPY, LOGPROB, RANK
from ..store import fingerprint
from ..windows import Answer, Pass, whole
from . import tables
from .answers import Texts, model, uncut
from .base import Aside, Expected, Reads
from .reading import Read, count, made_by, read

HIGHEST_RANK = 100
"""Above it a rank counts as this one (r_max of 2601.14249)."""


class FullContext:
    """What these scores share: the table `whole`. A stored row may lack what another score did not ask for."""

    name: str
    reports = True
    prefer = "held"

    def identity(self, stage: Score, context: Context) -> dict[str, object]:
        """That of the table: the model, and no scorer."""
        return tables.identity(stage, context, "whole")

    def schema(self, stage: Score) -> dict[str, pl.DataType]:
        """`why`; one list element a token: log-probability (nats), rank (at most 65,535) and entropy (nats), null where not asked; how many of these are `held`."""
        return tables.WHOLE

    def holds(self, stage: Score) -> pl.Expr:
        """Whether what this score takes has been told."""
        return pl.col("why").is_not_null() | pl.all_horizontal(pl.col(name).is_not_null() for name in TAKES[self.name])

    def compute(self, stage: Score, rows: pl.DataFrame, context: Context) -> Iterator[pl.DataFrame | Aside]:
        """The tokens of each row, or why it has none, with what later scores of this model take. Faults of the student: MIX0506, MIX0507."""
        also = self._asks(stage, not self._shelf(stage, context, rows["key"].to_list()).is_empty()) - {LOGPROB}

        def told(found: Mapping[str, Read | str]) -> Iterator[pl.DataFrame]:
            yield tables.whole({key: one if isinstance(one, str) else one.readings[0] for key, one in found.items()})

        texts = Texts(context.students.tokenizer(model(stage)), uncut)
        return read(stage, rows, context, texts, _ask, told, also)

    def made_by(self, stage: Score, context: Context) -> dict[str, str]:
        """See `base.Maker`."""
        return made_by(stage, context)

    def extents(self, stage: Score, stored: pl.DataFrame) -> pl.DataFrame:
        """See `base.Stepped`."""
        tokens = pl.coalesce(pl.col(LOGPROB).list.len(), pl.col(ENTROPY).list.len())
        return stored.select("key", tokens=tokens.cast(pl.UInt32), steps=pl.when(tokens > 0).then(pl.lit(1, pl.UInt32)))

    def reads(self, stage: Score, rows: pl.DataFrame, context: Context, expected: Expected, *, rough: bool = False) -> dict[int, Reads]:
        """See `base.Reader`. A response that the same model has read whole is not read again: see `Score.shares`."""
        heads = expected.heads.setdefault(tables.place(stage), {})
        known = expected.told.setdefault(tables.place(stage), {})
        lacking = [key for key in rows["key"].to_list() if not {*TAKES[self.name]} <= known.get(key, frozenset())]
        partly = bool(lacking) and (any(key in known for key in lacking) or not (rough or self._shelf(stage, context, lacking).is_empty()))
        waiting = set(lacking)
        also = self._asks(stage, partly)

        def ask(key: str, answer: Answer) -> list[Pass]:
            return _ask(key, answer) if key in waiting else []

        counted = count(stage, rows, context, uncut, ask, also - {LOGPROB}, rough=rough)
        for key, answer in counted.answers.items():
            heads[key] = len(answer.response)
            known[key] = known.get(key, frozenset()) | (also if key in waiting else frozenset())
        return counted.reads

    def _asks(self, stage: Score, partly: bool) -> frozenset[str]:
        """What its passes tell; all there is where some of it is known already, so that nothing of that is lost."""
        return frozenset(tables.TELLS if partly else (*TAKES[self.name], *stage.tells))

    def _shelf(self, stage: Score, context: Context, keys: list[str]) -> pl.DataFrame:
        """What the store has of these rows, whatever it lacks."""
        one = self.identity(stage, context)
        return context.store.shelf(fingerprint(one), one).load(keys, schema=tables.WHOLE, prefer=self.prefer)


class Mean(FullContext):
    """The mean of one number of each token."""

    column: str

    def value(self, stage: Score, stored: pl.DataFrame) -> pl.DataFrame:
        """Nats per token."""
        return valued(stored, _floats(self.column).list.mean())


class GlobalLogprob(Mean):
    """GALP, or GRAPE's score (2502.04194): the mean log-probability of the response's tokens after the prompt."""

    name = "global_logprob"
    column = LOGPROB


class Perplexity(FullContext):
    """exp of the mean negative log-probability of the response's tokens after the prompt."""

    name = "perplexity"
    better = "low"

    def value(self, stage: Score, stored: pl.DataFrame) -> pl.DataFrame:
        """At least 1."""
        return valued(stored, (-_floats(LOGPROB).list.mean()).exp())


class Entropy(Mean):
    """The mean entropy of the distributions that the response's tokens were drawn from."""

    name = "entropy"
    column = ENTROPY


class RankSurprisal(FullContext):
    """RSR (2601.14249): the sum of ranks, at most 100 each, over the sum of surprisals. The lower, the more it is worth; it compares answers to one prompt."""

    name = "rank_surprisal"
    better = "low"

    def value(self, stage: Score, stored: pl.DataFrame) -> pl.DataFrame:
        """Ranks per nat; null where the model is sure of every token."""
        found = stored.join(self.ratio(stage, stored), on="key", how="left", maintain_order="left")
        return valued(found, pl.col("over") / pl.col("under"), "the model is sure of every token")

    def ratio(self, stage: Score, stored: pl.DataFrame) -> pl.DataFrame:
        """See `base.Ratio`: a response's mean rank over its mean surprisal (nats)."""
        ranks = pl.col(RANK).list.eval(pl.element().cast(pl.Float64).clip(upper_bound=HIGHEST_RANK)).list.mean()
        surprisal = -_floats(LOGPROB).list.mean()
        return stored.select("key", over=pl.when(surprisal > 0).then(ranks), under=pl.when(surprisal > 0).then(surprisal))


def valued(stored: pl.DataFrame, value: pl.Expr, why: str | pl.Expr = "no tokens") -> pl.DataFrame:
    """`key`, `value`, and where it is null the reason that is stored, or `why`."""
    otherwise = pl.lit(why) if isinstance(why, str) else why
    found = stored.with_columns(value=value.cast(pl.Float64))
    return found.select("key", "value", pl.when(pl.col("value").is_null()).then(pl.coalesce("why", otherwise)).alias("why"))


def _floats(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.List(pl.Float64))


def _ask(key: str, answer: Answer) -> list[Pass]:
    return [whole(answer)]
