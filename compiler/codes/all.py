"""Every diagnostic code of every band: the one table that `mixc explain` and the tests read."""

from . import exchange, lint, names, plan, run, syntax, types
from .entry import Code

CODES: dict[str, Code] = dict(
    sorted((syntax.CODES | names.CODES | types.CODES | plan.CODES | run.CODES | exchange.CODES | lint.CODES).items())
)
