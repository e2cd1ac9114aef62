"""Skills of rows by the nearness of their prompts to the leaves of the tree. Each prompt is read once, whatever the number of its responses.

What a row has follows from its prompt, the tree and the model alone: not from which other rows there are, their order, or what was in the store.
"""

import polars as pl

from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.plan.stages import Nearest, Tag
from .context import Context
from .embeddings import Embeddings, embedding_files, matrix
from .events import Notice
from .nearest import ARROW, describe, nearest, similarities
from .rows import Rows
from .selection.targets import leaves

PROMPTS = 50_000
"""So many prompts are looked at together."""
OPEN = "mixc:skills"
"""What `bounds.unknown` calls the skills of rows whose prompts have yet to be embedded."""
_SKILLS = pl.List(pl.String)


def by_embedding(stage: Tag, rows: Rows, context: Context) -> Rows:
    """The rows with `skills`, List(String), sorted; empty for rows that have a reason or no prompt, and where nothing is near enough.

    Fault MIX0430, MIX0506, MIX0509 for the model, MIX0508 for the store.
    """
    clause = _clause(stage)
    files = embedding_files(clause.model, context.students)
    if files is None:
        help = "`mixc build --until tag` fetches it and embeds the prompts"
        raise Fault(Diagnostic("MIX0506", f"`{clause.model.model}` is not here, and this command fetches nothing", Label(clause.model.span, "this model"), help=help))
    embeddings = Embeddings(stage.id, files, context)
    names = leaves(stage.tree or (), ())
    told = embeddings.of(pl.DataFrame({"text": texts_of_leaves(stage)}))
    where = matrix(told["vector"])
    cut = {"prompts": 0, "all": 0}

    def tagged(part: pl.DataFrame) -> pl.DataFrame:
        known = [pl.DataFrame(schema={"prompt": pl.String, "skills": _SKILLS})]
        for piece in _prompts(part).iter_slices(PROMPTS):
            found = embeddings.of(piece)
            cut["prompts"] += int(found["cut"].sum())
            cut["all"] += found.height
            some = found.filter(pl.col("vector").list.len() > 0)
            if some.height and where.shape[1]:
                near = nearest(clause, names, similarities(matrix(some["vector"]), where))
                known.append(some.select(pl.col("text").alias("prompt")).with_columns(pl.Series("skills", near, dtype=_SKILLS)))
        joined = part.join(pl.concat(known), on="prompt", how="left", maintain_order="left")
        live = pl.col("reason").is_null() & pl.col("skills").is_not_null()
        return joined.with_columns(skills=pl.when(live).then("skills").otherwise(pl.lit([], dtype=_SKILLS)))

    done = rows.map(tagged)
    if cut["prompts"]:
        said = f"{cut['prompts']:,} of {cut['all']:,} prompts are longer than the {embeddings.most:,} tokens that `{clause.model.model}` reads, and go by their beginning"
        context.watch(Notice(stage.id, said))
    if long := int(told["cut"].sum()):
        context.watch(Notice(stage.id, f"{long:,} skills are described in more than {embeddings.most:,} tokens, and go by the beginning"))
    if without := sum(int((part["skills"].list.len() == 0).sum()) for part in done.live(["skills"])):
        why = "has no leaf near enough" if clause.least is not None else "is empty"
        context.watch(Notice(stage.id, f"{without:,} of {done.alive:,} rows have no skill: their prompt {why}"))
    return done


def texts_of_leaves(stage: Tag) -> list[str]:
    """What is embedded of each leaf, in the order of their chains."""
    said = dict(stage.descriptions or ())
    return [describe(chain, said.get(chain.rpartition(ARROW)[2])) for chain in leaves(stage.tree or (), ())]


def lacking(stage: Tag, rows: Rows, context: Context) -> tuple[pl.DataFrame, int, Embeddings | None]:
    """What a run would embed: the `text`s without a vector in the store, how many have one, and the model (None where it is not here). Loads no model."""
    clause = _clause(stage)
    files = embedding_files(clause.model, context.students)
    texts = pl.concat([pl.DataFrame({"text": texts_of_leaves(stage)}), *(_prompts(part) for part in rows.each(["prompt", "reason"]))]).unique()
    if files is None:
        return texts, 0, None
    embeddings = Embeddings(stage.id, files, context)
    missing = embeddings.missing(texts)
    return missing.select("text"), texts.height - missing.height, embeddings


def untagged(rows: Rows) -> Rows:
    """The rows with skills that are not known yet."""
    return rows.map(lambda part: part.with_columns(pl.lit([], dtype=_SKILLS).alias("skills"), pl.col("reason").is_null().alias(f"open:{OPEN}")))


def _clause(stage: Tag) -> Nearest:
    if stage.nearest is None:
        raise ValueError(f"the stage {stage.id} tags by {stage.method}")
    return stage.nearest


def _prompts(part: pl.DataFrame) -> pl.DataFrame:
    """The prompts of the candidates, each once, as `text`."""
    return part.filter(pl.col("reason").is_null()).select(pl.col("prompt").alias("text")).drop_nulls().unique(maintain_order=True)
