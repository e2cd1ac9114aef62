"""`mixc diff` of two builds: laws that hold of every pair, causes against a second computation from the files, the texts, what cannot be compared."""

import json
import shutil
from itertools import permutations
from pathlib import Path

import polars as pl
import pytest
from jsonschema import Draft202012Validator
from mixc.cli.main import main
from mixc.cli.write_diff import schema
from mixc.runtime.moves.found import KINDS, ORIGINS
from mixc.tests.cli.running import Run, runner
from mixc.tests.moved import moved
from mixc.tests.project import SCORED, make_project, rows, write_rows
from mixc.tests.runtime.arms_of import write_arms

HERE = Path(__file__).parent / "moves"
ROOT = Path(__file__).parents[2]
BASE = SCORED.replace("maximize random", "maximize length").replace("<= 400 tokens", "<= 60 tokens")
SPECS = {
    "base": BASE,
    "quota": BASE.replace('"rambler" <= 30%', '"rambler" <= 10%'),
    "floor": BASE.replace('"addition" >= 20%', '"addition" >= 60%'),
    "tighter": BASE.replace("<= 60 tokens", "<= 14 tokens").replace("12 examples", "up to 12 examples"),
    "best": BASE.replace("best 2", "best 1"),
    "fewer": BASE.replace("budget   12", "budget   9"),
    "data": BASE.replace("data/*.jsonl", "other/*.jsonl"),
    "valued": BASE.replace("data/*.jsonl", "valued/*.jsonl"),
    "quantile": BASE.replace("where    length <= 60 tokens", "where    length <= p68"),
    "narrow": BASE.replace("  teacher   model", '  teacher   model\n  where     topic != "addition"').replace('  quota    skill "addition" >= 20%\n', ""),
}


LAWFUL = ("base", "quota", "floor", "best", "data", "valued")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 prompts; a build of every spec; two of more data: four prompts with long responses, and a very short one of the tutor for every old prompt. `other` lacks four prompts and has four that are new; in `valued` every second row is longer or shorter."""
    folder = make_project(tmp_path_factory.mktemp("moves"), 24)
    everything = rows(28)
    write_rows(folder / "other" / "rows.jsonl", everything[12:])
    changed = [row | {"count": row["count"] + (7 if n % 4 else -3)} if n % 2 else row for n, row in enumerate(rows(24))]  # type: ignore[operator]
    write_rows(folder / "valued" / "rows.jsonl", changed)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MIXC_HOME", raising=False)
        for name, text in SPECS.items():
            (folder / f"{name}.mix").write_text(text)
            assert main(["build", f"{name}.mix", "-q"]) == 0
        assert main(["build", "base.mix", "--until", "filter", "--out", "early", "-q"]) == 0
        new = [row | {"count": row["count"] + 20} for row in everything[72:]]  # type: ignore[operator]
        short = [row | {"answer": f"\\boxed{{{row['gold']}}}", "count": 1, "good": True} for row in everything[1:72:3]]
        write_rows(folder / "data" / "more.jsonl", [*new, *short])
        for name in ("base", "quantile"):
            assert main(["build", f"{name}.mix", "--out", f"build/{name}-grown", "-q"]) == 0
    return folder


@pytest.fixture
def run(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `mixc WORDS` in a copy of the builds, which lie in `build` and `early`."""
    for name in ("build", "early"):
        shutil.copytree(project / name, tmp_path / name)
    return runner(tmp_path, monkeypatch, capsys)


def differing(run: Run, before: str, after: str) -> tuple[int, dict]:
    code, shown, said = run("diff", f"build/{before}", f"build/{after}", "--format", "json")
    assert said == "", said
    data = json.loads(shown)
    Draft202012Validator(schema()).validate(data)
    assert data["different"] == (code == 2)
    return code, data["builds"]["dataset"]


def test_laws_that_hold_of_every_pair_of_builds(run: Run) -> None:
    selected = {name: set(pl.read_parquet(f"build/{name}/selected.parquet")["row_id"]) for name in SPECS}
    found = {pair: differing(run, *pair) for pair in permutations(LAWFUL, 2)}
    for (before, after), (code, data) in found.items():
        old, new, counts = selected[before], selected[after], data["rows"]
        sides = {move: {each["row_id"] for each in data["moves"] if each["move"] == move} for move in ("added", "removed")}
        assert code == 2 and sides == {"added": new - old, "removed": old - new}
        assert counts["kept"] == len(old & new) and counts["kept"] + counts["added"] == counts["after"] == len(new) and counts["kept"] + counts["removed"] == counts["before"] == len(old)
        assert sum(cause["rows"] for cause in data["causes"]) == len(data["moves"])
        for what in ("teachers", "skills"):
            assert all(t["before"] - t["removed"] + t["added"] == t["after"] for t in data[what])
            assert sum(t["added"] for t in data[what]) == counts["added"] and sum(t["before"] for t in data[what]) == len(old)
        told = {each["row_id"]: (each["move"], each["kind"], None if each["kind"] in ("ties", "unread") else each["clause"]) for each in data["moves"]}
        assert told == moved(Path(f"build/{before}"), Path(f"build/{after}")), (before, after)
        mirrored = found[after, before][1]
        assert [_turned(each) for each in mirrored["moves"]] == sorted(data["moves"], key=lambda each: (each["move"] == "added", each["row_id"]))
        assert mirrored["read"]["only_before"] == data["read"]["only_after"] and mirrored["read"]["both"] == data["read"]["both"]


def _turned(move: dict) -> dict:
    """The same move, seen from the other side."""
    pairs = {name: value and {"before": value["after"], "after": value["before"]} for name, value in move.items() if name in ("value", "bound", "advantage", "charge")}
    through = {"new data": "gone data", "gone data": "new data"}.get(move["through"], move["through"])
    return {**move, **pairs, "through": through, "move": {"added": "removed", "removed": "added"}[move["move"]]}


def test_the_schema_has_every_kind_and_origin() -> None:
    defined = schema()["$defs"]
    assert (defined["kind"]["enum"], defined["origin"]["enum"]) == ([*KINDS], [*ORIGINS])


@pytest.mark.parametrize("name", ["base", "quantile", "narrow"])
def test_a_build_and_itself_do_not_differ(name: str, run: Run) -> None:
    code, data = differing(run, name, name)
    assert code == 0 and data["moves"] == data["causes"] == [] and data["rows"]["kept"] == data["rows"]["before"] == data["rows"]["after"]


def kinds(data: dict) -> set[tuple]:
    return {(each["move"], each["kind"], each["clause"], each["counterpart"], each["origin"]) for each in data["causes"]}


def test_each_cause_is_told_by_its_name(run: Run) -> None:
    filtered = kinds(differing(run, "base", "tighter")[1])
    assert ("removed", "filter", "where length <= 14 tokens", "where length <= 60 tokens", "recipe") in filtered
    assert ("removed", "keep best", "keep best 1 per prompt by -length", "keep best 2 per prompt by -length", "recipe") in kinds(differing(run, "base", "best")[1])
    assert ("removed", "budget", "budget 9 examples", "budget 12 examples", "recipe") in kinds(differing(run, "base", "fewer")[1])
    assert ("added", "quota", 'quota skill "addition" >= 20%', 'quota skill "addition" >= 60%', "recipe") in kinds(differing(run, "base", "floor")[1])
    data = kinds(differing(run, "base", "data")[1])
    assert {each[:2] + each[4:] for each in data} >= {("added", "unread", "recipe"), ("removed", "unread", "recipe")}, "the path is another, so the recipe says why"
    assert ("removed", "filter", "where length <= p68", "where length <= 60 tokens", "recipe") in kinds(differing(run, "base", "quantile-grown")[1])


def test_a_cause_that_is_not_in_the_recipe_is_told(run: Run) -> None:
    grown = differing(run, "base", "base-grown")[1]
    assert ("added", "unread", None, None, "data") in kinds(grown)
    keep = "keep best 2 per prompt by -length"
    beaten = [each for each in grown["moves"] if each["kind"] == "keep best"]
    ledger = {row["row_id"]: row for row in pl.read_parquet("build/base-grown/ledger.parquet").to_dicts()}
    old = set(pl.read_parquet("build/base/ledger.parquet")["row_id"])
    assert beaten and {(each["clause"], each["counterpart"], each["origin"]) for each in beaten} == {(keep, keep, "rival")}
    for each in beaten:
        assert each["why"] == f"beaten by {each['rival']}" and ledger[each["rival"]]["prompt_id"] == each["prompt_id"]
        assert each["through"] == "new data" and {row for row in ledger if ledger[row]["prompt_id"] == each["prompt_id"]} - old
    moved = [each for each in differing(run, "quantile", "quantile-grown")[1]["moves"] if each["origin"] == "threshold"]
    assert moved, "rows that came in moved the quantile"
    for each in moved:
        assert each["value"]["before"] == each["value"]["after"] and each["bound"]["before"] != each["bound"]["after"]


def test_the_value_and_the_threshold_of_a_filter_are_told(run: Run) -> None:
    rows = {row["row_id"]: row for row in pl.read_parquet("build/tighter/ledger.parquet").to_dicts()}
    cut = [each for each in differing(run, "base", "tighter")[1]["moves"] if each["kind"] == "filter"]
    assert cut
    for each in cut:
        length = rows[each["row_id"]]["length"]
        assert each["value"] == {"before": length, "after": length} and each["bound"] == {"before": 60, "after": 14} and each["why"] == f"false ({length} > 14)"


def test_scores_that_shifted_are_counted(run: Run) -> None:
    old, new = ({row["row_id"]: row["length"] for row in pl.read_parquet(f"build/{name}/ledger.parquet").to_dicts()} for name in ("base", "valued"))
    apart = sorted(abs(new[row] - old[row]) for row in old if new[row] != old[row])
    data = differing(run, "base", "valued")[1]
    found = {each["name"]: each for each in data["scores"]}
    assert found["length"] == {"name": "length", "changed": len(apart), "median": (apart[len(apart) // 2] + apart[(len(apart) - 1) // 2]) / 2, "most": 7.0, "gained": 0, "lost": 0}
    assert found["correct"]["changed"] == 0


def test_a_kept_row_of_another_weight_is_told(run: Run) -> None:
    path = Path("build/base/selected.parquet")
    frame = pl.read_parquet(path)
    shutil.copytree("build/base", "build/weighed")
    frame.with_columns(weight=pl.when(pl.int_range(pl.len()) == 3).then(0.5).otherwise("weight")).write_parquet("build/weighed/selected.parquet")
    code, data = differing(run, "base", "weighed")
    assert code == 2 and data["reweighted"] == [{"row_id": frame["row_id"][3], "before": 1.0, "after": 0.5}]
    assert "1 re-weighted" in run("diff", "build/base", "build/weighed")[1]


@pytest.mark.parametrize("after", ["quota", "tighter", "data", "narrow", "valued", "base-grown"])
def test_what_is_printed_is_the_golden(after: str, run: Run, golden) -> None:
    code, shown, said = run("diff", "build/base", f"build/{after}")
    assert (code, said) == (2, "") and len(shown.splitlines()) <= 48
    golden(HERE / f"{after}.txt", shown)


def test_markdown_and_json_are_the_goldens(run: Run, golden) -> None:
    golden(HERE / "quota.md", run("diff", "build/base", "build/quota", "--format", "md")[1])
    golden(HERE / "quota.json", run("diff", "build/base", "build/quota", "--format", "json")[1])


def test_trainings_and_evaluations_stand_side_by_side(run: Run, golden) -> None:
    for number, name in enumerate(("base", "quota")):
        lines = [json.dumps({"step": step, "loss": 2.0 - 0.1 * step - 0.05 * number}) + "\n" for step in (1, 2, 3 + number)]
        Path(f"build/{name}/metrics.jsonl").write_text("".join(lines))
        write_arms(Path(f"build/{name}"), 0.3 + 0.3 * number, seed=number)
    golden(HERE / "measured.txt", run("diff", "build/base", "build/quota")[1])
    data = json.loads(run("diff", "build/base", "build/quota", "--format", "json")[1])["builds"]
    small = next(each for each in data["results"] if (each["benchmark"], each["recipe"]) == ("small", "recipe"))
    compared = json.loads(run("compare", "build/base", "build/quota", "--format", "json")[1])
    other = {(each["benchmark"], each["name"]): each for each in compared["results"]}
    assert [small["before"]["value"], small["after"]["value"]] == [other["small", name]["value"] for name in ("base", "quota")]
    assert small["paired"]["difference"] == other["small", "quota"]["paired"]["difference"] and small["paired"]["interval"] == other["small", "quota"]["paired"]["interval"]
    runs = {(each["recipe"], each["seed"]): each for each in data["trainings"]}
    assert runs["recipe", 1]["before"]["steps"] == 3 and runs["recipe", 1]["after"]["steps"] == 4


def test_a_build_without_rows_or_causes_is_told(run: Run) -> None:
    code, shown, said = run("diff", "early", "build/base")
    assert (code, said) == (2, "") and "rows are not compared" in shown and "`early` stopped before the selection" in shown
    assert run("diff", "early", "early")[0] == 0
    shutil.copytree("build/base", "build/older")
    ledger = pl.read_parquet("build/older/ledger.parquet")
    ledger.select(ledger.columns[: ledger.columns.index("reason") + 1]).write_parquet("build/older/ledger.parquet")
    code, data = differing(run, "older", "quota")
    assert code == 2 and data["causes"] == [] and "kept no trace" in data["uncaused"] and {each["kind"] for each in data["moves"]} == {None}
    assert {each["row_id"] for each in data["moves"]} == set(moved(Path("build/base"), Path("build/quota")))
    Path("build/older/manifest.json").unlink()
    code, shown, said = run("diff", "build/older", "build/base")
    assert (code, said) == (2, "") and "`build/older` has no `manifest.json`" in shown
    Path("build/quota/ledger.parquet").write_text("no Parquet")
    code, _, said = run("diff", "build/base", "build/quota")
    assert code == 4 and "MIX0501" in said and "Traceback" not in said
    code, _, said = run("diff", "build", "build/base")
    assert code == 1 and "name one" in said


def test_a_build_and_a_plan_are_compared_as_recipes(run: Run) -> None:
    code, shown, _ = run("diff", "build/base", "build/quota/plan.json")
    assert code == 2 and "rows:" not in shown


@pytest.mark.shared
def test_the_moves_of_two_real_builds_one_quota_apart(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """66,777 rows of 15 teachers: the rows that moved are those of the two files, the clause of each is the one that prices and reasons give by another computation."""
    text = (ROOT / "specs" / "reselect.mix").read_text().replace("../data/shared/teachers.parquet", str(shared / "teachers.parquet"))
    run = runner(tmp_path, monkeypatch, capsys)
    quota = 'quota    teacher "human-reference" <= '
    for name, cap in (("base", "10%"), ("capped", "5%")):
        Path(f"{name}.mix").write_text(text.replace(f"{quota}10%", f"{quota}{cap}"))
        assert run("build", f"{name}.mix", "-q")[0] == 0
    code, data = differing(run, "base", "capped")
    told = {each["row_id"]: (each["move"], each["kind"], None if each["kind"] in ("ties", "unread") else each["clause"]) for each in data["moves"]}
    assert code == 2 and told == moved(Path("build/base"), Path("build/capped"))
    capped = {row: why for row, why in told.items() if why == ("removed", "quota", 'quota teacher "human-reference" <= 5%')}
    gone = pl.read_parquet("build/base/selected.parquet").filter(pl.col("row_id").is_in([*capped]))
    assert len(capped) == 25 and set(gone["teacher"]) == {"human-reference"}, "50 of 500 before, 25 of 500 after"
    causes = {(each["move"], each["clause"]): each for each in data["causes"]}
    room = causes["added", "budget 500 examples"]
    assert room["through"] == [{"what": 'quota teacher "human-reference" <= 5%', "rows": 25}] and room["price"]["after"] < room["price"]["before"]
    manifests = [json.loads(Path(f"build/{name}/manifest.json").read_text())["selection"]["clauses"] for name in ("base", "capped")]
    assert [room["price"]["before"], room["price"]["after"]] == [next(c["price"] for c in clauses if c["clause"] == "budget 500 examples") for clauses in manifests]
