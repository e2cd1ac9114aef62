"""`mixc lock` and `--locked` from outside: the same bytes wherever the data lies, every drift told by its name, its place and what it makes run again."""

import json
import random
import shutil
import subprocess
from pathlib import Path

import polars as pl
import pytest
from mixc.compiler.plan.lock import from_json, violations
from mixc.tests.cli.program import arguments, environment
from mixc.tests.cli.program import mixc as program
from mixc.tests.cli.running import Run, runner
from mixc.tests.compiling import RUN, told
from mixc.tests.project import SCORED, make_project, rows, write_rows

HERE = Path(__file__).parent / "lock"
TREE = {"name": "Sums", "children": [{"name": "addition"}, {"name": "subtraction"}, {"name": "multiplication"}]}
WORDS = {"addition": ["addition"], "subtraction": ["subtraction"], "multiplication": ["multiplication"]}
PROFILE = {"skills": {"addition": {"attempts": 9, "correct": 3}, "subtraction": {"attempts": 9, "correct": 5}, "multiplication": {"attempts": 9, "correct": 8}}}
WIDE = (
    SCORED.replace("skills topics { tag by column topic }", 'skills sums {\n  tree "tree.json"\n  tag  by keywords "words.json"\n}\n\nstudent tiny { model "nowhere" }\n\nprofile tiny from "profile.json"')
    .replace('decontaminate none because "nothing is trained"', 'decontaminate against "bench/*.jsonl" by 8-grams of prompt')
    .replace('quota    skill "addition" >= 20%', "quota    skill weakness(max_weight: 20)")
)

REAL = """\
mix "real" { seed 3 }

corpus traces {
  scan      "SCAN"
  id        prompt_id
  prompt    prompt
  response  response
  reference reference_answer
  teacher   teacher
}

score correct = column(correct)
score length  = column(student_tokens, unit: tokens)

decontaminate none because "nothing is trained"

select {
  where    correct and length <= 1k tokens
  keep     best 1 per prompt by -length
  budget   500 examples
  maximize random
}
"""


@pytest.fixture
def mixc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(make_project(tmp_path), monkeypatch, capsys)


@pytest.fixture
def wide(mixc: Run) -> Run:
    """A project whose recipe reads one of each kind of file, locked."""
    Path("wide.mix").write_text(WIDE)
    Path("tree.json").write_text(json.dumps(TREE))
    Path("words.json").write_text(json.dumps(WORDS))
    Path("profile.json").write_text(json.dumps(PROFILE))
    Path("bench").mkdir()
    for i in range(2):
        write_rows(Path(f"bench/{i}.jsonl"), [{"problem": f"A box holds {i} red pens and {n} blue pens, how many pens is that?"} for n in range(3)])
    assert mixc("lock", "wide.mix")[0] == 0
    return mixc


def drifted(mixc: Run, spec: str = "scored.mix", *words: str) -> list[dict]:
    """What `--locked` says of each thing, with exit code 2 and no build."""
    code, out, said = mixc("build", spec, "--locked", "--format", "json", *words)
    assert code == 2, out + said
    assert not Path("build").exists()
    found = json.loads(out)["diagnostics"]
    assert {each["code"] for each in found} == {"MIX0534"}
    return found


def edit(old: str, new: str, path: str = "data/rows.jsonl") -> None:
    text = Path(path).read_text()
    assert old in text
    Path(path).write_text(text.replace(old, new, 1))


def test_a_lock_is_sorted_valid_and_a_pin_a_line(mixc: Run, golden) -> None:
    code, out, said = mixc("lock", "scored.mix")
    assert (code, said) == (0, "")
    text = Path("scored.mix.lock").read_text()
    data = json.loads(text)
    assert violations(data) == [] and list(data) == sorted(data)
    assert text == json.dumps(data, indent=2, sort_keys=True) + "\n"
    assert data["corpora"]["rows"]["rows"] == 36 and data["seed"] == 3
    assert not any(str(Path.cwd()) in line or "data/" in line for line in text.splitlines()), "a path in the lock"
    assert out.startswith("scored.mix.lock: written\n") and "rows (36 rows)" in out


def test_a_lock_that_says_it_already_is_left_alone(mixc: Run) -> None:
    mixc("lock", "scored.mix")
    before = Path("scored.mix.lock").stat()
    code, out, _ = mixc("lock", "scored.mix")
    assert code == 0 and out.startswith("scored.mix.lock: as it was\n")
    after = Path("scored.mix.lock").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_data_in_another_folder_and_shuffled_gives_the_same_bytes(mixc: Run, tmp_path: Path) -> None:
    assert mixc("lock", "scored.mix")[0] == 0
    text = Path("scored.mix.lock").read_bytes()
    lines = Path("data/rows.jsonl").read_text().splitlines(keepends=True)
    random.Random(4).shuffle(lines)
    moved = tmp_path / "elsewhere" / "deep"
    (moved / "data").mkdir(parents=True)
    for name, part in (("z.jsonl", lines[:7]), ("a.jsonl", lines[7:20]), ("m.jsonl", lines[20:])):
        (moved / "data" / name).write_text("".join(part))
    shutil.copy("scored.mix", moved)
    shutil.copy("scored.mix.lock", moved)
    spec = str(moved / "scored.mix")
    assert mixc("build", spec, "--locked", "--out", "out")[0] == 0
    assert Path("out/mix.lock").read_bytes() == text
    (moved / "scored.mix.lock").unlink()
    assert mixc("lock", spec)[0] == 0
    assert (moved / "scored.mix.lock").read_bytes() == text


def test_other_files_formats_and_threads_give_the_same_bytes(mixc: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert mixc("lock", "scored.mix")[0] == 0
    before = Path("scored.mix.lock").read_bytes()
    frame = pl.read_ndjson("data/rows.jsonl")
    frame.sample(fraction=1, shuffle=True, seed=2).write_parquet("data/rows.parquet")
    Path("scored.mix").write_text(SCORED.replace("*.jsonl", "*.parquet"))
    for threads in ("1", "3"):
        done = program("lock", "scored.mix", POLARS_MAX_THREADS=threads, MIXC_HOME=str(tmp_path / f"home{threads}"))
        assert done.returncode == 0, done.stderr
        assert Path("scored.mix.lock").read_bytes() == before


def test_one_character_of_one_response_is_told_with_its_place(mixc: Run, golden) -> None:
    mixc("lock", "scored.mix")
    row = rows()[3]
    answer = str(row["answer"])
    edit(json.dumps(answer), json.dumps(answer.replace("It is", "It as", 1)))
    code, _, said = mixc("build", "scored.mix", "--locked", "-q")
    assert code == 2 and not Path("build").exists()
    golden(RUN / "MIX0534.txt", told(said))


def test_rows_that_come_go_and_change_are_counted(mixc: Run) -> None:
    mixc("lock", "scored.mix")
    made = rows()
    made[0]["answer"] = "It is \\boxed{0}."
    made[1]["count"] = 399
    write_rows(Path("data/rows.jsonl"), [*made[:-1], made[0] | {"prompt_id": "p900", "question": "Another one?"}])
    (found,) = drifted(mixc)
    assert found["message"].endswith("2 rows changed, 1 row came, 1 row went")
    assert "line 1 (prompt p000" in found["notes"][0] and "line 2 (prompt p000" in found["notes"][0] and "prompt p900" in found["notes"][0]


def test_too_many_rows_are_told_as_many(mixc: Run) -> None:
    write_rows(Path("data/rows.jsonl"), rows(200))
    mixc("lock", "scored.mix")
    write_rows(Path("data/rows.jsonl"), rows(100))
    (found,) = drifted(mixc)
    assert found["message"].endswith("more rows changed, came or went than a lock tells apart, 300 rows fewer")


def test_a_column_that_no_clause_reads_may_change(mixc: Run) -> None:
    mixc("lock", "scored.mix")
    edit('"split": "train"', '"split": "other"')
    assert mixc("build", "scored.mix", "--locked")[0] == 0


@pytest.mark.parametrize(
    "path, old, new, message",
    [
        ("tree.json", '"Sums"', '"Sums", "description": "of numbers"', None),
        ("tree.json", '{"name": "multiplication"}', '{"name": "multiplication", "children": [{"name": "of three"}]}', "the skills `sums` are not what `wide.mix.lock` pins: its tree is another"),
        ("words.json", '["addition"]', '["addition", "sum"]', "the skills `sums` are not what `wide.mix.lock` pins: its keywords are others"),
        ("profile.json", '"correct": 8', '"correct": 7', "the profile of `tiny` is not what `wide.mix.lock` pins: its content is another"),
        ("bench/1.jsonl", "red", "tan", "the files `*.jsonl` to decontaminate against are not what `wide.mix.lock` pins: their content is another"),
        ("wide.mix", "seed 3", "seed 4", "the seed is not what `wide.mix.lock` pins: 4, where the lock has 3"),
        ("wide.mix", '"scored"', '"other"', "the name of the mix is not what `wide.mix.lock` pins: other, where the lock has scored"),
        ("wide.mix", "<= 30%", "<= 35%", "what the spec says of `select` is not what `wide.mix.lock` pins: it is another"),
    ],
)
def test_each_kind_of_file_and_clause_is_pinned(path: str, old: str, new: str, message: str | None, wide: Run) -> None:
    edit(old, new, path)
    if message is None:
        assert wide("build", "wide.mix", "--locked")[0] == 0
        return
    (found,) = drifted(wide, "wide.mix")
    assert found["message"] == message
    work = "nothing that is stored" if "name of the mix" in message else "re-select: "
    assert found["notes"][-1].startswith(work)
    assert found["file"] == (None if "seed" in message or "name of" in message else "wide.mix")


def test_other_names_and_another_order_of_benchmark_files_are_the_same(wide: Run) -> None:
    Path("bench/0.jsonl").rename("bench/9.jsonl")
    assert wide("build", "wide.mix", "--locked")[0] == 0


def test_everything_that_drifted_is_told_at_once_the_dearest_first(wide: Run) -> None:
    edit('"good": true', '"good": false')
    edit('["addition"]', '["addition", "sum"]', "words.json")
    edit("<= 30%", "<= 35%", "wide.mix")
    found = drifted(wide, "wide.mix")
    assert [each["message"].split(" is not ")[0].split(" are not ")[0] for each in found] == ["what the spec says of `select`", "the corpus `rows`", "the skills `sums`"]


def test_another_version_of_a_package_is_drift(mixc: Run, golden) -> None:
    mixc("lock", "scored.mix")
    edit(f'"polars": "{pl.__version__}"', '"polars": "1.0.0"', "scored.mix.lock")
    code, _, said = mixc("build", "scored.mix", "--locked", "-q")
    assert code == 2
    assert f"the package `polars` is not what `scored.mix.lock` pins: {pl.__version__}, where the lock has 1.0.0" in said
    assert 'pip install "polars==1.0.0"' in said


def test_params_and_variants_are_pinned(mixc: Run) -> None:
    Path("swept.mix").write_text(SCORED.replace('mix "scored"', 'param most = 2\nsweep most in [1, 2]\n\nmix "swept"').replace("best 2", "best $most"))
    assert mixc("lock", "swept.mix")[0] == 0
    text = Path("swept.mix.lock").read_text()
    data = json.loads(text)
    assert data["params"] == {"most": "2"} and set(data["variants"]) == {"most=1", "most=2"} and violations(data) == []
    assert "corpora" not in data["variants"]["most=1"] and data["variants"]["most=2"] == {}
    assert mixc("build", "swept.mix", "--locked", "--out", "out")[0] == 0
    lock = from_json(Path("out/most=1/mix.lock").read_text())
    assert lock == from_json(text).variants["most=1"] and lock.pins("params") == {"most": {"": "1"}}
    edit("in [1, 2]", "in [1, 3]", "swept.mix")
    found = drifted(mixc, "swept.mix")
    assert [each["message"] for each in found] == ["the variant `most=3` is not what `swept.mix.lock` pins: it is new"]


def test_a_param_that_is_set_otherwise_is_told_with_what_it_changes(mixc: Run) -> None:
    Path("set.mix").write_text(SCORED.replace('mix "scored"', 'param most = 2\n\nmix "set"').replace("best 2", "best $most"))
    assert mixc("lock", "set.mix", "--set", "most=1")[0] == 0
    assert mixc("build", "set.mix", "--locked", "--set", "most=1", "--out", "out")[0] == 0
    found = drifted(mixc, "set.mix")
    assert [each["message"] for each in found] == [
        "the param `most` is not what `set.mix.lock` pins: 2, where the lock has 1",
        "what the spec says of `select` is not what `set.mix.lock` pins: it is another",
    ]
    assert {each["notes"][-1] for each in found} == {"re-select: select and materialise run again"}


def test_no_lock_and_a_broken_one(mixc: Run, golden) -> None:
    code, _, said = mixc("build", "scored.mix", "--locked", "-q")
    assert code == 1
    golden(RUN / "MIX0535.txt", told(said))
    for text, why in (("<<<<<<< HEAD\n", "it is not JSON"), ('{"mixc_lock": 2}', "it is of version 2"), ("[]", "it does not say `mixc_lock`"), ('{"mixc_lock": 1}', "is a required property")):
        Path("scored.mix.lock").write_text(text)
        code, _, said = mixc("build", "scored.mix", "--locked", "-q")
        assert code == 1 and "error[MIX0535]" in said and why in said, said
    assert mixc("lock", "scored.mix")[1].startswith("scored.mix.lock: written")


def test_two_locks_are_compared(mixc: Run, golden) -> None:
    mixc("lock", "scored.mix")
    assert mixc("build", "scored.mix")[0] == 0
    assert mixc("diff", "scored.mix.lock", "build/scored/mix.lock")[:2] == (0, "scored.mix.lock -> build/scored/mix.lock: no difference\n")
    shutil.copy("scored.mix.lock", "old.mix.lock")
    edit('"good": true', '"good": false')
    edit("seed 3", "seed 4", "scored.mix")
    assert mixc("lock", "scored.mix")[1].split("other than before")[1].split("\n")[1] == "  the seed: 4, where the lock has 3"
    for format, name in (("text", "two.txt"), ("md", "two.md"), ("json", "two.json")):
        code, out, said = mixc("diff", "old.mix.lock", "scored.mix.lock", "--format", format)
        assert (code, said) == (2, "")
        golden(HERE / name, out if format != "json" else _without_digests(out))


def _without_digests(out: str) -> str:
    data = json.loads(out)
    for each in data["drift"]:
        each["fields"] = sorted(each["fields"])
    return json.dumps(data, indent=2) + "\n"


def test_no_secret_gets_into_a_lock(mixc: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANTED_KEY", "sk-planted-0123456789")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted-9876543210")
    written = '\nteacher big generate {\n  model "m"\n  endpoint "http://localhost:9/v1"\n  key "PLANTED_KEY"\n  prompts from rows\n}\nteacher all from rows\n\nselect'
    Path("asks.mix").write_text(SCORED.replace("\nselect", written, 1).replace('quota    teacher "rambler" <= 30%\n', ""))
    code, out, said = mixc("lock", "asks.mix")
    assert code == 0, said
    text = Path("asks.mix.lock").read_text()
    assert json.loads(text)["models"]["teacher big"] == {"endpoint": "http://localhost:9/v1", "name": "m", "used_by": "teachers"}
    assert not any(secret in text + out + said for secret in ("planted", "PLANTED_KEY", "OPENAI"))
    edit('"answer": "It is', '"answer": "It as')
    assert drifted(mixc, "asks.mix")[0]["notes"][-1].startswith("re-generate: teacher big (new prompts), ")


def test_two_at_once_leave_a_whole_lock(mixc: Run) -> None:
    asked = [arguments("lock", "scored.mix")] * 3 + [arguments("build", "scored.mix", "-q")] * 2
    running = [subprocess.Popen(words, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for words in asked]
    said = [each.communicate()[1] for each in running]
    assert [each.returncode for each in running] == [0] * 5, said
    assert Path("build/scored/mix.lock").read_bytes() == Path("scored.mix.lock").read_bytes()
    assert mixc("verify", "scored.mix")[0] == mixc("build", "scored.mix", "--locked")[0] == 0
    assert not list(Path().glob(".mixc-tmp-*"))


def test_a_plan_is_held_against_the_lock_too(mixc: Run) -> None:
    mixc("lock", "scored.mix")
    assert mixc("plan", "scored.mix", "--locked")[0] == 0
    edit("seed 3", "seed 4", "scored.mix")
    code, out, said = mixc("plan", "scored.mix", "--locked")
    assert (code, out) == (2, "") and "error[MIX0534]: the seed" in said


def test_a_lock_is_compared_with_what_git_has_of_it(mixc: Run) -> None:
    mixc("lock", "scored.mix")
    who = ["-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q"], ["add", "scored.mix.lock"], [*who, "commit", "-q", "-m", "lock"]):
        subprocess.run(["git", *words], check=True, capture_output=True)
    assert mixc("diff", "scored.mix.lock")[0] == 0
    edit("seed 3", "seed 4", "scored.mix")
    mixc("lock", "scored.mix")
    code, out, _ = mixc("diff", "scored.mix.lock")
    assert code == 2 and out.startswith("HEAD:scored.mix.lock -> scored.mix.lock: re-select\n  the seed: 4, where the lock has 3\n")
    assert mixc("diff", "HEAD:scored.mix.lock", "scored.mix.lock")[1] == out
    code, _, said = mixc("diff", "scored.mix.lock", "none.mix.lock")
    assert code == 1 and "error[MIX0535]: there is no lock `none.mix.lock`" in said


@pytest.mark.shared
def test_the_real_corpus_moved_and_shuffled_and_one_character(mixc: Run, shared: Path) -> None:
    Path("there").mkdir()
    frame = pl.read_parquet(shared / "teachers.parquet")
    spec = REAL.replace("SCAN", str(shared / "teachers.parquet"))
    Path("real.mix").write_text(spec)
    assert mixc("lock", "real.mix")[0] == 0
    before = Path("real.mix.lock").read_bytes()
    mixed = frame.sample(fraction=1, shuffle=True, seed=5)
    for number, part in enumerate((mixed[:20_000], mixed[20_000:])):
        part.write_parquet(f"there/{9 - number}.parquet")
    Path("real.mix").write_text(REAL.replace("SCAN", "there/*.parquet"))
    code, _, said = mixc("build", "real.mix", "--locked", "-q", "--out", "out", "--until", "scan")
    assert code == 0, said
    Path("real.mix.lock").unlink()
    assert mixc("lock", "real.mix")[0] == 0 and Path("real.mix.lock").read_bytes() == before
    part = mixed[:20_000]
    response = part["response"][17]
    at = pl.int_range(pl.len()) == 17
    part.with_columns(pl.when(at).then(pl.lit(response[:-1] + ("x" if response[-1] != "x" else "y"))).otherwise("response").alias("response")).write_parquet("there/9.parquet")
    (found,) = drifted(mixc, "real.mix")
    assert found["message"] == "the corpus `traces` is not what `real.mix.lock` pins: 1 row changed"
    assert found["notes"][0].startswith("changed: `there/9.parquet`, row 18 (prompt ") and found["labels"][0]["text"] == "scans `there/*.parquet`"
    assert found["notes"][1] == "re-select: select and materialise run again"
