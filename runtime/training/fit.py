"""A job through TRL, in this process or as one of several: weights in, a trained model out that can be written. It knows no stage and no clause."""

import copy
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..engines.load import DTYPES, device_name, load_for_training
from .adapter import adapted, merged, write_adapter
from .batch import NO_LOSS, Collator
from .checkpoints import keep_only, newest_whole, seal, tokens_of
from .job import Job
from .layout import arguments_here, layout_name, sharded, world
from .probe import keeps_apart
from .quiet import quiet
from .trackers import told
from .trainer import Share, trainer_class

METRICS = ("step", "loss", "learning_rate", "epoch", "tokens", "grad_norm")

Tell = Callable[[Mapping[str, Any]], None]
"""Told of a run, by kind: `remark` (`text`), `begun` (`step`, `of`), `step` (`step`, `of`)."""


class Diverged(Exception):
    """A loss or a gradient that is no number."""

    def __init__(self, name: str, value: float, step: int) -> None:
        super().__init__(f"{name} {value} at step {step}")
        self.name, self.value, self.step = name, value, step


class NotApart(Exception):
    """The model reads examples of a pack as one text."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """`write(folder)` writes `model/` and `metrics.jsonl`; `tokens` and `seconds` are of this run, not of those that it went on from."""

    write: Callable[[Path], None]
    tokens: int
    seconds: float
    device: str


def fit(job: Job, tokenizer: Any, tell: Tell) -> Fitted:
    """Train, or go on from the last whole checkpoint. `tokenizer` is the student's of transformers; it is not changed.

    Raises Diverged, NotApart, and what torch and the disk raise; Fault MIX0506, MIX0509 where the student cannot be loaded.
    """
    import torch
    import transformers

    with quiet(), told(job):
        given, remarks = arguments_here(job, cuda=torch.cuda.is_available())
        for text in remarks:
            tell({"remark": text})
        config = _config(given, tell)
        model = _student(job, given)
        if job.capacity is not None and not keeps_apart(model, job.tokens):
            raise NotApart
        as_it_was = copy.deepcopy(model.config), copy.deepcopy(model.generation_config)
        if job.lora is not None:
            model = adapted(model, job.lora, job.name, given["seed"])
        checkpoint = newest_whole(job.checkpoints, layout_name()) if world().rank == 0 else None
        share = _share(job, given) if world().size > 1 else None
        trainer = trainer_class()(
            model=model,
            args=config,
            train_dataset=_dataset(job, tokenizer),
            data_collator=_collator(job, tokenizer),
            processing_class=copy.deepcopy(tokenizer),  # TRL gives it a pad token, which is not ours to change
            callbacks=[_watcher(transformers.TrainerCallback, job.checkpoints, tell, share)],
        )
        trainer.remove_callback(transformers.PrinterCallback)
        if share is not None:
            trainer.share, checkpoint = share, _agreed(checkpoint)
        began, before = time.monotonic(), tokens_of(checkpoint)
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        seconds = time.monotonic() - began
        state = trainer.accelerator.get_state_dict(trainer.model_wrapped) if trainer.is_fsdp_enabled else None

    def write(target: Path) -> None:
        with quiet():
            whole = model
            if state is not None:  # this process has a share of the weights: a student of its own takes them all
                whole = _student(job, given) if job.lora is None else adapted(_student(job, given), job.lora, job.name, given["seed"])
                whole.load_state_dict(state)
            plain = whole.get_base_model() if job.lora is not None else whole
            # The trainer turns the cache off in the config, and writes its tokens into it.
            plain.config, plain.generation_config = as_it_was
            if job.lora is not None:
                write_adapter(whole, target / "model" / "adapter")
                plain = merged(whole)
            plain.to(getattr(torch, DTYPES[job.dtype]))
            plain.save_pretrained(target / "model")
            tokenizer.save_pretrained(target / "model")
        steps = [entry for entry in trainer.state.log_history if "loss" in entry]
        lines = [json.dumps(_metrics(entry), sort_keys=True) + "\n" for entry in steps]
        (target / "metrics.jsonl").write_text("".join(lines), encoding="utf-8")

    device = device_name(trainer.args.device)
    count = world().size
    return Fitted(write, int(trainer.state.num_input_tokens_seen) - before, seconds, f"{count} x {device}" if count > 1 else device)


def _student(job: Job, given: Mapping[str, Any]) -> Any:
    """The very weights that were scored, those of the student's own type; float32 where they are to move, or where there is no arithmetic in their type."""
    model = load_for_training(job.weights_at, job.dtype)
    frozen = job.lora is not None and not sharded() and (job.dtype != "fp16" or given["fp16"])
    return model if frozen else model.float()


def _config(given: Mapping[str, Any], tell: Tell) -> Any:
    from trl.trainer.sft_config import SFTConfig

    config = SFTConfig(**given)
    if config.n_gpu > 1:  # TRL refuses to split a batch over the GPUs of one process
        config._n_gpu = 1
        tell({"remark": "only the first GPU is used"})
    return config


def _dataset(job: Job, tokenizer: Any) -> Any:
    """The examples; where several processes share them one more without loss, for those that are left without one at the end of an epoch."""
    from datasets import Dataset

    tokens = [list(each) for each in job.tokens]
    labels = [[NO_LOSS] * start + each[start:] for each, start in zip(tokens, job.starts, strict=True)]
    weights = list(job.weights or [1.0] * len(tokens))
    if world().size > 1:
        tokens, labels, weights = [*tokens, [_pad(tokenizer)] * 2], [*labels, [NO_LOSS] * 2], [*weights, 1.0]
    return Dataset.from_dict({"input_ids": tokens, "labels": labels, "weight": weights})


def _collator(job: Job, tokenizer: Any) -> Collator | None:
    """None: TRL's own pads."""
    plain = job.capacity is None and job.weights is None and world().size == 1
    return None if plain else Collator(_pad(tokenizer), job.capacity)


def _pad(tokenizer: Any) -> int:
    return next((n for n in (tokenizer.pad_token_id, tokenizer.eos_token_id) if n is not None), 0)


def _share(job: Job, given: Mapping[str, Any]) -> Share:
    slots = given["per_device_train_batch_size"] * given["gradient_accumulation_steps"] * world().size
    return Share(len(job.tokens), job.batch, slots, given["data_seed"], nothing=len(job.tokens))


def _agreed(checkpoint: Path | None) -> Path | None:
    """The checkpoint that the first process found, in every process."""
    import torch.distributed as dist

    found = [str(checkpoint or "")]
    dist.broadcast_object_list(found, src=0)
    return Path(found[0]) if found[0] else None


def _watcher(base: Any, folder: Path, tell: Tell, share: Share | None) -> Any:
    class Watcher(base):
        """Stops at a loss that is no number, before anything is saved, tells of every step, seals checkpoints, and orders each epoch."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            tell({"begun": True, "step": state.global_step, "of": state.max_steps})

        def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if share is not None:  # where a training goes on within an epoch, accelerate's `set_epoch` stops at the batches that it skips
                share.set_epoch(state.global_step // share.steps)

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
            for name, value in (logs or {}).items():
                if name in ("loss", "grad_norm") and not math.isfinite(value):
                    raise Diverged(name, value, state.global_step)

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            tell({"step": state.global_step, "of": state.max_steps})

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if world().size > 1:
                import torch.distributed as dist

                dist.barrier()  # each process writes the state of its own random numbers
            if world().rank == 0:
                checkpoint = folder / f"checkpoint-{state.global_step}"
                seal(checkpoint, layout_name())
                keep_only(folder, checkpoint)

    return Watcher()


def _metrics(entry: dict[str, Any]) -> dict[str, float]:
    names = {"tokens": "num_input_tokens_seen"}
    return {name: entry[names.get(name, name)] for name in METRICS if names.get(name, name) in entry}
