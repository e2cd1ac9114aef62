"""How a step is laid out: arguments for this process, of those that one process alone would take. Loads nothing."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .job import Job
from .trackers import PROJECT

CHECKPOINTS = 5
"""Checkpoints of a training that does not say how many."""


@dataclass(frozen=True, slots=True)
class World:
    """Which process this is, from 0, and of how many that train together."""

    rank: int = 0
    size: int = 1


def world(environment: Mapping[str, str] = os.environ) -> World:
    """As the launcher says; alone where none did."""
    return World(int(environment.get("RANK") or 0), int(environment.get("WORLD_SIZE") or 1))


def layout_name(environment: Mapping[str, str] = os.environ) -> str:
    """What checkpoints of this layout are called: another number of processes, or sharded weights, cannot go on from them."""
    return f"{'sharded ' if sharded(environment) else ''}{world(environment).size}"


def sharded(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether each process holds a share of the weights (FSDP): all of one type then."""
    return environment.get("ACCELERATE_USE_FSDP", "").lower() in ("true", "1")


def arguments_here(job: Job, *, cuda: bool) -> tuple[dict[str, Any], list[str]]:
    """The job's arguments as this process takes them, and what the user should know of them.

    A step reads the same `batch` examples whatever the layout. Several processes read a share of them each; packs are made of a whole share, so that one
    pass of the trainer is one step.
    """
    given, remarks, processes = dict(job.arguments), [], world().size
    if not cuda and given["fp16"]:
        given["fp16"] = False
        remarks.append("float16 cannot be trained on a CPU: the passes are computed in float32")
    if job.capacity is not None:
        given |= {"per_device_train_batch_size": math.ceil(job.batch / processes), "gradient_accumulation_steps": 1}
    elif processes > 1:
        passes = math.ceil(given["gradient_accumulation_steps"] / processes)
        given |= {"per_device_train_batch_size": math.ceil(job.batch / (processes * passes)), "gradient_accumulation_steps": passes}
    if job.steps == 1:
        given["warmup_steps"] = 0
    return given | {
        "output_dir": str(job.checkpoints),
        "use_cpu": not cuda,
        "save_steps": job.save,
        "save_total_limit": None,  # a checkpoint goes when a newer one is sealed, not before
        "remove_unused_columns": False,
        "report_to": list(job.reports),
        "run_name": job.run,
        "project": PROJECT,
    }, remarks


def steps_of(epochs: float | None, steps: int | None, batch: int, examples: int) -> int:
    """The steps of a training: those asked for, or as many as the epochs take; the last step of an epoch may be short."""
    return steps or math.ceil((epochs or 0) * math.ceil(examples / batch))


def steps_between(save: tuple[float, str] | None, steps: int, batch: int, examples: int) -> int:
    """Steps between two checkpoints: `save` is so many `steps` or `epochs`, None as many as make five checkpoints; at least 1."""
    if save is None:
        return max(1, math.ceil(steps / CHECKPOINTS))
    value, unit = save
    return max(1, round(value if unit == "steps" else value * math.ceil(examples / batch)))
