"""Checkpoints of an unfinished training: sealed once whole, the newest whole one found again. It knows no trainer."""

import json
import os
import shutil
from pathlib import Path

from ..files import write_atomic

SEAL = "whole.json"


def seal(checkpoint: Path, layout: str) -> None:
    """Say that all files of the checkpoint are on the disk, of what sizes, and what layout of processes wrote them."""
    sizes = {}
    for path in sorted(path for path in checkpoint.rglob("*") if path.is_file() and path.name != SEAL):
        with path.open("rb") as file:
            os.fsync(file.fileno())
        sizes[str(path.relative_to(checkpoint))] = path.stat().st_size
    write_atomic(checkpoint / SEAL, json.dumps({"layout": layout, "sizes": sizes}, sort_keys=True).encode())


def keep_only(folder: Path, checkpoint: Path) -> None:
    """Remove the other checkpoints of the folder: the newest is enough to go on from."""
    for path in folder.glob("checkpoint-*"):
        if path != checkpoint:
            shutil.rmtree(path, ignore_errors=True)


def newest_whole(folder: Path, layout: str) -> Path | None:
    """The newest sealed checkpoint of that layout whose files are of the sizes that were sealed; the others are removed."""
    whole: list[tuple[int, Path]] = []
    for path in sorted(folder.glob("checkpoint-*")):
        if _is_whole(path, layout):
            whole.append((int(path.name.rpartition("-")[2]), path))
        else:
            shutil.rmtree(path, ignore_errors=True)
    return max(whole)[1] if whole else None


def tokens_of(checkpoint: Path | None) -> int:
    """The tokens that were read before this checkpoint."""
    if checkpoint is None:
        return 0
    return int(json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8")).get("num_input_tokens_seen", 0))


def _is_whole(checkpoint: Path, layout: str) -> bool:
    try:
        told = json.loads((checkpoint / SEAL).read_text(encoding="utf-8"))
        return told["layout"] == layout and all((checkpoint / name).stat().st_size == size for name, size in told["sizes"].items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
