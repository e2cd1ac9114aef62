"""A student's accuracy per skill: what is asked, how it is counted, when it is enough, and that nothing is asked twice.

Stored answers stand in for a student that can count: they are what a run before this one would have left.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from mixc.compiler.clauses import Grade, Model
from mixc.compiler.diagnostics import Fault
from mixc.compiler.plan.stages import Profile
from mixc.compiler.semantics.profile_file import read_profile
from mixc.runtime.context import Context
from mixc.runtime.engines.students import Students
from mixc.runtime.events import Notice, Progress
from mixc.runtime.measured import Profiled, profile_data, profile_json
from mixc.runtime.profile import asking, foreseen, profile
from mixc.runtime.proportions import wilson
from mixc.runtime.responses import RESPONSES, LocalModel, Question, keys, shelf_of
from mixc.runtime.rows import Rows
from mixc.runtime.store import Store
from mixc.runtime.strata import Strata, strata
from mixc.tests.runtime.test_strata import SPAN, by_hand, many, rows
from mixc.tests.runtime.tiny import make_tiny_student

pytest.importorskip("torch")
LETTERS = Grade(scorer="exact_match", version=1, reads=("reference",))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_student(tmp_path_factory.mktemp("profile") / "tiny")


def stage(tiny: Path, **changes: object) -> Profile:
    model = Model(student="tiny", model=str(tiny), dtype="fp32", span=SPAN)
    made = Profile(id="profile:tiny", inputs=(), model=model, sample=4, max_tokens=6, grade=Grade(scorer="verify_math", version=1, reads=("reference",)), seed=7, span=SPAN)
    return replace(made, **changes)


def run(folder: Path, events: list | None = None) -> Context:
    return Context(store=Store(folder), students=Students(folder), watch=(lambda event: None) if events is None else events.append)


def sampled(asked: Profile, records: list[tuple] | None = None) -> Strata:
    return strata(asked, None, rows(many() if records is None else records))


def leave(asked: Profile, context: Context, prompts: Strata, answer: Callable[[int, int], str], cut: Callable[[int], bool] = lambda i: False) -> None:
    """Put an answer to each prompt and sample into the store; `answer` gets the number of the prompt and of the sample."""
    ids = prompts.prompts["prompt_id"].to_list()
    wanted = keys(asking(asked), [Question(f"{one}?") for one in ids])
    numbers = [int(ids[question][1:]) for question in wanted["question"]]
    made = pl.DataFrame(
        {
            "key": wanted["key"], "text": [answer(i, sample) for i, sample in zip(numbers, wanted["sample"], strict=True)], "tokens": [3] * wanted.height,
            "finished": [not cut(i) for i in numbers], "engine": ["transformers"] * wanted.height,
        },
        schema={"key": pl.String(), **RESPONSES},
    )  # fmt: skip
    shelf_of(asking(asked), LocalModel(asked.model, context), context).append(made)


def counts(found: Profiled) -> dict[str, tuple[int, int]]:
    return {name: (tally.attempts, tally.correct) for name, tally in found.tallies}


def test_a_prompt_counts_in_each_of_its_skills_and_an_answer_without_a_grade_in_none(tiny: Path, tmp_path: Path) -> None:
    events: list = []
    records = [(f"r{i}", f"p{i}", ["a", "b"] if i == 1 else ["a"] if i < 6 else ["b"], "\\boxed{}" if i == 5 else str(i), None) for i in range(9)]
    asked, context = stage(tiny, sample=None, attempts=2, temperature=0.5), run(tmp_path, events)
    leave(asked, context, sampled(asked, records), lambda i, sample: f"It is \\boxed{{{i + sample * (i % 2)}}}.", cut=lambda i: i in (1, 7))
    found = profile(asked, sampled(asked, records), context)
    # Even prompts are right twice, odd ones once; the reference of prompt 5 is no answer, so neither of its two responses has a grade.
    assert counts(found) == {"a": (10, 8), "b": (8, 6)}
    assert found.measured is not None
    kept = profile_data(found)["by_skill"]
    assert kept["a"]["accuracy"] == 0.8 and kept["a"]["interval"] == list(wilson(8, 10))
    # 14 of 18 are right at the root, which beta(1, 1) draws to 15/20; a is drawn to that by two attempts.
    assert kept["a"]["drawn_to_parent"] == pytest.approx((8 + 2 * 15 / 20) / 12) and kept["a"]["credible"][0] < 0.8 < kept["a"]["credible"][1]
    skills = {skill.name: (skill.asked, skill.unknown, skill.cut) for skill in found.measured.skills}
    assert skills == {"a": (6, 2, 2), "b": (4, 0, 4)}
    assert (found.measured.prompts, found.measured.responses, found.measured.unknown, found.measured.cut) == (9, 18, 2, 4)
    told = [event.message for event in events if isinstance(event, Notice)]
    assert [m for m in told if m.startswith("4 of 18 responses were cut at 6 tokens")] and [m for m in told if m.startswith("2 of 18 responses have no grade")]


def enough(right: Callable[[int], bool], prompts: list[str], least: int, most: int, width: float) -> int:
    """How many prompts a skill is asked, by the rule in words."""
    size = min(least, len(prompts))
    while True:
        low, high = wilson(sum(right(int(p[1:])) for p in prompts[:size]), size)
        if high - low <= width or size == min(most, len(prompts)):
            return size
        size = min(size + max(size // 2, 10), most, len(prompts))


def test_a_skill_is_asked_until_its_interval_is_narrow_or_its_prompts_are_at_an_end(tiny: Path, tmp_path: Path) -> None:
    records = many(300)
    asked, context = stage(tiny, least=8, sample=90, width=24.0, grade=LETTERS), run(tmp_path)

    def right(i: int) -> bool:
        return bool(i % 2) or i % 3 == 0 or i % 4 == 0

    leave(asked, context, sampled(asked, records), lambda i, _: f"#### {i if right(i) else -1}")
    found = profile(asked, sampled(asked, records), context)
    assert found.measured is not None
    sizes = {skill.name: skill.asked for skill in found.measured.skills}
    assert sizes == {leaf: enough(right, by_hand(records, leaf, None), 8, 90, 0.24) for leaf in "ab"}
    assert len(set(sizes.values())) == 2 and max(sizes.values()) < 90, "one is known sooner than the other, and both before their cap"
    for skill in found.measured.skills:
        assert skill.correct == sum(right(int(p[1:])) for p in by_hand(records, skill.name, skill.asked))


def test_the_cap_is_told_skill_by_skill(tiny: Path, tmp_path: Path) -> None:
    events: list = []
    records = many(120)
    asked, context = stage(tiny, least=10, sample=30, width=15.0, grade=LETTERS), run(tmp_path, events)
    prompts = by_hand(records, "b", None)
    half = {p for n, p in enumerate(prompts) if n % 2}
    leave(asked, context, sampled(asked, records), lambda i, _: f"#### {i if f'p{i}' in half or f'p{i}' not in prompts else -1}")
    found = profile(asked, sampled(asked, records), context)
    assert found.measured is not None and "b" in found.measured.wide
    assert {skill.name: skill.asked for skill in found.measured.skills}["b"] == 30
    (told,) = [event.message for event in events if isinstance(event, Notice) and "wider" in event.message]
    low, high = wilson(15, 30)
    assert f"b {high - low:.0%} after 30 prompts" in told and "wider than 15%" in told


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many responses the model is asked for, call by call."""
    from mixc.runtime.engines.transformers import TransformersEngine

    asked: list[int] = []
    generate = TransformersEngine.generate

    def counting(self, requests, *rest):
        asked.append(len(requests))
        return generate(self, requests, *rest)

    monkeypatch.setattr(TransformersEngine, "generate", counting)
    return asked


def test_the_same_profile_again_asks_nobody_and_a_larger_sample_only_what_is_new(tiny: Path, tmp_path: Path, written: list[int]) -> None:
    asked = stage(tiny, attempts=2, temperature=0.8, grade=LETTERS)
    first = profile(asked, sampled(asked), run(tmp_path))
    assert first.measured is not None and sum(written) == first.measured.prompts * 2
    written.clear()
    again = profile(asked, sampled(asked), run(tmp_path))
    assert written == [] and profile_json(again) == profile_json(first) and profile_data(again) == profile_data(first)
    larger = replace(asked, sample=7)
    found = profile(larger, sampled(larger), run(tmp_path))
    assert found.measured is not None and sum(written) == (found.measured.prompts - first.measured.prompts) * 2
    elsewhere = profile(larger, sampled(larger), run(tmp_path / "other"))
    assert profile_json(elsewhere) == profile_json(found), "what is in the store changes nothing"
    assert read_profile(profile_json(found).decode()) == counts(found)
    assert json.loads(profile_json(found))["student"] == "tiny"


def test_a_run_that_was_killed_goes_on_where_it_was(tiny: Path, tmp_path: Path, written: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mixc.runtime.responses.CHUNK", 3)
    monkeypatch.setattr("mixc.runtime.responses.SECONDS", 0.0)
    asked = stage(tiny, sample=None, grade=LETTERS)

    def dies(event: object) -> None:
        if isinstance(event, Progress) and event.done == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        profile(asked, sampled(asked), replace(run(tmp_path), watch=dies))
    before = sum(written)
    written.clear()
    found = profile(asked, sampled(asked), run(tmp_path))
    assert found.measured is not None and before == 6 and sum(written) == found.measured.responses - 3, "what was being written is asked again"
    assert profile_json(found) == profile_json(profile(asked, sampled(asked), run(tmp_path / "other")))


def test_a_plan_foresees_what_will_be_asked_and_has_the_profile_once_it_was(tiny: Path, tmp_path: Path, written: list[int]) -> None:
    fixed = stage(tiny, attempts=2, temperature=0.8, grade=LETTERS)
    found = foreseen(fixed, sampled(fixed), run(tmp_path))
    done = profile(fixed, sampled(fixed), run(tmp_path))
    assert done.measured is not None
    assert (found.stored, found.most, found.open, found.profiled) == (0, done.measured.responses, False, None)
    written.clear()
    after = foreseen(fixed, sampled(fixed), run(tmp_path))
    assert (after.most, after.profiled) == (0, done) and written == []
    growing = replace(fixed, least=4, sample=16, width=1.0)
    ahead = foreseen(growing, sampled(growing), run(tmp_path))
    assert ahead.open and ahead.stored == done.measured.responses and ahead.profiled is None
    whole = profile(growing, sampled(growing), run(tmp_path))
    assert whole.measured is not None and ahead.most == whole.measured.responses - ahead.stored, "no interval is one percent wide, so all are asked"


def test_a_student_without_a_template_is_told_before_its_weights_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mute = make_tiny_student(tmp_path / "mute", chat_template=False)
    monkeypatch.setattr("mixc.runtime.engines.students.load", lambda *rest: pytest.fail("its weights were read"))
    asked = stage(mute)
    with pytest.raises(Fault) as raised:
        profile(asked, sampled(asked), run(tmp_path / "store"))
    assert {found.code for found in raised.value.diagnostics} == {"MIX0507"}


def test_answers_of_which_none_has_a_grade_are_no_profile(tiny: Path, tmp_path: Path) -> None:
    records = [(f"r{i}", f"p{i}", ["a"], "\\boxed{}", None) for i in range(3)]
    asked = stage(tiny)
    with pytest.raises(Fault) as raised:
        profile(asked, sampled(asked, records), run(tmp_path))
    (found,) = raised.value.diagnostics
    assert found.code == "MIX0530" and "none of its 3 answers could be graded" in found.message and found.notes


def test_rows_in_parts_give_the_same_profile(tiny: Path, tmp_path: Path) -> None:
    asked, records = stage(tiny, grade=LETTERS), many(20)
    parts = Rows(tuple(rows([r for r in records if (int(r[1][1:]) % 3 == 0) == first]).parts[0] for first in (True, False)))
    one, other = (profile(asked, strata(asked, None, given), run(tmp_path / name)) for name, given in (("one", rows(records)), ("other", parts)))
    assert profile_json(one) == profile_json(other)
