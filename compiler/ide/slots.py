"""Which kind of name or text belongs at a cursor, judged by the words of its clause."""

from dataclasses import dataclass

from ..semantics.catalogue import SCORERS
from .cursor import Cursor

_ROLES = ("prompt", "response", "reference", "teacher", "id", "license")
_PATHS = {
    "extends", "scan", "tree", "template", "from", "given", "against", "model", "benchmark", "keywords",
}  # fmt: skip
SETTINGS: dict[tuple[str, str], tuple[str, ...]] = {
    ("student", "dtype"): ("bf16", "fp32"),
    ("generate", "dtype"): ("bf16", "fp32"),
    ("train", "format"): ("plain", "skill_aware"),
    ("train", "method"): ("full", "lora"),
    ("train", "gradient_checkpointing"): ("true", "false"),
    ("train", "packing"): ("true", "false"),
}
CALLED = {
    "weakness": ("max_weight", "prior", "min_support", "paper"),
    "minhash": ("threshold",),
    "embedding": ("model", "revision", "top", "margin", "least"),
    "llm": ("model", "revision", "endpoint", "key", "reads", "depth", "temperature", "max_tokens"),
    "beta": (),
    "given": (),
}  # fmt: skip
"""What is called and is no scorer, with its arguments."""
_CHOSEN = {("llm", "reads"): ("prompt", "response")}
"""Their arguments that are one of some words."""


@dataclass(frozen=True, slots=True)
class Slot:
    """`kind`: names (an expression of `select`), row (one without scores), declare, path, argument, words, and the kinds of symbols.

    `of` narrows it: the corpus of a row, the call of an argument, the words to choose from.
    """

    kind: str
    of: tuple[str, ...] = ()


def slot(cursor: Cursor) -> Slot:
    """What may be named at the cursor; the kind is empty where nothing of the spec can stand."""
    words = cursor.words
    if not words:
        return Slot("")
    if cursor.quoted:
        return _text(cursor.kind, words)
    if words[-1] == "within":
        return Slot("group")
    if call := call_around(words):
        return _argument(words, *call)
    return _outside(words) if not cursor.kind else _inside(cursor, words)


def _text(kind: str, words: tuple[str, ...]) -> Slot:
    before = words[-1] if words[-1] not in ("[", ",") else next((w for w in words if w == "against"), "")
    if "skill" in words[-2:] and words[-1] == "skill":
        return Slot("skill")
    if words[-2:] == ("quota", "teacher") or words[-1] == "teacher":
        return Slot("label")
    if before in _PATHS or (words[0] == "benchmark" and len(words) == 2):
        return Slot("path", (words[0],))
    if kind == "corpus" and len(words) == 1 and words[0] in _ROLES:
        return Slot("column")
    return Slot("")


def _outside(words: tuple[str, ...]) -> Slot:
    match words:
        case ("param" | "student" | "corpus" | "score" | "skills" | "teacher",):
            return Slot("declare")
        case ("train" | "profile",):
            return Slot("student")
        case ("sweep",):
            return Slot("param")
        case "teacher", _, "from":
            return Slot("corpus")
        case "teacher", _, "from", corpus, "where", *_:
            return Slot("row", (corpus,))
        case "score", _, "=":
            return Slot("scorer")
        case "remove", kind:
            return Slot(kind if kind not in ("train", "profile") else "student")
        case "dedup", "by":
            return Slot("words", ("exact", "minhash"))
        case (("dedup" | "decontaminate"), *_, "of"):
            return Slot("words", ("prompt", "response"))
        case ("require",):
            return Slot("words", ("license",))
        case ("ablate", *rest):
            return _clause(tuple(rest))
        case _:
            return Slot("")


def _inside(cursor: Cursor, words: tuple[str, ...]) -> Slot:
    kind = cursor.kind
    if kind == "select":
        return _clause(words)
    match kind, words:
        case "corpus", ("where", *_):
            return Slot("row", (cursor.name,))
        case "corpus", (role,) if role in _ROLES:
            return Slot("column", (cursor.name,))
        case "generate", ("prompts", "from"):
            return Slot("corpus")
        case "skills", ("tag", "by"):
            return Slot("words", ("column", "keywords", "embedding", "llm"))
        case "skills", ("tag", "by", "column"):
            return Slot("column")
        case "profile", ("grade",):
            return Slot("scorer", ("grader",))
        case "profile", (*_, "per"):
            return Slot("words", ("prompt", "skill"))
        case "evaluate", ("heldout",):
            return Slot("corpus")
        case "evaluate", ("heldout", corpus, "where", *_):
            return Slot("row", (corpus,))
        case "evaluate", ("baseline",):
            return Slot("score", ("random",))
        case "evaluate", ("benchmark",):
            return Slot("declare")
        case "evaluate", ("benchmark", *_, "grade"):
            return Slot("scorer", ("grader",))
        case "test", ("expect", "error"):
            return Slot("code")
        case "test", ("expect", "teacher"):
            return Slot("teacher")
        case _, (keyword,) if (kind, keyword) in SETTINGS:
            return Slot("words", SETTINGS[kind, keyword])
        case _:
            return Slot("")


def _clause(words: tuple[str, ...]) -> Slot:
    """A clause of `select`, or an edit of one."""
    if words and words[0] in ("replace", "add", "remove"):
        words = words[1:]
    for marker in ("with", "before", "after"):
        if marker in words:
            words = words[len(words) - words[::-1].index(marker) :]
    match words:
        case ("where" | "maximize", *rest):
            return Slot("names", ("random",) if words == ("maximize",) else ())
        case "keep", *rest if "by" in rest:
            return Slot("names")
        case "quota", "teacher":
            return Slot("teacher")
        case "quota", "column":
            return Slot("column")
        case "quota", "skill":
            return Slot("words", ("weakness", "uniform"))
        case "count", "tokens", "by":
            return Slot("score", ("tokens",))
        case ("solver",):
            return Slot("words", ("auto", "exact", "prices"))
        case _:
            return Slot("")


def call_around(words: tuple[str, ...]) -> tuple[int, str] | None:
    """Where the innermost open bracket of a call stands, and the name before it."""
    depth = 0
    for at in range(len(words) - 1, 0, -1):
        if words[at] in (")", "]"):
            depth += 1
        elif words[at] in ("(", "["):
            if depth:
                depth -= 1
            elif words[at] == "(" and (words[at - 1] in SCORERS or words[at - 1] in CALLED):
                return at, words[at - 1]
            else:
                return None
    return None


def _given(inner: tuple[str, ...]) -> set[str]:
    return {inner[i - 1] for i, word in enumerate(inner) if word == ":"}


def _argument(words: tuple[str, ...], opened: int, function: str) -> Slot:
    inner = words[opened + 1 :]
    if function == "given":
        return Slot("column")
    if function not in SCORERS:
        if words_of := _CHOSEN.get((function, inner[-2])) if inner and inner[-1] == ":" else None:
            return Slot("words", words_of)
        names = [name for name in CALLED.get(function, ()) if name not in _given(inner)]
        return Slot("argument", (function, *names)) if not inner or inner[-1] == "," else Slot("")
    signature = SCORERS[function]
    if inner and inner[-1] == ":":
        parameter = next((p for p in signature.parameters if p.name == inner[-2]), None)
    elif not inner or inner[-1] == ",":
        return Slot("argument", (function, *(p.name for p in signature.parameters if p.name not in _given(inner))))
    else:
        return Slot("")
    match parameter.kind if parameter else "":
        case "student":
            return Slot("student")
        case "word" | "split":
            assert parameter is not None
            return Slot("words", (*parameter.choices, *(("given",) if parameter.kind == "split" else ())))
        case "unit":
            return Slot("unit")
        case "value":
            return Slot("column", ("", "reference"))
        case "column":
            return Slot("column")
        case _:
            return Slot("")
