"""What parts two builds beside the recipe as plain data, as `diff.schema.json` has it in `builds`. It counts nothing."""

from typing import Any

from ..runtime.contender import RECIPE
from ..runtime.course import Course
from ..runtime.moves.differing import Differing
from ..runtime.moves.found import Cause, Moves, Shift, Tally
from ..runtime.results import Result

PAIRS = ("value", "bound", "advantage", "charge")


def moves_data(found: Differing) -> dict[str, Any]:
    """All of it; what is not known is null."""
    return {
        "untold": found.untold,
        "dataset": None if found.moves is None else _dataset(found.moves),
        "trainings": [{"recipe": recipe, "seed": seed, "before": _course(before), "after": _course(after)} for (recipe, seed), before, after in found.trained],
        "results": [
            {"benchmark": benchmark, "recipe": recipe, "before": _result(before), "after": _result(after),
             "paired": after.paired.to_data() if after is not None and after.paired is not None and recipe == RECIPE else None}
            for (benchmark, recipe), before, after in found.measured
        ],
    }  # fmt: skip


def _dataset(moves: Moves) -> dict[str, Any]:
    return {
        "rows": {"before": moves.before, "after": moves.after, "kept": moves.kept, "added": moves.added, "removed": moves.removed,
                 "reweighted": moves.reweighted.height, "relabelled": moves.relabelled},
        "tokens": {"before": moves.tokens_before, "after": moves.tokens_after},
        "read": {"both": moves.scanned.both, "only_before": moves.scanned.only_before, "only_after": moves.scanned.only_after},
        "causes": [_cause(each) for each in moves.causes],
        "uncaused": moves.uncaused,
        "moves": _moves(moves),
        "reweighted": moves.reweighted.to_dicts(),
        "teachers": [_tally(each) for each in moves.teachers],
        "skills": [_tally(each) for each in moves.skills],
        "scores": [_shift(each) for each in moves.shifts],
        "only": {
            "before": [name for name in moves.scores_before if name not in moves.scores_after],
            "after": [name for name in moves.scores_after if name not in moves.scores_before],
        },
    }  # fmt: skip


def _moves(moves: Moves) -> list[dict[str, Any]]:
    """Every row that moved; what a clause compared, and what its price did, where it has that."""
    found = []
    for row in moves.rows.iter_rows(named=True):
        each = {name: value for name, value in row.items() if name.rpartition(" ")[0] not in PAIRS}
        for name in PAIRS:
            before, after = row[f"{name} before"], row[f"{name} after"]
            each[name] = None if before is None and after is None else {"before": before, "after": after}
        found.append(each)
    return found


def _cause(each: Cause) -> dict[str, Any]:
    price = None if each.price is None else {"before": each.price.before, "after": each.price.after, "unit": each.price.unit}
    return {
        "move": each.move, "kind": each.kind, "clause": each.clause, "counterpart": each.counterpart, "origin": each.origin, "rows": each.rows,
        "price": price, "through": [{"what": what, "rows": rows} for what, rows in each.through], "examples": list(each.examples),
    }  # fmt: skip


def _tally(t: Tally) -> dict[str, Any]:
    return {"name": t.name, "before": t.before, "after": t.after, "added": t.added, "removed": t.removed}


def _shift(s: Shift) -> dict[str, Any]:
    return {"name": s.score, "changed": s.changed, "median": s.median, "most": s.most, "gained": s.gained, "lost": s.lost}


def _course(each: Course | None) -> dict[str, Any] | None:
    return None if each is None else {"steps": each.steps[-1], "last_loss": each.losses[-1]}


def _result(r: Result | None) -> dict[str, Any] | None:
    if r is None:
        return None
    return {"value": r.value, "interval": None if r.low is None else [r.low, r.high], "problems": r.problems, "samples": r.samples, "runs": r.runs}
