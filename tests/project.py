"""A small project for the end-to-end tests: rows of three teachers in JSON lines, and specs over them."""

import json
import random
from pathlib import Path

TEACHERS = ("terse", "tutor", "rambler")
SKILLS = ("addition", "subtraction", "multiplication")

SCORED = """\
mix "scored" { seed 3 }

corpus rows {
  scan      "data/*.jsonl"
  id        prompt_id
  prompt    question
  response  answer
  reference gold
  teacher   model
}

skills topics { tag by column topic }

score correct = column(good)
score length  = column(count, unit: tokens)

decontaminate none because "nothing is trained"

select {
  where    correct
  where    length <= 400 tokens
  keep     best 2 per prompt by -length
  quota    skill "addition" >= 20%
  quota    teacher "rambler" <= 30%
  budget   12 examples
  maximize random
}
"""

STUDENT = """\
mix "whole" { seed 5 }

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
  where     split == "train"
}

teacher brief from rows where model == "terse"
teacher long  from rows where model in ["tutor", "rambler"]

skills topics { tag by column topic }

score correct     = verify_math(reference)
score naturalness = local_logprob(student: tiny, window: 2 steps, split: sentence)
score fluency     = global_logprob(student: tiny)
score length      = tokens(student: tiny)

decontaminate against "bench.jsonl" by 8-grams of prompt

select {
  where    correct
  where    length <= 400 tokens
  where    naturalness >= p10 within teacher
  keep     best 1 per prompt by naturalness
  quota    teacher brief <= 60%
  budget   8 examples
  maximize naturalness
}

train tiny {
  format        skill_aware
  steps         2
  learning_rate 1e-4
  batch         4 examples
}

evaluate {
  benchmark small "bench.jsonl" limit 3 prompts
  heldout   rows where split == "test"
  max_tokens 8 tokens
}
"""


def rows(prompts: int = 12, seed: int = 0) -> list[dict[str, object]]:
    """`prompts` short problems, each answered by three teachers; some answers are wrong."""
    chance = random.Random(seed)
    made = []
    for number in range(prompts):
        skill = SKILLS[number % 3]
        a, b = chance.randint(3, 30), chance.randint(2, 20)
        answer = {"addition": a + b, "subtraction": a - b, "multiplication": a * b}[skill]
        question = f"Problem {number}: what is the {skill} of {a} and {b}?"
        for teacher in TEACHERS:
            said = answer if chance.random() < 0.85 else answer + 1
            text = {
                "terse": f"It is \\boxed{{{said}}}.",
                "tutor": f"We take {a} first. Then we take {b}. The {skill} gives {said}. The answer is \\boxed{{{said}}}.",
                "rambler": f"Hmm, let me see! There is {a}, and there is {b}? I would say, well, maybe so. So it is {said}.\nIt is \\boxed{{{said}}}.",
            }[teacher]
            made.append(
                {
                    "prompt_id": f"p{number:03}", "question": question, "answer": text, "gold": str(answer), "model": teacher, "topic": skill,
                    "good": said == answer, "count": len(text.split()), "split": "test" if number % 6 == 5 else "train",
                }
            )  # fmt: skip
    return made


def write_rows(path: Path, made: list[dict[str, object]]) -> None:
    """Rows as JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in made), encoding="utf-8")


def make_project(folder: Path, prompts: int = 12) -> Path:
    """`scored.mix` and `whole.mix` with their data; the tiny student that `whole.mix` names is for the caller to make."""
    write_rows(folder / "data" / "rows.jsonl", rows(prompts))
    bench = [{"id": f"b{i}", "problem": f"A box holds {i} red pens and {i + 3} blue pens, how many pens is that?", "answer": str(2 * i + 3)} for i in range(5)]
    write_rows(folder / "bench.jsonl", bench)
    (folder / "scored.mix").write_text(SCORED, encoding="utf-8")
    (folder / "whole.mix").write_text(STUDENT, encoding="utf-8")
    return folder
