"""The models of one run, each found and loaded once, when first asked for."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...compiler.diagnostics import Fault
from ...compiler.plan.stages import Model
from .alike import Alike
from .base import Engine, Window
from .batches import UNPACKED
from .checked import Checked
from .choice import TRANSFORMERS, VLLM, Choice, check_devices
from .devices import Devices, cuda_devices, environments
from .digests import Digests
from .expected import expected_tokens
from .load import load_config, longest
from .model_files import ModelFiles, is_hub_id, resolve
from .parity import Agreement
from .remote import Remote, Settings, require_vllm
from .stretch import stretched_from
from .tokenizer import ChatTokenizer, load_tokenizer
from .transformers import load
from .weights import unpacked, weights_folder


class Students:
    """Files, tokenizers and engines by content: two students of equal files, dtype and template share one.

    `store_root` is the folder that remembers the digests of large files; None remembers them for this run only.
    Without `fetch` nothing comes over the network: a hub id is found in the local cache or not at all. `choice` is the engine and its devices.
    """

    def __init__(self, store_root: Path | None = None, *, fetch: bool = True, choice: Choice = Choice()) -> None:  # noqa: B008  frozen
        # Read by OpenMP when torch is first imported: threads that wait without spinning leave a busy machine its cores.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        self._digests = Digests(store_root / "digests.json" if store_root is not None else None)
        self._root = store_root
        self._fetch = fetch
        self.choice = choice
        self._heard: list[Agreement | Alike | str] = []
        self._configs: dict[Model, Any] = {}
        self._files: dict[Model, ModelFiles] = {}
        self._tokenizers: dict[tuple[str, str], ChatTokenizer] = {}
        self._engines: dict[tuple[str, str, str, str], Engine] = {}

    @property
    def digests(self) -> Digests:
        """The digests of files, as far as they are remembered."""
        return self._digests

    @property
    def fetches(self) -> bool:
        """Whether anything comes over the network."""
        return self._fetch

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
        return longest(self._config(model))

    def expects(self, model: Model, windows: Sequence[Window], also: frozenset[str] = frozenset(), *, rough: bool = False) -> int:
        """The tokens that reading these windows takes, as far as it can be told before the model is loaded; `rough`: without a look at its files.
        Fault MIX0506, MIX0509."""
        config = None if rough else self._config(model)
        stretched = None if config is None else stretched_from(config)
        packs = config is None or config.get_text_config().model_type not in UNPACKED
        return expected_tokens(windows, self.choice, also, model.dtype, stretched, packs=packs)

    def tokenizer(self, model: Model) -> ChatTokenizer:
        """The model's tokenizer with its template; no weights are loaded. Fault MIX0506, MIX0507."""
        files = self.files(model)
        key = (files.tokenizer_digest, files.template_digest)
        if key not in self._tokenizers:
            self._tokenizers[key] = load_tokenizer(files)
        return self._tokenizers[key]

    def engine(self, model: Model) -> Engine:
        """The model, ready to be asked: loaded here, or by a process that starts when it first is. Fault MIX0506, MIX0507, MIX0521, MIX0522."""
        key = self._engine_key(model)
        if key not in self._engines:
            self._engines[key] = self._made(model)
        return self._engines[key]

    def loaded(self, model: Model) -> Engine | None:
        """The model, where it has been loaded."""
        return self._engines.get(self._engine_key(model))

    def release(self, model: Model) -> None:
        """Let go of the loaded model, for another to take its place; the next who asks loads it anew."""
        engine = self._engines.pop(self._engine_key(model), None)
        if engine is not None:
            engine.end()

    def _config(self, model: Model) -> Any:
        if model not in self._configs:
            self._configs[model] = load_config(self.files(model))
        return self._configs[model]

    def _engine_key(self, model: Model) -> tuple[str, str, str, str]:
        files = self.files(model)
        return (files.digest, files.tokenizer_digest, files.template_digest, model.dtype)

    def weights(self, model: Model) -> ModelFiles:
        """The model's files as they load quickest. Fault MIX0506, MIX0508."""
        return unpacked(self.files(model), self._root, self)

    def exact(self, model: Model) -> Engine:
        """The model in float32 by transformers, what others are measured against; loaded anew and not kept. Fault MIX0506, MIX0507."""
        return load(self.weights(model), "fp32", self.tokenizer(model))

    def device(self) -> Any:
        """The torch device that models are loaded on."""
        import torch

        return torch.device("cuda" if torch.cuda.is_available() else "cpu")

    def heard(self) -> list[Agreement | Alike | str]:
        """What engines have told since this was last asked: how far one agrees with another, and what one could not tell."""
        heard, self._heard = self._heard, []
        return heard

    def _made(self, model: Model) -> Engine:
        files = self.files(model)

        def here() -> Engine:
            loaded = load(self.weights(model), model.dtype, self.tokenizer(model))
            self._heard += loaded.remarks
            return loaded

        vllm = self.choice.engine == VLLM
        if vllm:
            require_vllm(files)
        count = check_devices(self.choice, len(cuda_devices()))
        if count == 1 and not vllm:
            return here()
        folder = weights_folder(files, self._root, self) if vllm else self.weights(model).path
        weights = str(folder) if vllm or folder != files.path else ""
        settings = [
            Settings(
                engine=VLLM if vllm else TRANSFORMERS, files=files, dtype=model.dtype, context=self.context(model), weights=weights, environment=one
            )
            for one in (environments(count) if count > 1 else [{}])
        ]
        engine = Devices([Remote(one) for one in settings]) if count > 1 else Remote(settings[0])
        if vllm:  # started when a sample has been read here, so that one device need not hold both
            return Checked(engine, here, files, model.dtype, self._heard_of, self._heard_of, lambda: self.tokenizer(model).stops())
        engine.start()
        self._heard += engine.remarks
        return engine

    def _heard_of(self, news: Agreement | Alike | str) -> None:
        self._heard.append(news)
