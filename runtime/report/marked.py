"""The texts of a build and what was said at places of them: warnings of the compiler, lints of the run, and its notices, at the clauses that they are about."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from ...compiler.plan.stages import Plan
from ...compiler.source import Source
from ..spec_texts import source_of
from .values import Mark, Text


def marked(plan: Plan, manifest: Mapping[str, Any], sources: Sequence[Source]) -> tuple[tuple[Text, ...], tuple[Mark, ...]]:
    """The texts, the spec first, and the marks in the order of their places; those without one come last."""
    marks = [*_diagnostics(manifest, sources), *_notices(plan, manifest, sources)]
    ordered = sorted(marks, key=lambda m: (m.source is None, m.source or 0, m.start, m.end))
    return tuple(Text(_shown(source.path), source.text) for source in sources), tuple(ordered)


def _shown(path: str) -> str:
    """The path as it is kept; of one that leads elsewhere by root, only the name: no folder of a machine is shown."""
    return PurePath(path).name if PurePath(path).is_absolute() else path


def _diagnostics(manifest: Mapping[str, Any], sources: Sequence[Source]) -> Iterator[Mark]:
    """What the build kept; labels beside the first place are marks of their own, without words of the whole."""
    numbers = {source.path: number for number, source in enumerate(sources)}
    for each in manifest.get("diagnostics", []):
        place = each["place"] or {"path": "", "start": 0, "end": 0, "text": ""}
        said = each["severity"], each["message"], tuple(each["notes"]), each["help"]
        yield Mark(numbers.get(place["path"]), place["start"], place["end"], place["text"], each["code"], *said)
        for label in each["labels"]:
            if label["path"] in numbers and label["text"]:
                yield Mark(numbers[label["path"]], label["start"], label["end"], label["text"], None, "beside", "")


def _notices(plan: Plan, manifest: Mapping[str, Any], sources: Sequence[Source]) -> Iterator[Mark]:
    """`stage: what was said`, at the clause that caused the stage."""
    spans = {stage.id: stage.span for stage in plan.stages}
    by_path = {source.path: source for source in sources}
    for notice in manifest.get("notices", []):
        stage = next((id for id in sorted(spans, key=len, reverse=True) if notice.startswith(f"{id}: ")), None)
        said = notice if stage is None else notice.removeprefix(f"{stage}: ")
        found = None if stage is None else source_of(spans[stage].path, by_path)
        if stage is None or found is None:
            yield Mark(None, 0, 0, "", None, "notice", notice)
            continue
        start = spans[stage].start
        end = found.text.find("\n", start)  # a block is named by its first line
        yield Mark(sources.index(found), start, min(spans[stage].end, len(found.text) if end < 0 else end), "", None, "notice", said)
