"""Puts the newlines where the grammar wants them, and closes what was left open.

A line that starts with a keyword, or `}`, closes open brackets; a declaration in column 1 closes an open block.
"""

from dataclasses import dataclass, field

from ..diagnostics import Diagnostics, Edit, Label
from ..source import Source, Span
from .blocks import FILE, keywords, kind_of
from .continued import goes_on, report
from .tokens import END, NEWLINE, Token

CLOSERS = {"(": ")", "[": "]", "{": "}"}
GOES_ON = frozenset(
    (
        ":",
        ",",
        ")",
        "]",
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "=",
        "+",
        "*",
        "/",
        "and",
        "or",
        "in",
        "matches",
        "contains",
        "within",
    )
)
"""What cannot follow the keyword of a clause, but does follow a name within brackets."""


@dataclass(slots=True)
class _Layout:
    source: Source
    tokens: list[Token]
    notes: Diagnostics
    out: list[Token] = field(default_factory=list)
    open: list[tuple[Token, str]] = field(default_factory=list)
    """Open brackets and braces, with the kind of the block for a brace."""
    line: list[Token] = field(default_factory=list)
    """The tokens of the clause so far."""
    broken: Token | None = None
    """The token of the clause behind which a line ended and the clause did not."""

    def run(self) -> list[Token]:
        for i, token in enumerate(self.tokens):
            match token.kind:
                case "NEWLINE":
                    self._newline(i)
                case "{":
                    self._close_brackets(token, "a block begins here")
                    self.open.append((token, kind_of(self.line) or FILE))
                    self._put(token)
                    self.line = []
                case "}":
                    self._close_brackets(token, "the block ends here")
                    self._brace(token)
                case "(" | "[":
                    self.open.append((token, ""))
                    self._put(token)
                case ")" | "]":
                    self._bracket(token)
                case "$END":
                    self._close_brackets(token, "the file ends here")
                    self._close_blocks(token)
                    self._end_line(token.start)
                    self.out.append(token)
                case _:
                    self._put(token)
        return self.out

    def _put(self, token: Token) -> None:
        self.out.append(token)
        self.line.append(token)

    def _end_line(self, at: int) -> None:
        if self.out and self.out[-1].kind not in (NEWLINE, "{"):
            self.out.append(Token(NEWLINE, "", at, at))
        if self.broken is not None and self.line:
            report(self.source, self.line, self.broken, self.notes)
        self.line, self.broken = [], None

    def _newline(self, i: int) -> None:
        following = self.tokens[i + 1 : i + 5]
        if following[0].kind == NEWLINE:
            return
        first = following[0]
        if self._in_brackets:
            if not self._begins_clause(following):
                return
            self._close_brackets(first, "the next clause begins here")
        if first.kind == "{" and self.line and kind_of(self.line):
            gap = Span(self.source.path, self.line[-1].end, first.end)
            edits = () if "#" in self.source.text[gap.start : gap.end] else (Edit(gap, " {"),)
            self.notes.error(
                "MIX0118",
                "`{` stands on the line of its keyword",
                self._span(first),
                "",
                secondary=(Label(self._span(self.line[0]), "its keyword"),),
                help=f"write `{self.source.text[self.line[0].start : self.line[-1].end]} {{` on one line",
                edits=edits,
            )
            return
        if self._lacks_brace(first):
            end = self.line[-1].end
            if not any(t.lost for t in self.line):
                self.notes.error(
                    "MIX0118",
                    f"`{{` is missing after `{self.source.text[self.line[0].start : end]}`",
                    self._span(self.line[-1]),
                    "",
                    help="write `{` at the end of this line",
                    edits=(Edit(Span(self.source.path, end, end), " {"),),
                )
            brace = Token("{", "{", end, end, lost=True)
            self.open.append((brace, kind_of(self.line) or FILE))
            self._put(brace)
            self.line = []
            return
        assigned = first.text.isidentifier() and first.kind == first.text and following[1].kind in ("=", ":")
        if goes_on(self.line, first, begins_clause=assigned or self._begins_clause(following)):
            self.broken = self.broken or self.line[-1]
            return
        self._end_line(self.tokens[i].start)
        if self.open and self._begins_declaration(following):
            self._close_blocks(first)

    @property
    def _in_brackets(self) -> bool:
        return bool(self.open) and self.open[-1][0].kind != "{"

    def _begins_clause(self, following: list[Token]) -> bool:
        first, second = following[0], following[1] if len(following) > 1 else following[0]
        if first.kind in ("}", END):
            return True
        kind = next((kind for token, kind in reversed(self.open) if token.kind == "{"), FILE)
        if first.kind not in keywords(kind) and not self._begins_declaration(following):
            return False
        if second.kind in GOES_ON or second.kind == NEWLINE:
            return False
        if second.kind == "not":
            return len(following) < 3 or following[2].kind != "in"
        return second.kind not in ("(", "-") or first.kind in ("where", "maximize")

    def _begins_declaration(self, following: list[Token]) -> bool:
        first, second = following[0], following[1].kind if len(following) > 1 else END
        third = following[2].kind if len(following) > 2 else END
        if first.kind not in keywords(FILE) or self.source.position(first.start)[1] != 1:
            return False
        match first.kind:
            case "teacher":
                return third in ("from", "generate")
            case "remove":
                return second in keywords(FILE) and third in ("NAME", "STRING")
            case "param" | "score":
                return third == "="
            case "test" | "mix":
                return second == "STRING"
            case "select" | "evaluate":
                return second == "{"
            case "train" | "skills" | "student" | "corpus" | "profile":
                return third in ("{", "from")
            case _:
                return second not in GOES_ON

    def _lacks_brace(self, following: Token) -> bool:
        """Whether a line is the head of a block whose first clause, or end, follows."""
        kind = None if self.open else kind_of(self.line)
        if kind is None or following.kind == "{" or any(t.kind == "from" for t in self.line[2:]):
            return False
        return following.kind == "}" or following.kind in keywords(kind) - keywords(FILE)

    def _bracket(self, token: Token) -> None:
        if self._in_brackets:
            opener, _ = self.open.pop()
            meant = CLOSERS[opener.kind]
            if token.kind != meant:
                self.notes.error(
                    "MIX0108",
                    f"`{opener.kind}` is closed by `{token.kind}`",
                    self._span(token),
                    f"`{meant}` is meant",
                    secondary=(Label(self._span(opener), "opened here"),),
                    help=f"write `{meant}`",
                    edits=(Edit(self._span(token), meant),),
                )
                token = Token(meant, meant, token.start, token.end)
            self._put(token)
        else:
            self.notes.error(
                "MIX0110",
                f"`{token.kind}` closes nothing",
                self._span(token),
                "nothing is open here",
                help="remove it",
                edits=(Edit(self._span(token), ""),),
            )

    def _brace(self, token: Token) -> None:
        if not self.open:
            self.notes.error(
                "MIX0110",
                "`}` closes nothing",
                self._span(token),
                "no block is open here",
                help="remove it",
                edits=(Edit(self._span(token), ""),),
            )
            return
        self.open.pop()
        self._end_line(token.start)
        self.out.append(token)
        self.line = [token]

    def _close_brackets(self, at: Token, why: str) -> None:
        if not self._in_brackets:
            return
        end = self.out[-1].end
        opener, closers = self.open[-1][0], ""
        while self._in_brackets:
            opener, _ = self.open.pop()
            closers += CLOSERS[opener.kind]
            self._put(Token(CLOSERS[opener.kind], CLOSERS[opener.kind], end, end, lost=True))
        shown = closers if len(closers) <= 8 else f"{len(closers)} closing brackets"
        self.notes.error(
            "MIX0108",
            f"`{opener.kind}` is not closed",
            self._span(opener),
            "opened here",
            secondary=(Label(self._span(at), why),) if at.text else (),
            help=f"write `{shown}` at the end of the clause",
            edits=(Edit(Span(self.source.path, end, end), closers),),
        )

    def _close_blocks(self, at: Token) -> None:
        if self.open:
            opener, kind = self.open[0]
            break_before = "" if self.source.text[: at.start].endswith("\n") or not at.start else "\n"
            why = (Label(self._span(at), "the next declaration begins here"),) if at.text else ()
            name = f"the block of `{kind}`" if kind else "a block"
            self.notes.error(
                "MIX0109",
                f"{name} is not closed",
                self._span(opener),
                "opened here",
                secondary=why,
                help="write `}` on a line of its own " + ("before the next declaration" if at.text else "at the end"),
                edits=(Edit(Span(self.source.path, at.start, at.start), break_before + "}\n"),),
            )
        while self.open:
            self.open.pop()
            self._end_line(at.start)
            self.out.append(Token("}", "}", at.start, at.start, lost=True))
            self._end_line(at.start)

    def _span(self, token: Token) -> Span:
        return Span(self.source.path, token.start, token.end)


def lay_out(source: Source, tokens: list[Token], notes: Diagnostics) -> list[Token]:
    """The tokens as the grammar takes them: every clause and declaration ended by one newline, brackets and braces in pairs."""
    return _Layout(source, tokens, notes).run()
