"""What a profile came to, skill by skill, as `profile.json` and the manifest hold it. Data only: it asks nobody."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..compiler.clauses import Tally
from ..compiler.plan.stages import Profile
from .proportions import wilson
from .skill_accuracy import skill_accuracies
from .store import digest

Tallies = tuple[tuple[str, Tally], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """A leaf, by its own name and its chain: `asked` of its `available` prompts, and of the responses to them `attempts` with a grade, `correct` ones among these, `unknown`
    ones without a grade, `cut` at the limit of tokens."""

    name: str
    chain: str
    available: int
    asked: int
    attempts: int
    correct: int
    unknown: int
    cut: int

    @property
    def interval(self) -> tuple[float, float]:
        """The Wilson 95 % interval of the accuracy; all of 0 to 1 where nothing was graded."""
        return wilson(self.correct, self.attempts) if self.attempts else (0.0, 1.0)

    @property
    def width(self) -> float:
        """How wide the interval is."""
        low, high = self.interval
        return high - low


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """`skills` by name, those without a prompt in `empty`. A response to a prompt of several skills counts in each, and once in `responses`,
    `unknown` and `cut`; `prompts` were asked, `without` more had nothing to be graded by. `wide`: skills that are still wider than was asked for."""

    skills: tuple[Skill, ...]
    empty: tuple[str, ...]
    prompts: int
    without: int
    responses: int
    unknown: int
    cut: int
    wide: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Profiled:
    """A profile in a run: its stage, the counts that targets are made of, and how they were found; None where they were read from a file."""

    stage: Profile
    tallies: Tallies
    measured: Measured | None = None
    weights: str | None = None

    @property
    def summary(self) -> str:
        """One line for people."""
        tried, right = sum(t.attempts for _, t in self.tallies), sum(t.correct for _, t in self.tallies)
        said = f"{len(self.tallies):,} skill{'' if len(self.tallies) == 1 else 's'}, {right:,} of {tried:,} attempts correct"
        if self.measured is None:
            return said
        return f"{said}, {self.measured.responses:,} response{'' if self.measured.responses == 1 else 's'} to {self.measured.prompts:,} prompt{'' if self.measured.prompts == 1 else 's'}"


def tallies(measured: Measured) -> Tallies:
    """The counts by skill, sorted by name; a response without a grade is neither an attempt nor correct."""
    return tuple(sorted((skill.name, Tally(attempts=skill.attempts, correct=skill.correct)) for skill in measured.skills))


def profile_json(found: Profiled) -> bytes:
    """`profile.json`: `skills` as a spec reads them, and beside them of whom and how a measured one was found."""
    data: dict[str, Any] = {"skills": _counts(found.tallies)}
    if found.measured is not None:
        data |= {"student": found.stage.model.student, "measured": _how(found)}
    return json.dumps(data, indent=2, ensure_ascii=False).encode() + b"\n"


def profile_data(found: Profiled) -> dict[str, Any]:
    """What the manifest has of it; `digest` is that of its counts, wherever they came from."""
    kept = {"digest": digest(json.dumps(_counts(found.tallies), sort_keys=True).encode()), "skills": len(found.tallies)}
    return kept if found.measured is None else {**kept, **_how(found)}


def _counts(counts: Sequence[tuple[str, Tally]]) -> dict[str, dict[str, int]]:
    return {name: {"attempts": tally.attempts, "correct": tally.correct} for name, tally in sorted(counts)}


def _how(found: Profiled) -> dict[str, Any]:
    stage, measured = found.stage, found.measured
    assert measured is not None and stage.grade is not None
    counts = {skill.chain: Tally(attempts=skill.attempts, correct=skill.correct) for skill in measured.skills}
    drawn = skill_accuracies(list(counts), counts)  # by beta(1, 1), what a quota takes unless it says otherwise
    return {
        "model": stage.model.model,
        "weights": found.weights,
        "attempts_per_prompt": stage.attempts,
        "prompts_per_skill": stage.sample if stage.least is None else [stage.least, stage.sample],
        "width": stage.width,
        "temperature": stage.temperature,
        "max_tokens": stage.max_tokens,
        "grader": stage.grade.scorer,
        "seed": stage.seed,
        "prompts": measured.prompts,
        "prompts_without_reference": measured.without,
        "responses": measured.responses,
        "unknown": measured.unknown,
        "cut": measured.cut,
        "skills_without_prompts": list(measured.empty),
        "skills_wider": list(measured.wide),
        "by_skill": {
            skill.name: {
                "prompts": skill.asked, "available": skill.available, "accuracy": skill.correct / skill.attempts if skill.attempts else None,
                "interval": list(skill.interval) if skill.attempts else None, "unknown": skill.unknown, "cut": skill.cut,
                "drawn_to_parent": None if (mean := drawn[skill.chain].accuracy) is None else float(mean),
                "credible": None if (ends := drawn[skill.chain].credible) is None else list(ends),
            }
            for skill in measured.skills
        },
    }  # fmt: skip
