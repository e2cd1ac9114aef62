"""`tag by llm`: level by level down a tree, whatever is said; each text and node is asked about once ever, and what fails keeps its parent and is counted."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from mixc.compiler.diagnostics import Fault
from mixc.compiler.plan.stages import Model
from mixc.runtime import llm_tag
from mixc.runtime.events import Notice, Progress
from mixc.runtime.llm_tag import tag_by_llm
from mixc.runtime.responses import Drawn, Said
from mixc.runtime.room import LONGEST
from mixc.tests.runtime.tagging import PROMPTS, SPAN, TREE, Told, chains, children, context, names, skills, table, tag_stage
from mixc.tests.runtime.tiny import make_tiny_student

Tell = Callable[[Callable[[Drawn], Said]], Told]
WHOLE = {"Arithmetic->Products->Times", "Algebra->Linear", "Logic"}


@pytest.fixture
def tell(monkeypatch: pytest.MonkeyPatch) -> Tell:
    """Puts a model that says what it is told to in the place of the real one."""

    def put(answer: Callable[[Drawn], Said]) -> Told:
        told = Told(answer)
        monkeypatch.setattr(llm_tag, "respondent_of", lambda asked, context: told)
        return told

    return put


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = make_tiny_student(tmp_path_factory.mktemp("llm_tag") / "tiny", context=2_048)
    return Model(student="tiny", model=str(folder), dtype="fp32", span=SPAN)


def test_several_children_are_followed_to_their_leaves(tell: Tell, tmp_path: Path) -> None:
    told = tell(names("Logic", "Algebra", "Linear", "Arithmetic", "Products", "Times"))
    rows, tally = tag_by_llm(tag_stage(), table(), context(tmp_path))
    assert skills(rows) == {row: sorted(WHOLE) for row in skills(rows)} and len(skills(rows)) == 8
    assert rows.frame().filter(pl.col("reason").is_not_null())["skills"].to_list() == [[]]
    assert (tally.texts, tally.branches, tally.failed, tally.none, len(told.asked)) == (4, 16, 0, 0, 16)
    assert not any("Dropped" in one.question.text for one in told.asked), "nothing is asked of rows that are out"
    assert rows.columns == [*table().columns, "skills"]


def test_the_question_lists_the_children_their_place_and_the_text(tell: Tell, tmp_path: Path) -> None:
    told = tell(names("Arithmetic", "Products"))
    tag_by_llm(tag_stage(), table(PROMPTS[:1]), context(tmp_path))
    first, second, third = (one.question for one in told.asked)
    assert "\nSkills:\n- Algebra\n- Arithmetic\n- Logic\n" in first.text and f"\nProblem:\n{PROMPTS[0]}\n" in first.text
    assert "\nSkills within Arithmetic:\n- Products\n- Sums\n" in second.text
    assert "\nSkills within Arithmetic -> Products:\n- Divide\n- Times\n" in third.text
    listed = {"type": "array", "items": {"type": "string", "enum": ["Divide", "Times"]}, "maxItems": 2}
    assert json.loads(third.schema or "") == {"type": "object", "properties": {"skills": listed}, "required": ["skills"], "additionalProperties": False}


@pytest.mark.parametrize(
    ("reads", "asked", "shown"),
    [("prompt", 4, set()), ("response", 8, {"It is 4.", "So 3."})],
)
def test_the_prompt_is_read_once_for_all_its_responses_or_each_with_its_solution(reads: str, asked: int, shown: set[str], tell: Tell, tmp_path: Path) -> None:
    told = tell(names("Logic"))
    rows, _ = tag_by_llm(tag_stage(reads=reads), table(), context(tmp_path))
    assert len(told.asked) == asked and all(found == ["Logic"] for found in skills(rows).values())
    assert {said for one in told.asked for said in ("It is 4.", "So 3.") if f"\n\nSolution:\n{said}\n" in one.question.text} == shown
    assert not any("hm, x" in one.question.text for one in told.asked), "the thought is left out"


def test_a_response_that_is_a_thought_alone_leaves_its_prompt_and_is_counted(tell: Tell, tmp_path: Path) -> None:
    told, events = tell(names("Logic")), []
    _, tally = tag_by_llm(tag_stage(reads="response"), table(PROMPTS[:1], ["<think> and so on", "<think>a</think>"]), context(tmp_path, events))
    assert tally.unsolved == 2 and len(told.asked) == 1
    assert any("2 of 2 responses are a thought without a solution" in e.message for e in events if isinstance(e, Notice))


def test_an_empty_list_keeps_the_parent_and_is_no_failure(tell: Tell, tmp_path: Path) -> None:
    tell(names("Arithmetic", "Logic"))
    events: list = []
    rows, tally = tag_by_llm(tag_stage(), table(PROMPTS[:1], ["4"]), context(tmp_path, events))
    assert skills(rows) == {"000-0": ["Arithmetic", "Logic"]}
    assert (tally.none, tally.failed, tally.branches) == (1, 0, 2)
    assert [e.message for e in events if isinstance(e, Notice)] == ["1 of 2 branches keep the skill above: by the model none of its children is involved"]


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (Said('{"skills":["Sum', 5, finished=False), "cut"),
        (Said(None, why="it timed out"), "silent"),
        (Said("Sums and Products", 5, finished=True), "invalid"),
        (Said('{"skills": ["Sums", "Magic"]}', 5, finished=True), "invalid"),
        (Said('{"skills": {"Sums": 1}}', 5, finished=True), "invalid"),
        (Said('{"skills": ["Sums", 1]}', 5, finished=True), "invalid"),
        (Said('{"skills": ["Sums"], "why": ""}', 5, finished=True), "invalid"),
        (Said('["Sums"]', 5, finished=True), "invalid"),
        (Said("[" * 100_000, 5, finished=True), "invalid"),
        (Said("__import__('os').abort()", 5, finished=True), "invalid"),
    ],
)
def test_a_branch_that_fails_keeps_its_parent_and_is_counted_by_kind(said: Said, kind: str, tell: Tell, tmp_path: Path) -> None:
    tell(lambda one: said if "Sums" in children(one) else names("Arithmetic", "Algebra", "Square")(one))
    events: list = []
    rows, tally = tag_by_llm(tag_stage(), table(PROMPTS[:1], ["4"]), context(tmp_path, events))
    assert skills(rows) == {"000-0": ["Algebra->Square", "Arithmetic"]}
    assert (getattr(tally, kind), tally.failed, tally.branches) == (1, 1, 3)
    (notice,) = [e.message for e in events if isinstance(e, Notice)]
    assert notice.startswith("1 of 3 branches have no usable answer and keep the skill above: 1 ") and (kind != "silent" or "it timed out" in notice)


def test_a_row_whose_first_answer_fails_has_no_skill_and_is_counted(tell: Tell, tmp_path: Path) -> None:
    tell(lambda one: Said("none", 3, finished=True))
    events: list = []
    rows, tally = tag_by_llm(tag_stage(), table(), context(tmp_path, events))
    assert set(map(tuple, skills(rows).values())) == {()} and tally.invalid == tally.branches == 4
    assert "8 of 8 rows have no skill" in [e.message for e in events if isinstance(e, Notice)]


def test_an_answer_that_was_complete_when_it_was_cut_counts_and_one_that_says_a_name_twice_says_it_once(tell: Tell, tmp_path: Path) -> None:
    tell(lambda one: Said('{"skills": ["Logic", "Logic"]}', 5, finished=False))
    rows, tally = tag_by_llm(tag_stage(), table(), context(tmp_path))
    assert set(map(tuple, skills(rows).values())) == {("Logic",)} and not tally.failed


def test_what_a_model_thinks_aloud_before_its_list_is_passed_over(tell: Tell, tmp_path: Path) -> None:
    tell(lambda one: Said('<think>["Sums"]?</think>\n{"skills": ["Logic"]}', 5, finished=True))
    assert set(map(tuple, skills(tag_by_llm(tag_stage(), table(), context(tmp_path))[0]).values())) == {("Logic",)}


@pytest.mark.parametrize(("depth", "expected", "asked"), [(1, ["Algebra", "Arithmetic"], 4), (2, ["Algebra", "Arithmetic->Products"], 12), (9, ["Algebra", "Arithmetic->Products->Times"], 16)])
def test_depth_ends_the_chains(depth: int, expected: list[str], asked: int, tell: Tell, tmp_path: Path) -> None:
    told = tell(names("Arithmetic", "Algebra", "Products", "Times"))
    rows, tally = tag_by_llm(tag_stage(depth=depth), table(), context(tmp_path))
    assert set(map(tuple, skills(rows).values())) == {tuple(expected)} and len(told.asked) == asked
    assert tally.none == (0 if depth == 1 else 4)


def test_a_second_run_asks_nothing_and_a_changed_subtree_asks_where_it_changed(tell: Tell, tmp_path: Path) -> None:
    told = tell(names("Arithmetic", "Products", "Times", "Algebra", "Linear"))
    first, _ = tag_by_llm(tag_stage(), table(), context(tmp_path))
    told.asked.clear()
    again, _ = tag_by_llm(tag_stage(), table(), context(tmp_path))
    assert skills(again) == skills(first) and told.asked == []
    turned = {name: dict(reversed(below.items())) for name, below in reversed(TREE.items())}
    assert skills(tag_by_llm(tag_stage(tree=turned), table(), context(tmp_path))[0]) == skills(first) and told.asked == [], "the order of a file is nothing"
    other = {**TREE, "Algebra": {"Linear": {}, "Cubic": {}}}
    tag_by_llm(tag_stage(tree=other), table(), context(tmp_path))
    assert len(told.asked) == 4 and all(children(one) == ["Cubic", "Linear"] for one in told.asked)


def test_what_had_no_response_is_asked_again_and_a_run_that_was_killed_goes_on(tell: Tell, tmp_path: Path) -> None:
    told = tell(lambda one: Said(None, why="429") if "Linear" in children(one) else names("Arithmetic", "Algebra", "Sums")(one))
    tag_by_llm(tag_stage(), table(), context(tmp_path))
    told = tell(names("Arithmetic", "Algebra", "Sums", "Linear"))
    rows, tally = tag_by_llm(tag_stage(), table(), context(tmp_path))
    assert len(told.asked) == 4 and not tally.failed and skills(rows)["000-0"] == ["Algebra->Linear", "Arithmetic->Sums"]

    def dies(one: Drawn) -> Said:
        if len(told.asked) > 4:
            raise KeyboardInterrupt
        return names("Logic", "Algebra")(one)

    told = tell(dies)
    with pytest.raises(KeyboardInterrupt):
        tag_by_llm(tag_stage(max_tokens=99), table(), context(tmp_path))
    told = tell(names("Logic", "Algebra"))
    tag_by_llm(tag_stage(max_tokens=99), table(), context(tmp_path))
    assert len(told.asked) == 4 and all("Linear" in children(one) for one in told.asked), "the first level was kept"


def test_a_long_text_is_cut_and_counted(tell: Tell, tmp_path: Path) -> None:
    told, events = tell(names("Logic")), []
    _, tally = tag_by_llm(tag_stage(), table(["x" * (LONGEST + 5), "short"]), context(tmp_path, events))
    assert tally.shortened == 1 and sorted(one.question.text.count("x" * 1000) for one in told.asked) == [0, LONGEST // 1000]
    assert any(e.message.startswith("1 of 2 prompts are longer than 20,000 characters:") for e in events if isinstance(e, Notice))


def test_a_tiny_model_gives_chains_of_the_tree_the_same_each_time_and_tells_how_far_it_is(tiny: Model, tmp_path: Path) -> None:
    events: list = []
    here = context(tmp_path / "one", events)
    stage = tag_stage(tiny, max_tokens=120)
    rows, tally = tag_by_llm(stage, table(), here)
    found = skills(rows)
    assert not tally.failed and {chain for each in found.values() for chain in each} <= {chain for _, chain in chains(TREE)}
    assert any(found.values())
    assert skills(tag_by_llm(stage, table(PROMPTS[::-1]), context(tmp_path / "two"))[0]) == {
        f"{3 - int(row[:3]):03}-{row[-1]}": each for row, each in found.items()
    }, "neither the order nor the batch matters"
    steps = [e.stage for e in events if isinstance(e, Progress)]
    assert steps[0] == "tag (level 1 of 3)"
    assert here.students.loaded(tiny) is None, "the model is let go"
    warm = skills(tag_by_llm(replace(stage, attribution=replace(stage.attribution, temperature=1.0)), table(), context(tmp_path / "one"))[0])
    assert warm == skills(tag_by_llm(replace(stage, attribution=replace(stage.attribution, temperature=1.0)), table(), context(tmp_path / "two"))[0])


def test_answers_that_are_cut_keep_the_parent(tiny: Model, tmp_path: Path) -> None:
    rows, tally = tag_by_llm(tag_stage(tiny, max_tokens=2), table(), context(tmp_path))
    assert tally.cut > 0 and tally.branches == tally.cut + tally.none + tally.further.total()
    assert all(each == [] for each in skills(rows).values())


def test_a_text_is_cut_to_what_the_model_reads(tiny: Model, tmp_path: Path) -> None:
    events: list = []
    here = context(tmp_path, events)
    tokenizer = here.students.tokenizer(tiny)
    _, tally = tag_by_llm(tag_stage(tiny, max_tokens=120), table(["How many clips? " * 900, "2 + 2"]), here)
    assert tally.shortened == 1 and not tally.failed
    assert len(tokenizer.prompt("How many clips? " * 900)) > 2_048
    assert any("characters or the model's context" in e.message for e in events if isinstance(e, Notice))


def test_a_question_that_leaves_no_room_is_refused_before_anything_is_asked(tiny: Model, tmp_path: Path) -> None:
    wide = {"Arithmetic": {f"a skill of no great weight, number {i}": {} for i in range(100)}}
    here = context(tmp_path)
    with pytest.raises(Fault) as raised:
        tag_by_llm(tag_stage(tiny, tree=wide), table(), here)
    (told,) = raised.value.diagnostics
    assert told.code == "MIX0533" and "below `Arithmetic`" in told.message and "reads 2,048 tokens at once" in told.message
    assert here.students.loaded(tiny) is None
