"""Loads a student's weights with transformers, silently, and turns every failure into a diagnostic at the student's clause."""

import copy
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

from ...compiler.diagnostics import Diagnostic, Fault, Label
from ...compiler.source import Span
from .model_files import ModelFiles

DTYPES = {"bf16": "bfloat16", "fp32": "float32", "fp16": "float16"}


def load_model(files: ModelFiles, dtype: str) -> Any:
    """The causal model in `dtype` (bf16, fp32, fp16) on the CPU, in evaluation mode. Fault MIX0506, MIX0509."""
    with loading(files):
        import torch
        from transformers import AutoModelForCausalLM

        where = {"gguf_file": files.gguf} if files.gguf else {"use_safetensors": True}
        with _no_gguf_bar():
            model = AutoModelForCausalLM.from_pretrained(
                str(files.path), dtype=getattr(torch, DTYPES[dtype]), trust_remote_code=False, local_files_only=True, **where
            ).eval()
        if getattr(model.config.get_text_config(), "attn_logit_softcapping", None):
            model.set_attn_implementation("eager")  # the default leaves the cap on attention scores out
        return model


def longest(config: Any) -> int | None:
    """The most tokens that a model of this configuration reads at once; None where it names no bound."""
    return getattr(config.get_text_config(), "max_position_embeddings", None)


def device_name(device: Any) -> str:
    """`cpu`, or what the GPU calls itself: rates measured on one say nothing of another."""
    import torch

    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def load_config(files: ModelFiles) -> Any:
    """The configuration of the model, without its weights. Fault MIX0506, MIX0509."""
    with loading(files):
        from transformers import AutoConfig

        where = {"gguf_file": files.gguf} if files.gguf else {}
        return AutoConfig.from_pretrained(str(files.path), trust_remote_code=False, local_files_only=True, **where)


def parameters(files: ModelFiles) -> int:
    """How many numbers the model has; nothing is loaded for it. Fault MIX0506, MIX0509."""
    with loading(files):
        import torch
        from transformers import AutoModelForCausalLM

        with torch.device("meta"):
            return AutoModelForCausalLM.from_config(load_config(files)).num_parameters()


def load_for_training(files: ModelFiles, dtype: str) -> Any:
    """`load_model`, as a model that `save_pretrained` writes: transformers refuses to save one that came from a `.gguf` file."""
    model = load_model(files, dtype)
    if files.gguf is None:
        return model
    with loading(files):
        from transformers import AutoModelForCausalLM

        config = copy.deepcopy(model.config)
        if hasattr(config, "quantization_config"):
            del config.quantization_config
        fresh = AutoModelForCausalLM.from_config(config, dtype=model.dtype)
        fresh.load_state_dict(model.state_dict())
        fresh.tie_weights()
        fresh.generation_config = copy.deepcopy(model.generation_config)
        return fresh.eval()


@contextmanager
def quiet() -> Iterator[None]:
    """No bars of transformers and of the hub's library, which writes the files."""
    from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars
    from transformers.utils import logging

    logging.disable_progress_bar()
    before = are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if not before:
            enable_progress_bars()


@contextmanager
def _no_gguf_bar() -> Iterator[None]:
    """transformers draws the bar of a `.gguf` file with tqdm itself, which its own switch does not reach."""
    from transformers import modeling_gguf_pytorch_utils

    reader: Any = modeling_gguf_pytorch_utils
    bar = getattr(reader, "tqdm", None)
    if bar is None:
        yield
        return
    reader.tqdm = partial(bar, disable=True)
    try:
        yield
    finally:
        reader.tqdm = bar


def loading(files: ModelFiles) -> AbstractContextManager[None]:
    """Load something of `files`. Faults as `quietly`."""
    return quietly(f"student `{files.student}`", files.span, f" from `{files.gguf or files.path.name}`")


@contextmanager
def quietly(named: str, span: Span, place: str = "") -> Iterator[None]:
    """Load something of the model that messages call `named`, without bars and warnings; a missing package is MIX0509, whatever else is raised MIX0506."""
    try:
        from transformers.utils import logging

        logging.set_verbosity_error()
        logging.disable_progress_bar()
        yield
    except Fault:
        raise
    except ImportError as error:
        message = f"{named} needs a package that is not installed: {error.name or error}"
        raise Fault(Diagnostic("MIX0509", message, Label(span, "to load this"), help='run `pip install "mixc[train]"`')) from error
    except Exception as error:  # the file readers raise what they like: OSError, ValueError, SafetensorError, KeyError
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        note = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
        help = "check that the model's files are whole, and of an architecture that transformers knows"
        raise Fault(Diagnostic("MIX0506", f"{named} cannot be loaded{place}", Label(span, "this model"), notes=(note,), help=help)) from error
