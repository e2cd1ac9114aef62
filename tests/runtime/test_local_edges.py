"""Local scores at the edges of what a response can be, and on token-level samples: never truncated, never wrong by the layout."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mixc.runtime.scorers.local import SCHEMA
from mixc.tests.runtime import reference
from mixc.tests.runtime.scoring import World, make_world, run, stage, table, values

TEXTS = st.lists(
    st.sampled_from(["We add 4. ", "So! ", "Is it? ", "Ok. ", "x = 5.\n", "\n\n", "Naïve 日本 😀. ", "The end is near: go on now. "]), min_size=1, max_size=9
).map("".join)
WINDOWS = st.one_of(st.integers(0, 6).map(lambda k: {"window_steps": k}), st.integers(1, 100).map(lambda q: {"window_percent": q}))
SLOW = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("base"), context=16_384)


@pytest.fixture
def world(base: World, tmp_path: Path) -> World:
    return base.fresh(tmp_path)


def steps(world: World, made: list[str], **arguments: object) -> pl.DataFrame:
    """The stored table of steps, one row a response."""
    frame = table([("How many clips?", text) for text in made])
    asked = stage(world.model, "local_logprob", **arguments)
    run(world, asked, frame)
    shelves = [s for s in (world.context.store.root / "scores").glob("*/identity.json") if '"local_logprob"' in s.read_text()]
    assert len(shelves) == 1
    stored = pl.concat([pl.read_parquet(p) for p in shelves[0].parent.glob("*.parquet")]).unique("key", keep="any")
    assert dict(stored.drop("key").schema) == SCHEMA
    return frame.select(key="row_id").join(stored, on="key", how="left", maintain_order="left")


@SLOW
@given(texts=st.lists(TEXTS, min_size=1, max_size=4, unique=True))
def test_token_weighted_over_everything_it_is_the_global_score(base: World, texts: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    world = base.fresh(tmp_path_factory.mktemp("w"))
    plain = values(world, stage(world.model, "global_logprob"), table([("How many clips?", text) for text in texts]))
    for number, arguments in enumerate(({"window_steps": 50}, {"window_percent": 100})):
        found = steps(world.fresh(tmp_path_factory.mktemp(f"w{number}")), texts, **arguments)
        weighted = found.select(pl.col("step_logprob").list.sum() / pl.col("step_tokens").list.sum()).to_series().to_list()
        assert weighted == pytest.approx(plain, abs=1e-5)


@SLOW
@given(texts=st.lists(TEXTS, min_size=2, max_size=5, unique=True), window=WINDOWS)
def test_neither_neighbours_nor_chunks_nor_what_is_known_change_a_score(
    base: World, texts: list[str], window: dict, tmp_path_factory: pytest.TempPathFactory
) -> None:
    together = values(base.fresh(tmp_path_factory.mktemp("w")), stage(base.model, "local_logprob", **window), table([("p", t) for t in texts]))
    known = base.fresh(tmp_path_factory.mktemp("k"))
    values(known, stage(base.model, "global_logprob"), table([("p", t) for t in texts]))
    last = table([("p", texts[-1])])
    alone = base.fresh(tmp_path_factory.mktemp("o"))
    assert values(alone, stage(base.model, "local_logprob", **window), last) == pytest.approx(together[-1:], abs=1e-5)
    again = values(known, stage(base.model, "local_logprob", **window), table([("p", t) for t in texts]))
    assert again == pytest.approx(together, abs=1e-5)


@SLOW
@given(text=TEXTS, first=st.integers(0, 4), second=st.integers(0, 4))
def test_another_window_changes_later_steps_only(base: World, text: str, first: int, second: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    tables = [steps(base.fresh(tmp_path_factory.mktemp("w")), [text], window_steps=k) for k in (first, second)]
    found = [t["step_logprob"][0] for t in tables]
    if not text.strip():
        assert found == [None, None]
        return
    one, two = (each.to_list() for each in found)
    same = min(first, second) + 1
    assert one[:same] == pytest.approx(two[:same], abs=1e-5) and len(one) == len(two)


def test_one_step_is_the_global_score(world: World) -> None:
    frame = table([("p", "Twenty four clips in all"), ("p", "7")])
    whole = values(world, stage(world.model, "global_logprob"), frame)
    for arguments in ({"window_steps": 0}, {"window_steps": 9}, {"window_percent": 5}):
        assert values(world, stage(world.model, "local_logprob", **arguments), frame) == pytest.approx(whole, abs=1e-5)


def test_no_text_has_no_score(world: World) -> None:
    frame = table([("p", ""), ("p", " \n\t ")])
    found = run(world, stage(world.model, "local_logprob"), frame)
    assert found.rows["score:n:why"].to_list() == ["no tokens"] * 2 and not world.asked


def test_a_script_that_takes_many_tokens_a_character(world: World) -> None:
    text = "最初に四十八を取る。 次に足す! そうですか? はい。\nनमस्ते दुनिया. So 72."
    found = values(world, stage(world.model, "local_logprob", window_steps=1), table([("いくつ?", text)]))
    engine = world.context.students.engine(world.model)
    from mixc.runtime.steps import split

    pieces = [text[a:b] for a, b in split(text, "sentence")]
    exact = reference.local_logprob(engine.model, engine.tokenizer.hf, "いくつ?", text, pieces, window=1)  # type: ignore[attr-defined]
    assert len(pieces) > 2 and found == [pytest.approx(exact, abs=1e-4)]


def test_eight_thousand_tokens_are_read_to_the_last(world: World) -> None:
    text = "".join(f"We add {i} to it all. " + "\n" * (i % 90 == 0) for i in range(900))
    tokenizer = world.context.students.tokenizer(world.model)
    ids = tokenizer.response(text).ids
    assert 8_000 < len(ids) < 16_000
    found = steps(world, [text], window_steps=1, split="newline")
    assert found["step_tokens"].list.sum().to_list() == [len(ids)] and found["step_tokens"].list.len().item() > 9
    whole = values(world, stage(world.model, "global_logprob"), table([("How many clips?", text)]))
    assert whole[0] is not None


def test_a_step_longer_than_the_context_has_a_reason_and_no_score(tmp_path: Path) -> None:
    small = make_world(tmp_path, context=128)
    frame = table([("p", "We add. " + "and so on " * 60 + ". So 4."), ("p", "We add them. So 4.")])
    found = run(small, stage(small.model, "local_logprob", window_steps=0), frame).rows
    needed = small.context.students.tokenizer(small.model).response(frame["response"][0] + "").ids
    assert found["score:n"][0] is None and found["score:n:why"][0].endswith("tokens, the model's context is 128") and len(needed) > 128
    assert found["score:n"][1] is not None
    assert all(window.length <= 128 for window in small.windows)
