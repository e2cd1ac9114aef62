"""What keeps rows out before anything is selected: `decontaminate`, `dedup` and `require`, typed."""

from ..clauses import Require
from ..diagnostics import Diagnostics, Edit, Label
from ..licences import respelt
from ..paths import beside
from ..source import Span
from ..syntax import ast
from ..syntax.format import format_expression
from . import ir
from .inputs import Inputs
from .meant import meant, quoted
from .settings import number

_SIDES = ("prompt", "response")
_WAYS = ("exact", "minhash")
_SIMILAR = 0.8


def obligation(uses: Span | None, decontaminated: bool, notes: Diagnostics) -> None:
    """A spec that trains or evaluates (`uses`: where) says what it was checked against, or why not. The one lint that is an error."""
    if uses and not decontaminated:
        notes.error(
            "MIX0601",
            "nothing says that the training data was checked against the benchmarks",
            uses,
            "trains or evaluates",
            help='add `decontaminate against "bench/*.jsonl" by 8-grams of prompt`, or `decontaminate none because "…"`',
        )


def decontaminate(node: ast.Decontaminate, inputs: Inputs, text: str, notes: Diagnostics) -> ir.Decontaminate:
    """`decontaminate against …`, or its waiver."""
    paths = tuple(beside(a.value, a.span.path) for a in node.against)
    for written, path in zip(node.against, paths, strict=True):
        if inputs.present.get(path) is False:
            notes.error(
                "MIX0208", f"no file matches `{written.value}`", written.span, "nothing there", help="the path is relative to this spec"
            )
    of = node.of.text if node.of else "prompt"
    if of not in _SIDES and node.of:
        near = meant(of, _SIDES, node.of.span)
        notes.error("MIX0302", "decontamination looks at the `prompt` or the `response`", node.of.span, "neither of them", **near)
    if node.words is not None and node.words < 1:
        notes.error("MIX0306", "an n-gram has at least one word", node.span)
    if node.because is not None and not node.because.value.strip():
        notes.error("MIX0301", "a waiver says why", node.because.span, "empty")
    field = node.field.text if isinstance(node.field, ast.Name) else node.field.value if node.field else None
    because = node.because.value if node.because else None
    return ir.Decontaminate(against=paths, words=node.words, of=of, field=field, because=because, text=text, span=node.span)


def dedup(node: ast.Dedup, text: str, notes: Diagnostics) -> ir.Dedup:
    """`dedup by …`."""
    method, of = node.method.text, node.of.text
    if method not in _WAYS:
        near = meant(method, _WAYS, node.method.span)
        notes.error("MIX0302", "`dedup` is `by exact` or `by minhash`", node.method.span, "neither of them", **near)
    if of not in _SIDES:
        near = meant(of, _SIDES, node.of.span)
        notes.error("MIX0302", "`dedup` looks at the `prompt` or the `response`", node.of.span, "neither of them", **near)
    threshold: int | float | None = _SIMILAR if method == "minhash" else None
    given: ast.Argument | None = None
    for argument in node.arguments:
        name = argument.name.text if argument.name else "threshold"
        if method == "exact" or name != "threshold":
            place = argument.name.span if argument.name else None
            near = meant(name, ("threshold",) if method != "exact" else (), place, "`minhash` takes `threshold`")
            notes.error("MIX0302", f"`{method}` has no argument `{name}`", argument.span, "not known", **near)
        elif given is not None:
            first = Label(given.span, "first here")
            notes.error("MIX0202", "`threshold` is given twice", argument.span, "again here", secondary=(first,))
        else:
            given = argument
            threshold = number(notes, "threshold", argument.value, None, least=0)
            if threshold is not None and threshold > 1:
                notes.error("MIX0306", "a similarity is at most 1", argument.span, "more than the same")
            elif threshold == 0:
                notes.error("MIX0306", "a similarity of 0 makes everything a copy", argument.span, "anything at all")
    return ir.Dedup(method=method, of=of, threshold=threshold, text=text, span=node.span)


def require(node: ast.Require, corpora: tuple[tuple[ir.Corpus, ast.Block], ...], notes: Diagnostics) -> Require | None:
    """`require license in [...]`: the licence of a whole corpus is judged here, a column of licences row by row in a run."""
    if node.subject.text != "license":
        near = meant(node.subject.text, ("license",), node.subject.span, 'write `require license in ["MIT"]`')
        notes.error("MIX0302", "only `license` can be required", node.subject.span, "not that", **near)
        return None
    allowed: dict[str, ast.String] = {}
    fine = True
    for item in node.allowed.items:
        if not isinstance(item, ast.String) or not item.value:
            text = quoted(item.text) if isinstance(item, ast.Name) else ""
            notes.error(
                "MIX0301",
                "a licence is a text in double quotes",
                item.span,
                "not in quotes" if text else "something else",
                help=f"write `{text}`" if text else 'such as `"MIT"`',
                edits=(Edit(item.span, text),) if text else (),
            )
            fine = False
            continue
        if item.value in allowed:
            first = Label(allowed[item.value].span, "first here")
            notes.error("MIX0202", f'"{item.value}" stands twice', item.span, "again here", secondary=(first,))
        allowed[item.value] = item
    if not fine:
        return None
    if not allowed:
        notes.error("MIX0301", "no licence is allowed, so no corpus can be used", node.allowed.span, "empty")
        return None
    for corpus, block in corpora:
        here = Label(node.span, "required here")
        said = next((s for s in block.lines if isinstance(s, ast.Setting) and s.keyword.text == "license"), None)
        if corpus.roles.license is not None or (corpus.license is None and (said or block.may_have("license"))):
            continue  # a run looks at each row; or what it says has an error of its own
        if corpus.license is None:
            notes.error(
                "MIX0207",
                f"corpus `{corpus.name}` does not say under which licence it is",
                block.head,
                "no `license`",
                secondary=(here,),
                help=f'write `license "{next(iter(allowed))}"`, or `license COLUMN` where each row has its own',
            )
        elif corpus.license not in allowed:
            near = respelt(corpus.license, allowed)
            notes.error(
                "MIX0406",
                f'corpus `{corpus.name}` is under "{corpus.license}", which is not allowed',
                said.span if said else block.head,
                "not one of them",
                secondary=(here,),
                help=f"did you mean `license {quoted(near)}`?" if near else f"allowed: {', '.join(allowed)}",
                edits=(Edit(said.value.span, quoted(near)),) if near and said else (),
            )
    return Require(text=f"require license in {format_expression(node.allowed)}", allowed=tuple(allowed), span=node.span)
