"""What is doubtful in the licences that the rows themselves state (MIX0432): a spelling that is almost an allowed one, a mix under another licence than its rows."""

from collections.abc import Iterator, Mapping

from ..compiler.diagnostics import Diagnostic, Label, Severity
from ..compiler.plan.stages import Plan, Scan
from .licences import licences
from .licensed import Licensed, listed, named
from .walk import Walk


def doubtful(plan: Plan, walk: Walk) -> tuple[Diagnostic, ...]:
    """A warning at each corpus with a column of licences. What the spec alone shows is said when it is checked."""
    scans = [s for s in plan.stages if isinstance(s, Scan) and s.corpus in walk.licences and s.roles.license is not None]
    chosen = licences(walk.rows).corpora if plan.license is not None and walk.solution is not None else {}
    return tuple(d for scan in scans for d in (*_respelt(scan, walk.licences[scan.corpus]), *_under(plan, scan, chosen.get(scan.corpus, {}))))


def _respelt(scan: Scan, found: Licensed) -> Iterator[Diagnostic]:
    if scan.require is None:
        return
    for name, other in list(found.respelt.items())[:3]:
        rows = found.refused[name]
        yield Diagnostic(
            "MIX0432",
            f'{named(name)}, of {rows:,} row{"" if rows == 1 else "s"} of `{scan.corpus}`, is not allowed, and "{other}" is',
            Label(scan.require.span, "licences are compared as they are written"),
            secondary=(Label(scan.span, "these rows"),),
            help=f"add {named(name)} to the list if it is the same licence",
            severity=Severity.WARNING,
        )


def _under(plan: Plan, scan: Scan, chosen: Mapping[str | None, int]) -> Iterator[Diagnostic]:
    taken = {plan.license, *(scan.require.allowed if scan.require else ())}
    others = {name: rows for name, rows in chosen.items() if name not in taken}
    if not others:
        return
    count, whole = sum(others.values()), sum(chosen.values())
    stated = [name for name in others if name is not None]
    ways = [f"write `require license in [{', '.join(named(n) for n in (plan.license, *stated[:5]))}]` if what is under these may be passed on under that"] if stated else []
    yield Diagnostic(
        "MIX0432",
        f'the mix says that it is under "{plan.license}", and {count:,} of the {whole:,} rows selected from `{scan.corpus}` are not: {listed(others)}',
        Label(scan.span, "these rows"),
        help="; ".join((*ways, "leave these rows out, or mend the licence of the mix")),
        severity=Severity.WARNING,
    )
