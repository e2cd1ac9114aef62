"""Locks for people, and as JSON and Markdown: what one pins, and what parts two. It decides nothing."""

import json
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from ..compiler.plan.changes import Work
from ..compiler.plan.drift import Drift
from ..compiler.plan.drifted import effect, sentence
from ..compiler.plan.lock import Lock, to_data
from .markdown import escaped

_INDENT = 2


def written_text(path: Path, status: str, lock: Lock, drifted: Sequence[Drift], console: Console) -> None:
    """What `mixc lock` wrote, a section a line."""
    console.print(Text.assemble((str(path), "message"), f": {status}"), soft_wrap=True)
    width = max(map(len, (*lock.sections, "variants")))
    for section, said in _sections(lock):
        rows = textwrap.wrap(said, max(console.width - width - 4, 20), break_long_words=False, break_on_hyphens=False)
        for number, row in enumerate(rows):
            console.print(Text.assemble("  ", (f"{section if not number else '':<{width}}", "dim"), f"  {row}"), soft_wrap=True)
    if drifted:
        console.print("\nother than before", style="message")
        for line in _lines(drifted, console.width):
            console.print(line, soft_wrap=True)


def written_json(path: Path, status: str, lock: Lock, drifted: Sequence[Drift]) -> str:
    """The same, with the lock itself."""
    return json.dumps({"file": str(path), "status": status, "lock": to_data(lock), "drift": [_data(each) for each in drifted]}, indent=2, ensure_ascii=False)


def differing_text(names: tuple[str, str], drifted: Sequence[Drift], console: Console) -> None:
    """What parts two locks, the dearest first."""
    verdict = "warning" if drifted else "success"
    console.print(Text.assemble((" -> ".join(names), "message"), ": ", (_verdict(drifted), verdict)), soft_wrap=True)
    for line in _lines(drifted, console.width):
        console.print(line, soft_wrap=True)


def differing_json(names: tuple[str, str], drifted: Sequence[Drift]) -> str:
    """The same as JSON; of rows the keys of a sketch as hex digits are left out, their counts are not."""
    work = _dearest(drifted)
    data = {"before": names[0], "after": names[1], "class": work.value if work else None, "drift": [_data(each) for each in drifted]}
    return json.dumps(data, indent=2, ensure_ascii=False)


def differing_markdown(names: tuple[str, str], drifted: Sequence[Drift]) -> str:
    """The same as a table, for a pull request."""
    lines = [f"### {escaped(names[0])} → {escaped(names[1])}: {_verdict(drifted)}"]
    if drifted:
        lines += ["", "| what drifted | what runs again |", "| --- | --- |"]
        lines += [f"| {_cell(sentence(each))} | {_cell(effect(each))} |" for each in drifted]
    return "\n".join(lines) + "\n"


def _sections(lock: Lock) -> Iterator[tuple[str, str]]:
    for section, pins in lock.sections.items():
        match section:
            case "stages":
                yield section, f"{len(pins)}, seed {lock.seed}, plan {lock.plan[:12]}"
            case "corpora" | "heldout":
                yield section, ", ".join(f"{name} ({fields['rows']:,} rows)" for name, fields in pins.items())
            case "versions":
                yield section, ", ".join(f"{name} {fields['']}" for name, fields in pins.items())
            case "params":
                yield section, ", ".join(f"{name} = {fields['']}" for name, fields in pins.items())
            case _:
                yield section, ", ".join(pins)
    if lock.variants:
        yield "variants", ", ".join(lock.variants)


def _lines(drifted: Sequence[Drift], width: int) -> Iterator[Text]:
    for each in drifted:
        yield Text(" " * _INDENT + sentence(each))
        for row in textwrap.wrap(effect(each), max(width - 2 * _INDENT, 20), break_long_words=False, break_on_hyphens=False):
            yield Text(" " * 2 * _INDENT + row, "dim")


def _data(each: Drift) -> dict[str, Any]:
    fields = {name or "value": {"before": before, "after": after} for name, before, after in each.fields if name != "sketch"}
    rows = None
    if each.parted is not None:
        changed = each.parted.changed
        rows = {"changed": changed, "came": len(each.parted.came) - changed, "went": len(each.parted.went) - changed}
    return {
        "section": each.section, "name": each.name, "kind": each.kind, "class": each.effect.work.value, "runs_again": list(each.effect.run),
        "message": sentence(each), "rows": rows, "fields": fields,
    }  # fmt: skip


def _verdict(drifted: Sequence[Drift]) -> str:
    work = _dearest(drifted)
    return work.value if work else "no difference"


def _dearest(drifted: Sequence[Drift]) -> Work | None:
    return max((each.effect.work for each in drifted), key=lambda work: work.cost, default=None)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
