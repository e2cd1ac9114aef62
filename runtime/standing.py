"""What a build folder has of a plan: which of its stages are up to date, which would run, and which change makes them. Reads the folder, writes nothing."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .. import __version__
from ..compiler.plan.digest import own
from ..compiler.plan.serialize import Unreadable, from_data
from ..compiler.plan.stages import Evaluate, Heldout, Materialise, Model, Profile, Scan, Select, Stage, Tag, Teachers, Train
from .embeddings import embedding_files
from .engines.students import Students
from .generate import model_of
from .models import run_here
from .outside import digests, files_of

FILES: tuple[tuple[type, str], ...] = (
    (Profile, "profile.json"), (Select, "selected.parquet"), (Materialise, "train.jsonl"), (Train, "model"), (Evaluate, "eval.json"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Standing:
    """`why`: for each stage id what makes it run, or None where the build has it as the plan wants it."""

    out: Path
    built: bool
    why: dict[str, str | None] = field(default_factory=dict)

    @property
    def up_to_date(self) -> bool:
        """Whether a run would change nothing."""
        return not any(self.why.values())

    def needs(self, stage: str) -> bool:
        """Whether a run would do the stage anew."""
        return self.why.get(stage) is not None

    @property
    def causes(self) -> list[str]:
        """The different reasons, in the order of the stages."""
        return list(dict.fromkeys(why for why in self.why.values() if why))


def standing(stages: Sequence[Stage], out: Path, inputs: Sequence[dict[str, object]], students: Students) -> Standing:
    """How the build in `out` stands to `stages` of a plan; `inputs` are the corpora as they are now, like those in a manifest."""
    try:
        manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
        old = from_data(json.loads((out / "plan.json").read_text(encoding="utf-8")))
        finished, version = set(manifest["finished"]), manifest["mixc"]
        known = {_corpus(entry): _content(entry) for entry in manifest["inputs"]}
        files, models = dict(manifest["files"]), dict(manifest["models"])
    except FileNotFoundError:
        return Standing(out, False, {s.id: "nothing is built yet" for s in stages})
    except (OSError, ValueError, KeyError, TypeError, Unreadable):
        return Standing(out, True, {s.id: "the build was written by another version" for s in stages})
    if version != __version__:
        return Standing(out, True, {s.id: f"the build was written by mixc {version}" for s in stages})
    now = {_corpus(entry): _content(entry) for entry in inputs}
    before = {stage.id: stage for stage in old.stages}
    here = digests(stages)
    why: dict[str, str | None] = {}
    for stage in stages:
        inherited = next((why[i] for i in stage.inputs if why.get(i)), None)
        own_reason = _reason(stage, before.get(stage.id), finished)
        why[stage.id] = inherited or own_reason or _outside(stage, known, now, files, here) or _student(stage, models, students) or _gone(stage, out)
    return Standing(out, True, why)


def _corpus(entry: dict) -> tuple[str, bool]:
    """Which corpus an entry is of, and whether of the rows that are set aside."""
    return entry["corpus"], bool(entry.get("heldout"))


def _content(entry: dict) -> tuple:
    return entry["rows"], entry["digest"], entry.get("content")


def _outside(stage: Stage, known: dict, now: dict, files: dict, here: dict) -> str | None:
    """The rows or files that the stage reads and that are no longer those of the build."""
    read = (stage.corpus, False) if isinstance(stage, Scan) else (stage.scan.corpus, True) if isinstance(stage, Heldout) else None
    if read in now and known.get(read) != now[read] and (read in known or isinstance(stage, Scan)):
        return f"the rows of `{stage.id}` are others"
    changed = next((path for path in files_of(stage) if files.get(path) != here[path]), None)
    return f"`{changed}` has changed" if changed else None


def _student(stage: Stage, models: dict, students: Students) -> str | None:
    """A model whose files are no longer those of the build; one that is not here cannot have changed here."""
    if isinstance(stage, Tag) and stage.nearest is not None:
        found, name = embedding_files(stage.nearest.model, students), stage.nearest.model.model
        return None if found is None or models.get(stage.id, {}).get("weights") == found.digest else f"the files of `{name}` have changed"
    if isinstance(stage, Teachers):
        writers = (each for each in stage.generated if each.endpoint is None)
        changed = next((each.name for each in writers if not _same(model_of(each), models.get(f"teacher {each.name}", {}), students)), None)
        return f"the files of teacher `{changed}` have changed" if changed else None
    model = run_here(stage)
    if model is None or _same(model, models.get(model.student, {}), students):
        return None
    return f"the files of {'' if isinstance(stage, Tag) else 'student '}`{model.student}` have changed"


def _same(model: Model, known: dict, students: Students) -> bool:
    return not students.is_here(model) or all(known.get(name) == value for name, value in students.files(model).digests.items())


def _gone(stage: Stage, out: Path) -> str | None:
    missing = next((name for kind, name in FILES if isinstance(stage, kind) and not (out / name).exists()), None)
    return f"`{out / missing}` is missing" if missing else None


def _reason(stage: Stage, before: Stage | None, finished: set[str]) -> str | None:
    """What makes this very stage run, its inputs and what lies outside aside."""
    if before is None:
        return f"`{stage.id}` is new"
    if own(before) != own(stage):
        return f"`{stage.id}` is another"
    if before.inputs != stage.inputs:
        return f"`{stage.id}` has other inputs"
    if stage.id not in finished:
        return f"`{stage.id}` was not run"
    return None
