"""A ranking of teachers as a table for people and as JSON. It counts nothing."""

import json

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..runtime.rank_teachers import Ranked
from ..runtime.ranking import Gap, Mean, Place

NONE = "-"


def ranking_json(found: Ranked) -> str:
    """All of it, best first; numbers that are not defined are null."""
    question = found.question
    data = {
        "score": question.by,
        "unit": found.unit,
        "better": found.better,
        "responses": "all" if question.every else "correct",
        "judge": question.judge,
        "left_out": list(found.waived),
        "prompts": {"looked_at": found.prompts, "of": found.of, "in_common": found.ranking.in_common},
        "teachers": [_data(place, found.correct.get(place.teacher)) for place in found.ranking.places],
    }
    return json.dumps(data, indent=2, ensure_ascii=False)


def _data(place: Place, correct: tuple[int, int] | None) -> dict[str, object]:
    gap = place.gap
    return {
        "teacher": place.teacher,
        **place.score.to_data(),
        "correct": None if correct is None else {"responses": correct[0], "of": correct[1], "share": round(correct[0] / correct[1], 6)},
        "mean_in_common": place.in_common,
        "to_best": None
        if gap is None
        else {
            "prompts": gap.prompts,
            "difference": gap.difference,
            "interval": None if gap.low is None else [gap.low, gap.high],
            "better": gap.better,
        },
    }


def ranking_text(found: Ranked, console: Console) -> None:
    """The teachers, then each beside the best one, then what was left out."""
    places = found.ranking.places
    console.print(Text(_title(found), style="message"), soft_wrap=True)
    console.print()
    table = _table("teacher", "mean", "95 % interval", "prompts", "responses", *(("correct",) if found.correct else ()))
    for place in places:
        table.add_row(*_cells(place, found))
    console.print(table)
    gaps = [(place.teacher, place.gap) for place in places if place.gap is not None]
    if gaps:
        console.print(Text(f"\nbeside {places[0].teacher}, on the prompts that both have\n", style="message"))
        table = _table("teacher", "difference", "95 % interval", "prompts", "better")
        for teacher, gap in gaps:
            table.add_row(teacher, _number(gap.difference, "+"), _interval(gap, "+"), f"{gap.prompts:,}", NONE if gap.better is None else f"{gap.better:.0%}")
        console.print(table)
    console.print()
    for line in _notes(found):
        console.print(Text(line, style="dim"), soft_wrap=True)


def _notes(found: Ranked) -> list[str]:
    every = len(found.ranking.places)
    lines = ["each prompt weighs the same; the intervals come from bootstrap draws of prompts"]
    if every > 1:
        best = found.ranking.places[0].teacher
        lines.append(f"difference: its mean less that of {best}; better: the share of draws in which it is better")
        apart = sum(place.gap is not None and place.gap.prompts == 0 for place in found.ranking.places)
        if apart:
            lines.append(f"{apart} of the others share no prompt with {best}: their means are of other prompts, and not compared")
    if every > 2:
        lines.append(f"prompts that all {every} teachers have: {found.ranking.in_common:,}")
    if found.waived:
        lines.append(f"left out, since all responses count: {', '.join(f'`{text}`' for text in found.waived)}")
    return lines


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in columns:
        table.add_column(name, justify="left" if name == "teacher" else "right", no_wrap=name != "teacher", overflow="fold")
    return table


def _title(found: Ranked) -> str:
    question = found.question
    which = "all responses" if question.every else f"correct responses (by `{question.judge}`)"
    sample = f", {found.prompts:,} prompts sampled of {found.of:,}" if found.prompts < found.of else f", {found.of:,} prompts"
    unit = f" in {found.unit}" if found.unit else ""
    return f"teachers by {question.by}{unit}, {'higher' if found.better == 'high' else 'lower'} is better; {which}{sample}"


def _cells(place: Place, found: Ranked) -> list[str]:
    score = place.score
    cells = [place.teacher, _number(score.mean), _interval(score), f"{score.prompts:,}", f"{score.responses:,}"]
    if found.correct:
        right = found.correct.get(place.teacher)
        cells.append(NONE if right is None else f"{right[0] / right[1]:.0%}")
    return cells


def _interval(of: Mean | Gap, sign: str = "") -> str:
    return NONE if of.low is None else f"{_number(of.low, sign)} .. {_number(of.high, sign)}"


def _number(value: float | None, sign: str = "") -> str:
    return NONE if value is None else f"{value:{sign if value else ''}.4g}"
