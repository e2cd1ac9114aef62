"""`mixc verify` from outside: a whole build passes, and whatever is done to one of its files is told by name, with exit code 2."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from mixc.cli.main import main
from mixc.runtime.outputs import TELLING
from mixc.tests.cli.running import Run, runner
from mixc.tests.compiling import RUN, told
from mixc.tests.project import make_project

OUT = Path("build/scored")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_project(tmp_path_factory.mktemp("verify"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MIXC_HOME", raising=False)
        assert main(["build", "scored.mix", "-q"]) == main(["build", "scored.mix", "-q", "--out", "build/part", "--until", "filter"]) == 0
    shutil.rmtree(folder / "data")  # what is verified needs no source
    return folder


@pytest.fixture
def mixc(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    shutil.copytree(project, tmp_path, dirs_exist_ok=True)
    return runner(tmp_path, monkeypatch, capsys)


def differences(mixc: Run) -> list[str]:
    code, out, said = mixc("verify", "build/scored", "--format", "json")
    data = json.loads(out)
    assert code == (2 if data["diagnostics"] else 0) and said == ""
    assert {each["code"] for each in data["diagnostics"]} <= {"MIX0536"}
    return [each["message"] for each in data["diagnostics"]]


def rewrite(name: str, change: Callable[[dict], object]) -> None:
    """Change a JSON file of the build as somebody would who hides it: its digest in the manifest is made to fit."""
    from mixc.runtime.outputs import outputs

    data = json.loads((OUT / name).read_text())
    change(data)
    (OUT / name).write_text(json.dumps(data, indent=2) + "\n")
    _fit(outputs(OUT))


def _fit(found: object) -> None:
    manifest = json.loads((OUT / "manifest.json").read_text())
    (OUT / "manifest.json").write_text(json.dumps(manifest | {"outputs": found}, indent=2) + "\n")


def test_a_whole_build_is_what_it_says(mixc: Run, golden) -> None:
    code, out, said = mixc("verify", "scored.mix")
    assert (code, said) == (0, "")
    golden(Path(__file__).parent / "lock" / "verified.txt", out)
    assert differences(mixc) == []


def test_a_build_that_stopped_early_is_checked_as_far_as_it_went(mixc: Run) -> None:
    code, out, said = mixc("verify", "build/part")
    assert (code, said) == (0, "") and "what comes after `filter`: the build stopped there" in out


def test_the_manifest_has_every_data_file(mixc: Run) -> None:
    import hashlib

    found = json.loads((OUT / "manifest.json").read_text())["outputs"]
    assert sorted(found) == sorted(p.name for p in OUT.iterdir() if p.name not in TELLING)
    for name, each in found.items():
        data = (OUT / name).read_bytes()
        assert each == {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def test_one_byte_of_an_output(mixc: Run, golden) -> None:
    text = (OUT / "train.jsonl").read_text()
    (OUT / "train.jsonl").write_text(text.replace("content", "contint", 1))
    code, out, said = mixc("verify", "build/scored")
    assert code == 2 and out.startswith("build/scored: it is not what its lock and its manifest say\n")
    golden(RUN / "MIX0536.txt", told(said))


def test_a_file_more_and_one_less(mixc: Run) -> None:
    (OUT / "teachers.json").unlink()
    (OUT / "notes.txt").write_text("mine")
    (OUT / "report.html").write_text("<p>made again at any time")
    assert differences(mixc) == ["`notes.txt` is in the folder, and the build did not write it", "`teachers.json` is gone"]


def test_a_damaged_table(mixc: Run) -> None:
    data = (OUT / "selected.parquet").read_bytes()
    (OUT / "selected.parquet").write_bytes(data[:-20])
    first, second = differences(mixc)
    assert first == f"`selected.parquet` is not the file that the build wrote: {len(data) - 20:,} bytes, and {len(data):,} were written"
    assert second.startswith("the rows cannot be read: ")


def test_a_row_that_was_taken_out_everywhere_but_in_the_ledger(mixc: Run) -> None:
    from mixc.runtime.outputs import outputs

    frame = pl.read_parquet(OUT / "selected.parquet")
    frame.head(11).write_parquet(OUT / "selected.parquet")
    _fit(outputs(OUT))
    assert differences(mixc) == [
        "`selected.parquet` and the ledger's selected rows part: 0 are in the one alone, 1 in the other",
        "`train.jsonl` has 12 examples that are not the 11 rows of `selected.parquet`, in their order",
        "the manifest counts 12 selected rows, and there are 11",
    ]


def test_another_plan_lock_or_manifest(mixc: Run) -> None:
    rewrite("plan.json", lambda plan: plan["stages"][-1].update(format="skill_aware"))
    assert differences(mixc) == ["`materialise` of the plan is not what the lock pins", "the plan is not that of the manifest"]
    rewrite("plan.json", lambda plan: plan["stages"][-1].update(format="plain"))
    assert differences(mixc) == []
    rewrite("mix.lock", lambda lock: (lock["corpora"]["rows"].update(rows=35), lock["versions"].update(polars="1.0"), lock.update(seed=4)))
    assert differences(mixc) == [
        "the plan's seed is 3, and the lock pins 4",
        "the rows of corpus `rows` in the manifest are not those that the lock pins",
        f"the manifest has polars {pl.__version__}, and the lock pins 1.0",
    ]


def test_what_is_no_build_or_has_no_lock(mixc: Run) -> None:
    code, _, said = mixc("verify", "build/nothing")
    assert code == 1 and "error[MIX0524]: there is no build at `build/nothing`" in said
    (OUT / "mix.lock").unlink()
    code, _, said = mixc("verify", "build/scored")
    assert code == 1 and "error[MIX0535]: the build in `build/scored` has no `mix.lock`" in said
    (OUT / "mix.lock").write_text("{}")
    code, _, said = mixc("verify", "build/scored")
    assert code == 1 and "error[MIX0535]: the lock `build/scored/mix.lock` cannot be read" in said
