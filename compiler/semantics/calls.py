"""A call of a scorer, checked against its signature: arguments bound, settled and typed. It does not know what the call is for."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..clauses import Model
from ..diagnostics import Diagnostics, Label
from ..syntax import ast
from . import ir
from .catalogue import SCORERS, Parameter, Signature
from .inputs import UNASKED
from .meant import meant
from .settings import number
from .shared import absent, barred
from .types import UNITS, Type, of_column
from .words import in_words

Bound = dict[str, ast.Expr]


@dataclass(frozen=True, slots=True)
class Known:
    """What a call may name: students, and the roles and columns that every corpus has. `installed`: as in `Inputs.scorers`."""

    students: Mapping[str, Model]
    roles: tuple[str, ...] = ()
    columns: Mapping[str, str] | None = None
    installed: Mapping[str, Signature | str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Typed:
    """A call with its arguments settled (defaults filled in); `given` are the arguments as written."""

    signature: Signature
    arguments: tuple[tuple[str, ir.Scalar], ...]
    student: str | None
    reads: tuple[str, ...]
    type: Type
    given: Mapping[str, ast.Expr]


def typed(call: ast.Call, known: Known, notes: Diagnostics) -> Typed | None:
    """The call; None after an error was reported."""
    signature = _signature(call, known.installed, notes)
    if signature is None:
        return None
    given, fine = _bind(call, signature, notes)
    arguments: list[tuple[str, ir.Scalar]] = []
    reads: list[str] = []
    type_, student = signature.type, None
    for parameter in signature.parameters:
        value = given.get(parameter.name)
        match parameter.kind:
            case "student":
                student = _student(call, value, known.students, notes)
                fine = fine and student is not None
            case "window":
                found = _window(value, notes)
                fine = fine and found is not None
                arguments += [found] if found else []
            case "word" | "split":
                word = _word(parameter, value, known.columns, reads, notes)
                fine = fine and word is not None
                arguments += [(parameter.name, word)] if word is not None else []
            case "number" | "text":
                plain = _plain(parameter, value, notes)
                fine = fine and plain is not None
                arguments += [(parameter.name, plain)] if plain is not None else []
            case "value" | "column":
                column = _read(parameter, value, known.roles, known.columns, notes)
                fine = fine and (column is not None or (value is None and parameter.default is not None))
                if column is not None:
                    reads.append(column)
                    if signature.name == "column":
                        type_ = _column_type(column, known.columns)
            case "unit":
                unit = _unit(value, type_, notes)
                if unit:
                    type_ = Type("number", unit)
            case kind:
                raise ValueError(f"no parameter of kind {kind!r}")
    return Typed(signature, tuple(arguments), student, tuple(reads), type_, given) if fine else None


def _column_type(column: str, columns: Mapping[str, str] | None) -> Type:
    if not column.startswith("column:"):
        return Type("text")
    return of_column((columns or {}).get(column.removeprefix("column:"), "other"))


def _plain(parameter: Parameter, value: ast.Expr | None, notes: Diagnostics) -> int | float | str | None:
    """A bare number or a text."""
    if parameter.kind == "number":
        if value is None:
            return parameter.default  # type: ignore[return-value]
        return number(notes, parameter.name, value, None)
    if value is None or isinstance(value, ast.String):
        return str(parameter.default) if value is None else value.value
    notes.error("MIX0301", f"`{parameter.name}` takes a text in double quotes", value.span, "something else")
    return None


def _signature(call: ast.Call, installed: Mapping[str, Signature | str | None], notes: Diagnostics) -> Signature | None:
    """The signature of ours, else that of an installed package."""
    name = call.function.text
    if name in SCORERS:
        return SCORERS[name]
    found = installed.get(name)
    if isinstance(found, str):
        notes.error(
            "MIX0211",
            f"the installed scorer `{name}` does not say what it is",
            call.function.span,
            "cannot be used",
            notes=(found,),
            help="mend or remove the package that brings it",
        )
        return None
    if found is None:
        known = [*SCORERS, *(n for n, other in installed.items() if isinstance(other, Signature) or other == UNASKED)]
        given = meant(name, known, call.function.span, f"the scorers are {', '.join(known)}")
        notes.error("MIX0201", f"no scorer named `{name}`", call.function.span, "not known", **given)
    return found


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
            place = argument.name.span if argument.name else None
            notes.error(
                "MIX0302", f"`{signature.name}` has no argument `{name}`", argument.span, "not known", **meant(name, positions, place, takes)
            )
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
            what, written = ("the name of a column", "NAME") if parameter.kind == "column" else (f"`{parameter.name}`", parameter.name)
            help = f"write `{signature.name}({written})`" if parameter.kind in ("value", "column") else None
            notes.error("MIX0207", f"`{signature.name}` needs {what}", call.span, "missing", help=help)
            fine = False
    return given, fine


def _student(call: ast.Call, value: ast.Expr | None, students: Mapping[str, Model], notes: Diagnostics) -> str | None:
    if value is None:
        if len(students) == 1:
            return next(iter(students))
        help = 'declare one: `student NAME { model "…" }`' if not students else f"write `student: {next(iter(students))}`"
        notes.error("MIX0207", f"`{call.function.text}` needs a student", call.span, "which model?", help=help)
        return None
    if isinstance(value, ast.Name) and value.text in students:
        return value.text
    name = value.text if isinstance(value, ast.Name) else ""
    given = meant(name, students, value.span, 'declare it: `student NAME { model "…" }`')
    notes.error(
        "MIX0201", f"no student named `{name}`" if name else "`student` takes a declared student", value.span, "not declared", **given
    )
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
        return str(parameter.default)
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
    if barred(name, columns, value.span, notes):
        return None
    if columns is None or name in columns:
        kind = "other" if columns is None else columns[name]
        if parameter.of and kind not in (*parameter.of, "other"):
            allowed = " or ".join(in_words(Type(k)) for k in parameter.of)
            said = f"`{parameter.name}` is {allowed}, but column `{name}` is {in_words(of_column(kind))}"
            notes.error("MIX0305", said, value.span, f"a column of {kind}")
            return None
        return f"column:{name}"
    others = ("reference",) if parameter.kind == "value" else ()
    absent(name, columns, value.span, notes, text=isinstance(value, ast.String), others=others)
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
