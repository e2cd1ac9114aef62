"""What a test wants of a run, names resolved and units settled, shared by the typed IR and the runtime. Data only."""

from dataclasses import dataclass

from .clauses import Group
from .source import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """`expect skill "Algebra" >= 2 examples`: what a test wants of the selected rows. `group` None: all of them. `unit`: examples, prompts, tokens, `%` or `% of tokens`."""

    text: str
    group: Group | None
    operator: str
    amount: float
    unit: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedError:
    """`expect error MIX0401`: the run must end with that code."""

    text: str
    code: str
    span: Span
