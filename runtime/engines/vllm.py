"""The engine that asks vLLM, in whatever process it is made: prompt log-probabilities, prefix caching off. It runs in one of its own (`remote`).

vLLM's cache of prefixes may hand out log-probabilities that are stale and depend on the order of requests: it is never switched on.
"""

import atexit
import importlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .base import LOGPROB, RANK, Generated, Reading, Request, Window
from .load import DTYPES, load_config
from .model_files import ModelFiles
from .tokenizer import ChatTokenizer

LOGITS = 2**27  # how many logits vLLM makes at once in float32: its memory profile does not count those of prompts
TURN = 256  # requests that are handed to it at once
BATCH_TOKENS = 16_384  # what is handed to it at once: it schedules them itself
CACHE_BYTES = 1 << 30  # of the keys and values on the CPU, where more is not needed
GPU_SHARE = 0.8  # of the memory; the rest is for the logits of prompts


def tells(dtype: str) -> frozenset[str]:
    """What vLLM tells: no entropy, and ranks only of float32. It counts tokens that are as probable to the rank, and in 16 bits many are."""
    return frozenset({LOGPROB, RANK}) if dtype == "fp32" else frozenset({LOGPROB})


class VllmEngine:
    """A model that vLLM has loaded from the folder `weights`. `room` is the longest sequence it is asked of, at most one token beyond its context."""

    name = "vllm"

    def __init__(self, weights: str, files: ModelFiles, dtype: str, tokenizer: ChatTokenizer, room: int) -> None:
        os.environ.update(
            # The engine works in this very process, which ends with who asked; nothing is told to anybody.
            VLLM_ENABLE_V1_MULTIPROCESSING="0",
            VLLM_NO_USAGE_STATS="1",
            DO_NOT_TRACK="1",
            # vLLM always writes a token after the prompt: a window as long as the context needs a place for it, and it is never read.
            VLLM_ALLOW_LONG_MAX_MODEL_LEN="1",
        )
        import torch

        cuda = torch.cuda.is_available()
        if not cuda:
            os.environ.setdefault("TORCHDYNAMO_DISABLE", "1")  # half a minute of compiling saves nothing here
            os.environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", "nobind")
        vllm = _vllm()
        config = load_config(files).get_text_config()
        tokens = min(max(LOGITS // config.vocab_size, 512), 8_192)
        where = {"gpu_memory_utilization": GPU_SHARE} if cuda else {"kv_cache_memory_bytes": max(CACHE_BYTES, 2 * room * _cached(config, dtype))}
        # It needs a tokenizer for schemas alone, and gets the very one that we read with: weights unpacked from a `.gguf` have none beside them.
        folder = tempfile.mkdtemp(prefix="mixc-tokenizer-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        tokenizer.hf.save_pretrained(folder)
        self.llm = vllm.LLM(
            weights, dtype=DTYPES[dtype], max_model_len=room, enforce_eager=True, enable_prefix_caching=False, seed=0,
            trust_remote_code=False, tokenizer=folder, generation_config="vllm", max_num_batched_tokens=tokens,
            structured_outputs_config={"backend": "guidance", "disable_any_whitespace": True}, disable_log_stats=True, **where,
        )  # fmt: skip
        self.tokenizer = tokenizer
        self.tokens = 0
        self._whole = None if cuda else tokens
        self.tells = tells(dtype)
        self.context: int | None = room - 1
        self.device = torch.cuda.get_device_name(0) if cuda else "cpu"

    def read(self, windows: Sequence[Window], also: frozenset[str] = frozenset()) -> Iterator[tuple[int, Reading]]:
        """See Engine: the longest windows first, some thousand tokens at a time. Every window reads its prompt again."""
        asking = _vllm().SamplingParams(max_tokens=1, temperature=0.0, prompt_logprobs=0, detokenize=False)
        for batch in _batches(windows):
            asked = [{"prompt_token_ids": [*windows[i].prompt, *windows[i].tokens]} for i in batch]
            for i, answer in zip(batch, self.llm.generate(asked, asking, use_tqdm=False), strict=True):
                window = windows[i]
                self.tokens += window.length - (answer.num_cached_tokens or 0)
                told = answer.prompt_logprobs[len(window.prompt) + window.start :]
                found = [entry[token] for entry, token in zip(told, window.tokens[window.start :], strict=True)]
                rank = np.array([one.rank for one in found], np.int32) if RANK in also else None
                yield i, Reading(np.array([one.logprob for one in found], np.float32), rank)

    def generate(self, requests: Sequence[Request], done: Callable[[int], None] | None = None) -> list[Generated]:
        """See Engine. An answer ends at the template's end of turn, at `max_tokens`, or where the context is full."""
        stops = self.tokenizer.stops()
        room = [min(one.max_tokens, (self.context or 0) - len(one.prompt)) for one in requests]
        able = [i for i in range(len(requests)) if room[i] > 0]
        found = [Generated("", (), False)] * len(requests)
        answered = len(requests) - len(able)
        for turn in _turns(requests, able, self._whole):  # it schedules them itself, and tells of none before all are done
            asked = [{"prompt_token_ids": list(requests[i].prompt)} for i in turn]
            made = self.llm.generate(asked, [_sampling(requests[i], room[i], stops) for i in turn], use_tqdm=False)
            for i, answer in zip(turn, made, strict=True):
                ids = list(answer.outputs[0].token_ids)
                self.tokens += len(requests[i].prompt) + max(len(ids) - 1, 0)  # the last one is never read
                finished = bool(ids) and ids[-1] in stops
                kept = ids[:-1] if finished else ids
                found[i] = Generated(self.tokenizer.text(kept), tuple(kept), finished)
            answered += len(turn)
            if done is not None:
                done(answered)
        return found

    def end(self) -> None:
        """See Engine: its memory goes with the process that it is in."""


def _vllm() -> Any:
    """The package, by its name: from a file of that name an import would find the file first."""
    return importlib.import_module("vllm")


def _turns(requests: Sequence[Request], able: Sequence[int], whole: int | None) -> Iterator[list[int]]:
    """Indices of requests that are handed over together; with `whole`, prompts of so many tokens at most where an answer is drawn.

    vLLM reads so many tokens at a time, and what does not fit in parts. On a processor it cannot draw by a seed while a prompt is read in parts.
    ValueError where a prompt alone is longer.
    """
    most = whole if any(requests[i].temperature for i in able) else None
    turn: list[int] = []
    size = 0
    for i in able:
        length = len(requests[i].prompt)
        if most is not None and length > most:
            raise ValueError(f"a prompt has {length:,} tokens, and on a processor vLLM can draw an answer to {most:,} at most")
        if turn and (len(turn) == TURN or (most is not None and size + length > most)):
            yield turn
            turn, size = [], 0
        turn.append(i)
        size += length
    if turn:
        yield turn


def _sampling(request: Request, room: int, stops: Sequence[int]) -> Any:
    """A request in vLLM's words: its own seed, and nothing that the model's own settings add."""
    package = _vllm()
    bounded = None
    if request.schema is not None:
        bounded = importlib.import_module("vllm.sampling_params").StructuredOutputsParams(json=request.schema)
    return package.SamplingParams(
        max_tokens=room, temperature=request.temperature, seed=request.seed if request.temperature else None, detokenize=False, ignore_eos=True,
        stop_token_ids=list(stops), structured_outputs=bounded,
    )  # fmt: skip


def _batches(windows: Sequence[Window]) -> Iterator[list[int]]:
    batch: list[int] = []
    size = 0
    for i in sorted(range(len(windows)), key=lambda i: (-windows[i].length, i)):
        if batch and size + windows[i].length > BATCH_TOKENS:
            yield batch
            batch, size = [], 0
        batch.append(i)
        size += windows[i].length
    if batch:
        yield batch


def _cached(config: Any, dtype: str) -> int:
    """The bytes of keys and values of one token, at most."""
    every = getattr(config, "num_attention_heads", None) or 1  # a state-space model has none, and caches less than this
    heads = getattr(config, "num_key_value_heads", None) or every
    width = getattr(config, "head_dim", None) or config.hidden_size // every
    return 2 * config.num_hidden_layers * heads * width * (4 if dtype == "fp32" else 2)
