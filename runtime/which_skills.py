"""The question which children of a skill a text involves, and what its answer says. It knows one node of a tree, no rows and no model.

The words below are part of the key under which answers are kept: a change asks everything anew (docs/decisions/0040-skills-by-a-model.md).
"""

import json
from collections.abc import Mapping, Sequence

from .responses import Question

WORDS = """Which of the skills below are involved in understanding or solving the problem? Several may be involved. Count even the most basic ones. The list is empty if none is.

{heading}:
{listed}

Problem:
{text}

Answer in JSON, {{"skills": ["first", "second"]}}, with the names of the skills that are involved, each exactly as it is written above."""
KEY = "skills"
THOUGHT = ("<think>", "</think>")


def question(text: str, chain: str, children: Sequence[str], descriptions: Mapping[str, str]) -> Question:
    """Which of `children`, the skills below `chain` (empty: the root), the text involves. The answer is bounded to a list of at most all of them."""
    heading = f"Skills within {' -> '.join(chain.split('->'))}" if chain else "Skills"
    listed = "\n".join(f"- {name}: {descriptions[name]}" if name in descriptions else f"- {name}" for name in children)
    names = {"type": "array", "items": {"type": "string", "enum": list(children)}, "maxItems": len(children)}
    schema = {"type": "object", "properties": {KEY: names}, "required": [KEY], "additionalProperties": False}
    return Question(WORDS.format(heading=heading, listed=listed, text=text), json.dumps(schema, ensure_ascii=False))


def chosen(answer: str, children: Sequence[str]) -> tuple[str, ...] | None:
    """The children that an answer names, sorted and each once; None where it is not of the form that was asked for, or names another."""
    try:
        found = json.loads(after_thought(answer))
    except (ValueError, RecursionError):
        return None
    names = found.get(KEY) if isinstance(found, dict) and len(found) == 1 else None
    if not isinstance(names, list) or not all(isinstance(name, str) and name in children for name in names):
        return None
    return tuple(sorted(set(names)))


def after_thought(response: str) -> str:
    """What a response says after its thought, which ends with `</think>`; nothing of one that is still thinking when it ends."""
    opened, closed = THOUGHT
    _, found, after = response.rpartition(closed)
    if found:
        return after.strip()
    return "" if response.lstrip().startswith(opened) else response.strip()


def problem(prompt: str, response: str | None) -> str:
    """What is asked about: the prompt, and what the response says after its thought, where one is read that says something."""
    solution = after_thought(response) if response is not None else ""
    return f"{prompt.strip()}\n\nSolution:\n{solution}" if solution else prompt.strip()
