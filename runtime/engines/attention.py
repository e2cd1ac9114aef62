"""The attention of a packed row, as transformers' attention interface calls it: exact, every window behind its prompt, none padded in the row.

A block's queries meet the keys of their prompt and of their own window in one product and one softmax, so nothing has to be merged.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from .flex import attend_flex
from .layout import Block, Layout, blocks

NAME = "mixc_rows"
# Beyond so many tokens before a block, its mask is made for the last keys only.
FAR = 1_024
KNOWN = {"dropout", "scaling", "sliding_window", "softcap", "is_causal", "position_ids", "use_cache", "cache_position", "output_attentions"}
_layout: ContextVar[Layout] = ContextVar("layout")


class NotPacked(Exception):
    """The model's attention asks for something that a packed row cannot give."""


@contextmanager
def packed(model: Any, layout: Layout) -> Iterator[None]:
    """Within it the model reads the row of `layout` whenever it is called with its ids and positions."""
    _register()
    before = model.config._attn_implementation
    model.set_attn_implementation(NAME)
    token = _layout.set(layout)
    try:
        yield
    finally:
        _layout.reset(token)
        model.set_attn_implementation(before)


def _register() -> None:
    from transformers import AttentionInterface, AttentionMaskInterface

    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, lambda *args, **kwargs: None)


def attend(
    module: Any, query: Any, key: Any, value: Any, attention_mask: Any, scaling: float | None = None,
    sliding_window: int | None = None, softcap: float | None = None, **others: Any,
) -> tuple[Any, None]:
    """`query` [1, heads, T, size], `key` and `value` [1, key heads, T, size] to [1, T, heads, size]. NotPacked for what it does not know."""
    import torch

    strange = sorted(name for name, asked in (*others.items(), ("attention_mask", attention_mask)) if name not in KNOWN and asked is not None)
    if strange:
        raise NotPacked(f"its attention asks for {', '.join(strange)}")
    if sliding_window is None and _slides(module):
        raise NotPacked("its attention slides by a mask of its own")
    layout = _layout.get()
    heads, kinds, tokens, size = query.shape[1], key.shape[1], query.shape[2], query.shape[3]
    scale = size**-0.5 if scaling is None else scaling
    if layout.flex:
        return attend_flex(layout, query, key, value, scale, sliding_window, softcap), None
    flat = [t[0].transpose(0, 1).reshape(tokens * t.shape[1], t.shape[3]) for t in (query, key, value)]
    wide = value.shape[3]
    total = sum(block.query.numel() for block in blocks(layout))
    found = torch.empty((total * heads, wide), dtype=query.dtype, device=query.device)
    done = 0
    for block, (queries, keys) in zip(blocks(layout), _indices(layout, heads, kinds), strict=True):
        rows = len(queries)
        shape = (block.query.shape[0] * kinds, -1)
        q = flat[0].index_select(0, queries).view(*shape, size)
        k = flat[1].index_select(0, keys).view(*shape, size)
        v = flat[2].index_select(0, keys).view(*shape, wide)
        reach = sliding_window if sliding_window is not None and block.before + block.queries > sliding_window else None
        # only the keys from `low` on are hidden from any query
        low = block.before if reach is None and block.before > FAR else 0
        mask = _mask(layout, block, heads // kinds, reach, low, query.dtype)
        if softcap is None and low == 0:
            weights = torch.baddbmm(mask, q, k.transpose(1, 2), alpha=scale)
        else:
            weights = torch.bmm(q, k.transpose(1, 2)).mul_(scale)
            if softcap is not None:
                weights.div_(softcap).tanh_().mul_(softcap)
            weights[:, :, low:] += mask
        torch.softmax(weights, -1, out=weights)
        torch.bmm(weights, v, out=found[done : done + rows].view(*shape, wide))
        done += rows
    return found.index_select(0, _places(layout, heads, kinds)).view(1, tokens, heads, wide), None


def _slides(module: Any) -> bool:
    """Whether the configuration says of this layer that it does not see everything before it: some models leave that to the mask alone."""
    config = getattr(module, "config", None)
    config = config.get_text_config() if config is not None else None
    kinds = getattr(config, "layer_types", None)
    layer = getattr(module, "layer_idx", None)
    if kinds is not None and layer is not None and layer < len(kinds):
        return kinds[layer] in ("sliding_attention", "chunked_attention")
    asked = getattr(config, "sliding_window", None) or getattr(config, "attention_chunk_size", None)
    return asked is not None and getattr(config, "use_sliding_window", True)


def _indices(layout: Layout, heads: int, kinds: int) -> list[tuple[Any, Any]]:
    """For each block the rows of `[tokens * heads, size]` that are its queries by (piece, key head, head, query), and those of its keys by (piece, key head, key)."""
    import torch

    found = layout.cache.get(("indices", heads, kinds))
    if found is None:
        head = torch.arange(heads, device=layout.device).view(1, kinds, heads // kinds, 1)
        kind = torch.arange(kinds, device=layout.device).view(1, kinds, 1)
        found = [
            ((b.query[:, None, None, :] * heads + head).flatten(), (b.key[:, None, :] * kinds + kind).flatten()) for b in blocks(layout)
        ]
        layout.cache["indices", heads, kinds] = found
    return found


def _places(layout: Layout, heads: int, kinds: int) -> Any:
    """For each token and head of the row, where in the blocks' results it is."""
    import torch

    found = layout.cache.get(("places", heads, kinds))
    if found is None:
        queries = torch.cat([q for q, _ in _indices(layout, heads, kinds)])
        found = torch.empty(layout.tokens * heads, dtype=torch.long, device=layout.device)
        # the padding of a piece repeats its last token at the end: written backwards, the token's own place stays
        order = torch.arange(len(queries), device=layout.device)
        found.scatter_reduce_(0, queries, order, "amin", include_self=False)
        layout.cache["places", heads, kinds] = found
    return found


def _mask(layout: Layout, block: Block, group: int, reach: int | None, low: int, dtype: Any) -> Any:
    """[group * queries, keys - low]: 0 where a query sees a key, minus infinity where not; the same for all pieces of a block."""
    import torch

    name = ("mask", block.before - low, block.queries, block.keys - low, group, reach, dtype)
    found = layout.cache.get(name)
    if found is None:
        at = block.before - low + torch.arange(block.queries, device=layout.device)[:, None]
        keys = torch.arange(block.keys - low, device=layout.device)[None, :]
        seen = keys <= at if reach is None else (keys <= at) & (at - keys < reach)
        found = torch.zeros(seen.shape, dtype=dtype, device=layout.device).masked_fill_(~seen, float("-inf")).repeat(group, 1)
        if block.before - low <= FAR:  # large ones are made anew in each layer: kept, they would grow with the square of a window
            layout.cache[name] = found
    return found
