"""The folder from which a student's weights are loaded: its own, or where it is a `.gguf` file what transformers makes of that, written once.

Reading a `.gguf` file takes transformers a quarter of a minute for a student of 135 million weights, and a build loads it several times.
"""

import json
import shutil
import tempfile
import weakref
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ...compiler.diagnostics import Fault
from ..shelf import IDENTITY
from ..store import Store, fingerprint
from .digests import of_file
from .load import load_for_training, quiet
from .model_files import ModelFiles

KIND = "weights"
"""What these artifacts are called in the store. Beside the files stands `identity.json`: the student's file, what was made of it, and the SHA-256 of each file."""
LARGE = 500_000_000
"""Bytes of a `.gguf` file whose float32 weights are not kept unless an engine can load nothing else."""


def unpacked(files: ModelFiles, store: Path | None, owner: Any) -> ModelFiles:
    """The same student with its weights as `weights_folder` has them, where that is quicker; the digests stay. Faults as there."""
    if files.gguf is None or store is None or (files.path / files.gguf).stat().st_size > LARGE:
        return files
    try:
        return replace(files, path=weights_folder(files, store, owner), gguf=None)
    except Fault as fault:  # no room, or no permission to write: it loads all the same
        if {d.code for d in fault.diagnostics} <= {"MIX0508", "MIX0512"}:
            return files
        raise


def weights_folder(files: ModelFiles, store: Path | None, owner: Any) -> Path:
    """A folder with `config.json` and safetensors, in float32 where they were quantised. Without a `store` what is written goes with `owner`. Fault MIX0506, MIX0508, MIX0509."""
    if files.gguf is None:
        return files.path

    def write(folder: Path) -> None:
        model = load_for_training(files, "fp32")
        with quiet():
            model.save_pretrained(folder)
        written = {file.name: of_file(file)[0] for file in sorted(folder.iterdir())}
        (folder / IDENTITY).write_text(json.dumps({**identity, "student": files.gguf, "files": written}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    identity = {"weights": files.digest, "dtype": "fp32", "format": "safetensors", "by": version("transformers")}
    if store is None:
        folder = tempfile.TemporaryDirectory(prefix="mixc-weights-")
        weakref.finalize(owner, folder.cleanup)
        write(Path(folder.name))
        return Path(folder.name)
    name = fingerprint(identity)
    kept = Store(store)
    found = kept.artifact(KIND, name)
    if found is not None and not _is_whole(found):
        shutil.rmtree(found, ignore_errors=True)
        found = None
    return (found or kept.save_artifact(KIND, name, write)).resolve()


def _is_whole(folder: Path) -> bool:
    """Whether the weights are there to the last byte that their headers tell of."""
    from safetensors import SafetensorError, safe_open

    files = sorted(folder.glob("*.safetensors"))
    try:
        for file in files:
            with safe_open(file, "pt") as opened:
                opened.keys()
    except (SafetensorError, OSError):
        return False
    return bool(files) and (folder / "config.json").is_file()
