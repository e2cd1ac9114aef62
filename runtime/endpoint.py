"""A model behind an OpenAI-compatible server as a Respondent: many questions at once, tried again where that may help. What it answers is read by `replies`.

The key comes from the environment when the server is first asked, goes into a header, and is kept nowhere else.
"""

import json
import os
import queue
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..compiler.clauses import Endpoint, Model
from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.source import Span
from .chat import question
from .events import Passed
from .replies import Failed, reply
from .responses import Drawn, Question, Said
from .unsaid import unsaid

KEY = "OPENAI_API_KEY"
"""The environment variable that holds the key where a spec names none."""
_LIMITS = ("max_tokens", "max_completion_tokens")
"""The name that every server knows, and the newer one that some models insist on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a server is waited for, in seconds: `connect` and `read` for one try, `most` for one question.

    A question is tried `tries` times. The waits between begin at `first` and double up to `longest`, each between a half and the whole of that; what the
    server itself asks for (`Retry-After`) is waited instead. `at_once`: the questions that are asked side by side.
    """

    tries: int = 6
    connect: float = 10.0
    read: float = 300.0
    most: float = 900.0
    first: float = 1.0
    longest: float = 60.0
    at_once: int = 16


@dataclass(slots=True)
class EndpointModel:
    """See Respondent. `model.model` is what the server calls the model; faults stand at `model.span`."""

    model: Model
    endpoint: Endpoint
    patience: Patience = field(default_factory=Patience)
    engine: str = field(default="endpoint", init=False)
    _limit: str = field(default=_LIMITS[0], init=False)

    @property
    def least(self) -> int:
        """See Respondent: as many as are asked side by side."""
        return self.patience.at_once

    def identity(self) -> Mapping[str, object]:
        """See Respondent: a server tells no more of its model than the name, so that nothing of it is asked twice while the name stays."""
        return {"endpoint": self.endpoint.url, "model": self.model.model}

    def respond(self, drawn: Sequence[Drawn], done: Callable[[int], None]) -> list[Said]:
        """See Respondent. A question that cannot be answered has no text and says why.

        Where the server stops answering, what it has answered is given back, and the others say why not. Fault MIX0531 where it answered nothing at all:
        it wants another key, it knows no such model, or as many questions as are asked at once had every try in vain, and so has one of another kind.
        """
        if not drawn:
            return []
        key = _key(self.endpoint, self.model.span)
        desk = _Desk(self, key, deque(enumerate(drawn)))
        found: list[Said | Failed | None] = [None] * len(drawn)
        enough = min(self.patience.at_once, len(drawn))
        threads = [threading.Thread(target=desk.serve, daemon=True) for _ in range(enough)]
        ended, streak, answered = 0, 0, False
        with self._client(key) as client:
            desk.client = client
            for thread in threads:
                thread.start()
            try:
                while ended < len(drawn):
                    number, said = desk.next()
                    found[number] = said
                    ended += 1
                    streak = streak + 1 if isinstance(said, Failed) and not said.own else 0
                    answered = answered or not streak
                    dead = said if isinstance(said, Failed) and said.final else None
                    if streak == enough:
                        streak, dead = 0, self._dead(client, key, drawn[0], [one for one in found if isinstance(one, Failed)])
                    if dead is not None:
                        if not answered:
                            raise self._fails(dead.why)
                        found = [one or dead for one in found]
                        break
                    done(ended)
            finally:
                desk.over.set()
        return [Said(None, why=one.why) if isinstance(one, Failed) else one for one in found if one is not None]

    def passed(self, stage: str, said: Sequence[Said], seconds: float) -> Passed | None:
        """See Respondent: how fast another's server is today says nothing of tomorrow."""
        return None

    def ask(self, client: Any, key: str | None, one: Drawn) -> tuple[Said | Failed, float | None]:
        """One try, and the seconds that the server asks to wait before the next."""
        import httpx2

        try:
            limit = self._limit
            got = client.post("chat/completions", json=self._body(one, limit))
            if got.status_code == 400 and limit == _LIMITS[0] and _LIMITS[1] in got.text:
                self._limit = _LIMITS[1]
                got = client.post("chat/completions", json=self._body(one, _LIMITS[1]))
            return reply(got.status_code, got.text, one.question.schema, key), _after(got.headers.get("Retry-After"))
        except httpx2.ConnectTimeout:
            return Failed("connection", f"no connection within {self.patience.connect:g} s", again=True), None
        except httpx2.TimeoutException:
            return Failed("timeout", f"no answer within {self.patience.read:g} s", again=True), None
        except httpx2.ConnectError as error:
            return Failed("connection", f"no connection ({_cause(error)})", again=True), None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            return Failed("connection", f"the connection broke ({_cause(error)})", again=True), None

    def _client(self, key: str | None) -> Any:
        try:
            import httpx2
        except ImportError as error:
            message, label = "asking an endpoint needs the package `httpx2`, which is not installed", Label(self.model.span, "asks an endpoint")
            raise Fault(Diagnostic("MIX0509", message, label, help='run `pip install "mixc[train]"`')) from error
        patience = self.patience
        try:
            return httpx2.Client(
                base_url=f"{self.endpoint.url.rstrip('/')}/",
                headers={"Authorization": f"Bearer {key}"} if key else {},
                timeout=httpx2.Timeout(patience.read, connect=patience.connect, pool=None),
                limits=httpx2.Limits(max_connections=patience.at_once),
            )
        except (httpx2.InvalidURL, ValueError) as error:  # of a proxy that the environment names
            raise self._fails(f"no request can be made: {_cause(error)}") from error

    def _body(self, one: Drawn, limit: str) -> dict[str, object]:
        body: dict[str, object] = {
            "model": self.model.model, "messages": question(one.question.text), "temperature": one.temperature, limit: one.max_tokens,
        }  # fmt: skip
        if one.temperature:
            body["seed"] = one.seed
        if one.question.schema is not None:
            form = {"name": "answer", "schema": json.loads(one.question.schema), "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        return body

    def _dead(self, client: Any, key: str | None, like: Drawn, failed: Sequence[Failed]) -> Failed | None:
        """Why the server answers nobody; None where a question of another kind fares better than those that failed: then it was what it was asked."""
        tried, _ = self.ask(client, key, Drawn(Question("Hello", like.question.schema), like.max_tokens, like.temperature, like.seed))
        if not isinstance(tried, Failed) or tried.own:
            return None
        why, times = Counter(one.why for one in failed).most_common(1)[0]
        return replace(tried, why=f"{why} (so ended {times:,} of {len(failed):,} questions)")

    def _fails(self, why: str) -> Fault:
        variable = self.endpoint.key or KEY
        sent = f"the key is that of `{variable}`" if os.environ.get(variable) else f"it was asked without a key: `{variable}` is not set"
        return Fault(
            Diagnostic(
                "MIX0531", f"the endpoint `{self.endpoint.url}` does not answer: {why}", Label(self.model.span, f"asks it for `{self.model.model}`"),
                notes=(sent,), help="correct the url, the model or the key, or wait until it works again: what was answered is kept, and the next run goes on",
            )
        )  # fmt: skip


@dataclass(slots=True)
class _Desk:
    """Questions that threads take one after the other, and what came of them."""

    respondent: EndpointModel
    key: str | None
    waiting: deque[tuple[int, Drawn]]
    client: Any = None
    over: threading.Event = field(default_factory=threading.Event)
    answers: "queue.SimpleQueue[tuple[int, Said | Failed] | BaseException]" = field(default_factory=queue.SimpleQueue)
    quiet_until: float = 0.0

    def next(self) -> tuple[int, Said | Failed]:
        """The next question that is done with, whichever it is; what a thread raises is raised."""
        while True:
            try:
                found = self.answers.get(timeout=0.5)  # so that an interrupt is heard
            except queue.Empty:
                continue
            if isinstance(found, BaseException):
                raise found
            return found

    def serve(self) -> None:
        """Work of one thread."""
        try:
            while not self.over.is_set():
                try:
                    number, one = self.waiting.popleft()
                except IndexError:
                    return
                self.answers.put((number, self._asked(one)))
        except BaseException as error:
            if not self.over.is_set():
                self.answers.put(error)

    def _asked(self, one: Drawn) -> Said | Failed:
        patience, began = self.respondent.patience, time.monotonic()
        chance = random.Random(one.seed)  # when it is asked again is chance, and no part of what it answers
        for attempt in range(1, patience.tries + 1):
            self.over.wait(max(self.quiet_until - time.monotonic(), 0.0))
            said, wished = self.respondent.ask(self.client, self.key, one)
            if isinstance(said, Said) or not said.again or attempt == patience.tries or self.over.is_set():
                return said
            wait = min(patience.first * 2 ** (attempt - 1), patience.longest) * (0.5 + chance.random() / 2)
            if wished is not None:
                wait = wished
                self.quiet_until = max(self.quiet_until, time.monotonic() + wished)
            if time.monotonic() - began + wait > patience.most:
                return said
            self.over.wait(wait)
        raise RuntimeError("a question without a try; this is a bug in mixc")


def _key(endpoint: Endpoint, span: Span) -> str | None:
    """The key of the environment. Fault MIX0531 where what is there cannot be sent; what it is, is not told."""
    variable = endpoint.key or KEY
    key = os.environ.get(variable, "").strip()
    if key and not (key.isascii() and key.isprintable() and " " not in key):
        message = f"the environment variable `{variable}` holds no key: it has spaces, or letters that a key cannot have"
        raise Fault(Diagnostic("MIX0531", message, Label(span, "needs a key"), help=f"set `{variable}` to the key alone"))
    return key or None


def _after(header: str | None) -> float | None:
    """The seconds of a `Retry-After`, which is a number or a date."""
    if header is None:
        return None
    try:
        return min(max(float(header), 0.0), 1e6)
    except ValueError:
        pass
    from email.utils import parsedate_to_datetime

    try:
        return min(max(parsedate_to_datetime(header).timestamp() - time.time(), 0.0), 1e6)
    except (ValueError, TypeError, OverflowError):
        return None


def _cause(error: Exception) -> str:
    return " ".join(unsaid(str(error)).split()) or type(error).__name__
