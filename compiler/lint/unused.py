"""Lints of declarations that nothing uses (MIX0608). A score is none of them: an unused one is computed for the selected rows."""

from collections.abc import Iterator
from dataclasses import is_dataclass

from ..diagnostics import Diagnostics, Edit
from ..expressions import Column, Constant, Expression, Operation, Quantile, Rank, columns
from ..semantics import ir
from ..source import Span
from ..syntax import ast
from .subject import Rule, Subject

SKILL = Column("role", "skill")


def unused_param(subject: Subject, notes: Diagnostics) -> None:
    """MIX0608: a param that neither its file nor a child uses as `$n`."""
    declared = {d.name.text: d for file in subject.spec.chain for d in file.declarations if isinstance(d, ast.ParamDeclaration)}
    if not declared:
        return
    used = {name for file in subject.spec.chain for d in file.declarations for name in _params(d)}
    for name, node in declared.items():
        if name not in used:
            _unused(subject, notes, f"`${name}` is used nowhere", node.span, f"write `${name}` where the number belongs, or take it out", whole=True)


def _params(node: object) -> Iterator[str]:
    """The params that a tree uses, those of `sweep` and `remove` included."""
    open_ = [node]
    while open_:
        node = open_.pop()
        match node:
            case None | str() | int() | float() | Span():
                continue
            case ast.Param(name=name):
                yield name
            case ast.Sweep(param=name):
                yield name.text
            case ast.RemoveDeclaration(kind=kind, name=ast.Name(text=name)) if kind.text == "param":
                yield name
            case tuple():
                open_ += node
            case _ if is_dataclass(node):
                open_ += [getattr(node, field) for field in node.__dataclass_fields__]


def unused_student(subject: Subject, notes: Diagnostics) -> None:
    """MIX0608: a student that nothing scores with, trains, measures or counts tokens by."""
    m = subject.mixture
    used = {s.student for s in m.scores} | {m.train.student if m.train else None} | {p.student for p in m.profiles}
    used |= {b.name.text for b in subject.spec.blocks("profile") if isinstance(b.name, ast.Name)}
    counted = any("tokens" in clause.unit for clause in (*m.selection.quotas, *m.selection.budgets))
    if len(m.students) == 1 and (m.evaluate is not None or counted):
        return
    heads = _heads(subject, "student")
    for student in m.students:
        if student.student not in used:
            help = "score with it, train it, or take it out"
            _unused(subject, notes, f"the student `{student.student}` is used nowhere", heads.get(student.student, student.span), help)


def unused_skills(subject: Subject, notes: Diagnostics) -> None:
    """MIX0608: a taxonomy that no quota, no condition and no format asks for."""
    m = subject.mixture
    if m.skills is None or m.profiles or (m.train is not None and m.train.format == "skill_aware"):
        return
    if subject.select is None:
        return  # every row is kept, and its tags are what the build is for
    if m.selection.soft or any(q.group.kind == "skill" for q in m.selection.quotas):
        return
    asked = [w.condition for _, w in subject.wheres] + [s.by for s in m.selection.steps if not hasattr(s, "condition")]  # type: ignore[union-attr]
    if any(_asks_skill(e) for e in (*asked, *([m.selection.objective] if m.selection.objective else []))):
        return
    head = next(iter(_heads(subject, "skills").values()), m.skills.span)
    help = 'add a quota, such as `quota skill "NAME" >= 10%`, train with `format skill_aware`, or take it out'
    _unused(subject, notes, f"the skills `{m.skills.name}` are used nowhere", head, help)


def _asks_skill(e: Expression | Constant) -> bool:
    match e:
        case Quantile(of=of, group=group) | Rank(of=of, group=group):
            return group == SKILL or _asks_skill(of)
        case Operation(_, arguments):
            return any(_asks_skill(a) for a in arguments)
        case _:
            return SKILL in columns(e)


def unused_profile(subject: Subject, notes: Diagnostics) -> None:
    """MIX0608: accuracy per skill that no quota is made from."""
    soft = subject.mixture.selection.soft
    for profile in subject.mixture.profiles:
        if soft is None or soft.student != profile.student:
            help = "add `quota skill weakness(max_weight: 20)`, or take it out"
            _unused(subject, notes, f"the profile of `{profile.student}` is used nowhere", profile.span, help)


def unused_corpus(subject: Subject, notes: Diagnostics) -> None:
    """MIX0608: a corpus of no teacher, where teachers are declared: all its rows drop."""
    m = subject.mixture
    generating = subject.spec.blocks("generate")
    if not m.teachers or generating:
        return
    used = {t.corpus for t in m.teachers} | {m.evaluate.heldout[0] if m.evaluate and m.evaluate.heldout else None}
    heads = _heads(subject, "corpus")
    for corpus in m.corpora:
        if corpus.name not in used:
            help = f"declare one: `teacher NAME from {corpus.name}`, or take it out"
            _unused(subject, notes, f"no teacher is from corpus `{corpus.name}`, so that all its rows drop", _place(heads, corpus), help)


def _place(heads: dict[str, Span], corpus: ir.Corpus) -> Span:
    return heads.get(corpus.name, corpus.span)


def _heads(subject: Subject, kind: str) -> dict[str, Span]:
    return {b.name.text: b.head for b in subject.spec.blocks(kind) if isinstance(b.name, ast.Name)}


def _unused(subject: Subject, notes: Diagnostics, message: str, span: Span, help: str, *, whole: bool = False) -> None:
    """Report what the checked file declares: a variant that takes out the last use of what its parent declares is an experiment."""
    if not subject.is_own(span):
        return
    edits = (Edit(subject.line_of(span), ""),) if whole else ()
    why = "what is declared and not used is most often a name misspelt elsewhere, or what is left of an experiment"
    notes.warning("MIX0608", message, span, "declared here", notes=(why,), help=help, edits=edits)


RULES: tuple[Rule, ...] = (unused_param, unused_student, unused_skills, unused_profile, unused_corpus)
