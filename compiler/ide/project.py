"""A spec as an editor has it open: its text, the texts it extends, what is known of the outside, and what compiling gives."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from ..diagnostics import Diagnostic, Diagnostics
from ..driver import Outcome, compile
from ..paths import beside
from ..semantics.inputs import Inputs
from ..semantics.resolve import Resolved, resolve
from ..source import Source, Span
from ..syntax import ast
from ..syntax.parsed import parsed
from .facts import Facts, facts
from .index import Occurrence, declared_names, index


@dataclass(frozen=True, slots=True)
class File:
    """One file of a chain of specs, with its tree and its names."""

    source: Source
    spec: ast.Spec
    names: tuple[Occurrence, ...]

    @property
    def path(self) -> str:
        return self.source.path

    def at(self, offset: int) -> Occurrence | None:
        """The narrowest name that covers an offset, or ends there."""
        covering = [o for o in self.names if o.span.start <= offset <= o.span.end]
        return min(covering, key=lambda o: (o.span.end == offset, o.span.end - o.span.start), default=None)


Chain = tuple[File, ...]
"""A spec and the specs it extends, the top one last."""


def chain(source: Source, text: Callable[[str], str | None]) -> Chain:
    """`source` and its parents, as far as their texts can be had; a circle ends where it closes."""
    sources = [source]
    while (above := parent(sources[-1])) and above not in (s.path for s in sources):
        found = text(above)
        if found is None:
            break
        sources.append(Source(above, found))
    specs = [parsed(s, Diagnostics()) for s in sources]
    return tuple(
        File(each, specs[number], index(specs[number], *declared_names(specs[number:]))) for number, each in enumerate(sources)
    )


def parent(source: Source) -> str | None:
    """The path of the spec that a text extends."""
    for declaration in parsed(source, Diagnostics()).declarations:
        if isinstance(declaration, ast.Extends):
            return beside(declaration.path.value, source.path)
    return None


@dataclass(frozen=True)
class Project:
    """Everything that a question about `source` may need; the parts that not every question needs are made when first asked for."""

    source: Source
    inputs: Inputs
    told: tuple[Diagnostic, ...] = ()
    """What was found wrong before anything was compiled."""

    @cached_property
    def outcome(self) -> Outcome:
        """What compiling reports; no plan."""
        return compile(self.source, self.inputs, plans=False)

    @cached_property
    def chain(self) -> Chain:
        return chain(self.source, self.inputs.texts.get)

    @property
    def file(self) -> File:
        return self.chain[0]

    @cached_property
    def resolved(self) -> Resolved:
        return resolve(self.source, self.inputs, Diagnostics())

    @cached_property
    def facts(self) -> Facts:
        return facts(self.resolved, tuple(f.spec for f in self.chain), self.inputs)

    def text(self, span: Span) -> str:
        """What stands at a span of one of the chain's files; empty where the file is not one of them."""
        return next((f.source.text[span.start : span.end] for f in self.chain if f.path == span.path), "")

    def line(self, span: Span) -> int:
        """The line of a span, from 1; 0 where its file is none of the chain's."""
        return next((f.source.position(span.start)[0] for f in self.chain if f.path == span.path), 0)
