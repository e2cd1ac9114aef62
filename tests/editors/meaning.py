"""What each word, string, number and comment of a spec is, judged by the parser: what every highlighter is held against."""

import dataclasses
from pathlib import Path

from mixc.compiler.diagnostics import Diagnostics
from mixc.compiler.source import Source, Span
from mixc.compiler.syntax import ast
from mixc.compiler.syntax.parse import parse
from mixc.compiler.syntax.tokens import END, NEWLINE, tokenize

UNITS = ("examples", "prompts", "tokens", "steps", "epochs", "nats")
ROOT = Path(__file__).parents[2]


def specs() -> list[Path]:
    """Every `.mix` file of the repository that parses without an error."""
    found = [p for folder in ("specs", "tests", "cli") for p in sorted((ROOT / folder).rglob("*.mix"))]
    return [p for p in found if parses(p)]


def parses(path: Path) -> bool:
    notes = Diagnostics()
    try:
        parse(Source(str(path), read(path)), notes)
    except UnicodeDecodeError:
        return False
    return not notes.has_errors


def read(path: Path) -> str:
    return path.read_bytes().decode("utf-8-sig")


def meanings(text: str) -> list[tuple[int, int, str]]:
    """(start, end, kind) of each token that carries meaning: kind is comment, string, number, param, quantile, keyword or name."""
    source, notes = Source("spec.mix", text), Diagnostics()
    tokens, comments = tokenize(source, notes)
    names, keywords = set(), set()
    for node in _nodes(parse(source, notes).declarations):
        if isinstance(node, ast.Setting | ast.RemoveSetting):
            keywords.add(node.keyword.span.start)
        elif isinstance(node, ast.RemoveDeclaration):
            keywords.add(node.kind.span.start)
        elif isinstance(node, ast.Expect) and isinstance(node.subject, ast.Name):
            keywords.add(node.subject.span.start)
        elif isinstance(node, ast.Name):
            names.add(node.span.start)
        elif isinstance(node, ast.Pattern) and node.keyword == "budget" and node.detail is not None:
            keywords.add(node.detail.span.start)
    names -= keywords
    found = [(c.span.start, c.span.end, "comment") for c in comments]
    for token in tokens:
        match token.kind:
            case "STRING" | "QUANTILE":
                found.append((token.start, token.end, token.kind.lower()))
            case "NUMBER" | "PERCENT":
                found.append((token.start, token.end, "number"))
            case "PARAM" | "PARAM_PERCENT":
                found.append((token.start, token.end, "param"))
            case kind if kind not in (NEWLINE, END) and (token.text[:1].isalpha() or token.text[:1] == "_"):
                if text[: token.start].rpartition("\n")[2].strip() or token.text not in UNITS:  # a highlighter reads line by line
                    found.append((token.start, token.end, "name" if token.start in names else "keyword"))
    return sorted(found)


def _nodes(value: object) -> list[object]:
    if isinstance(value, tuple):
        return [node for item in value for node in _nodes(item)]
    if not dataclasses.is_dataclass(value) or isinstance(value, Span):
        return []
    return [value, *(node for f in dataclasses.fields(value) for node in _nodes(getattr(value, f.name)))]
