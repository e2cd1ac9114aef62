"""Trackers of a training by name: whether their packages are here, and where what they write goes. Loads none of them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from importlib.util import find_spec
from io import StringIO

from ...compiler.diagnostics import Diagnostic, Fault, Label
from ...compiler.plan.stages import Train
from .job import Job

PROJECT = "mixc"


def require_trackers(stage: Train) -> None:
    """Fault MIX0509 at the `report` clause for each tracker whose package is not installed."""
    lacking = [name for name in stage.report if find_spec(name) is None]
    if lacking:
        place = Label(stage.report_span or stage.span, "training would tell it")
        raise Fault(*(
            Diagnostic("MIX0509", f"`report {name}` needs the package `{name}`, which is not installed", place, help=f"run `pip install {name}`, or leave it out")
            for name in lacking
        ))  # fmt: skip


@contextmanager
def told(job: Job) -> Iterator[None]:
    """Trackers write into the job's folder of logs, unless their own variables name another place, and not on the terminal; keys they read themselves.

    The folder is one for all trainings of a store, so that a tracker shows them side by side.
    """
    if not job.reports:
        yield
        return
    wanted = {
        "TENSORBOARD_LOGGING_DIR": str(job.logs / "tensorboard" / job.run),
        "TRACKIO_DIR": str(job.logs / "trackio"),
        "WANDB_DIR": str(job.logs),
        "WANDB_PROJECT": PROJECT,
        "WANDB_SILENT": "true",
    }
    added = {name: value for name, value in wanted.items() if name not in os.environ}
    job.logs.mkdir(parents=True, exist_ok=True)  # wandb falls back to a folder for temporary files where it is not there
    os.environ.update(added)
    try:
        with redirect_stdout(StringIO()):
            yield
    finally:
        for name in added:
            os.environ.pop(name, None)
