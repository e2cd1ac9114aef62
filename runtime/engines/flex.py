"""The attention of a packed row on a GPU: one FlexAttention kernel over the row, whose mask is made of the row's pieces."""

from functools import cache
from typing import Any

from .layout import Layout

# Rows are padded to a multiple of it, which is also the side of the mask's blocks.
BLOCK = 128


def attend_flex(layout: Layout, query: Any, key: Any, value: Any, scale: float, sliding_window: int | None, softcap: float | None) -> Any:
    """`query` [1, heads, T, size], `key` and `value` [1, key heads, T, size] to [1, T, heads, size]."""
    import torch

    tokens = query.shape[2]
    padding = (0, 0, 0, -tokens % BLOCK)
    query, key, value = (torch.nn.functional.pad(t, padding) for t in (query, key, value))

    def score(found: Any, batch: Any, head: Any, q: Any, k: Any) -> Any:
        return found if softcap is None else softcap * torch.tanh(found / softcap)

    run = _kernel(query.device.type)
    mask = _mask(layout, sliding_window, tokens + padding[3])
    found = run(query, key, value, score_mod=score, block_mask=mask, scale=scale, enable_gqa=query.shape[1] != key.shape[1])
    return found[:, :, :tokens].transpose(1, 2)


@cache
def _kernel(kind: str) -> Any:
    """FlexAttention, compiled where it has a kernel to be compiled to; elsewhere as it is, which is slow and says the same."""
    import torch
    from torch.nn.attention.flex_attention import flex_attention

    return torch.compile(flex_attention, dynamic=True) if kind == "cuda" else flex_attention


def _mask(layout: Layout, sliding_window: int | None, width: int) -> Any:
    """Who sees whom: a token all of its own window up to itself and all of its prompt, within the sliding window; padding sees itself."""
    import torch
    from torch.nn.attention.flex_attention import create_block_mask

    name = ("flex", sliding_window)
    found = layout.cache.get(name)
    if found is None:
        window = torch.arange(-width, 0)  # a number of its own for what is padding
        prompt = torch.full((width,), -width - 1)  # nobody
        position = torch.zeros(width, dtype=torch.long)
        position[: layout.tokens] = layout.positions.cpu()
        for piece in layout.pieces:
            own = slice(piece.start + piece.before, piece.start + piece.before + piece.size)
            window[own] = piece.start
            if piece.prompt[1]:
                prompt[own] = piece.prompt[0]
        window, prompt, position = (t.to(layout.device) for t in (window, prompt, position))

        def seen(batch: Any, head: Any, q: Any, k: Any) -> Any:
            allowed = (window[k] == prompt[q]) | ((window[k] == window[q]) & (k <= q))
            return allowed if sliding_window is None else allowed & (position[q] - position[k] < sliding_window)

        found = create_block_mask(seen, None, None, width, width, device=str(layout.device), BLOCK_SIZE=BLOCK, _compile=layout.device.type == "cuda")
        layout.cache[name] = found
    return found
