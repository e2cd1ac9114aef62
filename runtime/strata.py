"""The prompts of each leaf skill in the order in which a profile asks them: what is sampled, and from what. It asks no model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.plan.stages import Profile
from .identity import seeded_hash
from .rows import Rows
from .selection.targets import leaves
from .texts import FILE, ROW

Tree = tuple[tuple[str, str], ...] | None


@dataclass(frozen=True, slots=True)
class Strata:
    """`prompts`: a row a prompt that may be asked, in the order of their seeded hashes, with what the grader reads of it and where its text is.

    `leaves`: by chain the places in `prompts` of those of a leaf, the first to be asked first, none beyond the most; `available` counts all of them.
    `names`: the leaf's own name by chain. `without` of `every` prompts with a leaf lack what the grader reads; of `differing` ones the rows tell
    different things.
    """

    prompts: pl.DataFrame
    leaves: Mapping[str, np.ndarray]
    available: Mapping[str, int]
    names: Mapping[str, str]
    every: int
    without: int
    differing: int


def strata(stage: Profile, tree: Tree, rows: Rows) -> Strata:
    """The strata of the candidates. Fault MIX0530 where there is no prompt to ask.

    A prompt has the skills of all its candidates, and what the grader reads is that of the first of them, by row id, that has all of it. Which
    prompts are asked depends on their ids and the seed alone: a larger sample keeps the smaller, and skills that overlap share their prompts.
    """
    assert stage.grade is not None
    reads = list(dict.fromkeys(stage.grade.reads))
    parts = [_prompts(part, reads, tree) for part in rows.live(["row_id", "prompt_id", "prompt", FILE, ROW, "skills", *reads])]
    found = pl.concat(parts)
    if found.is_empty():
        raise _nothing(stage, "no candidate has a leaf of the skills", "nothing to ask", "`mixc skills SPEC` shows which rows have which skill")
    ready = found.filter(pl.col("ready"))
    if ready.is_empty():
        what = " and ".join(f"`{read.removeprefix('column:')}`" for read in reads)
        help = "name the column that has it, or take a grader that needs none"
        raise _nothing(stage, f"none of the {found.height:,} prompts has {what}, by which `{stage.grade.scorer}` grades", "nothing to grade by", help)
    ready = ready.with_columns(pl.Series("hash", seeded_hash(stage.seed, ready["prompt_id"]), dtype=pl.UInt64)).sort("hash", "prompt_id")
    pairs = ready.select("leaves").with_row_index("place").explode("leaves")
    counts = dict(pairs.group_by("leaves").len().iter_rows())
    first = pairs if stage.sample is None else pairs.group_by("leaves", maintain_order=True).head(stage.sample)
    places = {leaf: part["place"].to_numpy().astype(np.int64) for (leaf,), part in first.partition_by("leaves", as_dict=True).items()}
    chains = sorted(leaves(tree, counts))
    names = {chain: name for name, chain in tree} if tree is not None else {chain: chain for chain in chains}
    return Strata(
        prompts=ready.drop("leaves", "ready", "differs", "hash"),
        leaves={str(chain): places.get(chain, np.zeros(0, np.int64)) for chain in chains},
        available={chain: counts.get(chain, 0) for chain in chains},
        names=names,
        every=found.height,
        without=found.height - ready.height,
        differing=int(ready["differs"].sum()),
    )


def _prompts(part: pl.DataFrame, reads: Sequence[str], tree: Tree) -> pl.DataFrame:
    """A row a prompt that has a leaf: its `leaves`, the columns of its first ready row, whether it is `ready`, and whether its rows differ."""
    tagged = part.select("prompt_id", "skills").explode("skills", empty_as_null=True).drop_nulls("skills")
    if tree is not None:
        tagged = tagged.filter(pl.col("skills").is_in(list(leaves(tree, ()))))
    of = tagged.group_by("prompt_id").agg(pl.col("skills").unique().sort().alias("leaves"))
    ready = pl.all_horizontal([pl.lit(value=True), *(pl.col(read).is_not_null() for read in reads)])
    several = pl.struct(reads).struct.json_encode().n_unique().over("prompt_id") > 1 if reads else pl.lit(value=False)
    valued = part.drop("skills").join(of, on="prompt_id").with_columns(ready=ready)
    # Rows are sorted by row id, so the first of a prompt does not depend on the order of files.
    chosen = valued.sort("ready", "row_id", descending=[True, False]).unique("prompt_id", keep="first", maintain_order=True)
    differs = valued.filter(pl.col("ready")).select("prompt_id", differs=several).unique("prompt_id")
    return chosen.join(differs, on="prompt_id", how="left").with_columns(pl.col("differs").fill_null(value=False)).sort("prompt_id")


def _nothing(stage: Profile, why: str, label: str, help: str) -> Fault:
    return Fault(Diagnostic("MIX0530", f"the profile of `{stage.model.student}` cannot be measured: {why}", Label(stage.span, label), help=help))
