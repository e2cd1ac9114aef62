"""What a careful colleague would say of a spec: warnings, and one error, a missing decontamination."""

from ..diagnostics import Diagnostics
from ..source import Span
from . import ir


def lint(uses: Span | None, decontaminated: bool, missing: list[ir.Missing], notes: Diagnostics) -> None:
    """`uses`: where the spec trains or evaluates; `missing`: clauses that the runtime does not do yet."""
    if uses and not decontaminated:
        notes.error(
            "MIX0601",
            "nothing says that the training data was checked against the benchmarks",
            uses,
            "trains or evaluates",
            help='add `decontaminate against "bench/*.jsonl" by 8-grams of prompt`, or `decontaminate none because "…"`',
        )
    for clause in missing:
        notes.warning(
            "MIX0410",
            f"{clause.what} is not run yet",
            clause.span,
            "planned, but the runtime cannot do it yet",
            help="`mixc build --until` a stage before it still works",
        )
