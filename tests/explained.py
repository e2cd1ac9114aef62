"""Turns the examples of `mixc explain` into whole specs: what an example leaves out, the frame supplies.

The rule. Lines that begin with a clause of `select` outside of any block are put into a `select`. Then every declaration of
the frame that the example does not make itself, judged by kind and name, stands before it (the param only where one is used);
to a spec that extends another nothing is added. Files are not there if their path has `missing` in it; every other file is, with the columns of the frame.
"""

import re
from typing import Any

from mixc.compiler.diagnostics import Diagnostic
from mixc.compiler.driver import compile
from mixc.compiler.semantics.inputs import Inputs
from mixc.compiler.source import Source

FRAME = {
    "mix": 'mix "example" { seed 1 }',
    "param window": "param window = 4",
    "student smollm2": """\
student smollm2 {
  model    "HuggingFaceTB/SmolLM2-135M-Instruct"
  revision "12fd25f77366fa6b3b4b768ec3050bf629380bac"
}""",
    "corpus traces": """\
corpus traces {
  scan      "traces.jsonl"
  prompt    question
  response  solution
  reference answer
  teacher   model
}""",
    "teacher strong": 'teacher strong from traces where model == "gpt-4o"',
    "teacher small": 'teacher small from traces where model == "llama-3-8b"',
    "skills maths": """\
skills maths {
  tree "maths.json"
  tag  by column subject
}""",
    "score correct": "score correct = column(good)",
    "score length": "score length = column(token_count, unit: tokens)",
    "score naturalness": "score naturalness = local_logprob(student: smollm2)",
    "decontaminate": 'decontaminate none because "an example"',
}
COLUMNS = {
    **dict.fromkeys(("question", "solution", "answer", "model", "subject", "split", "license", "notes"), "text"),
    **dict.fromkeys(("level", "token_count", "lp"), "number"),
    "good": "bool",
}
TREE = '{"name": "maths", "children": [{"name": "Algebra"}, {"name": "Geometry"}]}'
PROFILE = '{"skills": {"Algebra": {"attempts": 200, "correct": 61}, "Geometry": {"attempts": 50, "correct": 40}}}'
BASE_SELECT = """\
select {
  where  correct
  quota  skill "Geometry" <= 50%
  budget 1000 examples
}"""
CLAUSE = re.compile(r"(?:where|keep|quota|budget|maximize|count|add|replace|remove (?:where|keep|quota|budget|maximize))\b")


def framed(example: str, without: tuple[str, ...] = ()) -> str:
    """The example as a whole spec."""
    text = _selected(example.strip("\n"))
    if re.search(r"^extends\b", text, re.M):
        return text + "\n"
    made = set(re.findall(r"^(\w+ ?\w*)", text, re.M)) | {word.split()[0] for word in re.findall(r"^(?:mix|decontaminate)\b", text, re.M)}
    left_out = {*made, *without, *(() if "$" in text or "sweep" in text else ("param window",))}
    return "\n".join([*(said for what, said in FRAME.items() if what not in left_out), text]) + "\n"


def _selected(text: str) -> str:
    lines, out, inside = text.splitlines(), [], False
    depth = 0
    for line in lines:
        bare = depth == 0 and bool(CLAUSE.match(line))
        if bare != inside:
            out.append("select {" if bare else "}")
            inside = bare
        out.append(f"  {line}" if bare else line)
        depth += line.count("{") - line.count("}")
    return "\n".join([*out, "}"] if inside else out)


class Files(dict[str, Any]):
    """Answers for every path, but those with `missing` in them."""

    def __init__(self, there: Any, missing: Any, some: dict[str, Any] | None = None) -> None:
        super().__init__(some or {})
        self.there, self.missing = there, missing

    def __contains__(self, path: object) -> bool:
        return True

    def __missing__(self, path: str) -> Any:
        return self.missing if "missing" in path else self.there

    def get(self, path: str, default: Any = None) -> Any:
        return self[path]


UNSOLVED = PROFILE.replace('"correct": 40', '"correct": 0')
TWICE = TREE.replace("Geometry", "Algebra")
MISSPELT = PROFILE.replace("correct", "right")


def told(example: str, without: tuple[str, ...] = ()) -> list[Diagnostic]:
    """What checking says of an example, framed."""
    texts = {"maths.json": TREE, "profile.json": PROFILE, "unsolved.json": UNSOLVED, "misspelt.json": MISSPELT, "twice.json": TWICE, "base.mix": framed(BASE_SELECT), "itself.mix": 'extends "example.mix"\n'}
    inputs = Inputs(Files(None, None, texts), Files(COLUMNS, None), Files(True, False))
    return list(compile(Source("example.mix", framed(example, without)), inputs).notes)
