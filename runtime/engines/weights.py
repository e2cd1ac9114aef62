"""The folder from which vLLM loads a student: its own, or where it is a `.gguf` file what transformers makes of that, written once."""

import tempfile
import weakref
from pathlib import Path
from typing import Any

from ..store import Store, fingerprint
from .load import load_for_training
from .model_files import ModelFiles


def weights_folder(files: ModelFiles, dtype: str, store: Path | None, owner: Any) -> Path:
    """A folder with `config.json` and safetensors. Without a `store` what is written goes with `owner`. Fault MIX0506, MIX0508, MIX0509."""
    if files.gguf is None:
        return files.path

    def write(folder: Path) -> None:
        load_for_training(files, dtype).save_pretrained(folder)

    if store is None:
        folder = tempfile.TemporaryDirectory(prefix="mixc-weights-")
        weakref.finalize(owner, folder.cleanup)
        write(Path(folder.name))
        return Path(folder.name)
    name = fingerprint({"weights": files.digest, "dtype": dtype, "format": "safetensors"})
    kept = Store(store)
    return (kept.artifact("weights", name) or kept.save_artifact("weights", name, write)).resolve()
