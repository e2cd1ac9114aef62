"""An expression of a plan as a person would write it. Units are gone by now, so a number stands alone."""

import json

from ..expressions import Column, Constant, Constants, Expression, Operation, Quantile, Rank, Scalar

# How tightly an operator binds; comparisons do not chain.
_BINDS = {"or": 1, "and": 2, "not": 3, "+": 5, "-": 5, "*": 6, "/": 6, "negate": 7}
_COMPARES = 4
_ATOM = 8


def express(expression: Expression) -> str:
    """The expression in the language's own form, with no more brackets than it needs."""
    return _write(expression)[0]


def _write(expression: Expression) -> tuple[str, int]:
    match expression:
        case Column(name=name):
            return name, _ATOM
        case Constant(value=value):
            return _scalar(value), _ATOM
        case Constants(values=values):
            return f"[{', '.join(_scalar(v) for v in values)}]", _ATOM
        case Quantile(percent=percent, group=group):
            return f"p{percent:02}" + (f" within {group.name}" if group else ""), _ATOM
        case Rank(of=of, group=group):
            return f"rank({express(of)})" + (f" within {group.name}" if group else ""), _ATOM
        case Operation(operator="not", arguments=(Operation(operator="in", arguments=(left, right)),)):
            return f"{_inside(left, _COMPARES + 1)} not in {express(right)}", _COMPARES
        case Operation(operator="not", arguments=(operand,)):
            return f"not {_inside(operand, _BINDS['not'])}", _BINDS["not"]
        case Operation(operator="negate", arguments=(operand,)):
            return f"-{_inside(operand, _BINDS['negate'])}", _BINDS["negate"]
        case Operation(operator=operator, arguments=(first, *others)):
            binds = _BINDS.get(operator, _COMPARES)
            left = _inside(first, binds + (binds == _COMPARES))
            return f" {operator} ".join((left, *(_inside(other, binds + 1) for other in others))), binds
        case Operation(operator=operator):
            raise ValueError(f"`{operator}` without arguments")


def _inside(expression: Expression, binds: int) -> str:
    """An argument of an operator, in brackets where it binds less tightly."""
    text, own = _write(expression)
    return text if own >= binds else f"({text})"


def _scalar(value: Scalar) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return repr(value)
