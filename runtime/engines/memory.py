"""Memory for activations: how much there is, and that what was freed is used again. Knows nothing of models."""

import ctypes
import sys
from functools import cache
from typing import Any

# glibc's numbers of the two settings.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3


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
    return bool(mallopt(_MMAP_THRESHOLD, 2**30)) and bool(mallopt(_TRIM_THRESHOLD, 2**31 - 1))


def free_bytes(device: Any) -> int | None:
    """Bytes that can be taken on a torch device now; None where it cannot be told."""
    import torch

    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        import psutil
    except ImportError:
        return None
    return psutil.virtual_memory().available


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether torch could not get memory; what a GPU's allocator holds unused is given back."""
    import torch

    text = str(error)
    if not isinstance(error, torch.OutOfMemoryError) and "allocate memory" not in text and "enough memory" not in text:
        return False
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return True
