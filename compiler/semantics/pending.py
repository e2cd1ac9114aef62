"""Clauses that the language has and the runtime does not do yet: a warning at each, with the stage that is missing and what can be run before it."""

from ..diagnostics import Diagnostics
from . import ir

# As plans run them: skills are tagged before the scores, though `--until tag` comes after `--until score`.
_ORDER = (
    *("scan", "teachers", "heldout", "decontaminate", "dedup"),
    *("tag", "score", "profile", "select", "materialise", "train", "evaluate"),
)


def waiting(missing: list[ir.Missing], stages: frozenset[str], notes: Diagnostics) -> None:
    """Warn of each clause; `stages` are the kinds of stage that the spec's plan has."""
    stopped = {clause.stage for clause in missing}
    for clause in missing:
        notes.warning(
            "MIX0410",
            f"the `{clause.stage}` stage cannot do {clause.what} yet",
            clause.span,
            "checked and planned, but not run",
            help=_way_out(clause.stage, stages, stopped),
        )


def _way_out(stage: str, stages: frozenset[str], stopped: set[str]) -> str:
    """The last stage that can be run before the first that is stopped."""
    first = min(stopped, key=_ORDER.index)
    able = [s for s in _ORDER[: _ORDER.index(first)] if s in stages and not (s == "tag" and first == "score")]
    if able:
        return f"`mixc build --until {able[-1]}` runs what comes before"
    return "remove it: nothing can be run before it" if first == stage else f"the `{first}` stage comes before, and is not whole either"
