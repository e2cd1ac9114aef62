"""Whether two engines read alike: which windows of many are a sample, how far two readings of it are apart, and how far they may be. docs/decisions/0015-engines.md"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...compiler.diagnostics import Diagnostic, Fault, Label
from .base import Reading, Window
from .model_files import ModelFiles

WINDOWS = 16
TOKENS = 8_192
LIMITS = {"fp32": (1e-3, 5e-4), "bf16": (0.1, 0.02), "fp16": (0.05, 0.01)}
"""Nats a token by which the mean of one window's tokens, and that of the whole sample's, may differ: what a step and what a score may."""
SHORT = 8
"""A window of fewer tokens is held to as much as one of so many: rounding to 16 bits moves a single token by half a nat."""
RANKS = 0.01
"""The mean relative difference of ranks that is let pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far `engine` is from `reference`, in nats, on `windows` windows with `tokens` scored tokens.

    `step` is the largest difference of a window's mean log-probability, `score` that of the mean over all tokens, `token` the largest of one token;
    `ranks` the mean relative difference of ranks, where they were compared. `seconds` is what the comparing took, loading both included.
    """

    student: str
    dtype: str
    engine: str
    reference: str
    windows: int
    tokens: int
    step: float
    score: float
    token: float
    ranks: float | None = None
    seconds: float = 0.0

    def __str__(self) -> str:
        ranks = "" if self.ranks is None else f", {self.ranks:.1%} of a rank"
        return (
            f"`{self.engine}` and `{self.reference}` agree on {self.windows} windows of student `{self.student}`: "
            f"a step differs by {self.step:.2g} nats at most, all by {self.score:.2g}{ranks}"
        )


class Apart(Fault):
    """MIX0520; `window` is the one on which the engines are furthest apart."""

    def __init__(self, diagnostic: Diagnostic, window: Window) -> None:
        super().__init__(diagnostic)
        self.window = window


def sample(windows: Sequence[Window], most: int = WINDOWS, tokens: int = TOKENS) -> list[int]:
    """Up to `most` windows of `tokens` tokens in all, of every length there is: the same for the same windows. At least one."""
    ordered = sorted(range(len(windows)), key=lambda i: (windows[i].length, _chance(windows[i]), i))
    count = min(most, len(ordered))
    spread = [ordered[(2 * k + 1) * len(ordered) // (2 * count)] for k in range(count)]
    chosen: list[int] = []
    left = tokens
    for i in spread:  # the shortest first: one that is longer than what is left is left out, and with it those after it
        if chosen and windows[i].length > left:
            break
        chosen.append(i)
        left -= windows[i].length
    return chosen


def compare(
    windows: Sequence[Window], found: Mapping[int, Reading], expected: Mapping[int, Reading], names: tuple[str, str], files: ModelFiles, dtype: str
) -> Agreement:
    """How far `found` is from `expected`, two readings of `windows` by the engines `names`. Apart beyond LIMITS or RANKS."""
    pairs = [(found[i].logprob.astype(np.float64), expected[i].logprob.astype(np.float64)) for i in range(len(windows))]
    each = np.array([abs((one - other).sum()) / max(one.size, SHORT) for one, other in pairs])
    whole = np.concatenate([one - other for one, other in pairs])
    ranks = _ranks(found, expected, len(windows))
    agreement = Agreement(
        student=files.student, dtype=dtype, engine=names[0], reference=names[1], windows=len(windows), tokens=whole.size,
        step=float(each.max()), score=float(abs(whole.sum()) / max(whole.size, SHORT)), token=float(np.abs(whole).max()), ranks=ranks,
    )  # fmt: skip
    step, score = LIMITS[dtype]
    # Written so that what is not a number is not let pass.
    if agreement.step <= step and agreement.score <= score and (ranks is None or ranks <= RANKS):
        return agreement
    worst = int(np.nan_to_num(each, nan=np.inf).argmax())
    window = windows[worst]
    raise Apart(
        Diagnostic(
            "MIX0520",
            f"`{names[0]}` and `{names[1]}` do not agree on student `{files.student}` in {dtype}",
            Label(files.span, "read by both"),
            notes=(
                f"{window.scored:,} tokens after {window.length - window.scored:,}: {pairs[worst][0].mean():.5g} nats a token by `{names[0]}`, {pairs[worst][1].mean():.5g} by `{names[1]}`",
                f"of {len(windows)} windows one differs by {agreement.step:.2g} nats a token (may by {step:g}), all together by {agreement.score:.2g} (may by {score:g})",
                *(() if ranks is None else (f"ranks differ by {ranks:.2%} (may by {RANKS:.0%})",)),
                "nothing was stored",
            ),
            help=f"score with `--engine {names[1]}`",
        ),
        window,
    )


def _ranks(found: Mapping[int, Reading], expected: Mapping[int, Reading], count: int) -> float | None:
    if any(found[i].rank is None or expected[i].rank is None for i in range(count)):
        return None
    ours = np.concatenate([found[i].rank for i in range(count)]).astype(np.float64)  # type: ignore[misc]
    theirs = np.concatenate([expected[i].rank for i in range(count)]).astype(np.float64)  # type: ignore[misc]
    return float((np.abs(ours - theirs) / np.maximum(ours, theirs)).mean())


def _chance(window: Window) -> bytes:
    return hashlib.blake2b(repr((window.prompt, window.tokens, window.start)).encode(), digest_size=8).digest()
