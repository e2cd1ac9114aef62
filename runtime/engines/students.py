"""The models of one run, each found and loaded once, when first asked for."""

import os
from pathlib import Path

from ...compiler.diagnostics import Fault
from ...compiler.plan.stages import Model
from .base import Engine
from .digests import Digests
from .load import load_config, longest
from .model_files import ModelFiles, is_hub_id, resolve
from .tokenizer import ChatTokenizer, load_tokenizer
from .transformers import load


class Students:
    """Files, tokenizers and engines by content: two students of equal files, dtype and template share one.

    `store_root` is the folder that remembers the digests of large files; None remembers them for this run only.
    Without `fetch` nothing comes over the network: a hub id is found in the local cache or not at all.
    """

    def __init__(self, store_root: Path | None = None, *, fetch: bool = True) -> None:
        # Read by OpenMP when torch is first imported: threads that wait without spinning leave a busy machine its cores.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        self._digests = Digests(store_root / "digests.json" if store_root is not None else None)
        self._fetch = fetch
        self._contexts: dict[Model, int | None] = {}
        self._files: dict[Model, ModelFiles] = {}
        self._tokenizers: dict[tuple[str, str], ChatTokenizer] = {}
        self._engines: dict[tuple[str, str, str, str], Engine] = {}

    def files(self, model: Model) -> ModelFiles:
        """Where the model's files are, and their digests. Fault MIX0506."""
        if model not in self._files:
            self._files[model] = resolve(model, self._digests, fetch=self._fetch)
        return self._files[model]

    def is_here(self, model: Model) -> bool:
        """Whether the model's files can be read; False for a hub id that is yet to be fetched. Fault MIX0506 for any other."""
        try:
            self.files(model)
        except Fault:
            if self._fetch or not is_hub_id(model.model):
                raise
            return False
        return True

    def context(self, model: Model) -> int | None:
        """The most tokens that the model reads at once; no weights are loaded. Fault MIX0506, MIX0509."""
        if model not in self._contexts:
            self._contexts[model] = longest(load_config(self.files(model)))
        return self._contexts[model]

    def tokenizer(self, model: Model) -> ChatTokenizer:
        """The model's tokenizer with its template; no weights are loaded. Fault MIX0506, MIX0507."""
        files = self.files(model)
        key = (files.tokenizer_digest, files.template_digest)
        if key not in self._tokenizers:
            self._tokenizers[key] = load_tokenizer(files)
        return self._tokenizers[key]

    def engine(self, model: Model) -> Engine:
        """The loaded model. Fault MIX0506, MIX0507."""
        key = self._engine_key(model)
        if key not in self._engines:
            self._engines[key] = load(self.files(model), model.dtype, self.tokenizer(model))
        return self._engines[key]

    def loaded(self, model: Model) -> Engine | None:
        """The model, where it has been loaded."""
        return self._engines.get(self._engine_key(model))

    def _engine_key(self, model: Model) -> tuple[str, str, str, str]:
        files = self.files(model)
        return (files.digest, files.tokenizer_digest, files.template_digest, model.dtype)
