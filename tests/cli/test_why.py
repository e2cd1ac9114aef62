"""`mixc why`: what is printed of every kind of row, that its figures are those of the build, and what it refuses."""

import json
import re
import shutil
from pathlib import Path

import polars as pl
import pytest
from mixc.cli.main import main
from mixc.tests.cli.running import Run, runner
from mixc.tests.compiling import RUN, told
from mixc.tests.project import SCORED, make_project

HERE = Path(__file__).parent / "why"
SPEC = (
    SCORED.replace("where    length <= 400 tokens", 'where    length >= p10 within teacher or not (topic contains "mult")\n  keep     at most 2 per prompt')
    .replace('quota    teacher "rambler" <= 30%', 'quota    teacher "rambler" >= 25% of tokens\n  quota    column model "tutor" >= 3 examples')
    .replace("maximize random", "maximize -length")
)



@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 prompts, and the builds of `scored.mix` and `random.mix`."""
    folder = make_project(tmp_path_factory.mktemp("why"))
    (folder / "scored.mix").write_text(SPEC)
    (folder / "random.mix").write_text(SCORED)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MIXC_HOME", raising=False)
        assert main(["build", "scored.mix", "-q"]) == main(["build", "random.mix", "-q"]) == 0
    return folder


@pytest.fixture
def run(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `mixc WORDS` in a copy of the project; gives the exit code, stdout and stderr."""
    shutil.copytree(project, tmp_path, dirs_exist_ok=True)
    return runner(tmp_path, monkeypatch, capsys)


def ledger() -> pl.DataFrame:
    return pl.read_parquet("build/scored/ledger.parquet")


def asked(run: Run, name: str, *words: str, build: str = "scored.mix") -> dict:
    code, shown, said = run("why", build, name, "--format", "json", *words)
    assert code == 0, said
    return json.loads(shown)


@pytest.mark.parametrize("prompt", ["p000", "p001", "p004", "p009"])
def test_what_is_printed_of_a_prompt_is_the_golden(prompt: str, run: Run, golden) -> None:
    code, shown, said = run("why", "scored.mix", prompt, "--why-not")
    assert (code, said) == (0, "")
    golden(HERE / f"{prompt}.txt", shown)
    assert shown == run("why", "build/scored", prompt, "--why-not")[1]


def test_the_json_of_a_row_is_the_golden(run: Run, golden) -> None:
    row = ledger().filter(pl.col("status") == "selected")["row_id"][0]
    golden(HERE / "selected.json", run("why", "scored.mix", row[:8], "--why-not", "--format", "json")[1])


def test_a_prompt_tells_of_all_its_rows_the_selected_first(run: Run) -> None:
    for prompt, rows in ledger().group_by("prompt_id"):
        found = asked(run, str(prompt[0]))["rows"]
        assert {r["row_id"] for r in found} == set(rows["row_id"])
        order = [(not r["selected"], -(r["step"] or 0), r["row_id"]) for r in found]
        assert order == sorted(order)


def test_the_columns_of_the_ledger_are_those_of_the_contract_and_then_the_trace(run: Run) -> None:
    assert ledger().columns == [
        *("row_id", "prompt_id", "teacher", "skills", "tokens", "correct", "length", "status", "reason", "step"),
        *("2: p10 within teacher", '2: topic contains "mult"', "3: -length", "3: place", "3: rival", "3: margin"),
        *("column model", "objective", "advantage", "tie"),
    ]
    path = json.loads(Path("build/scored/manifest.json").read_text())["path"]
    assert [each["number"] for each in path] == [1, 2, 3, 4] and path[-1]["unit"] == "tokens"
    frame = ledger()
    thresholds = path[1]["thresholds"][0]
    assert thresholds["quantile"] == "p10 within teacher" and thresholds["within"] == "teacher"
    for teacher, value in thresholds["values"].items():
        alive = frame.filter((pl.col("teacher") == teacher) & ((pl.col("step") > 1) | pl.col("step").is_null()))["length"].sort()
        assert value == alive[-(-alive.len() * 10 // 100) - 1]
        assert frame.filter(pl.col("teacher") == teacher)["2: p10 within teacher"].unique().to_list() == [value]


def test_rivals_and_margins_are_those_that_a_loop_finds(run: Run) -> None:
    frame = ledger()
    for _, rows in frame.group_by("prompt_id"):
        alive = rows.filter((pl.col("step") > 2) | pl.col("step").is_null()).sort(-pl.col("length"), "tie", descending=[True, False])
        for place, row in enumerate(alive.iter_rows(named=True), 1):
            rival = 3 if place <= 2 else 2
            other = alive.row(rival - 1, named=True) if alive.height >= rival else None
            assert row["3: place"] == place
            assert (row["3: rival"], row["3: margin"]) == ((other["row_id"], other["length"] - row["length"]) if other else (None, None))


def test_the_advantage_is_the_objective_and_all_charges(run: Run) -> None:
    seen = 0
    for row in ledger().filter(pl.col("advantage").is_not_null())["row_id"]:
        (account,) = asked(run, row)["rows"]
        standing = account["standing"]
        assert standing["value"] + sum(c["amount"] for c in standing["charges"]) == pytest.approx(standing["advantage"], abs=1e-9)
        assert not standing["estimated"] and standing["value"] == -account["tokens"]
        seen += len(standing["charges"]) > 1
        if standing["rival"] is not None:
            assert (standing["rival"]["ahead"] >= 0) == account["selected"] or standing["rival"]["ahead"] == 0
    assert seen


def test_whoever_does_as_it_is_told_gets_in(run: Run) -> None:
    """The change that `--why-not` names is made in the data: the row is then selected. A little less of it, and it is not."""
    frame = pl.read_parquet("build/random/ledger.parquet")
    beaten = frame.filter(pl.col("step") == 3).row(0, named=True)
    (account,) = asked(run, beaten["row_id"], "--why-not", build="random.mix")["rows"]
    by = int(re.search(r"must rise by more than (\d+)", account["needs"][0]["must"]).group(1))  # type: ignore[union-attr]
    assert account["needs"][0]["clause"] == "keep best 2 per prompt by -length"
    for fewer, reached in ((by, None), (by + 1, True)):
        lines = [json.loads(line) for line in Path("data/rows.jsonl").read_text().splitlines()]
        shutil.copytree("data", "other", dirs_exist_ok=True)
        mine = next(r for r in lines if r["prompt_id"] == beaten["prompt_id"] and r["model"] == beaten["teacher"])
        mine["count"] -= fewer
        Path("other/rows.jsonl").write_text("".join(json.dumps(r) + "\n" for r in lines))
        Path("other.mix").write_text(SCORED.replace("data/*.jsonl", "other/*.jsonl"))
        assert run("build", "other.mix", "-q")[0] == 0
        again = pl.read_parquet("build/other/ledger.parquet").filter(pl.col("row_id") == beaten["row_id"]).row(0, named=True)
        assert reached is None or again["step"] != 3


@pytest.mark.parametrize(
    ("words", "code", "golden_name"),
    [
        (("build/nothing", "p001"), "MIX0524", "MIX0524"),
        (("build", "p001"), "MIX0524", None),
        (("data", "p001"), "MIX0524", None),
        (("other.mix", "p001"), "MIX0524", None),
        (("build/scord", "p001"), "MIX0524", None),
        (("data/rows.jsonl", "p001"), "MIX0524", None),
        (("scored.mix", "p0l1"), "MIX0525", "MIX0525"),
        (("scored.mix", "ffffffff"), "MIX0525", None),
        (("scored.mix", "f"), "MIX0525", None),
    ],
)
def test_what_is_not_there_is_told_with_a_way_out(words: tuple[str, str], code: str, golden_name: str | None, run: Run, golden) -> None:
    exit_code, out, said = run("why", *words)
    assert (exit_code, out) == (1, "") and f"error[{code}]" in said and "help: " in said and "Traceback" not in said
    if golden_name:
        golden(RUN / f"{golden_name}.txt", told(said))
    exit_code, shown, _ = run("why", *words, "--format", "json")
    assert exit_code == 1 and json.loads(shown)["diagnostics"][0]["code"] == code


def test_the_beginning_of_several_ids_names_them(run: Run, golden) -> None:
    frame = ledger().with_columns(pl.format("abcdef{}", pl.col(name).str.slice(6)).alias(name) for name in ("row_id", "3: rival"))
    frame.write_parquet("build/scored/ledger.parquet")
    exit_code, _, said = run("why", "scored.mix", "ABCDEF")
    assert exit_code == 1 and "`ABCDEF` is the beginning of 36 ids" in said
    golden(RUN / "MIX0526.txt", told(said))
    one = frame["row_id"].sort()[0]
    assert asked(run, one[:9])["rows"][0]["row_id"] == one


def test_of_a_spec_with_variants_one_is_to_be_named(run: Run, golden) -> None:
    Path("study.mix").write_text(SCORED.replace("12 examples", "$size examples") + "\nparam size = 12\nsweep size in [6, 12, 999]\n")
    assert run("build", "study.mix", "-q")[0] == 3
    code, out, said = run("why", "study.mix", "p001")
    assert (code, out) == (1, "") and said == run("why", "build/study", "p001")[2]
    golden(HERE / "variants.txt", said)
    assert "did you mean `build/study/size=12`?" in " ".join(run("why", "build/study/size=13", "p001")[2].split())
    assert run("why", "build/study/size=12", "p001")[0] == 0
    assert "`build/study/size=12`" in run("why", "build", "p001")[2]
    Path("none.mix").write_text(Path("study.mix").read_text().replace("[6, 12, 999]", "[998, 999]"))
    assert run("build", "none.mix", "-q")[0] == 3
    code, out, said = run("why", "none.mix", "p001")
    assert (code, out) == (1, "") and "none of them was built" in said


def test_a_build_that_stopped_early_or_is_of_another_version_is_told_apart(run: Run) -> None:
    assert run("build", "scored.mix", "--until", "score", "--out", "early", "-q")[0] == 0
    assert "stopped before its selection" in run("why", "early", "p001")[2]
    assert "it holds several" in run("why", "build", "p001")[2]
    manifest = json.loads(Path("build/scored/manifest.json").read_text())
    del manifest["path"]
    Path("build/scored/manifest.json").write_text(json.dumps(manifest))
    code, _, said = run("why", "scored.mix", "p001")
    assert code == 1 and "kept no trace of its rows" in said
    Path("build/scored/manifest.json").write_text("{")
    code, _, said = run("why", "scored.mix", "p001")
    assert code == 4 and "MIX0501" in said and "cannot be read: `manifest.json`" in said
    ledger().write_parquet("build/scored/ledger.parquet")
    whole = Path("build/scored/ledger.parquet").read_bytes()
    shutil.rmtree("build/scored")
    assert run("build", "scored.mix", "-q")[0] == 0
    Path("build/scored/ledger.parquet").write_bytes(whole[: len(whole) // 2])
    assert "cannot be read" in run("why", "scored.mix", "p001")[2]


def test_a_score_that_has_the_name_of_a_column_of_the_trace_keeps_it(run: Run) -> None:
    Path("clash.mix").write_text(SCORED.replace("score length ", "score tie = column(count)\nscore step = column(count)\nscore length ").replace("by -length", "by -tie"))
    assert run("build", "clash.mix", "-q")[0] == 0
    frame = pl.read_parquet("build/clash/ledger.parquet")
    assert {"tie of the trace", "step of the trace"} <= set(frame.columns) and set(frame["tie"].drop_nulls()) == {3, 16, 24}
    for account in asked(run, "p001", build="clash.mix")["rows"]:
        assert account["tie"] > 1000 and account["step"] in (None, 1, 2, 3, 4)
