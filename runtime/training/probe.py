"""Whether a model keeps the examples of a pack apart, found by asking it. It knows no trainer."""

from collections.abc import Sequence
from typing import Any

TOKENS = 24
TOLERANCE = 2e-3


def keeps_apart(model: Any, examples: Sequence[Sequence[int]]) -> bool:
    """Whether the model says the same of three beginnings (at most TOKENS tokens each) one after the other in a pack as of each alone.

    Compared are the logits of every token, by the largest difference over the largest logit; rounding in bfloat16 stays below ten times TOLERANCE, which
    is what is allowed there. State-space layers, positions that are counted from the start of the row and attention that builds its own mask
    differ by much more, or do not take positions at all.
    """
    import torch

    begun = [list(tokens[:TOKENS]) for tokens in examples[:3]] * 3
    few = [tokens[: TOKENS - 5 * i] for i, tokens in enumerate(begun[:3])]  # of unlike lengths, though all examples be alike
    row = torch.tensor([[token for tokens in few for token in tokens]], device=model.device)
    places = torch.tensor([[place for tokens in few for place in range(len(tokens))]], device=model.device)
    was = model.training
    model.eval()
    try:
        with torch.no_grad():
            together = model(input_ids=row, position_ids=places, use_cache=False).logits[0].float()
            alone = torch.cat([model(input_ids=torch.tensor([tokens], device=model.device), use_cache=False).logits[0].float() for tokens in few])
    except (TypeError, ValueError):  # it knows no positions
        return False
    finally:
        model.train(was)
    if not alone.isfinite().all():
        return True  # what is wrong with it is not that it was packed
    allowed = TOLERANCE * (1 if model.dtype == torch.float32 else 10)
    return bool((together - alone).abs().max() <= allowed * alone.abs().max())
