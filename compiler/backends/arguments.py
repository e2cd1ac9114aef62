"""The part of a `Train` stage that Axolotl and LLaMA-Factory take under the names of transformers' own arguments. Knows neither of the two."""

from typing import Any

from ..plan.stages import Train
from .lesson import Lesson
from .trl import sft_arguments

ASSUMED_LENGTH = 4096
"""Tokens, where neither the spec nor the build says how long an example may be."""


def warmup(stage: Train) -> dict[str, int | float]:
    """`warmup_steps`, or `warmup_ratio` of all steps."""
    if stage.steps == 1:
        return {"warmup_steps": 0}
    if stage.warmup.unit == "steps":
        return {"warmup_steps": int(stage.warmup.value)}
    return {"warmup_ratio": min(stage.warmup.value / 100, 0.999)}


def batch(stage: Train) -> tuple[int, int]:
    """Examples of a pass, and passes of a step, of one device."""
    arguments = sft_arguments(stage)
    return arguments["per_device_train_batch_size"], arguments["gradient_accumulation_steps"]


def saving(lesson: Lesson, stage: Train) -> dict[str, Any]:
    """How often a checkpoint is written: as the recipe says, else once an epoch (or at the end of a training by steps)."""
    if stage.save is None:
        return {"save_strategy": "epoch", "save_total_limit": 1} if stage.epochs else {"save_steps": stage.steps, "save_total_limit": 1}
    steps = stage.save.value if stage.save.unit == "steps" else stage.save.value * lesson.per_epoch
    return {"save_strategy": "steps", "save_steps": max(1, round(steps)), "save_total_limit": 1}


def length(lesson: Lesson, key: str, notes: list[str]) -> int:
    """The most tokens of an example; said in `notes` where nobody has said it."""
    if lesson.length is None:
        notes.append(f"The recipe sets no `max_length` and the build does not say how much the student reads: `{key}` is {ASSUMED_LENGTH} here, set it to what your longest example needs.")
        return ASSUMED_LENGTH
    return lesson.length


def alpha(stage: Train, notes: list[str]) -> int:
    """LoRA's scale as the whole number that other trainers take."""
    assert stage.lora is not None
    nearest = max(1, round(stage.lora.alpha))
    if nearest != stage.lora.alpha:
        notes.append(f"LoRA's alpha is {stage.lora.alpha:g} in the recipe and a whole number there: {nearest} is written.")
    return nearest


def common(lesson: Lesson, trainer: str) -> list[str]:
    """What no other trainer does as mixc does, and what the recipe asks for besides training."""
    stage, notes = lesson.stage, []
    if stage is None:
        notes.append("The recipe has no `train` block: model and hyper-parameters are yours to fill in.")
        return notes
    if stage.weight is not None:
        notes.append(f"The recipe weighs each example by `{stage.weight}`; {trainer} counts every example alike. The weights stand in the build's `selected.parquet`, column `weight`.")
    if (lesson.model or "").endswith(".gguf"):
        notes.append(f"The student is a GGUF file, which mixc unpacks before it trains; {trainer} wants the model that the file was made from: put its name in the place of the path.")
    elif not lesson.known:
        notes.append("The student's files were not found from here: set the path of the model.")
    if stage.batch > 1:
        per_device, passes = batch(stage)
        notes.append(f"A step reads {stage.batch} examples: {per_device} x {passes} on one device. On several, divide the passes by their number.")
    notes.append(f"The order of examples is {trainer}'s own, so the weights will not be those of mixc to the bit.")
    if lesson.evaluates:
        notes.append("The recipe's evaluation (benchmarks, held-out rows, seeds, baselines) is not carried over: `mixc build` does it.")
    return notes
