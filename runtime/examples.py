"""Selected rows as token sequences with a loss mask, and an account of what truncation takes. It knows no trainer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import polars as pl

from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.plan.stages import Train
from .chat import Message, chains, messages
from .engines.tokenizer import ChatTokenizer
from .portions import Portion, portions
from .promised import Held


@dataclass(frozen=True, slots=True)
class Example:
    """One training sequence: `tokens[start:]` (at least one) carry loss, the rest is the prompt. `weight` is the row's, as it stands there."""

    row_id: str
    tokens: tuple[int, ...]
    start: int
    weight: float | None = 1.0

    @property
    def labels(self) -> list[int]:
        """The tokens, with -100 (no loss) in place of those of the prompt."""
        return [-100] * self.start + list(self.tokens[self.start :])


@dataclass(frozen=True, slots=True)
class Turn:
    """The answer of one row: `whole` tokens of it would carry loss behind the `start` tokens of its prompt, and `trained` of them do.

    `left`: of how many tokens of the response how many carry loss, as (2, 3); (1, 1) where none is lost. What the template writes is not the response.
    """

    row_id: str
    start: int
    whole: int
    trained: int
    left: tuple[int, int] = (1, 1)


@dataclass(frozen=True, slots=True)
class Report:
    """What tokenising did. `truncated` lost the end of their answer, `dropped` all of it; `tokens` carry loss in an epoch.

    `teachers` and `skills`: who gets these tokens. `turns`: the account of every row, sorted by row id; `promises`:
    what became of those of the selection, where they were held against it.
    """

    rows: int
    examples: int
    max_length: int
    truncated: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    without_skills: int = 0
    tokens: int = 0
    lost_tokens: int = 0
    teachers: tuple[Portion, ...] = ()
    skills: tuple[Portion, ...] = ()
    turns: tuple[Turn, ...] = field(default=(), repr=False)
    promises: tuple[Held, ...] = ()

    @property
    def by_teacher(self) -> dict[str, int]:
        """Trained tokens, by the teacher's name."""
        return {each.name: each.trained for each in sorted(self.teachers, key=lambda p: p.name)}

    @property
    def by_skill(self) -> dict[str, int]:
        """Trained tokens, by chain: a row counts under each of its chains and each of their ancestors, once."""
        return {each.name: each.trained for each in sorted(self.skills, key=lambda p: p.name)}

    def to_dict(self) -> dict[str, object]:
        """The report as plain JSON values."""
        return {
            "rows": self.rows, "examples": self.examples, "max_length": self.max_length,
            "truncated": list(self.truncated), "dropped": list(self.dropped), "without_skills": self.without_skills,
            "tokens": self.tokens, "lost_tokens": self.lost_tokens,
            "teachers": [each.to_dict() for each in self.teachers], "skills": [each.to_dict() for each in self.skills],
            "promises": [promise.to_dict() for promise in self.promises],
        }  # fmt: skip


def tokenise(
    stage: Train, rows: pl.DataFrame, tokenizer: ChatTokenizer, max_length: int
) -> tuple[list[Example], Report]:
    """Examples of the rows, sorted by row id, cut at the right to `max_length` tokens, and the report.

    MIX0507 where the template rewrites the prompt once it is answered, MIX0510 where nothing is left to train on.
    """
    examples: list[Example] = []
    told: list[Turn] = []
    truncated: list[str] = []
    dropped: list[str] = []
    bare = lost = 0
    for row in rows.sort("row_id").iter_rows(named=True):
        skills = row.get("skills") or []
        bare += stage.format == "skill_aware" and not chains(skills)
        turns = messages(row["prompt"], row["response"], skills, stage.format)
        tokens, start = _tokens(stage, turns, tokenizer)
        kept = tokens[:max_length]
        lost += len(tokens) - max(len(kept), start)
        whole = len(tokens) - start
        if len(kept) <= start:
            dropped.append(row["row_id"])
            told.append(Turn(row["row_id"], start, whole, 0, (0, 1)))
            continue
        left = (1, 1)
        if len(kept) < len(tokens):
            truncated.append(row["row_id"])
            left = _left(turns, row["response"], tokens, start, len(kept), tokenizer)
        told.append(Turn(row["row_id"], start, whole, len(kept) - start, left))
        examples.append(Example(row["row_id"], tuple(kept), start, row.get("weight", 1.0)))
    if not examples:
        raise Fault(_nothing(stage, rows.height, max_length))
    return examples, Report(
        rows.height, len(examples), max_length, tuple(truncated), tuple(dropped), bare,
        sum(turn.trained for turn in told), lost, *portions(rows, told), tuple(told),
    )  # fmt: skip


def notices(report: Report) -> Iterable[str]:
    """What of a report changes what the user gets, a sentence each."""
    if report.truncated:
        yield (
            f"{len(report.truncated):,} of {report.rows:,} responses are cut at {report.max_length} tokens: "
            f"{report.lost_tokens:,} of {report.tokens + report.lost_tokens:,} tokens are not trained on"
        )
    if report.dropped:
        yield (
            f"{len(report.dropped):,} of {report.rows:,} rows are left out of training: their prompt alone fills "
            f"{report.max_length} tokens ({_some(report.dropped)})"
        )
    if report.without_skills:
        yield f"{report.without_skills:,} of {report.rows:,} rows have no skills and are trained on as plain responses"


def _tokens(stage: Train, turns: list[Message], tokenizer: ChatTokenizer) -> tuple[list[int], int]:
    """The whole conversation's tokens, and how many of them are the prompt (the generation prompt included)."""
    full = tokenizer.render(turns, False)
    prefix = tokenizer.render(turns[:-1], True)
    if not full.startswith(prefix):
        raise Fault(_rewritten(stage))
    head = _encode(tokenizer, prefix)
    tokens = _encode(tokenizer, full)
    if tokens[: len(head)] != head:
        # The last token of the prompt merged with the first of the answer. A model that answers never sees that merge.
        tokens = head + _encode(tokenizer, full[len(prefix) :])
    return tokens, len(head)


def _left(turns: list[Message], response: str, tokens: list[int], start: int, kept: int, tokenizer: ChatTokenizer) -> tuple[int, int]:
    """Of the tokens that begin in the response those among the first `kept` of the example, and all of them.

    Where the template rewrites the response it cannot be told from the rest of the turn, and the turn is what is counted.
    """
    full, prefix = tokenizer.render(turns, False), tokenizer.render(turns[:-1], True)
    answer = turns[-1]["content"]
    block = len(answer) - len(response)
    at = full.find(answer, len(prefix))
    if at < 0:
        answer = answer.strip()
        at = full.find(answer, len(prefix))
    for text, shift in ((full, 0), (full[len(prefix) :], len(prefix))):
        read = tokenizer.response(text)
        if at >= 0 and list(read.ids) == tokens[len(tokens) - len(read.ids) :]:
            first, last = at + block, at + len(answer)
            inside = [first <= begin + shift < last for begin in read.starts]
            offset = len(tokens) - len(read.ids)
            return sum(inside[: kept - offset]), max(1, sum(inside))
    return kept - start, len(tokens) - start


def _encode(tokenizer: ChatTokenizer, text: str) -> list[int]:
    return tokenizer.hf(text, add_special_tokens=False)["input_ids"]


def _some(ids: Sequence[str]) -> str:
    return ", ".join(ids[:3]) + (f" and {len(ids) - 3} more" if len(ids) > 3 else "")


def _rewritten(stage: Train) -> Diagnostic:
    return Diagnostic(
        "MIX0507",
        f"the chat template of `{stage.model.student}` shows the prompt differently once it is answered",
        Label(stage.span, "the tokens of the prompt and those of the answer cannot be told apart"),
        help="give the student a `template` whose text for prompt and answer begins with its text for the prompt alone",
    )


def _nothing(stage: Train, rows: int, max_length: int) -> Diagnostic:
    if not rows:
        return Diagnostic(
            "MIX0510", "there is no row to train on", Label(stage.span, "no row was selected"),
            help="loosen the clauses of `select`; `mixc plan` shows what each of them leaves",
        )  # fmt: skip
    return Diagnostic(
        "MIX0510",
        f"nothing is left to train on: every prompt alone fills the maximum of {max_length} tokens",
        Label(stage.span, f"{rows} rows, none with a token of its response within {max_length}"),
        help=f"write a larger `max_length`, more than {max_length} tokens, or select shorter prompts",
    )
