"""What a clause of the selection costs, or how much room it leaves, in words."""

from ..runtime.churn import Churn
from ..runtime.selection.problem import Outcome, SoftOutcome, Solution


def held(outcome: Outcome, unit: str | None, *, weighted: bool = False) -> str:
    """`binding, 0.031 nats an example`, or `112 examples to spare`; `unit` is that of the objective, `weighted` where rows count by their tokens."""
    if outcome.binding:
        return f"binding, {price(outcome, unit, weighted=weighted)}" if outcome.price else "binding"
    if outcome.slack is None:
        return ""
    return f"{outcome.slack:,} {outcome.unit if outcome.slack != 1 else outcome.unit.removesuffix('s')} to spare"


def price(outcome: Outcome, unit: str | None, *, weighted: bool = False) -> str:
    """What the objective would gain if the bound gave way by one."""
    of = " ".join(filter(None, (unit, "x tokens" if weighted else None)))
    amount = f"{outcome.price:.3g}{f' {of}' if of else ''}"
    if outcome.clause.text.startswith("keep "):
        return f"{amount} for one more in every prompt"
    return f"{amount} {'an' if outcome.unit == 'examples' else 'a'} {outcome.unit.removesuffix('s')}"


def proof(solution: Solution) -> str:
    """How good the selection is, in words."""
    return _proof(solution) if solution.most is None else f"{_proof(solution)} with so many rows; that there are not up to {solution.most:,} is not proven"


def _proof(solution: Solution) -> str:
    match solution.method:
        case "all":
            return "every candidate is selected"
        case "paper":
            return "drawn, not optimised"
        case "prices" if solution.gap:
            return f"solved by prices: proven to be within {solution.gap:.1g} of the best there is"
        case method:
            return f"solved {'by prices' if method == 'prices' else 'exactly'}: proven to be the best there is"


def least(soft: SoftOutcome) -> str:
    """`, any selection misses at least 12` where the targets may be missed by less than they are; empty where they cannot."""
    return f", any selection misses at least {soft.least:,}" if soft.least < soft.shortfall else ""


def changed(churn: Churn | None) -> str:
    """`12 new, 12 gone since the last build`; empty where there was none."""
    if churn is None:
        return ""
    return f"{churn.new:,} new, {churn.gone:,} gone since the last build" if churn.new or churn.gone else "the same as in the last build"
