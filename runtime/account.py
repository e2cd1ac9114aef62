"""Why a row is in or out, as data: what each clause saw of it, what the prices made of it, what would have to be otherwise. No words for people."""

from dataclasses import dataclass

Value = float | int | str | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One comparison of a filter, or what is true or false by itself (then `left` is that, and there is no operator).

    `met` is None where a value is missing. `within`: the groups whose quantile or rank `right` is, of this row. `unit` is that of both sides.
    """

    text: str
    met: bool | None
    left: Value
    name: str
    operator: str | None = None
    right: Value = None
    other: str = ""
    constant: bool = True
    within: str | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """Another row that stands for the same place: `ahead` is by how much this row's value is above its (below zero: behind); None where either is missing.

    Where `ahead` is 0 the hashes decide, the smaller wins.
    """

    row_id: str
    prompt_id: str
    teacher: str | None
    value: float | None
    ahead: float | None
    tie: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What one filter saw. `outcome`: `passed`, `dropped`, or `not reached`, and then `would` says whether the row would have passed, as the others stood.

    Of `keep best`: the row's `value` and `place` in its prompt, how many are kept (`count`), and its `rival`: the last row kept, or the best left out.
    `scored`: false where a score that it reads was never worked out for the row, for it was gone by then.
    """

    number: int
    clause: str
    kind: str
    outcome: str
    would: bool | None = None
    looks: tuple[Look, ...] = ()
    value: float | None = None
    unit: str | None = None
    place: int | None = None
    count: int | None = None
    rival: Rival | None = None
    scored: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What a clause's price does to the row: `amount` is added to its objective, below zero where it costs. `price` is by the `unit` (example, token), 0 where it differs by row."""

    clause: str
    amount: float
    price: float
    unit: str
    side: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A leaf of a drawn row: its `weight`, the share of the first draw that this is (`chance`), and of how many candidates (`available`). A leaf
    that the profile never tried has none.
    """

    leaf: str
    weight: float
    chance: float
    available: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The row among the candidates. `value`: its objective (by its tokens where only tokens are budgeted: `weighted`); `advantage`: that and all charges.

    None where the selection has no prices. `estimated`: the row was no candidate, and its advantage is what the prices would have made of it.
    `rival`: of the rows with which it could change places, one for one and with every clause still held: of a dropped row the weakest that is
    selected, of a selected row the strongest that is not. `unknown`: why the advantage of the row is not known where others have one.

    Where rows are drawn and nothing is maximised, `clause` is what draws them, and `tickets` are the leaves of this row; None elsewhere. `scored` as of a `Visit`.
    """

    clause: str
    value: float | None
    unit: str | None
    weighted: bool
    charges: tuple[Charge, ...]
    advantage: float | None
    estimated: bool
    rival: Rival | None
    unknown: str | None = None
    tickets: tuple[Ticket, ...] | None = None
    scored: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """The smallest change that a clause asks of a row that fails it: `must` is it in words; `margin` of a row that passes: what it would take to lose."""

    clause: str
    must: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One row. `step` is the number of the clause that dropped it (0: before all filters), None of a selected row. `needs` only where they were asked for.

    `arms`: the baselines of the evaluation, one a seed, that selected it too.
    """

    row_id: str
    prompt_id: str
    teacher: str | None
    skills: tuple[str, ...]
    tokens: int | None
    selected: bool
    reason: str | None
    step: int | None
    tie: int
    visits: tuple[Visit, ...]
    standing: Standing | None
    needs: tuple[Need, ...] | None = None
    arms: tuple[str, ...] = ()
