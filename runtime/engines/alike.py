"""Whether two engines write alike: greedy answers of a sample, compared as far as they are the same, and at the token where they part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ...compiler.diagnostics import Diagnostic, Fault, Label
from .base import Generated, Reading, Request, Window
from .model_files import ModelFiles

ANSWERS = 4
TOKENS = 32
TIES = {"fp32": 0.01, "bf16": 0.5, "fp16": 0.1}
"""Nats by which the token that one engine takes may be less probable to the other than its own: rounding turns so near a tie."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """How far `engine` writes as `reference`: of `answers` greedy beginnings with `tokens` tokens, `equal` are the same to the last token; where
    another parts, the token it takes is at most `gap` nats less probable to the reference than its own. `seconds` is what the comparing took."""

    student: str
    dtype: str
    engine: str
    reference: str
    answers: int
    equal: int
    tokens: int
    gap: float
    seconds: float = 0.0

    def __str__(self) -> str:
        parted = "" if self.equal == self.answers else f", the others part at a token that is {self.gap:.2g} nats from the likeliest at most"
        return f"`{self.engine}` and `{self.reference}` write {self.equal} of {self.answers} greedy beginnings of student `{self.student}` alike{parted}"


def beginnings(requests: Sequence[Request]) -> list[Request]:
    """Up to ANSWERS of the requests, of every length there is, each greedy and TOKENS tokens long: the same for the same requests."""
    ordered = sorted(range(len(requests)), key=lambda i: (len(requests[i].prompt), requests[i].prompt, i))
    count = min(ANSWERS, len(ordered))
    chosen = [requests[ordered[(2 * k + 1) * len(ordered) // (2 * count)]] for k in range(count)]
    return [replace(one, max_tokens=min(one.max_tokens, TOKENS), temperature=0.0, seed=0) for one in chosen]


@dataclass(frozen=True, slots=True)
class Parting:
    """Where two answers to request `index` part, after `at` tokens: windows that score the token that `expected` takes there, and the one that `found`
    takes. Where an answer ends there, one window for each token that may end it."""

    index: int
    at: int
    expected: tuple[Window, ...]
    found: tuple[Window, ...]


def partings(
    requests: Sequence[Request], found: Sequence[Generated], expected: Sequence[Generated], stops: Sequence[int]
) -> list[Parting]:
    """Where each answer that is not the same parts from the other."""
    parted = []
    for i, (one, other) in enumerate(zip(found, expected, strict=True)):
        if (one.ids, one.finished) == (other.ids, other.finished):
            continue
        both = min(len(one.ids), len(other.ids))
        at = next((at for at in range(both) if one.ids[at] != other.ids[at]), both)

        def windows(side: Generated, at: int = at, prompt: tuple[int, ...] = requests[i].prompt) -> tuple[Window, ...]:
            tokens = side.ids[at : at + 1] or tuple(stops)
            return tuple(Window(prompt, (*side.ids[:at], token), at) for token in tokens)

        parted.append(Parting(i, at, windows(other), windows(one)))
    return parted


def agree(
    found: Sequence[Generated], expected: Sequence[Generated], parted: Sequence[Parting], readings: Mapping[int, Reading],
    names: tuple[str, str], files: ModelFiles, dtype: str,
) -> Alike:  # fmt: skip
    """What the comparison came to; `readings` are the reference's, of the windows of all partings in their order. Fault MIX0520 beyond TIES."""
    gaps: list[float] = []
    place = 0
    for one in parted:
        likeliest = []
        for windows in (one.expected, one.found):
            likeliest.append(max(float(readings[place + k].logprob[0]) for k in range(len(windows))))
            place += len(windows)
        gaps.append(likeliest[0] - likeliest[1])
    worst = max(range(len(gaps)), key=lambda k: gaps[k], default=None)
    equal = len(found) - len(parted)
    alike = Alike(
        student=files.student, dtype=dtype, engine=names[0], reference=names[1], answers=len(found), equal=equal,
        tokens=sum(one.tokens for one in expected), gap=max([0.0, *gaps]),
    )  # fmt: skip
    if worst is None or gaps[worst] <= TIES[dtype]:  # written so that what is not a number is not let pass
        return alike
    raise Fault(
        Diagnostic(
            "MIX0520",
            f"`{names[0]}` and `{names[1]}` do not write alike with student `{files.student}` in {dtype}",
            Label(files.span, "written by both"),
            notes=(
                f"they part after {parted[worst].at} tokens of an answer: to `{names[1]}` what `{names[0]}` writes there is {gaps[worst]:.2g} nats less probable than its own (may be {TIES[dtype]:g})",
                f"{equal} of {len(found)} beginnings are the same",
                "nothing was stored",
            ),
            help=f"run it with `--engine {names[1]}`",
        )
    )
