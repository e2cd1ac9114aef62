"""What the tests of `tag by llm` share: a tree, stages, rows, and a model that says what it is told to. Imported as `mixc.tests.runtime.tagging`."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
from mixc.compiler.plan.stages import Attribution, Model, Tag
from mixc.compiler.source import Span
from mixc.runtime.context import Context
from mixc.runtime.engines.choice import Choice
from mixc.runtime.engines.students import Students
from mixc.runtime.events import Event, Passed
from mixc.runtime.responses import Drawn, Said
from mixc.runtime.rows import Rows
from mixc.runtime.store import Store

SPAN = Span("a.mix", 0, 1)
TREE = {"Arithmetic": {"Sums": {}, "Products": {"Times": {}, "Divide": {}}}, "Algebra": {"Linear": {}, "Square": {}}, "Logic": {}}
PROMPTS = ["What is 2 + 2?", "Solve 3x = 9.", "Is it raining or not?", "A train goes 60 miles in 2 hours: how fast is it?"]


def chains(tree: Mapping[str, Any], above: str = "") -> tuple[tuple[str, str], ...]:
    """Names and chains of nested names, as a plan has them."""
    found: list[tuple[str, str]] = []
    for name, below in tree.items():
        chain = f"{above}->{name}" if above else name
        found += [(name, chain), *chains(below, chain)]
    return tuple(found)


def tag_stage(model: Model | None = None, tree: Mapping[str, Any] = TREE, **changes: Any) -> Tag:
    """A stage that tags by `model`; `changes` are those of its Attribution."""
    asked = Attribution(model=model or Model(student="tiny", model="tiny", dtype="fp32", span=SPAN), **changes)
    return Tag(id="tag", inputs=(), taxonomy="maths", method="llm", attribution=asked, tree=chains(tree), span=SPAN)


def table(prompts: Sequence[str] = PROMPTS, responses: Sequence[str] = ("It is 4.", "<think>hm, x is 3</think> So 3.")) -> Rows:
    """A row for each prompt and response, and one that has dropped out."""
    made = [{"row_id": f"{p:03}-{r}", "prompt_id": f"{p:03}", "prompt": prompt, "response": said, "reason": None} for p, prompt in enumerate(prompts) for r, said in enumerate(responses)]
    gone = {"row_id": "999", "prompt_id": "999", "prompt": "Dropped?", "response": "No.", "reason": "where correct"}
    return Rows.of(pl.DataFrame([*made, gone], schema_overrides={"reason": pl.String}).sort("row_id"))


def context(folder: Path, events: list[Event] | None = None, engine: str = "transformers") -> Context:
    """A store of its own."""
    return Context(store=Store(folder), students=Students(folder, choice=Choice(engine)), watch=(lambda e: None) if events is None else events.append)


def skills(rows: Rows) -> dict[str, list[str]]:
    """The chains of each row that is still in."""
    return dict(rows.candidates(["row_id", "skills"]).rows())


def children(one: Drawn) -> list[str]:
    """The names that a question may be answered with."""
    return json.loads(one.question.schema or "{}")["properties"]["skills"]["items"]["enum"]


@dataclass
class Told:
    """A respondent that answers by `answer`, and remembers what it was asked."""

    answer: Callable[[Drawn], Said]
    asked: list[Drawn] = field(default_factory=list)
    engine: str = "told"
    least: int = 64

    def identity(self) -> Mapping[str, object]:
        return {"model": "told"}

    def respond(self, drawn: Sequence[Drawn], done: Callable[[int], None]) -> list[Said]:
        self.asked += drawn
        done(len(drawn))
        return [self.answer(one) for one in drawn]

    def passed(self, stage: str, said: Sequence[Said], seconds: float) -> Passed | None:
        return None


def names(*given: str) -> Callable[[Drawn], Said]:
    """Answers with those of the names that the question lists."""
    return lambda one: Said(json.dumps({"skills": [name for name in given if name in children(one)]}), 9, finished=True)
