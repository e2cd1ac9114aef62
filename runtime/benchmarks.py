"""A benchmark's JSONL file as problems and answers. Knows fields, lines and limits; knows nothing of models."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.plan.stages import Benchmark
from .identity import seeded_hash

PROBLEM = ("problem", "prompt", "question")
ANSWER = ("answer", "reference")


@dataclass(frozen=True, slots=True)
class Item:
    """One question. `id` is the file's, or `line N` where it has none."""

    id: str
    problem: str
    answer: str


def read_benchmark(benchmark: Benchmark, seed: int) -> list[Item]:
    """The items of the file in its order; with a limit, those with the smallest seeded hash of the id, else of the problem.

    MIX0511 where the file is missing, or a line is not an object with a problem and an answer.
    """
    items: list[Item] = []
    keys: list[str] = []
    seen: dict[str, int] = {}
    for number, record in _records(benchmark):
        problem = _field(benchmark, record, number, PROBLEM, "problem")
        answer = _field(benchmark, record, number, ANSWER, "answer")
        id = record.get("id")
        key = problem if id is None else str(id)
        if id is not None and key in seen:
            raise _fault(
                benchmark, f"line {number} of `{benchmark.path}` has the id of line {seen[key]}: `{key}`",
                "every id must stand once", "give each line its own `id`, or none of them an `id`",
            )  # fmt: skip
        seen[key] = number
        items.append(Item(f"line {number}" if id is None else key, problem, answer))
        keys.append(key)
    if not items:
        raise _fault(
            benchmark, f"`{benchmark.path}` holds no problem", "the file is empty",
            "name a JSONL file with a problem a line",
        )  # fmt: skip
    if benchmark.limit is None or benchmark.limit >= len(items):
        return items
    hashes = seeded_hash(seed, keys)
    chosen = sorted(range(len(items)), key=lambda i: (int(hashes[i]), keys[i], i))[: benchmark.limit]
    return [items[i] for i in sorted(chosen)]


def _records(benchmark: Benchmark) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of the file with their line numbers, blank lines left out."""
    path, number = Path(benchmark.path), 0
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
                if not text:
                    continue
                record = json.loads(text)
                if not isinstance(record, dict):
                    raise _fault(
                        benchmark, f"line {number} of `{benchmark.path}` is not a JSON object", "a problem a line",
                        'write each line as {"problem": "…", "answer": "…"}',
                    )  # fmt: skip
                yield number, record
    except OSError as error:
        reason = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
        raise _fault(
            benchmark, f"the benchmark file `{benchmark.path}` {reason}", "read from here",
            "correct the path, which is relative to the spec that names it",
        ) from error  # fmt: skip
    except (ValueError, RecursionError) as error:
        what = error.msg if isinstance(error, json.JSONDecodeError) else "not UTF-8" if isinstance(error, UnicodeDecodeError) else "it is nested too deep, or a number is too long"
        raise _fault(
            benchmark, f"line {number} of `{benchmark.path}` is not JSON: {what}", "a JSON object a line",
            f"mend line {number} of the file",
        ) from error  # fmt: skip


def _field(benchmark: Benchmark, record: dict[str, Any], number: int, names: tuple[str, ...], what: str) -> str:
    """The first of the named fields that the line has, as text."""
    name = next((name for name in names if record.get(name) is not None), None)
    wanted = ", else ".join(f"`{name}`" for name in names)
    if name is None:
        raise _fault(
            benchmark, f"line {number} of `{benchmark.path}` has no {what}", f"the {what} is read from {wanted}",
            f"give line {number} a field `{names[0]}`; it has {_listed(record)}",
        )  # fmt: skip
    value = record[name]
    text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not text.strip():
        raise _fault(
            benchmark, f"the field `{name}` on line {number} of `{benchmark.path}` is not a text",
            f"the {what} is read from {wanted}", f"write `{name}` of line {number} as a text that is not empty",
        )  # fmt: skip
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _fault(
            benchmark, f"the field `{name}` on line {number} of `{benchmark.path}` holds half a character",
            f"the {what} is read from here", f"mend the `\\u` escape on line {number} of the file",
        ) from None  # fmt: skip
    return text


def _listed(record: dict[str, Any]) -> str:
    return ", ".join(f"`{name}`" for name in list(record)[:8]) or "no field at all"


def _fault(benchmark: Benchmark, message: str, label: str, help: str) -> Fault:
    return Fault(Diagnostic("MIX0511", message, Label(benchmark.span, label), help=help))
