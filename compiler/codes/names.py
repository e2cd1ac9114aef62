"""MIX02xx: names, and things that are missing."""

from .entry import Code

CODES: dict[str, Code] = {
    "MIX0201": Code(
        "a name that nothing declares",
        "A name in an expression is a declared score, else a role of the corpus (prompt, response, reference, teacher, id, skill), else a column of the corpus. "
        "A bare name after `teacher` in a quota is a declared teacher; a value of the teacher column stands in quotes.",
        "where corect",
        "where correct",
    ),
    "MIX0202": Code(
        "said twice",
        "A declaration, a setting or a clause that can be there only once stands there again. mixc does not guess which of the two is meant.",
        "budget 100 examples\nbudget 200 examples",
        "budget 200 examples",
    ),
    "MIX0203": Code(
        "specs that extend one another in a circle",
        "`extends` starts from another spec. Following it must end at a spec that extends nothing.",
        'extends "itself.mix"',
        'extends "base.mix"',
    ),
    "MIX0204": Code(
        "an edit that does not match exactly one clause",
        "`replace`, `remove` and `add … before|after` name a clause of the extended spec. The pattern must match one clause: "
        "`where EXPR`, `keep`, `maximize`, `solver`, `budget UNIT`, `quota GROUP`, `quota skill weakness`. A spec that extends nothing has nothing to edit: "
        "its clauses stand plain.",
        'extends "base.mix"\n\nselect {\n  remove quota skill "Geomtry"\n}',
        'extends "base.mix"\n\nselect {\n  remove quota skill "Geometry"\n}',
    ),
    "MIX0205": Code(
        "a plain clause where edits are expected",
        "In a spec that extends another, every line of `select` is an edit of the parent's `select`, so that it is always clear whether a clause is added or replaced.",
        'extends "base.mix"\n\nselect {\n  budget 200 examples\n}',
        'extends "base.mix"\n\nselect {\n  replace budget 200 examples\n}',
    ),
    "MIX0206": Code(
        "an unknown param",
        "`$name` stands for a `param` that this spec or one that it extends declares; `--set name=value` sets one from outside.",
        "param window = 4\nscore natural = local_logprob(student: smollm2, window: $windw steps)",
        "param window = 4\nscore natural = local_logprob(student: smollm2, window: $window steps)",
    ),
    "MIX0207": Code(
        "something needed is not there",
        "A spec needs one `mix` and at least one `corpus`; a corpus needs `scan`, `prompt` and `response`; a quota on skills needs `skills`; a bound on tokens "
        "needs a score that counts tokens or a student whose tokenizer does.",
        'corpus traces {\n  scan    "traces.jsonl"\n  teacher model\n}',
        'corpus traces {\n  scan     "traces.jsonl"\n  prompt   question\n  response solution\n  teacher  model\n}',
    ),
    "MIX0208": Code(
        "a file that is not there",
        "Paths in a spec are relative to the file that holds the clause, not to where mixc is started. A pattern such as `data/*.parquet` must match a file.",
        "corpus traces {\n"
        '  scan      "missing/*.parquet"\n'
        "  prompt    question\n"
        "  response  solution\n"
        "  reference answer\n"
        "  teacher   model\n"
        "}",
        "corpus traces {\n"
        '  scan      "../data/*.parquet"\n'
        "  prompt    question\n"
        "  response  solution\n"
        "  reference answer\n"
        "  teacher   model\n"
        "}",
    ),
    "MIX0209": Code(
        "a column that is not there",
        "mixc looks at the Parquet footer or at the first rows of a JSONL file, so a misspelt column is found before anything runs.",
        "corpus traces {\n"
        '  scan      "traces.jsonl"\n'
        "  prompt    qestion\n"
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
    "MIX0210": Code(
        "a name that is taken",
        "Words of the expression language (`and`, `in`, `rank`, `p20`, …) and the columns that every output has (`tokens`, `reason`, `weight`, …) cannot be declared.",
        "score tokens = column(token_count, unit: tokens)",
        "score length = column(token_count, unit: tokens)",
    ),
    "MIX0211": Code(
        "an installed scorer that does not say what it is",
        "Packages bring scorers of their own: the entry point `mixc.signatures` gives plain data (what the scorer says, its parameters, the type and unit of its "
        "value, its cost), and `mixc.scorers` the code for a run. `check` reads the first and runs none of the second. The note says what is wrong with the data.",
        'SURPRISE = {"type": "number"}',
        'SURPRISE = {"says": "how odd a response is", "type": "number", "unit": "nats", "cost": "dear"}',
    ),
}
