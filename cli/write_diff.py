"""A comparison as Markdown for a pull request and as JSON for machines."""

import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from ..compiler.plan.changes import Change, Said, Work
from .comparison import Comparison, wording_of
from .markdown import escaped
from .sides import Side

VERSION = 1
_ROWS = "\x00rows"
SHOWN = 12  # rows of a table before the rest folds away


def to_markdown(comparison: Comparison) -> str:
    """A heading, a table of what matters, what runs again; the cosmetic and the long folded away."""
    found = comparison.difference
    lines = [f"### {_code(comparison.before.name)} → {_code(comparison.after.name)}: {comparison.verdict}", ""]
    rows = [c for work, changes in comparison.by_class() if work is not Work.COSMETIC for c in changes]
    cosmetic = [c for c in found.changes if c.work is Work.COSMETIC]
    lines += _table(rows[:SHOWN], comparison)
    if rows[SHOWN:]:
        lines += _folded(f"{_counted(len(rows) - SHOWN, 'more change')}", _table(rows[SHOWN:], comparison))
    if found.work is not None:
        lines += [f"**Run again:** {', '.join(map(escaped, comparison.run())) or 'nothing'}", ""]
        if cached := comparison.cached():
            lines += [f"**Stays cached:** {', '.join(map(escaped, cached))}", ""]
    text = [f"The text: {wording_of(found)}.", ""] if found.wording else []
    if cosmetic:
        lines += _folded(_counted(len(cosmetic), "cosmetic change"), [*_table(cosmetic, comparison), *text])
    else:
        lines += text
    if comparison.builds is not None:
        from .moves_sheets import moves_sheets
        from .sheet import markdown_lines

        lines += markdown_lines(moves_sheets(comparison.builds))
    return "\n".join(lines).rstrip("\n") + "\n"


def to_json(comparison: Comparison) -> str:
    """The comparison as `diff.schema.json` of this package describes it; every row that moved is a line."""
    data = to_data(comparison)
    dataset = data.get("builds", {}).get("dataset")
    if not dataset or not dataset["moves"]:
        return json.dumps(data, indent=2, ensure_ascii=False)
    rows, dataset["moves"] = dataset["moves"], [_ROWS]
    head, _, tail = json.dumps(data, indent=2, ensure_ascii=False).partition(json.dumps(_ROWS))
    indent = " " * (len(head) - len(head.rstrip(" ")))
    return head + f",\n{indent}".join(json.dumps(row, ensure_ascii=False) for row in rows) + tail


def schema() -> dict[str, Any]:
    """The JSON Schema of that form."""
    return json.loads((files(__package__ or "") / "diff.schema.json").read_text(encoding="utf-8"))


def to_data(comparison: Comparison) -> dict[str, Any]:
    """The comparison as plain data; lines from 1, null where the text is not at hand."""
    found = comparison.difference
    return {
        "mixc_diff": VERSION,
        "before": {"name": comparison.before.name, "revision": comparison.before.revision},
        "after": {"name": comparison.after.name, "revision": comparison.after.revision},
        "different": comparison.different,
        "class": found.work.value if found.work else None,
        "changes": [
            {
                "class": change.work.value,
                "kind": change.kind,
                "block": change.block,
                "before": _side(change.before, comparison.before, comparison),
                "after": _side(change.after, comparison.after, comparison),
                "note": change.note or None,
            }
            for change in found.changes
        ],
        "wording": list(found.wording),
        "run": list(found.run),
        "unchanged": list(found.same),
        "scores": [{"name": fate.name, "state": fate.state, "rows": fate.rows} for fate in found.scores],
        **_builds(comparison),
    }


def _builds(comparison: Comparison) -> dict[str, Any]:
    if comparison.builds is None:
        return {}
    from .moves_json import moves_data

    return {"builds": moves_data(comparison.builds)}


def _side(said: Said | None, side: Side, comparison: Comparison) -> dict[str, Any] | None:
    if said is None:
        return None
    file, line = comparison.place(said, side) or (None, None)
    return {"text": said.text, "file": file, "line": line}


def _table(changes: Sequence[Change], comparison: Comparison) -> list[str]:
    if not changes:
        return []
    rows = ["| class | what | before | after |", "|---|---|---|---|"]
    for change in changes:
        kind = f" {change.kind}" if change.kind in ("renamed", "reordered") else ""
        note = f"<br>{escaped(change.note)}" if change.note else ""
        cells = [_cell(change.before, comparison.before, comparison), _cell(change.after, comparison.after, comparison)]
        rows.append(f"| {change.work.value} | {escaped(change.block)}{kind}{note} | {cells[0]} | {cells[1]} |")
    return [*rows, ""]


def _cell(said: Said | None, side: Side, comparison: Comparison) -> str:
    if said is None:
        return ""
    place = comparison.shown_place(said, side)
    return _code(said.text) + (f"<br>{escaped(place)}" if place else "")


def _folded(title: str, lines: list[str]) -> list[str]:
    return [f"<details><summary>{title}</summary>", "", *lines, "</details>", ""]


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _code(text: str) -> str:
    """A code span that any text survives, also in a table: a fence longer than its backticks, pipes escaped."""
    flat = " ".join(text.split()).replace("|", "\\|")
    longest = max((len(run) for run in "".join(c if c == "`" else " " for c in flat).split()), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{fence}{pad}{flat}{pad}{fence}"
