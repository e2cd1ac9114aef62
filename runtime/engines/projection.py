"""From hidden states to what is told of the scored tokens: the vocabulary projection, on these alone and in chunks."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .base import ENTROPY, LOGPROB, RANK

# How many logits are held at once; in float32 that is 50 MB.
LOGITS = 2**23 + 2**22


def tell(states: Any, targets: Any, head: Callable[[Any], Any], vocabulary: int, also: frozenset[str]) -> dict[str, np.ndarray]:
    """Of `states` [N, hidden] and their successors `targets` [N]: LOGPROB float32[N], and RANK int32[N], ENTROPY float32[N] where asked.

    What is told, and the table of a chunk, are allocated once: a small result between large blocks would keep the next chunk from using them again.
    """
    import torch

    size = min(max(LOGITS // vocabulary, 1), len(states))
    told = {name: torch.empty(len(states), dtype=torch.int32 if name == RANK else torch.float32, device=states.device) for name in (LOGPROB, *also)}
    table = torch.empty((size, vocabulary), dtype=torch.float32, device=states.device)
    for start in range(0, len(states), max(size, 1)):
        part = slice(start, start + size)
        _chunk(head(states[part]), targets[part], table, {name: values[part] for name, values in told.items()})
    return {name: values.cpu().numpy() for name, values in told.items()}


def _chunk(logits: Any, targets: Any, table: Any, told: dict[str, Any]) -> None:
    import torch

    own, table = targets[:, None], table[: len(targets)]
    torch.log_softmax(logits, 1, dtype=torch.float32, out=table)
    told[LOGPROB].copy_(table.gather(1, own)[:, 0])
    if RANK in told:
        told[RANK].copy_((logits > logits.gather(1, own)).sum(1, dtype=torch.int32)).add_(1)
    if ENTROPY in told:
        shares = table.exp()
        told[ENTROPY].copy_(shares.mul_(table.masked_fill_(shares == 0, 0.0)).sum(1)).neg_()  # 0 log 0 is 0
