"""The parse table as an automaton: states, shifts, reductions. What a rule means is handed in; nothing here knows the language."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from ...grammar import table
from .tokens import END, NEWLINE, Token

DEEPEST = 100
"""Nodes within nodes. Later passes recurse, and Python's stack is finite."""


@dataclass(frozen=True, slots=True)
class Rule:
    origin: str
    size: int
    node: str
    kept: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """`rows[state][symbol]`: n >= 0 goes to state n, n < 0 reduces by rule -n-1."""

    start: int
    end: int
    rules: tuple[Rule, ...]
    rows: tuple[dict[str, int], ...]
    words: frozenset[str]

    def accepted(self, states: list[int]) -> frozenset[str]:
        """The terminals that may come next, tried out one by one."""
        return frozenset(
            s for s in self.rows[states[-1]] if not (s[0] == "<" and s[-1] == ">") and self._accepts(states, s)
        )

    def after(self, kinds: Iterable[str]) -> list[int]:
        """The states after these terminals, from the start."""
        states = [self.start]
        for kind in kinds:
            self._advance(states, kind)
        return states

    def _accepts(self, states: list[int], kind: str) -> bool:
        return self._advance(list(states), kind)

    def _advance(self, states: list[int], kind: str) -> bool:
        while (action := self.rows[states[-1]].get(kind)) is not None and action < 0:
            rule = self.rules[-action - 1]
            if rule.size:
                del states[-rule.size :]
            states.append(self.rows[states[-1]][rule.origin])
        if action is not None:
            states.append(action)
            return True
        return kind == END and states[-1] == self.end


@cache
def load() -> Table:
    """The table that the package ships."""
    data = table()
    symbols = data["symbols"]
    rows = tuple({symbols[i]: action for action, members in row for i in members} for row in data["states"])
    rules = tuple(Rule(origin, size, node, tuple(kept)) for origin, size, node, kept in data["rules"])
    return Table(data["start"], data["end"], rules, rows, frozenset(data["words"]))


class Unexpected(Exception):
    """The token fits nowhere; the automaton stands as before it."""


class TooDeep(Exception):
    """An expression is nested deeper than `DEEPEST`; carries its start and end."""

    def __init__(self, start: int, end: int) -> None:
        super().__init__(start, end)
        self.start, self.end = start, end


Builder = Callable[[str, list[Any], int, int], Any]
"""Node of a rule, its children, start and end: the value."""


Entry = tuple[int, Any, int, int, int]
"""State, value, start, end, and how deep the value is."""


@dataclass(slots=True)
class Automaton:
    """A parse under way."""

    table: Table
    build: Builder
    stack: list[Entry] = field(init=False)

    def __post_init__(self) -> None:
        self.stack = [(self.table.start, None, 0, 0, 0)]

    @property
    def states(self) -> list[int]:
        return [entry[0] for entry in self.stack]

    @property
    def value(self) -> Any:
        """What was built last: at the end of the text, the whole."""
        return self.stack[-1][1]

    def feed(self, token: Token, before: Callable[[], None] | None = None) -> bool:
        """Take in one token; `before` is called when all reductions are done. True at the end of the text."""
        stack, rows, rules, kind = self.stack, self.table.rows, self.table.rules, token.kind
        while True:
            action = rows[stack[-1][0]].get(kind)
            if action is None:
                if kind == END and stack[-1][0] == self.table.end:
                    return True
                raise Unexpected
            if action >= 0:
                break
            rule = rules[-action - 1]
            if rule.size == 1 and not rule.node and rule.kept:
                _, value, start, end, depth = stack.pop()
                stack.append((rows[stack[-1][0]][rule.origin], value, start, end, depth))
            else:
                self._reduce(rule, token.start)
        if before:
            before()
        if kind == NEWLINE:
            state, value, start, end, _ = stack[-1]
            stack[-1] = (state, value, start, end, 0)
        stack.append((action, token, token.start, token.end, 0))
        return False

    def snapshot(self) -> list[Entry]:
        return self.stack[:]

    def restore(self, snapshot: list[Entry]) -> None:
        self.stack = snapshot[:]

    def _reduce(self, rule: Rule, at: int) -> None:
        stack, size = self.stack, rule.size
        if size:
            entries = stack[-size:]
            start, end = entries[0][2], entries[-1][3]
            depth = max([entry[4] for entry in entries]) + (1 if rule.node else 0)
            if depth > DEEPEST:
                raise TooDeep(start, end)
            del stack[-size:]
            children = _flatten([entries[i][1] for i in rule.kept])
        else:
            start = end = at
            depth, children = 0, []
        value = self.build(rule.node, children, start, end) if rule.node else children
        stack.append((self.table.rows[stack[-1][0]][rule.origin], value, start, end, depth))


def _flatten(values: list[Any]) -> list[Any]:
    """Children of rules that dissolve are lists; the first is added to, so that a long list is not copied for each member."""
    if not values:
        return values
    first, *rest = values
    children = first if type(first) is list else [first]
    for value in rest:
        if type(value) is list:
            children.extend(value)
        else:
            children.append(value)
    return children
