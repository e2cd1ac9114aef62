"""How scores and lengths are spread, what scores go with besides what they measure, and what tokenising took."""

from collections.abc import Sequence

from ..report.values import Confound, Portion, Report, Truncation
from .bars import correlation
from .drawings import histogram, ridges
from .figures import count, plural, share, signed
from .markup import Html, code, html, note, table, tag

MOST = 20


def spread(report: Report) -> Html | None:
    """The numbers as small plots by teacher; what is true or false as shares."""
    if not report.distributions and not report.truths:
        return None
    cards = [tag("figure", tag("figcaption", tag("b", d.score), f" {d.unit or ''}"), ridges(d), class_="card") for d in report.distributions]
    for each in report.truths:
        rows: list[tuple[object, ...]] = [(teacher, share(true / rows), f"{true:,} of {rows:,}") for teacher, true, rows in each.teachers]
        cards.append(tag("figure", tag("figcaption", tag("b", each.score), " true"), table(("teacher", "share", "rows"), rows, frozenset({1, 2})), class_="card"))
    words = (
        "By teacher: pale, every row that has a value; in colour, the selected, each as high as its row, ticks at the medians. Values are counted in 32 bins and drawn "
        "smoothed over five; one in two hundred at either end stands in the outer bins. Under a name: selected, of all with a value."
    )
    return html(note(words), tag("div", *cards, class_="cards"))


def confounds(report: Report) -> Html | None:
    """What each likelihood score goes with, in figures and in a sentence."""
    if not report.audits:
        return None
    rows = [
        (code(a.score), _correlated(a.step_length), _correlated(a.response_length), share(a.teacher), count(a.rows)) for a in report.audits
    ]
    words = (
        "What a likelihood score goes with besides naturalness: its rank correlation with the length of steps and of responses, and the share of its variance within "
        "a prompt that the teacher explains."
    )
    heads = ("score", "with step length", "with response length", "explained by the teacher", "rows")
    return html(note(words), table(heads, rows, frozenset({3, 4})), tag("ul", *(tag("li", *_sentence(a)) for a in report.audits), class_="plain"))


def _correlated(value: float | None) -> Html:
    return html(tag("span", signed(value), class_="value"), correlation(value))


def _sentence(a: Confound) -> tuple[object, ...]:
    """Plain words for what the figures say."""
    if not a.strong:
        return code(a.score), " goes with neither length nor teacher so strongly that the selection should be read as one of these."
    said = []
    for what in a.strong:
        value = {"step length": a.step_length, "response length": a.response_length, "teacher": a.teacher}[what]
        if what == "teacher":
            said.append(f"the teacher explains {share(value)} of its variance within a prompt, so that to choose by it is in part to choose a teacher")
        else:
            said.append(f"{'longer' if (value or 0) > 0 else 'shorter'} {'steps' if what == 'step length' else 'responses'} score higher ({signed(value)})")
    return code(a.score), f": {'; '.join(said)}."


def lengths(report: Report) -> Html | None:
    """The tokens of responses, and what of the selected ones is trained on."""
    if report.lengths is None and report.truncation is None:
        return None
    parts = []
    if found := report.lengths:
        said = f"Half of the {plural(sum(found.bins), 'response')} that are counted have {count(found.median)} tokens or fewer, the longest has {count(found.longest)}"
        if found.chosen_median is not None:
            said += f"; of the selected, half have {count(found.chosen_median)} or fewer, the longest has {count(found.chosen_longest)}"
        parts.append(tag("figure", tag("figcaption", tag("b", "tokens"), " pale: all; in colour: selected"), histogram(found), note(f"{said}."), class_="card"))
    if report.truncation is not None:
        parts.append(tag("div", *_trained(report.truncation), class_="card"))
    else:
        parts.append(tag("div", note("Nothing was trained in this build, so nothing was cut to the length of a training sequence."), class_="card"))
    return tag("div", *parts, class_="cards")


def _trained(t: Truncation) -> tuple[Html | None, ...]:
    cut = f"{plural(t.truncated, 'answer')} lost its end" if t.truncated == 1 else f"{plural(t.truncated, 'answer')} lost their ends"
    none = "no answer was cut"
    words = f"{plural(t.examples, 'example')} of {plural(t.rows, 'row')}, {count(t.tokens)} tokens that carry loss in an epoch. At {count(t.max_length)} tokens a sequence {cut if t.truncated else none}"
    words += f", {plural(t.dropped, 'row')} left nothing to train on" if t.dropped else ""
    words += f"; {count(t.lost_tokens)} tokens are lost." if t.lost_tokens else "."
    skills = html(tag("h4", "by skill"), _portions("skill", t.skills, t.tokens)) if t.skills else None
    return tag("h3", "Trained tokens"), note(words), _portions("teacher", t.teachers, t.tokens), skills


def _portions(what: str, portions: Sequence[Portion], tokens: int) -> Html:
    lost = any(p.cut or p.dropped for p in portions)
    rows: list[tuple[object, ...]] = []
    for p in portions[:MOST]:
        ends = (count(p.cut), count(p.dropped)) if lost else ()
        rows.append((p.name or "no teacher", count(p.rows), count(p.selected), count(p.trained), share(p.trained / max(1, tokens)), *ends))
    if len(portions) > MOST:
        rows.append((f"and {len(portions) - MOST:,} more",))
    heads = (what, "rows", "selected", "trained on", "share", *(("cut", "left out") if lost else ()))
    return table(heads, rows, frozenset(range(1, len(heads))))
