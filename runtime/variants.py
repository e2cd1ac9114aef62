"""The variants of a spec, each built into its own folder under one: what became of each, and which need not be built again.

`variants.json` in that folder is the record. A variant is built again unless its plan, the files it reads and the versions are as they were.
"""

import glob
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import __version__
from ..compiler.diagnostics import Diagnostic, Fault
from ..compiler.paths import beside, is_remote
from ..compiler.plan.digest import digest
from ..compiler.plan.stages import Decontaminate, Evaluate, Heldout, Model, Plan, Profile, Scan, Score, Train
from ..compiler.plan.variants import Variant
from .confounded import confounded
from .context import Context
from .doubtful import doubtful
from .execute import build
from .files import write_atomic
from .manifest import versions
from .spec_texts import SpecTexts
from .variant_index import INDEX, read_index

BUILT, KEPT, INFEASIBLE, FAILED, WAITING = "built", "kept", "infeasible", "failed", "waiting"


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of one variant. `objective` and `selected` are None where it was not selected; `ran` says in words what was computed."""

    variant: Variant
    out: Path
    status: str
    selected: int | None = None
    objective: float | None = None
    seconds: float = 0.0
    scores: dict[str, dict[str, int]] = field(default_factory=dict)
    faults: tuple[Diagnostic, ...] = ()
    stamps: dict[str, list[int]] | None = None
    lints: tuple[Diagnostic, ...] = ()

    @property
    def ran(self) -> str:
        if self.status != BUILT:
            return {KEPT: "kept as it was built", WAITING: "not begun"}.get(self.status, self.status)
        stored = {n: c for n, c in self.scores.items() if c["computed"] or c["reused"]}
        if not stored:
            return "selection alone"
        computed, reused = (sum(c[what] for c in stored.values()) for what in ("computed", "reused"))
        return f"{computed:,} scored, {reused:,} from the store"


def refuse_plain(root: Path) -> None:
    """Fault MIX0512 where a build of one recipe stands in the folder that is to hold the variants."""
    if (root / "manifest.json").is_file():
        message = f"`{root}` holds a build of one recipe, and this spec has variants: each gets a folder of its own there"
        raise Fault(Diagnostic("MIX0512", message, help="choose another folder with `--out`, or move that build away"))


def build_variant(
    variant: Variant, root: Path, context: Context, until: str | None, before: dict[str, Any] | None, texts: SpecTexts | None = None
) -> Ended:
    """Build one variant, compiled from `texts`, into its folder, or keep the one that is there. `before`: its entry in an earlier `variants.json`.
    A Fault ends this variant alone."""
    out = root / variant.name
    stamps = _stamps(variant.plan)
    if before is not None and _as_before(variant, out, before, until, stamps):
        return Ended(variant, out, KEPT, before.get("selected"), before.get("objective"), stamps=stamps)
    began = time.monotonic()
    try:
        result = build(variant.plan, out, context, until, texts, variant.params)
    except Fault as fault:
        infeasible = any(d.code == "MIX0401" for d in fault.diagnostics)
        status = INFEASIBLE if infeasible else FAILED
        return Ended(variant, out, status, seconds=time.monotonic() - began, faults=fault.diagnostics)
    solution = result.walk.solution
    return Ended(
        variant,
        out,
        BUILT,
        None if result.chosen is None else result.chosen.height,
        None if solution is None else solution.objective,
        time.monotonic() - began,
        {name: {"computed": computed, "reused": reused} for name, (computed, reused) in result.walk.scored.items()},
        stamps=stamps,
        lints=(*confounded(variant.plan, result.audits), *doubtful(variant.plan, result.walk)),
    )


def up_to_date(variants: Sequence[Variant], root: Path, until: str | None) -> frozenset[str]:
    """The names of those that a build into `root` would keep as they are."""
    index = read_index(root)
    done = (v for v in variants if v.name in index and _as_before(v, root / v.name, index[v.name], until, _stamps(v.plan)))
    return frozenset(v.name for v in done)


def write_index(root: Path, ended: list[Ended], waiting: list[Variant], until: str | None) -> None:
    """`variants.json` as it stands: the variants in their order, what became of each, what each was made from."""
    entries = [*ended, *(Ended(v, root / v.name, WAITING) for v in waiting)]
    name = entries[0].variant.plan.name
    data = {"name": name, "variants": [_entry(e, until) for e in entries]}
    write_atomic(root / INDEX, json.dumps(data, indent=2, ensure_ascii=False).encode() + b"\n")


def _entry(ended: Ended, until: str | None) -> dict[str, Any]:
    return {
        "name": ended.variant.name,
        "title": ended.variant.title,
        "folder": ended.out.name,
        "status": BUILT if ended.status == KEPT else ended.status,
        "until": until,
        "selected": ended.selected,
        "objective": ended.objective,
        "plan": digest(ended.variant.plan),
        "made_with": _made_with(),
        "files": ended.stamps,
        "errors": [f"{d.code}: {d.message}" for d in ended.faults],
    }


def _as_before(variant: Variant, out: Path, before: dict[str, Any], until: str | None, stamps: dict[str, list[int]] | None) -> bool:
    wanted = {"status": BUILT, "until": until, "plan": digest(variant.plan), "made_with": _made_with(), "files": stamps}
    if stamps is None or any(before.get(name) != value for name, value in wanted.items()):
        return False
    try:
        return json.loads((out / "manifest.json").read_text(encoding="utf-8"))["plan"] == wanted["plan"]
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _made_with() -> dict[str, str]:
    return {"mixc": __version__, **versions()}


def _stamps(plan: Plan) -> dict[str, list[int]] | None:
    """Size and time of change of every file the plan reads, by path; None where one lies elsewhere and cannot be looked at."""
    patterns: list[str] = []
    for stage in plan.stages:
        match stage:
            case Scan(path=path) | Heldout(scan=Scan(path=path)):
                patterns.append(path)
            case Decontaminate(against=against):
                patterns += against
            case Profile(file=str(path)):
                patterns.append(path)
            case Evaluate(benchmarks=benchmarks):
                patterns += [b.path for b in benchmarks]
            case _:
                pass
        if isinstance(stage, (Score, Train, Evaluate, Profile)) and stage.model is not None:
            patterns += _model_files(stage.model)
    if any(map(is_remote, patterns)):
        return None
    return {str(p): [p.stat().st_size, p.stat().st_mtime_ns] for pattern in sorted(set(patterns)) for p in _found(pattern)}


def _model_files(model: Model) -> list[str]:
    # A hub id is no path; its files are pinned by their digests, which are part of every score's fingerprint.
    local = beside(model.model, f"{model.folder}/spec") if model.folder else model.model
    return [path for path in (local, model.template) if path and Path(path).exists()]


def _found(pattern: str) -> list[Path]:
    path = Path(pattern)
    if path.is_dir():
        return sorted(p for p in path.rglob("*") if p.is_file())
    return [path] if path.is_file() else sorted(Path(p) for p in glob.glob(pattern, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
