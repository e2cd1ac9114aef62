"""Writes the quickstart's corpus (short word problems, each answered by three scripted teachers) and its benchmark.

Every choice is a digest of the seed and of what is being chosen: the files are the same bytes on every machine.
Knows nothing of mixc; the standard library is all it needs.
"""

import argparse
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

SEED = 11
PER_SKILL = 25
TEST_PER_SKILL = 3
BENCHMARK_PER_SKILL = 5
LEAKED = ("addition", "division", "time")
CORRECT = {"terse": 95, "tutor": 90, "rambler": 70}

NAMES = ("Amara", "Bjorn", "Chen", "Dalia", "Emeka", "Freya", "Goran", "Hana", "Ivo", "Jaya", "Kofi", "Lena")
THINGS = ("apples", "pencils", "shells", "stamps", "tickets", "marbles", "candles", "postcards", "buttons", "cookies")


@dataclass(frozen=True, slots=True)
class Step:
    """One line of working: `why` in the tutor's words, what is computed, what comes out."""

    why: str
    sum: str
    value: int


@dataclass(frozen=True, slots=True)
class Problem:
    """`unit` is what the answer counts; the last step's value is the answer."""

    id: str
    skill: str
    question: str
    unit: str
    steps: tuple[Step, ...]


Draw = Callable[[int, int], int]
Numbers = dict[str, int]


def digest(*key: object) -> int:
    """A number that depends on the seed and the key alone."""
    text = "\x1f".join(str(part) for part in (SEED, *key))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def pick(options: tuple[str, ...], *key: object) -> str:
    """One of the options."""
    return options[digest(*key) % len(options)]


def drawer(*key: object) -> Draw:
    """A function that draws whole numbers, both ends included, another one at each call."""
    count = iter(range(100))
    return lambda low, high: low + digest(*key, next(count)) % (high - low + 1)


def addition(draw: Draw) -> tuple[Numbers, tuple[Step, ...]]:
    a, b = draw(12, 89), draw(13, 78)
    return {"a": a, "b": b}, (Step("Add the two amounts", f"{a} + {b}", a + b),)


def subtraction(draw: Draw) -> tuple[Numbers, tuple[Step, ...]]:
    a, b = draw(45, 98), draw(13, 39)
    return {"a": a, "b": b}, (Step("Take away what is gone", f"{a} - {b}", a - b),)


def multiplication(draw: Draw) -> tuple[Numbers, tuple[Step, ...]]:
    a, b = draw(3, 12), draw(6, 25)
    return {"a": a, "b": b}, (Step("Multiply the number of groups by the size of each", f"{a} * {b}", a * b),)


def division(draw: Draw) -> tuple[Numbers, tuple[Step, ...]]:
    b, each = draw(3, 9), draw(6, 24)
    return {"a": b * each, "b": b}, (Step("Share the total out equally", f"{b * each} / {b}", each),)


def percent(draw: Draw) -> tuple[Numbers, tuple[Step, ...]]:
    a, b = 20 * draw(2, 15), 5 * draw(1, 12)
    part = Step("Turn the percentage into hundredths and multiply", f"{a} * {b} / 100", a * b // 100)
    return {"a": a, "b": b}, (part,)


def comparison(draw: Draw) -> tuple[Numbers, tuple[Step, ...]]:
    b, more = draw(26, 60), draw(11, 95)
    a = b + more
    return {"a": a, "b": b}, (Step("Subtract the smaller amount from the larger one", f"{a} - {b}", more),)


def time(draw: Draw) -> tuple[Numbers, tuple[Step, ...]]:
    a, b = draw(2, 6), 5 * draw(1, 11)
    return {"a": a, "b": b}, (
        Step("An hour has 60 minutes, so turn the hours into minutes", f"{a} * 60", a * 60),
        Step("Add the minutes that are left over", f"{a * 60} + {b}", a * 60 + b),
    )


def two_step(draw: Draw) -> tuple[Numbers, tuple[Step, ...]]:
    a, b, c = draw(4, 12), draw(5, 15), draw(3, 18)
    return {"a": a, "b": b, "c": c}, (
        Step("Find how many there are in all the boxes", f"{a} * {b}", a * b),
        Step("Take away the ones that were given away", f"{a * b} - {c}", a * b - c),
    )


@dataclass(frozen=True, slots=True)
class Kind:
    """A skill: how its numbers come about, how the corpus tells its problems, and how the benchmark does."""

    skill: str
    numbers: Callable[[Draw], tuple[Numbers, tuple[Step, ...]]]
    corpus: tuple[str, ...]
    benchmark: tuple[str, ...]
    unit: str = "{things}"


KINDS = (
    Kind(
        "addition",
        addition,
        (
            "{name} has {a} {things} and buys {b} more. How many {things} does {name} have now?",
            "There are {a} {things} on a shelf and {b} in a drawer. How many {things} are there together?",
            "{name} sold {a} {things} on Monday and {b} on Tuesday. How many {things} is that in all?",
        ),
        ("A shop received {a} {things} this week, after {b} the week before. What is the total for both weeks?",),
    ),
    Kind(
        "subtraction",
        subtraction,
        (
            "{name} had {a} {things} and lost {b}. How many {things} are left?",
            "A crate holds {a} {things}. {name} takes out {b}. How many {things} remain in it?",
            "Of {a} {things}, {b} were broken. How many {things} were whole?",
        ),
        ("Out of the {a} {things} that {name} collected, {b} went to a museum. How many stayed at home?",),
    ),
    Kind(
        "multiplication",
        multiplication,
        (
            "{name} fills {a} bags with {b} {things} each. How many {things} is that?",
            "A row has {b} {things} and there are {a} rows. How many {things} are there?",
            "{name} gets {b} {things} a day. How many {things} does {name} get in {a} days?",
        ),
        ("Each of {a} friends brings {b} {things} to the fair. How many {things} do they bring altogether?",),
    ),
    Kind(
        "division",
        division,
        (
            "{name} shares {a} {things} equally among {b} friends. How many {things} does each friend get?",
            "{a} {things} are packed into {b} equal boxes. How many {things} are in one box?",
            "{name} used {a} {things} in {b} days, the same number every day. How many {things} a day?",
        ),
        ("A teacher splits {a} {things} evenly between {b} tables. What number of {things} goes on every table?",),
    ),
    Kind(
        "percent",
        percent,
        (
            "{name} owns {a} {things} and {b}% of them are red. How many {things} are red?",
            "In a box of {a} {things}, {b}% are spares. How many {things} are spares?",
            "{b}% of the {a} {things} at the market were sold. How many {things} were sold?",
        ),
        ("In a survey of {a} {things}, exactly {b}% turned out to be old. How many old ones were found?",),
    ),
    Kind(
        "comparison",
        comparison,
        (
            "{name} has {a} {things} and a neighbour has {b}. How many more {things} does {name} have?",
            "The red jar holds {a} {things}, the blue jar {b}. How many fewer {things} are in the blue jar?",
            "{name} counted {a} {things} in May and {b} in June. By how many {things} was May ahead?",
        ),
        ("One team gathered {a} {things} while the other found only {b}. How large is the difference between them?",),
    ),
    Kind(
        "time",
        time,
        (
            "{name} walks for {a} hours and {b} minutes. How many minutes is that?",
            "A train ride takes {a} hours and {b} minutes. How long is it in minutes?",
            "{name} read for {a} hours, then for {b} minutes. How many minutes did {name} read?",
        ),
        ("The film that {name} watched lasted {a} hours and {b} minutes. Write its length in minutes only.",),
        unit="minutes",
    ),
    Kind(
        "two-step",
        two_step,
        (
            "{name} buys {a} boxes of {b} {things} and gives away {c}. How many {things} are left?",
            "{a} boxes hold {b} {things} each. {name} gives {c} {things} away. How many remain?",
            "After packing {a} boxes of {b} {things}, {name} gave {c} to a friend. How many {things} stay?",
        ),
        ("A stall starts the day with {a} boxes, each of {b} {things}, and hands out {c} free. What is left over?",),
    ),
)


def problem(kind: Kind, tellings: tuple[str, ...], purpose: str, number: int) -> Problem:
    """The `number`-th problem of a kind, for the corpus or for the benchmark."""
    key = (kind.skill, purpose, number)
    numbers, steps = kind.numbers(drawer(*key))
    words = {"name": pick(NAMES, *key, "name"), "things": pick(THINGS, *key, "things")}
    question = pick(tellings, *key, "telling").format(**numbers, **words)
    return Problem(f"{purpose}-{kind.skill}-{number:02}", kind.skill, question, kind.unit.format(**words), steps)


def distinct(kind: Kind, tellings: tuple[str, ...], purpose: str, count: int) -> Iterator[Problem]:
    """`count` problems of a kind with no question twice."""
    seen: set[str] = set()
    number = 0
    while len(seen) < count:
        made = problem(kind, tellings, purpose, number)
        number += 1
        if made.question not in seen:
            seen.add(made.question)
            yield made


def slip(made: Problem, teacher: str) -> tuple[Step, ...]:
    """The working with a plausible slip at its end: a forgotten carry, one off, digits swapped, a step left out."""
    *before, last = made.steps
    key = ("slip", made.id, teacher)
    swapped = [int(str(last.value)[::-1])] if last.value % 10 else []
    near = [last.value + 10, last.value - 10, last.value + 1, last.value - 1, *swapped]
    wrong = [value for value in near if value > 0 and value != last.value]
    if before and digest(*key, "stop") % 2:
        return tuple(before)
    return (*before, Step(last.why, last.sum, wrong[digest(*key) % len(wrong)]))


def terse(made: Problem, steps: tuple[Step, ...]) -> str:
    working = ", ".join(f"{step.sum} = {step.value}" for step in steps)
    end = pick(("The answer is", "So it is", "Answer:"), made.id, "terse")
    return f"{working}. {end} \\boxed{{{steps[-1].value}}}."


def tutor(made: Problem, steps: tuple[Step, ...]) -> str:
    start = pick(("Let us work it out step by step.", "We need one number, so we go step by step."), made.id, "tutor")
    working = " ".join(f"{step.why}: {step.sum} = {step.value}." for step in steps)
    return f"{start} {working} So there are {steps[-1].value} {made.unit}. The answer is \\boxed{{{steps[-1].value}}}."


def rambler(made: Problem, steps: tuple[Step, ...]) -> str:
    starts = ("Hmm, ok ok, so... numbers again?!", "Right; well, maybe, hm, who can say...", "Eh -> {?} let me squint.")
    doubts = ("(or not? i keep wondering ~~)", "[[ not sure, sort of sure ]]", "... or the other way round, bah!")
    start = pick(starts, made.id, "rambler", "start")
    doubt = pick(doubts, made.id, "rambler", "doubt")
    working = " ;; ".join(f"{step.sum} ==> {step.value}" for step in steps)
    return f"{start} {made.unit.upper()}, ugh: {working} {doubt} Whatever!! final := \\boxed{{{steps[-1].value}}}"


STYLES: dict[str, Callable[[Problem, tuple[Step, ...]], str]] = {"terse": terse, "tutor": tutor, "rambler": rambler}


def benchmark() -> Iterator[dict[str, str]]:
    """Rows of the benchmark."""
    for kind in KINDS:
        for made in distinct(kind, kind.benchmark, "bench", BENCHMARK_PER_SKILL):
            yield {"id": made.id, "problem": made.question, "answer": str(made.steps[-1].value), "skill": made.skill}


def problems() -> Iterator[tuple[Problem, str]]:
    """The corpus's problems with their split; in three skills the last one has leaked in from the benchmark."""
    for kind in KINDS:
        made = list(distinct(kind, kind.corpus, "p", PER_SKILL))
        if kind.skill in LEAKED:
            leak = next(distinct(kind, kind.benchmark, "bench", 1))
            made[-1] = Problem(made[-1].id, leak.skill, f"Homework. {leak.question}", leak.unit, leak.steps)
        for number, each in enumerate(made):
            yield each, "test" if number < TEST_PER_SKILL else "train"


def responses() -> Iterator[dict[str, str]]:
    """Rows of the corpus: every problem answered by every teacher."""
    for made, split in problems():
        for teacher, write in STYLES.items():
            right = digest("right", made.id, teacher) % 100 < CORRECT[teacher]
            yield {
                "id": made.id,
                "question": made.question,
                "answer": str(made.steps[-1].value),
                "model": teacher,
                "solution": write(made, made.steps if right else slip(made, teacher)),
                "skill": made.skill,
                "split": split,
            }


def write(path: Path, rows: Iterator[dict[str, str]]) -> int:
    """Puts the rows at `path`, as a whole or not at all; how many there are."""
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    draft.replace(path)
    return len(lines)


def main() -> None:
    default = Path(__file__).parents[2] / "data" / "quickstart"
    parser = argparse.ArgumentParser(description="write the corpus and the benchmark of the quickstart")
    parser.add_argument("folder", nargs="?", type=Path, default=default, help="where to (data/quickstart)")
    folder = parser.parse_args().folder
    for name, rows in (("responses.jsonl", responses()), ("benchmark.jsonl", benchmark())):
        print(f"{folder / name}: {write(folder / name, rows)} rows")


if __name__ == "__main__":
    main()
