"""A fingerprint changes with what a stage does, and with nothing else."""

from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest
from mixc.compiler.plan.digest import digest, fingerprints
from mixc.compiler.plan.stages import Heldout, Scan, Stage
from mixc.compiler.source import Span

from .plans import MODEL, scan, whole


def moved(value: Any) -> Any:
    """The same value, from clauses that stand elsewhere."""
    if isinstance(value, Span):
        return Span("other.mix", value.start + 1, value.end + 5)
    if isinstance(value, tuple):
        return tuple(moved(v) for v in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: moved(getattr(value, f.name)) for f in fields(value)})
    return value


def named(stages: tuple[Stage, ...]) -> dict[str, str]:
    return dict(fingerprints(stages))


def test_fingerprints_are_stable_across_processes_and_versions_of_python():
    assert named(whole().stages)["scan:traces"] == "ca24afa36a62425937ab57ff833d97be"


def test_places_and_folders_do_not_matter():
    stages = whole().stages
    assert moved(stages) != stages
    assert named(moved(stages)) == named(stages)
    assert named(whole("elsewhere/data/*.parquet").stages) == named(stages)
    assert digest(whole("elsewhere/*.parquet")) == digest(whole())


def test_another_file_and_another_host_do():
    names = ("data/a.parquet", "data/b.parquet", "s3://x/a.parquet", "s3://y/a.parquet")
    assert len({named((scan(path),))["scan:traces"] for path in names}) == 4


def test_a_change_reaches_everything_below_and_nothing_above():
    before = named(whole().stages)
    stages = tuple(replace(s, threshold=0.9) if s.id == "dedup" else s for s in whole().stages)
    after = named(stages)
    changed = {id for id in before if before[id] != after[id]}
    order = [s.id for s in stages]
    assert changed == set(order[order.index("dedup") :])


def test_ids_are_names_not_content():
    a = scan()
    assert named((a,))["scan:traces"] == named((replace(a, id="scan:x"),))["scan:x"]


def test_every_field_of_every_stage_matters_but_places_ids_folders_and_who_is_told():
    unread = {"id", "span", "folder", "report", "report_span", "save", "passes", "tells", "shares"}
    for stage in whole().stages:
        for f in fields(stage):
            if f.name in unread or f.name == "inputs":
                continue
            value = getattr(stage, f.name)
            other = "other" if value is None or isinstance(value, str) else None
            if isinstance(stage, Heldout) or f.name == "heldout":
                continue
            assert _alone(replace(stage, **{f.name: other})) != _alone(stage), (stage.id, f.name)


def _alone(stage: Stage) -> str:
    from mixc.compiler.plan import digest as module

    return module._hash(module._essence(stage, dict.fromkeys(stage.inputs, "x") | {"heldout": "y"}))


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("org/model", "other/model", False),
        ("org/Qwen2.5-0.5B", "other/Qwen2.5-0.5B", False),
        ("a/small.gguf", "b/small.gguf", True),
        ("/a/model", "/b/model", True),
        ("./a/model", "../b/model", True),
        ("a/small.gguf", "a/large.gguf", False),
    ],
)
def test_a_local_model_is_known_by_its_last_part_and_a_hub_model_by_all(a: str, b: str, same: bool):
    train = next(s for s in whole().stages if s.id == "train")
    one, two = (_alone(replace(train, model=replace(MODEL, model=name))) for name in (a, b))
    assert (one == two) is same


def test_a_skill_or_an_argument_may_be_called_like_a_field():
    tag = next(s for s in whole().stages if s.id == "tag")
    assert _alone(tag) != _alone(replace(tag, tree=(("Geometry", "Geometry"), ("id", "other"))))


def test_the_digest_of_a_plan_follows_what_it_does():
    plan = whole()
    assert digest(plan) == digest(replace(plan, description="other", fingerprints=()))
    others = (replace(plan, seed=18), replace(plan, name="x"), replace(plan, stages=plan.stages[:-1]))
    others += (replace(plan, pending=()),)
    assert len({digest(plan), *map(digest, others)}) == 5


def test_a_heldout_scan_matters():
    held = next(s for s in whole().stages if isinstance(s, Heldout))
    assert isinstance(held.scan, Scan)
    assert _alone(held) != _alone(replace(held, scan=replace(held.scan, sample=151)))
