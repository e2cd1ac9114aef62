"""What stands below the tree of a plan: costs, who comes out, whether it can hold, and what the build folder has of it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from textwrap import wrap

from ..compiler.plan.stages import KINDS, Evaluate, Plan, Scan, Score, Select, Stage, Train, kind
from ..compiler.plan.units import objective_unit
from ..runtime.audit import Audit, Correlation
from ..runtime.bounds import unknown
from ..runtime.by_embedding import OPEN
from ..runtime.composition import Composition, Share
from ..runtime.costs import Cost
from ..runtime.figure import Figure
from ..runtime.lengths import BY_CHARACTERS
from ..runtime.licensed import UNSTATED, listed
from ..runtime.preview import Preview
from ..runtime.selection.problem import SoftOutcome
from ..runtime.standing import Standing
from .figures import shown
from .prices import changed, held, least, proof
from .progress import duration
from .trained import trained_lines

MOST_NAMES = 6
READING = ("score", "measure")
WORDS = {"score": "to score", "train": "to train on", "generate": "to answer", "measure": "to measure", "embed": "to embed"}


def outcome(plan: Plan, stages: Sequence[Stage], seen: Preview, stands: Standing, width: int) -> list[str]:
    """The sections, a heading in the first column and a blank line before each."""
    sections = [("cost", list(costs([c for c in seen.costs if stands.needs(c.stage)], _behind(plan, seen))))]
    sections.insert(0, ("licences", list(_licences(plan, seen))))
    if seen.composition is not None:
        sections.append(("comes out" if seen.composition.of == "selected" else "candidates", list(_composition(plan, seen, seen.composition))))
    if seen.walk.solution and seen.walk.solution.soft:
        sections.append(("targets", list(_targets(seen.walk.solution.soft))))
    if seen.tokenised is not None:
        sections.append(("trains on", list(trained_lines(seen.tokenised))))
    if seen.unmeasured is not None:
        sections.append(("targets", [f"known only after the profile of `{seen.unmeasured}` is measured"]))
    sections.append(("audit", [_audit(each) for each in seen.audits]))
    sections.append(("feasible", [_feasible(plan, seen)]))
    sections.append(("solver", [said] if (said := _solver(seen)) else []))
    sections.append(("build", [_build(stages, stands)]))
    lines = []
    for name, said in sections:
        parts = [part for text in said for part in wrap(text, width - 12, subsequent_indent="  ", break_on_hyphens=False)]
        lines += ["", *(f"{name if i == 0 else '':<12}{part}" for i, part in enumerate(parts))] if parts else []
    return lines


def costs(found: Sequence[Cost], behind: str | None = None) -> Iterator[str]:
    """A line for each work of a model that is still to do, then all of them together; `behind`: an error that hides what follows it."""
    due = [c for c in found if c.rows.value and (c.tokens is None or c.tokens.value)]
    if not due:
        yield "no model has anything to do" if behind is None else f"not known: {behind} comes first"
        return
    if behind is not None:
        yield f"as far as {behind}; what comes after it is not counted"
    for cost in due:
        yield _cost(cost)
    reading = [c for c in due if c.what in READING and c.tokens is not None]
    if len(reading) > 1:
        total = Figure(value=0)
        for cost in reading:
            total = total.plus(cost.tokens or total)
        times = [c.seconds for c in reading]
        time = f", {_time(_sum([t for t in times if t is not None]))}" if all(t is not None for t in times) else ""
        yield f"scored and measured in all: {shown(total)} tokens{time}"
    if any(c.seconds is None for c in reading):
        yield "time: not known; give a rate with `--rate 2000` (tokens a second), or score once and it is measured"
    if any(c.by == BY_CHARACTERS for c in due):
        yield "tokens are guessed from characters, four a token: the tokenizer is not at hand"


def _behind(plan: Plan, seen: Preview) -> str | None:
    """The error at which the walk ended, where a stage that asks a model comes after it."""
    asks = [s for s in plan.stages if (isinstance(s, Score) and s.passes) or isinstance(s, Train | Evaluate)]
    return f"the error {seen.faults[0].code}" if seen.faults and any(s.id not in seen.known for s in asks) else None


def _cost(cost: Cost) -> str:
    tokens = "" if cost.tokens is None else f"{shown(cost.tokens)} tokens {'written' if cost.what == 'generate' else 'through'} "
    model = f"{'by ' if cost.what == 'generate' or cost.tokens is None else ''}{cost.student} ({cost.dtype})"
    detail = f" ({said})" if (said := cost.detail or _passes(cost)) else ""
    said = f"{cost.stage}: {shown(cost.rows)} {WORDS[cost.what]}{detail}, {tokens}{model}"
    if cost.seconds is None:
        return said
    source = f", {cost.measured}" if cost.measured else ", as given"
    return f"{said}, {_time(cost.seconds)} at {cost.rate:,.0f} tokens/s{source}"


def _passes(cost: Cost) -> str:
    """How a likelihood is read."""
    if cost.whole is None or cost.windows is None:
        return ""
    rest = replace(cost.windows, value=cost.windows.value - cost.whole.value, error=None)
    parts = ((cost.whole, "full-context pass", "full-context passes"), (rest, "window", "windows"))
    return " and ".join(f"{shown(figure)} {one if figure.value == 1 else many}" for figure, one, many in parts if figure.value)


def _time(seconds: Figure) -> str:
    return f"{'at most ' if seconds.most else ''}~{duration(seconds.value)}"


def _sum(figures: Sequence[Figure]) -> Figure:
    total = Figure(value=0, exact=False)
    for figure in figures:
        total = total.plus(figure)
    return total


def _composition(plan: Plan, seen: Preview, found: Composition) -> Iterator[str]:
    yield ", ".join(filter(None, (f"{shown(found.rows)} rows", f"{shown(found.tokens)} tokens", changed(seen.churn))))
    for name, shares in (("teachers", found.teachers), ("skills", found.skills), ("licences", found.licences)):
        if shares:
            left = len(shares) - MOST_NAMES
            yield f"{name}: {', '.join(_share(s, found) for s in shares[:MOST_NAMES])}" + (f" and {left} more" if left > 0 else "")
    unit, weighted = objective_unit(plan), any(isinstance(s, Select) and s.fills_tokens for s in plan.stages)
    told = {o.clause.text: held(o, unit, weighted=weighted) for o in found.outcomes}
    for quota in found.quotas:
        if found.of != "selected" and "<=" in (quota.clause or ""):
            continue  # a cap says nothing of candidates
        binding = f", {said}" if (said := told.pop(quota.clause or "", "")) else ""
        amount = f"{shown(quota.tokens)} tokens" if quota.clause and "tokens" in quota.clause else _share(quota, found, named=False)
        yield f"{quota.clause}: {amount}{binding}" + ("" if found.of == "selected" else " to choose from")
    yield from (f"{clause}: {said}" for clause, said in told.items() if said)


def _licences(plan: Plan, seen: Preview) -> Iterator[str]:
    """Of each corpus with a column of licences what its rows have, and which of them are allowed; where nothing is required, of each that states any."""
    for found in seen.walk.licences.values():
        refused = found.refused
        if found.allowed is None:
            yield f"{found.corpus}: {listed(dict(found.counts))}"
        else:
            taken = {name: rows for name, rows in found.counts if name not in refused}
            yield f"{found.corpus}: allowed {listed(taken)}" + (f"; not allowed {listed(refused)}" if refused else "")
    silent = [s.corpus for s in plan.stages if isinstance(s, Scan) and s.id in seen.known and s.corpus not in seen.walk.licences]
    if seen.walk.licences and silent:
        yield f"{', '.join(silent)}: {UNSTATED}"


def _targets(found: SoftOutcome) -> Iterator[str]:
    aimed = sum(t.target for t in found.targets)
    lacking = [t for t in found.targets if t.shortfall]
    yield f"{found.clause.text}: {found.shortfall:,} of {aimed:,} {found.unit} are missed{least(found)}"
    for names, said in (
        ([f"{t.leaf} {t.amount:,} of {t.target:,}" for t in sorted(lacking, key=lambda t: (-t.shortfall, t.leaf))], "missed"),
        ([f"{t.leaf} {t.target:,}" for t in sorted(found.targets, key=lambda t: (-t.target, t.leaf)) if not t.shortfall and t.target], "reached"),
    ):
        if names:
            yield f"{said}: {', '.join(names[:MOST_NAMES])}" + (f" and {len(names) - MOST_NAMES:,} more" if len(names) > MOST_NAMES else "")


def _share(share: Share, of: Composition, *, named: bool = True) -> str:
    whole = of.rows.value
    percent = f" ({share.rows.value / whole:.0%})" if whole else ""
    return f"{share.name} {shown(share.rows)}{percent}" if named else f"{shown(share.rows)}{percent}"


def _audit(found: Audit) -> str:
    """What a score goes with: rank correlations, and shares of variance."""
    lengths = [] if found.step_length is None else [f"step length {_correlation(found.step_length)}"]
    lengths.append(f"response length {_correlation(found.response_length)}" + (" (a response is one step)" if found.one_step else ""))
    shares = [f"{share:.0%} {where}" for share, where in ((found.teacher, "in all"), (found.within_prompts, "within a prompt")) if share is not None]
    teacher = f", the teacher explains {' and '.join(shares)}" if shares else ""
    return f"{found.score}, {found.rows:,} rows: rank correlation with {', with '.join(lengths)}{teacher}"


def _correlation(found: Correlation) -> str:
    return "not defined" if found.spearman is None else f"{found.spearman:+.2f}"


def _feasible(plan: Plan, seen: Preview) -> str:
    if seen.feasible and any(d.code == "MIX0513" for d in seen.faults):
        return "the selection holds, but tokenising breaks a promise of it (MIX0513)"
    if seen.feasible:
        return "yes: every score is known, the selection holds"
    if seen.feasible is False:
        code = seen.faults[0].code if seen.faults else "MIX0401"
        return f"no ({code})" if seen.exact else "no, whatever the missing scores turn out to be (MIX0401)"
    if seen.stopped:
        return f"not known: {seen.stopped} is not run yet"
    if seen.unwritten:
        return f"not known before {seen.unwritten:,} answer{'s are' if seen.unwritten != 1 else ' is'} written"
    if seen.faults or seen.composition is None:
        return "not known" if any(isinstance(s, Select) for s in plan.stages) else "nothing is selected"
    needed = {s.name for s in plan.stages if isinstance(s, Score) and s.rows == "candidates"}
    if seen.unmeasured is not None and not any(name in needed for name in seen.missing) and OPEN not in unknown(seen.walk.rows):
        return f"not known before the profile of `{seen.unmeasured}` is measured; nothing that is known by now stands against it"
    scored = [f"`{name}`" for name in seen.missing if name in needed]
    *others, last = scored or ["every score"]
    missing = f"{', '.join(others)} and {last} are scored" if others else f"{last} is scored"
    tagged = "every row is tagged" if OPEN in unknown(seen.walk.rows) else ""
    said = " and ".join(filter(None, (tagged, missing if scored or not tagged else "")))
    return f"not known before {said}; nothing that is known by now stands against it"


def _solver(seen: Preview) -> str:
    if seen.walk.solution is not None:
        return f"{proof(seen.walk.solution)}; {_counted(seen.walk.solution.chosen.size)}"
    return f"{seen.solver}, for at most {_counted(seen.walk.rows.alive)}" if seen.solver and seen.feasible is None else ""


def _counted(candidates: int) -> str:
    return f"{candidates:,} candidate{'' if candidates == 1 else 's'}"


def _build(stages: Sequence[Stage], stands: Standing) -> str:
    if stands.up_to_date:
        return f"{stands.out}: up to date, nothing to run"
    would = list(dict.fromkeys(kind(s) for s in stages if stands.why.get(s.id)))
    rest = "" if len(would) < len({kind(s) for s in stages}) else "everything"
    run = rest or ", ".join(sorted(would, key=KINDS.index))
    more = f" and {len(stands.causes) - 3} more" if len(stands.causes) > 3 else ""
    return f"{stands.out}: would run {run}, because {', '.join(stands.causes[:3])}{more}"
