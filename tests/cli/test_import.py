"""`mixc import`: files of other trainers as people write them, the specs that come of them, and that nothing in them is lost."""

import gzip
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from mixc.cli.main import main
from mixc.tests.cli.running import Run, runner
from mixc.tests.lessons import LORA, make_lesson

QA = [{"instruction": f"How many legs have {n} spiders?", "input": "", "output": f"{8 * n}", "topic": "legs", "level": n} for n in range(1, 6)]
CHATS = [
    {"id": 1, "conversations": [{"from": "human", "value": "Name a prime."}, {"from": "gpt", "value": "Seven."}]},
    {"id": 2, "conversations": [{"from": "system", "value": "Be brief."}, {"from": "human", "value": "Name two."}, {"from": "gpt", "value": "2, 3."}]},
    {"id": 3, "conversations": [{"from": "human", "value": "Hello?"}, {"from": "gpt", "value": "Yes?"}, {"from": "human", "value": "Bye."}, {"from": "gpt", "value": "Bye!"}]},
    {"id": 4, "conversations": [{"from": "human", "value": ""}, {"from": "gpt", "value": "What?"}]},
]
AXOLOTL = """\
base_model: Qwen/Qwen3-0.6B
revision_of_model: c1899de289a04d12100db370d81485cdf75e47ca
plugins:
  - axolotl.integrations.liger.LigerPlugin
load_in_4bit: true
adapter: qlora
lora_r: 32
lora_alpha: 64
lora_dropout: 0.05
lora_target_linear: true
lora_target_modules: [q_proj, v_proj]

datasets:
  - path: data/legs.jsonl
    type: alpaca
    shards: 4
  - path: data/chats.json
    type: chat_template
    field_messages: conversations
    message_property_mappings:
      role: from
      content: value
      thinking: why
    roles:
      user: [human]
      assistant: [gpt]
      tool: [observation]
    roles_to_train: [assistant]
    train_on_eos: all
dataset_prepared_path:
val_set_size: 0.02
output_dir: ./out
sequence_len: 4096
sample_packing: true
gradient_accumulation_steps: 4
micro_batch_size: 2
num_epochs: 2
optimizer: adamw_bnb_8bit
lr_scheduler: cosine
learning_rate: 2e-4
bf16: auto
tf32: false
gradient_checkpointing: true
flash_attention: true
warmup_ratio: 0.1
saves_per_epoch: 2
weight_decay: 0.01
wandb_project: legs
wandb_key: 0123456789abcdef
deepspeed:
  zero_optimization: {stage: 3}
  hub_token: deadbeef
mlflow_tracking_uri: https://me:hf_deadbeefdead@example.org
special_tokens: {pad_token: "<pad>"}
seed: 7
"""
# Of AXOLOTL: what becomes a clause. All that is left has to stand in a comment.
USED = {
    *("base_model", "revision_of_model", "adapter", "lora_r", "lora_alpha", "lora_dropout", "lora_target_linear", "datasets", "sequence_len", "sample_packing", "gradient_accumulation_steps"),
    *("micro_batch_size", "num_epochs", "lr_scheduler", "learning_rate", "bf16", "gradient_checkpointing", "warmup_ratio", "seed"),
}
INSIDE = {"path", "type", "field_messages", "message_property_mappings.role", "message_property_mappings.content", "roles.user", "roles.assistant", "roles_to_train"}
LLAMA = {
    "legs": {"file_name": "legs.jsonl"},
    "chats": {"file_name": "chats.json", "formatting": "sharegpt", "num_samples": 100, "tags": {"observation_tag": "tool", "user_tag": "human"}},
    "far": {"hf_hub_url": "org/far", "subset": "main", "columns": {"prompt": "question", "response": "answer", "images": "pictures"}},
    "pairs": {"file_name": "pairs.json", "ranking": True},
}
TRAINING = """\
model_name_or_path: meta-llama/Llama-3.2-1B-Instruct
trust_remote_code: true
stage: sft
do_train: true
finetuning_type: lora
lora_rank: 8
lora_target: q_proj,v_proj
dataset: legs, chats
dataset_dir: sets
template: llama3
cutoff_len: 2048
max_samples: 1000
output_dir: saves/x
logging_steps: 10
save_steps: 500
per_device_train_batch_size: 1
gradient_accumulation_steps: 8
learning_rate: 1.0e-4
num_train_epochs: 3.0
lr_scheduler_type: cosine
warmup_ratio: 0.1
bf16: true
report_to: none
"""
TRAINING_USED = {
    *("model_name_or_path", "stage", "do_train", "finetuning_type", "lora_rank", "dataset", "dataset_dir", "cutoff_len", "save_steps", "per_device_train_batch_size"),
    *("gradient_accumulation_steps", "learning_rate", "num_train_epochs", "lr_scheduler_type", "warmup_ratio", "bf16", "report_to"),
}


def lines(path: str, rows: list[dict[str, Any]]) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def listed(path: str, rows: list[dict[str, Any]]) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(json.dumps(rows, indent=2, ensure_ascii=False), encoding="utf-8")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    found = runner(tmp_path, monkeypatch, capsys)
    for folder in ("data", "sets"):
        lines(f"{folder}/legs.jsonl", QA)
        listed(f"{folder}/chats.json", CHATS)
    Path("config.yaml").write_text(AXOLOTL)
    Path("sets/dataset_info.json").write_text(json.dumps(LLAMA, indent=2))
    Path("train.yaml").write_text(TRAINING)
    return found


def imported(run: Run, *words: str) -> tuple[dict[str, Any], str]:
    """What an import says of itself, and its spec, which is canonical and checks without an error."""
    code, shown, said = run("import", *words, "--format", "json")
    assert (code, said) == (0, ""), said
    told = json.loads(shown)
    assert run("fmt", "--check", told["spec"])[0] == 0
    return told, Path(told["spec"]).read_text(encoding="utf-8")


def clauses(text: str) -> dict[str, str]:
    """Every line of a spec that is no comment, by its first word; the last of each."""
    return {line.split()[0]: " ".join(line.split()[1:]) for line in text.splitlines() if line.strip() and not line.strip().startswith("#")}


def commented(text: str) -> list[str]:
    return re.findall(r"^#   ([^\s:]+): ", text, re.MULTILINE)


def test_an_axolotl_configuration_becomes_a_spec_that_checks_and_plans(run: Run) -> None:
    told, text = imported(run, "axolotl", "config.yaml")
    said = clauses(text)
    expected = {
        "model": '"Qwen/Qwen3-0.6B"', "revision": '"c1899de289a04d12100db370d81485cdf75e47ca"', "dtype": "bf16", "method": "lora(rank: 32, alpha: 64, dropout: 0.05)", "epochs": "2",
        "learning_rate": "0.0002", "schedule": "cosine", "warmup": "10%", "batch": "8 examples", "max_length": "4096 tokens", "packing": "true", "gradient_checkpointing": "true",
    }  # fmt: skip
    assert {key: said[key] for key in expected} == expected and 'mix "config" { seed 7 }' in text
    assert told["corpora"] == ["legs", "chats"] and told["rows"] == ["config.rows/chats.jsonl"]
    assert "2 x 4 on one device" in text and "`qlora` there" in text
    assert run("check", told["spec"])[0] == 0
    code, shown, _ = run("plan", told["spec"], "--format", "json")
    assert code == 0 and {"scan:legs", "scan:chats", "train"} <= {stage["id"] for stage in json.loads(shown)["stages"]}


def test_every_key_is_a_clause_or_a_comment(run: Run) -> None:
    told, text = imported(run, "axolotl", "config.yaml")
    config = yaml.safe_load(AXOLOTL)
    top = {key for key, value in config.items() if value is not None}
    inside = [key for entry in config["datasets"] for name, value in entry.items() for key in ([f"{name}.{each}" for each in value] if isinstance(value, dict) else [name])]
    assert sorted(commented(text)) == sorted([*(top - USED), *(key for key in inside if key not in INSIDE)])
    assert len(commented(text)) + len(top & USED) + sum(key in INSIDE for key in inside) == len(top) + len(inside)
    assert len(told["left"]) == len(commented(text)) == 19


def test_what_may_be_secret_is_named_and_not_copied(run: Run) -> None:
    told, text = imported(run, "axolotl", "config.yaml")
    assert "#   wandb_key: (not shown)" in text and "#   deepspeed: " in text
    assert '#   special_tokens: {"pad_token": "<pad>"}' in text and '#   mlflow_tracking_uri: "(not shown)"' in text
    for secret in ("0123456789abcdef", "deadbeef"):
        assert secret not in text and secret not in json.dumps(told)


def test_conversations_are_written_as_prompt_and_response_and_what_is_none_is_counted(run: Run) -> None:
    told, text = imported(run, "axolotl", "config.yaml")
    rows = [json.loads(line) for line in Path("config.rows/chats.jsonl").read_text().splitlines()]
    assert rows == [{"prompt": "Name a prime.", "response": "Seven.", "id": 1}, {"prompt": "Name two.", "response": "2, 3.", "system": "Be brief.", "id": 2}]
    notices = " ".join(told["notices"])
    assert "2 rows of `data/chats.json`" in notices and "left out: 1 row, more than one question and one answer" in notices and "a system text in 1 row" in notices
    assert "more than one question and one answer" in " ".join(text.replace("\n# ", " ").split())
    assert 'scan     "data/legs.jsonl"' in text, "rows of columns whose `input` is empty are read as they stand"


def test_a_training_of_llama_factory_brings_its_datasets(run: Run) -> None:
    told, text = imported(run, "llama-factory", "train.yaml")
    said = clauses(text)
    expected = {
        "model": '"meta-llama/Llama-3.2-1B-Instruct"', "method": "lora(rank: 8, alpha: 16, dropout: 0)", "epochs": "3", "learning_rate": "0.0001", "warmup": "10%", "batch": "8 examples",
        "max_length": "2048 tokens", "save": "500 steps", "gradient_checkpointing": "true",
    }  # fmt: skip
    assert {key: said[key] for key in expected} == expected and told["corpora"] == ["legs", "chats"]
    left = set(yaml.safe_load(TRAINING)) - TRAINING_USED
    assert sorted(commented(text)) == sorted([*left, "num_samples", "tags.observation_tag"])
    assert run("check", told["spec"])[0] == 0


def test_datasets_are_chosen_from_a_list_by_name(run: Run) -> None:
    told, text = imported(run, "llama-factory", "sets/dataset_info.json", "--name", "legs")
    assert told["spec"] == "legs.mix" and 'scan     "sets/legs.jsonl"' in text and "train " not in clauses(text) and "student" not in clauses(text)
    told, text = imported(run, "llama-factory", "sets/dataset_info.json", "--name", "legs", "--name", "far", "--name", "pairs", "--out", "there/some.mix")
    assert told["corpora"] == ["legs", "far"] and "1 more dataset is described" in told["notices"][0] and "dataset `pairs` is left out: its rows rank" in told["notices"][1] and "Left out: dataset `pairs`" in text
    assert 'scan     "../sets/legs.jsonl"' in text and 'scan     "hf://datasets/org/far@~parquet/main/train/*.parquet"' in text
    assert commented(text) == ["ranking", "columns.images"] and run("check", "there/some.mix")[0] == 0


def test_a_column_that_is_joined_to_the_prompt_is_joined(run: Run) -> None:
    lines("sets/legs.jsonl", [*QA, {"instruction": "Add.", "input": "2 and 3", "output": "5", "topic": "sums", "level": 1}])
    _, text = imported(run, "llama-factory", "sets/dataset_info.json", "--name", "legs")
    rows = [json.loads(line) for line in Path("legs.rows/legs.jsonl").read_text().splitlines()]
    assert rows[-1] == {"prompt": "Add.\n2 and 3", "response": "5", "topic": "sums", "level": 1} and len(rows) == 6
    assert clauses(text)["prompt"] == "prompt"


@pytest.mark.parametrize("kind", ["gz", "csv", "parquet", "list", "folder"])
def test_the_kinds_of_files_that_trainers_read(kind: str, run: Run) -> None:
    import polars as pl

    path = {"gz": "data/legs.jsonl.gz", "csv": "data/legs.csv", "parquet": "data/legs.parquet", "list": "data/list.json", "folder": "data/parts"}[kind]
    match kind:
        case "gz":
            Path(path).write_bytes(gzip.compress(Path("data/legs.jsonl").read_bytes()))
        case "csv":
            pl.DataFrame(QA).write_csv(path)
        case "parquet":
            pl.DataFrame(QA).write_parquet(path)
        case "list":
            listed(path, QA)
        case _:
            lines(f"{path}/a.jsonl", QA[:2])
            lines(f"{path}/b.jsonl", QA[2:])
    Path("one.yaml").write_text(f"datasets:\n  - path: {path}\n    type: alpaca\n")
    told, _ = imported(run, "axolotl", "one.yaml")
    assert bool(told["rows"]) is (kind in ("csv", "list", "folder"))
    code, _, said = run("build", "one.mix", "-q")
    assert code == 0, said
    assert Path("build/one/train.jsonl").read_text().count("\n") == 5


def test_a_revision_by_either_of_its_names(run: Run) -> None:
    for name in ("revision_of_model", "model_revision"):
        Path("config.yaml").write_text(AXOLOTL.replace("revision_of_model", name))
        assert clauses(imported(run, "axolotl", "config.yaml", "--force")[1])["revision"] == '"c1899de289a04d12100db370d81485cdf75e47ca"'


def test_files_by_pattern_behind_the_name_of_a_builder(run: Run) -> None:
    lines("parts/a.jsonl", QA[:2])
    lines("parts/b.jsonl", QA[2:])
    Path("parts.yaml").write_text("datasets:\n  - path: json\n    data_files: parts/*.jsonl\n    type: alpaca\n")
    told, _ = imported(run, "axolotl", "parts.yaml")
    assert told["rows"] == ["parts.rows/parts.jsonl"] and len(Path("parts.rows/parts.jsonl").read_text().splitlines()) == 5


def test_columns_of_its_own_and_roles_by_other_names(run: Run) -> None:
    rows = [{"q": "One?", "a b": "1", "sys": "Hm."}, {"q": "Two?", "a b": "2", "sys": ""}]
    lines("data/own.jsonl", rows)
    Path("own.yaml").write_text("datasets:\n  - path: data/own.jsonl\n    type:\n      field_instruction: q\n      field_output: a b\n      format: '{instruction}'\n")
    told, text = imported(run, "axolotl", "own.yaml")
    assert clauses(text)["prompt"] == "q" and clauses(text)["response"] == '"a b"' and told["left"] == ['own: type.format: "{instruction}"']
    assert run("check", "own.mix")[0] == 0


def test_what_is_not_here_is_a_notice_and_the_check_says_where(run: Run) -> None:
    shutil.rmtree("data")
    code, shown, said = run("import", "axolotl", "config.yaml")
    assert code == 0 and shown == "wrote config.mix\n"
    assert "`legs` is not at `data/legs.jsonl`" in said and "Put the file there and import again" in said
    code, _, said = run("check", "config.mix")
    assert code == 1 and said.count("error[MIX0208]") == 2


def test_nothing_is_overwritten(run: Run) -> None:
    imported(run, "axolotl", "config.yaml")
    Path("config.mix").write_text("mine")
    code, _, said = run("import", "axolotl", "config.yaml")
    assert code == 1 and "nothing is overwritten" in said and Path("config.mix").read_text() == "mine"
    Path("config.mix").unlink()
    assert run("import", "axolotl", "config.yaml")[0] == 1, "the rows are there still"
    assert run("import", "axolotl", "config.yaml", "--force")[0] == 0
    assert run("import", "axolotl", "config.yaml", "--out", "x.txt")[0] == 1
    assert run("import", "axolotl", "config.yaml", "--name", "legs", "--out", "y.mix")[0] == 1


@pytest.mark.parametrize("trainer", ["llama-factory", "axolotl"])
def test_an_export_comes_back_as_a_spec_that_plans_the_same_training(trainer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run = runner(tmp_path, monkeypatch, capsys)
    build = make_lesson(tmp_path, LORA, name="tuned")
    assert main(["export", trainer, str(build), "--out", "out", "-q"]) == 0
    capsys.readouterr()
    told, _ = imported(run, trainer, f"out/tuned.{trainer}.yaml", "--out", "back.mix")
    code, shown, said = run("plan", "back.mix", "--format", "json")
    assert code == 0, said
    again = next(stage for stage in json.loads(shown)["stages"] if stage["kind"] == "train")
    first = next(stage for stage in json.loads((build / "plan.json").read_text())["stages"] if stage["kind"] == "train")
    same = ("method", "lora", "epochs", "steps", "learning_rate", "batch", "max_length", "warmup", "schedule", "packing", "save", "seed", "gradient_checkpointing", "report")
    assert {key: again[key] for key in same} == {key: first[key] for key in same}
    assert (again["model"]["model"], again["model"]["revision"], again["model"]["dtype"]) == ("Some/Student-1B", first["model"]["revision"], "bf16")
    trained = [json.loads(line)["messages"] for line in (build / "train.jsonl").read_text().splitlines()]
    rows = [json.loads(line) for line in Path(told["rows"][0]).read_text().splitlines()]
    assert [[{"role": "user", "content": row["prompt"]}, {"role": "assistant", "content": row["response"]}] for row in rows] == trained
    assert [row["row_id"] for row in rows] == [json.loads(line)["row_id"] for line in (build / "train.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(
    ("line", "expected", "left"),
    [
        ("neat_packing: true", {"packing": "true"}, []),
        ("warmup_steps: 20", {"warmup": "20 steps"}, ["warmup_ratio"]),
        ("max_steps: 50", {"steps": "50"}, ["num_train_epochs"]),
        ("max_steps: -1", {"epochs": "3"}, []),
        ("lr_scheduler_type: polynomial", {"schedule": "cosine"}, ["lr_scheduler_type"]),
        ("finetuning_type: freeze", {"method": "full"}, ["finetuning_type", "lora_rank", "lora_target"]),
        ("report_to: [wandb, swanlab]", {"report": "wandb"}, ["report_to"]),
        ("save_strategy: epoch", {"save": "1 epochs"}, ["save_steps"]),
        ("fp16: true\nbf16: false", {"dtype": "fp32"}, ["fp16"]),
        ("disable_gradient_checkpointing: true", {}, []),
    ],
)
def test_keys_that_say_a_thing_in_another_way(line: str, expected: dict[str, str], left: list[str], run: Run) -> None:
    before = yaml.safe_load(TRAINING)
    config = {**before, **yaml.safe_load(line)}
    Path("train.yaml").write_text(yaml.safe_dump(config))
    _, text = imported(run, "llama-factory", "train.yaml")
    said = clauses(text)
    assert {key: said[key] for key in expected} == expected
    usual = {*(set(before) - TRAINING_USED), "num_samples", "tags.observation_tag"}
    assert set(commented(text)) - usual == set(left) - usual
    assert ("gradient_checkpointing" in said) is ("disable" not in line)
    assert run("check", "train.mix")[0] == 0


def test_a_folder_here_comes_before_the_hub_and_what_only_the_hub_reads_is_left(run: Run) -> None:
    lines("org/legs/train.jsonl", QA)
    Path("near.yaml").write_text("datasets:\n  - path: org/legs\n    type: alpaca\n    revision: abc\n    name: main\n")
    told, text = imported(run, "axolotl", "near.yaml")
    assert 'scan     "org/legs/train.jsonl"' in text and commented(text) == ["revision", "name"] and told["rows"] == []
    shutil.rmtree("org")
    told, text = imported(run, "axolotl", "near.yaml", "--force")
    assert 'scan     "hf://datasets/org/legs@~parquet/main/train/*.parquet"' in text and commented(text) == [] and "Revision `abc`" in text
