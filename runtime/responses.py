"""Questions to the responses of a model, each asked once ever: by a local model on any engine, or by whatever else can answer.

Responses lie in the store by all that they depend on and by the text of the question, so that a run that was killed goes on, more questions or samples
ask only what is new, and another recipe that asks the same asks nothing.
"""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from ..compiler.plan.stages import Model
from .agreed import tell_agreed
from .context import Context
from .engines.base import Request
from .events import Notice, Passed, Progress
from .shelf import Shelf, digest
from .store import fingerprint

RESPONSES = {"text": pl.String(), "tokens": pl.Int64(), "finished": pl.Boolean(), "engine": pl.String()}
FOUND = {"question": pl.UInt32(), "sample": pl.UInt32(), **RESPONSES, "why": pl.String()}
CHUNK, LARGEST_CHUNK = 64, 4_096
SECONDS = 30.0
"""A chunk of responses is stored at once, which is what a kill can cost: it grows until it takes so long."""


@dataclass(frozen=True, slots=True)
class Question:
    """What stands in the user's turn, and the JSON Schema (as text) that the response must satisfy, if any."""

    text: str
    schema: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How questions are asked: `samples` responses to each, of `max_tokens` tokens at most, drawn at `temperature` by `seed`; greedy at 0, where one
    response is all there is. `stage` is the id of the stage that asks, `of` what it is shown with. `fair`: responses are compared with others, so
    those that another engine wrote are not taken."""

    stage: str
    of: str = ""
    max_tokens: int
    samples: int = 1
    temperature: float = 0.0
    seed: int = 0
    fair: bool = False


@dataclass(frozen=True, slots=True)
class Drawn:
    """One response to be drawn: see Asking. `seed` is its own."""

    question: Question
    max_tokens: int
    temperature: float
    seed: int


@dataclass(frozen=True, slots=True)
class Said:
    """A response; `finished` is False where it was cut at the limit. `text` None: there is none, and `why`."""

    text: str | None
    tokens: int = 0
    finished: bool = False
    why: str | None = None


class Respondent(Protocol):
    """Who answers. `identity` is all that its responses depend on but what is asked and how; `engine` is recorded beside them."""

    @property
    def engine(self) -> str:
        """Who writes, as it is recorded; it may be known only once it was asked."""
        ...

    @property
    def least(self) -> int:
        """How many responses it is asked for at once at least: so many a kill may cost, however slow it is."""
        ...

    def identity(self) -> Mapping[str, object]:
        """JSON values. Faults where the model cannot be found."""
        ...

    def respond(self, drawn: Sequence[Drawn], done: Callable[[int], None]) -> list[Said]:
        """A response to each, in their order; `done` hears how many there are."""
        ...

    def passed(self, stage: str, said: Sequence[Said], seconds: float) -> Passed | None:
        """What is told of the writing; None where it tells nothing of a pace."""
        ...


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A Respondent: a model that this machine runs, by the engine of the run. Faults as those of `Students`."""

    model: Model
    context: Context

    @property
    def engine(self) -> str:
        """See Respondent."""
        loaded = self.context.students.loaded(self.model)
        return self.context.students.choice.engine if loaded is None else loaded.name

    @property
    def least(self) -> int:
        """See Respondent: a batch."""
        return CHUNK

    def identity(self) -> Mapping[str, object]:
        """See Respondent."""
        files = self.context.students.files(self.model)
        return {
            "weights": files.digest, "tokenizer": files.tokenizer_digest, "template": files.template_digest, "dtype": self.model.dtype,
        }  # fmt: skip

    def respond(self, drawn: Sequence[Drawn], done: Callable[[int], None]) -> list[Said]:
        """See Respondent."""
        tokenizer, engine = self.context.students.tokenizer(self.model), self.context.students.engine(self.model)
        requests = [Request(tokenizer.prompt(one.question.text), one.max_tokens, one.temperature, one.seed, one.question.schema) for one in drawn]
        return [Said(made.text, made.tokens, made.finished) for made in engine.generate(requests, done)]

    def passed(self, stage: str, said: Sequence[Said], seconds: float) -> Passed | None:
        """See Respondent."""
        engine, files = self.context.students.engine(self.model), self.context.students.files(self.model)
        return Passed(
            stage=stage, tokens=sum(one.tokens for one in said), seconds=seconds, student=self.model.student, weights=files.digest,
            dtype=self.model.dtype, engine=engine.name, device=engine.device, what="write",
        )  # fmt: skip


def shelf_of(asking: Asking, respondent: Respondent, context: Context) -> Shelf:
    """Where these responses are kept."""
    identity: dict[str, object] = {"responses": 1, **respondent.identity(), "max_tokens": asking.max_tokens, "temperature": asking.temperature}
    if asking.temperature:
        identity["seed"] = asking.seed
    if asking.fair:
        identity["engine"] = context.students.choice.engine
    return context.store.shelf(fingerprint(identity), identity)


def keys(asking: Asking, questions: Sequence[Question]) -> pl.DataFrame:
    """`question`, `sample` and the `key` under which the response is kept: of a greedy asking there is one sample, of equal questions one key."""
    texts = [digest(f"{len(one.text)}\n{one.text}{one.schema or ''}".encode()) for one in questions]
    samples = asking.samples if asking.temperature else 1
    frame = pl.DataFrame(
        {"question": [i for i in range(len(texts)) for _ in range(samples)], "sample": list(range(samples)) * len(texts)},
        schema={"question": pl.UInt32(), "sample": pl.UInt32()},
    )
    named = [f"{text}-{sample}" for text in texts for sample in range(samples)]
    return frame.with_columns(pl.Series("key", named, dtype=pl.String))


def are_stored(asking: Asking, questions: Sequence[Question], respondent: Respondent, context: Context) -> pl.Series:
    """For each question whether all its responses are in the store; nothing is asked."""
    wanted = keys(asking, questions)
    known = shelf_of(asking, respondent, context).load(wanted["key"].to_list(), schema=RESPONSES)["key"]
    return wanted.group_by("question").agg(pl.col("key").is_in(known.implode()).all()).sort("question")["key"]


def responses(asking: Asking, questions: Sequence[Question], respondent: Respondent, context: Context) -> pl.DataFrame:
    """FOUND: a row for each question (its index) and sample, in that order; `text` is null where there is no response, and `why` says why not.

    What cannot be answered is not stored: the next run asks it again. Faults as those of the respondent.
    """
    shelf = shelf_of(asking, respondent, context)
    wanted = keys(asking, questions)
    known = shelf.load(wanted["key"].to_list(), schema=RESPONSES, say=lambda said: context.watch(Notice(asking.stage, said)))
    asked = wanted.join(known, on="key", how="anti").unique("key", keep="first", maintain_order=True)
    size = pl.Series("size", [len(one.text) for one in questions], dtype=pl.UInt32)
    order = asked.with_columns(size.gather(asked["question"])).sort("size", "key")
    made = [known.with_columns(pl.lit(None, pl.String).alias("why"))]
    begun, chunk, total = 0, respondent.least, order.height
    shown = f"{asking.stage} ({asking.of})" if asking.of else asking.stage
    while begun < total:
        part = order.slice(begun, chunk)
        drawn = [
            Drawn(questions[question], asking.max_tokens, asking.temperature, _seed(asking.seed, key)) for question, key in part.select("question", "key").rows()
        ]
        began = time.monotonic()
        said = respondent.respond(drawn, lambda done, before=begun: context.watch(Progress(shown, before + done, total, "responses")))
        seconds = time.monotonic() - began
        comparing = tell_agreed(asking.stage, context)
        told = respondent.passed(asking.stage, said, max(seconds - comparing, 0.0))
        if told is not None:
            context.watch(told)
        frame = part.select("key").with_columns(
            pl.Series("text", [one.text for one in said], dtype=pl.String),
            pl.Series("tokens", [one.tokens for one in said], dtype=pl.Int64),
            pl.Series("finished", [one.finished for one in said], dtype=pl.Boolean),
            pl.lit(respondent.engine).alias("engine"),
            pl.Series("why", [one.why for one in said], dtype=pl.String),
        )
        beside = {"engine": respondent.engine, **({} if told is None else {"device": told.device})}
        shelf.append(frame.filter(pl.col("text").is_not_null()).drop("why"), beside)
        made.append(frame)
        begun += part.height
        chunk = min(chunk * 2, LARGEST_CHUNK) if seconds < SECONDS / 2 else max(chunk // 2, respondent.least) if seconds > 2 * SECONDS else chunk
    found = wanted.join(pl.concat(made), on="key", how="left", maintain_order="left")
    return found.select(*FOUND).cast(FOUND)  # type: ignore[arg-type]


def _seed(seed: int, key: str) -> int:
    """31 bits for one response, the same whatever else is asked."""
    return int.from_bytes(hashlib.blake2b(f"{seed}\n{key}".encode(), digest_size=4).digest(), "big") & 0x7FFFFFFF
