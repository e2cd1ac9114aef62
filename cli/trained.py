"""What is trained on, beside what was selected: by teacher, by skill and by clause. Of a build as tables, of a plan as lines."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table

from ..runtime.broken import amount
from ..runtime.examples import Report, notices
from ..runtime.portions import Portion
from .tables import table

MOST = 10


def trained_tables(found: Mapping[str, Any]) -> Iterator[Table]:
    """The tables of a build, from its manifest's `training`; of the skills those with most trained tokens."""
    teachers, skills = found.get("teachers", []), found.get("skills", [])
    names = ("rows", "selected", "trained", "cut", "dropped")
    every = [{"name": "all"} | {n: None if any(p[n] is None for p in teachers) else sum(p[n] for p in teachers) for n in names}]
    yield _portions("trained on", "teacher", [*teachers, *(every if len(teachers) > 1 else [])], found["tokens"])
    if skills:
        yield _portions("", "skill", skills, found["tokens"])
    if held := _changed(found.get("promises", [])):
        yield _promises(held)


def _portions(title: str, what: str, found: Sequence[Mapping[str, Any]], tokens: int) -> Table:
    counted, lost = any(p["selected"] is not None for p in found), any(p["cut"] or p["dropped"] for p in found)
    columns = [("examples", "right"), *([("tokens selected", "right")] if counted else []), ("trained on", "right"), ("share", "right")]
    columns += [("cut", "right"), ("left out", "right")] if lost else []
    drawn = table(title, (what, "left"), *columns)
    for p in found[:MOST]:
        selected = [f"{p['selected']:,}" if p["selected"] is not None else ""] if counted else []
        ends = [_some(p["cut"]), _some(p["dropped"])] if lost else []
        drawn.add_row(p["name"] or "no teacher", f"{p['rows'] - p['dropped']:,}", *selected, f"{p['trained']:,}", f"{p['trained'] / max(1, tokens):.0%}", *ends)
    if len(found) > MOST:
        drawn.add_row(f"and {len(found) - MOST:,} more")
    return drawn


def _changed(promises: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The clauses of which something else is trained on than was selected."""
    return [p for p in promises if (p["selected"], p["selected_share"]) != (p["trained"], p["trained_share"])]


def _promises(held: Sequence[Mapping[str, Any]]) -> Table:
    drawn = table("clauses, in what is trained on", ("", "left"), ("selected", "right"), ("trained on", "right"), ("", "left"))
    for p in held:
        shares = [None if p[name] is None else round(p[name], 1) for name in ("selected_share", "trained_share")]
        drawn.add_row(
            p["clause"], amount(p["unit"], p["selected"], shares[0]), amount(p["unit"], p["trained"], shares[1]),
            "kept" if p["within"] else "kept by the responses alone",
        )  # fmt: skip
    return drawn


def trained_lines(report: Report) -> Iterator[str]:
    """What a plan says of the rows that a training would read."""
    yield f"{report.examples:,} examples, {report.tokens:,} tokens that carry loss in an epoch"
    yield from notices(report)
    for name, found in (("teachers", report.teachers), ("skills", report.skills)):
        if found:
            more = f" and {len(found) - MOST:,} more" if len(found) > MOST else ""
            yield f"{name}: {', '.join(_portion(p, report) for p in found[:MOST])}{more}"
    for p in _changed([each.to_dict() for each in report.promises]):
        if not p["within"]:
            yield f"{p['clause']}: kept by the responses; with what the template adds {amount(p['unit'], p['trained'], p['trained_share'])}"


def _portion(p: Portion, report: Report) -> str:
    return f"{p.name} {p.trained:,} ({p.trained / max(1, report.tokens):.0%})"


def _some(count: int) -> str:
    return f"{count:,}" if count else ""
