"""`mixc compare` on real builds: variants of one spec with a tiny student, ablations that need none, and what it refuses."""

import json
import re
import shutil
from pathlib import Path

import polars as pl
import pytest
from mixc.cli.main import main
from mixc.runtime.paired import difference
from mixc.runtime.recipes import against, scores
from mixc.tests.cli.running import Run, runner
from mixc.tests.project import SCORED, STUDENT, make_project
from mixc.tests.runtime.answered import ARMS
from mixc.tests.runtime.arms_of import write_arms
from mixc.tests.runtime.tiny import make_tiny_student

HERE = Path(__file__).parent / "compare"
SWEPT = STUDENT.replace('"whole"', '"study"').replace("budget   8 examples", "budget   $size examples") + "\nparam size = 6\nsweep size in [6, 10]\n"
ABLATED = SCORED.replace('"scored"', '"parts"') + '\nablate where correct\nablate quota skill "addition"\n'


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Builds of two sizes with a tiny student, trained and measured, and three that only select."""
    folder = make_project(tmp_path_factory.mktemp("compare"), 24)
    make_tiny_student(folder / "tiny")
    (folder / "study.mix").write_text(SWEPT)
    (folder / "parts.mix").write_text(ABLATED)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MIXC_HOME", raising=False)
        assert main(["build", "study.mix", "-q"]) == main(["build", "parts.mix", "-q"]) == 0
        assert main(["build", "scored.mix", "--until", "filter", "--out", "early", "-q"]) == 0
        assert main(["build", "whole.mix", "--until", "train", "--out", "untold", "-q"]) == 0
    return folder


@pytest.fixture
def run(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `mixc WORDS` in a copy of the builds."""
    for name in ("build", "early", "untold"):
        shutil.copytree(project / name, tmp_path / name)
    return runner(tmp_path, monkeypatch, capsys)


def compared(run: Run, *words: str) -> dict:
    code, shown, said = run("compare", *words, "--format", "json")
    assert code == 0, said
    return json.loads(shown)


def armed(samples: int = 1) -> None:
    for number, (size, skill) in enumerate((("6", 0.3), ("10", 0.6))):
        write_arms(Path(f"build/study/size={size}"), skill, seed=number, samples=samples)


def test_a_folder_of_variants_is_all_of_its_builds(run: Run) -> None:
    by_folder = compared(run, "build/study")
    assert [each["name"] for each in by_folder["builds"]] == ["size=6", "size=10"]
    assert compared(run, "study.mix") == by_folder
    assert compared(run, "build/study/size=6", "build/study") == by_folder, "each build stands once"
    everything = compared(run, "build")
    assert {each["name"] for each in everything["builds"]} == {"size=6", "size=10", "full", "without-1", "without-2"}


def test_selections_are_those_of_the_builds(run: Run) -> None:
    data = compared(run, "build/parts", "--against", "full")
    rows = {name: pl.read_parquet(f"build/parts/{name}/selected.parquet") for name in ("full", "without-1", "without-2")}
    for each in data["selections"]:
        own = rows[each["name"]]
        assert (each["rows"], each["prompts"], each["tokens"]) == (own.height, own["prompt_id"].n_unique(), own["tokens"].sum())
        assert each["teachers"] == {t: own.filter(pl.col("teacher") == t).height for t in each["teachers"]} and sum(each["teachers"].values()) == own.height
        assert each["tokens_by_teacher"]["tutor"] == own.filter(pl.col("teacher") == "tutor")["tokens"].sum()
        assert each["skills"] == {s: own.filter(pl.col("skills").list.contains(s)).height for s in each["skills"]}
    assert len(data["overlaps"]) == 3
    for pair in data["overlaps"]:
        first, second = (set(rows[pair[side]]["row_id"]) for side in ("first", "second"))
        assert pair["rows"] == {"shared": len(first & second), "of": len(first | second), "jaccard": len(first & second) / len(first | second)}
    assert [(c["kind"], c["before"]) for c in data["changes"]["without-1"]] == [("removed", "where correct")]
    assert [(c["kind"], c["before"]) for c in data["changes"]["without-2"]] == [("removed", 'quota skill "addition" >= 20%')]


def test_builds_without_answers_show_what_they_have_and_say_what_is_missing(run: Run) -> None:
    for size in ("6", "10"):
        Path(f"build/study/size={size}/answers.parquet").unlink()
    data = compared(run, "build/study")
    told = {(r["name"], r["benchmark"]): r for r in data["results"]}
    for size in ("6", "10"):
        own = json.loads(Path(f"build/study/size={size}/eval.json").read_text())
        assert told[f"size={size}", "small"]["interval"] == own["benchmarks"]["small"]["after"]["interval"]
        assert told[f"size={size}", "heldout"]["value"] == own["heldout"]["after"]
    assert ("before", "small") in told and data["comparisons"] == 0
    assert "answers.parquet" in told["size=10", "small"]["not_compared"] and told["size=6", "small"]["not_compared"] is None
    assert data["builds"][0]["lacks"] == ["no answers are kept: no paired test"]


def test_answers_tell_what_the_evaluation_told(run: Run) -> None:
    data = compared(run, "build/study")
    told = {(r["name"], r["benchmark"]): r for r in data["results"]}
    for size in ("6", "10"):
        own = json.loads(Path(f"build/study/size={size}/eval.json").read_text())
        assert told[f"size={size}", "small"]["value"] == own["benchmarks"]["small"]["after"]["accuracy"]
        assert told[f"size={size}", "heldout"]["value"] == own["heldout"]["after"]
    assert data["comparisons"] == 4 and told["size=10", "small"]["not_compared"] is None


def test_a_build_that_stopped_early_shows_what_it_came_to(run: Run) -> None:
    data = compared(run, "build/parts/full", "early", "untold")
    assert [each["lacks"] for each in data["builds"]] == [[], ["stopped before its selection"], ["not evaluated"]]
    assert [each["name"] for each in data["selections"]] == ["full", "untold"] and [each["name"] for each in data["trainings"]] == ["untold"]
    assert run("compare", "early", "--plot", "early.svg")[0] == 0 and "nothing was trained" in Path("early.svg").read_text()


def test_one_run_a_recipe_is_told_as_that(run: Run) -> None:
    for number, size in enumerate(("6", "10")):
        write_arms(Path(f"build/study/size={size}"), 0.2 + 0.3 * number, arms=ARMS[:2], seed=number)
    code, shown, _ = run("compare", "build/study")
    assert code == 0 and "McNemar" in shown and "permutation" in shown and "not that of training" in shown


def test_losses_and_costs_are_those_of_the_builds(run: Run) -> None:
    data = compared(run, "build/study")
    for each, cost in zip(data["trainings"], data["costs"], strict=True):
        folder = Path("build/study") / each["build"]
        lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
        a, b = (line["loss"] for line in lines)
        (only,) = each["runs"]
        assert (only["steps"], only["first_loss"], only["last_loss"], only["tokens_read"]) == (2, a, b, lines[-1]["tokens"])
        assert only["smoothed_loss"] == pytest.approx((0.9 * a + b) / 1.9)
        manifest = json.loads((folder / "manifest.json").read_text())
        assert (each["examples"], each["trained_tokens"]) == (manifest["training"]["examples"], manifest["training"]["tokens"])
        assert cost["all"] == pytest.approx(sum(stage["seconds"] for stage in manifest["stages"]))
        assert cost["engines"] == ["transformers on cpu", "trl on cpu"]


def test_every_arm_says_what_it_was_trained_on(run: Run) -> None:
    armed()
    path = Path("build/study/size=6/eval.json")
    data = json.loads(path.read_text())
    for arm in data["arms"][1:]:
        arm |= {"examples": 6, "trained_tokens": 1100 if arm["recipe"] == "recipe" else 1200 + arm["seed"]}
    path.write_text(json.dumps(data))
    recipe, random = compared(run, "build/study/size=6")["trainings"]
    assert (recipe["examples"], recipe["trained_tokens"]) == (6, 1100)
    assert (random["examples"], random["trained_tokens"]) == (6, None)
    assert [(each["examples"], each["trained_tokens"]) for each in random["runs"]] == [(6, 1200), (6, 1201), (6, 1202)]
    shown = run("compare", "build/study/size=6")[1]
    assert re.search(r"\n  recipe +3 +6 +1,100 ", shown) and re.search(r"\n  random +3 +6 +1,200 \.\. 1,202 ", shown)


def test_recipes_stand_beside_the_reference_on_the_same_problems(run: Run) -> None:
    armed()
    data = compared(run, "build/study")
    one, other = (scores(pl.read_parquet(f"build/study/size={size}/answers.parquet")) for size in ("6", "10"))
    told = {(r["name"], r["benchmark"]): r for r in data["results"]}
    mine, base = (next(s for s in side if (s.recipe, s.benchmark) == ("recipe", "small")) for side in (other, one))
    expected = difference(mine.values, base.values)
    found = told["size=10", "small"]
    assert (found["paired"]["difference"], found["paired"]["interval"]) == (expected.value, [expected.low, expected.high])
    assert (found["runs"], found["paired"]["told"], found["paired"]["test"], found["paired"]["against"]) == (3, True, "bootstrap", "size=6")
    assert told["size=6", "small"]["paired"] is None and told["size=6: random", "small"]["paired"]["against"] == "size=6"
    assert data["comparisons"] == sum(r["paired"] is not None for r in data["results"]) == found["paired"]["comparisons"]
    turned = compared(run, "build/study", "--against", "size=10")
    back = next(r for r in turned["results"] if (r["name"], r["benchmark"]) == ("size=6", "small"))["paired"]
    assert back["difference"] == pytest.approx(-expected.value) and (back["higher"], back["lower"]) == (expected.lower, expected.higher)


def test_a_build_alone_compares_its_recipes(run: Run) -> None:
    armed(samples=4)
    data = compared(run, "build/study/size=10")
    assert list(dict.fromkeys(r["name"] for r in data["results"])) == ["before", "recipe", "random"]
    own = against(scores(pl.read_parquet("build/study/size=10/answers.parquet")), "recipe")
    found = [r["paired"] for r in data["results"] if r["paired"]]
    assert [each["difference"] for each in found] == [each.difference.value for each in own]
    assert [each["holm"] for each in found] == [each.holm for each in own]
    assert {k for r in data["results"] if r["benchmark"] == "small" for k in r["pass_at_k"]} == {"1", "4"}


def test_only_problems_of_one_id_and_answer_are_compared(run: Run) -> None:
    armed()
    path = Path("build/study/size=10/answers.parquet")
    frame = pl.read_parquet(path)
    other = pl.when(pl.col("id") == "p003").then(pl.lit("another")).otherwise(pl.col("answer"))
    frame.filter(pl.col("id") != "p007").with_columns(other.alias("answer")).write_parquet(path)
    found = next(r for r in compared(run, "build/study")["results"] if r["name"] == "size=10" and r["benchmark"] == "small")
    assert (found["problems"], found["paired"]["problems"]) == (59, 58)
    manifest = Path("build/study/size=10/manifest.json")
    manifest.write_text(manifest.read_text().replace('"bench.jsonl": "', '"bench.jsonl": "0'))
    data = compared(run, "build/study")
    assert any("files are not the same" in each["says"] for each in data["cautions"])
    for size in ("6", "10"):
        numbered = Path(f"build/study/size={size}/answers.parquet")
        pl.read_parquet(numbered).with_columns(pl.col("id").str.replace("^p0*", "line ")).write_parquet(numbered)
    found = next(r for r in compared(run, "build/study")["results"] if r["name"] == "size=10" and r["benchmark"] == "small")
    assert found["paired"] is None and "no ids" in found["not_compared"]


def test_what_is_unfair_is_said_first(run: Run) -> None:
    armed()
    plan, manifest = (Path("build/study/size=10") / name for name in ("plan.json", "manifest.json"))
    data = json.loads(plan.read_text())
    for stage in data["stages"]:
        if stage["kind"] == "evaluate":
            stage["max_tokens"] = 99
        if stage["kind"] == "train":
            stage["steps"] = 7
    plan.write_text(json.dumps(data))
    facts = json.loads(manifest.read_text())
    facts["models"]["tiny"] |= {"weights": "other", "tokenizer": "other"}
    manifest.write_text(json.dumps(facts))
    found = compared(run, "build/study")
    assert [each["about"] for each in found["cautions"]] == ["student", "budget", "training", "asking"]
    said = {each["about"]: each["says"] for each in found["cautions"]}
    assert "10 rows selected, 6 in the reference" in said["budget"]
    assert "steps 7, not 2" in said["training"] and "max_tokens 99, not 8" in said["asking"]
    nats = next(r for r in found["results"] if r["name"] == "size=10" and r["benchmark"] == "heldout")
    assert nats["paired"] is None and "tokenizer" in nats["not_compared"]
    shown = run("compare", "build/study")[1]
    assert shown.index("other students") < shown.index("selection") < shown.index("small:")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"limit": 2}, "limit 2, not 3, or another seed"),
        ({"samples": 4}, "4 samples a problem, not 1"),
        ({"name": "other"}, "not measured on `small`"),
    ],
)
def test_benchmarks_that_are_not_alike_are_told(run: Run, change: dict[str, object], says: str) -> None:
    plan = Path("build/study/size=10/plan.json")
    data = json.loads(plan.read_text())
    for stage in data["stages"]:
        for benchmark in stage.get("benchmarks", []):
            benchmark |= change
    plan.write_text(json.dumps(data))
    (told,) = (each["says"] for each in compared(run, "build/study")["cautions"] if each["about"] == "benchmark")
    assert says in told


def test_what_is_printed_is_the_golden(run: Run, golden, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a clock or a model's own rounding decides is left out of the goldens."""
    armed()
    monkeypatch.setenv("COLUMNS", "120")
    code, shown, said = run("compare", "build/study")
    assert (code, said) == (0, "")
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= 120
    heads = [line.split(":")[0].split(",")[0] for line in shown.splitlines() if line and line[0] != " "]
    assert heads == ["2 builds", "builds", "recipe", "selection", "shared rows", "training", "small", "held out", "cost"]
    golden(HERE / "study.txt", shown[shown.index("small: ") : shown.index("\ncost\n")])
    for name, words in (("parts.txt", ()), ("parts.md", ("--format", "md"))):
        code, shown, said = run("compare", "build/parts", *words)
        assert (code, said) == (0, "")
        head = "\n**cost**\n" if words else "\ncost\n"
        golden(HERE / name, shown[: shown.index(head)])


def test_a_narrow_terminal_cuts_no_number_and_no_name(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    armed()
    wide = {}
    for columns in ("120", "60"):
        monkeypatch.setenv("COLUMNS", columns)
        shown = run("compare", "build/study")[1]
        wide[columns] = [" ".join(line.split()) for line in shown.splitlines() if line.startswith("  size=10: random")]
    assert wide["120"] == wide["60"] and len(wide["60"]) == 4


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("build/none",), 1, "there is no build at `build/none`"),
        (("nothing.mix",), 1, "there is no build at `build/nothing`"),
        (("build/study/size=6/model",), 1, "is not the folder of a build"),
        (("build/study", "--against", "size=7"), 1, "did you mean `size=6`?"),
        (("build/study", "--plot", "a.png"), 1, "ends in .svg, .html or .json"),
        (("build/study", "--plot", "build/study/variants.json/a.svg"), 4, "MIX0508"),
        ((), 1, "BUILD is missing"),
    ],
)
def test_what_cannot_be_compared_is_told(run: Run, words: tuple[str, ...], code: int, says: str) -> None:
    found, shown, said = run("compare", *words)
    assert (found, shown) == (code, "") and says in said.replace("\n", " ")


@pytest.mark.parametrize(("name", "content"), [("eval.json", "[]"), ("eval.json", "{"), ("plan.json", "{}"), ("answers.parquet", "no"), ("selected.parquet", "")])
def test_a_damaged_file_is_named_with_a_way_out(run: Run, name: str, content: str) -> None:
    (Path("build/study/size=6") / name).write_text(content)
    code, shown, said = run("compare", "build/study")
    assert (code, shown) == (4, "") and "MIX0501" in said and "build it again" in said and "size=6" in said


def test_variants_of_which_none_was_built(run: Run) -> None:
    for size in ("6", "10"):
        Path(f"build/study/size={size}/manifest.json").unlink()
    code, _, said = run("compare", "build/study")
    assert code == 1 and "none of them was built" in said


def test_the_plot_is_the_same_bytes_in_svg_and_html(run: Run) -> None:
    armed()
    for name in ("a.svg", "b.svg", "a.html", "a.json"):
        assert run("compare", "build/study", "--plot", name)[0] == 0
    drawn = Path("a.svg").read_text()
    assert drawn == Path("b.svg").read_text() and drawn in Path("a.html").read_text()
    figures = json.loads(Path("a.json").read_text())
    assert figures["results"] == compared(run, "build/study")["results"] and len(figures["losses"]) == 12
