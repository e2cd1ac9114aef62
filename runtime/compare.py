"""Builds side by side: what they selected, how they differ, how they trained, what they score, what they cost. Reads folders; computes no model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..compiler.plan.changes import Change
from ..compiler.plan.diff import diff
from .chosen import Chosen, Overlap, chosen, overlaps
from .contender import RECIPE, Contender
from .course import Course, course
from .fairness import Caution, cautions
from .results import Result, label, results

KINDS = ("score", "profile", "select", "train", "evaluate")
"""The kinds of stage that a comparison tells the time of; the others go together."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of a build by kind of stage as it last ran, the tokens that models read or wrote, the seconds of that, and where."""

    build: str
    seconds: dict[str, float]
    tokens: int
    reading: float
    devices: tuple[str, ...]

    @property
    def all(self) -> float:
        """The seconds of all stages."""
        return sum(self.seconds.values())


@dataclass(frozen=True, slots=True)
class Trained:
    """A recipe's trainings, one a run; `examples` and `trained` (tokens that the loss is over, an epoch) where all runs have as many."""

    label: str
    build: str
    recipe: str
    courses: tuple[Course, ...]

    @property
    def examples(self) -> int | None:
        return _one({each.examples for each in self.courses})

    @property
    def trained(self) -> int | None:
        return _one({each.trained for each in self.courses})


@dataclass(frozen=True, slots=True)
class Compared:
    """`changes`: of each other build, what its plan says otherwise than the reference's. `lacks`: what a build did not come to, in words."""

    builds: tuple[Contender, ...]
    reference: str
    changes: dict[str, tuple[Change, ...]]
    selections: tuple[Chosen, ...]
    overlaps: tuple[Overlap, ...]
    trainings: tuple[Trained, ...]
    results: tuple[Result, ...]
    costs: tuple[Cost, ...]
    cautions: tuple[Caution, ...]
    lacks: dict[str, tuple[str, ...]]

    @property
    def comparisons(self) -> int:
        """How many differences were tested at once."""
        return sum(result.paired is not None for result in self.results)


def compare(builds: Sequence[Contender], reference: str) -> Compared:
    """All builds beside the one named `reference`, which is one of them."""
    base = next(each for each in builds if each.name == reference)
    others = [each for each in builds if each is not base]
    alone = len(builds) == 1
    selections = [(label(each.name, recipe, alone), rows) for each in builds for recipe, rows in each.selections.items()]
    changes = {each.name: tuple(change for change in diff(base.plan, each.plan).changes if change.work.cost) for each in others}
    return Compared(
        tuple(builds), reference, changes,
        tuple(chosen(name, rows) for name, rows in selections), tuple(overlaps(selections)),
        tuple(trained for each in builds for trained in trainings(each, alone)),
        tuple(results(builds, reference)), tuple(_cost(each) for each in builds),
        tuple(caution for each in others for caution in cautions(each, base)), {each.name: tuple(_lacks(each)) for each in builds},
    )  # fmt: skip


def trainings(build: Contender, alone: bool) -> list[Trained]:
    """The trainings of a build that left steps, a recipe each; `alone`: whether it is the only build that is told of."""
    report: dict[str, Any] = build.manifest.get("training") or {}
    found = []
    for recipe in dict.fromkeys(arm.recipe for arm in build.arms if arm.name in build.metrics):
        own = report if recipe == RECIPE else {}
        courses = tuple(
            course(arm.name, arm.seed, build.metrics[arm.name], *((own.get("examples"), own.get("tokens")) if arm.examples is None else (arm.examples, arm.trained)))
            for arm in build.arms
            if arm.recipe == recipe and arm.name in build.metrics
        )
        found.append(Trained(label(build.name, recipe, alone), build.name, str(recipe), courses))
    return found


def _one(values: set[int | None]) -> int | None:
    return next(iter(values)) if len(values) == 1 else None


def _cost(build: Contender) -> Cost:
    seconds: dict[str, float] = {}
    for stage in build.stages:
        kind = stage["kind"] if stage["kind"] in KINDS else "other"
        seconds[kind] = seconds.get(kind, 0.0) + stage["seconds"]
    devices = sorted({each for stage in build.stages if stage["engines"] for each in stage["engines"].split(", ")})
    return Cost(build.name, seconds, sum(s["tokens"] for s in build.stages), sum(s["reading"] for s in build.stages), tuple(devices))


def _lacks(build: Contender) -> list[str]:
    """What is not in a build, so that no section shows it."""
    lacks = []
    if RECIPE not in build.selections:
        return ["stopped before its selection"]
    if build.training is not None and not build.metrics:
        lacks.append("not trained")
    if build.measuring is not None and build.measured is None:
        lacks.append("not evaluated")
    elif build.measured is not None and build.answers is None:
        lacks.append("no answers are kept: no paired test")
    return lacks
