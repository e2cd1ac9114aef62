"""Says at a score's clause what it is confounded with (MIX0614), and the way out. Knows the plan and the audit, not the rows."""

from collections.abc import Iterable

from ..compiler.diagnostics import Diagnostic, Label, Severity
from ..compiler.plan.stages import Plan, Score, Select
from .audit import Audit

STRONG = 0.5
"""Of a rank correlation with a length, in size, and of the share of variance within prompts that the teacher explains."""
LEAST_ROWS = 30
"""With fewer, so strong a relation is often chance; for teachers, ROWS_A_TEACHER for each of them too."""
ROWS_A_TEACHER = 10


def confounded(plan: Plan, audits: Iterable[Audit]) -> tuple[Diagnostic, ...]:
    """A warning for each score that a clause of `select` reads and that goes strongly with a length or, where no quota is on a teacher, with the teacher."""
    stages = {s.name: s for s in plan.stages if isinstance(s, Score) and s.rows == "candidates"}
    capped = any(q.group.kind in ("teacher", "teacher_value") for s in plan.stages if isinstance(s, Select) for q in s.quotas)
    found = [_one(stages[a.score], a, capped) for a in audits if a.score in stages]
    return tuple(d for d in found if d is not None)


def strong(audit: Audit) -> dict[str, float]:
    """What is strong, and how strong: of `step length`, `response length` and `teacher`, in this order."""
    if audit.rows < LEAST_ROWS:
        return {}
    lengths = {"step length": audit.step_length, "response length": audit.response_length}
    found = {what: c.spearman for what, c in lengths.items() if c is not None and c.spearman is not None and abs(c.spearman) >= STRONG}
    share = audit.within_prompts
    if share is not None and share >= STRONG and audit.rows >= ROWS_A_TEACHER * audit.teachers:
        found["teacher"] = share
    return found


def _one(stage: Score, audit: Audit, capped: bool) -> Diagnostic | None:
    found = strong(audit)
    if capped:
        found.pop("teacher", None)
    if not found:
        return None
    return Diagnostic(
        "MIX0614",
        f"`{stage.name}` goes with {' and '.join(_said(what, value) for what, value in found.items())}",
        Label(stage.span, "confounded"),
        notes=tuple(_why(what, value, audit) for what, value in found.items()),
        help="; or ".join(dict.fromkeys(_way_out(what, stage) for what in found)),
        severity=Severity.WARNING,
    )


def _said(what: str, value: float) -> str:
    return f"the teacher ({value:.0%} of its variance within a prompt)" if what == "teacher" else f"{what} (rank correlation {value:+.2f})"


def _why(what: str, value: float, audit: Audit) -> str:
    higher = "higher" if value > 0 else "lower"
    match what:
        case "step length":
            first = "; the first token of a step is its least likely one, and the more tokens follow it the less it counts (ASLEC, 2604.06834)"
            return f"over {audit.rows:,} responses, long steps score {higher}{first if value > 0 else ''}"
        case "response length":
            same = ", and a response is one step here" if audit.one_step else ""
            return f"over {audit.rows:,} responses, long ones score {higher}{same}: what is best by it is {'long' if value > 0 else 'short'} first of all"
        case _:
            return f"between the {audit.teachers:,} teachers' responses to one prompt, it tells who answered more than anything else: to choose by it is to choose a teacher"


def _way_out(what: str, stage: Score) -> str:
    debias = dict(stage.arguments).get("debias")
    if what == "teacher":
        return 'bound each teacher\'s share (`quota teacher "…" <= 40%`), or compare within one (`>= p20 within teacher`)'
    if debias == "none":
        return "take the length out of the score: `debias: drop_first`, or `debias: length`, in its call"
    if debias == "drop_first":
        return "take the length out of the score: `debias: length` in its call"
    return "bound the length of what is compared with a `where`"
