"""What scores of one model share: nothing that is known is read again, and no value depends on it."""

import random
from pathlib import Path

import pytest
from mixc.runtime import chunks
from mixc.runtime.packing import pack, tokens
from mixc.runtime.steps import split
from mixc.runtime.windows import Reach, passes
from mixc.tests.runtime.frames import missing
from mixc.tests.runtime.scoring import World, make_world, rows, run, stage, values


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("base"))


@pytest.fixture
def world(base: World, tmp_path: Path) -> World:
    return base.fresh(tmp_path)


def local(world: World, **settings: object):
    return stage(world.model, "local_logprob", name="l", **settings)


def test_a_local_score_after_a_full_pass_reads_later_windows_only(world: World, tmp_path: Path) -> None:
    frame = rows(4, 2)
    unshared = values(world, local(world, window_steps=2), frame)
    other = world.fresh(tmp_path / "other")
    values(other, stage(world.model, "global_logprob"), frame)
    other.forget()
    assert values(other, local(world, window_steps=2), frame) == pytest.approx(unshared, abs=1e-6)
    assert other.windows and all(w.start > 0 for w in other.windows)  # the steps before the scored one stand in the window


def test_a_full_pass_after_a_local_score_is_the_same_and_short_responses_are_not_read_again(world: World, tmp_path: Path) -> None:
    frame = rows(4, 2)
    values(world, local(world, window_steps=2), frame)
    world.forget()
    after = values(world, stage(world.model, "global_logprob"), frame)
    short = sum(len(split(text, "sentence")) <= 3 for text in frame["response"])
    assert 0 < short < len(frame) and len(world.windows) == len(frame) - short
    other = world.fresh(tmp_path / "other")
    assert values(other, stage(world.model, "global_logprob"), frame) == pytest.approx(after, abs=1e-6)


@pytest.mark.parametrize("second", [{"window_steps": 1}, {"window_percent": 15}, {"window_steps": 1, "split": "paragraph"}])
def test_another_window_or_splitter_begins_with_what_is_known(world: World, tmp_path: Path, second: dict) -> None:
    frame = rows(4, 2)
    values(world, local(world, window_steps=5), frame)
    world.forget()
    found = values(world, local(world, **second), frame)
    assert world.windows and not any(w.start == 0 and len(w.tokens) > 1 for w in world.windows if w in first_windows(world, frame, second))
    other = world.fresh(tmp_path / "other")
    assert values(other, local(world, **second), frame) == pytest.approx(found, abs=1e-6)
    assert len(other.windows) > len(world.windows)


def first_windows(world: World, frame, arguments: dict) -> list:
    """The first window of each response whose first steps the window of five steps has covered."""
    from mixc.runtime.scorers.answers import Texts, cut, reach

    asked = local(world, **arguments)
    texts = Texts(world.context.students.tokenizer(world.model), cut(asked))
    wide = Texts(world.context.students.tokenizer(world.model), cut(local(world, window_steps=5)))
    answers = texts.answers(frame.with_columns(key="row_id"))
    covered = {key: next(passes(one, Reach(steps=5))).high for key, one in wide.answers(frame.with_columns(key="row_id")).items()}
    firsts = {key: next(passes(one, reach(asked))) for key, one in answers.items()}
    return [first.window(answers[key]) for key, first in firsts.items() if first.high <= covered[key]]


def test_debias_is_another_reading_of_the_same_steps(world: World) -> None:
    frame = rows(4, 2)
    values(world, local(world), frame)
    world.forget()
    values(world, local(world, debias="drop_first"), frame)
    values(world, local(world, debias="length"), frame)
    assert not world.windows


def test_a_new_row_alone_is_read(world: World) -> None:
    values(world, local(world), rows(4, 2))
    world.forget()
    more = rows(5, 2)
    values(world, local(world), more)
    tokenizer = world.context.students.tokenizer(world.model)
    assert {w.prompt for w in world.windows} == {tokenizer.prompt(more["prompt"][-1])}


@pytest.mark.parametrize("scorer", ["local_logprob", "global_logprob", "ifd"])
def test_a_scoring_stopped_at_any_chunk_ends_with_the_same_bits(
    base: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scorer: str
) -> None:
    monkeypatch.setattr(chunks, "ROWS", 3)
    monkeypatch.setattr("mixc.runtime.score.SHARD_ROWS", 1)
    monkeypatch.setattr("mixc.runtime.score.SHARD_SECONDS", 0.0)
    frame = rows(8, 2)
    through = base.fresh(tmp_path / "through")
    whole = values(through, stage(base.model, scorer), frame)
    stopped, chance = base.fresh(tmp_path / "stopped"), random.Random(7)
    engine = base.context.students.engine(base.model)
    for _ in range(4):
        plain, left = engine.read, chance.randrange(0, 3)

        def read(windows, also=frozenset(), plain=plain, left=[left]):  # noqa: B006
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= 1
            return plain(windows, also)

        engine.read = read  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            run(stopped, stage(base.model, scorer), frame)
        engine.read = plain  # type: ignore[method-assign]
    assert 0 < missing(stage(base.model, scorer), frame, stopped.context).height < len(frame)
    assert values(stopped, stage(base.model, scorer), frame) == whole
    assert stopped.tokens == through.tokens


def test_tokens_are_those_of_packed_rows(world: World) -> None:
    values(world, local(world), rows(6, 3))
    assert world.tokens == sum(tokens(pack(windows)) for windows, _ in world.asked)
    assert world.tokens < sum(w.length - 1 for w in world.windows)
