"""Warnings on a mixture that is legal but unwise; the one that is an error is a missing decontamination."""

from ..diagnostics import Diagnostics
from . import ir


def lint(mixture: ir.Mixture, notes: Diagnostics) -> None:
    """Report what a careful colleague would say."""
    uses = mixture.train or mixture.evaluate
    if uses and mixture.decontaminate is None:
        notes.error(
            "MIX0601",
            "nothing says that the training data was checked against the benchmarks",
            uses.span,
            "trains or evaluates",
            help='add `decontaminate against "bench/*.jsonl" by 8-grams of prompt`, or `decontaminate none because "…"`',
        )
    for missing in mixture.missing:
        notes.warning(
            "MIX0410",
            f"{missing.what} is not run yet",
            missing.span,
            "planned, but the runtime cannot do it yet",
            help="`mixc build --until` a stage before it still works",
        )
