"""What a plan says of the passes of its models, and in which order filters and scores run."""

from dataclasses import replace

import pytest
from mixc.compiler.plan.stages import Filter, Plan, Score, Select
from mixc.compiler.plan.verify import Unsound, verify
from mixc.tests.compiler.rules import SCORED, compiled

LOCAL, FULL = "score near = local_logprob(student: tiny, window: 2 steps)\n", "score flow = global_logprob(student: tiny)\n"
MORE = "score odd = rank_surprisal(student: tiny)\nscore doubt = entropy(student: tiny)\nscore hard = ifd(student: tiny)\n"


def plan(scores: str, *clauses: str) -> Plan:
    body = "".join(f"  {clause}\n" for clause in clauses)
    outcome = compiled(f'{SCORED}{scores}decontaminate none because "x"\nselect {{\n{body}  budget 3 examples\n}}\n')
    assert outcome.plan is not None, [d.message for d in outcome.notes]
    return outcome.plan


def scores(found: Plan, rows: str = "candidates") -> dict[str, Score]:
    return {s.name: s for s in found.stages if isinstance(s, Score) and s.model is not None and s.rows == rows}


def order(found: Plan) -> list[str]:
    """The scores and filters in their order, up to `select`."""
    said = []
    for stage in found.stages:
        if isinstance(stage, Score) and stage.rows == "candidates" and stage.name != "length":  # it is counted in any case
            said.append(stage.name)
        elif isinstance(stage, Filter):
            said += [f"({where.text.removeprefix('where ')})" for where in stage.wheres]
        elif isinstance(stage, Select):
            said += [f"[{step.text.removeprefix('where ')}]" for step in stage.steps]
    return said


@pytest.mark.parametrize("declared", [LOCAL + FULL, FULL + LOCAL])
def test_a_response_is_read_whole_before_it_is_read_by_steps_whatever_the_order_in_the_file(declared: str) -> None:
    found = scores(plan(declared, "keep best 1 per prompt by near", "maximize flow"))
    assert [s.name for s in found.values()] == ["flow", "near"]
    assert (found["flow"].passes, found["flow"].tells, found["flow"].shares) == (("response",), ("logprob",), None)
    assert (found["near"].passes, found["near"].tells, found["near"].shares) == (("windows",), (), "score:flow")


def test_one_pass_tells_what_all_scores_of_the_model_take() -> None:
    made = plan(FULL + MORE, "maximize flow - 0 * doubt")
    found = scores(made) | scores(made, "selected")
    assert found["flow"].passes == ("response",) and found["flow"].tells == ("logprob", "entropy", "rank")
    assert {name: (s.passes, s.shares) for name, s in found.items() if name not in ("flow", "natural")} == {
        "odd": ((), "score:flow"), "doubt": ((), "score:flow"), "hard": (("alone",), "score:flow"),
    }  # fmt: skip


def test_another_model_shares_nothing() -> None:
    other = 'student half {\n  model "hub/tiny"\n  dtype fp32\n}\n' + FULL + "score apart = global_logprob(student: half)\n"
    outcome = compiled(f'{SCORED}{other}decontaminate none because "x"\nselect {{\n  count tokens by length\n  maximize flow + apart\n  budget 3 examples\n}}\n')
    assert outcome.plan is not None, [d.message for d in outcome.notes]
    assert {s.shares for s in scores(outcome.plan).values()} == {None}


def test_a_sibling_changes_no_fingerprint_of_those_before_it() -> None:
    before = dict(plan(FULL, "maximize flow").fingerprints)
    after = dict(plan(FULL + MORE, "maximize flow").fingerprints)
    assert before["score:flow"] == after["score:flow"] and before["select"] == after["select"]


def test_what_is_cheap_runs_before_what_is_dear() -> None:
    found = plan(FULL + LOCAL, "where flow >= -2 nats", "where length <= 300 tokens", "where good_one", "maximize near")
    assert order(found) == ["good_one", "(length <= 300 tokens)", "(good_one)", "flow", "(flow >= -2 nats)", "near"]


def test_a_conjunction_is_divided_where_a_part_spares_the_dear_one_rows() -> None:
    found = plan(FULL + LOCAL, "where near >= -2 nats and good_one and flow >= -3 nats", "maximize near")
    clause = "near >= -2 nats and good_one and flow >= -3 nats"
    assert order(found) == ["good_one", f"({clause})", "flow", f"({clause})", "near", f"[{clause}]"]
    free = plan(FULL, "where flow >= -2 nats or good_one", "maximize flow")
    assert order(free) == ["good_one", "flow", "[flow >= -2 nats or good_one]"]
    cheap = plan(FULL, "where good_one and length <= 300 tokens", "maximize flow")
    assert order(cheap)[-2:] == ["(good_one and length <= 300 tokens)", "flow"]


@pytest.mark.parametrize(
    "barrier", ["where good_one and flow >= p60", "keep best 1 per prompt by flow", "where flow >= p20 within teacher", "where rank(flow) <= 3 and good_one"]
)
def test_nothing_is_divided_or_moved_across_what_looks_at_other_rows(barrier: str) -> None:
    found = plan(FULL, barrier, "where good_one and flow >= -2 nats", "maximize flow")
    assert order(found)[-2:] == [f"[{barrier.removeprefix('where ')}]", "[good_one and flow >= -2 nats]"]


def test_a_filter_on_the_dearest_score_stays_where_it_is() -> None:
    assert order(plan(FULL, "where flow >= -2 nats", "maximize flow")) == ["flow", "[flow >= -2 nats]"]


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("near", {"shares": "score:length"}, "shares the pass of score:length, which makes none for it"),
        ("near", {"shares": "score:late"}, "shares the pass of score:late, which makes none for it"),
        ("near", {"tells": ("logprob",)}, "tells what no pass of its own reads"),
        ("flow", {"tells": ("rank",)}, "takes logprob of score:flow, which does not tell it"),
        ("length", {"passes": ("windows",)}, "passes of no model"),
    ],
)
def test_a_plan_whose_passes_do_not_add_up_is_unsound(name: str, change: dict, said: str) -> None:
    found = plan(FULL + LOCAL, "maximize near + flow")
    stages = tuple(replace(s, **change) if isinstance(s, Score) and s.name == name else s for s in found.stages)
    with pytest.raises(Unsound, match=said):
        verify(replace(found, stages=stages))
