"""Plans made from one spec: its variants and its tests, and what of a variant's plan is other than in the recipe's own. Data, and one comparison."""

from collections.abc import Container, Iterable
from dataclasses import dataclass, replace
from typing import Any

from ..expectations import Expectation, ExpectedError
from ..source import Span
from .digest import fingerprints, own
from .stages import Plan, Scan, Score


@dataclass(frozen=True, slots=True)
class Variant:
    """`name` is its folder's: `window=4`, `without-1`, `full`. `title` is for people; `params` as a spec would write them."""

    name: str
    title: str
    plan: Plan
    params: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """A test: the recipe's plan over the fixture `given`, and what should come out. `several`: the spec has more than one corpus."""

    name: str
    given: str
    plan: Plan
    expectations: tuple[Expectation, ...]
    error: ExpectedError | None
    span: Span
    several: bool = False


def differing(plan: Plan, base: Plan) -> tuple[str, ...]:
    """Ids of the stages that do something else than in `base`, or are not there, in the order of the plan; what flows in from other stages does not count."""
    known = {stage.id: own(stage) for stage in base.stages}
    return tuple(stage.id for stage in plan.stages if known.get(stage.id) != own(stage))


def lacking(plan: Plan, base: Plan) -> tuple[str, ...]:
    """Ids of the stages of `base` that the plan does not have."""
    here = {stage.id for stage in plan.stages}
    return tuple(stage.id for stage in base.stages if stage.id not in here)


def variants_data(variants: tuple[Variant, ...], base: Plan, built: Container[str] = ()) -> list[dict[str, Any]]:
    """The variants as `mixc plan --format json` lists them; `built` names those that are up to date."""
    return [
        {
            "name": v.name,
            "title": v.title,
            "differs": list(differing(v.plan, base)),
            "lacks": list(lacking(v.plan, base)),
            "up_to_date": v.name in built,
            "fingerprints": dict(v.plan.fingerprints),
        }
        for v in variants
    ]


def variants_text(variants: tuple[Variant, ...], base: Plan, built: Container[str] = ()) -> list[str]:
    """A line a variant: which stages differ from the plan above, which scores it needs anew, whether it is up to date."""
    width = max((len(v.name) for v in variants), default=0)
    return [f"  {v.name:<{width}}   {_words(v.plan, base)}{'; up to date' if v.name in built else ''}" for v in variants]


def reading(plan: Plan, columns: Iterable[str]) -> Plan:
    """The plan with its scans reading these corpus columns too."""
    more = frozenset(columns)
    if not more:
        return plan
    stages = tuple(replace(s, columns=tuple(sorted(more.union(s.columns)))) if isinstance(s, Scan) else s for s in plan.stages)
    return replace(plan, stages=stages, fingerprints=fingerprints(stages))


def _words(plan: Plan, base: Plan) -> str:
    other, gone = differing(plan, base), lacking(plan, base)
    if not other and not gone:
        return "the plan above"
    costing = [s for s in plan.stages if isinstance(s, Score) and s.scorer != "column"]
    known = {_asks(s) for s in base.stages if isinstance(s, Score)}
    own = [s.name for s in costing if _asks(s) not in known]
    shared = "" if not costing else f"; scores {', '.join(own)} anew" if own else "; all scores shared"
    said = [f"differs in {', '.join(other)}"] if other else []
    said += [f"has no {', '.join(gone)}"] if gone else []
    return f"{', '.join(said)}{shared}"


def _asks(stage: Score) -> tuple[object, ...]:
    """What a stored score depends on besides the row."""
    return stage.scorer, stage.version, stage.arguments, _model(stage), stage.reads


def _model(stage: Score) -> tuple[object, ...] | None:
    m = stage.model
    return None if m is None else (m.model, m.folder, m.revision, m.dtype, m.template)
