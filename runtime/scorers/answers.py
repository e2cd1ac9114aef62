"""Rows to responses in tokens, cut into steps; and why a row has none."""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import polars as pl

from ...compiler.plan.stages import Model, Score
from ..engines.characters import Characters
from ..engines.tokenizer import ChatTokenizer
from ..steps import given, split
from ..windows import Answer, Reach, answer

Cut = Callable[[dict[str, Any]], list[tuple[int, int]] | str]
# So many rows are tokenised at once.
ROWS = 1_024


@dataclass(slots=True)
class Texts:
    """Turns rows into answers with one tokenizer; prompts are encoded once, and their answers share the tuple."""

    tokenizer: ChatTokenizer | Characters
    cut: Cut
    prompts: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def answers(self, rows: pl.DataFrame) -> dict[str, Answer | str]:
        """By key, in the order of the rows: the answer, or why the row has none."""
        found: dict[str, Answer | str] = {}
        for part in rows.iter_slices(ROWS):
            texts = part["response"].fill_null("").to_list()
            for row, text, encoded in zip(part.iter_rows(named=True), texts, self.tokenizer.responses(texts), strict=True):
                steps = self.cut(row | {"response": text}) if text.strip() and encoded.ids else "no tokens"
                if isinstance(steps, str):
                    found[row["key"]] = steps
                else:
                    found[row["key"]] = answer(self._prompt(row["prompt"]), encoded.ids, encoded.starts, steps)
        return found

    def _prompt(self, text: str) -> tuple[int, ...]:
        if text not in self.prompts:
            if len(self.prompts) >= ROWS:
                self.prompts.clear()  # rows come by prompt: those behind are not asked for again
            self.prompts[text] = self.tokenizer.prompt(text)
        return self.prompts[text]


def model(stage: Score) -> Model:
    """The student that the stage asks."""
    if stage.model is None:
        raise ValueError(f"the stage {stage.id} has no student")
    return stage.model


def uncut(row: dict[str, Any]) -> list[tuple[int, int]]:
    """The whole response as one step."""
    return [(0, len(row["response"]))]


def cut(stage: Score) -> Cut:
    """The rule of `split`, or the steps that a column gives."""
    rule, _, column = str(dict(stage.arguments)["split"]).partition(":")

    def pieces(row: dict[str, Any]) -> list[tuple[int, int]] | str:
        return given(row[f"column:{column}"], row["response"]) if rule == "given" else split(row["response"], rule)

    return pieces


def reach(stage: Score) -> Reach:
    """How far back `window` lets a step see."""
    arguments = dict(stage.arguments)
    share = arguments.get("window_percent")
    return Reach(steps=int(arguments["window_steps"] or 0)) if share is None else Reach(percent=Fraction(str(share)))
