"""The coverage of skills as a tree for people and as JSON. It counts nothing."""

import json

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..runtime.attribute import Branches
from ..runtime.coverage import Count, Coverage, Node
from ..runtime.skill_accuracy import ROOT

LINES = 32
"""So many skills are shown where nobody says otherwise: with the rest a screen of 40 lines."""
_NAMED = 8
NONE = "-"


def coverage_json(found: Coverage) -> str:
    """All of it; numbers that nothing tells are null."""
    data = {
        "skills": found.stage.taxonomy,
        "method": found.stage.method,
        "judge": found.judge,
        "tokens": found.tokens,
        "left_out": list(found.left_out),
        "profile": found.profile,
        **({} if found.branches is None else {"branches": found.branches.to_data()}),
        "all": _data(found.every, found) | _student(found, ROOT),
        "without_skill": _data(found.without, found),
        "tree": [{"name": n.name, "chain": n.chain, "depth": n.depth, "leaf": n.leaf, **_data(n.count, found), **_student(found, n.chain)} for n in found.nodes],
    }
    return json.dumps(data, indent=2, ensure_ascii=False)


def _data(count: Count, found: Coverage) -> dict[str, object]:
    every = found.every.rows
    correct = None
    if found.judge is not None:
        correct = {"rows": count.right, "of": count.judged, "share": round(count.right / count.judged, 6) if count.judged else None}
    return {
        "rows": count.rows,
        "share": round(count.rows / every, 6) if every else None,
        "prompts": count.prompts,
        "tokens": count.tokens,
        "correct": correct,
    }


def _student(found: Coverage, chain: str) -> dict[str, object]:
    """`student`: what the profile says of a node; nothing without one."""
    known = found.accuracy.get(chain)
    if found.profile is None:
        return {}
    if known is None:
        return {"student": None}
    numbers = {"share": known.share, "accuracy": known.accuracy}
    intervals = {"wilson": known.wilson, "credible": known.credible}
    return {"student": {
        "attempts": known.attempts, "correct": known.correct, **{name: None if n is None else round(float(n), 6) for name, n in numbers.items()},
        **{name: None if ends is None else [round(end, 6) for end in ends] for name, ends in intervals.items()}, "borrowed": known.borrowed,
    }}  # fmt: skip


def coverage_text(found: Coverage, console: Console, least: int | None = None) -> None:
    """The tree, with the skills folded that have fewer than `least` rows, but for those of a tree's first level; None: as few as leave at most LINES."""
    first = {n.chain for n in found.nodes if n.depth == 0 and not n.leaf}
    least = _fitting([n for n in found.nodes if n.chain not in first], LINES - len(first)) if least is None else least
    shown = [n for n in found.nodes if n.count.rows >= least or n.chain in first]
    console.print(Text(_title(found), style="message"), soft_wrap=True)
    console.print()
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("skill", overflow="fold")
    for name in ("rows", "share", "prompts", *(("tokens",) if found.tokens else ()), *(("correct",) if found.judge else ()), *(("student", "attempts") if found.profile else ())):
        table.add_column(name, justify="right", no_wrap=True)
    for node in shown:
        style = "dim" if not node.count.rows else ""
        table.add_row(Text("  " * node.depth + node.name, style), *_cells(node.count, found), *_learnt(found, node.chain), style=style)
    table.add_row("no skill", *_cells(found.without, found))
    table.add_row("all", *_cells(found.every, found), *_learnt(found, ROOT))
    console.print(table)
    console.print()
    for line in _notes(found, least, len(found.nodes) - len(shown)):
        console.print(Text(line, style="dim"), soft_wrap=True)


def _fitting(nodes: list[Node], most: int) -> int:
    """The fewest rows that a skill must have to be shown, so that `most` at most are; where one is shown, those above it are."""
    counts = sorted((n.count.rows for n in nodes), reverse=True)
    return 0 if len(counts) <= most else counts[max(0, most)] + 1


def _title(found: Coverage) -> str:
    stage = found.stage
    by = f"column {stage.column}" if stage.column else "keywords of the prompt" if stage.method == "keywords" else stage.method
    by = stage.attribution.model.model if stage.attribution is not None else by
    leaves = [n for n in found.nodes if n.leaf]
    held = sum(n.count.rows > 0 for n in leaves)
    of = f"{held:,} of {len(leaves):,} leaves have rows" if stage.tree is not None else f"{held:,} skills"
    return f"{stage.taxonomy} by {by}: {found.every.rows:,} rows of {found.every.prompts:,} prompts, {of}"


def _cells(count: Count, found: Coverage) -> list[str]:
    if not count.rows:
        return ["0", *[NONE] * (2 + bool(found.tokens) + bool(found.judge))]
    cells = [f"{count.rows:,}", _share(count.rows, found.every.rows), f"{count.prompts:,}"]
    if found.tokens:
        cells.append(NONE if count.tokens is None else f"{count.tokens:,}")
    if found.judge:
        cells.append(_share(count.right, count.judged) if count.judged else NONE)
    return cells


def _learnt(found: Coverage, chain: str) -> list[str]:
    """The student's accuracy with its 95 % interval, and the attempts behind it; of one that is its parent's, in brackets."""
    known = found.accuracy.get(chain)
    if known is None or known.accuracy is None:
        return [NONE, NONE] if found.profile else []
    ends = known.credible
    said = f"{float(known.accuracy):.0%}" + (f" {ends[0]:>3.0%}-{ends[1]:.0%}" if ends else "")
    return [f"({said})" if known.borrowed else said, f"{known.attempts:,}"]


def _share(part: int, whole: int) -> str:
    """In whole per cent; what is little is not none, and what is nearly all is not all."""
    shown = round(100 * part / whole)
    if part and not shown:
        return "<1%"
    return ">99%" if part < whole and shown == 100 else f"{shown}%"


def _notes(found: Coverage, least: int, folded: int) -> list[str]:
    lines = []
    if folded:
        one = folded == 1
        lines.append(f"folded: {folded:,} skill{'' if one else 's'} with fewer than {least:,} row{'' if least == 1 else 's'}; `--all` shows {'it' if one else 'them'}")
    holes = _holes(found)
    if folded and holes:
        more = f" and {len(holes) - _NAMED:,} more" if len(holes) > _NAMED else ""
        lines.append(f"without a row: {'; '.join(node.name for node in holes[:_NAMED])}{more}")
    if found.branches is not None:
        lines.append(_branches(found.branches))
    if any(n.count.rows for n in found.nodes):
        above = " and in all above them" if found.stage.tree is not None else ""
        lines.append(f"a row counts in each of its skills{above}; rows count before any `where` of `select`")
    if found.judge:
        lines.append(f"correct: by `{found.judge}`, of the rows on which it has a verdict")
    if found.profile:
        borrowed = "; in brackets: that of the skill above, for too few attempts" if any(a.borrowed for a in found.accuracy.values()) else ""
        lines.append(f"student: the accuracy of `{found.profile}`, drawn to that of the skill above, with the middle 95% of what it may be{borrowed}")
    return [*lines, *found.left_out]


def _branches(found: Branches) -> str:
    """How the questions to a model ended."""
    kinds = ((found.cut, "cut at the most tokens"), (found.silent, "without a response"), (found.invalid, "not of the form that was asked for"))
    why = ", ".join(f"{count:,} {said}" for count, said in kinds if count)
    failed = f"{found.failed:,} have no usable answer ({why})" if found.failed else "all have a usable answer"
    none = f"{found.none:,} say that no child is involved" if found.none else ""
    return f"of {found.branches:,} questions about {found.texts:,} texts {', '.join(filter(None, (failed, none)))}; such a branch keeps the skill above"


def _holes(found: Coverage) -> list[Node]:
    """The skills without a row that have no such skill above them."""
    empty = {n.chain for n in found.nodes if not n.count.rows}
    return [n for n in found.nodes if n.chain in empty and "->".join(n.chain.split("->")[:-1]) not in empty]
