"""Which scorer answers to which name in a plan: ours, else the entry points `mixc.scorers` of installed packages.

A scorer's module is imported when it is first asked for.
"""

import traceback
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import polars as pl

from ...compiler.diagnostics import Diagnostic, Fault, Label
from ...compiler.plan.stages import Score
from ..context import Context
from .base import Aside, Scorer

GROUP = "mixc.scorers"
SCORERS = {
    "choice": ("as_written", "Choice"),
    "entropy": ("full_context", "Entropy"),
    "exact_match": ("as_written", "ExactMatch"),
    "global_logprob": ("full_context", "GlobalLogprob"),
    "ifd": ("ifd", "Ifd"),
    "local_logprob": ("local", "LocalLogprob"),
    "perplexity": ("full_context", "Perplexity"),
    "rank_surprisal": ("full_context", "RankSurprisal"),
    "tokens": ("tokens", "Tokens"),
    "verify_math": ("graders", "VerifyMath"),
}


def scorer(stage: Score) -> Scorer:
    """The scorer of a stage, one a process. Fault MIX0515 where a package brings a signature without code, or code that cannot be loaded."""
    if stage.scorer in SCORERS:
        return _own(stage.scorer)
    try:
        return _installed(stage.scorer)
    except Exception as fault:  # whatever a package does when it is imported
        why = "no installed package has it" if isinstance(fault, KeyError) else f"{type(fault).__name__}: {fault}"
        brought = f"{stage.package} brings its signature; it needs an entry point `{GROUP}` too" if stage.package else None
        raise Fault(
            Diagnostic(
                "MIX0515", f"there is no code for the scorer `{stage.scorer}`: {why}", Label(stage.span, "cannot be run"), help=brought
            )
        ) from fault


def computed(asked: Scorer, stage: Score, rows: pl.DataFrame, context: Context) -> Iterator[pl.DataFrame | Aside]:
    """What the scorer makes of the rows. Fault MIX0515 where the code of a package raises something that is no Fault."""
    if stage.scorer in SCORERS:
        yield from asked.compute(stage, rows, context)
        return
    try:
        yield from asked.compute(stage, rows, context)
    except Fault:
        raise
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"it was raised in `{Path(last.filename).name}`, line {last.lineno}, in `{last.name}`"
        message = f"the scorer `{stage.scorer}` of an installed package raised {type(error).__name__}: {error}"
        help = f"tell the authors of {stage.package or 'the package'}, or take another scorer"
        raise Fault(Diagnostic("MIX0515", message, Label(stage.span, "asks it"), notes=(where,), help=help)) from error


@cache
def _own(name: str) -> Scorer:
    module, attribute = SCORERS[name]
    return getattr(import_module(f".{module}", __package__), attribute)()


@cache
def _installed(name: str) -> Scorer:
    from importlib.metadata import entry_points

    found = [entry for entry in entry_points(group=GROUP) if entry.name == name]
    if not found:
        raise KeyError(name)
    return found[0].load()()
