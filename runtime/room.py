"""How much of a text a question may carry, so that a model reads it whole with room for its answer. It knows lengths, not what is asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..compiler.diagnostics import Diagnostic, Fault, Label
from .responses import LocalModel, Question, Respondent

LONGEST = 20_000
"""Characters of a text that are read at most (Skill-aware, `attribute_question_to_tree.py`)."""
LEAST = 64
"""Tokens that a text must be left at least."""

Frame = Callable[[str], Question]


@dataclass(frozen=True, slots=True)
class Room:
    """`limit`: the tokens that a question may have, None where nobody can tell; `tokens` counts those of a question as a model reads it, and `around`
    are those that its template adds."""

    limit: int | None = None
    tokens: Callable[[str], int] = field(default=len)
    around: int = 0

    @staticmethod
    def of(who: Respondent, max_tokens: int) -> "Room":
        """That of a model on this machine; a server tells none of its own. Faults as those of `Students`."""
        if not isinstance(who, LocalModel):
            return Room()
        students, model = who.context.students, who.model
        context = students.context(model)
        if context is None:
            return Room()
        tokenizer = students.tokenizer(model)
        return Room(context - max_tokens, lambda text: len(tokenizer.prompt(text)), len(tokenizer.prompt("")))

    def fit(self, text: str, frame: Frame) -> str:
        """As many of the first characters of `text` as `frame`, which puts a text into a question, has room for."""
        text = text[:LONGEST]
        if self.limit is None or self._surely(frame(text).text):
            return text
        frame_alone = self.tokens(frame("").text)
        while text and (size := self.tokens(frame(text).text)) > self.limit:
            share = max(self.limit - frame_alone, 0) / max(size - frame_alone, 1)
            text = text[: min(int(len(text) * share), len(text) - 1)]
        return text

    def refuse_full(self, frames: Sequence[tuple[str, Frame]], who: Respondent, max_tokens: int) -> None:
        """Fault MIX0533 where the question of one of `frames`, each with the chain that it asks below, leaves a text no room."""
        if self.limit is None or not isinstance(who, LocalModel):
            return
        sizes = {chain: self.tokens(text) for chain, frame in frames if not self._surely(text := frame("").text, LEAST)}
        worst = max(sizes, key=lambda chain: sizes[chain], default=None)
        if worst is None or sizes[worst] + LEAST <= self.limit:
            return
        where = f"below `{worst}`" if worst else "at the root"
        message = f"`{who.model.model}` reads {self.limit + max_tokens:,} tokens at once: the question {where} takes {sizes[worst]:,}, its answer up to {max_tokens:,}"
        help = f"set `max_tokens` lower (it is {max_tokens:,} tokens), give the skill fewer children, or take a model that reads more"
        raise Fault(Diagnostic("MIX0533", message, Label(who.model.span, "asked by this model"), help=help))

    def _surely(self, text: str, more: int = 0) -> bool:
        """Whether a question and `more` tokens have room however it is cut into tokens: none of them is shorter than a byte."""
        return self.limit is not None and len(text.encode()) + self.around + 8 + more <= self.limit
