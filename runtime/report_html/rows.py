"""What became of the rows: how many each clause left, and some of them to look at."""

from itertools import groupby

from ..report.values import Example, Report, Spoken
from .bars import funnel_bar, row
from .figures import count, real, share
from .markup import Html, code, html, note, tag

LONGEST = 4_000
"""So many characters of a prompt or a response are shown."""
KINDS = {
    "best": ("Best of the selected", "highest by what is maximised"),
    "worst": ("Worst of the selected", "lowest by what is maximised"),
    "borderline": ("Borderline", "nearest to the line on either side"),
    "random": ("Random", "selected rows, drawn by the seed"),
}


def funnel(report: Report) -> Html | None:
    """Each clause with what is left after it and what it dropped."""
    if not report.funnel:
        return None
    widest = max(step.rows + max(step.dropped, 0) for step in report.funnel) or 1
    rows = []
    for step in report.funnel:
        before = step.rows + max(step.dropped, 0)
        dropped = tag("span", f"−{step.dropped:,}", class_="drop", title=f"{share(step.dropped / before)} of what was there") if step.dropped > 0 and before else ""
        rows.append(row(code(step.clause), funnel_bar(step.rows / widest, before / widest), count(step.rows), dropped))
    words = "Rows left after each clause, in the order in which they act; pale: what the clause dropped."
    return html(note(words), tag("ol", *rows, class_="bars funnel"))


def examples(report: Report) -> Html | None:
    """The rows that are shown, by kind, their steps coloured by log-probability."""
    if not report.examples:
        return None
    known = sorted(step.logprob for each in report.examples for step in each.response if step.logprob is not None)
    floor = known[len(known) // 20] if known else -1.0  # one in twenty steps is as deep in colour as it gets
    drawn = []
    for kind, of_kind in groupby(report.examples, key=lambda e: e.kind):
        title, what = KINDS.get(kind, (kind, ""))
        found = list(of_kind)
        by = next((e.by for e in found if e.by), None)
        line = f"; the line is drawn by {'the prices of the clauses' if by == 'the prices' else f'`{by}`'}" if by else ""
        drawn.append(html(tag("h3", title), note(f"{what}{line}.".capitalize()), tag("div", *(_example(each, floor) for each in found), class_="examples")))
    name = next((e.score for e in report.examples if e.score), None)
    legend = None
    if name is not None:
        scale = tag("span", class_="scale", aria_hidden="true")
        legend = tag("p", "Steps are coloured by the mean log-probability of their tokens under ", code(name), ": ", tag("span", "0", class_="end"), scale, tag("span", f"{real(floor, 2)} nats a token or less", class_="end"), class_="note legend")
    beside = note(f"{report.lacks['steps'].capitalize()}.") if "steps" in report.lacks else None
    return html(legend, beside, *drawn)


def _example(each: Example, floor: float) -> Html:
    about = [tag("span", "selected" if each.selected else "dropped", class_=f"chip {'in' if each.selected else 'out'}"), tag("span", each.teacher or "no teacher", class_="chip")]
    about += [tag("span", chain, class_="chip skill") for chain in each.skills]
    facts = [("tokens", count(each.tokens))] if each.tokens is not None else []
    facts += [(name, _value(value)) for name, value in each.scores if isinstance(value, bool) or value is None or value != each.tokens]
    if each.nearness is not None:
        facts.append(("from the line", f"{each.nearness:+.4f}".replace("-", "−")))
    body = [tag("p", *about, class_="chips"), tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in facts), class_="facts")]
    if each.reason:
        body.append(tag("p", each.reason, class_="reason"))
    if each.prompt is not None:
        body.append(tag("div", tag("h4", "prompt"), tag("p", _cut(each.prompt), class_="text"), class_="prompt"))
    if each.response:
        body.append(tag("div", tag("h4", "response"), tag("p", *_steps(each.response, floor), class_="text"), class_="response"))
    else:
        body.append(note("The build keeps no text of this row."))
    if each.reference:
        body.append(tag("p", tag("b", "reference "), _cut(each.reference), class_="reference"))
    return tag("article", *body, tag("p", f"row {each.row_id}", class_="id"))


def _value(value: float | bool | str | None) -> str:
    if isinstance(value, str):
        return _cut(value, 60)
    return str(value).lower() if isinstance(value, bool) else real(value, 0 if isinstance(value, int) else 3)


def _steps(response: tuple[Spoken, ...], floor: float) -> list[Html]:
    """The steps as far as there is room, each with its value behind it."""
    drawn, left = [], LONGEST
    for number, step in enumerate(response, 1):
        if left <= 0:
            drawn.append(tag("span", f" … {sum(len(s.text) for s in response[number - 1 :]):,} more characters", class_="cut"))
            break
        text, left = _cut(step.text, left), left - len(step.text)
        if step.logprob is None:
            drawn.append(html(text))
            continue
        depth = min(1.0, step.logprob / floor) if floor < 0 else 0.0
        title = f"step {number}: {step.tokens} tokens, {step.logprob:.3f} nats a token"
        words = text.strip()
        before, _, behind = text.partition(words) if words else ("", "", text)
        drawn.append(html(before, tag("span", words, class_="step", style=f"--d:{100 * max(depth, 0.0):.0f}%", title=title), tag("sub", real(step.logprob, 2)), behind))
    return drawn


def _cut(text: str, most: int = LONGEST) -> str:
    return text if len(text) <= most else f"{text[:most]} … {len(text) - most:,} more characters"
