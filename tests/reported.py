"""A build with everything that a report can show, over rows that try to break out of the page: names and texts with markup, a leak, a long answer."""

from pathlib import Path

from mixc.tests.project import rows, write_rows

SCRIPT = '<script>document.title = "broken"; fetch("https://example.org/stolen")</script>'
TEACHER = '"><img src=x onerror=alert(1)>'
SKILL = "<b>addition</b>"
LEAK = "A box holds 7 red pens and 10 blue pens, how many pens is that in all of the box?"

BASE = """\
mix "</title><script>alert(2)</script>" { seed 5 }

student tiny {
  model "tiny"
  dtype fp32
}

corpus rows {
  scan      "data/rows.jsonl"
  id        prompt_id
  prompt    question
  response  answer
  reference gold
  teacher   model
  license   "MIT"
  where     split == "train"
}

skills topics { tag by column topic }

score correct     = verify_math(reference)
score naturalness = local_logprob(student: tiny, window: 2 steps, split: sentence)
score length      = tokens(student: tiny)

decontaminate against "bench.jsonl" by 8-grams of prompt

select {
  where    length <= 900 tokens
  keep     best 2 per prompt by naturalness
  quota    teacher "tutor" <= 50%
  quota    skill "subtraction" >= 3 examples
  budget   12 examples
  maximize naturalness
}
"""
CHILD = """\
# The whole of it: <script>alert(3)</script>
extends "base.mix"

train tiny {
  format        skill_aware
  steps         6
  learning_rate 1e-4
  batch         4 examples
}

evaluate {
  benchmark small "bench.jsonl" limit 3 prompts
  heldout   rows where split == "test"
  max_tokens 8 tokens
  baseline  random
  seeds     [0, 1]
}
"""
SCORED = """\
mix "scored" { seed 3 }

corpus rows {
  scan      "data/rows.jsonl"
  id        prompt_id
  prompt    question
  response  answer
  reference gold
  teacher   model
}

skills topics { tag by column topic }

score correct = column(good)
score length  = column(count, unit: tokens)

decontaminate against "bench.jsonl" by 8-grams of prompt

select {
  where    correct
  keep     best 2 per prompt by -length
  quota    teacher "tutor" <= 40%
  budget   14 examples
  maximize -length
}
"""


def make_reported(folder: Path) -> Path:
    """`whole.mix` (which extends `base.mix`, and needs a student `tiny` beside it) and `scored.mix` (which needs no model), with their data."""
    made = rows(24, seed=2)
    for row in made:
        row["model"] = TEACHER if row["model"] == "terse" else row["model"]
        row["topic"] = SKILL if row["topic"] == "addition" else row["topic"]
        row["answer"] = f"{row['answer']} {SCRIPT}" if row["prompt_id"] in ("p000", "p003", "p006") else row["answer"]
        if row["prompt_id"] == "p009":
            row["question"] = LEAK
    write_rows(folder / "data" / "rows.jsonl", made)
    bench = [{"id": f"b{i}", "problem": LEAK.replace("7", str(i)).replace("10", str(i + 3)), "answer": str(2 * i + 3)} for i in range(5, 9)]
    write_rows(folder / "bench.jsonl", bench)
    for name, text in (("base.mix", BASE), ("whole.mix", CHILD), ("scored.mix", SCORED)):
        (folder / name).write_text(text, encoding="utf-8")
    return folder
