"""What parts two builds beside the recipe as titled tables of words, which text and Markdown share. It counts nothing."""

from collections.abc import Iterator, Sequence

from ..runtime.contender import RECIPE
from ..runtime.moves.differing import Differing
from ..runtime.moves.found import Cause, Moves, Tally
from ..runtime.recipes import HELDOUT
from ..runtime.results import Result
from .cause_words import cause_words
from .sheet import NONE, Sheet

CAUSES, NAMES = 8, 5
"""So many causes, and teachers or skills, are told; JSON has all."""
SHORT = 12


def moves_sheets(found: Differing) -> Iterator[Sheet]:
    """All that there is to show; where nothing differs, that is said in a line."""
    if found.untold:
        yield Sheet("rows are not compared", (), (), (found.untold,))
    if found.moves is not None:
        yield _moved(found.moves, found.names)
        yield from _tallies(found.moves, found.names)
        yield from _shifted(found.moves, found.names)
    yield from _trained(found)
    yield from _measured(found)


def _moved(moves: Moves, names: tuple[str, str]) -> Sheet:
    counts = [f"{moves.kept:,} kept", f"{moves.added:,} added", f"{moves.removed:,} removed"]
    counts += [f"{moves.reweighted.height:,} re-weighted"] if moves.reweighted.height else []
    counts += [f"{moves.relabelled:,} of the kept with another teacher or other skills"] if moves.relabelled else []
    tokens = "" if moves.tokens_before is None or moves.tokens_after is None else f"; {moves.tokens_before:,} -> {moves.tokens_after:,} tokens"
    title = f"rows: {moves.before:,} -> {moves.after:,}, {', '.join(counts)}{tokens}"
    rows = [(c.move, c.examples[0][:SHORT], f"{c.rows:,}", cause_words(c, names)) for c in moves.causes[:CAUSES]]
    left = moves.causes[CAUSES:]
    notes = [f"and {len(left)} more causes, of {sum(c.rows for c in left):,} rows: --format json has all"] if left else []
    notes += [moves.uncaused] if moves.uncaused else []
    notes += _ask(moves.causes[:1], names)
    return Sheet(title, ("move", "such as", "rows", "cause"), tuple(rows), tuple(notes), words=2, last=True)


def _ask(causes: Sequence[Cause], names: tuple[str, str]) -> list[str]:
    """How to learn more of a row: where it is out, if it is there."""
    for cause in causes:
        inside = names[1] if cause.move == "added" else names[0]
        outside = names[0] if cause.move == "added" else names[1]
        return [f"of one row: mixc why {inside if cause.kind == 'unread' else outside} {cause.examples[0][:SHORT]} --why-not"]
    return []


def _tallies(moves: Moves, names: tuple[str, str]) -> Iterator[Sheet]:
    for what, tallies in (("teacher", moves.teachers), ("skill", moves.skills)):
        moved = [t for t in tallies if t.added or t.removed or t.before != t.after]
        if not moved:
            continue
        rows = [_tally(t) for t in moved[:NAMES]]
        rest = moved[NAMES:]
        if rest:
            sums = [sum(values) for values in zip(*((t.before, t.after, t.added, t.removed) for t in rest), strict=True)]
            rows.append((f"{len(rest):,} more that moved", *_counts(*sums)))
        yield Sheet(f"by {what}", ("", names[0], names[1], "", "added", "removed"), tuple(rows))


def _tally(t: Tally) -> tuple[str, ...]:
    return (t.name, *_counts(t.before, t.after, t.added, t.removed))


def _counts(before: int, after: int, added: int, removed: int) -> tuple[str, ...]:
    return f"{before:,}", f"{after:,}", f"{after - before:+,}" if after != before else "", f"{added:,}", f"{removed:,}"


def _shifted(moves: Moves, names: tuple[str, str]) -> Iterator[Sheet]:
    scanned = moves.scanned
    apart = [f"{count:,} in `{name}` alone" for count, name in zip((scanned.only_before, scanned.only_after), names, strict=True) if count]
    rows = [
        (s.score, f"{s.changed:,}", *(NONE if v is None else f"{v:.4g}" for v in (s.median, s.most)), f"{s.gained:,}", f"{s.lost:,}") for s in moves.shifts if s.any
    ]
    notes = [] if rows else [f"no value of {', '.join(s.score for s in moves.shifts)} differs"] if moves.shifts else []
    for name, mine, others in ((names[0], moves.scores_before, moves.scores_after), (names[1], moves.scores_after, moves.scores_before)):
        own = [score for score in mine if score not in others]
        notes += [f"in `{name}` alone: {', '.join(own)}"] if own else []
    title = ", ".join([f"scores of the {scanned.both:,} rows that both read", *apart])
    yield Sheet(title, ("", "changed", "median by", "most by", "new", "lost") if rows else (), tuple(rows), tuple(notes))


def _trained(found: Differing) -> Iterator[Sheet]:
    recipes = dict.fromkeys(recipe for (recipe, _), _, _ in found.trained)
    rows = []
    for recipe in recipes:
        runs = [(before, after) for (name, _), before, after in found.trained if name == recipe]
        sides = [[course for course in side if course is not None] for side in zip(*runs, strict=True)]
        steps = [sorted({course.steps[-1] for course in side}) for side in sides]
        losses = [sum(course.losses[-1] for course in side) / len(side) if side else None for side in sides]
        before, after = losses
        rows.append((
            recipe if len(runs) == 1 else f"{recipe}, {len(runs)} seeds", *(" .. ".join(f"{n:,}" for n in each[:1] + each[1:][-1:]) or NONE for each in steps),
            *(NONE if v is None else f"{v:.4f}" for v in losses), NONE if before is None or after is None else f"{after - before:+.4f}",
        ))  # fmt: skip
    if rows:
        header = ("", *(f"steps of {name}" for name in found.names), *(f"loss of {name}" for name in found.names), "")
        yield Sheet("training, the loss of the last step", header, tuple(rows))


def _measured(found: Differing) -> Iterator[Sheet]:
    rows = [
        (f"{benchmark}: {recipe or 'before training'}", _figure(before), _figure(after), _difference(benchmark, before, after))
        for (benchmark, recipe), before, after in found.measured
    ]
    if rows:
        told = [after for _, _, after in found.measured if after and after.paired]
        notes = ["with an interval: paired, on the problems that both answered; * leaves 0 out. `mixc compare` has the tests"] if told else []
        apart = dict.fromkeys(after.apart for (_, recipe), _, after in found.measured if after and after.apart and recipe == RECIPE)
        yield Sheet("evaluation, 95 % intervals", ("", *found.names, "difference"), tuple(rows), (*notes, *(f"no paired interval: {why}" for why in apart)))


def _figure(r: Result | None) -> str:
    if r is None:
        return NONE
    if r.benchmark == HELDOUT:
        return f"{r.value:.4f} nats" if r.low is None or r.high is None else f"{r.value:.4f} ({r.low:.4f} .. {r.high:.4f})"
    return f"{r.value:.1%}" if r.low is None or r.high is None else f"{r.value:.1%} ({100 * r.low:.1f} .. {100 * r.high:.1f})"


def _difference(benchmark: str, before: Result | None, after: Result | None) -> str:
    if before is None or after is None:
        return NONE
    scale, digits = (1, 4) if benchmark == HELDOUT else (100, 1)
    d = after.paired.difference if after.paired is not None and after.recipe == RECIPE else None
    if d is None:
        return f"{scale * (after.value - before.value):+.{digits}f}"
    return f"{scale * d.value:+.{digits}f} ({scale * d.low:+.{digits}f} .. {scale * d.high:+.{digits}f}){' *' if d.told else ''}"
