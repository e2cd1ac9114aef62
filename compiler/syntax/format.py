"""The canonical text of one clause or expression, on one line.

Knows nothing of blocks, comments and columns.
"""

from . import ast
from .compose import compose
from .compose_expression import compose_expression
from .document import flat


def format_expression(expression: ast.Expr) -> str:
    """The text of an expression; equal text means equal trees."""
    return flat(compose_expression(expression))


def format_pattern(pattern: ast.Pattern) -> str:
    """`where correct`, `keep`, `budget tokens`, `quota skill "Algebra"`, `quota skill weakness`."""
    return flat(compose(pattern))


def format_clause(line: ast.Line) -> str:
    """The text of one line of a block."""
    return flat(compose(line))
