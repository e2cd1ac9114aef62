"""Diagnostics as JSON: for scripts and editors, every place counted from 1."""

import json
from collections.abc import Iterable, Mapping

from ..compiler.diagnostics import Diagnostic
from ..compiler.source import Source, Span


def render_json(
    diagnostics: Iterable[Diagnostic],
    sources: Mapping[str, Source],
    fixed: Iterable[tuple[Diagnostic, Mapping[str, Source]]] | None = None,
) -> str:
    """`{"diagnostics": […]}`: lines and columns from 1, columns in code points, an end is one past the last code point.

    The first of `labels` is the primary one; places in a file whose text is not at hand are null. `fixed`, where there was
    fixing, is listed under `"fixed"`, its places in the text before its fix.
    """
    data: dict[str, object] = {"diagnostics": [diagnostic_data(d, sources) for d in diagnostics]}
    if fixed is not None:
        data["fixed"] = [diagnostic_data(d, texts) for d, texts in fixed]
    return json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)


def diagnostic_data(diagnostic: Diagnostic, sources: Mapping[str, Source]) -> dict[str, object]:
    """One diagnostic as plain data."""
    labels = [label for label in (diagnostic.primary, *diagnostic.secondary) if label]
    edits = [{**_place(edit.span, sources), "text": edit.text} for edit in diagnostic.edits]
    nowhere = {"file": None, "start": None, "end": None}
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        **(_place(diagnostic.primary.span, sources) if diagnostic.primary else nowhere),
        "labels": [
            {**_place(label.span, sources), "text": label.text, "primary": label is diagnostic.primary}
            for label in labels
        ],
        "notes": list(diagnostic.notes),
        "help": diagnostic.help,
        "fix": {"edits": edits} if edits else None,
    }


def _place(span: Span, sources: Mapping[str, Source]) -> dict[str, object]:
    source = sources.get(span.path)
    return {"file": span.path, "start": _position(span.start, source), "end": _position(span.end, source)}


def _position(offset: int, source: Source | None) -> dict[str, int] | None:
    if source is None:
        return None
    line, column = source.position(min(offset, len(source.text)))
    return {"line": line, "column": column}
