"""Fetches a student from the Hugging Face hub: config, tokenizer and safetensors only, at one commit. Loads nothing."""

from pathlib import Path

from ...compiler.diagnostics import Diagnostic, Fault, Label
from ...compiler.plan.stages import Model

HELP = "a student is a folder, a `.gguf` file, or a hub id that can be reached: did you mean `./{}`?"


def fetch(model: Model, patterns: list[str], *, over_network: bool = True) -> tuple[Path, str]:
    """The snapshot of a hub id and its commit, from the local cache alone where the hub cannot be, or is not to be, reached. Fault MIX0506."""
    try:
        from huggingface_hub import HfApi, snapshot_download
        from huggingface_hub.utils import disable_progress_bars
    except ImportError as error:
        message = f"`{model.model}` is a hub id, and the package huggingface_hub is not installed"
        label = Label(model.span, "to fetch this")
        raise Fault(Diagnostic("MIX0509", message, label, help='run `pip install "mixc[train]"`')) from error
    disable_progress_bars()
    commit, problem = model.revision, None
    try:  # answers in seconds where the download itself would go on trying
        if over_network:
            commit = HfApi().model_info(model.model, revision=model.revision, timeout=10).sha
    except Exception as error:  # httpx's and the hub's errors share no base, and the cache may still have it all
        problem = error
    try:
        path = Path(
            snapshot_download(
                model.model, revision=commit, allow_patterns=patterns, local_files_only=problem is not None or not over_network
            )
        )
    except Exception as error:
        lines = str(problem or error).strip().splitlines() or [type(error).__name__]
        message = f"`{model.model}` is no folder or file here, and cannot be fetched from the hub"
        label = Label(model.span, "this model")
        help = HELP.format(model.model)
        raise Fault(Diagnostic("MIX0506", message, label, notes=(lines[0],), help=help)) from error
    return path, path.name
