"""All lints, in the order of their files; what they have to say goes to the diagnostics."""

from ..diagnostics import Diagnostics
from ..semantics import ir
from ..semantics.inputs import Inputs
from ..semantics.resolve import Resolved
from . import profiles, redundant, scores, selection, sources, unused
from .subject import Rule, subject

RULES: tuple[Rule, ...] = (
    *scores.RULES,
    *selection.RULES,
    *sources.RULES,
    *profiles.RULES,
    *unused.RULES,
    *redundant.RULES,
)


def lint(spec: Resolved, mixture: ir.Mixture, inputs: Inputs, notes: Diagnostics) -> None:
    """Say what is legal but unwise in a spec that compiles: warnings, each with a reason and a way out."""
    looked_at = subject(spec, mixture, inputs)
    for rule in RULES:
        rule(looked_at, notes)
