"""How many tokens an engine will put through its model to read windows: what can be told of it before anything is loaded.

It does not know how much memory there is, or how many CUDA devices.
"""

from collections.abc import Sequence

from ..packing import pack, tokens
from .base import Window
from .batches import batch_tokens
from .choice import VLLM, Choice
from .devices import cut
from .stretch import apart
from .vllm import tells


def expected_tokens(
    windows: Sequence[Window], choice: Choice, also: frozenset[str], dtype: str, stretched: int | None = None, *, packs: bool = True
) -> int:
    """The tokens of all windows in packed rows (or padded batches, where the model's type is known not to pack), a prompt once in each part that is read by itself: a device's turn, what is longer than `stretched`.

    vLLM reads every window with its prompt; what it cannot tell (`also`), transformers tells.
    """
    asked = choice.engine
    if asked == VLLM and also <= tells(dtype):
        return sum(window.length for window in windows)
    several = asked != VLLM and (choice.devices or 1) > 1
    total = 0
    for turn in cut(windows) if several else [range(len(windows))]:
        mine = [windows[i] for i in turn]
        parts = apart(mine, stretched)
        read = [[mine[i] for i in part] for part in parts]
        total += sum(tokens(pack(part)) if packs else batch_tokens(part) for part in read)
        if stretched is not None:
            total += len(parts)  # the one token that makes the model forget the longest
    return total
