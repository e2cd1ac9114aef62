"""A benchmark's file, JSON lines or columns, as problems and answers. Knows fields, lines and limits; knows nothing of models."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.plan.stages import Benchmark
from . import records
from .identity import seeded_hash

USUAL = {"problem": ("problem", "prompt", "question"), "answer": ("answer", "reference"), "id": ("id",), "skill": ("skill", "skills"), "level": ("level",)}
"""What a field is called where the benchmark does not say."""
COLUMNS = (".parquet", ".pq", ".arrow", ".ipc", ".feather")
PACKED = (".gz", ".zst")


@dataclass(frozen=True, slots=True)
class Item:
    """One question. `id` is the file's, or `line N` where it has none. `skills` are names of skills or chains `A->B`."""

    id: str
    problem: str
    answer: str
    skills: tuple[str, ...] = ()
    level: str | None = None


def read_benchmark(benchmark: Benchmark, seed: int) -> list[Item]:
    """The items of the file in its order; with a limit, those with the smallest seeded hash of the id, else of the problem.

    Files are JSON lines (.gz, .zst too), or Parquet and Arrow by their suffix. MIX0511 where the file is missing, or a row has no problem or no answer.
    """
    place = "row" if benchmark.path.lower().endswith(COLUMNS) else "line"
    names = USUAL | {field: (name,) for field, name in benchmark.columns}
    items: list[Item] = []
    keys: list[str] = []
    seen: dict[str, int] = {}
    for number, record in _records(benchmark, names):
        here = f"{place} {number}"
        problem = _field(benchmark, record, here, names["problem"], "problem")
        answer = _field(benchmark, record, here, names["answer"], "answer")
        id = record.get(names["id"][0])
        key = problem if id is None else str(id)
        if id is not None and key in seen:
            raise _fault(
                benchmark, f"{here} of `{benchmark.path}` has the id of {place} {seen[key]}: `{key}`",
                "every id must stand once", f"give each {place} its own `{names['id'][0]}`, or none of them one",
            )  # fmt: skip
        seen[key] = number
        skills = _skills(benchmark, record, here, names["skill"])
        level = next((record[name] for name in names["level"] if record.get(name) not in (None, "")), None)
        items.append(Item(here if id is None else key, problem, answer, skills, None if level is None else str(level)))
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


def _records(benchmark: Benchmark, names: dict[str, tuple[str, ...]]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of the file with their numbers, blank lines left out. A field that `columns` names must be there in some row."""
    absent = dict(benchmark.columns)
    try:
        for number, record in _columns(benchmark.path, names) if benchmark.path.lower().endswith(COLUMNS) else _lines(benchmark):
            absent = {field: name for field, name in absent.items() if name not in record}
            yield number, record
    except records.Unreadable as error:
        raise _fault(benchmark, str(error), "read from here", error.help or "name a file with a problem a row") from error
    for field, name in absent.items():
        raise _fault(
            benchmark, f"no row of `{benchmark.path}` has a field `{name}`", f"the {field} is read from `{name}`",
            f"correct `{field}: {name}`, or leave it out",
        )  # fmt: skip


def _columns(path: str, names: dict[str, tuple[str, ...]]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of a file that has columns, with those of `names` that it has."""
    if not Path(path).exists() and not records.is_remote(path):
        raise records.Unreadable(f"the benchmark file `{path}` does not exist", "correct the path, which is relative to the spec that names it")
    known = records.column_names(path)
    present = list(dict.fromkeys(name for each in names.values() for name in each if name in known))
    for row in records.collect(records.scan(path, present), path).iter_rows(named=True):
        yield row.pop("row"), row


def _lines(benchmark: Benchmark) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of JSON lines."""
    if benchmark.path.endswith(PACKED):
        yield from records.records(benchmark.path)
        return
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


def _field(benchmark: Benchmark, record: dict[str, Any], here: str, names: tuple[str, ...], what: str) -> str:
    """The first of the named fields that the row has, as text."""
    name = next((name for name in names if record.get(name) is not None), None)
    wanted = ", else ".join(f"`{name}`" for name in names)
    if name is None:
        raise _fault(
            benchmark, f"{here} of `{benchmark.path}` has no {what}", f"the {what} is read from {wanted}",
            f"give {here} a field `{names[0]}`; it has {_listed(record)}",
        )  # fmt: skip
    value = record[name]
    text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not text.strip():
        raise _fault(
            benchmark, f"the field `{name}` on {here} of `{benchmark.path}` is not a text",
            f"the {what} is read from {wanted}", f"write `{name}` of {here} as a text that is not empty",
        )  # fmt: skip
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _fault(
            benchmark, f"the field `{name}` on {here} of `{benchmark.path}` holds half a character",
            f"the {what} is read from here", f"mend the `\\u` escape on {here} of the file",
        ) from None  # fmt: skip
    return text


def _skills(benchmark: Benchmark, record: dict[str, Any], here: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """The skills of a row: one text, or a list of texts."""
    value = next((record[name] for name in names if record.get(name) is not None), ())
    listed = (value,) if isinstance(value, str) else value
    if not isinstance(listed, list | tuple) or not all(isinstance(each, str) for each in listed):
        raise _fault(
            benchmark, f"the skills on {here} of `{benchmark.path}` are neither a text nor a list of texts", "results are told by skill",
            'write them as "Algebra", or as ["Algebra", "Geometry"]',
        )  # fmt: skip
    return tuple(dict.fromkeys(each for each in listed if each))


def _listed(record: dict[str, Any]) -> str:
    return ", ".join(f"`{name}`" for name in list(record)[:8]) or "no field at all"


def _fault(benchmark: Benchmark, message: str, label: str, help: str) -> Fault:
    return Fault(Diagnostic("MIX0511", message, Label(benchmark.span, label), help=help))
