"""A sentence-embedding model, loaded: texts in, vectors of length 1 out. It knows one model; what its texts are for is the caller's business.

On a processor each text is read alone, so that its vector depends on nothing but itself: not on what else is asked, in which order, or what was asked
before a run was stopped. Reading them together would save a tenth of the time (docs/decisions/0034-skills-by-embedding.md). On a GPU texts of one
length are read together, without padding.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from ..engines.load import device_name, quietly
from .layers import Dense, LayerNorm, Normalize, Pooling
from .pool import pool
from .sentence_files import SentenceFiles, unsupported

TOGETHER = 16_384
"""Tokens that a GPU reads at once."""


class SentenceTokenizer:
    """How a model reads texts: with its prompt before them, cut at `most` tokens."""

    def __init__(self, files: SentenceFiles) -> None:
        with _loading(files):
            from transformers import AutoConfig, AutoTokenizer

            where = {"trust_remote_code": False, "local_files_only": True}
            self.files = files
            self.config = AutoConfig.from_pretrained(str(files.transformer), **where)
            self.hf: Any = AutoTokenizer.from_pretrained(str(files.transformer), **where)
        positions = getattr(self.config.get_text_config(), "max_position_embeddings", None)
        given = files.layers.most
        bounds = [given] if given else [self.hf.model_max_length]
        self.most = int(min(b for b in (*bounds, positions, 1 << 30) if b))
        self.prompt = self._prompt_tokens()

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """The tokens of each text, those that a model frames it with included, at most `most`."""
        return self.hf([self._whole(t) for t in texts], truncation=True, max_length=self.most)["input_ids"] if texts else []

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text has before it is cut."""
        import logging

        logger = logging.getLogger("transformers.tokenization_utils_base")
        level = logger.level
        logger.setLevel(logging.ERROR)  # it warns of texts that the model cannot take, which are cut before it sees them
        try:
            return [len(ids) for ids in self.hf([self._whole(t) for t in texts], truncation=False)["input_ids"]] if texts else []
        finally:
            logger.setLevel(level)

    def _whole(self, text: str) -> str:
        text = self.files.layers.prompt + text
        return text.lower() if self.files.layers.lower else text

    def _prompt_tokens(self) -> int:
        """The tokens that stand before the text itself: the prompt's, and what the model begins with."""
        if not self.files.layers.prompt:
            return 0
        ids = self.hf(self._whole(""))["input_ids"]
        ends = ids and ids[-1] in self.hf.all_special_ids
        return len(ids) - 1 if ends else len(ids)


class Embedder:
    """`width`: how many numbers a vector has. `device`: what it is on, as it calls itself."""

    def __init__(self, files: SentenceFiles, tokenizer: SentenceTokenizer, device: Any) -> None:
        with _loading(files):
            import torch
            from transformers import AutoModel, T5EncoderModel, UMT5EncoderModel

            config = tokenizer.config
            if getattr(config, "is_encoder_decoder", False) and config.model_type not in ("t5", "mt5", "umt5"):
                raise unsupported(files.model, f"is of the type `{config.model_type}`, which writes, and its encoder alone is not read here")
            by_type = {"t5": T5EncoderModel, "mt5": T5EncoderModel, "umt5": UMT5EncoderModel}
            kind = by_type.get(config.model_type, AutoModel)
            self.model: Any = kind.from_pretrained(
                str(files.transformer), dtype=torch.float32, use_safetensors=True, trust_remote_code=False, local_files_only=True
            ).eval().to(device)  # fmt: skip
            self.layers = [_made(layer, files, device) for layer in files.layers.layers]
        self.tokenizer, self.device = tokenizer, device

    @property
    def device_name(self) -> str:
        """`cpu`, or what the GPU calls itself."""
        return device_name(self.device)

    def vectors(self, tokens: Sequence[Sequence[int]]) -> np.ndarray:
        """float32[texts, width] of the tokens of texts: unit vectors, or zeros for a text of which the model makes nothing."""
        import torch

        found: list[Any] = [None] * len(tokens)
        with torch.inference_mode():
            for together in self._batches(tokens):
                ids = torch.tensor([list(tokens[i]) for i in together], dtype=torch.long, device=self.device)
                vectors = self._read(ids)
                vectors = torch.nn.functional.normalize(vectors.double(), dim=-1).float().cpu().numpy()
                for i, vector in zip(together, vectors, strict=True):
                    found[i] = vector
        return np.stack(found) if found else np.zeros((0, 0), np.float32)

    def _batches(self, tokens: Sequence[Sequence[int]]) -> Iterator[list[int]]:
        if self.device.type == "cpu":
            yield from ([i] for i in range(len(tokens)))
            return
        waiting: list[int] = []
        for i in sorted(range(len(tokens)), key=lambda i: (len(tokens[i]), i)):
            if waiting and (len(tokens[i]) != len(tokens[waiting[0]]) or (len(waiting) + 1) * len(tokens[i]) > TOGETHER):
                yield waiting
                waiting = []
            waiting.append(i)
        if waiting:
            yield waiting

    def _read(self, ids: Any) -> Any:
        import torch

        vectors = self.model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
        for layer in self.layers:
            vectors = layer(vectors, self.tokenizer.prompt)
        return vectors


def _made(layer: Pooling | Dense | LayerNorm | Normalize, files: SentenceFiles, device: Any) -> Any:
    """What turns the vectors so far, and how many tokens the prompt has, into those after the layer."""
    import torch

    match layer:
        case Pooling():
            return lambda states, prompt: pool(states, layer, prompt)
        case Normalize():
            return lambda vectors, prompt: torch.nn.functional.normalize(vectors, dim=-1)
        case LayerNorm(folder):
            weights = _weights(files, folder, device)
            return lambda vectors, prompt: torch.nn.functional.layer_norm(vectors, vectors.shape[-1:], weights["norm.weight"], weights["norm.bias"])
        case Dense(folder, activation, residual):
            weights = _weights(files, folder, device)
            apply = getattr(torch.nn, activation)()

            def dense(vectors: Any, prompt: int) -> Any:
                out = apply(torch.nn.functional.linear(vectors, weights["linear.weight"], weights.get("linear.bias")))
                if not residual:
                    return out
                beside = weights.get("residual.weight")
                return out + (vectors if beside is None else torch.nn.functional.linear(vectors, beside))

            return dense


def _weights(files: SentenceFiles, folder: str, device: Any) -> dict[str, Any]:
    from safetensors.torch import load_file

    found: dict[str, Any] = {}
    for file in sorted((files.path / folder).glob("*.safetensors")):
        found |= {name: tensor.float().to(device) for name, tensor in load_file(str(file)).items()}
    return found


def _loading(files: SentenceFiles) -> AbstractContextManager[None]:
    return quietly(f"the embedding model `{files.model.model}`", files.model.span)
