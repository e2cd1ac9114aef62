"""Writes into a real build what an evaluation of several arms and seeds leaves there, with answers that a test makes up.

Tests import this file as `mixc.tests.runtime.arms_of`.
"""

import json
import random
import shutil
from collections.abc import Sequence
from pathlib import Path

import polars as pl
from mixc.tests.runtime.answered import ARMS, Arm, answered, heldout


def write_arms(build: Path, skill: float, *, seed: int = 0, problems: int = 60, samples: int = 1, arms: Sequence[Arm] = ARMS) -> pl.DataFrame:
    """`answers.parquet`, `eval.json` and `arms/` of a build: the recipe solves a problem with chance `skill`, `random` with 0.1 less, the student 1 in 10."""
    chance, student = random.Random(f"arms {seed}"), random.Random("student")
    hard = random.Random("problems")  # of every build alike: it is the problems that are
    ease = [hard.uniform(-0.4, 0.4) for _ in range(problems)]

    def correct(arm: str, number: int, sample: int) -> bool | None:
        if arm == "before":
            return student.random() < 0.1
        return chance.random() < skill - 0.1 * arm.startswith("random") + ease[number]

    def nll(arm: str, row: int) -> float:
        if arm == "before":
            return 2.5 + row / 50
        return 2.5 + row / 50 - skill + 0.05 * arm.startswith("random") + chance.gauss(0, 0.01)

    frame = pl.concat([answered(arms, "small", problems, correct, samples), heldout(arms, 40, nll)])
    frame.write_parquet(build / "answers.parquet")
    listed = [{"arm": arm, "recipe": recipe, "seed": number, **_folder(build, arm, recipe)} for arm, recipe, number in arms]
    (build / "eval.json").write_text(json.dumps({"arms": listed, "benchmarks": {}, "heldout": {}}))
    return frame


def _folder(build: Path, arm: str, recipe: str | None) -> dict[str, str]:
    """The arm's folder with its metrics, and of a baseline its selection; those of `after` are the build's own."""
    if recipe is None:
        return {}
    if arm == "after":
        return {"folder": "model"}
    folder = build / "arms" / arm
    folder.mkdir(parents=True, exist_ok=True)
    steps = [json.loads(line) for line in (build / "metrics.jsonl").read_text().splitlines()]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(step | {"loss": step["loss"] + 0.01 * len(arm)}) + "\n" for step in steps))
    if recipe != "recipe":
        shutil.copy(build / "selected.parquet", folder / "selected.parquet")
    return {"folder": f"arms/{arm}"}
