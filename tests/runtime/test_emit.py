"""What is told of a build in others' formats: what goes wrong there fails no build, leaves no half file, and is said."""

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from mixc.runtime import emit as module
from mixc.runtime.emit import EMITTERS, emit, moment
from mixc.runtime.events import Notice
from mixc.runtime.finished import finished
from mixc.tests.awkward import build_in, make_awkward
from mixc.tests.cli.program import CONFTEST, arguments, environment
from mixc.tests.project import SCORED, make_project
from mixc.tests.test_build import FILES

NAMES = [name for name, _ in EMITTERS]


def fail(build: object, now: object) -> bytes:
    raise KeyError("no such\nthing")


def test_every_build_tells_of_itself(tmp_path: Path) -> None:
    out = build_in(make_project(tmp_path), "scored.mix")
    assert NAMES == ["croissant.json", "README.md", "openlineage.jsonl", "report.html"] and all((out / name).stat().st_size for name in NAMES)
    assert json.loads((out / "manifest.json").read_text())["notices"] == []


def test_an_emitter_that_raises_leaves_out_its_file_alone_and_the_manifest_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EMITTERS", (("croissant.json", fail), *EMITTERS[1:]))
    out = build_in(make_project(tmp_path), "scored.mix")
    assert not (out / "croissant.json").exists() and (out / "README.md").exists() and (out / "train.jsonl").exists()
    assert json.loads((out / "manifest.json").read_text())["notices"] == ["emit: `croissant.json` left out: KeyError: 'no such\\nthing'"]


def test_a_name_that_cannot_be_written_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EMITTERS", (("plan.json/under", EMITTERS[0][1]), *EMITTERS[1:]))
    out = build_in(make_project(tmp_path), "scored.mix")
    (said,) = json.loads((out / "manifest.json").read_text())["notices"]
    assert said == "emit: `plan.json/under` left out: cannot write `plan.json/under`: a file stands where a folder should" and str(tmp_path) not in said
    assert sorted(p.name for p in out.iterdir() if p.name.startswith(".")) == []


FULL = f"""
import resource, runpy, signal, sys
runpy.run_path({str(CONFTEST)!r})
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from mixc.runtime import emit
def limited(build, now, first=emit.EMITTERS[0][1]):
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY))
    return first(build, now)
emit.EMITTERS = (("croissant.json", limited), *emit.EMITTERS[1:])
sys.argv = ["mixc", *sys.argv[1:]]
runpy.run_module("mixc.cli.main", run_name="__main__")
"""


def test_a_disk_that_is_full_by_then_costs_these_files_and_nothing_else(tmp_path: Path) -> None:
    """The system refuses all that is longer than 2,000 bytes from the first emitter on: these files, and the manifest's second writing."""
    make_project(tmp_path)
    done = subprocess.run(arguments("build", "scored.mix", code=FULL), cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    out = tmp_path / "build" / "scored"
    assert sorted(p.name for p in out.iterdir()) == [name for name in FILES if name not in NAMES]
    assert json.loads((out / "manifest.json").read_text())["counts"]["selected"] == 12
    for name in NAMES:
        assert f"`{name}` left out: cannot write `{name}`: the file would be larger than the system allows" in " ".join(done.stderr.split())


def test_a_build_that_cannot_be_read_back_is_told_of_by_one_notice(tmp_path: Path) -> None:
    out = build_in(make_project(tmp_path), "scored.mix")
    (out / "ledger.parquet").write_bytes(b"PAR1")
    for name in NAMES:
        (out / name).unlink()
    heard: list[object] = []
    emit(out, heard.append, lambda: heard.append("again"))
    first, second = heard
    assert isinstance(first, Notice) and first.message.startswith("`croissant.json`, `README.md`, `openlineage.jsonl`, `report.html` left out: ") and second == "again"
    assert not any((out / name).exists() for name in NAMES)


def test_what_stops_the_program_is_not_held_up(tmp_path: Path) -> None:
    def interrupt(build: object, now: object) -> bytes:
        raise KeyboardInterrupt

    out = build_in(make_project(tmp_path), "scored.mix")
    with pytest.raises(KeyboardInterrupt):
        emit(out, lambda event: None, lambda: None, (("croissant.json", interrupt),))


def test_a_run_that_stops_before_the_selection_has_nothing_to_tell(tmp_path: Path) -> None:
    out = build_in(make_project(tmp_path), "scored.mix", "--until", "tag")
    assert sorted(p.name for p in out.iterdir()) == ["manifest.json", "mix.lock", "plan.json", "sources.json"]
    assert json.loads((out / "manifest.json").read_text())["notices"] == []


def test_a_run_until_select_tells_of_the_rows_that_it_has(tmp_path: Path) -> None:
    out = build_in(make_project(tmp_path), "scored.mix", "--until", "select")
    found = json.loads((out / "croissant.json").read_text())
    assert [each["name"] for each in found["distribution"]] == ["selected.parquet"] and [each["name"] for each in found["recordSet"]] == ["selected"]
    assert "train.jsonl" not in (out / "README.md").read_text() and "train.jsonl" not in (out / "openlineage.jsonl").read_text()


def test_a_build_again_takes_the_place_of_the_one_that_told(tmp_path: Path) -> None:
    folder = make_project(tmp_path)
    out = build_in(folder, "scored.mix")
    first = (out / "README.md").read_text()
    (folder / "scored.mix").write_text(SCORED.replace("12 examples", "9 examples"))
    build_in(folder, "scored.mix")
    assert "9 examples that" in (out / "README.md").read_text() and "12 examples that" in first


@pytest.mark.parametrize("epoch", [True, False], ids=["SOURCE_DATE_EPOCH", "now"])
def test_the_bytes_depend_on_the_build_and_its_moment_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epoch: bool) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000") if epoch else monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    one, other = (build_in(make_awkward(tmp_path / name / "deeper")) for name in ("one", "other"))
    for name in NAMES[: 3 if epoch else 2]:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
        assert str(tmp_path) not in (one / name).read_text(encoding="utf-8")
    assert not epoch or json.loads((one / "croissant.json").read_text(encoding="utf-8"))["datePublished"] == "2023-11-14"
    runs = {json.loads(line)["run"]["runId"] for out in (one, other) for line in (out / "openlineage.jsonl").read_text(encoding="utf-8").splitlines()}
    assert len(runs) == 1


def test_the_moment_is_now_unless_the_environment_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    assert moment() == datetime(1970, 1, 1, tzinfo=UTC)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "")
    before = datetime.now(UTC)
    assert before <= moment()


def test_a_moment_that_is_none_costs_these_files_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    out = build_in(make_project(tmp_path), "scored.mix")
    (said,) = json.loads((out / "manifest.json").read_text())["notices"]
    assert "left out: ValueError" in said and "yesterday" in said and not any((out / name).exists() for name in NAMES)


def test_the_content_is_named_by_the_data_alone(tmp_path: Path) -> None:
    out = build_in(make_project(tmp_path), "scored.mix")
    before = finished(out).content
    os.utime(out / "train.jsonl", (0, 0))
    assert finished(out).content == before and len(before) == 32
    with (out / "train.jsonl").open("a") as file:
        file.write("{}\n")
    assert finished(out).content != before and finished(out).train.rows == 13  # type: ignore[union-attr]
