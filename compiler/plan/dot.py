"""A plan as a graph in Graphviz' DOT language: a node a stage, an arrow from each of its inputs. Knows nothing of where the labels come from."""

from collections.abc import Mapping, Sequence

from .stages import Plan, Score, Stage, kind

SHAPES = {"scan": "cylinder", "score": "ellipse", "select": "hexagon", "materialise": "folder", "train": "box3d", "evaluate": "note"}


def dot(plan: Plan, stages: Sequence[Stage], said: Mapping[str, Sequence[str]]) -> str:
    """The DAG of `stages`; `said` are more lines of a node, by stage id."""
    lines = [f"digraph {_quoted(plan.name)} {{", "  rankdir=LR;", '  node [shape=box, fontname="Helvetica"];']
    inside = {stage.id for stage in stages}
    for stage in stages:
        first = stage.id if isinstance(stage, Score) or ":" in stage.id else kind(stage)
        label = _quoted("\n".join([first, *said.get(stage.id, ())]))
        lines.append(f"  {_quoted(stage.id)} [label={label}, shape={SHAPES.get(kind(stage), 'box')}];")
    for stage in stages:
        lines += [f"  {_quoted(given)} -> {_quoted(stage.id)};" for given in stage.inputs if given in inside]
    return "\n".join([*lines, "}", ""])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "").replace("\n", "\\n")
    return f'"{escaped}"'
