"""A finished build as another trainer needs to hear of it: what it trains on, whom, and how. Reads the folder; writes nothing."""

import os
import re
import sys
from pathlib import Path

from ..compiler.backends.lesson import Lesson
from ..compiler.diagnostics import Diagnostic, Fault
from ..compiler.plan.serialize import Unreadable, from_data
from ..compiler.plan.stages import Evaluate, Model, Train
from .built import read_json, unreadable
from .engines.model_files import is_hub_id
from .variants import read_index

ROWS = "train.jsonl"


def lesson_of(build: Path, into: Path, trainer: str) -> Lesson:
    """What the build in a folder teaches, paths as they are seen from the folder `into`.

    Fault MIX0524 where there is no build, or one that stopped before it wrote its rows; MIX0501 where it cannot be read.
    """
    data, manifest = read_json(build, "plan.json"), read_json(build, "manifest.json")
    try:
        plan = from_data(data)
    except Unreadable as error:
        raise unreadable(build, str(error).splitlines()[0], "build it again with this version; scores that are in the store are not computed again") from None
    rows = build / ROWS
    if not rows.is_file():
        raise Fault(Diagnostic("MIX0524", f"`{build}` holds a build without rows to train on: it has no `{ROWS}`", help=f"run it to its end: `mixc build SPEC --out {build}`"))
    stage = next((each for each in plan.stages if isinstance(each, Train)), None)
    path, known = _model(stage.model, into) if stage else (None, True)
    name = lesson_name(build)
    with rows.open("rb") as lines:
        examples = sum(1 for line in lines if line.strip())
    return Lesson(
        name=name,
        rows=seen_from(rows, into),
        examples=examples,
        output=f"{name}-{trainer}",
        stage=stage,
        model=path,
        known=known,
        template=_template(stage.model, into) if stage else None,
        length=_length(stage, manifest) if stage else None,
        evaluates=any(isinstance(each, Evaluate) for each in plan.stages),
    )


def lesson_name(build: Path) -> str:
    """What the files of an export are called: the build's folder, a variant's behind that of its spec."""
    folder = build.resolve()
    parts = [folder.parent.name, folder.name] if read_index(folder.parent) else [folder.name]
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", "-".join(parts)).strip("-.") or "build"


def seen_from(path: Path, folder: Path) -> str:
    """A path relative to a folder."""
    # Links on the way stay as they are named; only of `folder` the way up has to be the real one.
    return Path(os.path.relpath(path.absolute(), folder.resolve())).as_posix()


def _model(model: Model, into: Path) -> tuple[str, bool]:
    """The student as a file in `into` names it, and whether that is known to be there."""
    for base in dict.fromkeys((Path(model.folder), Path())):
        path = base / Path(model.model).expanduser()
        if path.exists():
            return seen_from(path, into), True
    if is_hub_id(model.model):
        return model.model, "/" in model.model  # a bare name is more often a folder that is not here than an old model of the hub
    return seen_from(Path(model.folder) / model.model, into), False


def _template(model: Model, into: Path) -> str | None:
    return seen_from(Path(model.template), into) if model.template else None


def _length(stage: Train, manifest: dict[str, object]) -> int | None:
    """The most tokens of an example: those that the training says it kept to, else the clause's."""
    training = manifest.get("training")
    told = training.get("max_length") if isinstance(training, dict) else None
    return told if isinstance(told, int) and told < sys.maxsize else stage.max_length
