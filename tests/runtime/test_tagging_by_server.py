"""Skills asked of a real server on this machine: what it answers, how it fails, what the plan says of what is left; and by vLLM as by transformers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mixc.compiler.clauses import Endpoint
from mixc.compiler.diagnostics import Fault
from mixc.compiler.plan.stages import Model
from mixc.runtime.bounds import unknown
from mixc.runtime.by_embedding import OPEN
from mixc.runtime.costs import Pricing
from mixc.runtime.endpoint import EndpointModel, Patience
from mixc.runtime.events import Notice
from mixc.runtime.llm_tag import tag_by_llm
from mixc.runtime.tag_costs import tagging
from mixc.tests.runtime.served import served
from mixc.tests.runtime.tagging import SPAN, TREE, chains, context, skills, table, tag_stage
from mixc.tests.runtime.tiny import make_tiny_student

MODEL = Model(student="judge", model="judge", span=SPAN)
QUICK = Patience(tries=2, connect=2.0, read=0.5, first=0.01, longest=0.02, at_once=4)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("httpx2")
    for name in ("OPENAI_API_KEY", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("mixc.runtime.llm_tag.respondent", lambda model, endpoint, _: EndpointModel(model, endpoint, QUICK))


def listed(body: dict[str, Any]) -> list[str]:
    return body["response_format"]["json_schema"]["schema"]["properties"]["skills"]["items"]["enum"]


def naming(*names: str) -> Callable[[dict[str, Any]], str]:
    return lambda body: json.dumps({"skills": [name for name in names if name in listed(body)]})


def test_a_server_is_sent_the_schema_and_asked_once(tmp_path: Path) -> None:
    with served(naming("Algebra", "Linear")) as server:
        stage = tag_stage(MODEL, endpoint=Endpoint(url=server.url))
        rows, tally = tag_by_llm(stage, table(), context(tmp_path))
        assert set(map(tuple, skills(rows).values())) == {("Algebra->Linear",)} and (len(server.asked), tally.failed) == (8, 0)
        assert {(body["model"], body["temperature"], body["max_tokens"]) for body in server.asked} == {("judge", 0, 512)}
        tag_by_llm(stage, table(), context(tmp_path))
        assert len(server.asked) == 8


def test_garbage_and_silence_of_some_keep_the_parent_and_are_asked_again(tmp_path: Path) -> None:
    def answer(body: dict[str, Any]) -> Any:
        if body["messages"][-1]["content"] == "Hello":  # asked where all failed: is anybody there?
            return '{"skills": []}'
        if "Linear" in listed(body):
            return "Linear equations, I would say."
        return (500, {}, "out of memory") if "Sums" in listed(body) else naming("Algebra", "Arithmetic", "Logic")(body)

    events: list = []
    with served(answer) as server:
        stage = tag_stage(MODEL, endpoint=Endpoint(url=server.url))
        rows, tally = tag_by_llm(stage, table(), context(tmp_path, events))
        assert set(map(tuple, skills(rows).values())) == {("Algebra", "Arithmetic", "Logic")}
        assert (tally.silent, tally.failed, tally.branches) == (8, 8, 12)
        said = next(e.message for e in events if isinstance(e, Notice))
        assert said.startswith("8 of 12 branches have no usable answer") and "8 without a response" in said and ("500" in said or "form" in said)
        server.answer = naming("Linear", "Sums")
        server.asked.clear()
        again, tally = tag_by_llm(stage, table(), context(tmp_path))
        assert len(server.asked) == 8 and not tally.failed and skills(again)["000-0"] == ["Algebra->Linear", "Arithmetic->Sums", "Logic"]


def test_a_server_that_answers_nothing_stops_the_run(tmp_path: Path) -> None:
    with served(lambda _: (401, {}, "who are you?")) as server, pytest.raises(Fault) as raised:
        tag_by_llm(tag_stage(MODEL, endpoint=Endpoint(url=server.url)), table(), context(tmp_path))
    assert [d.code for d in raised.value.diagnostics] == ["MIX0531"]


def test_the_plan_counts_what_is_left_and_says_what_it_assumes(tmp_path: Path) -> None:
    with served(naming("Algebra", "Linear")) as server:
        stage, here = tag_stage(MODEL, endpoint=Endpoint(url=server.url)), context(tmp_path)
        rows, cost = tagging(stage, table(), Pricing(here))
        # Of the three children two lead on, so two that are named ask 4/3 questions; of the next level's four nodes below one leads on, in half of them.
        assert (cost.rows.value, cost.rows.exact, cost.cached.value) == (4 + 5 + 3, False, 0)
        assert cost.detail == "4 prompts, 2 skills an answer assumed below" and cost.tokens is not None and (cost.tokens.value, cost.tokens.most) == (12 * 512, True)
        assert unknown(rows) == {OPEN} and server.asked == []
        tag_by_llm(stage, table(), here)
        rows, cost = tagging(stage, table(), Pricing(here))
        assert (cost.rows.value, cost.rows.exact, cost.cached.value, cost.detail) == (0, True, 8, "4 prompts")
        assert not unknown(rows) and skills(rows)["000-0"] == ["Algebra->Linear"]
        rows, cost = tagging(stage, table(["What is 2 + 2?", "Never asked?"]), Pricing(here))
        assert cost.cached.value == 2 and cost.rows.value == 1 + 1 + 1 and unknown(rows) == {OPEN}
        asked = len(server.asked)
    assert asked == 8, "a plan asks nobody"


@pytest.mark.vllm
@pytest.mark.slow
def test_vllm_tells_the_skills_that_transformers_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
    folder = make_tiny_student(tmp_path / "wide", arch="wide", context=2_048)
    stage = tag_stage(Model(student="wide", model=str(folder), dtype="fp32", span=SPAN), max_tokens=120)
    found = {engine: tag_by_llm(stage, table(), context(tmp_path / engine, engine=engine)) for engine in ("transformers", "vllm")}
    (rows, tally), (others, other) = found.values()
    assert skills(rows) == skills(others) and any(skills(rows).values())
    assert (tally.failed, other.failed) == (0, 0) and tally.branches == other.branches
    assert {chain for each in skills(others).values() for chain in each} <= {chain for _, chain in chains(TREE)}
