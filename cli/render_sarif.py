"""Diagnostics as SARIF 2.1.0, which code scanners and editors read: every code a rule, every diagnostic a result."""

import json
import posixpath
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote

from .. import __version__
from ..compiler.codes.all import CODES
from ..compiler.codes.entry import Code
from ..compiler.diagnostics import Diagnostic, Label
from ..compiler.paths import is_remote
from ..compiler.source import Source, Span

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render_sarif(diagnostics: Iterable[Diagnostic], sources: Mapping[str, Source]) -> str:
    """One run of one tool. Lines and columns count from 1, columns in code points, an end is one past the last."""
    rules = list(CODES)
    run = {
        "tool": {"driver": {"name": "mixc", "version": __version__, "rules": [_rule(code, CODES[code]) for code in rules]}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(d, rules, sources) for d in diagnostics],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False, allow_nan=False)


def _rule(code: str, entry: Code) -> dict[str, object]:
    examples = "".join(f"\n\n{word}:\n\n{example.strip()}" for word, example in (("wrong", entry.wrong), ("right", entry.right)) if example)
    return {
        "id": code,
        "shortDescription": {"text": entry.title},
        "fullDescription": {"text": entry.story},
        "help": {"text": f"{entry.story}{examples}"},
    }


def _result(diagnostic: Diagnostic, rules: list[str], sources: Mapping[str, Source]) -> dict[str, object]:
    remarks = [*diagnostic.notes, *([f"help: {diagnostic.help}"] if diagnostic.help else [])]
    result: dict[str, object] = {
        "ruleId": diagnostic.code,
        "level": diagnostic.severity.value,
        "message": {"text": "\n".join([diagnostic.message, *remarks])},
    }
    if diagnostic.code in CODES:
        result["ruleIndex"] = rules.index(diagnostic.code)
    if diagnostic.primary:
        result["locations"] = [_location(diagnostic.primary, sources)]
    if diagnostic.secondary:
        result["relatedLocations"] = [{"id": i, **_location(label, sources)} for i, label in enumerate(diagnostic.secondary, 1)]
    if fix := _fix(diagnostic, sources):
        result["fixes"] = [fix]
    return result


def _location(label: Label, sources: Mapping[str, Source]) -> dict[str, object]:
    place: dict[str, object] = {"physicalLocation": _physical(label.span, sources)}
    return place | ({"message": {"text": label.text}} if label.text else {})


def _physical(span: Span, sources: Mapping[str, Source]) -> dict[str, object]:
    region = _region(span, sources)
    return {"artifactLocation": {"uri": _uri(span.path)}, **({"region": region} if region else {})}


def _region(span: Span, sources: Mapping[str, Source]) -> dict[str, int] | None:
    if (source := sources.get(span.path)) is None:
        return None
    (line, column), (end_line, end_column) = (source.position(min(at, len(source.text))) for at in (span.start, span.end))
    return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}


def _fix(diagnostic: Diagnostic, sources: Mapping[str, Source]) -> dict[str, object] | None:
    """The edits by file; None where there are none, or the text of a file is not at hand."""
    changes: dict[str, list[dict[str, object]]] = {}
    for edit in diagnostic.edits:
        region = _region(edit.span, sources)
        if region is None:
            return None
        changes.setdefault(_uri(edit.span.path), []).append({"deletedRegion": region, "insertedContent": {"text": edit.text}})
    if not changes:
        return None
    listed = [{"artifactLocation": {"uri": uri}, "replacements": replaced} for uri, replaced in changes.items()]
    return {"description": {"text": diagnostic.help or diagnostic.message}, "artifactChanges": listed}


def _uri(path: str) -> str:
    """A relative reference with forward slashes; a path outside of the working directory that was given in full stays whole."""
    if is_remote(path):
        return path
    file = Path(path)
    if file.is_absolute():
        if not file.is_relative_to(Path.cwd()):
            return file.as_uri()
        file = file.relative_to(Path.cwd())
    return quote(posixpath.normpath(file.as_posix()))
