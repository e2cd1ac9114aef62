"""Memory for activations: how much there is, and that what was freed is used again. Knows nothing of models."""

import ctypes
import os
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

# glibc's numbers of the two settings.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3


# How many compiled kernels oneDNN keeps, one a shape, of up to half a megabyte: those of about one row, whose shapes the next one does not have.
_KERNELS = "128"


def keep_few_kernels() -> None:
    """Have oneDNN keep the kernels of about a row, not of the last 1,024 shapes, which no later row has. Only before it has run anything; what the user has set stays."""
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", _KERNELS)


@cache
def reuse_freed_memory() -> bool:
    """Have the C library keep large blocks that are freed; whether it could be told.

    By default each large tensor is fresh memory from the kernel, whose pages are cleared when first written: on a
    processor that takes longer than most of what is computed in it.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return False
    trimmed = bool(mallopt(_TRIM_THRESHOLD, 2**31 - 1))
    return any(mallopt(_MMAP_THRESHOLD, size) for size in (2**30, 2**25)) and trimmed  # older versions take no more than 32 MB


def give_back_freed_memory() -> None:
    """Return what is kept and free to the system, holes between blocks of other sizes too: kept for ever, they would add up over a long scoring."""
    if sys.platform.startswith("linux"):
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


def free_bytes(device: Any) -> int | None:
    """Bytes that can be taken on a torch device now; None where it cannot be told."""
    import torch

    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        import psutil
    except ImportError:
        return None
    return min([psutil.virtual_memory().available, *_left_in_group()])


def _left_in_group(root: Path = Path("/sys/fs/cgroup")) -> list[int]:
    """What a container may still take, where there is a bound."""
    try:
        most, taken = (root / "memory.max").read_text().strip(), (root / "memory.current").read_text().strip()
        return [] if most == "max" else [max(0, int(most) - int(taken))]
    except (OSError, ValueError):
        return []


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether torch could not get memory; what a GPU's allocator holds unused is given back."""
    import torch

    text = str(error)
    if not isinstance(error, torch.OutOfMemoryError) and "allocate memory" not in text and "enough memory" not in text:
        return False
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return True
