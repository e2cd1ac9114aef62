"""The logical plan: a DAG of frozen stages, each with the span of the clause that caused it. Data only; `schema.json` is the same in JSON Schema.

Paths are as the runtime opens them (relative to the working directory, or absolute, or remote).
"""

from dataclasses import dataclass, field

from ..clauses import (
    WARMUP,
    Amount,
    AtMost,
    Attribution,
    Benchmark,
    Budget,
    Endpoint,
    GeneratedTeacher,
    Grade,
    Group,
    Keep,
    Lora,
    Model,
    NamedTeacher,
    Nearest,
    Quota,
    Require,
    Roles,
    SoftQuota,
    Tally,
    Where,
)
from ..expressions import Expression
from ..source import Span

__all__ = [
    "KINDS",
    "Amount", "Arm", "AtMost", "Attribution", "Benchmark", "Budget", "Decontaminate", "Dedup", "Endpoint", "Evaluate", "Filter", "GeneratedTeacher", "Grade", "Group", "Heldout",
    "Keep", "Lora", "Materialise", "Model", "NamedTeacher", "Nearest", "Pending", "Plan", "Profile", "Quota", "Require", "Roles", "Scan", "Score", "Select",
    "SoftQuota", "Stage", "Tag", "Tally", "Teachers", "Train", "Where", "kind",
]

Argument = str | int | float | bool | None


# Stages. `id` is unique in the plan (`scan:traces`, `score:naturalness`); `inputs` are ids of earlier stages.


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """Rows of one corpus: files by glob, roles, the corpus's own `where`, then `sample` prompts with the smallest seeded hash.

    `columns`: corpus columns later stages read. `license` is that of the whole corpus, a column of licences is a role; `require` says which are allowed.
    """

    id: str
    inputs: tuple[str, ...] = ()
    corpus: str
    path: str
    roles: Roles
    where: Where | None = None
    sample: int | None = None
    license: str | None = None
    require: Require | None = None
    columns: tuple[str, ...] = ()
    seed: int
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Teachers:
    """Names each row's teacher. Rows of no declared teacher drop, a row of two is an error; nothing declared: each value of the teacher column is one.

    The answers of `generated` are rows like any other from here on: prompt and reference of the corpus's row, the teacher's name.
    """

    id: str
    inputs: tuple[str, ...]
    teachers: tuple[NamedTeacher, ...] = ()
    generated: tuple[GeneratedTeacher, ...] = ()
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Heldout:
    """Rows set aside to measure on: `scan` read with the held-out condition in place of its own; their prompts leave the candidates."""

    id: str
    inputs: tuple[str, ...]
    scan: Scan
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Decontaminate:
    """Drop every row whose `of` shares a `words`-gram with a benchmark row; a waiver has `because` and nothing to do."""

    id: str
    inputs: tuple[str, ...]
    against: tuple[str, ...] = ()
    words: int | None = None
    of: str = "prompt"
    field: str | None = None
    because: str | None = None
    text: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Dedup:
    """Drop copies of `of`: equal ones (`exact`), or those whose Jaccard similarity, of pairs that MinHash proposes, is at least
    `threshold` (`minhash`)."""

    id: str
    inputs: tuple[str, ...]
    method: str
    of: str
    threshold: float | None = None
    text: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """`where` clauses that stand before every barrier and are cheap enough to run before dearer scores."""

    id: str
    inputs: tuple[str, ...]
    wheres: tuple[Where, ...]
    seed: int
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One score column, for the rows that survive so far (`rows` = `candidates`) or for the selected rows only (`selected`).

    `arguments` are the scorer's own, defaults filled in, units settled (percentages as `15%` text); `reads` are the other values of the row it needs
    (`reference`, or `column:NAME`). `type` is bool, number or text, or unknown where the column could not
    be looked at; `unit` None where dimensionless. `package`: where the scorer comes from, None for ours.

    `passes` are those of its model that no earlier score has made: `response`, `alone`, `windows` (see `passes.py`). `tells`: what its pass over the
    response tells, later scores' share included; `shares` is the id of the score whose pass it takes that from. Values never depend on these three.
    """

    id: str
    inputs: tuple[str, ...]
    name: str
    scorer: str
    version: int
    arguments: tuple[tuple[str, Argument], ...] = ()
    model: Model | None = None
    reads: tuple[str, ...] = ()
    package: str | None = None
    type: str
    unit: str | None = None
    rows: str = "candidates"
    passes: tuple[str, ...] = ()
    tells: tuple[str, ...] = ()
    shares: str | None = None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """Skills of each row, as chains `A->B->C` from the root's child to the node. `tree`: every node's chain by name; None: no tree.

    By `method`: `column` has the names of nodes; `keywords` are the words that tag a row with a node; `nearest` embeds the rows; `attribution` is the
    model that labels them. `descriptions` are what the tree says of its nodes beside their names, where the method reads it.
    """

    id: str
    inputs: tuple[str, ...]
    taxonomy: str
    method: str
    column: str | None = None
    keywords: tuple[tuple[str, tuple[str, ...]], ...] | None = None
    attribution: Attribution | None = None
    nearest: Nearest | None = None
    tree: tuple[tuple[str, str], ...] | None = None
    descriptions: tuple[tuple[str, str], ...] | None = None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The student's accuracy per skill: measured by `grade`, on `sample` prompts of each skill (None: all), or read from `file`.

    With `least` and `width` (both or neither) on `least` prompts of each first, then on more until the 95 % interval is `width` percent wide.
    `tallies` are what the file holds, by skill; None where it is measured, or where the file cannot be looked at yet.
    """

    id: str
    inputs: tuple[str, ...]
    model: Model
    file: str | None = None
    tallies: tuple[tuple[str, Tally], ...] | None = None
    attempts: int = 1
    least: int | None = None
    sample: int | None = None
    width: float | None = None
    temperature: float = 0
    max_tokens: int = 512
    grade: Grade | None = None
    seed: int
    span: Span

    @property
    def measured(self) -> bool:
        """Whether the student is asked, and no file is read."""
        return self.grade is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    """`steps` are filters in their order; everything after them acts together. `objective` None is random; `tokens` names the score column that is w_r.
    `seed` breaks ties; `draw`, where it is given, seeds the random objective in its place.

    `tallies` and `tree` are what the targets of `soft` are made of: the profile's counts by skill (None where it is not known
    yet, or the shape is `uniform`), and every node's chain by name (None: no tree, a skill's value is a leaf).
    `solver` is one of `clauses.SOLVERS`: `exact`, `prices`, or `auto` by the number of candidates.
    """

    id: str
    inputs: tuple[str, ...]
    steps: tuple[Where | Keep, ...] = ()
    at_most: AtMost | None = None
    quotas: tuple[Quota, ...] = ()
    budgets: tuple[Budget, ...] = ()
    objective: Expression | None = None
    objective_text: str = "random"
    tokens: str | None = None
    soft: SoftQuota | None = None
    tallies: tuple[tuple[str, Tally], ...] | None = None
    tree: tuple[tuple[str, str], ...] | None = None
    solver: str = "auto"
    seed: int
    draw: int | None = None
    span: Span

    @property
    def fills_tokens(self) -> bool:
        """Whether tokens alone are the budget: then each row's objective counts by its tokens."""
        return bool(self.budgets) and all(b.unit == "tokens" for b in self.budgets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Materialise:
    """Writes the selected rows; `format` (plain, skill_aware) shapes the messages of train.jsonl; `weight` names the score that is the rows' weight (None: 1)."""

    id: str
    inputs: tuple[str, ...]
    format: str = "plain"
    weight: str | None = None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Train:
    """Supervised fine-tuning of `model`. Exactly one of `epochs` and `steps` is set.

    `lora` goes with the method `lora`. `warmup` is in `%` of all steps or in `steps`; `save`, where checkpoints are kept, in `steps` or `epochs`
    (None: as the runtime sees fit). `weight` names the score that each row's loss is multiplied by. `report` are the trackers that are told, at the clause
    `report_span`.
    """

    id: str
    inputs: tuple[str, ...]
    model: Model
    format: str = "plain"
    method: str = "full"
    lora: Lora | None = None
    epochs: float | None = None
    steps: int | None = None
    learning_rate: float = 1e-5
    batch: int = 8
    max_length: int | None = None
    weight: str | None = None
    warmup: Amount = WARMUP
    schedule: str = "cosine"
    gradient_checkpointing: bool = False
    packing: bool = False
    report: tuple[str, ...] = ()
    report_span: Span | None = None
    save: Amount | None = None
    seed: int
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One model of an evaluation: trained with `seed` on the recipe's selection, or where `select` is given on what that selects of the same candidates.

    `recipe` is what the arms are called that differ by their seed alone: `recipe`, `random`, or the score that a baseline goes by.
    """

    name: str
    recipe: str
    seed: int
    select: Select | None = None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluate:
    """Accuracy on benchmarks and held-out negative log-likelihood, before and after training. `heldout` is the id of the Heldout stage.

    Answers are greedy at `temperature` 0. `baselines` are `random` or scores. `arms` are the models that are trained and measured beside the student
    as it was, the recipe's at its first seed (`after`) first.
    """

    id: str
    inputs: tuple[str, ...]
    model: Model | None = None
    benchmarks: tuple[Benchmark, ...] = ()
    heldout: str | None = None
    max_tokens: int = 512
    temperature: float = 0
    seeds: tuple[int, ...] = ()
    baselines: tuple[str, ...] = ()
    arms: tuple[Arm, ...] = ()
    seed: int
    span: Span


Stage = Scan | Teachers | Heldout | Decontaminate | Dedup | Filter | Score | Tag | Profile | Select | Materialise | Train | Evaluate

# The kinds of stage in the language's order, as `--until` and pending clauses name them.
KINDS = (
    *("scan", "teachers", "heldout", "decontaminate", "dedup", "filter", "score"),
    *("tag", "profile", "select", "materialise", "train", "evaluate"),
)


def kind(stage: Stage) -> str:
    """The kind of a stage: the name of its class in small letters."""
    return type(stage).__name__.lower()



@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A clause that the language has and the runtime does not do yet; `stage` is the kind of stage that would need it."""

    what: str
    stage: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`fingerprints`: stage id to a digest of the stage, its arguments and its inputs' fingerprints, spans and paths' folders left out."""

    name: str
    seed: int
    stages: tuple[Stage, ...]
    pending: tuple[Pending, ...] = ()
    description: str | None = None
    license: str | None = None
    fingerprints: tuple[tuple[str, str], ...] = field(default=())
