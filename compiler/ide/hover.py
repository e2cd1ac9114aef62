"""What the thing under the cursor is, in Markdown: type and unit, what it is made of, its value, what its word says."""

from collections.abc import Iterable
from dataclasses import dataclass

from ..codes.all import CODES
from ..semantics.catalogue import SCORERS, Signature
from ..semantics.types import Type, of_column
from ..semantics.words import in_words
from ..source import Span
from ..syntax import ast
from ..syntax.format import format_expression
from .cursor import block_at, word_at
from .facts import Column, setting
from .index import Occurrence
from .problems import problems
from .project import Project
from .usage import takes, written
from .words import CHOICES, QUANTILE, ROLES, sentence

_COSTS = (
    *("free: it is read", "cheap: a tokenizer", "moderate: a grader", "dear: the model reads every response"),
    "dear: the model reads every response, step by step",
)


@dataclass(frozen=True, slots=True)
class Hover:
    """Markdown about the text at `span`."""

    markdown: str
    span: Span


def hover(project: Project, offset: int) -> Hover | None:
    """What is to be said of the thing at `offset`; None where nothing is."""
    name = project.file.at(offset)
    if name is not None and (said := _named(project, name)):
        return Hover(said, name.span)
    token = word_at(project.source, offset)
    if token is None:
        return None
    block = block_at(project.file.spec, offset)
    kind = block.kind if block and not block.head.start <= offset <= block.head.end else ""
    span = Span(project.source.path, token.start, token.end)
    if token.kind == "QUANTILE":
        return Hover(QUANTILE.format(percent=int(token.text[1:])), span)
    if token.kind in ("PARAM", "PARAM_PERCENT"):
        said = _param(project, token.text.strip("$%"))
        return Hover(said, span) if said else None
    story = CHOICES.get(token.text) if token.kind == "NAME" else sentence(token.text, kind)
    return Hover(f"`{token.text}`\n\n{story}", span) if story else None


def _named(project: Project, name: Occurrence) -> str | None:
    facts, text = project.facts, name.symbol.name
    match name.symbol.kind:
        case "score" if text in facts.scores:
            score = facts.scores[text]
            head = f"score {text} = {format_expression(score.declaration.call)}"
            about = [f"**{in_words(score.type)}**", score.signature.says if score.signature else "", _place(project, score.declaration.span)]
            return _page(head, *about, _defaults(score.signature, score.declaration.call))
        case "scorer" if text in SCORERS:
            return _scorer(SCORERS[text])
        case "argument":
            return _argument(*text.split(".", 1))
        case "param":
            return _param(project, text)
        case "role" if text in facts.roles or text in ROLES:
            columns = facts.roles.get(text, ())
            said = [f"column `{c.name}` of `{c.corpus}`, {_kind(c)}" for c in columns]
            return _page(f"{text}: {ROLES.get(text, 'a role of the corpus')}", *said)
        case "column" if text in facts.columns:
            return _page(f"column {text}", *(f"{_kind(c)}, in the files of `{c.corpus}`" for c in facts.columns[text]))
        case "student" if text in facts.students:
            block = facts.students[text]
            return _page(f"student {text}", *_settings(block, ("model", "revision", "dtype", "template")), _place(project, block.span))
        case "corpus" if text in facts.corpora:
            return _corpus(project, text)
        case "teacher" if text in facts.teachers:
            return _teacher(project, text)
        case "skills" if text in facts.taxonomies:
            block = facts.taxonomies[text]
            count = f"{len(facts.skills)} skills in the tree" if facts.skills else ""
            return _page(f"skills {text}", *_settings(block, ("tree", "tag")), count, _place(project, block.span))
        case "skill" if text in facts.skills:
            return _page(facts.skills[text], _below(text, facts.skills.values()))
        case "word" if text in CHOICES:
            return f"`{text}`\n\n{CHOICES[text]}"
        case _:
            return None


def _page(head: str, *lines: str) -> str:
    return "\n\n".join((f"```mix\n{head}\n```", *(line for line in lines if line)))


def _place(project: Project, span: Span) -> str:
    if span.path == project.source.path or not (line := project.line(span)):
        return ""
    return f"declared in `{span.path.rpartition('/')[2]}`, line {line}"


def _kind(column: Column) -> str:
    return in_words(of_column(column.kind)) if column.kind not in ("other", "opaque") else "of another type"


def _type(type_: Type) -> str:
    return in_words(type_) if type_.kind != "unknown" else "of the column's type"


def _scorer(signature: Signature) -> str:
    arguments = [p.name + written(p) for p in signature.parameters]
    rows = [
        f"- `{p.name}`: {', '.join(f'`{c}`' for c in p.choices) or takes(p)}"
        + ("" if p.default is None else f"; `{p.default}` unless set" if written(p) else "; may be left out")
        for p in signature.parameters
    ]
    ready = "" if signature.ready else "Not run yet: it is planned, and a build that needs it stops at once."
    head = f"{signature.name}({', '.join(arguments)})"
    return _page(head, f"**{_type(signature.type)}**, {_COSTS[signature.cost]}", signature.says, "\n".join(rows), ready)


def _defaults(signature: Signature | None, call: ast.Call) -> str:
    """The arguments that are left to their defaults."""
    if signature is None:
        return ""
    named = {a.name.text for a in call.arguments if a.name}
    named |= {p.name for p, _ in zip(signature.parameters, (a for a in call.arguments if not a.name), strict=False)}
    left = [f"`{p.name}{written(p)}`" for p in signature.parameters if written(p) and p.name not in named]
    return f"left to their defaults: {', '.join(left)}" if left else ""


def _argument(function: str, name: str) -> str | None:
    parameter = next((p for p in SCORERS[function].parameters if p.name == name), None) if function in SCORERS else None
    if parameter is None:
        return None
    return _page(f"{name}{written(parameter)}", f"argument of `{function}`: {takes(parameter)}")


def _param(project: Project, name: str) -> str | None:
    if (param := project.facts.params.get(name)) is None:
        return None
    declared = format_expression(param.declaration.value)
    if param.given is None:
        return _page(f"param {name} = {declared}", _place(project, param.declaration.span))
    return _page(f"param {name} = {param.given}", f"set by `--set`; the spec says `{declared}`", _place(project, param.declaration.span))


def _corpus(project: Project, name: str) -> str:
    block, facts = project.facts.corpora[name], project.facts
    columns = [c for several in facts.columns.values() for c in several if c.corpus == name]
    listed = ", ".join(f"`{c.name}`" for c in columns[:24]) + (" …" if len(columns) > 24 else "")
    words = ("scan", "prompt", "response", "reference", "teacher", "id", "license", "where", "sample")
    known = f"{len(columns)} column{'s' * (len(columns) != 1)}: {listed}" if columns else ""
    return _page(f"corpus {name}", *_settings(block, words), known, _place(project, block.span))


def _teacher(project: Project, name: str) -> str:
    node = project.facts.teachers[name]
    if isinstance(node, ast.Teacher):
        condition = f" where {format_expression(node.condition)}" if node.condition else ""
        return _page(f"teacher {name} from {node.corpus.text}{condition}", _place(project, node.span))
    words = ("model", "endpoint", "revision", "dtype", "prompts", "samples", "temperature", "max_tokens")
    return _page(f"teacher {name} generate", *_settings(node, words), _place(project, node.span))


def _settings(block: ast.Block, words: Iterable[str]) -> list[str]:
    lines = []
    for word in words:
        value = setting(block, word)
        if isinstance(value, ast.TagBy):
            given = value.value if isinstance(value.value, ast.Call) else None
            lines.append(f"- {word} by `{format_expression(given) if given else f'{value.method.text} {format_expression(value.value)}'}`")
        elif value is not None and not isinstance(value, (ast.Benchmark, ast.Heldout, ast.PerSkill, ast.Expect)):
            lines.append(f"- {word} `{format_expression(value)}`")
    return ["\n".join(lines)] if lines else []


def _below(name: str, chains: Iterable[str]) -> str:
    count = sum(f"->{name}->" in f"->{chain}" for chain in chains)
    return f"{count} skill{'s' * (count != 1)} below it" if count else "a leaf of the tree"


def explained(project: Project, offset: int) -> tuple[Hover, ...]:
    """The stories of the diagnostics at `offset`, as `mixc explain` tells them."""
    found = []
    for problem in problems(project):
        entry = CODES.get(problem.diagnostic.code)
        if entry is not None and problem.span.start <= offset <= problem.span.end:
            examples = [f"{word}:\n\n```mix\n{text}\n```" for word, text in (("wrong", entry.wrong), ("right", entry.right)) if text]
            found.append(Hover("\n\n".join((f"**{problem.diagnostic.code}**: {entry.title}", entry.story, *examples)), problem.span))
    return tuple({h.markdown: h for h in found}.values())
