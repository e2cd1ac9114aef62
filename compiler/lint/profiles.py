"""Lint of the published sampler over a profile with skills that were never solved (MIX0607)."""

from fractions import Fraction

from ..diagnostics import Diagnostics, Label
from ..paths import beside
from ..semantics.profile_file import Counts, file_of, read_profile
from ..syntax import ast
from .subject import Rule, Subject

_PAPER_WEIGHT = 1000
_SHOWN = 3


def never_solved(subject: Subject, notes: Diagnostics) -> None:
    """MIX0607: `weakness(paper)` gives a leaf of accuracy 0 the weight 1000."""
    select = subject.select
    paper = next((line for line in (select.lines if select else ()) if isinstance(line, ast.SoftQuota) and _is_paper(line)), None)
    soft = subject.mixture.selection.soft
    whose = soft.student if soft else None
    path = next((p for b in subject.spec.blocks("profile") if isinstance(b.name, ast.Name) and b.name.text == whose and (p := file_of(b))), None)
    text = subject.inputs.texts.get(beside(path.value, path.span.path)) if path else None
    if paper is None or path is None or text is None:
        return
    leaves = _leaves(subject, read_profile(text))
    lost = sorted(name for name, (attempts, correct) in leaves.items() if attempts and not correct)
    if not lost:
        return
    weights = {n: min(Fraction(a, c), Fraction(_PAPER_WEIGHT)) if c else Fraction(_PAPER_WEIGHT) for n, (a, c) in leaves.items() if a}
    share = sum((weights[n] for n in lost), start=Fraction(0)) / sum(weights.values())
    named = ", ".join(f"`{n}`" for n in lost[:_SHOWN]) + (f" and {len(lost) - _SHOWN:,} more" if len(lost) > _SHOWN else "")
    one = len(lost) == 1
    notes.warning(
        "MIX0607",
        f"{'a skill that was' if one else f'{len(lost):,} skills that were'} never solved will take {float(share):.1%} of the draws",
        paper.span,
        f"weight {_PAPER_WEIGHT:,} each" if not one else f"weight {_PAPER_WEIGHT:,}",
        secondary=(Label(path.span, f"0 correct: {named}"),),
        notes=(f"the published sampler draws a leaf with weight min(1/accuracy, {_PAPER_WEIGHT:,}), and a leaf solved half of the time has weight 2",),
        help="write `quota skill weakness(max_weight: 20, prior: beta(1, 1))`, which is bounded and smoothed",
    )


def _is_paper(line: ast.SoftQuota) -> bool:
    return any(isinstance(a.value, ast.Name) and a.value.text == "paper" for a in line.arguments)


def _leaves(subject: Subject, counts: Counts) -> Counts:
    """The counts of the tree's leaves; without a tree every skill is one."""
    tree = subject.mixture.skills.tree if subject.mixture.skills else None
    inner = {part for _, chain in tree or () for part in chain.split("->")[:-1]}
    return {name: found for name, found in counts.items() if name not in inner}


RULES: tuple[Rule, ...] = (never_solved,)
