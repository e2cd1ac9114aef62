"""From hidden states to what is told of the scored tokens: the vocabulary projection, on these alone and in chunks."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .base import ENTROPY, LOGPROB, RANK

# How many logits are held at once; in float32 that is 50 MB.
LOGITS = 2**23 + 2**22


def tell(states: Any, targets: Any, head: Callable[[Any], Any], vocabulary: int, also: frozenset[str]) -> dict[str, np.ndarray]:
    """Of `states` [N, hidden] and their successors `targets` [N]: LOGPROB float32[N], and RANK int32[N], ENTROPY float32[N] where asked."""
    size = max(LOGITS // vocabulary, 1)
    parts = [_chunk(head(part), wanted, also) for part, wanted in zip(states.split(size), targets.split(size), strict=True)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {LOGPROB: np.empty(0, np.float32)}


def _chunk(logits: Any, targets: Any, also: frozenset[str]) -> dict[str, np.ndarray]:
    import torch

    own = targets[:, None]
    table = torch.log_softmax(logits, 1, dtype=torch.float32)
    told = {LOGPROB: table.gather(1, own)[:, 0]}
    if RANK in also:
        told[RANK] = (logits > logits.gather(1, own)).sum(1, dtype=torch.int32) + 1
    if ENTROPY in also:
        shares = table.exp()
        told[ENTROPY] = -shares.mul_(table.masked_fill_(shares == 0, 0.0)).sum(1)  # 0 log 0 is 0
    return {name: values.cpu().numpy() for name, values in told.items()}
