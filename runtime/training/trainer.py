"""TRL's trainer with what it lacks for us: a step of packs, weights of examples, equal work for several processes. It knows no files."""

from collections.abc import Iterator
from contextlib import nullcontext
from functools import cache
from typing import Any, cast

from .batch import Collator


@cache
def trainer_class() -> Any:
    """A subclass of `SFTTrainer` that takes the batches of `Collator`; `share` is set before it trains on several processes."""
    import torch
    from trl.trainer.sft_trainer import SFTTrainer

    class Trainer(SFTTrainer):
        share: Any = None

        def _send_telemetry(self) -> None:
            """A build tells nobody that it runs."""

        def create_model_card(self, *_: Any, **__: Any) -> None:
            """None in checkpoints."""

        def _get_train_sampler(self, train_dataset: Any = None) -> Any:
            return super()._get_train_sampler(train_dataset) if self.share is None else self.share

        def get_batch_samples(self, epoch_iterator: Any, num_batches: int, device: Any) -> Any:
            batches, count = super().get_batch_samples(epoch_iterator, num_batches, device)
            if self.accelerator.num_processes > 1 and isinstance(self.data_collator, Collator):
                for batch in batches:
                    if "packs" in batch:  # every process must pass as often as the others: they wait for one another
                        here = torch.tensor([len(batch["packs"])], device=device)
                        most = int(self.accelerator.gather(here).max())  # type: ignore[union-attr]
                        batch["packs"] += [self.data_collator.nothing() for _ in range(most - len(batch["packs"]))]
            return batches, count

        def _get_num_items_in_batch(self, batch_samples: Any, device: Any) -> Any:
            flat = [pack for batch in batch_samples for pack in batch.get("packs", [batch])]
            return super()._get_num_items_in_batch(flat, device)

        def _track_num_input_tokens(self, inputs: Any) -> None:
            if "seen" not in inputs:
                super()._track_num_input_tokens(inputs)
                return
            seen = inputs["seen"].to(self.args.device)
            self.state.num_input_tokens_seen += int(self.accelerator.gather(seen).sum())  # type: ignore[union-attr]

        def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Any:
            if "packs" not in inputs:
                return super().training_step(model, inputs, num_items_in_batch)
            total, last = None, len(inputs["packs"]) - 1
            for i, pack in enumerate(inputs["packs"]):
                with nullcontext() if i == last else self.accelerator.no_sync(model):
                    loss = super().training_step(model, pack, num_items_in_batch)
                total = loss if total is None else total + loss
            return total

        def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None) -> Any:
            weights = inputs.get("weights")
            inputs = {name: value for name, value in inputs.items() if name not in ("seen", "weights")}
            if weights is None:
                return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)

            def weighed(**given: Any) -> Any:  # what it calls is all that the loss takes of a model
                outputs = model(**given)
                outputs.log_probs = outputs.log_probs * weights[:, 1:]  # a log-probability stands at the token before its own
                return outputs

            return super().compute_loss(cast(Any, weighed), inputs, return_outputs, num_items_in_batch)

    return Trainer


class Share:
    """Indices of examples as one process would draw them, each step of `batch` filled up to `slots` with `nothing` (the index of no example).

    Several processes that take turns in it read together, step by step, what one alone would read.
    """

    def __init__(self, examples: int, batch: int, slots: int, seed: int, nothing: int) -> None:
        from accelerate.data_loader import SeedableRandomSampler

        self._order = SeedableRandomSampler(range(examples), data_seed=seed)
        self._examples, self._batch, self._slots, self._nothing = examples, batch, slots, nothing
        self.steps = -(-examples // batch)
        """Steps of an epoch."""

    def __len__(self) -> int:
        return self.steps * self._slots

    def __iter__(self) -> Iterator[int]:
        order = list(self._order)
        for start in range(0, self._examples, self._batch):
            step = order[start : start + self._batch]
            yield from step
            yield from [self._nothing] * (self._slots - len(step))

    def set_epoch(self, epoch: int) -> None:
        """Draw the order of that epoch next."""
        self._order.set_epoch(epoch)
