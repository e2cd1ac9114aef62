"""Conditions that no row can pass (MIX0407): of a corpus, of a teacher in it, and of the `where`s of `select` together."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..clauses import NamedTeacher, Where
from ..diagnostics import Diagnostics, Label
from ..expressions import Column, Expression, columns
from ..reason.assume import is_certain
from ..reason.domain import Domain
from ..reason.facts import Facts
from ..reason.rows import Origin, Premise, excluding, grouped, has_choice, is_possible, told
from ..source import Span
from . import ir
from .catalogue import SCORERS

TEACHER = Column("role", "teacher")
_LABELS = 6
_MOST = 20
"""Empty clauses that are told of one spec."""


def ranges(scores: Iterable[ir.Score]) -> dict[Expression, Domain]:
    """What the scorers promise of their values. A column promises nothing, and a fitted correction may leave the range."""
    found: dict[Expression, Domain] = {}
    for score in scores:
        promised = SCORERS[score.scorer].range if score.scorer in SCORERS else None  # one of a package says nothing of its values
        if promised is not None and dict(score.arguments).get("debias") != "length":
            low, high, whole = promised
            found[Column("score", score.name)] = Domain("number", low=low, high=high, whole=whole)
    return found


def origins(
    corpora: Mapping[str, ir.Corpus],
    teachers: Sequence[NamedTeacher],
    tables: Mapping[str, Mapping[str, str] | None],
    promised: dict[Expression, Domain],
    *,
    generated: bool,
    conditions: int,
    notes: Diagnostics,
) -> tuple[Origin, ...]:
    """Where rows can come from, and what holds of each; what holds of none is reported. `generated`: a teacher has yet to answer.

    `conditions`: how many will be asked of them.
    """
    whole = {name: _whole(corpus, tables.get(name), promised, notes) for name, corpus in corpora.items()}
    found: list[Origin] = []
    for teacher in teachers:
        if teacher.corpus not in whole:
            continue
        above = whole[teacher.corpus]
        if teacher.condition is None:
            found.append(above)
            continue
        premise = Premise(teacher.condition, teacher.span, -2)
        if told(above, (*above.premises, premise)) is None:
            _report(premise, excluding(above, above.premises, premise), notes, "this teacher can have no row")
        else:
            found.append(Origin(above.ranges, above.alias, (*above.premises, premise)))
    anywhere = [Origin(promised)] if generated else []
    wholes = [*whole.values(), *anywhere]
    return grouped([*found, *anywhere] if teachers else wholes, wholes, Origin(promised), conditions)


def _whole(corpus: ir.Corpus, table: Mapping[str, str] | None, promised: dict[Expression, Domain], notes: Diagnostics) -> Origin:
    origin = bare(corpus, table, promised)
    if corpus.where is None:
        return origin
    premise = _premise(corpus.where, -1)
    if told(origin, (premise,)) is None:
        _report(premise, (), notes)
        return origin
    return Origin(origin.ranges, origin.alias, (premise,))


def bare(corpus: ir.Corpus, table: Mapping[str, str] | None, promised: dict[Expression, Domain]) -> Origin:
    """The rows of a corpus before its `where`."""
    alias: dict[Expression, Expression] = {}
    for role in ("teacher", "prompt", "response"):
        column = getattr(corpus.roles, role)
        if column is not None and (table or {}).get(column) == "text":
            alias[Column("role", role)] = Column("column", column)
    named = {} if corpus.roles.teacher else {TEACHER: Domain("text", allowed=frozenset((corpus.name,)))}
    return Origin({**promised, **named}, alias)


def _premise(where: Where, scope: int) -> Premise:
    return Premise(where.condition, where.span, scope)


def emptiness(steps: Iterable[object], found: Sequence[Origin], notes: Diagnostics) -> None:
    """Report each `where` of `select` after which no row of any origin is left. `found`: as `origins` gives them."""
    premises = [_premise(step, i) for i, step in enumerate(steps) if isinstance(step, Where)]
    alive: list[tuple[Origin, Facts]] = [(o, facts) for o in found if (facts := o.facts()) is not None]
    dead: list[tuple[Origin, tuple[Premise, ...]]] = []
    held: list[Premise] = []
    reported = 0
    # What a choice leaves open may be closed by a later clause, so those that offer one are looked at twice.
    twice = [(p, False) for p in premises] + [(p, True) for p in premises if has_choice(p.condition)]
    for premise, again in twice:
        passed = [(o, facts) for o, facts in alive if is_possible(premise, facts)]
        if passed or not alive:
            stopped = [o for o, _ in alive if not any(o is p for p, _ in passed)]
            dead += [(o, (*held, premise)) for o in stopped]
            alive = passed
            if not again:
                held.append(premise)
            continue
        because = dict.fromkeys(p for o, _ in alive for p in _because(o, held, premise))
        for origin, those in dead:
            because |= dict.fromkeys((*_because(origin, those[:-1], those[-1]), those[-1]))
        others = [p for p in because if p != premise]
        _report(premise, others, notes, promises=() if others else _promises(premise.condition, found[0].ranges))
        reported += 1
        if again or reported == _MOST:
            return


def held_out(corpus: ir.Corpus, where: Where, origin: Origin, notes: Diagnostics) -> None:
    """Report a `heldout` that no row passes, or that takes every row that the corpus itself keeps. `origin`: as `bare` gives it."""
    premise = _premise(where, -3)
    if told(origin, (premise,)) is None:
        _report(premise, (), notes)
        return
    own = told(origin, (_premise(corpus.where, -1),) if corpus.where else ())
    same = corpus.where is not None and corpus.where.condition == where.condition
    if own is not None and (same or (corpus.sample is None and is_certain(where.condition, own, -3))):
        notes.error(
            "MIX0407",
            f"every row of `{corpus.name}` is held out, so that none is left to select",
            where.span,
            "true of all that the corpus keeps",
            secondary=(Label(corpus.where.span, "what it keeps"),) if corpus.where else (),
            notes=("prompts that are held out leave the candidates: nothing is measured on what was trained on",),
            help="hold out other rows than the corpus keeps, as in `split == \"test\"` beside `split == \"train\"`",
        )


def _promises(condition: Expression, promised: Mapping[Expression, Domain]) -> tuple[str, ...]:
    """What the scorers that a condition reads promise, in words."""
    said = []
    for column in sorted(columns(condition), key=lambda c: c.name):
        domain = promised.get(column)
        bounds = [f"{word} {bound:g}" for word, bound in (("at least", domain.low), ("at most", domain.high)) if bound is not None] if domain else []  # type: ignore[str-format]
        said += [f"`{column.name}` is always {' and '.join(bounds)}"] if bounds else []
    return tuple(said)


def _because(origin: Origin, held: Sequence[Premise], last: Premise) -> Iterator[Premise]:
    before = (*origin.premises, *(p for p in held if p != last))
    if told(origin, (*before, last)) is None:
        yield from excluding(origin, before, last)


def _report(premise: Premise, because: Iterable[Premise], notes: Diagnostics, what: str = "no row can pass this", promises: tuple[str, ...] = ()) -> None:
    others: list[Span] = list(dict.fromkeys(p.span for p in because))
    notes.error(
        "MIX0407",
        what if not others else f"{what}: other clauses have left out all that it keeps",
        premise.span,
        "keeps nothing" if others else "is true of no row",
        secondary=tuple(Label(span, "and this") for span in others[:_LABELS]),
        notes=(f"and {len(others) - _LABELS:,} more clauses",) if len(others) > _LABELS else promises,
        help="change one of them, or take it out" if others else "take it out, or correct it",
    )
