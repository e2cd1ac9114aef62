"""A plan as a graph: every stage a node, every input an arrow, whatever the names hold."""

import re
from dataclasses import replace

from mixc.compiler.plan.dot import dot
from mixc.tests.compiler.plans import whole

STRING = r'"(?:[^"\\\n]|\\.)*"'
NODE = re.compile(rf"  ({STRING}) \[label=({STRING}), shape=[a-z0-9]+\];")
ARROW = re.compile(rf"  ({STRING}) -> ({STRING});")


def test_every_line_is_a_node_or_an_arrow_and_none_is_missing() -> None:
    plan = whole()
    first, *lines, last, end = dot(plan, plan.stages, {}).split("\n")
    assert (last, end) == ("}", "") and first == f'digraph "{plan.name}" {{'
    nodes = [found for line in lines if (found := NODE.fullmatch(line))]
    arrows = [found for line in lines if (found := ARROW.fullmatch(line))]
    assert len(nodes) + len(arrows) == len(lines) - 2
    assert [n[1] for n in nodes] == [f'"{s.id}"' for s in plan.stages]
    assert [(a[1], a[2]) for a in arrows] == [(f'"{i}"', f'"{s.id}"') for s in plan.stages for i in s.inputs]


def test_names_and_notes_cannot_break_out_of_their_quotes() -> None:
    plan = replace(whole(), name='a "quoted" \\ name\r\nin two lines')
    drawn = dot(plan, plan.stages, {plan.stages[0].id: ['say "hi" \\', "}"]})
    assert drawn.splitlines()[0] == r'digraph "a \"quoted\" \\ name\nin two lines" {'
    node = NODE.fullmatch(drawn.splitlines()[3])
    assert node is not None and node[2].endswith(r'\nsay \"hi\" \\\n}"')


def test_a_plan_that_stops_early_has_no_arrow_from_nowhere() -> None:
    plan = whole()
    kept = plan.stages[1:4]
    assert {found[1] for line in dot(plan, kept, {}).splitlines() if (found := ARROW.fullmatch(line))} <= {f'"{s.id}"' for s in kept}
