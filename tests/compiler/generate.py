"""Specs that nobody wrote: words derived from the grammar itself, so that every rule of it is met, written in every untidy way."""

from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from random import Random

from lark import Lark
from lark.grammar import Rule
from lark.lexer import PatternStr
from mixc.compiler.diagnostics import Diagnostics
from mixc.compiler.source import Source
from mixc.compiler.syntax.tokens import END, tokenize
from mixc.grammar import grammar_text, table

NL = "\n"
OPEN, CLOSED = ("(", "["), (")", "]")
NAMES = ("a", "b_1", "Traces", "_", "correct", "p200", "k", "M", "naïve"[:2], "p", "examples_", "x" * 30)
NUMBERS = ("0", "1", "3", "007", "2.50", "0.6", "1e-5", "2E+3", "4k", "1.5k", "2M", "3B", "1000", "100", "12345678901234567890")
PERCENTS = ("40%", "0%", "12.5%", "100%")
STRINGS = ('""', '"a"', '"Algebra"', '"a \\"b\\" \\\\d+ # no comment"', '"é 数 🙂"', '"../data/*.parquet"', '" { [ ( "', f'"{"long " * 12}"')
QUANTILES = ("p5", "p20", "p05", "p99")
COMMENTS = ("#", "# why", "#close", "#  two  spaces   ", '# "quote', "# { [ ( ) ] }", "# é 数 🙂", "# mixc: allow MIX0601 because \"x\"", "## a\tb")
GOES_ON = frozenset((":", ",", ")", "]", "==", "!=", "<", "<=", ">", ">=", "=", "+", "*", "/", "and", "or", "in", "matches", "contains", "within"))


@cache
def _lark() -> Lark:
    return Lark(grammar_text(), parser="lalr", lexer="basic", start="file")


@cache
def _literals() -> dict[str, str]:
    return {t.name: t.pattern.value for t in _lark().terminals if isinstance(t.pattern, PatternStr)}


@cache
def _rules() -> dict[str, list[Rule]]:
    found: dict[str, list[Rule]] = {}
    for rule in _lark().rules:
        found.setdefault(rule.origin.name, []).append(rule)
    return found


@cache
def _least() -> dict[str, int]:
    """How deep the shallowest derivation of each rule is."""
    least = dict.fromkeys(_rules(), 10**6)
    for _ in range(len(least)):
        for name, rules in _rules().items():
            least[name] = min(least[name], *(_depth(rule, least) for rule in rules))
    return least


def _depth(rule: Rule, least: dict[str, int]) -> int:
    return 1 + max((least[s.name] for s in rule.expansion if not s.is_term), default=0)


def every_rule() -> set[Rule]:
    """The rules of the grammar, but for those that make a file of declarations."""
    return {rule for rule in _lark().rules if rule.origin.name not in ("file", "__file_star_0")}


@dataclass(slots=True)
class Derivation:
    """Derives words from the grammar: always something that parses."""

    random: Random
    met: Counter[Rule] = field(default_factory=Counter)
    """How often each rule was used, over all that was derived."""

    def declarations(self, count: int) -> list[str]:
        """The words of that many declarations, newlines among them."""
        words: list[str] = []
        for _ in range(count):
            self._derive("_declaration", 30, words)
            words.append(NL)
        return words

    def _derive(self, name: str, room: int, words: list[str]) -> None:
        rules, least = _rules()[name], _least()
        fitting = [rule for rule in rules if _depth(rule, least) <= room]
        unmet = [rule for rule in fitting if not self.met[rule]]
        rule = self.random.choice(unmet or fitting) if fitting else min(rules, key=lambda rule: _depth(rule, least))
        self.met[rule] += 1
        for i, symbol in enumerate(rule.expansion):
            if not symbol.is_term:
                self._derive(symbol.name, room - 1, words)
            elif symbol.name == "NUMBER" and [s.name for s in rule.expansion[i + 1 : i + 3]] == ["MINUS", "GRAMS"]:
                words.append(self.random.choice(("8", "13", "1k")))
            else:
                words.append(self._terminal(symbol.name))

    def _terminal(self, name: str) -> str:
        if name in _literals():
            return _literals()[name]
        match name:
            case "_NL":
                return NL
            case "STRING":
                return self.random.choice(STRINGS)
            case "NUMBER":
                return self.random.choice(NUMBERS)
            case "PERCENT":
                return self.random.choice(PERCENTS)
            case "PARAM" | "PARAM_PERCENT":
                return "$" + self.random.choice(NAMES) + "%" * (name == "PARAM_PERCENT")
            case "QUANTILE":
                return self.random.choice(QUANTILES)
            case "NAME":
                return self.random.choice(NAMES)
            case _:
                raise AssertionError(f"no text for the terminal {name}")


def words_of(text: str) -> list[str]:
    """The words of a spec that parses, a newline for each line end outside brackets; comments are left out."""
    tokens, _ = tokenize(Source("a.mix", text), Diagnostics())
    words: list[str] = []
    depth = 0
    for token in tokens:
        depth += (token.kind in OPEN) - (token.kind in CLOSED)
        if token.kind == END or (token.kind == "NEWLINE" and (depth or not words or words[-1] in (NL, "{"))):
            continue
        words.append(NL if token.kind == "NEWLINE" else token.text)
    return words


def scrawl(words: list[str], random: Random, comments: bool = True) -> str:
    """The words with the oddest spaces, line ends and comments between them that change nothing."""
    pen = _Pen(random, random.choice((0.0, 0.1, 0.4)) if comments else 0.0, frozenset(table()["words"]))
    return pen.write([*words, NL] if words[-1:] != [NL] else words)


@dataclass(slots=True)
class _Pen:
    random: Random
    often: float
    """How often a comment stands where one may."""
    keywords: frozenset[str]

    def write(self, words: list[str]) -> str:
        out = [self.lines(1.5)]
        depth = 0
        for i, word in enumerate(words):
            before, after = words[i - 1] if i else NL, words[i + 1] if i + 1 < len(words) else NL
            if word == NL:
                # The last line of a block may end with its brace.
                out.append(self.spaces(0) if after == "}" and self.random.random() < 0.3 else self.end() + self.lines(0.7))
                continue
            if before not in (NL, "{"):
                out.append(self.between(before, word, after, depth))
            elif before == "{" and self.random.random() < 0.7:
                out.append(self.end() + self.lines(0.4))
            depth += (word in OPEN) - (word in CLOSED)
            out.append(self.spaces(0) + word if before in (NL, "{") else word)
        text = "".join(out)
        if self.random.random() < 0.2:
            text = text.replace("\n", "\r\n")
        if self.random.random() < 0.1:
            text = text.rstrip()
        return "\ufeff" * (self.random.random() < 0.1) + text

    def between(self, before: str, word: str, after: str, depth: int) -> str:
        # A word that may begin a clause begins no line inside brackets, unless what follows shows that it is a name.
        may_begin = word in self.keywords and after not in GOES_ON and word not in GOES_ON
        if depth and not may_begin and self.random.random() < 0.08 + self.often / 2:
            return self.end() + self.lines(0.3) + self.spaces(0)
        close = before[-1] in "$%._" or before[-1].isalnum()
        apart = (close and (word[0] in "$%_." or word[0].isalnum())) or (before == "," and word[0].isdigit())
        return self.spaces(1 if apart and not (before[-1].isdigit() and word == "..") else 0)

    def end(self) -> str:
        """The end of a line, perhaps with a comment beside what it ends."""
        return self.spaces(0) + self.comment() + "\n"

    def lines(self, mean: float) -> str:
        """Blank lines, and comments on lines of their own."""
        found = ""
        while self.random.random() < mean / (mean + 1):
            found += self.spaces(0) + self.comment() + "\n"
        return found

    def comment(self) -> str:
        return self.random.choice(COMMENTS) if self.random.random() < self.often else ""

    def spaces(self, least: int) -> str:
        return self.random.choice((" ", " ", "  ", "\t", " \t  ")) if least or self.random.random() < 0.7 else ""
