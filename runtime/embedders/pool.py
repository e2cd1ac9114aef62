"""The states of a text's tokens to one vector. Knows torch and the ways to pool, no model."""

from typing import Any

from .layers import Pooling


def pool(states: Any, pooling: Pooling, prompt: int) -> Any:
    """float[texts, modes x width] of float[texts, tokens, width], texts of one length without padding; `prompt` tokens stand before each.

    `cls` is the first token that counts, `lasttoken` the last, `max` the greatest of each number, `mean` their mean, `mean_sqrt_len_tokens` their sum over the
    root of how many they are, `weightedmean` sum_t t h_t / sum_t t with t from 1, counted from the first token of the prompt (SGPT, 2202.08904).
    """
    import torch

    skipped = prompt if not pooling.with_prompt and prompt < states.shape[1] else 0
    counted = states[:, skipped:]
    number = counted.shape[1]
    found = []
    for mode in pooling.modes:
        match mode:
            case "cls":
                found.append(counted[:, 0])
            case "lasttoken":
                found.append(counted[:, -1])
            case "max":
                found.append(counted.max(dim=1).values)
            case "mean":
                found.append(counted.sum(dim=1) / number)
            case "mean_sqrt_len_tokens":
                found.append(counted.sum(dim=1) / number**0.5)
            case "weightedmean":
                weights = torch.arange(skipped + 1, skipped + number + 1, dtype=states.dtype, device=states.device).view(1, -1, 1)
                found.append((counted * weights).sum(dim=1) / weights.sum())
            case _:
                raise ValueError(f"no way to pool by {mode}")
    return torch.cat(found, dim=-1)
