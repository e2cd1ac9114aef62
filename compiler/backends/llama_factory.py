"""A build as LLaMA-Factory takes it: an entry of `dataset_info.json`, and a configuration of `llamafactory-cli train`. Opens no file."""

from typing import Any

from .arguments import alpha, batch, common, length, saving, warmup
from .lesson import Exported, Lesson, Setting
from .trl import sft_arguments


def dataset_entry(lesson: Lesson) -> dict[str, Any]:
    """The description of the build's rows, with every tag that the rows need: one that is left out beside others is none at all there."""
    return {
        "file_name": lesson.rows,
        "formatting": "sharegpt",
        "columns": {"messages": "messages"},
        "tags": {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant", "system_tag": "system"},
    }


def llama_factory(lesson: Lesson) -> Exported:
    """The settings of the training; the dataset is found by its name in the `dataset_info.json` beside it."""
    notes = common(lesson, "LLaMA-Factory")
    data = [
        Setting("dataset_dir", ".", group=f"data: {lesson.examples:,} examples, loss on the assistant's turn alone"),
        Setting("dataset", lesson.name),
    ]
    return Exported((*_model(lesson, notes), *data, *_training(lesson, notes)), tuple(notes))


def _model(lesson: Lesson, notes: list[str]) -> list[Setting]:
    stage = lesson.stage
    if stage is None:
        return []
    notes.append("No `template` is set, so that LLaMA-Factory reads the one of the student's tokenizer; where it cannot, name one of its own that writes the same tokens.")
    if lesson.template:
        notes.append(f"The recipe's own chat template, `{lesson.template}`, has no counterpart: put it into the student's tokenizer.")
    found = [Setting("model_name_or_path", lesson.model, group="model")]
    found += [Setting("model_revision", stage.model.revision)] if stage.model.revision else []
    found += [Setting("stage", "sft"), Setting("do_train", True), Setting("finetuning_type", stage.method)]
    if stage.lora is not None:
        found += [
            Setting("lora_rank", stage.lora.rank),
            Setting("lora_alpha", alpha(stage, notes)),
            Setting("lora_dropout", float(stage.lora.dropout)),
            Setting("lora_target", "all", "every linear layer but the head, as mixc does"),
        ]
    return found


def _training(lesson: Lesson, notes: list[str]) -> list[Setting]:
    stage = lesson.stage
    if stage is None:
        return []
    arguments = sft_arguments(stage)
    per_device, passes = batch(stage)
    most = length(lesson, "cutoff_len", notes)
    notes.append("mixc cuts an example that is too long at its end; LLaMA-Factory takes from the prompt and from the answer by their lengths.")
    packing = [Setting("packing", stage.packing)]
    if stage.packing:
        packing.append(Setting("neat_packing", True, "examples of one pack do not see one another"))
        notes.append(f"With `packing` `per_device_train_batch_size` counts packs of up to {most - 1:,} tokens and not examples, so that steps, epochs and the schedule differ from the recipe's {stage.batch} examples a step.")
    duration = Setting("num_train_epochs", float(stage.epochs)) if stage.epochs else Setting("max_steps", stage.steps)
    return [
        Setting("cutoff_len", most),
        Setting("overwrite_cache", True),
        *packing,
        duration,
        Setting("per_device_train_batch_size", per_device),
        Setting("gradient_accumulation_steps", passes),
        Setting("learning_rate", stage.learning_rate),
        Setting("lr_scheduler_type", arguments["lr_scheduler_type"]),
        *(Setting(key, value) for key, value in warmup(stage).items()),
        Setting("optim", arguments["optim"]),
        Setting("weight_decay", arguments["weight_decay"]),
        Setting("max_grad_norm", arguments["max_grad_norm"]),
        Setting("bf16", stage.model.dtype == "bf16"),
        Setting("disable_gradient_checkpointing", not stage.gradient_checkpointing),
        Setting("seed", stage.seed),
        Setting("output_dir", lesson.output, group="output"),
        *(Setting(key, value) for key, value in saving(lesson, stage).items()),
        Setting("logging_steps", 1),
        Setting("report_to", ",".join(stage.report) or "none"),
    ]
