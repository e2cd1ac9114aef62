"""MIX01xx: what cannot be read."""

from .entry import Code

CODES: dict[str, Code] = {
    "MIX0101": Code(
        "something else was expected",
        "Every clause has one form, and a word of it is missing, misspelt or out of place. The message says what could have come "
        "next. A clause ends at the end of its line, except inside `( )` and `[ ]`: a condition over several lines stands in `( )`.",
        "select {\n  keep best 1\n}",
        "select {\n  keep best 1 per prompt by naturalness\n}",
    ),
    "MIX0102": Code(
        "no such declaration",
        "Outside of blocks a line begins with the keyword of a declaration: `mix`, `corpus`, `select` and so on.",
        "corpsu more {\n"
        '  scan      "traces.jsonl"\n'
        "  prompt    question\n"
        "  response  solution\n"
        "  reference answer\n"
        "  teacher   model\n"
        "}",
        "corpus more {\n"
        '  scan      "traces.jsonl"\n'
        "  prompt    question\n"
        "  response  solution\n"
        "  reference answer\n"
        "  teacher   model\n"
        "}",
    ),
    "MIX0103": Code(
        "a clause that this block does not have",
        "Each kind of block has clauses of its own. The notes list what this one may hold; the clause may belong in another block, "
        "or be misspelt.",
        "corpus traces {\n"
        '  scan      "traces.jsonl"\n'
        "  promt     question\n"
        "  response  solution\n"
        "  reference answer\n"
        "  teacher   model\n"
        "}",
        "corpus traces {\n"
        '  scan      "traces.jsonl"\n'
        "  prompt    question\n"
        "  response  solution\n"
        "  reference answer\n"
        "  teacher   model\n"
        "}",
    ),
    "MIX0104": Code(
        "a number that is not written as one",
        "Numbers are written `12`, `0.5`, `1e-5`, `4k`, `2M`, `40%`: digits on both sides of the point, no thousands separators; "
        "`k`, `M`, `B` and `%` touch the number, and the unit stands apart from it.",
        "select {\n  budget 1,000 examples\n}",
        "select {\n  budget 1000 examples\n}",
    ),
    "MIX0105": Code(
        "a string without an end",
        'A string begins and ends with `"` on one line.',
        "corpus traces {\n"
        '  scan      "traces.jsonl\n'
        "  prompt    question\n"
        "  response  solution\n"
        "  reference answer\n"
        "  teacher   model\n"
        "}",
        "corpus traces {\n"
        '  scan      "traces.jsonl"\n'
        "  prompt    question\n"
        "  response  solution\n"
        "  reference answer\n"
        "  teacher   model\n"
        "}",
    ),
    "MIX0106": Code(
        "an escape that there is not",
        'In a string `\\"` is a quote and `\\\\` a backslash; a backslash stands before nothing else. A regular expression therefore '
        "writes each of its backslashes twice.",
        'select {\n  where response matches "\\d+"\n}',
        'select {\n  where response matches "\\\\d+"\n}',
    ),
    "MIX0107": Code(
        "a character that means nothing",
        "Outside of strings and comments a spec is made of names, numbers, strings in double quotes and a few signs. Comments begin "
        "with `#`; conditions are joined with `and`, `or`, `not`.",
        "select {\n  where correct && level > 2\n}",
        "select {\n  where correct and level > 2\n}",
    ),
    "MIX0108": Code(
        "a bracket that is not closed",
        "A `(` or `[` goes on over lines until it is closed. A line that begins with a keyword ends it, so that one missing bracket "
        "does not swallow the rest of the file.",
        "select {\n  where (correct or level > 2\n  maximize random\n}",
        "select {\n  where (correct or level > 2)\n  maximize random\n}",
    ),
    "MIX0109": Code(
        "a block that is not closed",
        "A block ends with `}`. A declaration that begins in column 1 shows that the block before it should have ended.",
        'mix "gsm" {\n  seed 3\nparam window = 4',
        'mix "gsm" {\n  seed 3\n}\nparam window = 4',
    ),
    "MIX0110": Code(
        "a bracket that closes nothing",
        "There is a `}`, `)` or `]` more than there are brackets open.",
        'mix "gsm" { seed 3 }\n}',
        'mix "gsm" { seed 3 }',
    ),
    "MIX0111": Code(
        "`=` and `==`",
        "`==` compares two values in an expression. `=` is a bound in a quota, the value of a parameter, and what a score is; the "
        "arguments of a scorer take `:`.",
        "select {\n  where level = 5\n}",
        "select {\n  where level == 5\n}",
    ),
    "MIX0112": Code(
        "comparisons do not chain",
        "`a < b < c` would compare the truth of `a < b` with `c`. Write both comparisons.",
        "select {\n  where 1 < level < 5\n}",
        "select {\n  where 1 < level and level < 5\n}",
    ),
    "MIX0113": Code(
        "a reserved word as a name",
        "`and or not in matches contains within rank true false none` and the quantiles `p0` to `p99` cannot be names. A column that "
        "is called so is written as a string in its corpus.",
        "param rank = 4",
        "param depth = 4",
    ),
    "MIX0114": Code(
        "no such unit",
        "The units are `examples`, `prompts`, `tokens`, `steps`, `epochs`, `nats`, `%` and `% of tokens`.",
        "select {\n  budget 500 rows\n}",
        "select {\n  budget 500 examples\n}",
    ),
    "MIX0115": Code(
        "two clauses on a line",
        "A clause is complete before its line is. Mostly a newline was forgotten; a setting takes one value.",
        'corpus traces {\n  scan   "traces.jsonl"\n  prompt question response solution\n  teacher model\n}',
        'corpus traces {\n  scan     "traces.jsonl"\n  prompt   question\n  response solution\n  teacher  model\n}',
    ),
    "MIX0116": Code(
        "an expression nested too deep",
        "Expressions may nest a hundred deep, where each `and` or `or` of a long chain counts. A list after `in`, or several `where`, "
        "says the same.",
        'where model == "a" or model == "b" or … (a hundred times)',
        'where model in ["a", "b", …]',
    ),
    "MIX0117": Code(
        "a file that is too large",
        "A spec has at most 256 KB and 10,000 lines. Data does not belong in it; a large spec is split with `extends`.",
        "a file of 12,000 lines",
        'extends "base.mix"',
    ),
    "MIX0118": Code(
        "`{` is not on its line",
        "The `{` of a block stands on the line of its keyword.",
        "select\n{\n  maximize random\n}",
        "select {\n  maximize random\n}",
    ),
    "MIX0119": Code(
        "a quantile that does not stand alone",
        "`p20` is the 20th percentile of what it is compared with, so it stands alone on the right of a comparison.",
        "select {\n  where naturalness >= p20 + 1\n}",
        "select {\n  where naturalness >= p20 within teacher\n}",
    ),
    "MIX0120": Code(
        "quotes are missing, or too many",
        "Skills, paths and texts are strings in double quotes; names of what the spec declares, and of columns, are not.",
        "select {\n  quota skill Algebra >= 15%\n}",
        'select {\n  quota skill "Algebra" >= 15%\n}',
    ),
    "MIX0121": Code(
        "too many errors",
        "After a hundred errors of syntax in a file, or five hundred diagnostics in all, the others are not shown. Mostly the file is not a spec.",
        "a file that is not a spec",
        'mix "gsm" { seed 3 }',
    ),
}
