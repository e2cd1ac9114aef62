"""Makes `table.json` of `mix.lark`: `python -m mixc.grammar.table` prints it. The only place that imports lark.

States are numbered from the start state in the order of their symbols, so that equal grammars give equal bytes.
"""

import json
from collections import deque
from typing import Any

from lark import Lark
from lark.grammar import Rule
from lark.lexer import PatternStr
from lark.parsers.lalr_analysis import Shift

from . import grammar_text

START = "file"
END = "$END"


def build(text: str) -> dict[str, Any]:
    """The table of a grammar.

    `terminals`: regular expression of each terminal that has one. `words`, `marks`: the literal terminals, which are
    their own names. `rules`: [origin, size, node or "" where the rule dissolves, indices of the children that stay].
    `states`: for each state rows of [action, symbols]; an action n >= 0 goes to state n, n < 0 reduces by rule -n-1.
    """
    lark = Lark(text, parser="lalr", lexer="basic", start=START)
    names = {t.name: t.pattern.value if isinstance(t.pattern, PatternStr) else t.name for t in lark.terminals}
    names |= {"_NL": "NEWLINE", END: END}
    parser: Any = lark.parser
    lalr = parser.parser._parse_table
    rules = sorted({_rule(rule) for rule in lark.rules})
    position = {rule: i for i, rule in enumerate(rules)}
    states = {
        state: {
            names.get(symbol, f"<{symbol}>"): (True, target) if action is Shift else (False, position[_rule(target)])
            for symbol, (action, target) in row.items()
        }
        for state, row in lalr.states.items()
    }
    start, end, states = _merge(lalr.start_states[START], lalr.end_states[START], states)
    literals = {names[t.name] for t in lark.terminals if isinstance(t.pattern, PatternStr)}
    symbols = sorted({symbol for row in states for symbol in row})
    return {
        "start": start,
        "end": end,
        "terminals": {
            names[t.name]: t.pattern.value
            for t in lark.terminals
            if not isinstance(t.pattern, PatternStr) and t.name not in lark.ignore_tokens
        },
        "words": sorted(w for w in literals if w.isidentifier()),
        "marks": sorted(w for w in literals if not w.isidentifier()),
        "symbols": symbols,
        "rules": [[origin, size, node, list(kept)] for origin, size, node, kept in rules],
        "states": [_row(row, symbols) for row in states],
    }


def _rule(rule: Rule) -> tuple[str, int, str, tuple[int, ...]]:
    origin = str(rule.origin.name)
    node = "" if origin.startswith("_") else str(rule.alias or origin)
    keep_all = rule.options.keep_all_tokens if rule.options else False
    kept = (
        i for i, s in enumerate(rule.expansion) if not (s.is_term and getattr(s, "filter_out", False) and not keep_all)
    )
    return f"<{origin}>", len(rule.expansion), node, tuple(kept)


def _merge(start: int, end: int, states: dict[int, dict[str, tuple[bool, int]]]):
    """Make one of all states that act alike (there is one for each keyword that may be a name), and number them anew."""
    while True:
        kind: dict[tuple, int] = {}
        same = {s: s if s == end else kind.setdefault(tuple(sorted(row.items())), s) for s, row in states.items()}
        if all(s == t for s, t in same.items()):
            break
        states = {
            s: {symbol: (shift, same[target] if shift else target) for symbol, (shift, target) in row.items()}
            for s, row in states.items()
            if same[s] == s
        }
    number = {start: 0}
    queue = deque([start])
    while queue:
        for _, (shift, target) in sorted(states[queue.popleft()].items()):
            if shift and target not in number:
                number[target] = len(number)
                queue.append(target)
    rows = [
        {symbol: number[target] if shift else -target - 1 for symbol, (shift, target) in states[s].items()}
        for s in sorted(number, key=number.__getitem__)
    ]
    return 0, number[end], rows


def _row(row: dict[str, int], symbols: list[str]) -> list[list[Any]]:
    index = {symbol: i for i, symbol in enumerate(symbols)}
    actions: dict[int, list[int]] = {}
    for symbol, action in sorted(row.items()):
        actions.setdefault(action, []).append(index[symbol])
    return [[action, members] for action, members in sorted(actions.items())]


def render(table: dict[str, Any]) -> str:
    """The bytes of `table.json`: one line for each part, one for each state."""
    parts = [f'"{key}": {json.dumps(value)}' for key, value in table.items() if key != "states"]
    states = ",\n".join(json.dumps(row, separators=(",", ":")) for row in table["states"])
    return "{" + ",\n".join([*parts, f'"states": [\n{states}\n]']) + "}\n"


if __name__ == "__main__":
    print(render(build(grammar_text())), end="")
