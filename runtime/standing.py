"""What a build folder has of a plan: which of its stages are up to date, which would run, and which change makes them. Reads the folder, writes nothing."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .. import __version__
from ..compiler.plan.digest import own
from ..compiler.plan.serialize import Unreadable, from_data
from ..compiler.plan.stages import Evaluate, Materialise, Plan, Scan, Select, Stage, Train

FILES: tuple[tuple[type, str], ...] = (
    (Select, "selected.parquet"), (Materialise, "train.jsonl"), (Train, "model"), (Evaluate, "eval.json"),
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

    @property
    def causes(self) -> list[str]:
        """The different reasons, in the order of the stages."""
        return list(dict.fromkeys(why for why in self.why.values() if why))


def standing(plan: Plan, stages: Sequence[Stage], out: Path, inputs: Sequence[dict[str, object]]) -> Standing:
    """How the build in `out` stands to `stages` of the plan; `inputs` are the corpora as they are now, like those in a manifest."""
    try:
        manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
        old = from_data(json.loads((out / "plan.json").read_text(encoding="utf-8")))
        finished, version = set(manifest["finished"]), manifest["mixc"]
        known = {entry["corpus"]: (entry["rows"], entry["digest"], entry.get("content")) for entry in manifest["inputs"]}
    except FileNotFoundError:
        return Standing(out, False, {s.id: "nothing is built yet" for s in stages})
    except (OSError, ValueError, KeyError, TypeError, Unreadable):
        return Standing(out, True, {s.id: "the build was written by another version" for s in stages})
    if version != __version__:
        return Standing(out, True, {s.id: f"the build was written by mixc {version}" for s in stages})
    now = {entry["corpus"]: (entry["rows"], entry["digest"], entry.get("content")) for entry in inputs}
    before = {stage.id: stage for stage in old.stages}
    why: dict[str, str | None] = {}
    for stage in stages:
        inherited = next((why[i] for i in stage.inputs if why.get(i)), None)
        why[stage.id] = inherited or _reason(stage, before.get(stage.id), finished, known != now and _changed(stage, known, now), out)
    return Standing(out, True, why)


def _changed(stage: Stage, known: dict, now: dict) -> bool:
    return isinstance(stage, Scan) and stage.corpus in now and known.get(stage.corpus) != now[stage.corpus]


def _reason(stage: Stage, before: Stage | None, finished: set[str], other_rows: bool, out: Path) -> str | None:
    """What makes this very stage run, its inputs aside."""
    if before is None:
        return f"`{stage.id}` is new"
    if own(before) != own(stage):
        return f"`{stage.id}` is another"
    if before.inputs != stage.inputs:
        return f"`{stage.id}` has other inputs"
    if stage.id not in finished:
        return f"`{stage.id}` was not run"
    if other_rows:
        return f"the rows of `{stage.id}` are others"
    missing = next((name for kind, name in FILES if isinstance(stage, kind) and not (out / name).exists()), None)
    return f"`{out / missing}` is missing" if missing else None
