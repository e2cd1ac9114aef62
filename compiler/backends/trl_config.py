"""A build as a configuration of `trl sft --config`, which TRL reads with its own parser. Opens no file; imports nothing of TRL."""

from .arguments import alpha, common, length, saving
from .lesson import Exported, Lesson, Setting
from .trl import sft_arguments

_TAKEN = (
    *("num_train_epochs", "max_steps", "per_device_train_batch_size", "gradient_accumulation_steps", "average_tokens_across_devices", "loss_type"),
    *("learning_rate", "lr_scheduler_type", "warmup_steps", "weight_decay", "max_grad_norm", "optim", "bf16", "fp16", "gradient_checkpointing"),
    *("seed", "data_seed"),
)
"""What TRL's own trainer and ours are told alike, in this order."""


def trl_config(lesson: Lesson) -> Exported:
    """The settings; `lesson.rows` are to be rows of `prompt` and `completion`, of which TRL gives loss to the completion under any chat template."""
    notes = common(lesson, "TRL")
    dataset = {"path": "json", "data_files": lesson.rows, "split": "train", "columns": ["prompt", "completion"]}
    data = [Setting("datasets", [dataset], group=f"data: {lesson.examples:,} examples, loss on the completion alone")]
    return Exported((*data, *_training(lesson, notes)), tuple(notes))


def _training(lesson: Lesson, notes: list[str]) -> list[Setting]:
    stage = lesson.stage
    if stage is None:
        return [Setting("output_dir", lesson.output, group="output")]
    arguments = sft_arguments(stage)
    if stage.packing:
        notes.append(f"With `packing` `per_device_train_batch_size` counts packs and not examples, so that steps, epochs and the schedule differ from the recipe's {stage.batch} examples a step; examples longer than a pack are cut.")
    revision = [Setting("model_revision", stage.model.revision)] if stage.model.revision else []
    template = [Setting("chat_template_path", lesson.template, "the template that the recipe names")] if lesson.template else []
    dtype = "bfloat16" if stage.lora is not None and stage.model.dtype == "bf16" else "float32"
    packed = [Setting("packing", stage.packing), *([Setting("packing_strategy", "bfd", "whole examples, of which none sees another")] if stage.packing else [])]
    most = length(lesson, "max_length", notes) if stage.packing else lesson.length
    return [
        Setting("model_name_or_path", lesson.model, group="model"),
        *revision,
        Setting("dtype", dtype, "the weights; what is computed is bfloat16 where `bf16` is true" if dtype == "float32" else ""),
        *template,
        *_adapter(lesson, notes),
        Setting("max_length", most, "longer examples are cut at their end" if most else "nothing is cut", group="training"),
        *packed,
        Setting("completion_only_loss", True),
        *(Setting(key, arguments[key]) for key in _TAKEN if key in arguments),
        Setting("output_dir", lesson.output, group="output"),
        *(Setting(key, value) for key, value in saving(lesson, stage).items()),
        Setting("logging_steps", 1),
        Setting("report_to", list(stage.report) or "none"),
    ]


def _adapter(lesson: Lesson, notes: list[str]) -> list[Setting]:
    stage = lesson.stage
    if stage is None or stage.lora is None:
        return []
    return [
        Setting("use_peft", True),
        Setting("lora_r", stage.lora.rank),
        Setting("lora_alpha", alpha(stage, notes)),
        Setting("lora_dropout", float(stage.lora.dropout)),
        Setting("lora_target_modules", ["all-linear"], "every linear layer but the head, as mixc does"),
    ]
