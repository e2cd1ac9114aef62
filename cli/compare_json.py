"""A comparison of builds as JSON: all of it. It counts nothing."""

import json
from typing import Any

from ..runtime.compare import Compared, Trained
from ..runtime.results import Result

VERSION = 1


def compare_json(found: Compared) -> str:
    """The comparison as text; what is not known is null."""
    return json.dumps(compare_data(found), indent=2, ensure_ascii=False)


def compare_data(found: Compared) -> dict[str, Any]:
    """The comparison as plain data."""
    return {
        "mixc_compare": VERSION,
        "reference": found.reference,
        "builds": [
            {"name": each.name, "folder": str(each.folder), "recipe": each.manifest.get("name"), "seed": each.plan.seed,
             "plan": each.manifest.get("plan"), "lacks": list(found.lacks[each.name])}
            for each in found.builds
        ],
        "cautions": [{"about": each.about, "build": each.builds[0], "says": each.says} for each in found.cautions],
        "changes": {
            build: [
                {"class": c.work.value, "kind": c.kind, "block": c.block, "before": c.before and c.before.text, "after": c.after and c.after.text}
                for c in changes
            ]
            for build, changes in found.changes.items()
        },
        "selections": [
            {"name": each.name, "rows": each.rows, "prompts": each.prompts, "tokens": each.tokens, "teachers": dict(each.teachers),
             "tokens_by_teacher": None if each.by_teacher is None else dict(each.by_teacher), "skills": dict(each.skills)}
            for each in found.selections
        ],
        "overlaps": [each.to_data() for each in found.overlaps],
        "trainings": [_training(each) for each in found.trainings],
        "comparisons": found.comparisons,
        "results": [_result(each) for each in found.results],
        "costs": [
            {"build": each.build, "seconds": {kind: round(s, 3) for kind, s in each.seconds.items()}, "all": round(each.all, 3),
             "in_models": round(each.reading, 3), "tokens": each.tokens, "engines": list(each.devices)}
            for each in found.costs
        ],
    }  # fmt: skip


def _training(each: Trained) -> dict[str, Any]:
    runs = [course.to_data() for course in each.courses]
    return {"name": each.label, "build": each.build, "recipe": each.recipe, "examples": each.examples, "trained_tokens": each.trained, "runs": runs}


def _result(each: Result) -> dict[str, Any]:
    interval = None if each.low is None else [each.low, each.high]
    told = each.paired
    return {
        "name": each.label, "build": each.build, "recipe": each.recipe, "benchmark": each.benchmark, "value": each.value, "interval": interval,
        "runs": each.runs, "problems": each.problems, "samples": each.samples, "unknown": each.unknown, "left_out": each.left_out,
        "pass_at_k": {str(k): value for k, value in each.pass_at_k},
        "paired": None if told is None else {**told.to_data(), "told": told.difference.told}, "not_compared": each.apart,
    }  # fmt: skip
