"""Scores, and the grader of a profile: calls of scorers, as the typed mixture holds them."""

from ..clauses import Grade
from ..diagnostics import Diagnostics, Edit
from ..suggest import suggest, sure
from ..syntax import ast
from . import ir
from .calls import Known, typed
from .catalogue import SCORERS
from .types import BOOL


def score(node: ast.Score, known: Known, notes: Diagnostics, missing: list[ir.Missing]) -> ir.Score | None:
    """A score declaration."""
    call = typed(node.call, known, notes)
    if call is None:
        return None
    signature = call.signature
    if not signature.ready:
        missing.append(ir.Missing(what=f"`{signature.name}`", stage="score", span=node.call.span))
    reads = call.reads
    if signature.name == "pass_rate" and not reads:
        if "reference" not in known.roles:
            help = "say in each corpus which column is the reference, or name a column of grades: `pass_rate(COLUMN)`"
            notes.error("MIX0207", "`pass_rate()` grades by the reference, which the rows do not have", node.call.span, "right by what?", help=help)
            return None
        reads = ("reference",)
    return ir.Score(
        name=node.name.text,
        scorer=signature.name,
        version=signature.version,
        arguments=call.arguments,
        student=call.student,
        reads=reads,
        package=signature.package,
        type=call.type,
        cost=signature.cost,
        span=node.span,
    )


def grade(value: ast.Value, known: Known, notes: Diagnostics) -> Grade | None:
    """`grade verify_math(reference)`: how an answer of the student is judged."""
    graders = [s.name for s in SCORERS.values() if s.type == BOOL]
    help = f"the graders are {', '.join(f'`{name}`' for name in graders)}"
    if not isinstance(value, ast.Call):
        name = value.text if isinstance(value, ast.Name) else ""
        call, one = f"{suggest(name, graders) or graders[0]}(reference)", sure(name, graders)
        notes.error(
            "MIX0301",
            "`grade` takes a call of a grader",
            value.span,
            "no call",
            help=f"write `grade {call}`",
            edits=(Edit(value.span, f"{one}(reference)"),) if one and "reference" in known.roles else (),
        )
        return None
    call = typed(value, known, notes)
    if call is None:
        return None
    if call.type != BOOL:
        notes.error(
            "MIX0302",
            f"`{call.signature.name}` is no grader: it does not say true or false",
            value.function.span,
            "not a grader",
            help=help,
        )
        return None
    signature = call.signature
    return Grade(
        scorer=signature.name, version=signature.version, arguments=call.arguments, reads=call.reads, package=signature.package
    )
