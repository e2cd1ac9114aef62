"""A spec on columns that every test of a rule knows, compiled without a disk, and the codes that come of it."""

from collections.abc import Mapping

from mixc.compiler.diagnostics import Severity
from mixc.compiler.driver import Outcome, compile, wanted
from mixc.compiler.plan.stages import Plan
from mixc.compiler.plan.verify import verify
from mixc.compiler.semantics.inputs import Inputs
from mixc.compiler.source import Source

COLUMNS = {
    **dict.fromkeys(("key", "question", "answer", "gold", "model", "topic", "license", "split", "a b"), "text"),
    **dict.fromkeys(("count", "share"), "number"),
    "good": "bool",
    "parts": "list",
}
TREE = '{"name": "root", "children": [{"name": "Algebra", "children": [{"name": "Lines"}]}, {"name": "Geometry"}]}'
CORPUS = """\
corpus rows {
  scan      "rows.jsonl"
  prompt    question
  response  answer
  reference gold
  teacher   model
}
"""
HEAD = 'mix "m" { seed 1 }\n' + CORPUS
SCORED = (
    HEAD
    + """\
student tiny { model "hub/tiny" }
skills topics {
  tree "tree.json"
  tag  by column topic
}
score good_one = column(good)
score length   = column(count, unit: tokens)
score ratio    = column(share)
score natural  = local_logprob(student: tiny)
"""
)


def compiled(text: str, texts: Mapping[str, str | None] | None = None, overrides: tuple[tuple[str, str], ...] = ()) -> Outcome:
    """The outcome for a text called `spec.mix`; every scan has COLUMNS, and what is not in `texts` is not there."""
    given = {"tree.json": TREE} | dict(texts or {})
    source = Source("spec.mix", text)
    inputs = Inputs(texts=given, overrides=overrides)
    while asked := wanted(source, inputs):
        columns = dict(inputs.columns) | {w.path: COLUMNS for w in asked if w.kind == "columns"}
        present = dict(inputs.present) | {w.path: True for w in asked if w.kind == "present"}
        scorers = dict(inputs.scorers) | {w.path: None for w in asked if w.kind == "scorer"}
        given |= {w.path: None for w in asked if w.kind == "text"}
        inputs = Inputs(given, columns, present, overrides, scorers)
    outcome = compile(source, inputs)
    if outcome.plan:
        verify(outcome.plan)
    return outcome


def errors(text: str, texts: Mapping[str, str | None] | None = None, overrides: tuple[tuple[str, str], ...] = ()) -> list[str]:
    """The codes of the errors, in their order."""
    return [d.code for d in compiled(text, texts, overrides).notes if d.severity is Severity.ERROR]


def helped(text: str) -> str:
    """Message, label and help of the first error."""
    found = next(d for d in compiled(text).notes if d.severity is Severity.ERROR)
    return " | ".join((found.message, found.primary.text if found.primary else "", found.help or ""))


def plan(text: str, texts: Mapping[str, str | None] | None = None, overrides: tuple[tuple[str, str], ...] = ()) -> Plan:
    outcome = compiled(text, texts, overrides)
    assert outcome.plan is not None, [d.message for d in outcome.notes]
    return outcome.plan


def chosen(clause: str) -> str:
    """A spec with this in its `select`."""
    return f"{SCORED}select {{\n  {clause}\n}}\n"
