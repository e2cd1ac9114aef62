"""Text to tree. Goes on after an error at the next clause, and gives back all that could be read; looks nothing up."""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ..diagnostics import Diagnostic, Diagnostics, TooMany
from ..source import Source, Span
from . import ast
from .automaton import DEEPEST, Automaton, TooDeep, Unexpected, load
from .blocks import FILE, HEADS, kind_of
from .build import Builder, Unfit
from .explain import Place, explain
from .habits import SKIPPED
from .layout import lay_out
from .misspelt import intended
from .tokens import END, NEWLINE, Token, tokenize

LARGEST = 256 * 1024
"""Bytes of a file."""
LONGEST = 10_000
"""Lines of a file."""
MOST = 100
"""Diagnostics of one file."""
HOPELESS = 1_000
"""Errors beyond those that are shown, after which reading stops: it is no spec."""


def parse(source: Source, notes: Diagnostics) -> ast.Spec:
    """The tree of a text, without the clauses that are reported to `notes`; never raises for what a user wrote."""
    whole = Span(source.path, 0, len(source.text))
    if fault := _too_large(source.text):
        start = Span(source.path, 0, min(1, len(source.text)))
        notes.error("MIX0117", fault, start, "", help="split it: a spec may extend another with `extends`")
        return ast.Spec((), lost=(ast.Lost("", None, span=whole),), span=whole)
    found = _Found()
    declarations: tuple[ast.Declaration, ...] = ()
    comments: tuple[ast.Comment, ...] = ()
    lost: tuple[ast.Lost, ...] = ()
    with suppress(TooMany):
        tokens, comments = tokenize(source, found)
        tokens = lay_out(source, tokens, found)
        reader = _Parse(source, tokens, found)
        declarations = reader.run()
        lost = tuple(reader.lost)
    for diagnostic in found:
        notes.report(diagnostic)
    if found.more:
        start = Span(source.path, 0, min(1, len(source.text)))
        notes.error(
            "MIX0121",
            f"more than {MOST} errors of syntax",
            start,
            f"{found.more} more are not shown" if found.more < HOPELESS else f"reading stopped after {HOPELESS:,} more",
            help="is this a spec?",
        )
        lost = (*lost, ast.Lost("", None, span=start))
    return ast.Spec(declarations, comments, lost, span=whole)


@dataclass(slots=True)
class _Found(Diagnostics):
    """Takes the first `MOST` diagnostics and counts the others, as far as `HOPELESS`: then it is TooMany."""

    more: int = 0

    def report(self, diagnostic: Diagnostic) -> None:
        if len(self.reported) < MOST:
            self.reported.append(diagnostic)
        else:
            self.more += 1
            if self.more >= HOPELESS:
                raise TooMany


def _too_large(text: str) -> str | None:
    if len(text) > LARGEST or len(text.encode("utf-8", "surrogatepass")) > LARGEST:
        return f"a spec has at most {LARGEST // 1024} KB"
    if text.count("\n") + (not text.endswith("\n")) > LONGEST:
        return f"a spec has at most {LONGEST:,} lines"
    return None


@dataclass(slots=True)
class _Parse:
    source: Source
    tokens: list[Token]
    notes: Diagnostics
    automaton: Automaton = field(init=False)
    first: int = -1
    """Index of the first token of the clause."""
    snapshot: Any = None
    """The automaton at the beginning of the clause."""
    failed: bool = False
    """Whether the clause has had its error."""
    kinds: list[str] = field(default_factory=list)
    """The kinds of the blocks around."""
    lost: list[ast.Lost] = field(default_factory=list)
    """The clauses of which not all could be read."""

    def __post_init__(self) -> None:
        self.automaton = Automaton(load(), Builder(self.source.path))

    def run(self) -> tuple[ast.Declaration, ...]:
        i, fresh = 0, True
        while True:
            token = self.tokens[i]
            if fresh and i != self.first:
                self.first, self.failed, self.snapshot = i, False, self.automaton.snapshot()
            try:
                if self.automaton.feed(token, self._mark if fresh else None):
                    break
            except Unexpected:
                i, fresh = self._recover(i)
                continue
            except (TooDeep, Unfit) as error:
                self._lose(self.tokens[self.first : self._end(i)])
                self._unfit(error)
                i, fresh = self._skip(i) + 1, True
                continue
            self._follow(i)
            fresh = token.kind in (NEWLINE, "{")
            if fresh and not self.failed and any(t.lost for t in self.tokens[self.first : i]):
                self._lose(self.tokens[self.first : i])
            i += 1
        return tuple(d for d in self.automaton.value if not _is_nameless(d))

    def _mark(self) -> None:
        self.snapshot = self.automaton.snapshot()

    def _follow(self, i: int) -> None:
        match self.tokens[i].kind:
            case "{":
                self.kinds.append(kind_of(self.tokens[self.first : i]) or FILE)
            case "}" if self.kinds:
                self.kinds.pop()

    def _recover(self, i: int) -> tuple[int, bool]:
        """Report the token that does not fit, and say where to go on and whether a clause begins there."""
        token, accepted = self.tokens[i], self.automaton.table.accepted(self.automaton.states)
        clause = self.tokens[self.first : self._end(i)]
        place = Place(self.source, clause, i - self.first, accepted, self.kinds[-1] if self.kinds else FILE)
        meant = None
        if not self.failed and not any(t.lost for t in clause):
            meant = explain(place, self.notes)
        if meant is not None and meant.kind == SKIPPED:
            del self.tokens[i]
            return i, False
        if meant is not None and meant.kind == NEWLINE and NEWLINE in accepted and len(self.notes.reported) < MOST:
            self.failed = True
            self.tokens[i : i + (meant.end == token.end)] = [meant]
            return i, False
        if meant is not None and meant.start < token.start:
            self.failed = True
            self.tokens[i - 1] = meant
            self.automaton.restore(self.snapshot)
            return self.first, True
        if meant is not None and meant.kind in accepted:
            self.failed = True
            self.tokens[i] = meant
            return i, i == self.first
        self.failed = True
        self._lose(clause)
        if NEWLINE in accepted and i > self.first:
            return self._skip(i), False
        kind = kind_of(clause)
        brace = next((j for j in range(i, self._end(i)) if self.tokens[j].kind == "{"), None)
        if kind and not self.kinds and brace is not None and self.tokens[self.first].kind != "}":
            self._assume_head(kind, token)
            return brace, False
        self.automaton.restore(self.snapshot)
        end = self._skip(i)
        return (end, False) if self.tokens[end].kind == END else (end + 1, True)

    def _lose(self, clause: list[Token]) -> None:
        """Remember a clause of which not all is read, so that nothing is said of what is missing for it."""
        if not clause or clause[0].kind in ("{", "}", NEWLINE, END):
            return
        kind = self.kinds[-1] if self.kinds else FILE
        named = next((t.text for t in clause[1:2] if t.text.isidentifier()), None)
        span = Span(self.source.path, clause[0].start, max(clause[-1].end, clause[0].start))
        self.lost.append(ast.Lost(kind, intended(clause[0].text, kind), None if kind else named, span=span))

    def _assume_head(self, kind: str, at: Token) -> None:
        """Take a head that does not parse for one without a name, so that its block can be read."""
        self.automaton.restore(self.snapshot)
        for terminal in HEADS[kind]:
            text = {"NAME": "", "STRING": '""'}.get(terminal, terminal)
            self.automaton.feed(Token(terminal, text, at.start, at.start))

    def _unfit(self, error: TooDeep | Unfit) -> None:
        self.automaton.restore(self.snapshot)
        if self.failed:
            return
        if isinstance(error, Unfit):
            self.notes.error("MIX0101", error.message, error.span, error.label)
            return
        span = Span(self.source.path, error.start, error.end)
        self.notes.error(
            "MIX0116",
            f"an expression is nested deeper than {DEEPEST}",
            span,
            "",
            help='write `x in ["a", "b"]` for a long `or`, or split the condition into several `where`',
        )

    def _end(self, i: int) -> int:
        """The index of the newline or the `{` that ends the words of this clause."""
        while self.tokens[i].kind not in (NEWLINE, END):
            if self.tokens[i].kind == "{":
                return i + 1
            i += 1
        return i

    def _skip(self, i: int) -> int:
        """The index of the newline that ends this clause, blocks in it included, or of the end."""
        depth = 0
        while (kind := self.tokens[i].kind) != END and (kind != NEWLINE or depth > 0):
            depth += (kind == "{") - (kind == "}")
            i += 1
        return i


def _is_nameless(declaration: ast.Declaration) -> bool:
    name = getattr(declaration, "name", None)
    return name is not None and name.span.start == name.span.end
