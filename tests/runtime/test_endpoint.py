"""Endpoints, asked over real connections: good ones, slow ones, and all the ways in which one fails."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from mixc.compiler.clauses import Endpoint
from mixc.compiler.diagnostics import Fault
from mixc.compiler.plan.stages import Model
from mixc.compiler.source import Span
from mixc.runtime.context import Context
from mixc.runtime.endpoint import EndpointModel, Patience
from mixc.runtime.engines.students import Students
from mixc.runtime.events import Progress
from mixc.runtime.respondents import respondent
from mixc.runtime.responses import Asking, Drawn, LocalModel, Question, Said, responses
from mixc.runtime.store import Store
from mixc.tests.runtime.served import DROP, completion, served

pytest.importorskip("httpx2")
QUICK = Patience(tries=3, connect=2.0, read=5.0, first=0.01, longest=0.02, at_once=4)
MODEL = Model(student="tutor", model="big-model", span=Span("a.mix", 3, 9))
SCHEMA = json.dumps({"type": "object", "properties": {"skill": {"enum": ["Algebra", "Geometry"]}}, "required": ["skill"], "additionalProperties": False})
CONFTEST = Path(__file__).parents[1] / "conftest.py"


@pytest.fixture(autouse=True)
def keyless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def asked(url: str, *questions: str, patience: Patience = QUICK, schema: str | None = None, key: str | None = None, temperature: float = 0.5) -> list[Said]:
    who = EndpointModel(MODEL, Endpoint(url=url, key=key), patience)
    return who.respond([Drawn(Question(one, schema), 50, temperature, 11 + i) for i, one in enumerate(questions)], lambda _: None)


def refused(url: str, *questions: str, **how) -> Fault:
    with pytest.raises(Fault) as raised:
        asked(url, *questions, **how)
    (said,) = raised.value.diagnostics
    assert said.code == "MIX0531" and said.primary is not None and said.primary.span == MODEL.span and said.help
    return raised.value


def once(first, then):
    """The first answer to each question, and then another."""
    seen: set[str] = set()

    def answer(body):
        question = body["messages"][-1]["content"]
        new = question not in seen
        seen.add(question)
        return (first if new else then)(body) if callable(first if new else then) else (first if new else then)

    return answer


def test_what_is_asked_and_what_is_answered() -> None:
    with served(lambda body: f"you said {body['messages'][-1]['content']}") as server:
        assert asked(server.url + "/", "a", "b") == [Said("you said a", 3, True), Said("you said b", 3, True)]
    bodies = sorted(server.asked, key=lambda body: body["seed"])
    assert bodies[0] == {"model": "big-model", "messages": [{"role": "user", "content": "a"}], "temperature": 0.5, "max_tokens": 50, "seed": 11}
    assert set(server.paths) == {"/v1/chat/completions"} and not any("Authorization" in one for one in server.headers)


def test_a_greedy_question_has_no_seed_and_a_schema_is_asked_for() -> None:
    with served(lambda _: '{"skill": "Algebra"}') as server:
        assert asked(server.url, "a", schema=SCHEMA, temperature=0.0)[0].text == '{"skill": "Algebra"}'
    (body,) = server.asked
    assert "seed" not in body and body["temperature"] == 0.0
    assert body["response_format"] == {"type": "json_schema", "json_schema": {"name": "answer", "schema": json.loads(SCHEMA), "strict": True}}


def test_many_are_asked_at_once_but_not_more_than_are_allowed_and_each_gets_its_own_answer() -> None:
    def answer(body) -> str:
        time.sleep(0.02)
        return body["messages"][-1]["content"]

    with served(answer) as server:
        assert [one.text for one in asked(server.url, *map(str, range(40)))] == [str(i) for i in range(40)]
    assert 2 <= server.most_at_once <= QUICK.at_once


def test_an_answer_that_is_cut_says_so_and_thoughts_that_are_not_told_leave_it_empty() -> None:
    with served(lambda body: completion("one two" if body["seed"] == 11 else None, ended="length")) as server:
        assert asked(server.url, "a", "b") == [Said("one two", 2, False), Said("", 0, False)]


def test_429_is_waited_out_as_long_as_the_server_says() -> None:
    slow = QUICK.__class__(tries=2, connect=2.0, read=5.0, first=60.0, longest=60.0, at_once=4)
    with served(once((429, {"Retry-After": "0.05"}, "slow down"), "good")) as server:
        assert [one.text for one in asked(server.url, "a", "b", patience=slow)] == ["good", "good"]
    assert len(server.asked) == 4


def test_a_retry_after_may_be_a_date_and_one_that_is_too_far_is_not_waited_for() -> None:
    with served(once((429, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, ""), "good")) as server:
        assert asked(server.url, "a")[0].text == "good"
    with served(lambda body: "good" if body["messages"][-1]["content"] != "a" else (429, {"Retry-After": "86400"}, "tomorrow")) as server:
        (said,) = asked(server.url, "a")
        assert said.text is None and said.why == "429: tomorrow"


@pytest.mark.parametrize("bad", [(500, {}, "oops"), (503, {}, ""), (408, {}, ""), DROP, (200, {}, "<html>"), (200, {}, "{}"), (200, {}, b"\xff\xfe"), completion(None)])
def test_what_may_pass_is_tried_again(bad) -> None:
    with served(once(bad, "good")) as server:
        assert [one.text for one in asked(server.url, "a", "b", "c")] == ["good"] * 3
    assert len(server.asked) == 6


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ((500, {}, '{"error": {"message": "no memory"}}'), "500: no memory"),
        ((400, {}, '{"error": {"message": "prompt is too long"}}'), "400: prompt is too long"),
        (completion(None, refusal="I will not"), "the model refused to answer"),
        (completion(None, ended="content_filter"), "its filter left the answer out"),
        (completion(None), "its reply has no content, and ended with `stop`"),
        ((200, {}, "<html>busy</html>"), "its reply is no JSON: <html>busy</html>"),
        ((200, {}, ""), "its reply is empty"),
        ((200, {}, '{"choices": []}'), "its reply has no `choices` with a `message`"),
        ((200, {}, "[" * 100_000), "its reply is nested too deep to be read"),
        (DROP, "the connection broke"),
    ],
)
def test_one_question_that_cannot_be_answered_says_why_and_the_others_are_answered(bad, why: str) -> None:
    with served(lambda body: bad if body["messages"][-1]["content"] == "bad" else "good") as server:
        said = asked(server.url, "a", "bad", "b")
    assert [one.text for one in said] == ["good", None, "good"] and said[1].why is not None and said[1].why.startswith(why)
    tries = sum(body["messages"][-1]["content"] == "bad" for body in server.asked)
    assert tries == (1 if "refus" in why or "filter" in why or "400" in why or "deep" in why else QUICK.tries)


def test_a_question_alone_that_is_declined_does_not_end_the_run() -> None:
    with served(lambda body: (400, {}, "too long") if body["messages"][-1]["content"] == "long" else "good") as server:
        assert asked(server.url, "long")[0].why == "400: too long"
    with served(lambda _: completion(None, refusal="no")) as server:
        assert [one.text for one in asked(server.url, *"abcdefgh")] == [None] * 8


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_key_or_a_model_that_is_wrong_stops_at_once(status: int) -> None:
    with served(lambda _: (status, {}, "no")) as server:
        said = str(refused(server.url, *map(str, range(100))))
    assert f"{status}: it" in said and len(server.asked) <= 2 * QUICK.at_once


@pytest.mark.parametrize("bad", [(500, {}, "oops"), (200, {}, "garbage"), DROP, (400, {}, "no response_format here"), "not of the schema"])
def test_a_server_that_answers_nothing_stops_the_run_before_all_is_asked(bad) -> None:
    with served(lambda _: bad) as server:
        refused(server.url, *map(str, range(100)), schema=SCHEMA)
    assert len(server.asked) <= 3 * QUICK.at_once * QUICK.tries


def test_a_server_that_is_too_slow_or_not_there_stops_the_run() -> None:
    still = threading.Event()
    with served(lambda _: f"late: {still.wait(5)}") as server:
        hasty = Patience(tries=2, connect=1.0, read=0.1, first=0.01, longest=0.01, at_once=4)
        assert "no answer within 0.1 s" in str(refused(server.url, "a", "b", patience=hasty))
        still.set()
    assert "no connection" in str(refused(server.url, "a"))
    assert "no connection" in str(refused("http://nowhere.invalid/v1", "a"))


def test_a_server_that_stops_midway_keeps_what_it_answered() -> None:
    left = iter(range(6))
    with served(lambda _: "good" if next(left, None) is not None else (500, {}, "gone")) as server:
        said = asked(server.url, *map(str, range(200)))
    assert [one.text for one in said].count("good") == 6 and len(server.asked) < 100
    assert {one.why for one in said if one.text is None} <= {"500: gone", "500: gone (so ended 4 of 4 questions)"}


def test_a_schema_is_checked_and_what_is_cut_is_not_held_against_it() -> None:
    with served(once('{"skill": "Arithmetic"}', '{"skill": "Geometry"}')) as server:
        assert [one.text for one in asked(server.url, "a", schema=SCHEMA)] == ['{"skill": "Geometry"}']
    with served(lambda _: completion('{"skill": "Alg', ended="length")) as server:
        assert asked(server.url, "a", schema=SCHEMA) == [Said('{"skill": "Alg', 2, False)]


def test_models_that_want_the_newer_name_of_the_limit_get_it() -> None:
    def answer(body):
        return "good" if "max_completion_tokens" in body else (400, {}, '{"error": {"message": "use \'max_completion_tokens\' instead"}}')

    with served(answer) as server:
        assert [one.text for one in asked(server.url, *"abcdefgh")] == ["good"] * 8
    assert server.asked[-1]["max_completion_tokens"] == 50 and "max_tokens" not in server.asked[-1]


def test_text_that_is_no_unicode_is_made_so() -> None:
    body = '{"choices": [{"finish_reason": "stop", "message": {"content": "half \\ud83d pair"}}]}'
    with served(lambda _: (200, {}, body)) as server:
        (said,) = asked(server.url, "a")
    assert said.text == "half � pair" and said.text.encode()


def test_the_key_is_sent_and_told_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-default-1")
    monkeypatch.setenv("TUTOR_KEY", " sk-secret-2\n")
    with served(lambda _: "good") as server:
        asked(server.url, "a")
        asked(server.url, "b", key="TUTOR_KEY")
    assert [one["Authorization"] for one in server.headers] == ["Bearer sk-default-1", "Bearer sk-secret-2"]
    for bad in ((401, {}, "sk-secret-2 is no key"), (500, {}, "you sent sk-secret-2"), (200, {}, "sk-secret-2")):
        with served(lambda _, bad=bad: bad) as server:
            fault = refused(server.url, "a", key="TUTOR_KEY")
            assert "sk-secret-2" not in str(fault) + repr(fault.diagnostics) and "`TUTOR_KEY`" in repr(fault.diagnostics)
    with served(lambda _: "the key is sk-secret-2") as server:
        assert "sk-secret-2" not in repr(refused(server.url, "a", key="TUTOR_KEY").diagnostics)
    for value in ("sk secret 3", "sk-ключ-3"):
        monkeypatch.setenv("TUTOR_KEY", value)
        assert "3" not in str(refused(server.url, "a", key="TUTOR_KEY")).replace("MIX0531", "")


def test_the_store_knows_model_and_url_and_asks_nothing_twice(tmp_path: Path) -> None:
    events: list = []
    context = Context(store=Store(tmp_path), students=Students(tmp_path), watch=events.append)
    asking = Asking(stage="teachers", max_tokens=20, samples=2, temperature=0.7, seed=1)
    with served(lambda body: (400, {}, "no") if body["messages"][-1]["content"] == "bad" else f"{body['seed']}") as server:
        who = respondent(MODEL, Endpoint(url=server.url), context)
        assert isinstance(who, EndpointModel) and isinstance(respondent(MODEL, None, context), LocalModel)
        assert who.identity() == {"endpoint": server.url, "model": "big-model"}
        found = responses(asking, [Question("a"), Question("bad")], who, context)
        assert found["text"].null_count() == 2 and found["why"].to_list()[2:] == ["400: no"] * 2 and found["engine"][0] == "endpoint"
        assert found["text"].n_unique() == 3, "each sample has its own seed"
        before = len(server.asked)
        again = responses(asking, [Question("a")], who, context)
        assert len(server.asked) == before and again.equals(found[:2])
    assert [e for e in events if isinstance(e, Progress)][-1].done == 4


WAITING = """
import sys
from mixc.compiler.clauses import Endpoint
from mixc.compiler.plan.stages import Model
from mixc.compiler.source import Span
from mixc.runtime.endpoint import EndpointModel
from mixc.runtime.responses import Drawn, Question
who = EndpointModel(Model(student="t", model="m", span=Span("a.mix", 0, 1)), Endpoint(url=sys.argv[1]))
try:
    who.respond([Drawn(Question(str(i)), 5, 0.5, i) for i in range(40)], lambda _: None)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_an_interrupt_is_heard_while_the_server_is_waited_for() -> None:
    reached, leave = threading.Event(), threading.Event()

    def answer(_) -> str:
        reached.set()
        leave.wait(60)
        return "late"

    with served(answer) as server:
        start = f"import runpy; runpy.run_path({str(CONFTEST)!r}); exec({WAITING!r})"
        environment = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
        process = subprocess.Popen([sys.executable, "-c", start, server.url], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert reached.wait(60)
        process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=30)
        leave.set()
    assert (process.returncode, said.strip(), errors) == (0, "interrupted", "")
