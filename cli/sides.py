"""One side of a comparison: a spec on the disk or at a revision, a plan, a build folder. What the user named becomes a plan with its texts."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from ..compiler.diagnostics import Diagnostic, Fault, Severity
from ..compiler.plan.serialize import Unreadable, from_data
from ..compiler.plan.stages import Plan
from ..compiler.source import Source, Span
from .inputs import compile_file
from .revisions import Revision, revision
from .sources import read_source


@dataclass(frozen=True, slots=True)
class Side:
    """`name` as the user named it; `sources`: the spec and what it extends, none for a plan; `revision` None for what lies on the disk.

    `values`: how many values each score had, for a build that is there; `settings`: the params set from outside.
    """

    name: str
    plan: Plan
    sources: tuple[Source, ...] = ()
    revision: str | None = None
    values: Mapping[str, int] = field(default_factory=dict)
    settings: tuple[tuple[str, str], ...] = ()

    def place(self, span: Span | None, key: str = "") -> tuple[str, int | None] | None:
        """File and line (from 1) of a clause: the line of the block around `span` that begins with `key`, else that of the span. No line without a text."""
        if span is None:
            return self._head(key)
        source = next((s for s in self.sources if s.path == span.path), None)
        if source is None:
            return span.path, None
        return span.path, _line(source, span, key.split()[0] if key else "")

    def _head(self, key: str) -> tuple[str, int] | None:
        """Where `mix` says it, in the spec or in the nearest one that it extends."""
        for source in self.sources:
            head = next((n for n in range(1, len(source.starts) + 1) if source.line(n).startswith("mix ")), None)
            if head and re.search(rf"\b{key}\b", source.line(head)):
                return source.path, head
            if head:
                start = source.starts[head - 1]
                line = _line(source, Span(source.path, start, start), key)
                if line != head:
                    return source.path, line
        return None


def side(name: str, overrides: Sequence[str]) -> Side:
    """What `name` stands for. Fault with the diagnostics of that side where it does not compile; MIX0208 or MIX0501 where it cannot be had."""
    path = Path(name)
    if path.is_dir():
        if not (path / "plan.json").is_file():
            inside = [f"`{each.parent}`" for each in sorted(path.glob("*/plan.json"))[:3]]
            help = f"it holds several builds: name one, such as {', '.join(inside)}" if inside else "a build folder holds a `plan.json`: name one, or a spec"
            raise Fault(Diagnostic("MIX0208", f"`{name}` is a folder without a `plan.json`", help=help))
        return replace(_plan(name, path / "plan.json"), values=_values(path / "manifest.json"))
    if path.suffix == ".json" and path.exists():
        return _plan(name, path)
    if ":" in name and not path.exists():
        at, inside = revision(name)
        if inside.endswith(".json"):
            return Side(name, _read(at.read(inside).text, name), revision=at.name)
        return _spec(name, inside, overrides, at)
    return _spec(name, name, overrides, None)


def _spec(name: str, path: str, overrides: Sequence[str], at: Revision | None) -> Side:
    outcome = compile_file(path, overrides, at.read if at else read_source)
    if outcome.plan is None:
        errors = [d for d in outcome.notes if d.severity is Severity.ERROR]
        raise Broken(name, outcome.sources, *(replace(d, notes=(*d.notes, f"in `{name}`")) if at else d for d in errors))
    settings = tuple((param, value) for param, _, value in (text.partition("=") for text in overrides))
    return Side(name, outcome.plan, outcome.sources, at.name if at else None, settings=settings)


class Broken(Fault):
    """One side does not compile: its diagnostics, and the texts that they point into, as that side has them."""

    def __init__(self, name: str, sources: tuple[Source, ...], *diagnostics: Diagnostic) -> None:
        super().__init__(*diagnostics)
        self.name = name
        self.sources = sources


def _plan(name: str, path: Path) -> Side:
    try:
        return Side(name, _read(path.read_text(encoding="utf-8"), str(path)))
    except UnicodeDecodeError:
        raise Fault(Diagnostic("MIX0501", f"`{path}` is not UTF-8 text")) from None


def _values(path: Path) -> dict[str, int]:
    """How many values of each score a build had, as its manifest counts them; nothing where it does not say."""
    try:
        scores = json.loads(path.read_text(encoding="utf-8"))["counts"]["scores"]
        return {str(name): int(each["computed"]) + int(each["reused"]) for name, each in scores.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _read(text: str, path: str) -> Plan:
    """The plan in a text; what `mixc plan --format json` adds to one is left aside."""
    try:
        data = json.loads(text)
        if isinstance(data, dict) and "diagnostics" in data:
            data = {key: value for key, value in data.items() if key in ("mixc_plan", *(f.name for f in fields(Plan)))}
        return from_data(data)
    except (Unreadable, ValueError, RecursionError) as error:
        help = "plans are written by `mixc build` and by `mixc plan --format json`; make it anew with this version"
        raise Fault(Diagnostic("MIX0501", f"`{path}` is no plan: {error}", help=help)) from None


def _line(source: Source, span: Span, word: str) -> int:
    line, _ = source.position(min(span.start, len(source.text)))
    if not word or source.line(line).split()[:1] == [word]:
        return line
    first = last = line
    while first > 1 and (not source.line(first).strip() or source.line(first)[0] in " \t#}"):
        first -= 1
    while last < len(source.starts) and not source.line(last).startswith("}"):
        last += 1
    inside = range(first, last + 1)
    return next((n for n in inside if source.line(n).split()[:1] == [word]), line)
