"""What a report says, as values: counts, shares, bins, texts. Nothing here is drawn, and no row stands here but those shown as examples."""

from dataclasses import dataclass, field

from ..compare import Trained
from ..results import Result


@dataclass(frozen=True, slots=True)
class Mark:
    """What was said at a place of a text: code points `start:end` of `text` number `source`. No place: `source` is None."""

    source: int | None
    start: int
    end: int
    label: str
    code: str | None
    severity: str
    message: str
    notes: tuple[str, ...] = ()
    help: str | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A spec as it was when it was built."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """`rows` are left after `clause`, which dropped `dropped` (those that a corpus brings are below 0)."""

    clause: str
    rows: int
    dropped: int


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause of the selection: what it reached of its bounds. `price`: the objective gained where the bound gives way by one `unit`."""

    clause: str
    unit: str
    amount: float
    low: float | None
    high: float | None
    share: float | None
    slack: float | None
    binding: bool
    price: float
    side: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """A teacher or a skill. `candidates` came to the selection (None where the ledger does not say), `rows` with `tokens` were selected.

    `share` is of the selected rows, or of their tokens where the `quota` counts tokens (`by_tokens`); `low` and `high` are its bounds as such shares.
    """

    name: str
    candidates: int | None
    rows: int
    tokens: int | None
    share: float
    candidate_share: float | None
    by_tokens: bool = False
    low: float | None = None
    high: float | None = None
    quota: Clause | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A leaf of a soft quota: its target, what was selected of it, what it lacks."""

    leaf: str
    target: float
    selected: float
    short: float


@dataclass(frozen=True, slots=True)
class Ridge:
    """One teacher's values of a score: how many fall into each bin, of all rows that have one and of the selected; quartiles are by nearest rank."""

    teacher: str
    rows: int
    selected: int
    bins: tuple[int, ...]
    chosen: tuple[int, ...]
    quartiles: tuple[float, float, float]
    chosen_quartiles: tuple[float, float, float] | None


@dataclass(frozen=True, slots=True)
class Distribution:
    """A number: bins of one width between `low` and `high`, where 99 in 100 values lie; what is beyond counts in the outer ones."""

    score: str
    unit: str | None
    low: float
    high: float
    ridges: tuple[Ridge, ...]


@dataclass(frozen=True, slots=True)
class Truths:
    """A score that is true or false: of each teacher's rows that have a value, how many are true."""

    score: str
    teachers: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Histogram:
    """`edges` has one more than `bins` and `chosen`; the last bin has what is beyond its edge too."""

    edges: tuple[float, ...]
    bins: tuple[int, ...]
    chosen: tuple[int, ...]
    median: float
    longest: int
    chosen_median: float | None
    chosen_longest: int | None


@dataclass(frozen=True, slots=True)
class Confound:
    """What a score goes with: rank correlations, and the share of its variance within prompts that the teacher explains. `strong` names what is worth a warning."""

    score: str
    rows: int
    step_length: float | None
    response_length: float | None
    teacher: float | None
    teachers: int
    strong: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contamination:
    """One `decontaminate`: what was found, in which files, and some of the rows with what they share."""

    clause: str
    waived: str | None
    prompts: int = 0
    rows: int = 0
    against: tuple[tuple[str, int], ...] = ()
    looked_at: tuple[str, ...] = ()
    evidence: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Spoken:
    """A step of a response: its text, its tokens, and the mean of their log-probabilities (nats); None where that is not known."""

    text: str
    tokens: int | None = None
    logprob: float | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """One row. `nearness`: how far it is from the line that `by` draws. `response` is in steps; one step without a log-probability where none are kept."""

    kind: str
    row_id: str
    prompt_id: str | None
    teacher: str | None
    skills: tuple[str, ...]
    tokens: int | None
    selected: bool
    reason: str | None
    scores: tuple[tuple[str, float | bool | str | None], ...]
    nearness: float | None
    by: str | None
    prompt: str | None
    reference: str | None
    response: tuple[Spoken, ...]
    score: str | None = None


@dataclass(frozen=True, slots=True)
class Portion:
    """Who gets the trained tokens of an epoch."""

    name: str
    rows: int
    selected: int | None
    trained: int
    cut: int
    dropped: int


@dataclass(frozen=True, slots=True)
class Truncation:
    """What tokenising left of the selected rows."""

    rows: int
    examples: int
    max_length: int
    truncated: int
    dropped: int
    tokens: int
    lost_tokens: int
    teachers: tuple[Portion, ...]
    skills: tuple[Portion, ...]


@dataclass(frozen=True, slots=True)
class Input:
    """A corpus: its rows as read, and the digests of their ids and of their content, whatever the order; None where the build does not have it."""

    corpus: str
    path: str
    rows: int
    digest: str | None
    content: str | None


@dataclass(frozen=True, slots=True)
class Ran:
    """One finished stage."""

    stage: str
    summary: str
    seconds: float
    engines: str


@dataclass(frozen=True, slots=True)
class Licence:
    """Selected rows of a corpus or a teacher under a licence; `rows` None where the build does not count them, `licence` None where none is stated."""

    kind: str
    name: str
    licence: str | None
    rows: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All of it. What a build does not have is empty or None, and `lacks` says why, by the name of the section.

    `objective`: the sum over the selected rows, each times its tokens where it is `weighted`.
    """

    name: str
    description: str | None = None
    seed: int
    built: str
    mixc: str
    plan: str
    rows: int
    selected: int
    prompts: int
    tokens: int | None
    method: str
    objective: float | None
    unit: str | None
    gap: float | None
    objective_text: str
    weighted: bool = False
    texts: tuple[Text, ...] = ()
    marks: tuple[Mark, ...] = ()
    funnel: tuple[Step, ...] = ()
    teachers: tuple[Group, ...] = ()
    teachers_left_out: int = 0
    skills: tuple[Group, ...] = ()
    skills_left_out: int = 0
    clauses: tuple[Clause, ...] = ()
    targets: tuple[Target, ...] = ()
    distributions: tuple[Distribution, ...] = ()
    truths: tuple[Truths, ...] = ()
    audits: tuple[Confound, ...] = ()
    lengths: Histogram | None = None
    truncation: Truncation | None = None
    contamination: tuple[Contamination, ...] = ()
    examples: tuple[Example, ...] = ()
    trainings: tuple[Trained, ...] = ()
    results: tuple[Result, ...] = ()
    inputs: tuple[Input, ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    models: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
    ran: tuple[Ran, ...] = ()
    licences: tuple[Licence, ...] = ()
    lacks: dict[str, str] = field(default_factory=dict)
