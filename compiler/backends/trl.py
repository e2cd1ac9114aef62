"""A `Train` stage as arguments of TRL's `SFTConfig`, a plain dict: neither torch nor trl is imported.

It knows nothing of devices, folders and rows.
"""

from typing import Any

from ..plan.stages import Train

LARGEST_PER_DEVICE = 4
_SCHEDULES = {"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup"}


def sft_arguments(stage: Train) -> dict[str, Any]:
    """Arguments for `trl.SFTConfig`, all but the folder, the number of steps between checkpoints and the device.

    The dataset must carry `input_ids` and `labels`: TRL then neither tokenises, truncates, packs nor masks.
    """
    if (stage.epochs is None) == (stage.steps is None):
        raise ValueError("a training has either epochs or steps")
    per_device = max(size for size in range(1, LARGEST_PER_DEVICE + 1) if stage.batch % size == 0)
    length: dict[str, Any] = {"num_train_epochs": float(stage.epochs)} if stage.epochs else {"max_steps": stage.steps}
    return {
        **length,
        "learning_rate": stage.learning_rate,
        "per_device_train_batch_size": per_device,
        "gradient_accumulation_steps": stage.batch // per_device,
        # The loss is the sum over all tokens of a batch, in however many passes, divided by their number.
        "average_tokens_across_devices": True,
        "loss_type": "nll",
        "lr_scheduler_type": _SCHEDULES[stage.schedule],
        "warmup_steps": _warmup(stage),
        "weight_decay": 0.0,
        "max_grad_norm": 1.0,
        "optim": "adamw_torch",
        # Weights stay float32; only the arithmetic of the passes is bfloat16.
        "bf16": stage.model.dtype == "bf16",
        "fp16": stage.model.dtype == "fp16",
        "gradient_checkpointing": stage.gradient_checkpointing,
        "seed": stage.seed,
        "data_seed": stage.seed,
        "dataset_kwargs": {"skip_prepare_dataset": True},
        "max_length": None,
        "packing": False,
        "shuffle_dataset": False,
        "dataloader_num_workers": 0,
        "dataloader_pin_memory": False,
        "remove_unused_columns": True,
        "save_strategy": "steps",
        "save_total_limit": 1,
        "logging_strategy": "steps",
        "logging_steps": 1,
        "logging_first_step": True,
        # The default replaces a loss that is not a number by the average of those before it.
        "logging_nan_inf_filter": False,
        "include_num_input_tokens_seen": "non_padding",
        "report_to": [],
        "disable_tqdm": True,
        "push_to_hub": False,
    }


def _warmup(stage: Train) -> int | float:
    """Steps, or a share of all steps: a float below 1. A single step would be spent at a learning rate of 0."""
    if stage.steps == 1:
        return 0
    if stage.warmup.unit == "steps":
        return int(stage.warmup.value)
    return min(stage.warmup.value / 100, 0.999)
