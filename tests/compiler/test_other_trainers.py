"""Backends for other trainers, on stages made by hand: what each clause becomes, and what is said where there is nothing for it to become."""

from dataclasses import replace
from typing import Any

import pytest
from mixc.compiler.backends.axolotl import axolotl
from mixc.compiler.backends.lesson import Exported, Lesson
from mixc.compiler.backends.llama_factory import llama_factory
from mixc.compiler.backends.trl_config import trl_config
from mixc.compiler.clauses import Amount, Lora, Model
from mixc.compiler.plan.stages import Train
from mixc.compiler.source import Span

SPAN = Span("a.mix", 0, 1)
STAGE = Train(id="train", inputs=("materialise",), model=Model(student="s", model="org/s", span=SPAN), epochs=2, seed=3, batch=6, max_length=512, span=SPAN)
LESSON = Lesson("name", "../train.jsonl", 100, "out", STAGE, "org/s", length=512)
ALL = (axolotl, llama_factory, trl_config)


def told(exported: Exported) -> tuple[dict[str, Any], str]:
    return {each.key: each.value for each in exported.settings}, " ".join(exported.notes)


@pytest.mark.parametrize("backend", ALL)
def test_no_key_is_written_twice_and_nothing_is_without_a_value(backend) -> None:
    for stage in (STAGE, replace(STAGE, method="lora", lora=Lora(), packing=True, report=("wandb", "tensorboard", "trackio"), epochs=None, steps=9)):
        for template in (None, "t.jinja"):
            exported = backend(replace(LESSON, stage=stage, template=template))
            keys = [each.key for each in exported.settings]
            assert len(keys) == len(set(keys)) and all(each.value is not None for each in exported.settings)


@pytest.mark.parametrize(("backend", "key"), [(axolotl, "lora_alpha"), (llama_factory, "lora_alpha"), (trl_config, "lora_alpha")])
def test_a_scale_that_is_no_whole_number_is_rounded_and_told(backend, key: str) -> None:
    settings, notes = told(backend(replace(LESSON, stage=replace(STAGE, method="lora", lora=Lora(rank=4, alpha=5.5, dropout=0)))))
    assert settings[key] == 6 and "alpha is 5.5 in the recipe" in notes


@pytest.mark.parametrize("backend", ALL)
def test_evaluation_and_a_student_that_was_not_found_are_told(backend) -> None:
    assert "evaluation" not in told(backend(LESSON))[1]
    assert "evaluation (benchmarks" in told(backend(replace(LESSON, evaluates=True)))[1]
    assert "files were not found" in told(backend(replace(LESSON, known=False)))[1]


@pytest.mark.parametrize("backend", ALL)
@pytest.mark.parametrize(("save", "steps"), [(Amount(value=30, unit="steps"), 30), (Amount(value=2, unit="epochs"), 34)])
def test_checkpoints_are_written_as_often_as_the_recipe_says(backend, save: Amount, steps: int) -> None:
    settings, _ = told(backend(replace(LESSON, stage=replace(STAGE, save=save))))
    assert (settings["save_strategy"], settings["save_steps"]) == ("steps", steps), "17 steps are an epoch of 100 examples, 6 a step"


@pytest.mark.parametrize(
    ("warmup", "others", "trl"),
    [(Amount(value=3, unit="%"), ("warmup_ratio", 0.03), 0.03), (Amount(value=20, unit="steps"), ("warmup_steps", 20), 20), (Amount(value=100, unit="%"), ("warmup_ratio", 0.999), 0.999)],
)
def test_the_warm_up_is_a_share_or_steps(warmup: Amount, others: tuple[str, float], trl: float) -> None:
    lesson = replace(LESSON, stage=replace(STAGE, warmup=warmup))
    for backend in (axolotl, llama_factory):
        assert told(backend(lesson))[0][others[0]] == others[1]
    assert told(trl_config(lesson))[0]["warmup_steps"] == trl


def test_a_length_that_nobody_says_is_assumed_and_told_but_where_nothing_needs_it() -> None:
    lesson = replace(LESSON, length=None)
    for backend, key in ((axolotl, "sequence_len"), (llama_factory, "cutoff_len")):
        settings, notes = told(backend(lesson))
        assert settings[key] == 4096 and f"`{key}` is 4096 here" in notes
    settings, notes = told(trl_config(lesson))
    assert settings["max_length"] is None and "4096" not in notes
    settings, notes = told(trl_config(replace(lesson, stage=replace(STAGE, packing=True))))
    assert settings["max_length"] == 4096 and "`max_length` is 4096 here" in notes


def test_a_batch_of_one_needs_no_word_and_a_prime_one_is_passes() -> None:
    assert "on one device" not in told(axolotl(replace(LESSON, stage=replace(STAGE, batch=1))))[1]
    settings, notes = told(axolotl(replace(LESSON, stage=replace(STAGE, batch=7))))
    assert (settings["micro_batch_size"], settings["gradient_accumulation_steps"]) == (1, 7) and "1 x 7 on one device" in notes
