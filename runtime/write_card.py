"""Puts into a build's copy of a trained model what the store's, which other recipes share, must not say: its card and the plot of its loss."""

from pathlib import Path

from ..compiler.plan.stages import Arm, Plan, Train
from .context import Context
from .files import write_atomic
from .licences import licences
from .licensed import UNSTATED, short
from .loss_plot import loss_plot
from .model_card import Made, model_card
from .rows import Rows
from .train import Trained


def write_card(folder: Path, plan: Plan, stage: Train, done: Trained, rows: Rows, context: Context, arm: Arm | None = None) -> None:
    """Write `README.md` and `loss.svg` into `folder`, a copy of the model `done` of the selected `rows` (those without a reason).

    `arm` names a training that is not the recipe's own. Nothing in them depends on the machine or the day. Fault MIX0508.
    """
    files = context.students.files(stage.model)
    made = Made(
        plan=plan, stage=stage, hub=files.hub, digests=files.digests, report=done.report.to_dict(), metrics=done.metrics,
        licences=_by_teacher(rows), arm=arm.name if arm else None,
        baseline=arm.recipe if arm and arm.select else None, library="peft" if (folder / "adapter_config.json").is_file() else "transformers",
    )  # fmt: skip
    write_atomic(folder / "README.md", model_card(made).encode())
    write_atomic(folder / "loss.svg", loss_plot(done.metrics).encode())


def _by_teacher(rows: Rows) -> dict[str, tuple[str, ...]]:
    found = licences(rows).teachers
    return {teacher: tuple(sorted(UNSTATED if name is None else short(name) for name in counts)) for teacher, counts in found.items()}
