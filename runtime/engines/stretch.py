"""Rotary positions that a model stretches by the longest sequence it reads at once: such a sequence must be read alone."""

from collections.abc import Sequence
from typing import Any

from .base import Window


def stretched_from(config: Any) -> int | None:
    """The length beyond which positions are stretched; None for a model that never does so."""
    text = config.get_text_config()
    settings = getattr(text, "rope_parameters", None) or {}
    each = [one for one in settings.values() if isinstance(one, dict)] or [settings]
    limits = [
        one.get("original_max_position_embeddings") or text.max_position_embeddings
        for one in each
        if "dynamic" in str(one.get("rope_type")) or one.get("rope_type") == "longrope"
    ]
    return min(limits, default=None)


def apart(windows: Sequence[Window], limit: int | None) -> list[list[int]]:
    """Indices of windows that may be read together: those within `limit`, then each of the longer ones alone."""
    short = [i for i, window in enumerate(windows) if limit is None or window.length - 1 <= limit]
    alone = [[i] for i, window in enumerate(windows) if limit is not None and window.length - 1 > limit]
    return [part for part in (short, *alone) if part]


def relax(model: Any) -> None:
    """Have the model forget the longest sequence that it has read: some stretch all later ones by it."""
    import torch

    with torch.inference_mode():
        model.base_model(input_ids=torch.zeros((1, 1), dtype=torch.long, device=model.device), use_cache=False)
