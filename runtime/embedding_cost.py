"""What embedding texts would cost: tokens through the model, and time at the rate that earlier runs had. Loads a tokenizer at most."""

import polars as pl

from ..compiler.diagnostics import Fault
from ..compiler.plan.stages import Tag
from .costs import EXACT_ROWS, Cost, Pricing
from .embeddings import Embeddings
from .engines.characters import CHARACTERS
from .figure import Figure
from .lengths import BY_CHARACTERS, BY_TOKENIZER, NOT_AT_HAND
from .rates import rate


def embedding(stage: Tag, texts: pl.DataFrame, embeddings: Embeddings | None, cached: Figure, most: bool, pricing: Pricing) -> Cost:
    """The cost of the vectors that are not in the store: `texts` is what `by_embedding.lacking` gives, at `most` so many where not all rows may come so far.

    Many texts are counted by a sample of them; where the model is not here, by their characters.
    """
    if stage.nearest is None:
        raise ValueError(f"the stage {stage.id} embeds nothing")
    model = stage.nearest.model
    tokens, by = _tokens(texts, embeddings)
    known = None if embeddings is None else rate(pricing.context.store.root, embeddings.files.digest, model.dtype, "embed")
    given = {} if known is None else {"rate": known.tokens, "measured": f"measured in {known.runs} {'run' if known.runs == 1 else 'runs'} on {known.device}"}
    return Cost(
        stage=stage.id, what="embed", student=model.model, dtype=model.dtype, rows=Figure(value=texts.height, most=most), cached=cached,
        tokens=tokens.at_most() if most else tokens, by=by, **given,  # type: ignore[arg-type]
    )  # fmt: skip


def _tokens(texts: pl.DataFrame, embeddings: Embeddings | None) -> tuple[Figure, str]:
    every = int(texts["text"].str.len_chars().sum())
    few = texts.sort("text").gather_every(-(-texts.height // EXACT_ROWS)) if texts.height > EXACT_ROWS else texts
    try:
        if embeddings is None:
            return Figure(value=round(every / CHARACTERS), exact=False), BY_CHARACTERS
        sizes = pl.Series([len(ids) for ids in embeddings.tokenizer.ids(few["text"].to_list())], dtype=pl.Int64)
    except Fault as fault:
        if not {d.code for d in fault.diagnostics} <= set(NOT_AT_HAND):
            raise
        return Figure(value=round(every / CHARACTERS), exact=False), BY_CHARACTERS
    if few.height == texts.height:
        return Figure(value=int(sizes.sum())), BY_TOKENIZER
    error = float(sizes.std() or 0.0) / few.height**0.5 * texts.height  # type: ignore[arg-type]
    return Figure(value=round(int(sizes.sum()) / few.height * texts.height), exact=False, error=error), BY_TOKENIZER
