"""Examples as the tensors of a step: padded side by side, or packed one after the other. It knows no model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .packs import packs

NO_LOSS = -100


@dataclass(frozen=True, slots=True)
class Collator:
    """Rows (`input_ids`, `labels`, `weight`) to a batch of tensors. `seen` is how many tokens it reads; `weights` is there where some weight is not 1.

    Padded: `input_ids`, `labels`, `attention_mask`, `weights` of shape (rows, longest). Packed: `packs`, a list of batches of one row each, of at most
    `capacity` tokens, whose `position_ids` begin at 0 again with each example; without a mask, transformers then lets no token see another example.
    A row without a single label stands for no example, and its tokens are not counted.
    """

    pad: int
    capacity: int | None = None

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        import torch

        real = [row for row in rows if any(label != NO_LOSS for label in row["labels"])]
        seen = torch.tensor(sum(len(row["input_ids"]) for row in real))
        if self.capacity is None:
            return {**self._padded(rows), "seen": seen}
        made = packs([len(row["input_ids"]) for row in real], self.capacity)
        return {"packs": [self._packed([real[i] for i in pack]) for pack in made] or [self.nothing()], "seen": seen}

    def nothing(self) -> dict[str, Any]:
        """A pack without loss, for a process that has no more of its own where others have."""
        return self._packed([{"input_ids": [self.pad] * 2, "labels": [NO_LOSS] * 2, "weight": 1.0}])

    def _padded(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        import torch

        longest = max(len(row["input_ids"]) for row in rows)

        def filled(values: Sequence[Any], with_: Any) -> list[Any]:
            return [*values, *([with_] * (longest - len(values)))]

        batch = {
            "input_ids": torch.tensor([filled(row["input_ids"], self.pad) for row in rows]),
            "labels": torch.tensor([filled(row["labels"], NO_LOSS) for row in rows]),
            "attention_mask": torch.tensor([filled([1] * len(row["input_ids"]), 0) for row in rows]),
        }
        if any(row["weight"] != 1 for row in rows):
            batch["weights"] = torch.tensor([[row["weight"]] * longest for row in rows], dtype=torch.float32)
        return batch

    def _packed(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        import torch

        batch = {
            "input_ids": torch.tensor([[token for row in rows for token in row["input_ids"]]]),
            # The first token of an example has nothing before it that could foretell it.
            "labels": torch.tensor([[label for row in rows for label in (NO_LOSS, *row["labels"][1:])]]),
            "position_ids": torch.tensor([[place for row in rows for place in range(len(row["input_ids"]))]]),
        }
        if any(row["weight"] != 1 for row in rows):
            batch["weights"] = torch.tensor([[row["weight"] for row in rows for _ in row["input_ids"]]], dtype=torch.float32)
        return batch
