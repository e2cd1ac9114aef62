"""Lints of what is selected: no cap on a teacher (MIX0604), responses longer than is trained (MIX0611), a quantile of winners (MIX0612), no test of answers (MIX0613)."""

from collections.abc import Iterator

from ..clauses import Keep, Where
from ..diagnostics import Diagnostics, Label
from ..expressions import Column, Constant, Expression, Operation, Quantile, columns
from ..reason.rows import Premise, is_possible
from ..semantics.catalogue import MODERATE
from ..semantics.emptiness import TEACHER
from ..source import Span
from .subject import Rule, Subject


def no_cap(subject: Subject, notes: Diagnostics) -> None:
    """MIX0604: two teachers or more, and one of them may take everything."""
    mixture = subject.mixture
    used = mixture.train is not None or bool(mixture.selection.budgets)
    capped = any(q.high is not None and q.group.kind in ("teacher", "teacher_value") for q in mixture.selection.quotas)
    roles = {c.roles.teacher for c in mixture.corpora}
    capped = capped or any(q.high is not None and q.group.column in roles for q in mixture.selection.quotas if q.group.column)
    published = mixture.selection.soft is not None and mixture.selection.soft.shape == "paper"  # beside it no cap may stand
    if not used or capped or published or _possible_teachers(subject) < 2:
        return
    select = subject.select
    span = select.head if select else mixture.train.span if mixture.train else mixture.span
    name = f"teacher {mixture.teachers[0].name}" if mixture.teachers else 'teacher "NAME"'
    notes.warning(
        "MIX0604",
        "one teacher may take the whole selection: none has a cap",
        span,
        "no `quota teacher … <= …`",
        notes=("the score that selects has favourites, and a student that hears one teacher learns its habits with its reasoning",),
        help=f"add a cap, such as `quota {name} <= 40%`",
    )


def _possible_teachers(subject: Subject) -> int:
    """How many teachers rows may have after every `where`; 2 stands for any number."""
    found = 0
    for origin in subject.origins:
        facts = origin.facts()
        if facts is None:
            continue
        if not all(is_possible(Premise(w.condition, w.span, i), facts) for i, w in subject.wheres):
            continue
        if subject.mixture.teachers or subject.spec.blocks("generate"):
            found += 1 if len(subject.origins) > 1 or len(subject.mixture.teachers) < 2 else 2
            continue
        domain = facts.domain(facts.alias.get(TEACHER, TEACHER))
        found += 2 if domain is None or domain.allowed is None else len(domain.allowed)
    return found


def longer_than_trained(subject: Subject, notes: Diagnostics) -> None:
    """MIX0611: `max_length` below what a `where` lets pass."""
    train = subject.mixture.train
    if train is None or train.max_length is None:
        return
    for name, most, where in _caps(subject):
        if most > train.max_length:
            notes.warning(
                "MIX0611",
                f"responses of up to {most:,g} tokens pass, and training cuts examples at {train.max_length:,}",
                _setting(subject, "max_length") or train.span,
                "prompt and response together",
                secondary=(Label(where.span, "lets longer ones pass"),),
                notes=("the end of a response holds its answer; a student that never sees one learns not to come to an end",),
                help=f"raise `max_length`, or write `where {name} <= {train.max_length} tokens` or less",
            )
            return


def _caps(subject: Subject) -> Iterator[tuple[str, float, Where]]:
    """The lowest cap on each score of tokens among the conditions."""
    lowest: dict[str, tuple[float, Where]] = {}
    for _, where in subject.wheres:
        for part in _and(where.condition):
            match part:
                case Operation("<" | "<=", (Column("score", name), Constant(int() | float() as most))):
                    score = subject.score(name)
                    if score is not None and score.type.unit == "tokens" and most < lowest.get(name, (float("inf"), where))[0]:
                        lowest[name] = (most, where)
    return ((name, most, where) for name, (most, where) in lowest.items())


def _and(e: Expression) -> Iterator[Expression]:
    if isinstance(e, Operation) and e.operator == "and":
        for side in e.arguments:
            yield from _and(side)
    else:
        yield e


def _setting(subject: Subject, keyword: str) -> Span | None:
    block = next(iter(subject.spec.blocks("train")), None)
    return next((s.span for s in (block.lines if block else ()) if getattr(getattr(s, "keyword", None), "text", "") == keyword), None)


def quantile_of_winners(subject: Subject, notes: Diagnostics) -> None:
    """MIX0612: `keep best` by a score, and then a quantile of that score."""
    kept: dict[Column, Keep] = {}
    for step in subject.mixture.selection.steps:
        if isinstance(step, Keep):
            kept |= dict.fromkeys(columns(step.by), step)
            continue
        for part in _and(step.condition):
            match part:
                case Operation(_, (Column("score", name) as score, Quantile(percent=percent))) if score in kept:
                    notes.warning(
                        "MIX0612",
                        f"this quantile is of the rows that won by `{name}`, not of all",
                        step.span,
                        f"p{percent:02} of what is left",
                        secondary=(Label(kept[score].span, f"keeps the highest `{name}` of each prompt"),),
                        notes=("filters apply in the order of the file, and after `keep best` only the winners have a distribution",),
                        help="move the quantile above `keep best`",
                    )


def untested_answers(subject: Subject, notes: Diagnostics) -> None:
    """MIX0613: answers are known, a student is trained, and no clause asks whether they are right."""
    mixture = subject.mixture
    if mixture.train is None or not any(c.roles.reference for c in mixture.corpora):
        return
    read = {c for _, where in subject.wheres for c in columns(where.condition)}
    read |= {c for corpus in mixture.corpora if corpus.where for c in columns(corpus.where.condition)}
    graders = {s.name for s in mixture.scores if s.cost == MODERATE or s.type.kind in ("bool", "unknown")}
    asked = any(c.name in graders if c.source == "score" else c.name == "reference" or _is_truth(subject, c) for c in read)
    if asked:
        return
    grader = next((s.name for s in mixture.scores if s.cost == MODERATE), None)
    notes.warning(
        "MIX0613",
        "wrong answers can be trained on: no `where` asks whether a response is right",
        subject.select.head if subject.select else mixture.train.span,
        "not asked here",
        notes=("the corpus has a `reference`, so that a grader can tell",),
        help=f"add `where {grader}`" if grader else "declare `score correct = verify_math(reference)` and add `where correct`",
    )


def _is_truth(subject: Subject, column: Column) -> bool:
    """Whether a column of the corpus may say that a row is right: it is true or false, a number, the answer itself, or nobody could look."""
    found = [subject.inputs.columns.get(c.path) for c in subject.mixture.corpora]
    answers = any(column.name == c.roles.reference for c in subject.mixture.corpora)
    return answers or any(not isinstance(table, dict) or table.get(column.name) in ("bool", "number") for table in found)


RULES: tuple[Rule, ...] = (no_cap, longer_than_trained, quantile_of_winners, untested_answers)
