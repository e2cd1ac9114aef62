"""Beginnings to fill in, in the notation of editors: `${1:name}` is the first thing to type over, `$0` where the cursor ends."""

import re

DECLARATIONS: dict[str, str] = {
    "mix": 'mix "${1:name}" {\n  seed ${2:1}\n}',
    "extends": 'extends "${1:base.mix}"',
    "param": "param ${1:name} = ${2:4}",
    "student": 'student ${1:name} {\n  model "${2:HuggingFaceTB/SmolLM2-135M-Instruct}"\n  dtype ${3|bf16,fp32|}\n}',
    "corpus": 'corpus ${1:rows} {\n  scan     "${2:data/*.jsonl}"\n  prompt   ${3:prompt}\n  response ${4:response}\n}',
    "teacher": 'teacher ${1:name} from ${2:corpus} where ${3:model} == "${4}"',
    "skills": "skills ${1:topics} {\n  tag by column ${2:topic}\n}",
    "score": "score ${1:name} = $0",
    "profile": "profile ${1:student} {\n  attempts 1 per prompt\n  sample   200 prompts per skill\n  grade    verify_math(reference)\n}",
    "decontaminate": 'decontaminate against "${1:bench.jsonl}" by ${2:8}-grams of prompt',
    "dedup": "dedup by ${1|exact,minhash(threshold: 0.8)|} of ${2|prompt,response|}",
    "select": "select {\n  where  ${1:correct}\n  budget ${2:1000} examples\n}",
    "train": (
        "train ${1:student} {\n  format        ${2|plain,skill_aware|}\n  epochs        ${3:1}\n"
        "  learning_rate ${4:1e-5}\n  batch         ${5:8} examples\n  max_length    ${6:1k} tokens\n}"
    ),
    "evaluate": 'evaluate {\n  benchmark ${1:name} "${2:bench.jsonl}" samples 1\n}',
    "require": 'require license in ["${1:MIT}"]',
    "sweep": "sweep ${1:param} in [${2:1, 2, 4}]",
    "test": 'test "${1:what it shows}" {\n  given  "${2:rows.jsonl}"\n  expect selected == ${3:1} examples\n}',
}

CLAUSES: dict[tuple[str, str], str] = {
    ("select", "keep"): "keep ${1|best 1 per prompt by,at most 1 per prompt|} $0",
    ("select", "budget"): "budget ${1:1000} ${2|examples,tokens|}",
    ("select", "count"): "count tokens by $0",
    ("select", "solver"): "solver ${1:auto}",
    ("corpus", "scan"): 'scan "$0"',
    ("corpus", "sample"): "sample ${1:150} prompts",
    ("student", "model"): 'model "$0"',
    ("student", "revision"): 'revision "$0"',
    ("student", "template"): 'template "$0"',
    ("skills", "tree"): 'tree "$0"',
    ("skills", "tag"): "tag by ${1|column,keywords|} $0",
    ("mix", "description"): 'description "$0"',
    ("mix", "license"): 'license "$0"',
    ("profile", "attempts"): "attempts ${1:1} per prompt",
    ("profile", "sample"): "sample ${1:200} prompts per skill",
    ("profile", "width"): "width ${1:10}%",
    ("profile", "grade"): "grade ${1:verify_math(reference)}",
    ("generate", "prompts"): "prompts from $0",
    ("generate", "revision"): 'revision "$0"',
    ("generate", "endpoint"): 'endpoint "${1:http://localhost:8000/v1}"',
    ("generate", "key"): 'key "${1:OPENAI_API_KEY}"',
    ("generate", "max_tokens"): "max_tokens ${1:2k} tokens",
    ("train", "batch"): "batch ${1:8} examples",
    ("train", "max_length"): "max_length ${1:1k} tokens",
    ("train", "epochs"): "epochs ${1:1}",
    ("train", "steps"): "steps ${1:40}",
    ("train", "learning_rate"): "learning_rate ${1:1e-5}",
    ("evaluate", "benchmark"): 'benchmark ${1:name} "${2:bench.jsonl}" samples ${3:1}',
    ("evaluate", "heldout"): 'heldout ${1:corpus} where ${2:split} == "${3:test}"',
    ("evaluate", "seeds"): "seeds [${1:0, 1, 2}]",
    ("evaluate", "max_tokens"): "max_tokens ${1:512} tokens",
    ("test", "given"): 'given "$0"',
    ("test", "expect"): "expect ${1:selected} == ${2:1} examples",
}

_PLACEHOLDER = re.compile(r"\$\{\d+(?::([^}]*)|\|([^,|]*)[^|]*\|)?\}|\$\d+")


def plain(snippet: str) -> str:
    """A snippet with its first choices filled in, for editors that take none."""
    return _PLACEHOLDER.sub(lambda m: m[1] or m[2] or "", snippet)
