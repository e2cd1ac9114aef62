"""MIX03xx: types and units."""

from .entry import Code

CODES: dict[str, Code] = {
    "MIX0301": Code(
        "a value of the wrong kind",
        "A setting or an argument takes one kind of value: a text in double quotes, a number with its unit, a name, or a list.",
        'evaluate {\n  benchmark gsm8k "gsm8k.jsonl"\n  seeds 3\n}',
        'evaluate {\n  benchmark gsm8k "gsm8k.jsonl"\n  seeds [3]\n}',
    ),
    "MIX0302": Code(
        "not one of the choices",
        "Some settings and arguments take one of a few words; the message lists them.",
        'student small {\n  model "models/small.gguf"\n  dtype float16\n}',
        'student small {\n  model "models/small.gguf"\n  dtype bf16\n}',
    ),
    "MIX0303": Code(
        "a number in the wrong unit",
        "Every number that counts something carries its unit, and each setting takes one unit.",
        "train smollm2 {\n  epochs     1\n  max_length 8k examples\n}",
        "train smollm2 {\n  epochs     1\n  max_length 8k tokens\n}",
    ),
    "MIX0304": Code(
        "two things that cannot be compared or combined",
        "Types and units are checked before anything runs: tokens are not nats, a text is not a number, and true and false have no order.",
        "where length >= 3 nats",
        "where length >= 3 tokens",
    ),
    "MIX0305": Code(
        "a column of the wrong type",
        "A prompt and a response are texts; an id is a text or a whole number; a skill is a text or a list of texts. "
        "Dates and structures have no type in the language: no clause reads such a column.",
        "corpus traces {\n"
        '  scan      "traces.jsonl"\n'
        "  prompt    question\n"
        "  response  token_count\n"
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
    "MIX0306": Code(
        "a number out of range",
        "The number is of the right kind, but nothing sensible can be done with it: a share above 100 %, a count with a fraction, a quantile above p100.",
        "quota teacher strong <= 140%",
        "quota teacher strong <= 40%",
    ),
    "MIX0307": Code(
        "a param of another type",
        "A param keeps the type that it was declared with; `--set` gives it another value of that type.",
        'param size = "large"\n\nselect {\n  budget $size examples\n}',
        "param size = 1000\n\nselect {\n  budget $size examples\n}",
    ),
    "MIX0308": Code(
        "a condition that is not true or false",
        "`where`, `and`, `or` and `not` take something that is true or false: a boolean score or column, or a comparison.",
        "where length",
        "where length <= 4k tokens",
    ),
    "MIX0309": Code(
        "a bare number where a unit matters",
        "`budget 1000` could mean rows or tokens. A number without a unit is illegal wherever a unit matters, so that nobody has to guess.",
        "budget 1000",
        "budget 1000 examples",
    ),
    "MIX0310": Code(
        "a quantile or rank that cannot be taken",
        "`p20` stands alone on the right of `>=`, `>`, `<=` or `<`, and is taken of numbers.",
        "where correct >= p20",
        "where naturalness >= p20 within teacher",
    ),
    "MIX0311": Code(
        "not a regular expression",
        "Patterns are those of Rust's regex crate: no look-around and no back-references. In a file of keywords one may not match the empty text "
        "either: it would be in every prompt.",
        'where solution matches "(a"',
        'where solution matches "a+"',
    ),
    "MIX0312": Code(
        "a profile file that cannot be used",
        "A profile says for each skill how often the student tried and how often it was right; a measured one is saved in the same form. Its keys are "
        "`skills`, and for each skill `attempts` and `correct`, whole numbers. Where the spec has a tree, its names are those of the tree.",
        'profile smollm2 from "misspelt.json"   # {"skills": {"Algebra": {"attempts": 200, "right": 61}}}',
        'profile smollm2 from "profile.json"    # {"skills": {"Algebra": {"attempts": 200, "correct": 61}}}',
    ),
}
