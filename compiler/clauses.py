"""Clauses with their names resolved and units settled, shared by the typed IR and the plan. Data only."""

from dataclasses import dataclass

from .expressions import Expression, Scalar
from .source import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A student: `model` is a hub id, a folder or a `.gguf` file; a path is relative to `folder` (that of the spec)."""

    student: str
    model: str
    folder: str = ""
    revision: str | None = None
    dtype: str = "bf16"
    template: str | None = None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An OpenAI-compatible server: requests go to `url` + `/chat/completions`. `key` is the name of the environment variable that holds the key, never
    the key; None: `OPENAI_API_KEY`."""

    url: str
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """A model that is asked, node by node from the root of a tree of skills, which of the children are involved in a text: on this machine, or by the
    name of `model` at an `endpoint`.

    `reads`: `prompt`, or `response` (the prompt and what the response says after its thought). A question is answered in at most `max_tokens`, drawn at
    `temperature`. A chain has at most `depth` names (None: down to the leaves).
    """

    model: Model
    endpoint: Endpoint | None = None
    reads: str = "prompt"
    max_tokens: int = 512
    temperature: float = 0
    depth: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """The skills whose descriptions are nearest to a prompt by a sentence-embedding model, among the leaves.

    A row has the nearest leaf, and of the others those whose cosine is at most `margin` below it (None: any), `top` in all (None: any number); none
    whose cosine is below `least`.
    """

    model: Model
    top: int | None = 1
    margin: float | None = None
    least: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Which column of the corpus plays which role."""

    prompt: str
    response: str
    reference: str | None = None
    teacher: str | None = None
    id: str | None = None
    license: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Keep the rows where `condition` is true. `text` is the clause in canonical form, as reasons quote it."""

    text: str
    condition: Expression
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """Keep the `count` rows of each prompt with the highest `by`, ties by the seeded hash."""

    text: str
    count: int
    by: Expression
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class AtMost:
    """`keep at most k per prompt`: a constraint of the selection, not a filter."""

    text: str
    count: int
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rows that a quota counts. kind `skill`: any element of any chain; `teacher`: the declared name; `teacher_value`: the column's value; `column`: a corpus column's value."""

    kind: str
    value: str
    column: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """`low <= amount of the group <= high` in `unit`: `examples`, `tokens`, `%` (of the selected examples) or `% of tokens`. `equal`: written with `=`."""

    text: str
    group: Group
    low: float | None = None
    high: float | None = None
    unit: str
    equal: bool = False
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftQuota:
    """Targets for every leaf of the skills, missed as little as the hard clauses allow.

    `shape`: `weakness` (targets by the accuracy in the profile of `student`), `uniform` (equal ones), or `paper` (the published sampler, in place
    of the optimisation). A leaf's weight is min(1 / accuracy, `max_weight`); the accuracy is drawn to its parent's by a prior beta(`alpha`, `beta`),
    both 0 where there is none, and is its parent's below `min_support` attempts. All four are None where the shape is `uniform`.
    """

    text: str
    shape: str
    student: str | None = None
    max_weight: float | None = None
    alpha: float | None = None
    beta: float | None = None
    min_support: int | None = None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """`amount` in `unit` (`examples` or `tokens`); `up_to`: as many as the other clauses allow."""

    text: str
    amount: int
    unit: str
    up_to: bool = False
    span: Span


SOLVERS = ("auto", "exact", "prices")
"""How a selection may be solved: `exact` by integer programming, `prices` by Lagrangian prices, `auto` by its size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedTeacher:
    name: str
    corpus: str
    condition: Expression | None = None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedTeacher:
    """Answers the prompts of `corpus` (those where `where` is true) with `model`: a hub id, or a path relative to `folder`, and behind `endpoint` what the
    server calls it; at most `max_tokens` an answer. `columns` are those that an answer takes over from the rows of its prompt."""

    name: str
    model: str
    folder: str = ""
    revision: str | None = None
    dtype: str = "bf16"
    endpoint: Endpoint | None = None
    corpus: str
    where: Where | None = None
    columns: tuple[str, ...] = ()
    samples: int = 1
    temperature: float = 0.6
    max_tokens: int = 2000
    seed: int
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Require:
    """`require license in [...]`: the licences that rows may have."""

    text: str
    allowed: tuple[str, ...]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """The grader of a profile or a benchmark: a scorer whose value is true, false or unknown; `reads` and `package` as a score's."""

    scorer: str
    version: int
    arguments: tuple[tuple[str, Scalar], ...] = ()
    reads: tuple[str, ...] = ()
    package: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Attempts at the prompts of a skill, and how many of them were right."""

    attempts: int
    correct: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lora:
    """Low-rank adapters: their rank, the scale `alpha` (the update is multiplied by alpha / rank), and the share of inputs dropped."""

    rank: int = 16
    alpha: float = 32
    dropout: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A number in its unit, where the unit may be one of several."""

    value: float
    unit: str


WARMUP = Amount(value=10, unit="%")
"""How a training warms up where nothing is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """Problems that are answered `samples` times each. `columns`: what the file calls its fields (`FIELDS`), where not by the usual names;
    `grade` None is `verify_math`."""

    name: str
    path: str
    columns: tuple[tuple[str, str], ...] = ()
    samples: int = 1
    limit: int | None = None
    grade: Grade | None = None
    span: Span


FIELDS = ("problem", "answer", "id", "skill", "level")
"""What a benchmark's file may say of a problem."""
