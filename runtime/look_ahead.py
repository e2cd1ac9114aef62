"""Looks at what the last stages of a run need before the first one asks anybody: an answer that was paid for, or a night's training, should not come before a fault that shows in a second."""

from collections.abc import Sequence

from ..compiler.plan.stages import Evaluate, Score, Stage, Tag, Teachers
from .benchmarks import read_benchmark
from .context import Context
from .engines.digests import of_text
from .generate import model_of
from .models import run_here

_WITHOUT_TEMPLATE = ("tokens",)


def look_ahead(stages: Sequence[Stage], context: Context) -> None:
    """Fault MIX0511 for a benchmark that is not usable; and where other models are asked on the way, MIX0507 for one that is here and has no chat template."""
    for stage in stages:
        if isinstance(stage, Evaluate):
            for benchmark in stage.benchmarks:
                read_benchmark(benchmark, stage.seed)
    written = [each for stage in stages if isinstance(stage, Teachers) for each in stage.generated]
    if not written and not any(isinstance(stage, Tag) and stage.attribution is not None for stage in stages):
        return
    here = [model for stage in stages if not _counts(stage) and (model := run_here(stage)) is not None]
    for model in (*(model_of(each) for each in written if each.endpoint is None), *here):
        if context.students.is_here(model) and context.students.files(model).template_digest == of_text(""):
            context.students.tokenizer(model).prompt("")


def _counts(stage: Stage) -> bool:
    return isinstance(stage, Score) and stage.scorer in _WITHOUT_TEMPLATE
