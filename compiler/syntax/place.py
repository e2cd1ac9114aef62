"""Where a clause went wrong, and the form that it should have had. Data for the words in `explain`."""

from dataclasses import dataclass

from ..source import Source, Span
from .blocks import HEADS
from .tokens import NEWLINE, Token


@dataclass(frozen=True, slots=True)
class Place:
    """Token `at` of a clause is where no token like it may stand; `accepted` may."""

    source: Source
    clause: list[Token]
    at: int
    accepted: frozenset[str]
    kind: str
    """The kind of the block around, or FILE."""

    @property
    def token(self) -> Token:
        """The token that does not fit; at the end of a line, its newline."""
        return self.clause[self.at] if self.at < len(self.clause) else self.ending

    @property
    def ending(self) -> Token:
        end = self.clause[-1].end if self.clause else len(self.source.text)
        return Token(NEWLINE, "", end, end)

    @property
    def before(self) -> Token | None:
        return self.clause[self.at - 1] if self.at else None

    @property
    def span(self) -> Span:
        return Span(self.source.path, self.token.start, self.token.end)

    def said(self) -> str:
        """The clause up to the token, as written, its last words if it is long."""
        text = " ".join(self.source.text[self.clause[0].start : self.clause[self.at - 1].end].split())
        return text if len(text) <= 48 else "…" + text[-47:]


def form(place: Place) -> str | None:
    """The form of the clause or declaration that went wrong, as a help."""
    first = place.clause[0].text
    if place.kind in ("", "select") and (first in FORMS):
        return f"the form is {FORMS[first]}"
    if place.kind and first in SETTINGS:
        return f"the form is {SETTINGS[first]}"
    if first in HEADS and not place.kind:
        name = {"mix": ' "name"', "test": ' "what it shows"', "select": "", "evaluate": ""}.get(first, " name")
        return f"the form is `{first}{name} {{`"
    return None


FORMS = {
    "keep": "`keep best 1 per prompt by score` or `keep at most 2 per prompt`",
    "budget": "`budget 1000 examples`, `budget up to 1000 examples` or `budget 2M tokens`",
    "quota": '`quota skill "Algebra" >= 15%`, `quota teacher strong <= 40% of tokens` or `quota skill "Algebra" 100..150 examples`',
    "count": "`count tokens by score`",
    "solver": "`solver auto`, `solver exact` or `solver prices`",
    "replace": "`replace keep best 1 per prompt by score` or `replace where correct with where fluent`",
    "add": "`add where correct` or `add where correct before keep`",
    "param": "`param name = value`",
    "extends": '`extends "parent.mix"`',
    "teacher": '`teacher name from corpus where model == "…"` or `teacher name generate {`',
    "score": "`score name = scorer(argument)`",
    "decontaminate": '`decontaminate against "bench.jsonl" by 8-grams of prompt` or `decontaminate none because "…"`',
    "dedup": "`dedup by exact of prompt` or `dedup by minhash(threshold: 0.8) of response`",
    "remove": '`remove quota skill "Algebra"`, or `remove score fluency` outside of blocks',
    "require": '`require license in ["MIT"]`',
    "sweep": "`sweep name in [1, 2, 4]`",
    "profile": '`profile student {` or `profile student from "profile.json"`',
}

SETTINGS = {
    "tag": '`tag by column subject`, `tag by keywords "keywords.json"` or `tag by llm(model: "Org/name")`',
    "prompts": "`prompts from corpus`",
    "benchmark": '`benchmark name "problems.jsonl" samples 1`',
    "heldout": '`heldout corpus where split == "test"`',
}
