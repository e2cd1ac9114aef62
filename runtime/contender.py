"""One build as a comparison reads it: plan, manifest, selections, training, answers. Reads the folder, writes nothing; no corpus, no model."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from ..compiler.plan.serialize import Unreadable, from_data
from ..compiler.plan.stages import Evaluate, Model, Plan, Train
from .built import read_json, unreadable
from .files import read_lines
from .recipes import HELDOUT, READS

SELECTED = ("row_id", "prompt_id", "teacher", "skills", "tokens")
RECIPE = "recipe"
"""What the arms trained on the recipe's own selection are called in `answers.parquet` and `eval.json`."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One model that was measured or trained. `recipe` None: the student as it was before.

    `examples` and `trained` tokens of an epoch, where the build says them.
    """

    name: str
    recipe: str | None = None
    seed: int | None = None
    folder: str | None = None
    examples: int | None = None
    trained: int | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """What `eval.json` has of an arm on a benchmark, or on the held-out rows: `low` and `high` are None there, `problems` are rows."""

    arm: str
    benchmark: str
    value: float
    low: float | None
    high: float | None
    problems: int
    samples: int = 1
    unknown: int = 0
    pass_at_k: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Contender:
    """`name` is what the comparison calls the build. What the build did not come to is None or empty.

    `selections`: by recipe, `SELECTED` of its rows; `metrics`: by arm, a step each; `stages`: those of the manifest; `answers`: with the columns READS and `answer`.
    """

    name: str
    folder: Path
    plan: Plan
    manifest: Mapping[str, Any]
    stages: tuple[Mapping[str, Any], ...] = ()
    arms: tuple[Arm, ...] = ()
    selections: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    metrics: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    measured: tuple[Measured, ...] | None = None
    answers: pl.DataFrame | None = None

    @property
    def measuring(self) -> Evaluate | None:
        """The stage that measures, where the plan has one."""
        return next((stage for stage in self.plan.stages if isinstance(stage, Evaluate)), None)

    @property
    def training(self) -> Train | None:
        """The stage that trains, where the plan has one."""
        return next((stage for stage in self.plan.stages if isinstance(stage, Train)), None)

    @property
    def student(self) -> Mapping[str, str] | None:
        """The digests of the student that is trained and measured."""
        model: Model | None = next((stage.model for stage in (self.training, self.measuring) if stage and stage.model), None)
        return self.manifest.get("models", {}).get(model.student) if model else None


def contender(name: str, folder: Path) -> Contender:
    """The build in `folder`. Fault MIX0524 where there is none, MIX0501 where a file of it cannot be read."""
    data, manifest = read_json(folder, "plan.json"), read_json(folder, "manifest.json")
    try:
        plan = from_data(data)
        evaluation = read_json(folder, "eval.json") if (folder / "eval.json").is_file() else None
        arms = _arms(plan, folder, evaluation)
        chosen = {RECIPE: folder / "selected.parquet"}
        for arm in arms:
            if arm.recipe and arm.folder:
                chosen.setdefault(arm.recipe, folder / arm.folder / "selected.parquet")
        selections = {recipe: _selected(path) for recipe, path in chosen.items() if path.is_file()}
        measured = None if evaluation is None else tuple(_measured(evaluation))
        stages = tuple({"tokens": 0, "reading": 0.0, "engines": "", "kind": stage["kind"], **stage} for stage in manifest["stages"])
        return Contender(name, folder, plan, manifest, stages, arms, selections, _metrics(folder, arms), measured, _answers(folder))
    except (Unreadable, pl.exceptions.PolarsError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise unreadable(folder, said, "build it again with this version; scores that are in the store are not computed again") from None


def _arms(plan: Plan, folder: Path, evaluation: Mapping[str, Any] | None) -> tuple[Arm, ...]:
    """The arms that `eval.json` lists; of a build that lists none the student before and after, as far as they are there."""
    if evaluation and "arms" in evaluation:
        return tuple(
            Arm(each["arm"], each.get("recipe"), each.get("seed"), each.get("folder"), each.get("examples"), each.get("trained_tokens"))
            for each in evaluation["arms"]
        )
    training = next((stage for stage in plan.stages if isinstance(stage, Train)), None)
    measured = [*(evaluation or {}).get("benchmarks", {}).values(), (evaluation or {}).get("heldout") or {}]
    found = [Arm("before")] if any("before" in arms for arms in measured) else []
    if any("after" in arms for arms in measured) or (folder / "metrics.jsonl").is_file():
        found.append(Arm("after", RECIPE, training.seed if training else None, "model"))
    return tuple(found)


def _measured(evaluation: Mapping[str, Any]) -> Iterator[Measured]:
    """The figures of an `eval.json`: of each benchmark by arm, then of the held-out rows."""
    for benchmark, arms in evaluation["benchmarks"].items():
        for arm, got in arms.items():
            low, high = got["interval"]
            ks = tuple((int(k), float(value)) for k, value in got.get("pass_at_k", {}).items())
            yield Measured(arm, benchmark, float(got["accuracy"]), float(low), float(high), int(got["n"]), int(got.get("samples", 1)), int(got["unknown"]), ks)
    held = evaluation.get("heldout") or {}
    for arm, value in held.items():
        if isinstance(value, float):
            yield Measured(arm, HELDOUT, value, None, None, int(held["rows"]))


def _selected(path: Path) -> pl.DataFrame:
    return pl.scan_parquet(path).select(SELECTED).collect().sort("row_id")


def _metrics(folder: Path, arms: tuple[Arm, ...]) -> dict[str, list[dict[str, Any]]]:
    """The steps of each trained arm; those of the recipe's first seed stand in the build itself."""
    found = {}
    for arm in arms:
        if arm.recipe is not None:
            own = folder if arm.folder in (None, "model") else folder / str(arm.folder)
            lines = [line for line in read_lines(own / "metrics.jsonl") if "step" in line and "loss" in line]
            if lines:
                found[arm.name] = lines
    return found


def _answers(folder: Path) -> pl.DataFrame | None:
    path = folder / "answers.parquet"
    if not path.is_file():
        return None
    return pl.scan_parquet(path).select(*READS, "answer").collect()
