"""Who is in: teachers and skills beside candidates and quotas, and the clauses with their slack and price."""

from collections.abc import Sequence

from ..report.values import Clause, Group, Report
from .bars import group_bar, row
from .figures import DASH, amount, count, held, plural, share
from .markup import Html, code, html, note, table, tag

TARGETS = 30


def composed(report: Report) -> Html | None:
    """The section; None where nothing was selected."""
    if not report.selected:
        return None
    known = any(g.candidates is not None for g in report.teachers)
    words = ["In colour the share of the selected rows (of their tokens, where the quota counts tokens)"]
    words += ["pale that of the candidates that came to the selection"] if known else []
    words += ["upright lines are the bounds of a quota"] if any(c.clause.startswith("quota") for c in report.clauses) else []
    parts = [note(f"{'; '.join(words)}.")]
    for title, groups, left_out in (("Teachers", report.teachers, report.teachers_left_out), ("Skills", report.skills, report.skills_left_out)):
        if groups:
            parts.append(html(tag("h3", title), tag("ul", *_rows(groups, report), class_="bars groups")))
        if left_out:
            parts.append(note(f"{plural(left_out, title.lower().removesuffix('s'))} with fewer rows and without a quota {'is' if left_out == 1 else 'are'} left out."))
    if report.clauses:
        words = "What each clause reached, and what it costs: a price is what the objective would gain if the bound gave way by one."
        parts.append(html(tag("h3", "Clauses"), note(words), _clauses(report.clauses, report)))
    if report.targets:
        parts.append(html(tag("h3", "Soft targets"), _targets(report)))
    return html(*parts)


def _rows(groups: Sequence[Group], report: Report) -> list[Html]:
    """Bars that share one scale, so that the longest fills most of its row."""
    scale = max([0.01, *(value for g in groups for value in (g.share, g.candidate_share or 0, g.low or 0, g.high if g.high is not None and g.high <= 1 else 0))])
    rows = []
    for g in groups:
        figures = [tag("b", share(g.share)), f"{plural(g.rows, 'row')}" + (f", {plural(g.tokens, 'token')}" if g.tokens is not None else "")]
        if g.quota is not None:
            style = "quota binding" if g.quota.binding else "quota"
            figures.append(tag("span", code(g.quota.clause.removeprefix("quota ")), f" {held(g.quota, report.unit, weighted=report.weighted)}", class_=style))
        rows.append(row(g.name, group_bar(g, scale), *figures))
    return rows


def _clauses(clauses: Sequence[Clause], report: Report) -> Html:
    rows: list[tuple[object, ...]] = []
    for c in clauses:
        reached = amount(c.amount, c.unit) + (f" ({share(c.share / 100)})" if c.share is not None else "")
        bounds = " to ".join(count(bound) for bound in dict.fromkeys((c.low, c.high)) if bound is not None)
        side = {"low": "at least ", "high": "at most "}.get("low" if c.high is None else "high" if c.low is None else "", "")
        rows.append((code(c.clause), reached, f"{side}{bounds}" if bounds else DASH, tag("span", held(c, report.unit, weighted=report.weighted), class_="binding" if c.binding else None)))
    return table(("clause", "reached", "bounds", "room or price"), rows, frozenset({1, 2}))


def _targets(report: Report) -> Html:
    rows = [(t.leaf, count(t.target), count(t.selected), count(t.short) if t.short else "") for t in report.targets[:TARGETS]]
    more = len(report.targets) - TARGETS
    beside = note(f"{plural(more, 'leaf', 'leaves')} that lack less {'is' if more == 1 else 'are'} left out.") if more > 0 else None
    return html(table(("leaf", "target", "selected", "short by"), rows, frozenset({1, 2, 3})), beside)
