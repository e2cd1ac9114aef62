"""A resolved spec to its variants: every combination of the swept values, and the recipe without each ablated clause.

Ablations are of the recipe with its params as declared; what a variant means is for `check` to say.
"""

import dataclasses
from dataclasses import dataclass
from itertools import product
from math import prod

from ..diagnostics import Diagnostics, Edit, Label
from ..syntax import ast
from ..syntax.format import format_expression, format_pattern
from .edits import without
from .inputs import Inputs
from .label import label
from .meant import meant
from .params import kind_of, known
from .resolve import Resolved, settle

MOST = 200
FULL = "full"


@dataclass(frozen=True, slots=True)
class Variation:
    """One recipe made from a spec. `title` names it in a message, `places` are the clauses that make it.

    `warns`: what is doubtful in it alone should be told. Who ablates a clause knows that it is missed.
    """

    name: str
    title: str
    spec: Resolved
    places: tuple[Label, ...] = ()
    warns: bool = False


def expand(spec: Resolved, inputs: Inputs, notes: Diagnostics) -> tuple[Variation, ...]:
    """The variants in the order in which they are built; none where the spec neither sweeps nor ablates."""
    sweeps = [(sweep, _values(sweep, spec, inputs, notes)) for sweep in spec.of(ast.Sweep)]
    ablations = _ablations(spec, notes)
    count = prod(len(values) for _, values in sweeps)
    if count > MOST:
        last = sweeps[-1][0]
        notes.error("MIX0306", f"{count:,} variants are more than the {MOST} that a spec may have", last.span, "together with the others")
        return ()
    swept = [_swept(spec, chosen, notes) for chosen in product(*([(s, v) for v in values] for s, values in sweeps))] if sweeps else []
    return (*swept, *ablations)


def _swept(spec: Resolved, chosen: tuple[tuple[ast.Sweep, ast.Expr], ...], notes: Diagnostics) -> Variation:
    params = dict(spec.params)
    for sweep, value in chosen:
        params[sweep.param.text] = dataclasses.replace(params[sweep.param.text], value=value)
    name = ",".join(label(sweep.param.text, value) for sweep, value in chosen)
    places = tuple(Label(value.span, f"{sweep.param.text} = {format_expression(value)}") for sweep, value in chosen)
    said = ", ".join(place.text for place in places)
    return Variation(name, f"the variant `{said}`", _bare(settle(spec, params, notes)), places, warns=True)


def _values(sweep: ast.Sweep, spec: Resolved, inputs: Inputs, notes: Diagnostics) -> list[ast.Expr]:
    """The values of a sweep that can be built, each once."""
    name = sweep.param.text
    declared = spec.params.get(name)
    if declared is None:
        near = meant(name, spec.params, sweep.param.span, known(spec.params))
        notes.error("MIX0206", f"no param named `{name}`, so it cannot be swept", sweep.param.span, "not declared", **near)
        return []
    for given, text in inputs.overrides:
        if given == name:
            help = "leave `--set` away, or remove the `sweep`"
            notes.error("MIX0202", f"`--set {given}={text}`: `{name}` is swept, so its values are set here", sweep.span, "swept", help=help)
            return []
    if not sweep.values.items:
        notes.error("MIX0301", "a sweep needs at least one value", sweep.values.span, "an empty list")
    if (count := len(sweep.values.items)) > MOST:
        notes.error("MIX0306", f"{count:,} variants are more than the {MOST} that a spec may have", sweep.values.span, "too many values")
        return []
    found: list[ast.Expr] = []
    for value in sweep.values.items:
        if _fits(value, declared, notes) and not _twice(name, value, found, notes):
            found.append(value)
    return found


def _fits(value: ast.Expr, declared: ast.ParamDeclaration, notes: Diagnostics) -> bool:
    """Whether a value is of the kind, and a number in the unit, that the param was declared with."""
    name, old = declared.name.text, declared.value
    where = (Label(declared.span, "declared here"),)
    if kind_of(value) != kind_of(old):
        notes.error("MIX0307", f"`{name}` is {kind_of(old)}, this is {kind_of(value)}", value.span, "another type", secondary=where)
        return False
    if isinstance(value, ast.Number) and isinstance(old, ast.Number) and value.unit != old.unit:
        wanted = f"in {old.unit}" if old.unit else "a number without a unit"
        right = format_expression(dataclasses.replace(value, unit=old.unit))
        message = f"`{name}` is {wanted}, this is {f'in {value.unit}' if value.unit else 'a bare number'}"
        edits = (Edit(value.span, right),) if value.unit is None else ()
        notes.error("MIX0303", message, value.span, "another unit", secondary=where, help=f"write `{right}`", edits=edits)
        return False
    return True


def _twice(param: str, value: ast.Expr, found: list[ast.Expr], notes: Diagnostics) -> bool:
    """Whether an earlier value is the same, or would share its folder where the file system takes `a` and `A` for one."""
    name = label(param, value).casefold()
    first = next((v for v in found if v == value or label(param, v).casefold() == name), None)
    if first is None:
        return False
    said = format_expression(value)
    message = (
        f"the value `{said}` stands twice in this sweep"
        if first == value
        else f"the folder of `{said}` would on some machines be that of another value"
    )
    beside = "again here" if first == value else "differs in capitals alone"
    notes.error("MIX0202", message, value.span, beside, secondary=(Label(first.span, "first here"),))
    return True


def _ablations(spec: Resolved, notes: Diagnostics) -> list[Variation]:
    """The full recipe, then the recipe without each of the ablated clauses, numbered as the clauses stand."""
    ablates = spec.of(ast.Ablate)
    select = next(iter(spec.blocks("select")), None)
    made = [Variation(FULL, "the full recipe", _bare(spec))] if ablates else []
    left: list[tuple[ast.Block, ast.Ablate]] = []
    for number, ablate in enumerate(ablates, 1):
        rest = without(select, ablate, notes)
        if rest is None:
            continue
        if first := next((a for other, a in left if other == rest), None):
            notes.error("MIX0202", "this clause is ablated twice", ablate.span, "again here", secondary=(Label(first.span, "first here"),))
            continue
        left.append((rest, ablate))
        declarations = tuple(rest if d is select else d for d in spec.declarations)
        title = f"the variant without `{format_pattern(ablate.pattern)}`"
        bare = _bare(dataclasses.replace(spec, declarations=declarations))
        made.append(Variation(f"without-{number}", title, bare, (Label(ablate.span, "without this clause"),)))
    return made


def _bare(spec: Resolved) -> Resolved:
    """The spec as one recipe: it sweeps and ablates nothing itself."""
    return dataclasses.replace(spec, declarations=tuple(d for d in spec.declarations if not isinstance(d, (ast.Sweep, ast.Ablate))))
