"""`mixc export`: what each trainer is told, held against its own parser or its documented schema, and what is never overwritten or lost."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from mixc.cli.main import main
from mixc.tests.cli.running import Run, runner
from mixc.tests.compiling import RUN, told
from mixc.tests.lessons import FULL, LORA, STUDENT, make_lesson

TRAINERS = ("llama-factory", "axolotl", "trl")
# Keys of Axolotl's configuration reference that an export may use; one that it does not know it ignores without a word.
AXOLOTL = {
    *("datasets", "val_set_size", "dataset_prepared_path", "chat_template_jinja", "base_model", "revision_of_model", "adapter", "lora_r", "lora_alpha", "lora_dropout"),
    *("lora_target_linear", "sequence_len", "excess_length_strategy", "sample_packing", "num_epochs", "max_steps", "micro_batch_size", "gradient_accumulation_steps"),
    *("learning_rate", "lr_scheduler", "warmup_steps", "warmup_ratio", "optimizer", "weight_decay", "max_grad_norm", "bf16", "gradient_checkpointing", "seed", "output_dir"),
    *("save_strategy", "save_steps", "save_total_limit", "logging_steps", "wandb_project", "use_tensorboard", "use_trackio"),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Builds of recipes that train: `lesson` (all weights), `tuned` (LoRA, packed, weighted), `file` (GGUF), `near` (a folder), `bare` (none), `early` (no rows)."""
    folder = tmp_path_factory.mktemp("export")
    (folder / "weights" / "small").mkdir(parents=True)
    (folder / "small.gguf").write_bytes(b"GGUF")
    pinned = '"Some/Student-1B"\n  revision "12fd25f77366fa6b3b4b768ec3050bf629380bac"'
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MIXC_HOME", raising=False)
        make_lesson(folder)
        make_lesson(folder, LORA, name="tuned")
        make_lesson(folder, FULL.replace("  max_length    2k tokens\n", ""), STUDENT.replace(pinned, '"small.gguf"'), name="file")
        make_lesson(folder, FULL, STUDENT.replace(pinned, '"./weights/small"'), name="near")
        make_lesson(folder, "", "", name="bare")
        assert main(["build", "lesson.mix", "--until", "select", "--out", "early", "-q"]) == 0
    return folder


@pytest.fixture
def run(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `mixc WORDS` in a copy of the project."""
    shutil.copytree(project, tmp_path, dirs_exist_ok=True)
    return runner(tmp_path, monkeypatch, capsys)


def rows(build: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(f"build/{build}/train.jsonl").read_text(encoding="utf-8").splitlines()]


def exported(run: Run, trainer: str, build: str, *words: str) -> dict[str, Any]:
    code, shown, said = run("export", trainer, f"build/{build}", "--format", "json", *words)
    assert (code, said) == (0, ""), said
    return json.loads(shown)


def as_llama_factory_reads(info: dict[str, Any], folder: Path, name: str) -> list[list[dict[str, str]]]:
    """The messages that LLaMA-Factory would train on: its sharegpt reading, by its documentation, over the columns and tags of an entry."""
    entry = info[name]
    assert set(entry) <= {"file_name", "formatting", "columns", "tags"} and entry["formatting"] == "sharegpt"
    tags, column = entry["tags"], entry["columns"]["messages"]
    roles = {tags["user_tag"]: "user", tags["assistant_tag"]: "assistant", tags["system_tag"]: "system"}
    found = []
    for line in (folder / entry["file_name"]).read_text(encoding="utf-8").splitlines():
        messages = json.loads(line)[column]
        turns = [{"role": roles[each[tags["role_tag"]]], "content": each[tags["content_tag"]]} for each in messages]
        assert [turn["role"] for turn in turns] == ["user", "assistant"], "questions at even places, answers at odd ones"
        found.append(turns)
    return found


def as_axolotl_reads(entry: dict[str, Any], folder: Path) -> list[list[dict[str, str]]]:
    """The messages by a `chat_template` dataset of Axolotl, with the turns that carry loss last."""
    assert (entry["type"], entry["ds_type"], entry["roles_to_train"]) == ("chat_template", "json", ["assistant"])
    keys = entry["message_property_mappings"]
    lines = (folder / entry["path"]).read_text(encoding="utf-8").splitlines()
    return [[{name: each[key] for name, key in keys.items()} for each in json.loads(line)[entry["field_messages"]]] for line in lines]


def test_llama_factory_reads_the_messages_of_the_build(run: Run) -> None:
    made = exported(run, "llama-factory", "lesson", "--out", "elsewhere/deep")
    folder = Path("elsewhere/deep")
    assert made["files"] == ["elsewhere/deep/dataset_info.json", "elsewhere/deep/lesson.llama-factory.yaml"]
    info = json.loads((folder / "dataset_info.json").read_text())
    assert as_llama_factory_reads(info, folder, "lesson") == [row["messages"] for row in rows("lesson")] != []
    config = yaml.safe_load((folder / "lesson.llama-factory.yaml").read_text())
    assert {key: config[key] for key in ("dataset", "dataset_dir", "stage", "finetuning_type", "model_name_or_path", "model_revision")} == {
        "dataset": "lesson", "dataset_dir": ".", "stage": "sft", "finetuning_type": "full", "model_name_or_path": "Some/Student-1B",
        "model_revision": "12fd25f77366fa6b3b4b768ec3050bf629380bac",
    }  # fmt: skip
    assert (config["num_train_epochs"], config["learning_rate"], config["cutoff_len"], config["bf16"]) == (3.0, 1e-5, 2000, True)
    assert config["per_device_train_batch_size"] * config["gradient_accumulation_steps"] == 8


def test_axolotl_reads_the_messages_of_the_build(run: Run) -> None:
    exported(run, "axolotl", "tuned", "--out", "there/tuned.yaml")
    config = yaml.safe_load(Path("there/tuned.yaml").read_text())
    assert as_axolotl_reads(config["datasets"][0], Path("there")) == [row["messages"] for row in rows("tuned")] != []
    assert set(config) <= AXOLOTL, set(config) - AXOLOTL
    expected = {
        "base_model": "Some/Student-1B", "adapter": "lora", "lora_r": 4, "lora_alpha": 8, "lora_dropout": 0.05, "lora_target_linear": True, "sequence_len": 512, "sample_packing": True,
        "excess_length_strategy": "truncate", "max_steps": 40, "learning_rate": 2e-4, "lr_scheduler": "linear", "warmup_steps": 3, "save_steps": 10, "seed": 7, "use_tensorboard": True,
        "wandb_project": "tuned", "micro_batch_size": 3, "gradient_accumulation_steps": 2,
    }  # fmt: skip
    assert {key: config[key] for key in expected} == expected


@pytest.mark.parametrize("build", ["lesson", "tuned"])
def test_trl_parses_its_configuration_and_says_what_the_recipe_says(run: Run, build: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from trl import DatasetMixtureConfig, ModelConfig, ScriptArguments, SFTConfig, TrlParser

    made = exported(run, "trl", build, "--out", "trl")
    monkeypatch.chdir("trl")
    parser = TrlParser((ScriptArguments, SFTConfig, ModelConfig, DatasetMixtureConfig))
    _, training, model, data = parser.parse_args_and_config(["--config", Path(made["files"][-1]).name, "--use_cpu"])
    assert (data.datasets[0].path, data.datasets[0].columns) == ("json", ["prompt", "completion"])
    lines = [json.loads(line) for line in Path(data.datasets[0].data_files).read_text().splitlines()]
    monkeypatch.chdir("..")
    assert [[*line["prompt"], *line["completion"]] for line in lines] == [row["messages"] for row in rows(build)] != []
    assert training.completion_only_loss and training.average_tokens_across_devices and model.model_name_or_path == "Some/Student-1B"
    if build == "lesson":
        assert (training.num_train_epochs, training.max_length, training.learning_rate, training.warmup_steps) == (3.0, 2000, 1e-5, 0.1)
        assert (model.use_peft, model.dtype, training.bf16, training.packing) == (False, "float32", True, False)
    else:
        assert (model.use_peft, model.lora_r, model.lora_alpha, model.lora_dropout, model.lora_target_modules) == (True, 4, 8, 0.05, "all-linear")
        assert (training.max_steps, training.lr_scheduler_type, training.save_steps, training.packing) == (40, "linear", 10, True)
        assert (training.seed, training.data_seed, training.report_to) == (7, 7, ["wandb", "tensorboard"])


@pytest.mark.parametrize("trainer", TRAINERS)
def test_what_has_no_counterpart_is_said_in_the_file_and_beside_it(run: Run, trainer: str) -> None:
    made = exported(run, trainer, "tuned")
    text = " ".join(Path(made["files"][-1]).read_text().replace("\n# ", " ").split())
    assert all(" ".join(note.split()) in text for note in made["notes"])
    notes = " ".join(made["notes"])
    assert "weighs each example by `length`" in notes and "packs" in notes and "order of examples" in notes and "3 x 2 on one device" in notes
    code, shown, said = run("export", trainer, "build/tuned")
    assert code == 0 and shown.splitlines() == [f"wrote {path}" for path in made["files"]]
    assert " ".join(said.split()).count("note: ") == len(made["notes"])
    assert exported(run, trainer, "lesson")["notes"] != made["notes"]


def test_a_student_of_another_kind_and_a_recipe_without_training_are_told(run: Run) -> None:
    notes = " ".join(exported(run, "axolotl", "file")["notes"])
    assert "GGUF" in notes and "no `max_length`" in notes
    config = yaml.safe_load(Path("file.axolotl.yaml").read_text())
    assert (config["base_model"], config["sequence_len"]) == ("small.gguf", 4096)
    for trainer in TRAINERS:
        assert "no `train` block" in exported(run, trainer, "bare")["notes"][0]
    assert "base_model" not in yaml.safe_load(Path("bare.axolotl.yaml").read_text())


def test_a_local_student_is_named_from_where_the_file_is(run: Run) -> None:
    exported(run, "axolotl", "near", "--out", "a/b")
    config = yaml.safe_load(Path("a/b/near.axolotl.yaml").read_text())
    assert config["base_model"] == "../../weights/small" and config["datasets"][0]["path"] == "../../build/near/train.jsonl"


def test_other_entries_of_a_dataset_list_stay_and_their_order(run: Run) -> None:
    there = {"zeta": {"hf_hub_url": "some/where"}, "alpha": {"file_name": "ä.json", "columns": {"prompt": "q"}}}
    Path("dataset_info.json").write_text(json.dumps(there), encoding="utf-8")
    exported(run, "llama-factory", "lesson")
    found = json.loads(Path("dataset_info.json").read_text(encoding="utf-8"))
    assert list(found) == ["zeta", "alpha", "lesson"] and {key: found[key] for key in there} == there
    before = Path("dataset_info.json").read_bytes()
    exported(run, "llama-factory", "lesson")
    assert Path("dataset_info.json").read_bytes() == before


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ('{"lesson": {"file_name": "mine.json"}}', "describes another dataset `lesson`"),
        ("[1]", "is no JSON object"),
        ('{"lesson": ', "is no JSON that an entry could be added to"),
    ],
)
def test_a_dataset_list_that_cannot_take_the_entry_stops_everything(run: Run, there: str, said: str, golden) -> None:
    Path("dataset_info.json").write_text(there)
    code, shown, told_of = run("export", "llama-factory", "build/lesson")
    assert (code, shown) == (1, "") and said in told_of
    assert Path("dataset_info.json").read_text() == there and not Path("lesson.llama-factory.yaml").exists()
    if "mine" in there:
        golden(RUN / "MIX0543.txt", told(told_of))
        assert run("export", "llama-factory", "build/lesson", "--force")[0] == 0
        assert json.loads(Path("dataset_info.json").read_text())["lesson"]["formatting"] == "sharegpt"


@pytest.mark.parametrize("trainer", TRAINERS)
def test_a_file_that_was_edited_is_not_overwritten_but_by_force(run: Run, trainer: str) -> None:
    file = Path(exported(run, trainer, "lesson")["files"][-1])
    whole = file.read_text()
    assert run("export", trainer, "build/lesson")[0] == 0, "the same again is no fault"
    file.write_text(whole + "# mine\n")
    code, _, said = run("export", trainer, "build/lesson")
    assert code == 1 and "error[MIX0543]" in said and file.read_text().endswith("# mine\n")
    assert run("export", trainer, "build/lesson", "--force")[0] == 0 and file.read_text() == whole


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("axolotl", "build/nothing"), 1, "MIX0524"),
        (("axolotl", "build"), 1, "MIX0524"),
        (("deepspeed", "build/lesson"), 1, "one of `llama-factory`"),
        (("axolotl", "build/lesson", "--out", "a.json"), 1, "no name for the file"),
        (("llama-factory", "build/lesson", "--out", "sets.json"), 1, "always called `dataset_info.json`"),
        (("trl", "build/lesson", "--out", "lesson.mix"), 1, "is a file, not a folder"),
    ],
)
def test_what_cannot_be_exported_is_refused_in_words(run: Run, words: tuple[str, ...], code: int, said: str) -> None:
    found, shown, told_of = run("export", *words)
    assert (found, shown) == (code, "") and said in told_of


def test_a_build_that_stopped_early_has_nothing_to_train_on(run: Run) -> None:
    code, _, said = run("export", "trl", "early")
    assert code == 1 and "error[MIX0524]" in said and "no `train.jsonl`" in said


def test_a_spec_stands_for_its_build_and_the_dataset_list_may_be_named(run: Run) -> None:
    code, shown, _ = run("export", "llama-factory", "lesson.mix", "--out", "sets/dataset_info.json")
    assert code == 0 and shown.splitlines() == ["wrote sets/dataset_info.json", "wrote sets/lesson.llama-factory.yaml"]
