"""Scores: a call checked against its scorer's signature."""

from collections.abc import Mapping

from ..clauses import Model
from ..diagnostics import Diagnostics, Label
from ..syntax import ast
from . import ir
from .catalogue import SCORERS, Parameter, Signature
from .meant import meant
from .settings import number
from .types import UNITS, Type, of_column

Bound = dict[str, ast.Expr]


def score(
    node: ast.Score,
    students: Mapping[str, Model],
    roles: tuple[str, ...],
    columns: Mapping[str, str] | None,
    notes: Diagnostics,
    missing: list[ir.Missing],
) -> ir.Score | None:
    """A score declaration; `roles` and `columns` are what the corpora offer."""
    signature = _signature(node.call, notes)
    if signature is None:
        return None
    given, fine = _bind(node.call, signature, notes)
    if not signature.ready:
        missing.append(ir.Missing(what=f"the scorer `{signature.name}`", stage="score", span=node.call.span))
    arguments: list[tuple[str, ir.Scalar]] = []
    reads: list[str] = []
    type_ = signature.type
    student: str | None = None
    for parameter in signature.parameters:
        value = given.get(parameter.name)
        match parameter.kind:
            case "student":
                student = _student(node, value, students, notes)
                fine = fine and student is not None
            case "window":
                found = _window(value, notes)
                fine = fine and found is not None
                arguments += [found] if found else []
            case "word" | "split":
                word = _word(parameter, value, columns, reads, notes)
                fine = fine and word is not None
                arguments += [(parameter.name, word)] if word else []
            case "value" | "column":
                column = _read(parameter, value, roles, columns, notes)
                fine = fine and (column is not None or (value is None and parameter.default is not None))
                if column is not None:
                    reads.append(column)
                    if signature.name == "column":
                        type_ = (
                            of_column((columns or {}).get(column.removeprefix("column:"), "other"))
                            if column.startswith("column:")
                            else Type("text")
                        )
            case _:
                unit = _unit(value, type_, notes)
                if unit:
                    type_ = Type("number", unit)
    if not fine:
        return None
    debias = dict(arguments).get("debias")
    if debias == "length":
        missing.append(ir.Missing(what="`debias: length`", stage="select", span=given["debias"].span))
    return ir.Score(
        name=node.name.text,
        scorer=signature.name,
        version=signature.version,
        arguments=tuple(arguments),
        student=student,
        reads=tuple(reads),
        type=type_,
        cost=signature.cost,
        span=node.span,
    )


def _signature(call: ast.Call, notes: Diagnostics) -> Signature | None:
    name = call.function.text
    if name not in SCORERS:
        given = meant(name, SCORERS, call.function.span, f"the scorers are {', '.join(SCORERS)}")
        notes.error("MIX0201", f"no scorer named `{name}`", call.function.span, "not known", **given)
        return None
    return SCORERS[name]


def _bind(call: ast.Call, signature: Signature, notes: Diagnostics) -> tuple[Bound, bool]:
    """The arguments that have a place, and whether all is as the signature wants it."""
    given: Bound = {}
    positions = [p.name for p in signature.parameters]
    fine = True
    for index, argument in enumerate(call.arguments):
        if argument.name is None and index >= len(positions):
            notes.error(
                "MIX0302", f"`{signature.name}` takes {len(positions)} argument{'s' * (len(positions) != 1)}", argument.span, "one too many"
            )
            fine = False
            continue
        name = argument.name.text if argument.name else positions[index]
        if name not in positions:
            takes = f"it takes {', '.join(f'`{p}`' for p in positions)}"
            given_name = meant(name, positions, argument.name.span if argument.name else None, takes)
            notes.error("MIX0302", f"`{signature.name}` has no argument `{name}`", argument.span, "not known", **given_name)
            fine = False
        elif name in given:
            notes.error(
                "MIX0202", f"`{name}` is given twice", argument.span, "again here", secondary=(Label(given[name].span, "first here"),)
            )
            fine = False
        else:
            given[name] = argument.value
    for parameter in signature.parameters:
        if parameter.default is None and parameter.name not in given and fine:
            notes.error(
                "MIX0207",
                f"`{signature.name}` needs `{parameter.name}`",
                call.span,
                "missing",
                help=f"write `{signature.name}({parameter.name})`" if parameter.kind in ("value", "column") else None,
            )
            fine = False
    return given, fine


def _student(node: ast.Score, value: ast.Expr | None, students: Mapping[str, Model], notes: Diagnostics) -> str | None:
    if value is None:
        if len(students) == 1:
            return next(iter(students))
        help = 'declare one: `student NAME { model "…" }`' if not students else f"write `student: {next(iter(students))}`"
        notes.error("MIX0207", f"`{node.call.function.text}` needs a student", node.call.span, "which model?", help=help)
        return None
    if isinstance(value, ast.Name) and value.text in students:
        return value.text
    name = value.text if isinstance(value, ast.Name) else ""
    given = meant(name, students, value.span, 'declare it: `student NAME { model "…" }`')
    message = f"no student named `{name}`" if name else "`student` takes a declared student"
    notes.error("MIX0201", message, value.span, "not declared", **given)
    return None


def _window(value: ast.Expr | None, notes: Diagnostics) -> tuple[str, int] | None:
    if value is None:
        return "window_steps", 4
    unit = "%" if isinstance(value, ast.Number) and value.unit == "%" else "steps"
    found = number(notes, "window:" if unit == "steps" else "window", value, unit, whole=True, least=0 if unit == "steps" else 1)
    if found is None:
        return None
    if unit == "%" and found > 100:
        notes.error("MIX0306", "a window is at most 100% of the steps", value.span, "too large")
        return None
    return ("window_percent" if unit == "%" else "window_steps"), int(found)


def _word(
    parameter: Parameter, value: ast.Expr | None, columns: Mapping[str, str] | None, reads: list[str], notes: Diagnostics
) -> str | None:
    if value is None:
        return parameter.default
    if isinstance(value, ast.Nothing) and "none" in parameter.choices:
        return "none"
    if parameter.kind == "split" and isinstance(value, ast.Call) and value.function.text == "given" and len(value.arguments) == 1:
        column = _read(Parameter("given", "column"), value.arguments[0].value, (), columns, notes)
        if column is None:
            return None
        name = column.removeprefix("column:")
        kind = (columns or {}).get(name, "list")
        if kind not in ("list", "other"):
            notes.error(
                "MIX0305", f"`given` reads a list of texts, but column `{name}` is {kind}", value.arguments[0].span, f"a column of {kind}"
            )
            return None
        reads.append(column)
        return f"given:{column.removeprefix('column:')}"
    text = value.text if isinstance(value, ast.Name) else ""
    if text not in parameter.choices:
        choices = [*parameter.choices, *(["given(COLUMN)"] if parameter.kind == "split" else [])]
        notes.error(
            "MIX0302",
            f"`{parameter.name}` is one of {', '.join(f'`{c}`' for c in choices)}",
            value.span,
            "not one of them",
            **meant(value.value if isinstance(value, ast.String) else text, parameter.choices, value.span),
        )
        return None
    return text


def _read(
    parameter: Parameter, value: ast.Expr | None, roles: tuple[str, ...], columns: Mapping[str, str] | None, notes: Diagnostics
) -> str | None:
    if value is None:
        return None
    if not isinstance(value, (ast.Name, ast.String)):
        notes.error("MIX0301", f"`{parameter.name}` takes the name of a column", value.span)
        return None
    name = value.text if isinstance(value, ast.Name) else value.value
    if parameter.kind == "value" and name in roles and name == "reference":
        return "reference"
    if parameter.kind == "value" and name == "reference":
        notes.error(
            "MIX0207",
            "no corpus says which column is its `reference`",
            value.span,
            "needed here",
            help="write `reference COLUMN` in the corpus",
        )
        return None
    if columns is None or name in columns:
        return f"column:{name}"
    known = [*(["reference"] if parameter.kind == "value" else []), *columns]
    given = meant(name, known, value.span, f"their columns: {', '.join(sorted(columns)[:16])}", text=isinstance(value, ast.String))
    notes.error("MIX0209", f"no corpus has a column `{name}`", value.span, "not in the files", **given)
    return None


def _unit(value: ast.Expr | None, type_: Type, notes: Diagnostics) -> str | None:
    if value is None:
        return None
    unit = value.text if isinstance(value, ast.Name) else ""
    units = [u for u in UNITS if u[0] != "%"]
    if unit not in units:
        given = meant(value.value if isinstance(value, ast.String) else unit, units, value.span)
        notes.error("MIX0302", f"`unit` is one of {', '.join(units)}", value.span, "not a unit", **given)
        return None
    if type_.kind not in ("number", "unknown"):
        notes.error("MIX0305", "only a column of numbers can have a unit", value.span, f"the column is {type_.kind}")
        return None
    return unit
