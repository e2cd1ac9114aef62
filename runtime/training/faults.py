"""What a training raises, as diagnostics at the clause of `train`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ...compiler.diagnostics import Diagnostic, Fault, Label
from ...compiler.plan.stages import Train
from ..files import writing
from .fit import Diverged, NotApart


@contextmanager
def faults(stage: Train, folder: Path) -> Iterator[None]:
    """Fault MIX0508 for a full disk, MIX0510 for a loss that is no number or too little memory, MIX0523 for a model that cannot be packed."""
    try:
        with writing(folder):
            yield
    except Fault as fault:
        place = Label(stage.span, "while training this")
        raise Fault(*(d if d.primary else replace(d, primary=place) for d in fault.diagnostics)) from fault
    except Diverged as error:
        raise Fault(_diverged(stage, error)) from error
    except NotApart as error:
        raise Fault(_not_apart(stage)) from error
    except RuntimeError as error:  # torch tells of a full memory and of a full disk in words only
        if (said := in_words(stage, folder, str(error))) is None:
            raise
        raise Fault(said) from error


def in_words(stage: Train, folder: Path, text: str) -> Diagnostic | None:
    """What torch says of a disk or a memory that is full, as a diagnostic; None for anything else."""
    if "PytorchStreamWriter" in text or "file write failed" in text:
        return Diagnostic(
            "MIX0508", f"cannot write `{folder}`: a checkpoint was not written to its end",
            Label(stage.span, "while training this"),
            help="make room on that disk (a checkpoint takes 12 bytes for each weight that is trained), then run the same command again",
        )  # fmt: skip
    if "out of memory" in text or "allocate memory" in text or "enough memory" in text:
        less = ", or write `method lora`" if stage.lora is None else ""
        return Diagnostic(
            "MIX0510", f"`{stage.model.student}` does not fit in memory while it is trained",
            Label(stage.span, "on examples of this length"),
            help=f"write a smaller `max_length` or `gradient_checkpointing true`, or take a smaller student{less}",
        )  # fmt: skip
    return None


def _diverged(stage: Train, error: Diverged) -> Diagnostic:
    what = "loss" if error.name == "loss" else "gradient"
    return Diagnostic(
        "MIX0510",
        f"training failed at step {error.step}: the {what} is {error.value}",
        Label(stage.span, "the weights are of no use from there on"),
        notes=(f"the learning rate is {stage.learning_rate:g}, the arithmetic {stage.model.dtype}",),
        help="write a smaller `learning_rate`" + ("" if stage.model.dtype == "fp32" else ", or `dtype fp32` in the student"),
    )


def _not_apart(stage: Train) -> Diagnostic:
    return Diagnostic(
        "MIX0523",
        f"`packing` cannot be used with `{stage.model.student}`: it reads the examples of a pack as one text",
        Label(stage.span, "each example would be trained on behind others"),
        notes=("three beginnings of examples were read alone and in one pack, and the model said something else of them",),
        help="write `packing false`: the same examples a step are then padded",
    )
