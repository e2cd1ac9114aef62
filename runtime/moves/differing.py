"""Two finished builds to all that parts them beside the recipe: rows, trainings, evaluations. Reads the folders; computes no model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...compiler.plan.changes import Change
from ..compare import Trained, trainings
from ..contender import Contender, contender
from ..course import Course
from ..results import Result, results
from .found import Moves
from .moves import moves, unmoved

Run = tuple[str, int | None]
"""A recipe and the seed of one of its trainings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Differing:
    """`names`: of the two builds, which are told apart by them. `moves` None: `untold` says why the rows are not compared.

    `trained`: of each recipe and seed the course before and after, None where a build has none; `measured`: of each benchmark and recipe (None: the
    untrained student) the results, likewise.
    """

    names: tuple[str, str]
    moves: Moves | None = None
    untold: str | None = None
    uneven: bool = False
    trained: tuple[tuple[Run, Course | None, Course | None], ...] = ()
    measured: tuple[tuple[tuple[str, str | None], Result | None, Result | None], ...] = ()

    @property
    def any(self) -> bool:
        """Whether the builds differ in anything but what their plans say. Seconds and engines are none of it."""
        trained = any(_course(before) != _course(after) for _, before, after in self.trained)
        measured = any(_figures(before) != _figures(after) for _, before, after in self.measured)
        return self.uneven or trained or measured or bool(self.moves and self.moves.any)


def differing(before: Path, after: Path, changes: Sequence[Change]) -> Differing:
    """What parts the builds in two folders. `changes`: what the later plan says otherwise. Fault MIX0501 where a file cannot be read."""
    names = (str(before), str(after) if after != before else f"{after} again")
    early = [folder for folder in (before, after) if not (folder / "manifest.json").is_file()]
    if early:
        said = " and ".join(f"`{folder}`" for folder in dict.fromkeys(early))
        return Differing(names=names, untold=f"{said} has no `manifest.json`: no build ended there", uneven=len(early) == 1)
    builds = contender(names[0], before), contender(names[1], after)
    untold = unmoved(*builds)
    whole = [unmoved(build, build) is None for build in builds]
    return Differing(
        names=names,
        moves=None if untold else moves(*builds, changes),
        untold=untold,
        uneven=whole[0] != whole[1],
        trained=tuple(_trained(*builds)),
        measured=tuple(_measured(*builds)),
    )


def _trained(before: Contender, after: Contender) -> Iterator[tuple[Run, Course | None, Course | None]]:
    sides = [_courses(trainings(build, alone=False)) for build in (before, after)]
    for run in dict.fromkeys((*sides[0], *sides[1])):
        yield run, sides[0].get(run), sides[1].get(run)


def _courses(found: Sequence[Trained]) -> dict[Run, Course]:
    return {(each.recipe, course.seed): course for each in found for course in each.courses}


def _measured(before: Contender, after: Contender) -> Iterator[tuple[tuple[str, str | None], Result | None, Result | None]]:
    found = results((before, after), before.name)
    sides = [{(r.benchmark, r.recipe): r for r in found if r.build == build.name} for build in (before, after)]
    untrained = [any(arm.recipe is None for arm in build.arms) for build in (before, after)]
    for key in dict.fromkeys((*sides[0], *sides[1])):
        one, other = sides[0].get(key), sides[1].get(key)
        if key[1] is None and all(untrained):  # a student that both measured alike stands once
            one, other = one or other, other or one
        yield key, one, other


def _course(each: Course | None) -> object:
    return None if each is None else (each.steps[-1], each.losses[-1])


def _figures(each: Result | None) -> object:
    return None if each is None else (each.value, each.problems, each.samples)
