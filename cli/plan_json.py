"""A plan and what is known of it as data. The fields beside the plan's own are those of `compiler/plan/report.json`."""

import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from ..compiler.plan.serialize import to_data
from ..compiler.plan.stages import Plan, Stage
from ..compiler.plan.units import objective_unit
from ..runtime.composition import Composition, Share
from ..runtime.costs import Cost
from ..runtime.figure import Figure
from ..runtime.manifest import clause_data
from ..runtime.preview import Known, Preview
from ..runtime.standing import Standing


def plan_data(plan: Plan, stages: Sequence[Stage], seen: Preview, stands: Standing, diagnostics: list[Any]) -> dict[str, Any]:
    """All of it; every number that could be an estimate is `{"value", "exact"}`."""
    return to_data(plan) | {
        "stages_run": [s.id for s in stages],
        "known": {id: _known(known) for id, known in seen.known.items()},
        "missing": seen.missing,
        "costs": [_cost(c) | {"due": stands.needs(c.stage)} for c in seen.costs],
        "cached": {
            "out": str(stands.out),
            "built": stands.built,
            "up_to_date": stands.up_to_date,
            "stages": {id: {"up_to_date": why is None, "why": why} for id, why in stands.why.items()},
        },
        "feasible": seen.feasible,
        "unmeasured": seen.unmeasured,
        "solver": seen.solver and {"name": seen.solver, **({"method": s.method, "gap": s.gap} if (s := seen.walk.solution) else {"method": None, "gap": None})},
        "licences": {corpus: found.to_data() for corpus, found in seen.walk.licences.items()},
        "audit": [each.to_data() for each in seen.audits],
        "churn": seen.churn and seen.churn.to_data(),
        "composition": None if seen.composition is None else _composition(seen.composition, objective_unit(plan)),
        "tokenised": seen.tokenised and seen.tokenised.to_dict(),
        "diagnostics": diagnostics,
    }


def plan_json(data: dict[str, Any]) -> str:
    """The data as JSON text."""
    return json.dumps(data, indent=2, ensure_ascii=False)


def _number(figure: Figure | None) -> dict[str, object] | None:
    return None if figure is None else figure.to_data()


def _known(known: Known) -> dict[str, Any]:
    numbers = {name: _number(getattr(known, name)) for name in ("before", "rows", "tokens", "cached", "missing")}
    return numbers | {"says": known.says, "steps": [{"clause": text, "rows": _number(rows)} for text, rows in known.steps]}


def _cost(cost: Cost) -> dict[str, Any]:
    data = {f.name: getattr(cost, f.name) for f in fields(cost)} | {"seconds": cost.seconds}
    return {name: _number(value) if isinstance(value, Figure) else value for name, value in data.items()}


def _composition(found: Composition, unit: str | None) -> dict[str, Any]:
    return {
        "of": found.of, "rows": _number(found.rows), "tokens": _number(found.tokens),
        **{name: [_share(s) for s in getattr(found, name)] for name in ("teachers", "skills", "licences", "quotas")},
        "unit": unit, "clauses": [clause_data(o) for o in found.outcomes],
    }  # fmt: skip


def _share(share: Share) -> dict[str, Any]:
    data = {"name": share.name, "rows": _number(share.rows), "tokens": _number(share.tokens)}
    return data if share.clause is None else data | {"clause": share.clause, "binding": share.binding}
