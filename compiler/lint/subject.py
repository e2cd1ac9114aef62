"""What a lint looks at: a spec that compiles, as it was written and as it was understood."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..clauses import Where
from ..diagnostics import Diagnostics
from ..reason.rows import Origin
from ..semantics import ir
from ..semantics.emptiness import origins, ranges
from ..semantics.inputs import Inputs
from ..semantics.resolve import Resolved
from ..source import Source, Span
from ..syntax import ast


@dataclass(frozen=True, slots=True)
class Subject:
    """`origins`: where rows can come from; `spec` holds the trees with their places, `mixture` what they mean."""

    spec: Resolved
    mixture: ir.Mixture
    inputs: Inputs
    origins: tuple[Origin, ...]

    @property
    def select(self) -> ast.Block | None:
        return next(iter(self.spec.blocks("select")), None)

    @property
    def wheres(self) -> list[tuple[int, Where]]:
        """The conditions of `select`, each with its number among the filters."""
        return [(i, step) for i, step in enumerate(self.mixture.selection.steps) if isinstance(step, Where)]

    def score(self, name: str) -> ir.Score | None:
        return next((s for s in self.mixture.scores if s.name == name), None)

    def line_of(self, span: Span) -> Span:
        """The whole lines of a clause that has them to itself, with the line end; else the clause's own place."""
        return whole_lines(next(s for s in self.spec.sources if s.path == span.path), span)

    def is_own(self, span: Span) -> bool:
        """Whether a place is in the checked file, not in one that it extends."""
        return span.path == self.spec.end.path


Rule = Callable[[Subject, Diagnostics], None]


def subject(spec: Resolved, mixture: ir.Mixture, inputs: Inputs) -> Subject:
    """A spec that compiled, made ready for the rules."""
    corpora = {c.name: c for c in mixture.corpora}
    looked = {name: found if not isinstance(found := inputs.columns.get(c.path), str) else None for name, c in corpora.items()}
    generated = bool(spec.blocks("generate"))
    steps, promised = len(mixture.selection.steps), ranges(mixture.scores)
    found = origins(corpora, mixture.teachers, looked, promised, generated=generated, conditions=steps, notes=Diagnostics())
    return Subject(spec, mixture, inputs, found)


def whole_lines(source: Source, span: Span) -> Span:
    """The lines of a place, with the line end, where nothing else stands on them; else the place."""
    text = source.text
    start, end = text.rfind("\n", 0, span.start) + 1, text.find("\n", span.end)
    end = len(text) if end < 0 else end + 1
    alone = not text[start : span.start].strip() and not text[span.end : end].strip()
    return Span(span.path, start, end) if alone else span


def parts(node: object) -> Iterator[ast.Expr]:
    """Every part of an expression as it was written, the whole first."""
    match node:
        case ast.Unary(operand=inner) | ast.Rank(operand=inner):
            children: tuple = (inner,)
        case ast.Binary(left=left, right=right):
            children = (left, right)
        case ast.List(items=items):
            children = items
        case _:
            children = ()
    yield node  # type: ignore[misc]
    for child in children:
        yield from parts(child)
