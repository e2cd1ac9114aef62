"""The course of trainings: steps, losses and what they come to, over the runs of a recipe. Of the steps that a build kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

KEPT = 0.9
"""Of the smoothed loss, what each step keeps of the one before."""


@dataclass(frozen=True, slots=True)
class Course:
    """The training of one arm: `losses` and `smoothed` a step each, at `steps`; `tokens` read in all, prompts included.

    `examples` and `trained` tokens (those that carry loss) are those of an epoch.
    """

    arm: str
    seed: int | None
    steps: tuple[int, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    tokens: int | None
    examples: int | None = None
    trained: int | None = None

    def to_data(self) -> dict[str, object]:
        """The figures that stand for it."""
        return {
            "arm": self.arm, "seed": self.seed, "steps": self.steps[-1], "first_loss": self.losses[0], "last_loss": self.losses[-1],
            "smoothed_loss": self.smoothed[-1], "tokens_read": self.tokens, "examples": self.examples, "trained_tokens": self.trained,
        }  # fmt: skip


def course(
    arm: str, seed: int | None, metrics: Sequence[Mapping[str, Any]], examples: int | None = None, trained: int | None = None
) -> Course:
    """The course in the lines of a `metrics.jsonl`, at least one."""
    losses = [float(line["loss"]) for line in metrics]
    tokens = metrics[-1].get("tokens")
    read = None if tokens is None else int(tokens)
    return Course(arm, seed, tuple(int(line["step"]) for line in metrics), tuple(losses), tuple(smooth(losses)), read, examples, trained)


def smooth(values: Sequence[float]) -> list[float]:
    """The exponentially weighted mean of the values so far: weights 0.9^j of the value j steps back, over the sum of the weights."""
    total = weight = 0.0
    found = []
    for value in values:
        total, weight = KEPT * total + value, KEPT * weight + 1
        found.append(total / weight)
    return found
