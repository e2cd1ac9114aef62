"""A Train stage as arguments of TRL."""

import subprocess
import sys
from dataclasses import replace

import pytest
from mixc.compiler.backends.trl import sft_arguments
from mixc.compiler.plan.stages import Amount, Model, Train
from mixc.compiler.source import Span

SPAN = Span("a.mix", 0, 5)
STAGE = Train(
    id="train:s", inputs=("select",), model=Model(student="s", model="m", span=SPAN), epochs=5, seed=17, span=SPAN
)


@pytest.mark.parametrize("batch", [1, 2, 3, 6, 7, 8, 12, 30, 128])
def test_per_device_batch_times_accumulation_is_exactly_the_batch_of_the_spec(batch):
    found = sft_arguments(replace(STAGE, batch=batch))
    assert found["per_device_train_batch_size"] * found["gradient_accumulation_steps"] == batch
    assert 1 <= found["per_device_train_batch_size"] <= 4


def test_epochs_and_steps_exclude_each_other():
    assert sft_arguments(STAGE)["num_train_epochs"] == 5.0
    assert "max_steps" not in sft_arguments(STAGE)
    steps = sft_arguments(replace(STAGE, epochs=None, steps=40))
    assert steps["max_steps"] == 40
    assert "num_train_epochs" not in steps
    for bad in (replace(STAGE, steps=40), replace(STAGE, epochs=None)):
        with pytest.raises(ValueError, match="epochs or steps"):
            sft_arguments(bad)


def test_the_spec_decides_seed_learning_rate_and_arithmetic():
    found = sft_arguments(replace(STAGE, learning_rate=3e-4, model=replace(STAGE.model, dtype="fp32")))
    assert (found["seed"], found["data_seed"], found["learning_rate"], found["bf16"]) == (17, 17, 3e-4, False)
    assert sft_arguments(STAGE)["bf16"] is True


def test_the_installed_trl_takes_every_argument_as_it_is(tmp_path):
    SFTConfig = pytest.importorskip("trl").SFTConfig
    for stage in (STAGE, replace(STAGE, epochs=None, steps=3)):
        arguments = sft_arguments(stage)
        config = SFTConfig(output_dir=str(tmp_path), use_cpu=True, **arguments)
        assert {name: getattr(config, name) for name in arguments} == arguments


def test_neither_torch_nor_trl_is_imported():
    code = (
        "import sys, runpy; runpy.run_path('tests/conftest.py'); import mixc.compiler.backends.trl; "
        "sys.exit(bool({'torch', 'trl', 'transformers', 'polars'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=__file__.rsplit("/tests/", 1)[0]).returncode == 0


@pytest.mark.parametrize(
    ("warmup", "expected"),
    [(Amount(value=3, unit="%"), 0.03), (Amount(value=0, unit="%"), 0), (Amount(value=7, unit="steps"), 7), (Amount(value=100, unit="%"), 0.999)],
)
def test_the_warm_up_is_a_share_below_1_or_steps(warmup, expected):
    found = sft_arguments(replace(STAGE, warmup=warmup))["warmup_steps"]
    assert found == expected


@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
def test_each_schedule_of_the_language_is_one_of_the_library(schedule):
    from transformers.trainer_utils import SchedulerType

    assert SchedulerType(sft_arguments(replace(STAGE, schedule=schedule))["lr_scheduler_type"])
    assert sft_arguments(replace(STAGE, gradient_checkpointing=True))["gradient_checkpointing"] is True
