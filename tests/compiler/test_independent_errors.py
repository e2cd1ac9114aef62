"""Each fault is told once: none brings others with it that only follow from it, and none hides another."""

import itertools
import random
import re
from collections.abc import Iterator
from typing import Any

import pytest
from mixc.cli.fix import apply
from mixc.compiler.diagnostics import Diagnostic, Severity
from mixc.compiler.driver import compile
from mixc.compiler.semantics.inputs import Inputs
from mixc.compiler.source import Source

SPEC = """\
mix "m" {
  seed 1
  description "d"
}

param window = 4
param cap = 40

student s {
  model    "x/y"
  revision "abc"
  dtype    bf16
}

corpus rows {
  scan      "rows.jsonl"
  prompt    question
  response  answer
  reference gold
  teacher   model
  where     split == "train"
}

teacher strong from rows where model == "a"
teacher weak from rows where model in ["b", "c"]

skills t {
  tree "tree.json"
  tag  by column topic
}

profile s from "profile.json"

score correct = verify_math(reference)
score natural = local_logprob(student: s, window: $window steps, split: sentence)
score length = tokens(student: s)

decontaminate against "bench.jsonl" by 8-grams of prompt

select {
  where    correct
  where    length <= 4k tokens
  where    natural >= p20 within teacher
  where    natural >= p10 within skill
  keep     best 1 per prompt by natural
  keep     at most 2 per prompt
  quota    skill weakness(max_weight: 20)
  quota    skill "Geometry" >= 15%
  quota    teacher strong <= $cap% of tokens
  quota    column topic "x" <= 60%
  budget   1000 examples
  budget   2M tokens
  maximize natural
}

train s {
  format        skill_aware
  epochs        5
  learning_rate 1e-5
  batch         8 examples
  max_length    8k tokens
}

evaluate {
  benchmark gsm8k "t.jsonl" samples 1
  heldout   rows where split == "test"
  seeds     [0]
}
"""
COLUMNS = dict.fromkeys(("question", "answer", "gold", "model", "topic", "split"), "text")
TREE = '{"name": "r", "children": [{"name": "Algebra"}, {"name": "Geometry"}]}'


class Everywhere(dict[str, Any]):
    """Says the same of every path."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value

    def get(self, key: str, default: Any = None) -> Any:
        return self.value

    def __contains__(self, key: object) -> bool:
        return True


PROFILE = '{"skills": {"Algebra": {"attempts": 20, "correct": 9}}}'
INPUTS = Inputs({"tree.json": TREE, "profile.json": PROFILE}, Everywhere(COLUMNS), Everywhere(True))


def errors(text: str) -> list[Diagnostic]:
    return [d for d in compile(Source("a.mix", text), INPUTS).notes if d.severity is Severity.ERROR]


def broken(line: str) -> Iterator[tuple[str, str]]:
    """A clause, broken in the ways in which clauses are broken."""
    yield "a comma too many", f"{line} ,"
    yield "a colon after the keyword", re.sub(r"^(\s*\w+)", r"\1:", line)
    yield "an equals sign after the keyword", re.sub(r"^(\s*\w+)", r"\1 =", line)
    yield "a character that means nothing", f"{line} @"
    yield "a character after the keyword", re.sub(r"^(\s*\w+)", r"\1 ?", line)
    yield "a string without an end", re.sub(r"^(\s*\w+)\s.*", r'\1 "x', line)
    yield "the keyword alone", re.sub(r"^(\s*\w+).*?(\{?)$", r"\1 \2", line)
    yield "a keyword that is none", re.sub(r"^(\s*)(\w+)", r"\1\2zzzzz", line)
    yield "another word", re.sub(r"^(\s*)(\w+)", r"\1qqqqqqqq", line)
    yield "two letters swapped", re.sub(r"^(\s*)(\w)(\w)", r"\1\3\2", line)


LINES = SPEC.splitlines()
CLAUSES = [i for i, line in enumerate(LINES) if line.strip(" }")]


def with_lines(changed: dict[int, str]) -> str:
    return "\n".join(changed.get(i, line) for i, line in enumerate(LINES)) + "\n"


def test_the_spec_that_is_broken_below_is_sound() -> None:
    assert errors(SPEC) == []


@pytest.mark.parametrize("number", CLAUSES, ids=lambda i: LINES[i].strip())
def test_a_clause_that_cannot_be_read_is_one_error(number: int) -> None:
    for how, line in broken(LINES[number]):
        if line != LINES[number]:
            assert len(errors(with_lines({number: line}))) == 1, how


@pytest.mark.parametrize("number", CLAUSES, ids=lambda i: LINES[i].strip())
def test_a_sign_of_another_format_is_taken_away_and_the_clause_is_as_it_was(number: int) -> None:
    line = LINES[number]
    ways = [line + ","] if line[-1] != "{" else []
    for wrong in (*ways, re.sub(r"^(\s*\w+)", r"\1:", line), re.sub(r"^(\s*\w+)", r"\1 =", line)):
        text = with_lines({number: wrong})
        (told,) = errors(text)
        assert apply(text, told.edits) == SPEC, wrong


UNKNOWN = [
    ("  where    correct", "  where    nosuch"),
    ("  maximize natural", "  maximize nosuch"),
    ("  max_length    8k tokens", "  max_length    8k nats"),
    ('  quota    skill "Geometry" >= 15%', '  quota    skill "Nosuch" >= 15%'),
    ("score length = tokens(student: s)", "score length = nosuch(student: s)"),
    ("  prompt    question", "  prompt    nosuch"),
    ("  seed 1", "  seed 1.5"),
]


@pytest.mark.parametrize(("right", "wrong"), UNKNOWN, ids=[wrong.strip() for _, wrong in UNKNOWN])
def test_an_error_of_meaning_is_told_beside_every_error_of_syntax(right: str, wrong: str) -> None:
    at = LINES.index(right)
    (alone,) = errors(with_lines({at: wrong}))
    for number in (i for i in CLAUSES if i != at and LINES[i].startswith("  ") and LINES[i].strip()[:5] != LINES[at].strip()[:5]):
        told = errors(with_lines({at: wrong, number: f"{LINES[number]} @"}))
        assert alone.message in [d.message for d in told], LINES[number]
        assert len(told) == 2, LINES[number]


def test_of_any_three_broken_clauses_each_has_its_error() -> None:
    dice = random.Random(5)
    inner = [i for i in CLAUSES if LINES[i].startswith("  ")]
    for three in itertools.islice(iter(lambda: dice.sample(inner, 3), None), 60):
        text = with_lines({i: f"{LINES[i]} @" for i in three})
        source = Source("a.mix", text)
        lines = [source.position(d.primary.span.start)[0] - 1 for d in errors(text) if d.primary]
        assert sorted(lines) == sorted(three)


PAIRS = [
    ('score correct = verify_math(reference)\n', 'score correct = verify_math(nosuch)\n', "  epochs        5\n", "  epochs        5\n  weight        correct\n", 1),
    ('score natural = local', 'score natural = nosuch', '  seeds     [0]\n', '  seeds     [0]\n  baseline  natural\n', 1),
    ('  tag  by column topic\n', '  tag  by nosuch topic\n', '"Geometry"', '"Nosuch"', 2),
    ('  tag  by column topic\n', '  tag  by llm(nosuch: "x")\n', '"Geometry"', '"Nosuch"', 2),
    ('  prompt    question\n', '  prompt    question\n  license   3\n', 'param cap', 'require license in ["MIT"]\nparam cap', 1),
    ('  prompt    question\n', '  prompt    question\n  license   @\n', 'param cap', 'require license in ["MIT"]\nparam cap', 1),
    ('weakness(max_weight: 20)', 'weakness(maxi: 20, prior: 3)', '  seed 1\n', '  seed 1\n', 2),
    ('  tree "tree.json"\n  tag  by column topic', '  tree @\n  tag  by llm(model: "x")', '  seed 1\n', '  seed 1\n', 1),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "used", "uses", "count"), PAIRS, ids=[p[1].strip() + p[3].strip() for p in PAIRS])
def test_what_has_a_fault_is_declared_all_the_same(right: str, wrong: str, used: str, uses: str, count: int) -> None:
    assert right in SPEC and used in SPEC
    found = errors(SPEC.replace(right, wrong).replace(used, uses))
    assert len(found) == count, found
