"""Skills of rows by the words of their prompts. Each prompt is read once, whatever the number of its responses."""

import polars as pl

from ..compiler.backends.polars import refuse
from ..compiler.expressions import Column, Constant, Operation
from ..compiler.keywords import between_slashes, either
from ..compiler.plan.stages import Tag
from .events import Notice, Watch
from .rows import Rows

PROMPTS = 20_000
"""So many prompts are looked at together: each has a truth for every skill until the lists are made."""
_TOGETHER = 32
"""So many patterns make one regular expression: the engine limits the size of one."""


def by_keywords(stage: Tag, rows: Rows, watch: Watch) -> Rows:
    """The rows with `skills`, List(String), sorted: the chains of those that have a pattern in the prompt. A row without a prompt has none; rows without a skill are counted.

    Fault MIX0311, before any row is read, for a pattern that Rust's regex engine does not take.
    """
    chains = dict(stage.tree) if stage.tree is not None else None
    found = {(name if chains is None else chains[name]): patterns for name, patterns in stage.keywords or ()}
    for patterns in found.values():
        for pattern in patterns:
            if (written := between_slashes(pattern)) is not None:
                refuse(Operation("matches", (Column("role", "prompt"), Constant(written))), {"prompt": pl.String()}, stage.span)
    hits = [pl.when(_has(found[chain])).then(pl.lit(chain)) for chain in sorted(found)]
    skills = pl.concat_list(hits).list.drop_nulls() if hits else pl.lit([], dtype=pl.List(pl.String))

    def tagged(part: pl.DataFrame) -> pl.DataFrame:
        prompts = part.select("prompt").drop_nulls().unique(maintain_order=True)
        read = [piece.lazy().with_columns(skills=skills).collect() for piece in prompts.iter_slices(PROMPTS)]
        known = pl.concat([pl.DataFrame(schema={"prompt": pl.String, "skills": pl.List(pl.String)}), *read])
        joined = part.join(known, on="prompt", how="left", maintain_order="left")
        return joined.with_columns(pl.col("skills").fill_null(pl.lit([], dtype=pl.List(pl.String))))

    done = rows.map(tagged)
    if without := sum(int((part["skills"].list.len() == 0).sum()) for part in done.live(["skills"])):
        watch(Notice(stage.id, f"{without:,} of {done.alive:,} rows have no skill: no keyword is in their prompt"))
    return done


def _has(patterns: tuple[str, ...]) -> pl.Expr:
    groups = [patterns[start : start + _TOGETHER] for start in range(0, len(patterns), _TOGETHER)]
    return pl.any_horizontal([pl.col("prompt").str.contains(either(group)) for group in groups])
