"""Quotas and budgets that cannot hold whatever the rows are (MIX0402, MIX0408), told with all clauses that take part and the sum."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from ..clauses import AtMost, Keep, Quota
from ..diagnostics import Diagnostics, Label
from ..reason.bounds import decimal, exact
from ..reason.quotas import Conflict, Kinship, conflicts, title
from . import ir


def kinship(teachers: tuple[str, ...], skills: ir.Taxonomy | None, columns: Mapping[str, str] | None) -> Kinship:
    """Which groups of a quota can share rows. `teachers`: all that are declared; `columns`: those that every corpus has."""
    known = columns or {}
    return Kinship(
        teachers=teachers,
        chains=dict(skills.tree) if skills and skills.tree else None,
        one_skill=skills is not None and skills.method == "column" and known.get(skills.column or "") == "text",
        single=frozenset(c for c, kind in known.items() if kind in ("text", "number", "bool")),
    )


def balance(picked: ir.Selection, related: Kinship, corpora: Sequence[ir.Corpus], notes: Diagnostics) -> None:
    """Report what cannot be satisfied. `corpora`: those that all rows come from, none where rows may come from elsewhere."""
    for conflict in conflicts(picked.quotas, picked.budgets, related):
        _report(conflict, notes)
    _fewer_prompts(picked, corpora, notes)


def _report(conflict: Conflict, notes: Diagnostics) -> None:
    floors = {id(q) for q in conflict.floors}
    quotas: list[Quota] = sorted((*conflict.floors, *conflict.caps), key=lambda q: (q.span.path, q.span.start))
    *others, last = quotas
    labels = [Label(q.span, "a floor" if id(q) in floors else "a cap") for q in others]
    if conflict.budget is not None:
        labels.append(Label(conflict.budget.span, "the budget"))
    ways = []
    if conflict.lower is not None:
        ways.append(f"lower a floor, as in `{_written(*conflict.lower)}`")
    elif conflict.floors:
        ways.append("lower a floor" if len(conflict.floors) > 1 else "lower the floor")
    if conflict.caps and last.low != last.high:
        ways.append("raise a cap" if len(conflict.caps) > 1 else "raise the cap")
    if conflict.budget is not None:
        ways.append("change the budget")
    *first, end = ways
    notes.error(
        "MIX0402",
        f"{conflict.what}: nothing can satisfy {'them' if len(quotas) > 1 else 'it'}",
        last.span,
        "" if len(quotas) == 1 else "with this floor" if id(last) in floors else "with this cap",
        secondary=tuple(labels),
        notes=(conflict.sum,),
        help=f"{', '.join(first)} or {end}" if first else end,
    )


def _written(quota: Quota, low: Fraction) -> str:
    """The quota with another floor, as a user would write it."""
    number = decimal(low).replace(",", "")
    unit = quota.unit if quota.unit.startswith("%") else f" {quota.unit}"
    group = title(quota.group)
    if quota.high is None:
        return f"quota {group} >= {number}{unit}"
    return f"quota {group} {number}{unit[:1] if unit[0] == '%' else ''}..{decimal(exact(quota.high)).replace(',', '')}{unit}"


def _fewer_prompts(picked: ir.Selection, corpora: Sequence[ir.Corpus], notes: Diagnostics) -> None:
    """A budget above what the samples can give: so many prompts, of each so many rows."""
    samples = [c for c in corpora if c.sample]
    if not samples or len(samples) < len(corpora):
        return
    limits: list[Keep | AtMost] = [s for s in picked.steps if isinstance(s, Keep)]
    if picked.at_most:
        limits.append(picked.at_most)
    if not limits:
        return
    tightest = min(limits, key=lambda clause: clause.count)
    prompts = sum(c.sample or 0 for c in corpora)
    most = prompts * tightest.count
    for budget in picked.budgets:
        if budget.unit == "examples" and not budget.up_to and budget.amount > most:
            sampled = " + ".join(f"{c.sample:,}" for c in corpora)
            several = f"({sampled}) prompts" if len(corpora) > 1 else f"{sampled} prompts"
            notes.error(
                "MIX0408",
                f"{budget.amount:,} examples are asked for, and there can be at most {most:,}",
                budget.span,
                "more than can be left",
                secondary=(Label(tightest.span, f"at most {tightest.count:,} of each prompt"), *(Label(c.span, f"{c.sample:,} prompts of it") for c in corpora)),
                notes=(f"{several} x {tightest.count:,} per prompt = {most:,} examples",),
                help=f"write `budget {most} examples` or less, `budget up to {budget.amount} examples`, or sample more prompts",
            )
