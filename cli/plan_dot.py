"""What is known of a stage, as the lines of its node in a graph."""

from collections.abc import Iterator

from ..compiler.plan.stages import Stage
from ..runtime.preview import Known, Preview
from ..runtime.standing import Standing
from .figures import shown


def said(stage: Stage, seen: Preview, stands: Standing) -> tuple[str, ...]:
    """Rows, tokens, what is cached and what is to score, and whether the build has the stage."""
    return tuple(_lines(stage, seen.known.get(stage.id, Known()), stands))


def _lines(stage: Stage, known: Known, stands: Standing) -> Iterator[str]:
    if known.rows is not None:
        yield f"{shown(known.rows)} rows"
    if known.tokens is not None:
        yield f"{shown(known.tokens)} tokens"
    if known.cached is not None:
        yield f"{shown(known.cached)} cached"
    if known.missing is not None and known.missing.value:
        yield f"{shown(known.missing)} to score"
    if stands.built and stands.why.get(stage.id) is None:
        yield "up to date"
