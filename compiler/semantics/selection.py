"""The clauses of `select`, typed: filters in their order, then what acts together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..clauses import SOLVERS, AtMost, Budget, Group, Keep, Quota, SoftQuota, Where
from ..diagnostics import Diagnostics, Edit, Label
from ..expectations import Expectation
from ..source import Span
from ..syntax import ast
from ..syntax.format import format_clause, format_expression
from . import ir
from .infer import Names, condition, infer
from .meant import Meant, meant, once, quoted
from .settings import number
from .shared import absent, barred
from .soft import NO_PROFILES, Profiles, soft_quota
from .words import in_words

_AMOUNTS = ("examples", "tokens", "%", "% of tokens")


@dataclass(frozen=True, slots=True)
class Groups:
    """What a quota may name. `tree` None: no tree, any skill may turn up. `teachers`: the declared ones."""

    teachers: tuple[str, ...]
    tree: tuple[str, ...] | None
    columns: Mapping[str, str] | None
    tagged: bool
    has_teacher: bool
    tokens: tuple[str, ...]
    students: int
    corpora: tuple[str, ...] = ()
    profiles: Profiles = NO_PROFILES


def selection(block: ast.Block, names: Names, groups: Groups, notes: Diagnostics) -> ir.Selection:
    """The `select` block."""
    steps: list[Where | Keep] = []
    quotas: list[Quota] = []
    budgets: list[Budget] = []
    at_most: AtMost | None = None
    objective = None
    objective_text, tokens, solver = "random", None, "auto"
    soft: SoftQuota | None = None
    seen: dict[str, ast.Line] = {}
    for line in block.lines:
        match line:
            case ast.Where(condition=expr):
                found = condition(expr, names, notes)
                if found is not None:
                    steps.append(Where(text=format_clause(line), condition=found, span=line.span))
            case ast.Keep(count=count, by=None):
                k = _count(count, notes)
                if k and _once("keep at most", line, seen, notes):
                    at_most = AtMost(text=format_clause(line), count=k, span=line.span)
            case ast.Keep(count=count, by=by) if by is not None:
                k, typed = _count(count, notes), infer(by, names, notes)
                if typed and typed[1].kind not in ("number", "unknown"):
                    notes.error("MIX0304", f"`keep best` needs a number to order by, this is {in_words(typed[1])}", by.span)
                elif k and typed:
                    steps.append(Keep(text=format_clause(line), count=k, by=typed[0], span=line.span))
            case ast.Quota():
                quota = _quota(line, groups, notes)
                if quota:
                    quotas.append(quota)
            case ast.SoftQuota():
                if _once("soft quota", line, seen, notes):
                    soft = soft_quota(line, block, groups.profiles, notes)
            case ast.Budget(amount=amount):
                budget = _budget(line, amount, notes)
                if budget and _once(f"budget in {budget.unit}", line, seen, notes):
                    budgets.append(budget)
            case ast.Maximize(by=by):
                if _once("maximize", line, seen, notes) and not (isinstance(by, ast.Name) and by.text == "random"):
                    typed = infer(by, names, notes)
                    if typed and typed[1].kind not in ("number", "unknown"):
                        notes.error("MIX0304", f"`maximize` needs a number, this is {in_words(typed[1])}", by.span)
                    elif typed:
                        objective, objective_text = typed[0], format_expression(by)
            case ast.CountTokens(score=score):
                if _once("count tokens", line, seen, notes):
                    tokens = _counted(score, groups, notes)
            case ast.Solver(method=method):
                if _once("solver", line, seen, notes):
                    solver = _solver(method, notes)
            case _:
                pass
    tokens_known(tokens, groups, (*quotas, *budgets), notes)
    return ir.Selection(
        steps=tuple(steps),
        at_most=at_most,
        quotas=tuple(quotas),
        budgets=tuple(budgets),
        objective=objective,
        objective_text=objective_text,
        tokens=tokens or (groups.tokens[0] if len(groups.tokens) == 1 else None),
        soft=soft,
        solver=solver,
        span=block.head,
    )


def _once(what: str, line: ast.Line, seen: dict[str, ast.Line], notes: Diagnostics) -> bool:
    if what in seen:
        first = seen[what]
        label = Label(first.span, "first here")
        notes.error("MIX0202", f"`select` has a second {what}", line.span, "again here", secondary=(label,), **once(first, line))
        return False
    seen[what] = line
    return True


def _count(count: ast.Number | ast.Param, notes: Diagnostics) -> int | None:
    found = number(notes, "keep", count, None, whole=True, least=1)
    return int(found) if found else None


def _budget(line: ast.Budget, amount: ast.Number | ast.Param, notes: Diagnostics) -> Budget | None:
    unit = amount.unit if isinstance(amount, ast.Number) and amount.unit in ("examples", "tokens") else "examples"
    if isinstance(amount, ast.Number) and amount.unit is None and not line.up_to:
        help = f"write `budget {amount.text} examples` or `budget {amount.text} tokens`"
        notes.error("MIX0309", "`budget` needs a unit", amount.span, "a bare number", help=help)
        return None
    found = number(notes, "budget up to" if line.up_to else "budget", amount, unit, whole=True, least=1)
    if found is None:
        return None
    if line.up_to and unit != "examples":
        notes.error(
            "MIX0302",
            "`up to` goes with a budget in examples",
            line.span,
            "a budget in tokens is an upper bound already",
            help=f"write `budget {format_expression(amount)}`",
            edits=(Edit(Span(line.span.path, line.span.start, amount.span.start), "budget "),),
        )
        return None
    return Budget(text=format_clause(line), amount=int(found), unit=unit, up_to=line.up_to, span=line.span)


def _quota(line: ast.Quota, groups: Groups, notes: Diagnostics) -> Quota | None:
    found = named_group(line.group, groups, notes)
    unit = next((b.unit for b in (line.bound.high, line.bound.low) if isinstance(b, ast.Number) and b.unit), None)
    if unit is None and isinstance(line.bound.low, ast.Number) and isinstance(line.bound.high, ast.Number):
        both = f"{line.bound.low.text}..{line.bound.high.text}"
        notes.error("MIX0309", "a quota needs a unit", line.bound.span, "of what?", help=f"write `{both} examples`, `{both}%` or `{both}% of tokens`")
        return None
    low, high = (None if b is None else _amount(b, unit, notes) for b in (line.bound.low, line.bound.high))
    failed = (line.bound.low is not None and low is None) or (line.bound.high is not None and high is None)
    if found is None or failed or unit is None:
        return None
    if low is not None and high is not None and low > high:
        notes.error(
            "MIX0402",
            "a floor above its cap: nothing can satisfy both",
            line.bound.span,
            f"{low:g} is more than {high:g}",
            help=f"write `{_range(line.bound)}`",
            edits=(Edit(line.bound.span, _range(line.bound)),),
        )
        return None
    if unit[0] == "%" and max(low or 0, high or 0) > 100:
        notes.error("MIX0306", "a share is at most 100%", line.bound.span, "more than all", help="write a share from `0%` to `100%`")
        return None
    return Quota(text=format_clause(line), group=found, low=low, high=high, unit=unit, equal=line.bound.operator == "=", span=line.span)


def _range(bound: ast.Bound) -> str:
    """The bound with its ends swapped."""
    low, high = bound.low, bound.high
    assert isinstance(low, ast.Number) and isinstance(high, ast.Number)
    unit = high.unit or ""
    return f"{high.text}..{low.text}{unit if unit[:1] == '%' else f' {unit}'}"


def _amount(bound: ast.Number | ast.Param, unit: str | None, notes: Diagnostics) -> float | None:
    if not isinstance(bound, ast.Number):
        notes.error("MIX0301", "a quota's bound is a number", bound.span, "not a number")
        return None
    if unit is None:
        notes.error(
            "MIX0309",
            "a quota needs a unit",
            bound.span,
            "of what?",
            help=f"write `{bound.text} examples`, `{bound.text}%` or `{bound.text}% of tokens`",
        )
        return None
    if unit not in _AMOUNTS or (bound.unit or unit) != unit:
        notes.error("MIX0303", f"a quota counts examples, tokens, `%` or `% of tokens`, not {bound.unit}", bound.span, "another unit")
        return None
    if bound.value < 0 or (unit[0] != "%" and bound.value != int(bound.value)):
        notes.error("MIX0306", f"a number of {unit} is whole and not negative", bound.span)
        return None
    return bound.value


def named_group(named: ast.Group, groups: Groups, notes: Diagnostics) -> Group | None:
    """The group that is meant, if there is one: a declared teacher, a skill of the tree, a column of the files."""
    value = named.value
    match named.kind, value:
        case "teacher", ast.Name(text=name):
            if name in groups.teachers:
                return Group(kind="teacher", value=name)
            otherwise = "a bare name is a declared teacher; a value of the teacher column stands in quotes"
            given = meant(name, groups.teachers, value.span, otherwise)
            if given["help"] == otherwise and groups.corpora and (groups.has_teacher or name in groups.corpora):
                help = f"write `teacher {quoted(name)}` for a value of the teacher column"
                given = Meant(help=help, edits=(Edit(value.span, quoted(name)),))
            notes.error("MIX0201", f"no teacher named `{name}`", value.span, "not declared", **given)
        case "teacher", ast.String(value=name):
            if groups.has_teacher or name in groups.corpora:
                return Group(kind="teacher_value", value=name)
            notes.error(
                "MIX0207",
                "no corpus says which column is its `teacher`",
                named.span,
                "needed here",
                help="write `teacher COLUMN` in the corpus",
            )
        case "skill", ast.String(value=name):
            if not groups.tagged:
                notes.error(
                    "MIX0207",
                    "no skills are declared",
                    named.span,
                    "needed here",
                    help="declare them: `skills NAME { tag by column COLUMN }`",
                )
            elif groups.tree is None or name in groups.tree:
                return Group(kind="skill", value=name)
            else:
                given = meant(name, groups.tree, value.span, _some(groups.tree), text=True)
                notes.error("MIX0201", f"the tree has no skill `{name}`", value.span, "not in the tree", **given)
        case "column", ast.String(value=name) if named.column is not None:
            column = named.column.text
            if barred(column, groups.columns, named.column.span, notes):
                return None
            if groups.columns is None or column in groups.columns:
                return Group(kind="column", value=name, column=column)
            absent(column, groups.columns, named.column.span, notes)
        case _:
            notes.error(
                "MIX0301",
                f"a {named.kind} in a quota is a text in double quotes",
                value.span,
                help=f"write `{quoted(getattr(value, 'text', ''))}`",
                edits=(Edit(value.span, quoted(value.text)),) if isinstance(value, ast.Name) else (),
            )
    return None


def _counted(score: ast.Name, groups: Groups, notes: Diagnostics) -> str | None:
    if score.text in groups.tokens:
        return score.text
    given = meant(score.text, groups.tokens, score.span, "declare one: `score length = tokens()`")
    notes.error("MIX0201", f"no score of unit tokens named `{score.text}`", score.span, "cannot be counted by", **given)
    return None


def _solver(method: ast.Name, notes: Diagnostics) -> str:
    if method.text not in SOLVERS:
        label = "none of them"
        given = meant(method.text, SOLVERS, method.span)
        notes.error("MIX0302", "a solver is `auto`, `exact` or `prices`", method.span, label, **given)
        return "auto"
    return method.text


def _some(names: Iterable[str]) -> str | None:
    listed = sorted(names)
    return (
        f"there {'are' if len(listed) > 1 else 'is'} {', '.join(f'`{n}`' for n in listed[:12])}{' …' * (len(listed) > 12)}"
        if listed
        else None
    )


def tokens_known(tokens: str | None, groups: Groups, clauses: Sequence[Quota | Budget | Expectation], notes: Diagnostics) -> None:
    """MIX0207 at the clauses that count tokens where nothing says how many a row has; `tokens`: the score that `count tokens by` names."""
    if tokens or len(groups.tokens) == 1 or groups.students == 1:
        return
    for clause in clauses:
        if clause.unit in ("tokens", "% of tokens"):
            several = len(groups.tokens) > 1
            help = (
                f"write `count tokens by {groups.tokens[0]}` in `select`"
                if several
                else "declare `score length = tokens(student: …)` or `column(NAME, unit: tokens)`"
            )
            message = "several scores count tokens" if several else "nothing says how many tokens a row has"
            notes.error("MIX0207", message, clause.span, "bounds tokens", help=help)
