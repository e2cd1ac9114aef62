"""Which model a stage runs on this machine. Loads nothing."""

from ..compiler.plan.stages import Evaluate, Model, Profile, Score, Stage, Tag, Train


def run_here(stage: Stage) -> Model | None:
    """The model whose files the work of a stage depends on; None where it runs none."""
    match stage:
        case Score() | Train() | Evaluate():
            return stage.model
        case Profile():
            return stage.model if stage.measured else None
        case Tag():
            return stage.attribution.model if stage.attribution is not None and stage.attribution.endpoint is None else None
        case _:
            return None
