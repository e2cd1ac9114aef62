"""Holds a recipe against its lock before anything dear is done: what drifted is told thing by thing, each with its place, its rows and what it makes run again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.plan.drift import Drift, drift
from ..compiler.plan.drifted import effect, sentence
from ..compiler.plan.lock import Lock
from ..compiler.plan.stages import Decontaminate, Evaluate, Heldout, Plan, Profile, Scan, Score, Tag
from ..compiler.source import Span
from .contents import placed
from .context import Context
from .contradictions import place
from .pinned import Params, Pinned, pinned
from .pins import model_pins
from .rows import Rows
from .texts import FILE

SHOWN = 3
CODE = "MIX0534"


@dataclass(frozen=True, slots=True)
class Against:
    """The lock that is held against, the name of its file, and of the spec, as a user would type them. `variant`: whose lock in it counts."""

    lock: Lock
    name: str
    spec: str
    variant: str = ""


def refuse_drift(plan: Plan, against: Against, context: Context, params: Params = ()) -> None:
    """Fault MIX0534, a diagnostic of each thing that is not what the lock pins. Faults as those of `pinned`."""
    now = pinned(plan, context, params)
    found = drift(against.lock, now.lock)
    if found:
        places = _places(plan)
        raise Fault(*(_told(each, against, now, places, context) for each in found))


def _told(each: Drift, against: Against, now: Pinned, places: Mapping[tuple[str, str], Label], context: Context) -> Diagnostic:
    rows = now.rows.get((each.section, each.name))
    which = tuple(_which(each, rows, context)) if rows is not None and each.parted is not None else ()
    lock = f"`{against.name}`" + (f", in the variant `{against.variant}`," if against.variant else "")
    notes = (*which, effect(each))
    return Diagnostic(CODE, sentence(each, lock), places.get((each.section, each.name)), notes=notes, help=_help(each, against))


def _help(each: Drift, against: Against) -> str:
    accept = f"`mixc lock {against.spec}` pins it as it is now"
    if each.section == "versions":
        before = next((before for _, before, _ in each.fields), None)
        return f'`pip install "{each.name}=={before}"` brings the one of the lock back; {accept}' if before else accept
    if each.section == "models" and each.has("commit"):
        commit = next(before for name, before, _ in each.fields if name == "commit")
        return f'write `revision "{commit}"` to stay with the commit of the lock; {accept}' if commit else accept
    if each.section == "params":
        return f"set it as the lock has it with `--set`; {accept}"
    if each.section in ("stages", "mix", "seed", "order"):
        return f"`mixc diff` shows what changed in the spec; {accept}"
    return f"put it back as it was; {accept}"


def _which(each: Drift, rows: Rows, context: Context) -> Iterator[str]:
    """Where the rows are that came, by file and line; of those that went there is nothing left to name but their number."""
    assert each.parted is not None
    if not each.parted.came:
        return
    found = context.texts.placed(placed(rows, each.parted.came)) if FILE in rows.columns else placed(rows, each.parted.came)
    found = found.sort("file", "row") if "file" in found.columns else found
    shown = [_row(row) for row in found.head(SHOWN).iter_rows(named=True)]
    more = f" and {found.height - SHOWN:,} more" if found.height > SHOWN else ""
    yield f"{'changed' if each.parted.changed == len(each.parted.came) else 'new or changed'}: {'; '.join(shown)}{more}"


def _row(row: dict[str, Any]) -> str:
    of = f"prompt {str(row['prompt_id'])[:12]}, teacher {row['teacher_value']}"
    return f"{place(row)} ({of})" if "file" in row else of


def _places(plan: Plan) -> dict[tuple[str, str], Label]:
    """Where the spec names what a lock pins."""
    found: dict[tuple[str, str], Label] = {}

    def at(section: str, name: str, span: Span, text: str) -> None:
        found.setdefault((section, name), Label(span, text))

    for stage in plan.stages:
        at("stages", stage.id, stage.span, "another than in the lock")
        for name, span in model_pins(stage):
            at("models", name, span, "this model")
        match stage:
            case Scan():
                at("corpora", stage.corpus, stage.span, f"scans `{stage.path}`")
            case Heldout():
                at("heldout", stage.scan.corpus, stage.span, f"from `{stage.scan.path}`")
            case Score():
                at("scores", stage.name, stage.span, "scored by it")
            case Tag():
                at("skills", stage.taxonomy, stage.span, "these skills")
            case Profile():
                at("profiles", stage.model.student, stage.span, "this profile")
            case Decontaminate():
                for path in stage.against:
                    at("decontamination", path.rpartition("/")[2], stage.span, f"against `{path}`")
            case Evaluate():
                for each in stage.benchmarks:
                    at("benchmarks", each.name, each.span, f"from `{each.path}`")
            case _:
                pass
    return found
