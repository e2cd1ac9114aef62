"""A plan as lines for people: one a stage, its clauses below it, what is known of it at the right."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import singledispatch

from .attributed import attributed
from .express import express
from .nearness import nearness
from .pending import concerns
from .recite import spoken
from .stages import (
    Amount,
    Argument,
    Decontaminate,
    Dedup,
    Evaluate,
    Filter,
    Heldout,
    Materialise,
    Model,
    Plan,
    Profile,
    Scan,
    Score,
    Select,
    SoftQuota,
    Stage,
    Tag,
    Teachers,
    Train,
    kind,
)

VERB_WIDTH = 14
GAP = 3
WIDEST_SHARE = 0.6
LONGEST_ARGUMENTS = 40


@dataclass(frozen=True, slots=True)
class Line:
    """`verb` and `text` say what a stage does, `known` how much there is of it; a clause has no verb."""

    verb: str
    text: str
    known: str = ""
    heading: bool = False


def explain(plan: Plan, counts: Mapping[str, str] | None = None, width: int = 100) -> str:
    """The plan in words; `counts` are what is known of a stage, by its id (`12,400 rows, 188 cached`)."""
    lines = outline(plan, counts)
    known = [len(left(line)) for line in lines if line.known]
    column = max((n for n in known if n <= WIDEST_SHARE * width), default=VERB_WIDTH) + GAP
    return "".join(f"{_beside(line, column)}\n" for line in lines)


def _beside(line: Line, column: int) -> str:
    """A line with what is known of it in its column, or below it where there is no room."""
    said = left(line)
    if not line.known:
        return said.rstrip()
    if len(said) > column - GAP:
        said += "\n"
        return f"{said}{' ' * column}{line.known}"
    return f"{said:<{column}}{line.known}"


def left(line: Line) -> str:
    """All of a line but what is known of it."""
    return line.text if line.heading else f"  {line.verb:<{VERB_WIDTH}}{line.text}"


def outline(plan: Plan, counts: Mapping[str, str] | None = None) -> tuple[Line, ...]:
    """The lines of a plan, for whoever draws them."""
    counts = counts or {}
    lines = [Line("", f'mix "{plan.name}", seed {plan.seed}', heading=True)]
    for stage in plan.stages:
        pending = [f"not done yet: {p.what}" for p in plan.pending if concerns(p, stage, plan)]
        first, *more = (*words(stage), *pending)
        lines.append(Line(kind(stage), first, counts.get(stage.id, "")))
        lines += [Line("", f"  {clause}") for clause in more]
    return tuple(lines)


@singledispatch
def words(stage: Stage) -> Iterator[str]:
    """What a stage does, then one line for each of its clauses."""
    raise NotImplementedError(f"no words for {type(stage).__name__}")


@words.register
def _(stage: Scan) -> Iterator[str]:
    yield f"{stage.corpus} from {stage.path}"
    roles = stage.roles
    named = ("prompt", "response", "reference", "teacher", "id", "license")
    yield ", ".join(f"{role} {column}" for role in named if (column := getattr(roles, role)))
    if stage.where:
        yield stage.where.text
    if stage.sample:
        yield f"sample {stage.sample:,} prompts"
    if stage.license:
        yield f"license {_scalar(stage.license)}"
    if stage.require:
        yield stage.require.text


@words.register
def _(stage: Teachers) -> Iterator[str]:
    yield ", ".join(t.name for t in (*stage.teachers, *stage.generated)) or "each value of the teacher column is one"
    for teacher in stage.teachers:
        where = f" where {express(teacher.condition)}" if teacher.condition else ""
        yield f"{teacher.name} from {teacher.corpus}{where}"
    for teacher in stage.generated:
        where = f" {teacher.where.text}" if teacher.where else ""
        at = f" at {teacher.endpoint.url}" if teacher.endpoint else ""
        yield f"{teacher.name}: {teacher.model}{at} answers the prompts of {teacher.corpus}{where}"
        each = "1 answer" if teacher.samples == 1 else f"{teacher.samples:,} answers"
        yield f"{each} each, temperature {teacher.temperature:g}, at most {teacher.max_tokens:,} tokens"


@words.register
def _(stage: Heldout) -> Iterator[str]:
    where = f" {stage.scan.where.text}" if stage.scan.where else ""
    yield f"{stage.scan.corpus}{where}, set aside to measure on"


@words.register
def _(stage: Decontaminate) -> Iterator[str]:
    if stage.because is not None:
        yield f'none, because "{stage.because}"'
    else:
        field = f", its field {stage.field}" if stage.field else ""
        yield f"against {', '.join(stage.against)}{field} by {stage.words}-grams of {stage.of}"


@words.register
def _(stage: Dedup) -> Iterator[str]:
    threshold = "" if stage.threshold is None else f" at {stage.threshold:g}"
    yield f"by {stage.method}{threshold} of {stage.of}"


@words.register
def _(stage: Filter) -> Iterator[str]:
    first, *more = (w.text for w in stage.wheres)
    yield first
    yield from more


@words.register
def _(stage: Score) -> Iterator[str]:
    given = [*(["student: " + stage.model.student] if stage.model else ())]
    given += [_argument(name, value) for name, value in stage.arguments]
    values = {value for _, value in stage.arguments}
    given += [name for read in spoken(stage) if (name := read.removeprefix("column:")) not in values]
    arguments = ", ".join(given)
    selected = f", of {stage.package}" if stage.package else ""
    selected += ", of the selected rows only" if stage.rows == "selected" else ""
    if len(arguments) <= LONGEST_ARGUMENTS:
        yield f"{stage.name} = {stage.scorer}({arguments}){selected}"
    else:
        yield f"{stage.name} = {stage.scorer}{selected}"
        yield arguments
    if stage.shares:
        yield f"takes what {stage.shares} reads of a response" + ("" if stage.passes else ", and has nothing read")


def _argument(name: str, value: Argument) -> str:
    """An argument as a spec would write it."""
    if name == "window_steps":
        return f"window: {value} steps"
    return f"window: {value}%" if name == "window_percent" else f"{name}: {_scalar(value)}"


def _scalar(value: Argument) -> str:
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


@words.register
def _(stage: Tag) -> Iterator[str]:
    tree = f", in a tree of {len(stage.tree):,} skills" if stage.tree is not None else ""
    words = f"of the prompt ({sum(len(ws) for _, ws in stage.keywords):,} for {len(stage.keywords):,} skills)" if stage.keywords is not None else ""
    asked = attributed(stage.attribution) if stage.attribution is not None else ""
    near = nearness(stage.nearest) if stage.nearest is not None else ""
    yield f"{stage.taxonomy} by {stage.method} {stage.column or words or near or asked}".rstrip() + tree


@words.register
def _(stage: Profile) -> Iterator[str]:
    student = stage.model.student
    if stage.file is not None:
        known = "" if stage.tallies is None else f", {len(stage.tallies):,} skills"
        yield f"{student} from {stage.file}{known}"
        return
    tries = "1 attempt" if stage.attempts == 1 else f"{stage.attempts:,} attempts"
    sample = "every prompt" if stage.sample is None else f"{stage.sample:,} prompts of each skill"
    if stage.least is not None and stage.width is not None:
        sample = f"{stage.least:,} to {sample}, until the interval is {stage.width:g}% wide"
    yield f"{student}, {tries} at {sample}"
    yield f"temperature {stage.temperature:g}, at most {stage.max_tokens:,} tokens an answer"
    if stage.grade:
        given = [_argument(name, value) for name, value in stage.grade.arguments]
        reads = [read.removeprefix("column:") for read in stage.grade.reads]
        yield f"graded by {stage.grade.scorer}({', '.join((*reads, *given))})"


@words.register
def _(stage: Select) -> Iterator[str]:
    yield f"maximize {stage.objective_text}"
    yield from (step.text for step in stage.steps)
    if stage.at_most:
        yield stage.at_most.text
    yield from (quota.text for quota in stage.quotas)
    if stage.soft:
        yield from _soft(stage.soft)
    yield from (budget.text for budget in stage.budgets)
    if stage.tokens:
        yield f"count tokens by {stage.tokens}"
    if stage.solver != "auto":
        yield f"solver {stage.solver}"


def _soft(soft: SoftQuota) -> Iterator[str]:
    """The clause, and what it leaves to its defaults."""
    yield soft.text
    if soft.shape != "uniform":
        prior = f"prior beta({soft.alpha:g}, {soft.beta:g})" if soft.alpha else "no prior"
        support = f", leaves of fewer than {soft.min_support:,} attempts as their parent" if soft.min_support else ""
        yield f"  by the profile of {soft.student}: weight min(1 / accuracy, {soft.max_weight:g}), {prior}{support}"


@words.register
def _(stage: Materialise) -> Iterator[str]:
    yield f"ledger.parquet, selected.parquet, train.jsonl ({stage.format})"
    if stage.weight:
        yield f"weight {stage.weight}"


@words.register
def _(stage: Train) -> Iterator[str]:
    long = f"{stage.epochs:g} epochs" if stage.epochs is not None else f"{stage.steps or 0:,} steps"
    long = long.removesuffix("s") if long in ("1 epochs", "1 steps") else long
    cut = f", at most {stage.max_length:,} tokens an example" if stage.max_length else ""
    lora = stage.lora
    method = f"lora (rank {lora.rank:,}, alpha {lora.alpha:g}, dropout {lora.dropout:g})" if lora else stage.method
    yield f"{_model(stage.model)}, {method}, {long}"
    yield f"learning rate {stage.learning_rate:g}, batch of {stage.batch:,} examples{cut}, format {stage.format}"
    yield f"{stage.schedule} schedule, warm-up {_amount(stage.warmup)}, seed {stage.seed}"
    flags = ("gradient_checkpointing", "packing")
    more = [name for name in flags if getattr(stage, name)]
    more += [f"weight {stage.weight}"] if stage.weight else []
    more += [f"save every {_amount(stage.save)}"] if stage.save else []
    more += [f"report to {' and '.join(stage.report)}"] if stage.report else []
    if more:
        yield ", ".join(more)


@words.register
def _(stage: Evaluate) -> Iterator[str]:
    yield _model(stage.model) if stage.model else "no model"
    for b in stage.benchmarks:
        limit = f", {b.limit:,} prompts" if b.limit else ""
        grade = f", graded by {b.grade.scorer}" if b.grade else ""
        columns = f" ({', '.join(f'{field}: {name}' for field, name in b.columns)})" if b.columns else ""
        yield f"benchmark {b.name} {b.path}{columns}, samples {b.samples}{limit}{grade}"
    if stage.benchmarks:
        how = f"temperature {stage.temperature:g}" if stage.temperature else "greedy"
        yield f"answers {how}, at most {stage.max_tokens:,} tokens"
    if stage.heldout:
        yield "loss on the rows set aside"
    if stage.baselines:
        yield f"against {', '.join(stage.baselines)}"
    if stage.seeds:
        yield f"seeds {', '.join(map(str, stage.seeds))}"
    if len(stage.arms) > 1:
        yield f"{len(stage.arms)} models are trained: {', '.join(arm.name for arm in stage.arms)}"
    for select in {arm.recipe: arm.select for arm in stage.arms if arm.select}.values():
        kept = "; ".join(["every candidate" if not select.steps else "", *(step.text for step in select.steps)]).strip("; ")
        yield f"{select.objective_text}: {kept}; {'; '.join(b.text for b in select.budgets) or 'no budget'}; maximize {select.objective_text}"


def _amount(amount: Amount) -> str:
    return f"{amount.value:g}%" if amount.unit == "%" else f"{amount.value:,} {amount.unit}"


def _model(model: Model) -> str:
    return f"{model.student} ({model.model}, {model.dtype})"
