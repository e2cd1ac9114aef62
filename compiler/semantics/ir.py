"""The typed mixture: what a spec means once every name is found and every unit settled. Data only."""

from dataclasses import dataclass

from ..clauses import (
    WARMUP,
    Amount,
    AtMost,
    Attribution,
    Benchmark,
    Budget,
    GeneratedTeacher,
    Grade,
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
from ..expectations import Expectation, ExpectedError
from ..expressions import Expression
from ..source import Span
from ..syntax.ast import String
from .types import Type

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    name: str
    path: str
    roles: Roles
    where: Where | None = None
    sample: int | None = None
    license: str | None = None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Taxonomy:
    """`tree`: each node's name and its chain from the root's child; None without a tree. `keywords`: the words that tag each skill. `descriptions`: what
    the tree says of its nodes, where the method reads it."""

    name: str
    method: str
    column: str | None = None
    keywords: tuple[tuple[str, tuple[str, ...]], ...] | None = None
    attribution: Attribution | None = None
    nearest: Nearest | None = None
    tree: tuple[tuple[str, str], ...] | None = None
    descriptions: tuple[tuple[str, str], ...] | None = None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """`reads`: `reference` or `column:NAME`; `cost` as in the catalogue; `package`: where the scorer comes from, None for ours."""

    name: str
    scorer: str
    version: int
    arguments: tuple[tuple[str, Scalar], ...]
    student: str | None
    reads: tuple[str, ...]
    package: str | None = None
    type: Type
    cost: int
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Either `file` (with the `tallies` in it, where it could be looked at) or `grade`. `sample`: prompts per skill, None for all; with `least`
    and `width` from so many on, until the interval of the accuracy is `width` percent wide."""

    student: str
    file: str | None = None
    tallies: tuple[tuple[str, Tally], ...] | None = None
    attempts: int = 1
    least: int | None = None
    sample: int | None = None
    width: float | None = None
    temperature: float = 0
    max_tokens: int = 512
    grade: Grade | None = None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Decontaminate:
    against: tuple[str, ...] = ()
    words: int | None = None
    of: str = "prompt"
    field: str | None = None
    because: str | None = None
    text: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Dedup:
    method: str
    of: str
    threshold: float | None = None
    text: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    steps: tuple[Where | Keep, ...] = ()
    at_most: AtMost | None = None
    quotas: tuple[Quota, ...] = ()
    budgets: tuple[Budget, ...] = ()
    objective: Expression | None = None
    objective_text: str = "random"
    tokens: str | None = None
    soft: SoftQuota | None = None
    solver: str = "auto"
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Train:
    student: str
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
    seed: int | None = None
    gradient_checkpointing: bool = False
    packing: bool = False
    report: tuple[str, ...] = ()
    report_span: Span | None = None
    save: Amount | None = None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """`baseline random`, or by a score: `by` is its name."""

    by: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluate:
    """`heldout`: the corpus and the condition that takes the place of its own."""

    benchmarks: tuple[Benchmark, ...] = ()
    heldout: tuple[str, Where] | None = None
    max_tokens: int = 512
    temperature: float = 0
    seeds: tuple[int, ...] = ()
    baselines: tuple[Baseline, ...] = ()
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A clause the language has and the runtime does not do yet; `stage` is the kind of stage that would need it."""

    what: str
    stage: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A `test`. `given` is the fixture's path as written, at its place; `error` excludes `expectations`."""

    name: str
    given: String
    expectations: tuple[Expectation, ...] = ()
    error: ExpectedError | None = None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    name: str
    seed: int
    description: str | None = None
    license: str | None = None
    students: tuple[Model, ...] = ()
    corpora: tuple[Corpus, ...] = ()
    teachers: tuple[NamedTeacher, ...] = ()
    generated: tuple[GeneratedTeacher, ...] = ()
    skills: Taxonomy | None = None
    scores: tuple[Score, ...] = ()
    profiles: tuple[Profile, ...] = ()
    require: Require | None = None
    decontaminate: Decontaminate | None = None
    dedup: Dedup | None = None
    selection: Selection
    train: Train | None = None
    evaluate: Evaluate | None = None
    missing: tuple[Missing, ...] = ()
    trials: tuple[Trial, ...] = ()
    span: Span
