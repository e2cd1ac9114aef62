"""The tree of one `.mix` file: what was written, with its place. Nothing is looked up and no unit is settled here.

Two nodes are equal when they say the same, wherever they stand: spans never take part in comparison.
"""

from dataclasses import dataclass, field

from ..source import Span
from .expr import (
    Argument,
    Binary,
    Boolean,
    Call,
    Expr,
    List,
    Name,
    Nothing,
    Number,
    Param,
    Quantile,
    Rank,
    String,
    Unary,
    place,
)  # fmt: skip

__all__ = [
    "Ablate", "Add", "Argument", "Benchmark", "Binary", "Block", "Boolean", "Bound", "Budget", "Call", "Clause",
    "Comment", "CountTokens", "Declaration", "Decontaminate", "Dedup", "Expect", "Expr", "Extends", "Group",
    "Heldout", "Keep", "Line", "List", "Lost", "Maximize", "Name", "Nothing", "Number", "Param", "ParamDeclaration",
    "Pattern", "PerSkill", "Quantile", "Quota", "Rank", "RemoveClause", "RemoveDeclaration", "RemoveSetting",
    "Replace", "Require", "Score", "Setting", "SoftQuota", "Solver", "Spec", "String", "Sweep", "TagBy", "Teacher", "Unary",
    "Value", "Where",
]  # fmt: skip


# Settings: the clauses of a block that say one thing each


@dataclass(frozen=True, slots=True)
class TagBy:
    """`tag by column subject`, `tag by keywords "f.json"`, `tag by embedding(model: "…")`: method and what it is given."""

    method: Name
    value: Expr
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Benchmark:
    """`benchmark gsm8k "f.parquet" (problem: question, answer: target) samples 1 limit 50 prompts grade choice`.

    `columns`: what the file calls a field, each with its name and a `Name` or `String`."""

    name: Name
    path: String
    samples: Number | Param | None
    limit: Number | Param | None
    columns: tuple[Argument, ...] = ()
    grade: Name | Call | None = None
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Heldout:
    """`heldout traces where split == "test"`."""

    corpus: Name
    where: Expr
    span: Span = place()


@dataclass(frozen=True, slots=True)
class PerSkill:
    """`attempts 1 per prompt` (amount 1, per `prompt`), `sample 200 prompts per skill`, `sample 30..200 prompts per skill`."""

    amount: "Number | Param | Bound"
    per: Name
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Expect:
    """`expect selected == 3 examples`, `expect skill "Algebra" >= 2 examples`, `expect error MIX0401`."""

    subject: "Group | Name"
    operator: str | None
    amount: Number | Param | Name
    span: Span = place()


Value = Expr | TagBy | Benchmark | Heldout | PerSkill | Expect


@dataclass(frozen=True, slots=True)
class Setting:
    """`model "x"`, `scan "*.parquet"`, `where split == "train"`: a keyword and its one value."""

    keyword: Name
    value: Value
    span: Span = place()


# Clauses of `select`


@dataclass(frozen=True, slots=True)
class Where:
    condition: Expr
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Keep:
    """`keep best 1 per prompt by E` (by is E) or `keep at most 2 per prompt` (by is None)."""

    count: Number | Param
    by: Expr | None
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Group:
    """`skill "Algebra"`, `teacher strong` (a Name: declared), `teacher "gpt-4o"` (a String: a value), `column level "hard"` (column is the Name)."""

    kind: str
    value: Name | String
    column: Name | None = None
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Bound:
    """`>= 15%` (low), `<= 40% of tokens` (high), `= 20 examples` (both the same), `100..150 examples` (both)."""

    operator: str
    low: Number | Param | None
    high: Number | Param | None
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Quota:
    group: Group
    bound: Bound
    span: Span = place()


@dataclass(frozen=True, slots=True)
class SoftQuota:
    """`quota skill weakness(max_weight: 20)`, `quota skill uniform` (no arguments), `quota skill weakness(paper)`."""

    shape: Name
    arguments: tuple[Argument, ...]
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Budget:
    amount: Number | Param
    up_to: bool = False
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Maximize:
    """`maximize E`; `maximize random` is the Name `random`."""

    by: Expr
    span: Span = place()


@dataclass(frozen=True, slots=True)
class CountTokens:
    """`count tokens by SCORE`."""

    score: Name
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Solver:
    """`solver auto`, `solver exact`, `solver prices`."""

    method: Name
    span: Span = place()


Clause = Where | Keep | Quota | SoftQuota | Budget | Maximize | CountTokens | Solver


# Edits of a parent's `select`


@dataclass(frozen=True, slots=True)
class Pattern:
    """Which clause is meant: `where EXPR`, `keep`, `maximize`, `solver`, `budget UNIT` (detail a Name), `quota GROUP` (a Group), `quota skill weakness` (a Name)."""

    keyword: str
    detail: Expr | Group | None = None
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Replace:
    """`replace PATTERN with CLAUSE`, or `replace CLAUSE` (pattern is None: the one of the same kind)."""

    pattern: Pattern | None
    clause: Clause
    span: Span = place()


@dataclass(frozen=True, slots=True)
class RemoveClause:
    pattern: Pattern
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Add:
    """`add CLAUSE`, `add CLAUSE before|after PATTERN` (side is `before`, `after` or None)."""

    clause: Clause
    side: str | None = None
    pattern: Pattern | None = None
    span: Span = place()


@dataclass(frozen=True, slots=True)
class RemoveSetting:
    """`remove KEYWORD` in the block of a child: drops the parent's clauses of that keyword."""

    keyword: Name
    span: Span = place()


Line = Setting | RemoveSetting | Clause | Replace | RemoveClause | Add


# Declarations


@dataclass(frozen=True, slots=True)
class Extends:
    path: String
    span: Span = place()


@dataclass(frozen=True, slots=True)
class ParamDeclaration:
    name: Name
    value: Expr
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Block:
    """`mix student corpus skills profile train evaluate test select` and `teacher … generate`: a kind, its name, its lines.

    `kind` is the keyword, or `generate` for a teacher that generates. `name` is None for `select` and `evaluate`, a String for `mix` and `test`.
    `profile s from "f.json"` is a Block whose only line is the Setting `from`.
    """

    kind: str
    name: Name | String | None
    lines: tuple[Line, ...]
    head: Span = place()
    span: Span = place()
    lost: frozenset[str | None] = field(default=frozenset(), compare=False)
    """Keywords of clauses that could not be read, None for one that nobody can tell."""

    def may_have(self, keyword: str) -> bool:
        """Whether a clause of this keyword is among those that could not be read."""
        return keyword in self.lost or None in self.lost


@dataclass(frozen=True, slots=True)
class Teacher:
    """`teacher strong from traces where …`; condition is None when there is no `where`."""

    name: Name
    corpus: Name
    condition: Expr | None
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Score:
    name: Name
    call: Call
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Decontaminate:
    """`decontaminate against "…" by 8-grams of prompt field: name`; or `decontaminate none because "…"` (against is empty)."""

    against: tuple[String, ...]
    words: int | None = None
    of: Name | None = None
    field: Name | String | None = None
    because: String | None = None
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Dedup:
    """`dedup by exact of prompt`, `dedup by minhash(threshold: 0.8) of response`."""

    method: Name
    arguments: tuple[Argument, ...]
    of: Name
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Require:
    """`require license in [...]`."""

    subject: Name
    allowed: List
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Sweep:
    param: Name
    values: List
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Ablate:
    pattern: Pattern
    span: Span = place()


@dataclass(frozen=True, slots=True)
class RemoveDeclaration:
    """`remove KIND NAME` at top level of a child; name is None for kinds without one."""

    kind: Name
    name: Name | String | None
    span: Span = place()


Declaration = Extends | ParamDeclaration | Block | Teacher | Score | Decontaminate | Dedup | Require | Sweep | Ablate | RemoveDeclaration


@dataclass(frozen=True, slots=True)
class Comment:
    """`# …`, without its line end; `alone` when nothing else stands on its line."""

    text: str
    alone: bool
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Lost:
    """A clause or declaration of which not all could be read: its block (or "" outside), its keyword if known and, outside, its name."""

    block: str
    keyword: str | None
    name: str | None = None
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Spec:
    declarations: tuple[Declaration, ...]
    comments: tuple[Comment, ...] = field(default=(), compare=False)
    lost: tuple[Lost, ...] = field(default=(), compare=False)
    span: Span = place()
