"""A node of the tree to its canonical words: one space between them, no needless parentheses, numbers as written.

Where the lines of a clause end, and where its comments stand, is decided by others.
"""

import re
from functools import singledispatch

from . import ast
from .compose_expression import arguments_of, compose_expression, figure, label, quoted, slot
from .document import Group, Item, Text, flat

Node = ast.Line | ast.Declaration | ast.Pattern | ast.Group | ast.Expr | ast.Benchmark | ast.Heldout | ast.TagBy | ast.PerSkill | ast.Expect


@singledispatch
def compose(node: Node) -> Text:
    """The words of a clause, of a declaration of one line, of the head of a block, or of what stands in them."""
    return compose_expression(node)  # type: ignore[arg-type] - an expression


@compose.register
def _(node: ast.Group) -> Text:
    column = f" {label(node.column.text)}" if node.column else ""
    return (f"{node.kind}{column} ", *compose(node.value))


@compose.register
def _(node: ast.Pattern) -> Text:
    match node.keyword, node.detail:
        case "count", _:
            return ("count tokens",)
        case keyword, None:
            return (keyword,)
        case "quota", ast.Name(shape):
            return (f"quota skill {shape}",)
        case keyword, ast.Group() as group:
            return (f"{keyword} ", *compose(group))
        case keyword, detail:
            return (f"{keyword} ", slot(detail, node.span))


@compose.register
def _(node: ast.Setting) -> Text:
    keyword = node.keyword.text + (" from" if node.keyword.text == "prompts" else "")
    match node.value:
        case ast.TagBy() | ast.Benchmark() | ast.Heldout() | ast.PerSkill() | ast.Expect() as value:
            return (f"{keyword} ", *compose(value))
        case value:
            return (f"{keyword} ", slot(value, node.span))


@compose.register
def _(node: ast.TagBy) -> Text:
    if isinstance(node.value, ast.Call) and node.method == node.value.function:
        return ("by ", *compose(node.value))
    return (f"by {node.method.text} ", *compose(node.value))


@compose.register
def _(node: ast.Benchmark) -> Text:
    columns = (" ", arguments_of(node.columns, node.path.span.end, node.span.end)) if node.columns else ()
    samples = (" samples ", *compose(node.samples)) if node.samples else ()
    limit = (" limit ", *compose(node.limit)) if node.limit else ()
    grade = (" grade ", *compose(node.grade)) if node.grade else ()
    return (f"{node.name.text} ", *compose(node.path), *columns, *samples, *limit, *grade)


@compose.register
def _(node: ast.Heldout) -> Text:
    return (f"{node.corpus.text} where ", slot(node.where, node.span))


@compose.register
def _(node: ast.PerSkill) -> Text:
    amount = (_bound(node.amount),) if isinstance(node.amount, ast.Bound) else compose(node.amount)
    return (*amount, f" per {node.per.text}")


@compose.register
def _(node: ast.Expect) -> Text:
    operator = f" {node.operator} " if node.operator else " "
    return (*compose(node.subject), operator, *compose(node.amount))


@compose.register
def _(node: ast.RemoveSetting) -> Text:
    return (f"remove {node.keyword.text}",)


@compose.register
def _(node: ast.Where) -> Text:
    return ("where ", slot(node.condition, node.span))


@compose.register
def _(node: ast.Keep) -> Text:
    count = flat(compose(node.count))
    if node.by is None:
        return (f"keep at most {count} per prompt",)
    return (f"keep best {count} per prompt by ", slot(node.by, node.span))


@compose.register
def _(node: ast.Quota) -> Text:
    return ("quota ", *compose(node.group), f" {_bound(node.bound)}")


@compose.register
def _(node: ast.SoftQuota) -> Text:
    return (f"quota skill {node.shape.text}", arguments_of(node.arguments, node.shape.span.start, node.span.end))


@compose.register
def _(node: ast.Budget) -> Text:
    return (f"budget {'up to ' if node.up_to else ''}", *compose(node.amount))


@compose.register
def _(node: ast.Maximize) -> Text:
    return ("maximize ", slot(node.by, node.span))


@compose.register
def _(node: ast.CountTokens) -> Text:
    return (f"count tokens by {node.score.text}",)


@compose.register
def _(node: ast.Solver) -> Text:
    return (f"solver {node.method.text}",)


@compose.register
def _(node: ast.Replace) -> Text:
    pattern = (*_after("replace", node.pattern), " with ") if node.pattern else ("replace ",)
    return (*pattern, *compose(node.clause))


@compose.register
def _(node: ast.RemoveClause) -> Text:
    return _after("remove", node.pattern)


@compose.register
def _(node: ast.Add) -> Text:
    place = _after(f" {node.side}", node.pattern) if node.side and node.pattern else ()
    return (*_after("add", node.clause), *place)


@compose.register
def _(node: ast.Extends) -> Text:
    return _after("extends", node.path)


@compose.register
def _(node: ast.ParamDeclaration) -> Text:
    return _after(f"param {node.name.text} =", node.value)


@compose.register
def _(node: ast.Teacher) -> Text:
    where = (" where ", slot(node.condition, node.span)) if node.condition else ()
    return (f"teacher {node.name.text} from {node.corpus.text}", *where)


@compose.register
def _(node: ast.Score) -> Text:
    return _after(f"score {node.name.text} =", node.call)


@compose.register
def _(node: ast.Decontaminate) -> Text:
    if node.because is not None:
        return (f"decontaminate none because {quoted(node.because.value)}",)
    items = tuple(Item((quoted(a.value),), a.span.start, a.span.end) for a in node.against)
    assert node.of is not None
    field = () if node.field is None else (" field: ", *compose(node.field))
    against = Group(items, node.span.start, node.span.end, "[]", shown=len(items) > 1, commas=True, breaks=len(items) > 1)
    return ("decontaminate against ", against, f" by {node.words}-grams of {node.of.text}", *field)


@compose.register
def _(node: ast.Dedup) -> Text:
    arguments = arguments_of(node.arguments, node.method.span.start, node.of.span.start)
    return (f"dedup by {node.method.text}", arguments, f" of {node.of.text}")


@compose.register
def _(node: ast.Require) -> Text:
    return _after(f"require {node.subject.text} in", node.allowed)


@compose.register
def _(node: ast.Sweep) -> Text:
    return _after(f"sweep {node.param.text} in", node.values)


@compose.register
def _(node: ast.Ablate) -> Text:
    return _after("ablate", node.pattern)


@compose.register
def _(node: ast.RemoveDeclaration) -> Text:
    return _after(f"remove {node.kind.text}", node.name) if node.name else (f"remove {node.kind.text}",)


@compose.register
def _(node: ast.Block) -> Text:
    """The head, without its brace."""
    generates = node.kind == "generate"
    name = (" ", *compose(node.name)) if node.name else ()
    return ("teacher" if generates else node.kind, *name, *((" generate",) if generates else ()))


def _after(words: str, node: Node) -> Text:
    """The words before a node and the node, its first words joined to them."""
    first, *rest = compose(node)
    return (f"{words} {first}", *rest) if isinstance(first, str) else (f"{words} ", first, *rest)


def _bound(bound: ast.Bound) -> str:
    if bound.operator != "..":
        amount = bound.high if bound.low is None else bound.low
        assert amount is not None
        return f"{bound.operator} {flat(compose(amount))}"
    assert bound.low is not None and bound.high is not None
    low = flat(compose(bound.low))
    if bound.low.unit == bound.high.unit:
        low = figure(bound.low)
        # `3k%` is no percentage; without a sign the lower end takes the unit of the upper one.
        low += "%" if (bound.low.unit or "").startswith("%") and not re.search("[A-Za-z]", low.partition("$")[0]) else ""
    return f"{low}..{flat(compose(bound.high))}"
