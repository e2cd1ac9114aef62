"""Which columns of a corpus the clauses after its scan read, so that no other is loaded."""

from ..clauses import Quota, Where
from ..expressions import Column, columns
from ..semantics import ir


def columns_in(where: Where | None) -> frozenset[str]:
    """The corpus's columns that a condition reads."""
    return frozenset(c.name for c in columns(where.condition) if c.source == "column") if where else frozenset()


def columns_used(mixture: ir.Mixture, corpus: str) -> frozenset[str]:
    """Columns of one corpus that some clause after its scan reads."""
    found: set[Column] = set()
    for step in mixture.selection.steps:
        found |= columns(step.condition if isinstance(step, Where) else step.by)
    if mixture.selection.objective:
        found |= columns(mixture.selection.objective)
    for teacher in mixture.teachers:
        found |= columns(teacher.condition) if teacher.condition and teacher.corpus == corpus else set()
    for teacher in mixture.generated:
        found |= columns(teacher.where.condition) if teacher.where and teacher.corpus == corpus else set()
    names = {c.name for c in found if c.source == "column"}
    names |= {_grouped(q) for q in mixture.selection.quotas if q.group.column}
    reads = [*(r for s in mixture.scores for r in s.reads), *(r for p in mixture.profiles if p.grade for r in p.grade.reads)]
    names |= {r.removeprefix("column:") for r in reads if r.startswith("column:")}
    if mixture.skills and mixture.skills.column:
        names.add(mixture.skills.column)
    return frozenset(names)


def columns_of_prompts(mixture: ir.Mixture, corpus: str) -> frozenset[str]:
    """Those of `columns_used` that may say something of a prompt, whoever answers it: not those of another's response
    or name, and not those that a score reads as values or as steps of a response."""
    roles = next(c.roles for c in mixture.corpora if c.name == corpus)
    own = {r.removeprefix("column:") for s in mixture.scores if s.scorer in ("column", "pass_rate") or s.student is not None for r in s.reads}
    return columns_used(mixture, corpus) - own - {roles.response, roles.teacher}


def _grouped(quota: Quota) -> str:
    return quota.group.column or ""
