"""A project of sums whose answers a teacher has yet to write, and a server that answers them, some of them wrongly."""

import json
import re
from pathlib import Path
from typing import Any

from mixc.tests.runtime.served import completion

SPEC = """\
mix "sums" { seed 3 }

corpus sums {
  scan      "sums.jsonl"
  id        pid
  prompt    question
  response  solution
  reference answer
  teacher   model
}

%s
teacher human from sums where model == "human"
teacher writer generate {
  model       "big-model"
  prompts     from sums
  where       level < 5
  samples     4
  temperature 0.8
  max_tokens  100 tokens
%s
}

skills kinds { tag by column kind }

score right = verify_math(reference)
score good  = column(good)

decontaminate none because "nothing is trained"

select {
  where right
  keep  at most 2 per prompt
  quota teacher writer <= 90%%
  quota skill "odd" >= 10%%
  budget up to 40 examples
}
"""


def spec(url: str, more: str = "", before: str = "") -> str:
    """The recipe, with its teacher behind a server."""
    return SPEC % (before, f'  endpoint    "{url}"\n{more}'.rstrip())


def sums(folder: Path, count: int = 10, **more: Any) -> Path:
    """The corpus: half of its prompts have an answer of a human, the others none; two have two rows that do not agree on `note`."""
    made = []
    for i in range(count):
        row = {"pid": f"p{i:03}", "question": f"What is {i} + {7 * i}?", "answer": str(8 * i), "kind": "odd" if i % 2 else "even", "level": i % 6}
        human = {"model": "human", "solution": f"It is {8 * i}.", "good": True}
        made.append(row | (human if i % 2 else {"model": None, "solution": None, "good": None}) | {"note": "a"} | more)
        if i in (1, 3):
            made.append(row | human | {"solution": f"Well: {8 * i}.", "note": "b"} | more)
    path = folder / "sums.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in made), encoding="utf-8")
    return path


def answer(body: dict[str, Any]) -> Any:
    """By its seed a response is right, right at length, wrong, or cut."""
    first, second = map(int, re.findall(r"\d+", body["messages"][-1]["content"]))
    total = first + second
    match body["seed"] % 4:
        case 0:
            return f"Adding both gives {total}."
        case 1:
            return f"We add {first} and {second}, step by step. The answer is {total}."
        case 2:
            return f"It must be {total + 1}."
        case _:
            return completion(f"First {first} and then", ended="length")
