"""The lazy plans that a run collects, before and after Polars optimised them, under the clause that each is for."""

from collections.abc import Mapping
from pathlib import Path

from ..compiler.plan.stages import Stage
from ..compiler.source import Source, Span
from ..runtime.heard import Listener


def plan_polars(stages: tuple[Stage, ...], listener: Listener, sources: Mapping[str, Source]) -> str:
    """A heading a stage with its place in the spec, then its lazy plans; a stage without one says so."""
    parts = []
    for stage in stages:
        mine = [h for h in listener.heard if h.stage is stage]
        parts.append(f"== {stage.id}  {_place(stage.span, sources)}\n")
        if not mine:
            parts.append("   no lazy plan: this stage works on rows in memory, or asks a scorer\n")
        for number, heard in enumerate(mine, 1):
            parts.append(f"-- {number}. {heard.what}\n   before optimisation\n{_indented(heard.before)}   after optimisation\n{_indented(heard.after)}")
    return "\n".join(parts)


def _place(span: Span, sources: Mapping[str, Source]) -> str:
    source = sources.get(span.path)
    return f"{span.path}:{source.position(span.start)[0]}" if source else span.path


def _indented(text: str) -> str:
    """The plan with paths as the working directory sees them."""
    here = f"{Path.cwd()}/"
    return "".join(f"     {line.replace(here, '')}\n" for line in text.splitlines())
