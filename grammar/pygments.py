"""Colours `.mix` text wherever Pygments does: Sphinx, MkDocs, `pygmentize -l mix`, rich. It knows the words of a line, not what they mean."""

from collections.abc import Sequence
from typing import ClassVar

from pygments.lexer import RegexLexer, bygroups, include, words
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Text, Whitespace

NAME = r"[A-Za-z_][A-Za-z0-9_]*"
EDGE = r"(?![A-Za-z0-9_])"
START = r"(?<=[\s{])"
STRING = r'"(?:[^"\\\n]|\\["\\])*"'
COUNT = r"[0-9]+[kM]?|\$" + NAME
UNITS = ("examples", "prompts", "tokens", "steps", "epochs", "nats")
KINDS = (
    *("mix", "param", "student", "corpus", "teacher", "skills", "profile", "score", "decontaminate", "dedup"),
    *("select", "train", "evaluate", "require", "sweep", "ablate", "test"),
)
SETTINGS = {
    "mix": ("seed", "description", "license"),
    "student": ("model", "revision", "dtype", "template"),
    "corpus": ("scan", "prompt", "response", "reference", "teacher", "id", "license", "sample", "where"),
    "generate": ("model", "revision", "dtype", "samples", "temperature", "max_tokens", "endpoint", "key", "prompts", "where"),
    "skills": ("tree", "tag"),
    "profile": ("attempts", "sample", "width", "temperature", "max_tokens", "grade"),
    "train": (
        *("format", "method", "epochs", "steps", "learning_rate", "batch", "max_length", "weight", "warmup", "schedule", "seed"),
        *("gradient_checkpointing", "packing", "report", "save"),
    ),
    "evaluate": ("baseline", "seeds", "max_tokens", "temperature", "benchmark", "heldout"),
    "test": ("given", "expect"),
}
"""The words that begin a line of each block; a test holds them against the grammar."""


def _line(kind: str) -> tuple:
    """A setting of this kind of block, or its removal."""
    return (
        words(SETTINGS[kind], prefix=r"(?:(remove)([ \t]+))?(", suffix=")" + EDGE),
        bygroups(Keyword, Whitespace, Keyword.Reserved),
        "value",
    )


def _block(kind: str, *more: tuple) -> list:
    """The state of one kind of block: where a line begins."""
    return [include("blank"), (r"\}", Punctuation, "#pop"), *more, _line(kind), (r"", Text, "value")]


def _clause(pattern: str, *kinds: object) -> tuple:
    """Words of a clause, each group with the spaces behind it: `keep best` is (keep)(spaces)(best)."""
    pieces = pattern.split()
    made = r"([ \t]+)".join(f"({piece})" for piece in pieces)
    flat = [k for kind in kinds for k in (kind, Whitespace)][:-1]
    return rf"{made}{EDGE}", bygroups(*flat)


KEY, NUM, VAR, FUN = Keyword.Reserved, Number, Name.Variable, Name.Function


class MixLexer(RegexLexer):
    """The `.mix` language of mixc."""

    name = "mix"
    aliases: ClassVar[Sequence[str]] = ("mix", "mixc")
    filenames: ClassVar[Sequence[str]] = ("*.mix",)
    mimetypes: ClassVar[Sequence[str]] = ("text/x-mix",)

    tokens: ClassVar[dict] = {
        "root": [
            include("blank"),
            (
                rf"(mix|test)([ \t]+)({STRING})([ \t]*)(\{{)",
                bygroups(Keyword.Declaration, Whitespace, String, Whitespace, Punctuation),
                "mix+test",
            ),
            *(
                (
                    rf"({kind})([ \t]+)({NAME})([ \t]*)(\{{)",
                    bygroups(Keyword.Declaration, Whitespace, Name.Class, Whitespace, Punctuation),
                    kind,
                )
                for kind in ("student", "corpus", "skills", "profile", "train")
            ),
            (
                rf"(teacher)([ \t]+)({NAME})([ \t]+)(generate)([ \t]*)(\{{)",
                bygroups(Keyword.Declaration, Whitespace, Name.Class, Whitespace, Keyword.Declaration, Whitespace, Punctuation),
                "generate",
            ),
            *((rf"({kind})([ \t]*)(\{{)", bygroups(Keyword.Declaration, Whitespace, Punctuation), kind) for kind in ("select", "evaluate")),
            (*_clause("remove " + "|".join(KINDS), Keyword, Keyword.Declaration), "name"),
            (*_clause(f"param|score {NAME}", Keyword.Declaration, Name.Class), "value"),
            (*_clause(f"teacher|profile {NAME} from", Keyword.Declaration, Name.Class, Keyword.Declaration), "teacher"),
            (*_clause("decontaminate none because", Keyword.Declaration, Keyword.Constant, Keyword.Declaration), "value"),
            (*_clause("decontaminate against", Keyword.Declaration, Keyword.Declaration), "against"),
            (*_clause(f"dedup by {NAME}", Keyword.Declaration, Keyword.Declaration, FUN), "against"),
            (*_clause(f"require|sweep {NAME} in", Keyword.Declaration, VAR, Operator.Word), "value"),
            (*_clause("ablate", Keyword.Declaration), "edit"),
            (*_clause("extends", Keyword.Declaration), "value"),
            (r"\}", Punctuation),
            (r"", Text, "value"),
        ],
        "mix+test": [
            include("blank"),
            (r"\}", Punctuation, "#pop"),
            (*_clause(f"expect error {NAME}", KEY, KEY, Name.Constant), "value"),
            (*_clause("expect selected|skill|teacher|column", KEY, KEY), "value"),
            _line("mix"),
            _line("test"),
            (r"", Text, "value"),
        ],
        "student": _block("student"),
        "corpus": _block("corpus", (r"(where)([ \t]+)(?=[^\s])", bygroups(KEY, Whitespace), "value")),
        "generate": _block("generate", (*_clause(f"prompts from {NAME}", KEY, KEY, VAR), "value")),
        "skills": _block("skills", (*_clause(f"tag by {NAME}", KEY, KEY, FUN), "value")),
        "profile": _block("profile", (*_clause("attempts|sample", KEY), "per")),
        "train": _block("train"),
        "evaluate": _block(
            "evaluate",
            (*_clause(f"benchmark {NAME}", KEY, Name.Class), "benchmark"),
            (*_clause(f"heldout {NAME} where", KEY, VAR, KEY), "value"),
        ),
        "select": [
            include("blank"),
            (r"\}", Punctuation, "#pop"),
            (r"(replace|remove|add)([ \t]+)", bygroups(Keyword, Whitespace), "edit"),
            include("clause"),
            (r"", Text, "value"),
        ],
        "clause": [
            (*_clause(f"keep best {COUNT} per prompt by", KEY, KEY, NUM, KEY, KEY, KEY), "clause end"),
            (*_clause(f"keep at most {COUNT} per prompt", KEY, KEY, KEY, NUM, KEY, KEY), "clause end"),
            (*_clause(f"quota skill {NAME}", KEY, KEY, FUN), "clause end"),
            (*_clause(f"quota teacher|column {NAME}", KEY, KEY, VAR), "clause end"),
            (*_clause("quota skill|teacher|column", KEY, KEY), "clause end"),
            (*_clause("budget up to", KEY, KEY, KEY), "clause end"),
            (*_clause("budget examples|prompts|tokens", KEY, Keyword.Type), "clause end"),
            (*_clause("count tokens by", KEY, Keyword.Type, KEY), "clause end"),
            (*_clause("count tokens", KEY, Keyword.Type), "clause end"),
            (*_clause(rf"solver (?!with{EDGE}){NAME}", KEY, VAR), "clause end"),
            (*_clause("where|keep|quota|budget|maximize|count|solver", KEY), "clause end"),
        ],
        "edit": [(r"(?=[\n}])", Text, "#pop"), (r"[ \t]+", Whitespace), include("clause"), (r"", Text, "clause end")],
        "clause end": [
            (rf"(with|before|after)([ \t]+)(?=(?:where|keep|quota|budget|maximize|count|solver){EDGE})", bygroups(Keyword, Whitespace), "edit"),
            include("value"),
        ],
        "against": [
            (
                rf"(by)([ \t]+)([0-9]+)([ \t]*-[ \t]*)(grams)([ \t]+)(of)([ \t]+)({NAME})",
                bygroups(Keyword.Declaration, Whitespace, NUM, Operator, Keyword.Type, Whitespace, Keyword.Declaration, Whitespace, VAR),
            ),
            (rf"(of)([ \t]+)({NAME})", bygroups(Keyword.Declaration, Whitespace, VAR)),
            (r"(field)([ \t]*)(:)", bygroups(Keyword.Declaration, Whitespace, Punctuation)),
            include("value"),
        ],
        "teacher": [(rf"({NAME})([ \t]+)(where){EDGE}", bygroups(VAR, Whitespace, KEY), "value"), include("value")],
        "per": [(rf"(per)([ \t]+)({NAME})", bygroups(KEY, Whitespace, VAR)), include("value")],
        "benchmark": [(rf"(samples|limit|grade){EDGE}", KEY), include("value")],
        "name": [(NAME, Name.Class), include("value")],
        "value": [(r"(?=[\n}])", Text, "#pop"), include("expression"), (r".", Text)],
        "inside": [(r"[)\]]", Punctuation, "#pop"), (r"\s+", Whitespace), include("expression"), (r".", Text)],
        "blank": [(r"\s+", Whitespace), include("comment")],
        "comment": [
            (
                r"(#[ \t]*mixc:[ \t]*)(allow)([ \t]+)([A-Za-z0-9]+)([^\n]*)",
                bygroups(Comment.Single, Comment.Special, Comment.Single, Comment.Special, Comment.Single),
            ),
            (r"#[^\n]*", Comment.Single),
        ],
        "expression": [
            (r"[ \t\r]+", Whitespace),
            include("comment"),
            (STRING, String),
            (r"[(\[]", Punctuation, "inside"),
            (rf"(\$?[A-Za-z0-9_.]+%)([ \t]+)(of)([ \t]+)(tokens){EDGE}", bygroups(NUM, Whitespace, Keyword.Type, Whitespace, Keyword.Type)),
            (rf"(\${NAME}%?|[0-9][0-9a-zA-Z.+-]*%?)([ \t]+)({'|'.join(UNITS)}){EDGE}", bygroups(NUM, Whitespace, Keyword.Type)),
            (rf"\${NAME}%?", Name.Variable.Global),
            (r"[0-9]+(?:\.[0-9]+)?(?:%|[eE][+-]?[0-9]+|[kMB])?", NUM),
            (rf"p[0-9]{{1,2}}{EDGE}", Number.Integer),
            (rf"(within)([ \t]+)({NAME})", bygroups(Operator.Word, Whitespace, VAR)),
            (rf"(?:and|or|not|in|matches|contains|within){EDGE}", Operator.Word),
            (rf"(?:true|false|none){EDGE}", Keyword.Constant),
            (r"rank(?=[ \t]*\()", Operator.Word),
            (rf"{NAME}(?=\()", FUN),
            (rf"{NAME}(?=[ \t]*:)", Name.Attribute),
            (NAME, VAR),
            (r"\.\.|==|!=|<=|>=|[<>=+*/-]", Operator),
            (r"[,:]", Punctuation),
        ],
    }
