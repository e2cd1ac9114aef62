"""Files of other trainers that are broken, hostile or about something else: told with their place, never a traceback, and nothing in them runs."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from mixc.cli.foreign.read_yaml import read_yaml
from mixc.cli.foreign.section import Section, plain
from mixc.cli.main import main
from mixc.compiler.diagnostics import Diagnostics, Fault
from mixc.compiler.source import Source
from mixc.compiler.syntax.arrange import arrange
from mixc.tests.cli.running import Run, runner
from mixc.tests.compiling import RUN, told

ROW = {"instruction": "One?", "output": "1"}
DATA = "datasets:\n  - path: rows.jsonl\n    type: alpaca\n"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
BROKEN = {
    "tab": ("datasets:\n\t- path: x\n", 2, "is not YAML"),
    "quote": ('datasets:\n  - path: "x\n', 3, "is not YAML"),
    "bomb": (BOMB, 1, "unfold to"),
    "endless": ("a: &a [*a]\n", 1, "nested more than"),
    "deep": ("[" * 3000, 1, "nested too deeply"),
    "python": ("x: !!python/object/apply:os.system ['touch ran']\n", 1, "more than a plain value"),
    "twice": (f"{DATA}seed: 1\nseed: 2\n", 5, "stands twice"),
    "list": ("- a\n- b\n", 1, "is a list, not a mapping"),
    "two": ("a: 1\n---\nb: 2\n", 2, "is not YAML"),
    "control": ("a: \x01\n", 1, "is not YAML"),
    "number": (f"a: {'9' * 5000}\n", 1, "cannot be read"),
    "key": ("[1, 2]: x\n", 1, "not a text"),
}
MEANINGLESS = {
    "none": ("seed: 1\n", 1, "lists no `datasets:`"),
    "empty": ("", 1, "lists no `datasets:`"),
    "pathless": ("datasets:\n  - type: alpaca\n", 2, "has no `path:`"),
    "type": ("datasets:\n  - path: rows.jsonl\n    type: completion\n", 2, "cannot be imported"),
    "rate": (f"{DATA}base_model: a/b\nlearning_rate: fast\n", 5, 'is "fast", not a number'),
    "warmup": (f"{DATA}base_model: a/b\nwarmup_ratio: 3\n", 5, "a warm-up over 3"),
    "batch": (f"{DATA}base_model: a/b\nmicro_batch_size: 1.5\n", 5, "not a whole number above 0"),
    "columns": ("datasets:\n  - path: rows.jsonl\n    type: chat_template\n", 2, "no row of `rows` is one question and one answer"),
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    found = runner(tmp_path, monkeypatch, capsys)
    Path("rows.jsonl").write_text(json.dumps(ROW) + "\n")
    return found


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_cannot_be_read_is_told_at_its_place(name: str, run: Run, golden) -> None:
    text, line, said = BROKEN[name]
    Path("config.yaml").write_text(text)
    code, shown, told_of = run("import", "axolotl", "config.yaml")
    assert (code, shown) == (1, "") and told_of.startswith("error[MIX0541]"), told_of
    assert said in told_of and f"config.yaml:{line}:" in told_of, told_of
    assert not Path("config.mix").exists() and not Path("ran").exists()
    if name == "twice":
        golden(RUN / "MIX0541.txt", told(told_of))


@pytest.mark.parametrize("name", MEANINGLESS)
def test_a_file_that_means_nothing_here_is_told_at_its_place(name: str, run: Run) -> None:
    text, line, said = MEANINGLESS[name]
    Path("config.yaml").write_text(text)
    code, shown, told_of = run("import", "axolotl", "config.yaml")
    assert (code, shown) == (1, "") and told_of.startswith("error[MIX0542]"), told_of
    assert said in told_of and f"config.yaml:{line}:" in told_of, told_of
    assert not Path("config.mix").exists() and not Path("config.rows").exists()


def test_a_dataset_that_is_described_nowhere_is_told_with_the_one_that_is_meant(run: Run, golden) -> None:
    Path("dataset_info.json").write_text(json.dumps({"math_sft": {"file_name": "rows.jsonl"}, "code_sft": {"file_name": "rows.jsonl"}}))
    Path("train.yaml").write_text("stage: sft\ndataset_dir: .\ndataset: maths_sft\n")
    code, _, said = run("import", "llama-factory", "train.yaml")
    assert code == 1 and "did you mean `math_sft`?" in said
    golden(RUN / "MIX0542.txt", told(said))
    code, _, said = run("import", "llama-factory", "dataset_info.json")
    assert code == 1 and "describes 2 datasets" in said and "choose with `--name`: `math_sft`, `code_sft`" in said
    code, _, said = run("import", "llama-factory", "dataset_info.json", "--name", "mathsft")
    assert code == 1 and "did you mean `math_sft`?" in said


@pytest.mark.parametrize(
    ("info", "said"),
    [
        ('{"a": {"file_name": "rows.jsonl"', "is not JSON"),
        ('{"a": {"file_name": "rows.jsonl", "formatting": "alpacca"}}', "is none that LLaMA-Factory has"),
        ('{"a": {"formatting": "alpaca"}}', "neither `file_name` nor `hf_hub_url`"),
        ('{"a": {"file_name": "rows.jsonl", "columns": {"prompt": "instruction"}}}', "no column of answers"),
        ('{"a": [1]}', "is a list, not a mapping"),
        ("{}", "describes no dataset"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_a_list_of_datasets_that_says_nothing_useful(info: str, said: str, run: Run) -> None:
    Path("dataset_info.json").write_text(info)
    code, _, told_of = run("import", "llama-factory", "dataset_info.json", "--out", "x.mix")
    assert code == 1 and "error[MIX054" in told_of and said in " ".join(told_of.split()), told_of
    assert not Path("x.mix").exists()


def test_another_kind_of_training_and_rows_that_are_cut_off(run: Run) -> None:
    Path("train.yaml").write_text("stage: dpo\ndataset: a\n")
    code, _, said = run("import", "llama-factory", "train.yaml")
    assert code == 1 and "error[MIX0542]" in said and "no supervised fine-tuning" in said
    Path("rows.json").write_text('[{"instruction": "One?", "output": "1"}, {"instruc')
    Path("config.yaml").write_text(DATA.replace("rows.jsonl", "rows.json"))
    code, _, said = run("import", "axolotl", "config.yaml")
    assert code == 4 and "error[MIX0501]" in said and "entry 2" in said and not Path("config.mix").exists()
    assert not list(Path().glob("config.rows/*")), "half a file is no file"


def test_large_files_and_files_that_are_not_there(run: Run) -> None:
    Path("big.yaml").write_text("a: 1\n" + "# x\n" * 100_000)
    Path("latin.yaml").write_bytes(b"a: \xe9\n")
    for name, said in (("big.yaml", "a configuration has at most"), ("latin.yaml", "is not UTF-8"), ("none.yaml", "no such file"), (".", "is a directory")):
        code, _, told_of = run("import", "axolotl", name, "--out", "x.mix")
        assert code == 1 and "error[MIX0541]" in told_of and said in told_of, told_of


def test_yaml_is_what_the_safe_loader_says_it_is() -> None:
    text = "a: &x {b: 1, c: [yes, ~, 1.5, 2024-01-01]}\nd:\n  <<: *x\n  b: 2\ne: 'it''s'\n"
    read = plain(read_yaml(Source("f.yaml", text)))
    assert read == {"a": {"b": 1, "c": [True, None, 1.5, "2024-01-01"]}, "d": {"b": 2, "c": [True, None, 1.5, "2024-01-01"]}, "e": "it's"}


def test_what_was_looked_at_and_left_counts_as_left() -> None:
    source = Source("f.yaml", "a: 1\nb: {c: 2, d: 3}\ne: null\nmy_api_key: x\n")
    section = Section(source, read_yaml(source), "it")
    assert section.number("a") == 1 and section.section("b").number("c") == 2  # type: ignore[union-attr]
    assert section.left() == ["b.d: 3", "my_api_key: (not shown)"]
    section.leave("a")
    assert section.left() == ["a: 1", "b.d: 3", "my_api_key: (not shown)"]


words = some.sampled_from(["rows.jsonl", "alpaca", "chat_template", "a/b", "org/name", "lora", "qlora", "true", "", "x\ny", "é # {", '"', "\\", "p10", "$x", "rank"]) | some.text(max_size=6)
plainly = some.none() | some.booleans() | some.integers(-3, 100) | some.floats(allow_nan=True) | words
entries = some.dictionaries(some.sampled_from(["path", "type", "data_files", "name", "split", "revision", "field_messages", "roles", "message_property_mappings"]) | words, plainly | some.lists(plainly, max_size=2), max_size=5)
KEYS = [
    *("base_model", "adapter", "lora_r", "lora_alpha", "sequence_len", "micro_batch_size", "num_epochs", "max_steps", "learning_rate", "lr_scheduler", "warmup_ratio", "warmup_steps"),
    *("bf16", "save_steps", "seed", "wandb_project", "chat_template_jinja", "gradient_checkpointing", "revision_of_model", "batch_size"),
]
configs = some.dictionaries(some.sampled_from(KEYS) | words, plainly | some.dictionaries(words, plainly, max_size=2), max_size=8)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(configs, some.lists(entries, max_size=3), some.booleans())
def test_whatever_a_configuration_says_the_outcome_is_a_spec_or_a_diagnostic(run: Run, config: dict, datasets: list, usable: bool) -> None:
    """JSON is YAML too. A spec that is written parses, is canonical, and has no line of the file's own making."""
    entry = [{"path": "rows.jsonl", "type": "alpaca"}] if usable else []
    Path("fuzz.yaml").write_text(json.dumps({**config, "datasets": [*entry, *datasets]}), encoding="utf-8")
    code, shown, said = run("import", "axolotl", "fuzz.yaml", "--force", "--out", "fuzz.mix")
    assert code in (0, 1) and "this is a bug" not in said, said
    if code:
        assert "error[MIX054" in said and not shown, said
        return
    text = Path("fuzz.mix").read_text(encoding="utf-8")
    assert arrange(Source("fuzz.mix", text), Diagnostics()) == text
    heads = [line.split()[0] for line in text.splitlines() if line and line[0] not in "# }"]
    assert set(heads) <= {"mix", "student", "corpus", "decontaminate", "select", "train"}


def test_a_fault_is_a_fault_and_no_other_exception() -> None:
    for text, _, _ in BROKEN.values():
        with pytest.raises(Fault):
            Section(Source("f.yaml", text), read_yaml(Source("f.yaml", text)), "it")


def test_the_verb_has_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "--help"]) == 0
    assert "dataset_info.json" in capsys.readouterr().out
