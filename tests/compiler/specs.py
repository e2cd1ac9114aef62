"""Specs that between them hold every declaration, and short ways to read a piece of one."""

from mixc.compiler.diagnostics import Diagnostics
from mixc.compiler.source import Source, Span
from mixc.compiler.syntax import ast
from mixc.compiler.syntax.parse import parse

TRAINED = """\
mix "sums" {
  seed 17
}

param window = 4  # steps

student tiny {
  model    "hub/tiny"
  revision "12fd25"
  dtype    bf16
}

corpus traces {
  scan      "data/*.parquet"
  prompt    question
  response  solution
  reference answer
  teacher   model
  where     split == "train"
  sample    150 prompts
}

teacher strong from traces where model in ["one", "two"]
teacher small  from traces where model == "three"

skills maths {
  tree "skills.json"
  tag  by column subject
}

score correct     = verify_math(reference)
score naturalness = local_logprob(student: tiny, window: $window steps, split: sentence)
score length      = tokens(student: tiny)

profile tiny {
  attempts    1 per prompt
  sample      200 prompts per skill
  temperature 0.6
  grade       verify_math(reference)
}

decontaminate against "bench/*.jsonl" by 8-grams of prompt

select {
  where    correct
  where    length <= 4k tokens
  where    naturalness >= p20 within teacher
  keep     best 1 per prompt by naturalness
  quota    skill weakness(max_weight: 20, prior: beta(1, 1))
  quota    skill "Geometry" >= 15%
  quota    teacher strong <= 40% of tokens
  budget   1000 examples
  budget   2M tokens
  maximize naturalness
}

train tiny {
  format        skill_aware
  epochs        5
  learning_rate 1e-5
  batch         8 examples
  max_length    8k tokens
}

evaluate {
  benchmark sums "bench/sums.jsonl" samples 1 limit 50 prompts
  heldout   traces where split == "test"
  baseline  random
  seeds     [0, 1, 2]
}
"""

RESELECT = """\
mix "again" { seed 3 }

corpus traces {
  scan      "teachers.parquet"
  id        prompt_id
  prompt    prompt
  response  response
  reference reference_answer
  teacher   teacher
}

skills subject { tag by column skill }

score correct = column(correct)
score length  = column(student_tokens, unit: tokens)

decontaminate none because "nothing is trained"

select {
  where    correct and length <= 1k tokens
  keep     best 1 per prompt by -length
  quota    skill "Algebra" 100..150 examples
  quota    teacher "human" <= 10%
  budget   500 examples
  maximize random
}
"""

CHILD = """\
extends "parent.mix"
param window = 8
corpus traces {
  remove where
  scan "other.parquet"
}
remove score fluency
remove test "old"
remove evaluate
select {
  replace keep best 1 per prompt by fluency
  replace where correct with where correct or fluent
  replace maximize with maximize random
  remove  quota skill "Geometry"
  remove  quota skill weakness
  remove  budget tokens
  add     where fluency >= -1.5 nats before keep
  add     keep at most 2 per prompt after where correct
  add     count tokens by length
}
"""

OTHERS = """\
teacher writer generate {
  model       "hub/large"
  prompts     from traces
  samples     4
  temperature 0.6
  max_tokens  2k tokens
  where       split == "train"
}
profile tiny from "profile.json"
dedup by exact of prompt
dedup by minhash(threshold: 0.8) of response
require license in ["MIT", "Apache-2.0"]
sweep window in [1, 2, 4]
ablate quota skill "Geometry"
ablate maximize
decontaminate against ["a.jsonl", "b.jsonl"] by 13-grams of prompt field: name
test "it selects" {
  given  "rows.jsonl"
  expect selected == 3 examples
  expect skill "Algebra" >= 2 examples
  expect error MIX0401
}
"""


def read(text: str) -> tuple[ast.Spec, list[str]]:
    notes = Diagnostics()
    spec = parse(Source("a.mix", text), notes)
    return spec, [d.code for d in notes]


def clause(text: str) -> ast.Line:
    spec, codes = read(f"select {{\n  {text}\n}}\n")
    assert codes == []
    (block,) = spec.declarations
    assert isinstance(block, ast.Block)
    (line,) = block.lines
    return line


def condition(text: str) -> ast.Expr:
    line = clause(f"where {text}")
    assert isinstance(line, ast.Where)
    return line.condition


def name(text: str) -> ast.Name:
    return ast.Name(text, span=Span("", 0, 0))


def number(value: float, unit: str | None = None) -> ast.Number:
    return ast.Number(value, unit, span=Span("", 0, 0))
