"""What a careful colleague would say of a spec: warnings, and one error, a missing decontamination."""

from ..diagnostics import Diagnostics
from ..source import Span


def lint(uses: Span | None, decontaminated: bool, notes: Diagnostics) -> None:
    """`uses`: where the spec trains or evaluates."""
    if uses and not decontaminated:
        notes.error(
            "MIX0601",
            "nothing says that the training data was checked against the benchmarks",
            uses,
            "trains or evaluates",
            help='add `decontaminate against "bench/*.jsonl" by 8-grams of prompt`, or `decontaminate none because "…"`',
        )
