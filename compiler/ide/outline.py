"""The declarations of a file with their clauses, for an outline, and what can be folded away."""

from dataclasses import dataclass

from ..source import Span
from ..syntax import ast
from ..syntax.format import format_clause, format_expression
from .project import File


@dataclass(frozen=True, slots=True)
class Entry:
    """`kind`: the keyword of a declaration, or `clause`. `name` is what the cursor is put on, `whole` all of it."""

    title: str
    detail: str
    kind: str
    name: Span
    whole: Span
    children: tuple["Entry", ...] = ()


def outline(file: File) -> tuple[Entry, ...]:
    """The declarations in their order."""
    return tuple(_entry(d) for d in file.spec.declarations)


def folds(file: File) -> tuple[Span, ...]:
    """Blocks, and runs of comments that stand alone."""
    blocks = [d.span for d in file.spec.declarations if isinstance(d, ast.Block)]
    runs: list[Span] = []
    for comment in (c for c in file.spec.comments if c.alone):
        between = file.source.text[runs[-1].end : comment.span.start] if runs else ""
        if runs and not between.strip() and between.count("\n") == 1:
            runs[-1] = runs[-1].to(comment.span)
        else:
            runs.append(comment.span)
    return tuple(span for span in (*blocks, *runs) if "\n" in file.source.text[span.start : span.end])


def _entry(node: ast.Declaration) -> Entry:
    whole = node.span
    match node:
        case ast.Block(kind=kind, name=name, lines=lines):
            title = name.text if isinstance(name, ast.Name) else name.value if name else kind
            shown = "teacher" if kind == "generate" else kind
            children = tuple(_clause(line) for line in lines)
            place = name.span if name else node.head
            return Entry(title or kind, shown if name else "", shown, place, whole, children)
        case ast.ParamDeclaration(name=name, value=value):
            return Entry(f"${name.text}", f"param = {format_expression(value)}", "param", name.span, whole)
        case ast.Teacher(name=name, corpus=corpus):
            return Entry(name.text, f"teacher from {corpus.text}", "teacher", name.span, whole)
        case ast.Score(name=name, call=call):
            return Entry(name.text, format_expression(call), "score", name.span, whole)
        case ast.Extends(path=path):
            return Entry("extends", path.value, "extends", path.span, whole)
        case ast.Decontaminate(against=against, because=because):
            return Entry("decontaminate", ", ".join(a.value for a in against) or f"none, {because.value if because else ''}", "decontaminate", whole, whole)
        case ast.Dedup(method=method, of=of):
            return Entry("dedup", f"{method.text} of {of.text}", "dedup", whole, whole)
        case ast.Require(subject=subject, allowed=allowed):
            return Entry("require", f"{subject.text} in {format_expression(allowed)}", "require", whole, whole)
        case ast.Sweep(param=param, values=values):
            return Entry("sweep", f"{param.text} in {format_expression(values)}", "sweep", param.span, whole)
        case ast.Ablate():
            return Entry("ablate", "", "ablate", whole, whole)
        case ast.RemoveDeclaration(kind=kind, name=name):
            named = name.text if isinstance(name, ast.Name) else name.value if name else ""
            return Entry(f"remove {kind.text}", named, "remove", name.span if name else whole, whole)


def _clause(line: ast.Line) -> Entry:
    word, _, rest = format_clause(line).partition(" ")
    place = line.keyword.span if isinstance(line, ast.Setting) else line.span
    return Entry(word, rest, "clause", place, line.span)
