"""Which faults only follow from a clause that could not be read, or from a parent that could not be had. Those are not told."""

import dataclasses
import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping

from ..diagnostics import Diagnostic
from ..source import Source, Span
from ..syntax import ast

_OF_NAMES = ("MIX0201", "MIX0204", "MIX0206")
_UNKNOWN = {
    "score": "no score",
    "student": "no student",
    "corpus": "no corpus named",
    "teacher": "no teacher",
    "param": "no param",
    "mix": "no mix",
    "select": "no clause",
}
"""How the message begins for a name that a declaration of this kind would have declared."""
_MISSED = {
    "student": "student|tokens",
    "score": "tokens",
    "corpus": "corpus",
    "skills": "skills",
    "profile": "profile",
    "train": "student",
    "mix": "`mix`",
    "decontaminate": "was checked against",
}
"""What is said of a spec without a declaration of this kind."""


def with_lost(spec: ast.Spec) -> ast.Spec:
    """The spec whose blocks know the keywords of their clauses that could not be read."""
    blocks = [d for d in spec.declarations if isinstance(d, ast.Block)]
    starts = [b.span.start for b in blocks]
    lost: dict[int, set[str | None]] = {}
    for clause in spec.lost:
        if clause.block and (at := bisect_right(starts, clause.span.start)):
            lost.setdefault(at - 1, set()).add(clause.keyword)
    known = {id(block): frozenset(lost[i]) for i, block in enumerate(blocks) if i in lost}
    declarations = (
        dataclasses.replace(d, lost=known[id(d)]) if isinstance(d, ast.Block) and id(d) in known else d for d in spec.declarations
    )
    return dataclasses.replace(spec, declarations=tuple(declarations)) if known else spec


def independent(found: Iterable[Diagnostic], lost: Iterable[ast.Lost], sources: Mapping[str, Source], *, orphan: bool) -> list[Diagnostic]:
    """The diagnostics that stand for themselves; `orphan`: a parent could not be had, and it may declare any name."""
    clauses = list(lost)
    names = {clause.name for clause in clauses if clause.name}
    nameless = {_UNKNOWN.get(clause.keyword or "", "no ") for clause in clauses if not clause.block and not clause.name}
    missed = {_MISSED.get(clause.keyword, "$^") if clause.keyword else "" for clause in clauses if not clause.block}
    places = _Places(clause.span for clause in clauses)

    def follows(diagnostic: Diagnostic) -> bool:
        if diagnostic.primary is None or diagnostic.code.startswith("MIX01"):
            return False
        span = diagnostic.primary.span
        if places.overlap(span):
            return True
        if diagnostic.code in ("MIX0207", "MIX0601"):
            return orphan or any(re.search(said, diagnostic.message) for said in missed)
        if diagnostic.code not in _OF_NAMES:
            return False
        return orphan or diagnostic.message.startswith(tuple(nameless)) or bool(names & _words(sources.get(span.path), span))

    return [d for d in found if not follows(d)]


def _words(source: Source | None, span: Span) -> set[str]:
    """The first name of a place, and the texts in quotes there."""
    text = source.text[span.start : span.end] if source else ""
    first = re.match(r"\$?([A-Za-z_][A-Za-z0-9_]*)", text)
    return {first[1]} if first else set(re.findall(r'^"([^"]*)"', text))


class _Places:
    """Spans that do not overlap one another, asked whether one overlaps another span."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._ends: dict[str, list[tuple[int, int]]] = {}
        for span in sorted(spans, key=lambda s: s.start):
            self._ends.setdefault(span.path, []).append((span.start, span.end))

    def overlap(self, span: Span) -> bool:
        places = self._ends.get(span.path, [])
        at = bisect_right(places, (span.start, span.end))
        return any(low < max(span.end, span.start + 1) and span.start < high for low, high in places[max(at - 1, 0) : at + 1])
