"""A finished build as files that another trainer reads. All of them are worked out and held against what is there before any is written."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..compiler.backends.axolotl import axolotl
from ..compiler.backends.lesson import Exported, Lesson
from ..compiler.backends.llama_factory import dataset_entry, llama_factory
from ..compiler.backends.trl_config import trl_config
from ..compiler.backends.yaml_text import yaml_text
from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.source import Span
from .files import write_atomic
from .lesson_of import ROWS, lesson_name, lesson_of

TRAINERS: dict[str, Callable[[Lesson], Exported]] = {"axolotl": axolotl, "llama-factory": llama_factory, "trl": trl_config}
COMMANDS = {"axolotl": "axolotl train {file}", "llama-factory": "llamafactory-cli train {file}", "trl": "trl sft --config {file}"}
REGISTER = "dataset_info.json"
"""What LLaMA-Factory calls its list of datasets, whatever the folder."""


@dataclass(frozen=True, slots=True)
class Written:
    """`files` in the order in which they were written, the configuration last; `folder` is where `command` is to be run; `notes`: what they cannot say."""

    trainer: str
    name: str
    examples: int
    folder: Path
    files: tuple[Path, ...]
    command: str
    notes: tuple[str, ...]


def export(trainer: str, build: Path, out: Path, *, force: bool = False) -> Written:
    """Write the files of one of TRAINERS into the folder `out`, or at it where it ends in `.yaml`; a dataset list that is there keeps its other entries.

    Fault MIX0543 where another file is in the way and not `force`, MIX0524 and MIX0501 of the build, MIX0508 where the system refuses.
    """
    named = out.suffix in (".yaml", ".yml", ".json") and not out.is_dir()
    folder = out.parent if named else out
    file = out if named and out.suffix != ".json" else folder / f"{lesson_name(build)}.{trainer}.yaml"
    lesson = lesson_of(build, folder, trainer)
    made: dict[Path, bytes] = {}
    if trainer == "llama-factory":
        made[folder / REGISTER] = _registered(folder / REGISTER, lesson, force=force)
    if trainer == "trl":
        rows = folder / f"{lesson.name}.trl.jsonl"
        made[rows] = _completions(build / ROWS)
        lesson = replace(lesson, rows=rows.name)
    exported = TRAINERS[trainer](lesson)
    command = COMMANDS[trainer].format(file=file.name)
    made[file] = yaml_text(_head(lesson, exported, command), exported.settings).encode()
    for path, data in made.items():
        if path.name != REGISTER and not force:
            _refuse_other(path, data)
    for path, data in made.items():
        write_atomic(path, data)
    return Written(trainer, lesson.name, lesson.examples, folder, tuple(made), command, exported.notes)



def _head(lesson: Lesson, exported: Exported, command: str) -> list[str]:
    head = [f"{lesson.name}: {lesson.examples:,} examples that mixc selected. Paths are relative to the folder of this file; run there:", f"  {command}"]
    return [*head, "", "What this file does not say as the recipe does:", *(f"* {note}" for note in exported.notes)] if exported.notes else head


def _completions(rows: Path) -> bytes:
    """The build's rows in TRL's prompt-completion form: the last message is the completion."""
    made = []
    with rows.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            *prompt, completion = row["messages"]
            made.append(json.dumps({"prompt": prompt, "completion": [completion], "row_id": row["row_id"]}, ensure_ascii=False))
    return "".join(f"{line}\n" for line in made).encode()


def _registered(path: Path, lesson: Lesson, *, force: bool) -> bytes:
    """The dataset list with our entry: what else is in it stays, in its order."""
    entry = dataset_entry(lesson)
    there: dict[str, Any] = {}
    if path.exists():
        try:
            read = json.loads(path.read_text(encoding="utf-8-sig"))
        except ValueError as error:
            raise _in_the_way(path, f"`{path}` is no JSON that an entry could be added to: {str(error).splitlines()[0]}", "mend it, or choose another folder with `--out`") from None
        if not isinstance(read, dict):
            raise _in_the_way(path, f"`{path}` is no JSON object of datasets", "choose another folder with `--out`")
        there = read
        if there.get(lesson.name, entry) != entry and not force:
            raise _in_the_way(path, f"`{path}` describes another dataset `{lesson.name}`", "replace that with `--force`, or choose another folder with `--out`")
    return json.dumps({**there, lesson.name: entry}, indent=2, ensure_ascii=False).encode() + b"\n"


def _refuse_other(path: Path, data: bytes) -> None:
    if path.is_dir() or (path.exists() and path.read_bytes() != data):
        raise _in_the_way(path, f"`{path}` is there already, with something else in it", "overwrite it with `--force`, or choose another place with `--out`")


def _in_the_way(path: Path, message: str, help: str) -> Fault:
    return Fault(Diagnostic("MIX0543", message, Label(Span(str(path), 0, 0)), help=help))
