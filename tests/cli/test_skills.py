"""`mixc skills`: the tree and its numbers, what is folded, what it refuses, and that it runs no model."""

import json
from pathlib import Path

import pytest
from mixc.cli.coverage import LINES
from mixc.runtime import rows as module
from mixc.tests.cli.running import Run, runner
from mixc.tests.project import SCORED, STUDENT, make_project, rows
from mixc.tests.runtime.tiny import make_tiny_student

HERE = Path(__file__).parent / "skills"
TREE = {
    "name": "arithmetic",
    "children": [
        {"name": "sums", "children": [{"name": "addition"}, {"name": "subtraction"}, {"name": "column sums"}]},
        {"name": "products", "children": [{"name": "multiplication"}, {"name": "division"}]},
        {"name": "fractions", "children": [{"name": "halves"}, {"name": "thirds"}]},
    ],
}
WORDS = {"sums": ["addition"], "addition": ["addition"], "subtraction": ["subtraction", "/Problem [05]:/"], "multiplication": ["multiplic*"], "division": ["quotient"]}
TAGGED = SCORED.replace("skills topics { tag by column topic }", 'skills topics {\n  tree "tree.json"\n  tag by keywords "words.json"\n}')
HITS = {"addition": {"sums", "addition"}, "subtraction": {"sums", "subtraction"}, "multiplication": {"products", "multiplication"}}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `mixc WORDS` in a project of 12 prompts; gives the exit code, stdout and stderr."""
    make_project(tmp_path)
    (tmp_path / "tree.json").write_text(json.dumps(TREE))
    (tmp_path / "words.json").write_text(json.dumps(WORDS))
    (tmp_path / "tagged.mix").write_text(TAGGED)
    (tmp_path / "plain.mix").write_text(SCORED.replace('score correct = column(good)\n', "").replace("  where    correct\n", ""))
    return runner(tmp_path, monkeypatch, capsys)


def counted(run: Run, *words: str) -> dict:
    code, shown, said = run("skills", *words, "--format", "json")
    assert code == 0, said
    return json.loads(shown)


@pytest.mark.parametrize("words", [("tagged.mix",), ("tagged.mix", "--least", "10"), ("scored.mix",), ("plain.mix", "--all")])
def test_the_tree_is_what_the_golden_says(words: tuple[str, ...], run: Run, golden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    code, shown, _ = run("skills", *words, "-q")
    assert code == 0
    golden(HERE / f"{'-'.join(word.strip('-').removesuffix('.mix') for word in words)}.txt", shown)


def test_the_json_is_what_the_golden_says(run: Run, golden) -> None:
    golden(HERE / "tagged.json", run("skills", "tagged.mix", "--format", "json", "-q")[1])


def test_numbers_are_those_of_the_rows(run: Run) -> None:
    made = rows()
    having = [(row, HITS[str(row["topic"])] | ({"sums", "subtraction"} if str(row["question"]).startswith(("Problem 0:", "Problem 5:")) else set())) for row in made]
    found = counted(run, "tagged.mix")
    assert [n["name"] for n in found["tree"]] == ["sums", "addition", "subtraction", "column sums", "products", "multiplication", "division", "fractions", "halves", "thirds"]
    for node in found["tree"]:
        own = [row for row, skills in having if node["name"] in skills]
        assert (node["rows"], node["prompts"], node["tokens"]) == (len(own), len({r["prompt_id"] for r in own}), sum(r["count"] for r in own))
        assert node["correct"]["rows"] == sum(r["good"] for r in own) and node["correct"]["of"] == len(own)
        assert node["share"] == pytest.approx(len(own) / len(made), abs=1e-6)
    assert (found["all"]["rows"], found["without_skill"]["rows"]) == (36, 0)
    assert found["judge"] == "correct" and found["tokens"] == "length"


def test_rows_without_a_skill_are_counted_and_a_name_that_the_tree_lacks_gives_none(run: Run) -> None:
    Path("words.json").write_text(json.dumps({"addition": ["addition"]}))
    code, shown, said = run("skills", "tagged.mix")
    assert code == 0 and "24 of 36 rows have no skill: no keyword is in their prompt" in " ".join(said.split())
    assert [line.split()[:4] for line in shown.splitlines() if line.startswith("no skill")] == [["no", "skill", "24", "67%"]]
    Path("tagged.mix").write_text(TAGGED.replace('tag by keywords "words.json"', "tag by column topic"))
    Path("tree.json").write_text(json.dumps({"name": "r", "children": [{"name": "addition"}]}))
    assert counted(run, "tagged.mix")["without_skill"]["rows"] == 24


def test_verdicts_that_are_missing_are_no_wrong_answers(run: Run) -> None:
    made = [row | {"good": None if row["model"] == "tutor" else row["good"]} for row in rows()]
    Path("data/rows.jsonl").write_text("".join(json.dumps(r) + "\n" for r in made))
    found = counted(run, "scored.mix")["all"]["correct"]
    right = sum(bool(r["good"]) for r in made)
    assert (found["rows"], found["of"], found["share"]) == (right, 24, pytest.approx(right / 24, abs=1e-6))


def test_a_deep_tree_is_folded_so_that_it_fits_a_screen(run: Run) -> None:
    groups = [{"name": f"g{g}", "children": [{"name": f"g{g} s{s}"} for s in range(10)]} for g in range(8)]
    Path("tree.json").write_text(json.dumps({"name": "all", "children": groups}))
    Path("words.json").write_text(json.dumps({f"g{g} s{s}": [f"/Problem ({'|'.join(map(str, range(s)))}):/"] for g in range(7) for s in range(1, 10)}))
    Path("tagged.mix").write_text(TAGGED.replace('  quota    skill "addition" >= 20%\n', ""))
    _, shown, _ = run("skills", "tagged.mix", "-q")
    _, every, _ = run("skills", "tagged.mix", "-q", "--all")
    names = [line for line in shown.splitlines() if line.strip().startswith("g")]
    assert 7 < len(names) <= LINES and len(shown.splitlines()) <= 40
    assert f"folded: {88 - len(names)} skills with fewer than" in shown and "without a row: g0 s0" in shown and "`--all` shows them" in shown
    assert len([line for line in every.splitlines() if line.strip().startswith("g")]) == 88 and "folded" not in every


def test_it_is_the_same_in_parts(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = counted(run, "tagged.mix")
    monkeypatch.setattr(module, "MOST", 5)
    assert counted(run, "tagged.mix") == whole


def test_no_model_is_asked_and_nothing_but_the_store_is_written(run: Run) -> None:
    Path("whole.mix").write_text(STUDENT.replace("maximize naturalness", 'quota    skill "addition" >= 1 examples\n  maximize naturalness'))
    Path("absent.mix").write_text(Path("whole.mix").read_text().replace('model "tiny"', 'model "hub/tiny-that-is-nowhere"'))
    absent = counted(run, "absent.mix")
    assert absent["tokens"] is None and absent["left_out"] == ["tokens are not counted: the tokenizer of `tiny` is not here"]
    make_tiny_student(Path("tiny"))
    before = set(Path().iterdir())
    found = counted(run, "whole.mix")
    assert found["tokens"] == "length" and found["judge"] == "correct" and found["all"]["tokens"] > 0
    assert found["all"]["rows"] == sum(r["split"] == "train" for r in rows()), "the corpus's own condition holds"
    assert set(Path().iterdir()) == before
    _, _, said = run("skills", "whole.mix")
    assert "finished score:length" in said and "finished score:naturalness" not in said


@pytest.mark.parametrize(
    ("words", "says", "help"),
    [
        (("--judge", "corect"), "no score `corect` that tells correct responses", "did you mean `correct`?"),
        (("--judge", "length"), "no score `length` that tells correct responses", "one of `correct`"),
        (("--least", "few"), "`few` is not a number of rows", ""),
        (("--least", "3", "--all"), "not allowed with", ""),
    ],
)
def test_a_wrong_question_is_refused_with_the_right_one(words: tuple[str, ...], says: str, help: str, run: Run) -> None:
    code, out, said = run("skills", "scored.mix", *words)
    assert (code, out) == (1, "") and says in said and help in said and "Traceback" not in said


def test_a_spec_without_skills_is_told_how_to_declare_them(run: Run) -> None:
    Path("bare.mix").write_text(SCORED.replace("skills topics { tag by column topic }", "").replace('  quota    skill "addition" >= 20%\n', ""))
    code, _, said = run("skills", "bare.mix")
    assert code == 1 and "the spec declares no skills" in said and "tag by column" in said


def test_help_says_what_can_be_asked(run: Run) -> None:
    code, shown, _ = run("skills", "--help")
    assert code == 0 and all(flag in shown for flag in ("--all", "--least", "--judge", "--format"))


def test_a_model_that_is_not_here_is_refused_at_its_place(run: Run) -> None:
    Path("tagged.mix").write_text(TAGGED.replace('tag by keywords "words.json"', 'tag by llm(model: "hub/e5")'))
    code, out, said = run("skills", "tagged.mix")
    assert (code, out) == (4, "") and "error[MIX0506]" in said and "this model" in said


PROFILE = {"addition": {"attempts": 40, "correct": 35}, "subtraction": {"attempts": 4, "correct": 0}, "sums->column sums": {"attempts": 10, "correct": 1}, "divison": {"attempts": 5, "correct": 1}}


def test_the_students_accuracy_stands_beside_what_there_is(run: Run, golden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    Path("measured.json").write_text(json.dumps({"skills": PROFILE}))
    code, shown, said = run("skills", "tagged.mix", "-q", "--profile", "measured.json")
    assert code == 0, said
    golden(HERE / "tagged-profile.txt", shown)
    found = counted(run, "tagged.mix", "--profile", "measured.json")
    nodes = {n["name"]: n["student"] for n in found["tree"]}
    assert (found["profile"], found["all"]["student"]["attempts"]) == ("measured.json", 54)
    root = (36 + 1) / (54 + 2)
    assert nodes["addition"]["accuracy"] == pytest.approx((35 + 2 * (36 + 2 * root) / 56) / 42, abs=1e-6)
    assert nodes["addition"]["share"] == 0.875 and nodes["halves"]["share"] is None and nodes["halves"]["accuracy"] == pytest.approx(root, abs=1e-6)
    assert any("`divison`" in line for line in found["left_out"])
    assert nodes["addition"]["credible"][0] < nodes["addition"]["accuracy"] < nodes["addition"]["credible"][1]


def test_the_profile_of_the_spec_is_shown_with_the_prior_of_its_quota(run: Run) -> None:
    Path("measured.json").write_text(json.dumps({"skills": {k: v for k, v in PROFILE.items() if k != "divison"}}))
    spec = TAGGED.replace("skills topics", 'student tiny { model "tiny" }\nprofile tiny from "measured.json"\n\nskills topics')
    Path("tagged.mix").write_text(spec.replace('  quota    skill "addition" >= 20%', "  quota    skill weakness(prior: beta(2, 2), min_support: 8)"))
    found = counted(run, "tagged.mix")
    nodes = {n["name"]: n["student"] for n in found["tree"]}
    root = (36 + 2) / (54 + 4)
    sums = (36 + 4 * root) / 58
    assert found["profile"] == "tiny" and nodes["sums"]["accuracy"] == pytest.approx(sums, abs=1e-6)
    assert nodes["subtraction"]["borrowed"] and nodes["subtraction"]["accuracy"] == nodes["sums"]["accuracy"]


@pytest.mark.parametrize("text", [None, "{}", '{"skills": {"a": {"attempts": 1, "correct": 2}}}'])
def test_a_file_that_is_no_profile_is_refused(text: str | None, run: Run) -> None:
    if text is not None:
        Path("odd.json").write_text(text)
    code, out, said = run("skills", "tagged.mix", "--profile", "odd.json")
    assert (code, out) == (1, "") and "`odd.json` is not a profile" in said and "Traceback" not in said
