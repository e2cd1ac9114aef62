"""Whether a model keeps the examples of a pack apart, found by asking it. It knows no trainer."""

import copy
from collections.abc import Sequence
from typing import Any

TOKENS = 24
TOLERANCE = 2e-3
LOOSE = 0.2


def keeps_apart(model: Any, examples: Sequence[Sequence[int]]) -> bool:
    """Whether the model says the same of three beginnings (at most TOKENS tokens each) one after the other in a pack as of each alone.

    Compared are the logits of every token, by the largest difference over the largest logit: at most TOLERANCE in float32. In a shorter type rounding alone
    makes more (4 % for a student of 30 layers in bfloat16), so there the first beginning is changed: the others must not notice by more than TOLERANCE (masked
    scores are zeros, so it is nothing at all), and the difference to each alone is held to LOOSE. Where that fails, as batched experts may make it, a copy of
    the model in float32 decides. State-space layers and attention that makes its own mask differ by much more, or do not take positions.
    """
    import torch

    begun = [list(tokens[:TOKENS]) for tokens in examples[:3]] * 3
    few = [tokens[: TOKENS - 5 * i] for i, tokens in enumerate(begun[:3])]  # of unlike lengths, though all examples be alike
    was = model.training
    model.eval()
    try:
        if model.dtype == torch.float32:
            return _alike(model, few, TOLERANCE)
        return (_unheard(model, few) and _alike(model, few, LOOSE)) or _alike(copy.deepcopy(model).float(), few, TOLERANCE)
    except (TypeError, ValueError):  # it knows no positions
        return False
    finally:
        model.train(was)


def _alike(model: Any, few: Sequence[Sequence[int]], allowed: float) -> bool:
    import torch

    alone = torch.cat([_logits(model, [tokens]) for tokens in few])
    if not alone.isfinite().all():
        return True  # what is wrong with it is not that it was packed
    return bool((_logits(model, few) - alone).abs().max() <= allowed * alone.abs().max())


def _unheard(model: Any, few: Sequence[Sequence[int]]) -> bool:
    """Whether the others say the same when the first has its tokens in another order."""
    first, *others = few
    before, after = (_logits(model, [tokens, *others])[len(first) :] for tokens in (first, first[::-1]))
    if not before.isfinite().all():
        return True
    return bool((after - before).abs().max() <= TOLERANCE * before.abs().max())


def _logits(model: Any, pack: Sequence[Sequence[int]]) -> Any:
    """Of every token of the pack, float32, (tokens, vocabulary)."""
    import torch

    row = torch.tensor([[token for tokens in pack for token in tokens]], device=model.device)
    places = torch.tensor([[place for tokens in pack for place in range(len(tokens))]], device=model.device)
    more = {"position_ids": places} if len(pack) > 1 else {}
    with torch.no_grad():
        return model(input_ids=row, **more, use_cache=False).logits[0].float()
