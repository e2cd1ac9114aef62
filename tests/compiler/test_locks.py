"""A lock as text: what is written is read, the schema that is shipped says exactly that, variants are patches; and what drifts is told once."""

import json
from dataclasses import replace

import pytest
from mixc.compiler.plan.bare import bare, bare_digest, bare_stages
from mixc.compiler.plan.changes import Work
from mixc.compiler.plan.drift import drift
from mixc.compiler.plan.drifted import effect, sentence
from mixc.compiler.plan.lock import SECTIONS, Broken, Lock, from_json, schema, to_json, violations
from mixc.compiler.plan.sketch import Sketch
from mixc.compiler.plan.stages import Scan, Score, Select, Tag

from .plans import whole

DIGEST = "0" * 32
ROWS = {"rows": 3, "ids": DIGEST, "content": DIGEST, "columns": "a, b", "sketch": Sketch().text()}
STAGES = ("scan:traces", "teachers", "heldout", "score:length", "score:near", "select", "materialise", "train", "evaluate")
WHOLE = Lock(
    "m", 3, DIGEST, None,
    {
        "params": {"window": {"": "4"}}, "stages": {id: {"": DIGEST} for id in STAGES}, "corpora": {"traces": ROWS}, "heldout": {"traces": ROWS},
        "models": {"student s": {"weights": DIGEST * 2, "tokenizer": DIGEST * 2, "template": DIGEST * 2, "hub": "a/b", "commit": "1", "used_by": "score:near, train"}},
        "scores": {"near": {"scorer": "local_logprob", "version": 1, "split": "sentence 1"}, "length": {"scorer": "column", "version": 1}},
        "skills": {"maths": {"tree": DIGEST, "keywords": DIGEST}}, "profiles": {"s": {"tallies": DIGEST}}, "benchmarks": {"gsm8k": {"content": DIGEST * 2}},
        "decontamination": {"*.jsonl": {"content": DIGEST * 2}}, "versions": {"polars": {"": "2.1.0"}, "trl": {"": "1.16.0"}},
    },
)  # fmt: skip


def with_(section: str, name: str, **fields: object) -> Lock:
    """The whole lock with other fields of one thing."""
    pins = {**WHOLE.pins(section), name: {**WHOLE.pins(section).get(name, {}), **fields}}
    return replace(WHOLE, sections={**WHOLE.sections, section: pins})


def test_what_is_written_is_read_and_valid():
    assert from_json(to_json(WHOLE)) == WHOLE and violations(json.loads(to_json(WHOLE))) == []
    assert set(WHOLE.sections) == set(SECTIONS) <= set(schema()["properties"])


def test_a_variant_is_a_patch_and_comes_back_whole():
    less = replace(with_("corpora", "traces", rows=4), seed=9)
    less = replace(less, sections={name: pins for name, pins in less.sections.items() if name not in ("heldout", "profiles")})
    both = replace(WHOLE, variants={"full": WHOLE, "without-1": less})
    text = to_json(both)
    assert from_json(text) == both and violations(json.loads(text)) == []
    assert json.loads(text)["variants"] == {"full": {}, "without-1": {"corpora": {"traces": {"rows": 4}}, "seed": 9, "heldout": None, "profiles": None}}


@pytest.mark.parametrize("wrong", ["{", "[]", "{}", '{"mixc_lock": 2}', to_json(WHOLE).replace('"seed": 3', '"seed": "3"'), to_json(WHOLE).replace('"params"', '"parms"')])
def test_what_is_no_lock_says_why(wrong: str):
    with pytest.raises(Broken, match=r"JSON|mixc_lock|version 2|seed|parms"):
        from_json(wrong)


def test_a_plan_is_bare_of_what_is_pinned_elsewhere():
    plan = whole()
    moved = []
    for stage in plan.stages:
        match stage:
            case Scan():
                stage = replace(stage, path="/elsewhere/*.parquet")
            case Score():
                stage = replace(stage, version=stage.version + 1)
            case Tag():
                stage = replace(stage, tree=stage.tree and (*stage.tree, ("More", "More")))
            case Select():
                stage = replace(stage, tree=stage.tree and (*stage.tree, ("More", "More")))
        moved.append(stage)
    other = replace(plan, stages=tuple(moved))
    assert other != plan and bare_digest(other) == bare_digest(plan) and bare_stages(other) == bare_stages(plan)
    assert bare(bare(plan)) == bare(plan)
    assert bare_digest(replace(plan, seed=plan.seed + 1)) != bare_digest(plan)


@pytest.mark.parametrize(
    "after, said, what",
    [
        (with_("corpora", "traces", content="1" * 32, columns="a"), "the corpus `traces`: other columns of it are read: `a`, where the lock has `a`, `b`", "re-score: score near (new rows), select, materialise, train and evaluate run again"),
        (with_("heldout", "traces", rows=4), "the rows of `traces` that are set aside: more rows changed, came or went than a lock tells apart, 1 row more", "re-select: heldout, select, materialise, train and evaluate run again"),
        (with_("models", "student s", commit="2"), "the files of student `s`: its commit on the hub is another", "re-score: score near (all rows), select, materialise, train and evaluate run again"),
        (with_("models", "student s", used_by="train"), None, None),
        (with_("scores", "near", version=2), "the scorer of `near`: version 2, where the lock has 1", "re-score: score near (all rows), select, materialise, train and evaluate run again"),
        (with_("scores", "length", version=2), "the scorer of `length`: version 2, where the lock has 1", "re-select: select, materialise, train and evaluate run again"),
        (with_("skills", "maths", tree="1" * 32), "the skills `maths`: its tree is another", "re-select: select, materialise, train and evaluate run again"),
        (with_("benchmarks", "mawps", content="1" * 64), "the benchmark `mawps`: it is new", "re-evaluate: evaluate runs again"),
        (with_("versions", "trl", **{"": "2"}), "the package `trl`: 2, where the lock has 1.16.0", "re-train: train and evaluate run again"),
        (with_("versions", "mixc", **{"": "2"}), "mixc: it is new", "re-score: score near (all rows), select, materialise, train and evaluate run again"),
        (with_("stages", "train", **{"": "1" * 32}), "what the spec says of `train`: it is another", "re-train: train and evaluate run again"),
        (with_("stages", "scan:traces", **{"": "1" * 32}), "what the spec says of `scan:traces`: it is another", "re-score: score near (new rows), select, materialise, train and evaluate run again"),
        (with_("params", "window", **{"": "8"}), "the param `window`: 8, where the lock has 4", "nothing that is stored runs again for it"),
        (replace(WHOLE, plan="1" * 32), "the plan: its stages stand in another order", "re-select: select, materialise, train and evaluate run again"),
    ],
)  # fmt: skip
def test_what_drifts_is_said_once_with_its_effect(after: Lock, said: str | None, what: str | None):
    found = drift(WHOLE, after)
    assert [(sentence(each), effect(each)) for each in found] == ([] if said is None else [(said, what)])


def test_the_order_is_by_what_is_dearest():
    after = with_("skills", "maths", tree="1" * 32)
    after = replace(after, seed=4, sections={**after.sections, **with_("models", "student s", weights="1" * 64).sections, "skills": after.pins("skills")})
    works = [each.effect.work for each in drift(WHOLE, after)]
    assert works == [Work.SCORE, Work.SELECT, Work.SELECT]


def test_a_build_that_stopped_early_drifts_in_nothing_that_it_did_not_come_to():
    part = replace(WHOLE, until="select", sections={name: pins for name, pins in WHOLE.sections.items() if name not in ("benchmarks", "versions")})
    assert drift(WHOLE, part) == drift(part, WHOLE) == ()
