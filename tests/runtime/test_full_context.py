"""Scores of a response in full context: the published formulas over one pass, whoever asked for it first."""

import math
from pathlib import Path

import polars as pl
import pytest
import torch
from mixc.compiler.plan.passes import TAKES
from mixc.runtime.engines.base import ENTROPY, RANK
from mixc.runtime.packing import pack, tokens
from mixc.tests.runtime.scoring import World, make_world, rows, run, stage, table, values

FAMILY = ("global_logprob", "perplexity", "entropy", "rank_surprisal")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("base"), context=256)


@pytest.fixture
def world(base: World, tmp_path: Path) -> World:
    return base.fresh(tmp_path)


def distributions(world: World, prompt: tuple[int, ...], response: tuple[int, ...]) -> torch.Tensor:
    """Log-probabilities [response, vocabulary] of a plain pass in float64."""
    engine = world.context.students.engine(world.model)
    with torch.no_grad():
        logits = engine.model(input_ids=torch.tensor([prompt + response])).logits[0]  # type: ignore[attr-defined]
    return logits.double().log_softmax(-1)[len(prompt) - 1 : -1] if prompt else logits.double().log_softmax(-1)[:-1]


def test_the_family_is_the_published_formulas(world: World) -> None:
    frame = rows(4, 2)
    found = {name: values(world, stage(world.model, name, tells=("logprob", "rank", "entropy")), frame) for name in FAMILY}
    tokenizer = world.context.students.tokenizer(world.model)
    for i, (prompt, response) in enumerate(frame.select("prompt", "response").iter_rows()):
        ids = tokenizer.response(response).ids
        table_ = distributions(world, tokenizer.prompt(prompt), ids)
        own = table_[torch.arange(len(ids)), torch.tensor(ids)]
        ranks = [1 + int((row > row[number]).sum()) for row, number in zip(table_, ids, strict=True)]
        entropies = -(table_.exp() * table_).sum(-1)
        assert found["global_logprob"][i] == pytest.approx(own.mean().item(), abs=1e-5)
        assert found["perplexity"][i] == pytest.approx(math.exp(-own.mean().item()), rel=1e-5)
        assert found["entropy"][i] == pytest.approx(entropies.mean().item(), abs=1e-5)
        clipped = sum(min(rank, 100) for rank in ranks)
        assert max(ranks) > 100  # else the clip would not be seen
        assert found["rank_surprisal"][i] == pytest.approx(clipped / -own.sum().item(), rel=1e-5)


def test_one_pass_serves_all_of_them(world: World) -> None:
    frame = rows(3, 2)
    first = run(world, stage(world.model, "global_logprob", tells=("logprob", "rank", "entropy")), frame)
    assert (first.computed, first.reused) == (6, 0)
    assert [also for _, also in world.asked] == [{RANK, ENTROPY}] and world.tokens == tokens(pack(world.windows))
    world.forget()
    for name in FAMILY[1:]:
        found = run(world, stage(world.model, name), frame)
        assert (found.computed, found.reused) == (0, 6)
    assert not world.asked and not world.tokens


def test_what_was_not_asked_is_read_again_with_nothing_lost(world: World) -> None:
    frame = rows(2, 2)
    doubt = values(world, stage(world.model, "entropy"), frame)
    assert world.asked[-1][1] == {ENTROPY}
    assert run(world, stage(world.model, "rank_surprisal"), frame).computed == 4
    assert world.asked[-1][1] == {RANK, ENTROPY}
    world.forget()
    again = run(world, stage(world.model, "entropy"), frame)
    assert again.computed == 0 and not world.asked and again.rows["score:n"].to_list() == pytest.approx(doubt, abs=1e-6)
    assert run(world, stage(world.model, "rank_surprisal"), frame).computed == 0


def test_values_do_not_depend_on_what_else_the_pass_tells(world: World, tmp_path: Path) -> None:
    frame = rows(3, 2)
    alone = values(world, stage(world.model, "global_logprob"), frame)
    other = world.fresh(tmp_path / "other")
    assert values(other, stage(world.model, "global_logprob", tells=("logprob", "rank", "entropy")), frame) == alone


def test_ifd_compares_the_same_tokens_with_and_without_the_prompt(world: World) -> None:
    frame = rows(3, 2)
    found = values(world, stage(world.model, "ifd"), frame)
    tokenizer = world.context.students.tokenizer(world.model)
    for value, (prompt, response) in zip(found, frame.select("prompt", "response").iter_rows(), strict=True):
        ids = tokenizer.response(response).ids
        later = torch.tensor(ids[1:])
        given = distributions(world, tokenizer.prompt(prompt), ids)[1:][torch.arange(len(later)), later]
        alone = distributions(world, (), ids)[torch.arange(len(later)), later]
        assert value == pytest.approx(math.exp(-given.mean().item()) / math.exp(-alone.mean().item()), rel=1e-5)


def test_ifd_reads_a_response_whole_only_where_nobody_has(world: World) -> None:
    frame = rows(3, 2)
    values(world, stage(world.model, "ifd"), frame)
    assert sum(bool(w.prompt) for w in world.windows) == 6 and sum(not w.prompt for w in world.windows) == 6
    world.forget()
    assert run(world, stage(world.model, "global_logprob"), frame).computed == 0  # the pass of ifd told it
    more = pl.concat([frame, table([("How many?", "We take it all. So 7.")])])
    values(world, stage(world.model, "global_logprob"), more)
    world.forget()
    values(world, stage(world.model, "ifd"), more)
    assert [w.prompt for w in world.windows] == [()]


def test_a_response_without_a_score_says_why(world: World) -> None:
    frame = table([("a", ""), ("b", " \n "), ("c", "1"), ("d", "We add them all up now. " * 40), ("e", "We add.")])
    for name in (*FAMILY, "ifd"):
        found = run(world, stage(world.model, name), frame).rows.select("score:n", "score:n:why").rows()
        assert found[0] == found[1] == (None, "no tokens")
        assert (found[2][0] is None) == (name == "ifd")
        assert found[2][1] == ("a single token: nothing stands before it without the prompt" if name == "ifd" else None)
        assert found[3][0] is None and found[3][1].endswith("tokens, the model's context is 256")
        assert found[4][0] is not None and found[4][1] is None
        world.forget()
        assert run(world, stage(world.model, name), frame).computed == 0, "a reason is kept like a value"


def test_what_a_scorer_takes_is_in_its_row() -> None:
    assert set(FAMILY) < set(TAKES)
