"""A build as a configuration of Axolotl: `datasets:`, the base model and the recipe's hyper-parameters. Opens no file."""

from .arguments import alpha, batch, common, length, saving, warmup
from .lesson import Exported, Lesson, Setting
from .trl import sft_arguments

TRACKERS = {"wandb": "wandb_project", "tensorboard": "use_tensorboard", "trackio": "use_trackio"}


def axolotl(lesson: Lesson) -> Exported:
    """The settings for `axolotl train`, as its configuration reference names them."""
    notes = common(lesson, "Axolotl")
    return Exported((*_data(lesson), *_training(lesson, notes)), tuple(notes))


def _data(lesson: Lesson) -> list[Setting]:
    dataset = {
        "path": lesson.rows,
        "ds_type": "json",
        "type": "chat_template",
        "field_messages": "messages",
        "message_property_mappings": {"role": "role", "content": "content"},
        "roles_to_train": ["assistant"],
        "train_on_eos": "turn",
    }
    template = [Setting("chat_template_jinja", lesson.template, "the template that the recipe names")] if lesson.template else []
    return [
        Setting("datasets", [dataset], group=f"data: {lesson.examples:,} examples, loss on the assistant's turn alone"),
        *template,
        Setting("val_set_size", 0.0, "every example is trained on"),
        Setting("dataset_prepared_path", f"{lesson.output}/prepared"),
    ]


def _training(lesson: Lesson, notes: list[str]) -> list[Setting]:
    stage = lesson.stage
    if stage is None:
        return [Setting("output_dir", lesson.output, group="training")]
    arguments = sft_arguments(stage)
    per_device, passes = batch(stage)
    most = length(lesson, "sequence_len", notes)
    notes.append("mixc cuts an example that is too long at its end. `excess_length_strategy: truncate` does that; without it Axolotl leaves the example out.")
    if stage.packing:
        notes.append(f"With `sample_packing` `micro_batch_size` counts packs of up to {most:,} tokens and not examples, so that steps, epochs and the schedule differ from the recipe's {stage.batch} examples a step.")
    if stage.model.dtype == "bf16" and stage.lora is None:
        notes.append("With `bf16: true` Axolotl keeps the weights themselves in bfloat16; mixc trains float32 weights and computes in bfloat16.")
    revision = [Setting("revision_of_model", stage.model.revision)] if stage.model.revision else []
    duration = Setting("num_epochs", float(stage.epochs)) if stage.epochs else Setting("max_steps", stage.steps)
    return [
        Setting("base_model", lesson.model, group="model"),
        *revision,
        *_adapter(lesson, notes),
        Setting("sequence_len", most, group="training"),
        Setting("excess_length_strategy", "truncate"),
        Setting("sample_packing", stage.packing),
        duration,
        Setting("micro_batch_size", per_device),
        Setting("gradient_accumulation_steps", passes),
        Setting("learning_rate", stage.learning_rate),
        Setting("lr_scheduler", arguments["lr_scheduler_type"]),
        *(Setting(key, value) for key, value in warmup(stage).items()),
        Setting("optimizer", arguments["optim"]),
        Setting("weight_decay", arguments["weight_decay"]),
        Setting("max_grad_norm", arguments["max_grad_norm"]),
        Setting("bf16", stage.model.dtype == "bf16"),
        Setting("gradient_checkpointing", stage.gradient_checkpointing),
        Setting("seed", stage.seed),
        Setting("output_dir", lesson.output, group="output"),
        *(Setting(key, value) for key, value in saving(lesson, stage).items()),
        Setting("logging_steps", 1),
        *(Setting(TRACKERS[name], lesson.name if name == "wandb" else True) for name in stage.report),
    ]


def _adapter(lesson: Lesson, notes: list[str]) -> list[Setting]:
    stage = lesson.stage
    if stage is None or stage.lora is None:
        return []
    return [
        Setting("adapter", "lora"),
        Setting("lora_r", stage.lora.rank),
        Setting("lora_alpha", alpha(stage, notes)),
        Setting("lora_dropout", float(stage.lora.dropout)),
        Setting("lora_target_linear", True, "every linear layer but the head, as mixc does"),
    ]
