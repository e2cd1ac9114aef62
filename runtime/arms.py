"""The arms of an evaluation: what each trains on, its training and its folder in the build. Knows no benchmark."""

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import polars as pl

from ..compiler.diagnostics import Fault, Label
from ..compiler.plan.stages import Arm, Evaluate, Materialise, Plan, Score, Stage, Train
from . import materialise as made
from .context import Context
from .evaluate import Trained
from .files import TEMPORARY, swap_folder, write_atomic, writing
from .promised import promised
from .rows import Rows
from .score import score
from .train import Trained as Training
from .train import foreseen, train
from .walk import Walk
from .write_card import write_card

FOLDER = "arms"
Content = bytes | Callable[[Path], object]


def evaluation_of(stages: Sequence[Stage]) -> Evaluate | None:
    """The stage that measures, where the plan has one."""
    return next((stage for stage in stages if isinstance(stage, Evaluate)), None)


def materialised(plan: Plan, baselines: Mapping[str, Rows], context: Context) -> dict[str, pl.DataFrame]:
    """The rows of every baseline as they are trained on, with the scores of selected rows that ask no model, and the one that weighs them."""
    stage = next((s for s in plan.stages if isinstance(s, Materialise)), None)
    late = [s for s in plan.stages if isinstance(s, Score) and s.rows == "selected" and (not s.passes or (stage and s.name == stage.weight))]
    done: dict[int, pl.DataFrame] = {}
    for rows in baselines.values():
        if id(rows) not in done:
            scored = rows
            for each in late:
                scored = score(each, scored, context).rows
            done[id(rows)] = made.selected(plan, scored, context.texts)
    return {name: done[id(rows)] for name, rows in baselines.items()}


def refuse_unkept(stage: Train, arms: Sequence[Arm], chosen: Mapping[str, pl.DataFrame], walk: Walk, context: Context) -> None:
    """Hold the budgets of every baseline against what its rows come to once they are tokenised, before anything is trained. Faults as those of `train`."""
    seen: set[int] = set()
    for arm in arms:
        if arm.select is not None and id(chosen[arm.name]) not in seen:
            seen.add(id(chosen[arm.name]))
            try:
                foreseen(stage, chosen[arm.name], context, promised(arm.select, walk.baselines[arm.name]))
            except Fault as fault:
                place = Label(arm.span, "this baseline")
                raise Fault(
                    *(replace(d, message=f"the baseline `{arm.recipe}` cannot be trained: {d.message}", secondary=(*d.secondary, place)) for d in fault.diagnostics)
                ) from fault


def selection_files(stage: Materialise, chosen: Mapping[str, pl.DataFrame]) -> dict[str, Content]:
    """`selected.parquet` and `train.jsonl` of every baseline, by their path in the build."""
    files: dict[str, Content] = {}
    for name, rows in chosen.items():
        files[f"{FOLDER}/{name}/selected.parquet"] = made.parquet(rows)
        files[f"{FOLDER}/{name}/train.jsonl"] = made.train_lines(stage, rows)
    return files


def trained_arms(
    stage: Train, plan: Plan, arms: Sequence[Arm], first: Training | None, chosen: pl.DataFrame, baselines: Mapping[str, pl.DataFrame], walk: Walk, out: Path,
    context: Context,
) -> Iterator[Trained]:  # fmt: skip
    """Each arm once it is trained and stands in its folder of the build: `after`, which `first` is, then the others, one at a time.

    A training that is in the store is not done again; a baseline's budgets are held against what it trains on. Faults as those of `train`.
    """
    for number, arm in enumerate(arms, 2):
        if arm.name == "after":
            if first is not None:
                yield _trained(arm, "model", first)
            continue
        own = replace(stage, id=f"{stage.id} ({arm.name}, arm {number} of {len(arms) + 1})", seed=arm.seed)
        if arm.select is None:
            rows, done = walk.rows, train(own, chosen, context)
        else:
            rows = walk.baselines[arm.name]
            done = train(own, baselines[arm.name], context, promised(arm.select, rows))
        folder = f"{FOLDER}/{arm.name}"
        (out / folder).mkdir(parents=True, exist_ok=True)
        place(done, out / folder, partial(write_card, plan=plan, stage=own, done=done, rows=rows, context=context, arm=arm))
        yield _trained(arm, folder, done)


def _trained(arm: Arm, folder: str, done: Training) -> Trained:
    return Trained(arm.name, arm.recipe, arm.seed, folder, done.path, done.report.examples, done.report.tokens)


def place(done: Training, folder: Path, write: Callable[[Path], None]) -> None:
    """The trained model as `model/` of a folder, with what `write` puts beside it, whole or not at all; and its `metrics.jsonl`."""
    with writing(folder / "model"):
        fresh = folder / f"{TEMPORARY}model-{time.time_ns()}"
        try:
            shutil.copytree(done.path, fresh)
            write(fresh)
            swap_folder(fresh, folder / "model")
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    write_atomic(folder / "metrics.jsonl", "".join(f"{json.dumps(m)}\n" for m in done.metrics).encode())
