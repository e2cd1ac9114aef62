"""A spec with a `|` where the cursor is, and what is known of the outside, as a project to ask."""

import json

from mixc.compiler.ide.project import Project, chain
from mixc.compiler.semantics.inputs import Inputs
from mixc.compiler.source import Source

COLUMNS = {"question": "text", "solution": "text", "answer": "text", "model": "text", "topic": "text", "good": "bool", "count": "number", "my column": "number"}
TREE = {"name": "all", "children": [{"name": "Geometry", "children": [{"name": "Circles"}]}, {"name": "Algebra"}]}
BASE = """\
mix "base" { seed 1 }

param n = 40

student small { model "./small" }

corpus rows {
  scan      "rows.jsonl"
  prompt    question
  response  solution
  reference answer
  teacher   model
}

teacher brief from rows where model == "terse"

skills maths {
  tree "tree.json"
  tag  by column topic
}

score correct = verify_math(reference)
score natural = local_logprob(student: small, window: 4 steps)
score length  = column(count, unit: tokens)

select {
  where    correct
  where    length <= 400 tokens
  quota    skill "Geometry" >= 15%
  quota    teacher brief >= 40%
  budget   $n examples
  maximize natural
}
"""


def asked(marked: str, path: str = "spec.mix", *, overrides: tuple[tuple[str, str], ...] = (), **texts: str) -> tuple[Project, int]:
    """The project of a text whose cursor is its `|`, and the offset of that; `texts` are the other files, `base` being `base.mix`."""
    assert marked.count("|") <= 1
    offset = max(marked.find("|"), 0)
    return project(marked.replace("|", ""), path, overrides=overrides, **texts), offset


def project(text: str, path: str = "spec.mix", *, overrides: tuple[tuple[str, str], ...] = (), **texts: str) -> Project:
    inputs = Inputs(
        texts={"tree.json": json.dumps(TREE), **{f"{name}.mix": other for name, other in texts.items()}},
        columns={"rows.jsonl": COLUMNS},
        present={"rows.jsonl": True, "tree.json": True},
        overrides=overrides,
    )
    source = Source(path, text)
    return Project(source, inputs)


def chain_of(path: str, text: str, **texts: str):
    """A further spec of the workspace."""
    return chain(Source(path, text), lambda p: texts.get(p.removesuffix(".mix")))


def shown(text: str, spans) -> str:
    """A text with brackets around spans."""
    for span in sorted(spans, key=lambda s: -s.start):
        text = f"{text[: span.start]}[{text[span.start : span.end]}]{text[span.end :]}"
    return text
