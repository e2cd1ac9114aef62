"""The trainings and what their models score."""

from ..panels import title
from ..recipes import HELDOUT
from ..report.values import Report
from ..results import Result
from .drawings import curves, measured, styles
from .figures import DASH, count, plural, real, share
from .markup import Html, html, note, table, tag


def trained(report: Report) -> Html | None:
    """The losses of all arms, and what each training came to."""
    if not report.trainings:
        return None
    colours = styles(report.results, report.trainings)
    rows: list[tuple[object, ...]] = []
    for each in report.trainings:
        first = sum(c.losses[0] for c in each.courses) / len(each.courses)
        last = sum(c.smoothed[-1] for c in each.courses) / len(each.courses)
        steps = max(c.steps[-1] for c in each.courses)
        rows.append((each.label, count(len(each.courses)), count(steps), f"{real(first)} → {real(last)}", count(each.examples), count(each.trained)))
    words = "Loss in nats a token, smoothed (each step keeps 0.9 of the mean before it); thin: the runs of a recipe, one a seed; thick: their mean; dashed: baselines."
    plot = tag("figure", tag("figcaption", tag("b", "training loss")), curves(report.trainings, colours), class_="card")
    heads = ("recipe", "runs", "steps", "loss, first to last", "examples", "trained tokens")
    return html(note(words), tag("div", plot, tag("div", table(heads, rows, frozenset({1, 2, 3, 4, 5})), class_="card"), class_="cards"))


def evaluated(report: Report) -> Html | None:
    """Each benchmark with the recipes of the build, and the figures as a table."""
    if not report.results:
        return None
    colours = styles(report.results, report.trainings)
    names = sorted(dict.fromkeys(r.benchmark for r in report.results), key=lambda name: name == HELDOUT)
    cards = [tag("figure", tag("figcaption", tag("b", title(name).partition(":")[0]), title(name).partition(":")[2]), measured(name, [r for r in report.results if r.benchmark == name], colours), class_="card") for name in names]
    rows = [_row(r) for name in names for r in report.results if r.benchmark == name]
    words = "With 95 % intervals: of a recipe over its runs and problems, of a difference by a paired bootstrap over both; * where the interval of the difference leaves 0 out."
    heads = ("benchmark", "recipe", "value", "interval", "difference", "its interval", "runs", "problems")
    return html(note(words), tag("div", *cards, class_="cards"), table(heads, rows, frozenset({2, 3, 4, 5, 6, 7})), _apart(report))


def _row(r: Result) -> tuple[object, ...]:
    is_share = r.benchmark != HELDOUT
    shown = share if is_share else lambda value: real(value, 4)
    d = None if r.paired is None else r.paired.difference
    change = (lambda v: f"{100 * v:+.1f}".replace("-", "−")) if is_share else (lambda v: f"{v:+.4f}".replace("-", "−"))
    told = DASH if d is None else change(d.value) + (" *" if d.told else "")
    ends = DASH if d is None else f"{change(d.low)} to {change(d.high)}"
    interval = DASH if r.low is None else f"{shown(r.low)} to {shown(r.high)}"
    return "held-out rows, nats a token" if not is_share else r.benchmark, r.label, shown(r.value), interval, told, ends, count(r.runs), count(r.problems)


def _apart(report: Report) -> Html | None:
    """Why some are not compared."""
    reasons = dict.fromkeys(r.apart for r in report.results if r.apart)
    unknown = sum(r.unknown for r in report.results)
    said = [*reasons, *([f"{plural(unknown, 'answer')} could not be graded and count as wrong"] if unknown else [])]
    return note(f"{'; '.join(said)}.".capitalize()) if said else None
