"""Rows that do not fit into memory are held in parts on disk. Whatever the number of parts, a build writes the same."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from mixc.cli.inputs import compile_file
from mixc.compiler.diagnostics import Fault
from mixc.runtime import merged as merging
from mixc.runtime import rows as module
from mixc.runtime.contents import contents
from mixc.runtime.context import Context
from mixc.runtime.engines.students import Students
from mixc.runtime.events import Event, Notice
from mixc.runtime.execute import build
from mixc.runtime.identity import by_row_id
from mixc.runtime.merged import merged
from mixc.runtime.preview import preview
from mixc.runtime.rows import Rows, part_of, parts_for, split
from mixc.runtime.scratch import SCRATCH, Scratch
from mixc.runtime.store import Store
from mixc.tests.cli.program import CONFTEST
from mixc.tests.project import SCORED, make_project, rows, write_rows

HEAD, _, _ = SCORED.partition("select {")
PLAIN = SCORED.partition("select {")[2]
SECOND = """
corpus more {
  scan      "other/*.jsonl"
  prompt    question
  response  answer
  reference gold
  teacher   model
}
"""


def spec(*clauses: str, head: str = HEAD) -> str:
    return head + "select {\n  " + "\n  ".join(clauses) + "\n}\n"


SPECS = {
    "filters, shares and a budget": SCORED,
    "quantiles of all rows": spec("where length >= p20", "where length <= p90 within teacher", "where length >= p05 within skill and correct", "budget 20 examples"),
    "ranks": spec("where rank(length) within teacher <= 30", "where rank(-length) within prompt <= 2", "maximize -rank(length)", "budget 15 examples"),
    "cuts by rank": spec("where rank(length) within teacher <= 12 or rank(-length) within skill <= 3", "where rank(length) <= 20", "where rank(length) within prompt == 1"),
    "a quantile within prompt beside one of all": spec("where length >= p50 within prompt or length >= p80", "maximize length"),
    "best by what looks across": spec("keep best 1 per prompt by rank(length) within teacher", "budget 10 examples", "maximize length"),
    "best twice by what looks across": spec(
        "keep best 2 per prompt by rank(length) within teacher", "keep best 1 per prompt by -rank(length)", "budget 10 examples", "maximize length"
    ),
    "at most one a prompt, all kinds of groups": spec(
        "keep at most 1 per prompt", 'quota skill "addition" >= 3 examples', 'quota teacher "terse" <= 40%', 'quota column split "train" >= 2 examples',
        "budget 10 examples", "maximize length",
    ),
    "by prices": spec("keep at most 2 per prompt", 'quota skill "addition" 20%..40%', "budget 14 examples", "maximize -length", "solver prices"),
    "aimed evenly": spec("quota skill uniform", "budget 12 examples", "maximize -length"),
    "graded": spec("where right", "budget 9 examples", head=HEAD.replace("score correct = column(good)", "score right = verify_math(reference)")),
    "tagged by words": spec(
        'quota skill "adding" >= 4 examples', "budget 9 examples", head=HEAD.replace("tag by column topic", 'tag by keywords "words.json"')
    ),
    "licences of rows": spec(
        "where correct", "budget 9 examples",
        head=HEAD.replace("  teacher   model\n}", '  teacher   model\n  license   topic\n}\nrequire license in ["addition", "Subtraction", "subtraction"]'),
    ),
    "a sample": spec(
        "budget 8 examples", head=HEAD.replace("  teacher   model\n", "  teacher   model\n  where     count <= 15\n  sample    20 prompts\n")
    ),
    "two corpora without ids, copies left out": spec(
        "where correct", "budget 12 examples", "maximize -length",
        head=HEAD.replace("  id        prompt_id\n", "").replace("skills topics", SECOND + "dedup by exact of prompt\n\nskills topics"),
    ),
    "near-copies of responses": spec("budget 12 examples", head=HEAD.replace("skills topics", "dedup by minhash(threshold: 0.7) of response\n\nskills topics")),
    "decontaminated": spec("budget 12 examples", head=HEAD.replace('none because "nothing is trained"', 'against "bench.jsonl" by 5-grams of prompt')),
}  # fmt: skip


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = make_project(tmp_path)
    everything = rows(40, 3)
    everything += [{**row, "question": row["question"], "answer": row["answer"]} for row in everything[5:9]]  # rows that stand twice
    everything += [{**row, "prompt_id": f"q{i}", "question": "" if i % 2 else None} for i, row in enumerate(everything[:4])]
    write_rows(made / "data" / "rows.jsonl", everything[:70])
    write_rows(made / "data" / "rest.jsonl", everything[70:])
    (made / "words.json").write_text('{"adding": ["addition"], "odd": ["/[13579] and/"]}')
    (made / "other").mkdir()
    write_rows(made / "other" / "more.jsonl", rows(30, 3)[10:] + rows(20, 9))
    (made / "bench.jsonl").write_text(json.dumps({"problem": rows(40, 3)[30]["question"]}) + "\n")
    monkeypatch.chdir(made)
    return made


def built(text: str, out: str, store: Path) -> tuple[dict[str, Any], list[str]]:
    """What a build wrote, and what it said."""
    Path("some.mix").write_text(text)
    plan = compile_file("some.mix", []).plan
    assert plan is not None
    said: list[str] = []

    def watch(event: Event) -> None:
        said.extend([event.message] if isinstance(event, Notice) else [])

    folder = Path(out)
    context = Context(Store(store), Students(), watch)
    build(plan, folder, context)
    manifest = json.loads((folder / "manifest.json").read_text())
    for stage in manifest["stages"]:
        stage["seconds"] = 0
    found: dict[str, Any] = {"manifest": manifest, "ledger": pl.read_parquet(folder / "ledger.parquet")}
    found |= {name: (folder / name).read_bytes() for name in ("selected.parquet", "teachers.json", "train.jsonl") if (folder / name).exists()}
    return found, said


def in_parts(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(module, "MOST", most)
    monkeypatch.setattr(merging, "AT_ONCE", max(1, most // 3))


@pytest.mark.parametrize("name", SPECS)
def test_a_build_in_parts_writes_what_one_in_memory_writes(name: str, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, said = built(SPECS[name], "whole", project / "a")
    in_parts(monkeypatch, 30)
    parts, also = built(SPECS[name], "parts", project / "b")
    assert parts_for(100) > 1
    assert also == said
    assert parts["ledger"].equals(whole["ledger"])
    for file in whole.keys() - {"ledger", "manifest"}:
        assert parts[file] == whole[file], file
    assert parts["manifest"] == whole["manifest"]
    assert not list((project / "b" / SCRATCH).iterdir())


@pytest.mark.parametrize("name", ["filters, shares and a budget", "quantiles of all rows", "graded", "licences of rows", "two corpora without ids, copies left out", "aimed evenly"])
def test_a_plan_in_parts_says_what_one_in_memory_says(name: str, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("some.mix").write_text(SPECS[name])
    plan = compile_file("some.mix", []).plan
    assert plan is not None
    whole = preview(plan, Context(Store(project / "a"), Students()))
    in_parts(monkeypatch, 30)
    parts = preview(plan, Context(Store(project / "b"), Students()))
    for field in ("known", "composition", "feasible", "stopped", "faults", "selected", "solver", "missing", "exact"):
        assert getattr(parts, field) == getattr(whole, field), field


def test_the_same_clauses_conflict(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = spec("where correct", 'quota skill "addition" >= 90 examples', 'quota teacher "terse" <= 10%', "budget 100 examples")
    with pytest.raises(Fault) as whole:
        built(text, "whole", project / "a")
    in_parts(monkeypatch, 20)
    with pytest.raises(Fault) as parts:
        built(text, "parts", project / "b")
    assert parts.value.diagnostics == whole.value.diagnostics


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"question": "Another question?"}, "MIX0504"),  # one id, two prompts
        ({"prompt_id": "elsewhere"}, "MIX0504"),  # equal rows of two prompts, which may be in two parts
        ({"prompt_id": None}, "MIX0502"),
    ],
)
def test_what_is_wrong_with_the_rows_is_told(change: dict[str, object], code: str, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_rows(project / "data" / "bad.jsonl", [rows(40, 3)[0] | change])
    for number, most in enumerate((1000, 11)):
        in_parts(monkeypatch, most)
        with pytest.raises(Fault) as fault:
            built(SCORED, "out", project / f"store{number}")
        assert [d.code for d in fault.value.diagnostics] == [code]


def frame(count: int) -> pl.DataFrame:
    ids = pl.int_range(count, eager=True)
    made = pl.DataFrame({"row_id": ids.hash(1), "prompt_id": (ids // 3).cast(pl.String), "reason": pl.Series([None] * count, dtype=pl.String), "n": ids})
    return by_row_id(made.with_columns(pl.col("row_id").map_elements(lambda n: f"{n:016x}{n:016x}", return_dtype=pl.String)))


def test_parts_hold_whole_prompts_in_the_order_of_row_ids(tmp_path: Path) -> None:
    whole = frame(500)
    several = split(Rows.of(whole), 8, Scratch(tmp_path))
    assert len(several.parts) == 8 and (several.height, several.alive) == (500, 500)
    prompts = [set(part["prompt_id"]) for part in several.each()]
    assert sum(map(len, prompts)) == len(set[str]().union(*prompts)) == 167
    assert all(part["row_id"].is_sorted() for part in several.each())
    assert by_row_id(several.frame()).equals(whole)
    assert pl.concat(split(several, 32, Scratch(tmp_path)).each()).height == 500


def test_merging_gives_the_order_of_row_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = frame(500)
    several = split(Rows.of(whole), 4, Scratch(tmp_path))
    for once in (1, 37, 499, 5000):
        monkeypatch.setattr(merging, "AT_ONCE", once)
        assert pl.concat(merged(several, ["row_id", "n"])).equals(whole.select("row_id", "n"))
        assert contents(several) == contents(Rows.of(whole))


def test_a_change_keeps_the_columns_that_it_leaves_on_disk(tmp_path: Path) -> None:
    several = split(Rows.of(frame(100)), 2, Scratch(tmp_path))
    changed = several.map(lambda part: part.with_columns(m=pl.col("n") * 2, reason=pl.when(pl.col("n") > 10).then(pl.lit("out")).otherwise("reason")))
    assert (changed.alive, several.alive) == (11, 100)
    for part, before in zip(changed.parts, several.parts, strict=True):
        assert isinstance(part, module.Stored) and isinstance(before, module.Stored)
        assert [name for name in part.places if part.places[name] == before.places.get(name)] == ["row_id", "prompt_id", "n"]
    assert changed.candidates(["n", "m"]).sort("n").rows() == [(n, 2 * n) for n in range(11)]
    with pytest.raises(RuntimeError, match="is a bug"):
        several.map(lambda part: part.head(1))


def test_how_many_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 100)
    assert [parts_for(n) for n in (0, 100, 101, 200, 201, 400, 401)] == [1, 1, 4, 4, 8, 8, 16]
    keys = pl.DataFrame({"prompt_id": [str(n) for n in range(4000)]}).select(part_of(8).alias("of"))["of"]
    assert set(keys) == set(range(8)) and keys.value_counts()["count"].min() > 400  # type: ignore[operator]


def test_scratch_goes_with_its_holder(tmp_path: Path) -> None:
    held = Scratch(tmp_path)
    held.new("a").write_text("x")
    assert [p.parent for p in (tmp_path / SCRATCH).iterdir()] == [tmp_path / SCRATCH]
    del held
    assert not list((tmp_path / SCRATCH).iterdir())


def test_what_a_killed_run_left_goes_when_the_next_one_begins(tmp_path: Path) -> None:
    killed = "import sys, os, signal; from pathlib import Path; from mixc.runtime.scratch import Scratch\n"
    killed += "held = Scratch(Path(sys.argv[1])); held.new('a').write_text('x'); os.kill(os.getpid(), signal.SIGKILL)"
    run = f"import runpy; runpy.run_path({str(CONFTEST)!r}); {killed}"
    assert subprocess.run([sys.executable, "-c", run, str(tmp_path)], check=False).returncode == -signal.SIGKILL
    (left,) = (tmp_path / SCRATCH).iterdir()
    alive = Scratch(tmp_path)
    Scratch(tmp_path)
    assert not left.exists() and alive.path.exists()
