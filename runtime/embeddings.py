"""Texts to vectors by a sentence-embedding model: what is known comes from the store, the rest is read and kept as it comes. Knows no skills."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ..compiler.diagnostics import Fault
from ..compiler.plan.stages import Model
from .context import Context
from .embedders.sentence_files import SentenceFiles, sentence_files
from .engines.model_files import is_hub_id
from .engines.students import Students
from .events import Notice, Passed, Progress
from .identity import digest
from .store import fingerprint

if TYPE_CHECKING:
    from .embedders.embedder import Embedder, SentenceTokenizer

VECTORS = {"vector": pl.List(pl.Float32()), "tokens": pl.Int64(), "cut": pl.Boolean()}
"""`vector` is of length 1, or empty for a text without a token; `tokens` are those that were read; `cut`: there were more."""
ENGINE = "transformers"
TOGETHER, TOGETHER_ON_GPU = 64, 4_096
"""So many texts are read before anybody is told."""
SHARD_SECONDS = 10.0
"""What is read in so long is kept together: what a kill can cost."""


def embedding_files(model: Model, students: Students) -> SentenceFiles | None:
    """The model's files; None for a hub id that is yet to be fetched where nothing is fetched. Fault MIX0506, MIX0430."""
    try:
        return sentence_files(model, students.digests, over_network=students.fetches)
    except Fault as fault:
        if students.fetches or not is_hub_id(model.model) or Path(model.model).exists() or {d.code for d in fault.diagnostics} != {"MIX0506"}:
            raise
        return None


class Embeddings:
    """The vectors of one model in one run; the model is loaded when a text is first read. `stage` is who asks."""

    def __init__(self, stage: str, files: SentenceFiles, context: Context) -> None:
        self.files, self._stage, self._context = files, stage, context
        self._tokenizer: SentenceTokenizer | None = None
        self._embedder: Embedder | None = None
        identity = {"embedding": 1, "weights": files.digest, "dtype": files.model.dtype}
        self._shelf = context.store.shelf(fingerprint(identity), identity)

    @property
    def tokenizer(self) -> "SentenceTokenizer":
        """How the model reads texts. Fault MIX0506, MIX0509."""
        if self._tokenizer is None:
            from .embedders.embedder import SentenceTokenizer

            self._tokenizer = SentenceTokenizer(self.files)
        return self._tokenizer

    def missing(self, texts: pl.DataFrame) -> pl.DataFrame:
        """The rows of `texts` (a column `text`) that the store has no vector of, each text once, with their `key`, sorted by it. No model is loaded."""
        keyed = _keyed(texts).unique("key").sort("key")
        return keyed.join(self._load(keyed["key"]).select("key"), on="key", how="anti", maintain_order="left")

    def of(self, texts: pl.DataFrame) -> pl.DataFrame:
        """`texts` (a column `text`) in their order with `vector`, `tokens` and `cut`; what is not in the store is read, and kept also where the run is interrupted.

        Fault MIX0506, MIX0509, MIX0508.
        """
        keyed = _keyed(texts)
        with self._shelf.in_use():
            known = self._load(keyed["key"].unique())
            lacking = keyed.unique("key").sort("key").join(known.select("key"), on="key", how="anti", maintain_order="left")
            fresh = list(self._read(lacking)) if lacking.height else []
        return keyed.join(pl.concat([known, *fresh]), on="key", how="left", maintain_order="left").drop("key")

    @property
    def most(self) -> int:
        """The most tokens that are read of a text. Fault MIX0506, MIX0509."""
        return self.tokenizer.most

    def _load(self, keys: pl.Series) -> pl.DataFrame:
        return self._shelf.load(keys.to_list(), schema=VECTORS, say=lambda message: self._context.watch(Notice(self._stage, message)))

    def _read(self, lacking: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """The vectors of these texts, in shards that are in the store when they come, or when this ends."""
        embedder = self._loaded()
        beside = {"engine": ENGINE, "device": embedder.device_name}
        pieces: list[pl.DataFrame] = []
        step = TOGETHER if embedder.device.type == "cpu" else TOGETHER_ON_GPU
        read, spent, since = 0, 0.0, time.monotonic()
        self._context.watch(Progress(self._stage, 0, lacking.height, "texts"))
        try:
            for start in range(0, lacking.height, step):
                piece = lacking.slice(start, step)
                began = time.monotonic()
                pieces.append(piece.select("key").hstack(_vectors(embedder, piece["text"].to_list())))
                spent, read = spent + time.monotonic() - began, read + int(pieces[-1]["tokens"].sum())
                self._context.watch(Progress(self._stage, start + piece.height, lacking.height, "texts"))
                if time.monotonic() - since >= SHARD_SECONDS:
                    shard = pl.concat(pieces)
                    self._shelf.append(shard, beside)
                    pieces, since = [], time.monotonic()
                    yield shard
        finally:
            if pieces:
                self._shelf.append(pl.concat(pieces), beside)
        if pieces:
            yield pl.concat(pieces)
        model = self.files.model
        self._context.watch(Passed(
            stage=self._stage, tokens=read, seconds=spent, student=model.student, weights=self.files.digest, dtype=model.dtype,
            engine=ENGINE, device=embedder.device_name, what="embed",
        ))  # fmt: skip

    def _loaded(self) -> "Embedder":
        if self._embedder is None:
            from .embedders.embedder import Embedder

            self._embedder = Embedder(self.files, self.tokenizer, self._context.students.device())
        return self._embedder


def matrix(vectors: pl.Series) -> np.ndarray:
    """float64[texts, width] of vectors, zeros for an empty one."""
    width = int(vectors.list.len().max() or 0)  # type: ignore[arg-type]
    found = np.zeros((len(vectors), width))
    whole = (vectors.list.len() == width).to_numpy()
    if width:
        found[whole] = vectors.filter(pl.Series(whole)).explode().to_numpy().reshape(-1, width)
    return found


def _keyed(texts: pl.DataFrame) -> pl.DataFrame:
    return texts.with_columns(digest("text").alias("key"))


def _vectors(embedder: "Embedder", texts: list[str]) -> pl.DataFrame:
    """`vector`, `tokens` and `cut` of each text."""
    tokenizer = embedder.tokenizer
    ids = tokenizer.ids(texts)
    full = [i for i, one in enumerate(ids) if len(one) >= tokenizer.most]
    longer = {i for i, length in zip(full, tokenizer.lengths([texts[i] for i in full]), strict=True) if length > tokenizer.most}
    some = [i for i, one in enumerate(ids) if one]
    found: list[list[float]] = [[] for _ in texts]
    for i, vector in zip(some, embedder.vectors([ids[i] for i in some]), strict=True):
        found[i] = vector.tolist()
    return pl.DataFrame({"vector": found, "tokens": [len(one) for one in ids], "cut": [i in longer for i in range(len(ids))]}, schema=VECTORS)
