"""What TRL's own trainer makes of an exported configuration: the very tokens, and the same tokens with loss, as mixc trains on."""

import json
from pathlib import Path

import datasets
import polars as pl
import pytest
from mixc.cli.main import main
from mixc.compiler.plan.serialize import from_data
from mixc.compiler.plan.stages import Train
from mixc.runtime.engines.students import Students
from mixc.runtime.examples import tokenise
from mixc.tests.lessons import FULL, STUDENT, make_lesson
from mixc.tests.runtime.tiny import make_tiny_student

pytestmark = pytest.mark.slow
PINNED = '"Some/Student-1B"\n  revision "12fd25f77366fa6b3b4b768ec3050bf629380bac"\n  dtype bf16'


@pytest.mark.parametrize("most", [120, 2000])
def test_trl_trains_on_the_tokens_that_mixc_trains_on(most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trl import DatasetMixtureConfig, ModelConfig, ScriptArguments, SFTConfig, SFTTrainer, TrlParser, get_dataset

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    make_tiny_student(tmp_path / "tiny", context=4096)
    build = make_lesson(tmp_path, FULL.replace("2k tokens", f"{most} tokens"), STUDENT.replace(PINNED, '"./tiny"\n  dtype fp32'))
    assert main(["export", "trl", str(build), "--out", "trl", "-q"]) == 0

    monkeypatch.chdir("trl")
    parser = TrlParser((ScriptArguments, SFTConfig, ModelConfig, DatasetMixtureConfig))
    _, arguments, model, data = parser.parse_args_and_config(["--config", "lesson.trl.yaml", "--use_cpu"])
    trainer = SFTTrainer(model=model.model_name_or_path, args=arguments, train_dataset=get_dataset(data)["train"])
    monkeypatch.chdir("..")

    stage = next(each for each in from_data(json.loads((build / "plan.json").read_text())).stages if isinstance(each, Train))
    examples, report = tokenise(stage, pl.read_parquet(build / "selected.parquet"), Students().tokenizer(stage.model), most)
    assert bool(report.truncated) is (most == 120) and not report.dropped
    theirs = [trainer.data_collator([row]) for row in trainer.train_dataset]
    assert [each["input_ids"][0].tolist() for each in theirs] == [list(example.tokens) for example in examples]
    assert [each["labels"][0].tolist() for each in theirs] == [example.labels for example in examples]
    assert arguments.per_device_train_batch_size * arguments.gradient_accumulation_steps == stage.batch
