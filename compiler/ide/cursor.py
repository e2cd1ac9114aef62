"""Where a cursor stands: the block around, the clause before it, and what the grammar lets come next.

Judged from the tokens before the cursor alone, so what is broken elsewhere, or half written here, does no harm.
"""

import re
from dataclasses import dataclass

from ..diagnostics import Diagnostics
from ..source import Source
from ..syntax import ast
from ..syntax.automaton import Automaton, TooDeep, Unexpected, load
from ..syntax.blocks import FILE, HEADS, keywords, kind_of
from ..syntax.layout import lay_out
from ..syntax.parse import LARGEST
from ..syntax.tokens import END, NEWLINE, Token, tokenize

_WORD = re.compile(r"\$?[A-Za-z_][A-Za-z0-9_]*\Z|\$\Z")


@dataclass(frozen=True, slots=True)
class Cursor:
    """`start` is where the word, or the text of the string, that is being typed begins; `kind` the block around, FILE outside of all.

    `clause` are the tokens of the clause before that word, `accepted` the terminals that may take its place,
    `used` the keywords that begin a line of the block already, looked for where a line begins.
    """

    offset: int
    start: int
    prefix: str
    kind: str
    name: str
    clause: tuple[Token, ...]
    accepted: frozenset[str]
    used: frozenset[str]
    quoted: bool = False
    comment: str | None = None

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(t.text for t in self.clause)


def cursor(source: Source, offset: int) -> Cursor:
    """Where `offset` stands in the text."""
    before = source.text[:offset] if len(source.text) <= LARGEST else ""
    tokens, comments = tokenize(Source(source.path, before), Diagnostics())
    if comments and comments[-1].span.end == offset and comments[-1].span.start < offset:
        text = comments[-1].text
        return Cursor(offset, offset, "", FILE, "", (), frozenset(), frozenset(), comment=text)
    last = tokens[-2] if len(tokens) > 1 else None
    quoted = last is not None and last.kind == "STRING" and last.lost and before[last.start] == '"' and "\n" not in before[last.start :]
    if quoted and last is not None:
        start = last.start + 1
        cut = last.start
    else:
        word = _WORD.search(before)
        start = cut = word.start() if word else offset
    end = Token(END, "", cut, cut)
    laid = lay_out(Source(source.path, before[:cut]), [*(t for t in tokens if t.start < cut and t.kind != END), end], Diagnostics())
    blocks, clause = _place(laid, before[:cut])
    kind, name, opened = blocks[-1] if blocks else (FILE, "", -1)
    used = frozenset() if clause else _used(source, kind, opened)
    return Cursor(offset, start, before[start:], kind, name, tuple(clause), _accepted(kind, clause), used, quoted=quoted)


def _place(tokens: list[Token], before: str) -> tuple[list[tuple[str, str, int]], list[Token]]:
    """The blocks that are open at the end, each with its kind, its name and the place of its brace, and the clause under way."""
    blocks: list[tuple[str, str, int]] = []
    clause: list[Token] = []
    last = max((i for i, t in enumerate(tokens) if t.kind not in (NEWLINE, END) and not (t.lost and t.start == t.end)), default=-1)
    for token in tokens[: last + 1]:
        match token.kind:
            case "{":
                name = clause[1].text.strip('"') if len(clause) > 1 else ""
                blocks.append((kind_of(clause) or FILE, name, token.start))
                clause = []
            case "}":
                if blocks:
                    blocks.pop()
                clause = []
            case "NEWLINE":
                clause = []
            case _:
                clause.append(token)
    depth = sum((t.kind in ("(", "[")) - (t.kind in (")", "]")) for t in clause)
    ended = clause and depth <= 0 and "\n" in before[clause[-1].end :]
    return blocks, [] if ended else clause


def _accepted(kind: str, clause: list[Token]) -> frozenset[str]:
    """What may follow these tokens in a block of this kind; nothing where they fit nowhere."""
    automaton = Automaton(load(), lambda node, children, start, end: None)
    before = (*HEADS[kind], "{") if kind else ()
    try:
        for token in (*(Token(k, k, 0, 0) for k in before), *clause):
            automaton.feed(token)
    except (Unexpected, TooDeep):
        return frozenset()
    return automaton.table.accepted(automaton.states)


def _used(source: Source, kind: str, opened: int) -> frozenset[str]:
    """The keywords that begin the lines of the block whose brace stands at `opened`."""
    if opened < 0:
        return frozenset()
    found: set[str] = set()
    depth, fresh = 0, False
    tokens, _ = tokenize(source, Diagnostics())
    for token in lay_out(source, tokens, Diagnostics()):
        if token.start < opened:
            continue
        if token.kind == "{":
            depth, fresh = depth + 1, True
            continue
        if token.kind == "}" and (depth := depth - 1) <= 0:
            break
        if fresh and token.kind in keywords(kind):
            found.add(token.kind)
        fresh = token.kind == NEWLINE
    return frozenset(found)


def word_at(source: Source, offset: int) -> Token | None:
    """The token that covers an offset, or ends there."""
    tokens, _ = tokenize(source, Diagnostics())
    covering = [t for t in tokens if t.start <= offset <= t.end and t.kind not in (NEWLINE, END)]
    return min(covering, key=lambda t: t.end == offset, default=None)


def block_at(spec: ast.Spec, offset: int) -> ast.Block | None:
    """The block that covers an offset."""
    blocks = (d for d in spec.declarations if isinstance(d, ast.Block))
    return next((b for b in blocks if b.span.start <= offset <= b.span.end), None)
