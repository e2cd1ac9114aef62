"""What a difference of two plans promises, whatever the two are: against the fingerprints of the plans, and over drawn changes."""

import dataclasses
import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mixc.cli.commands.diff import compare
from mixc.cli.inputs import compile_source
from mixc.cli.sides import Side
from mixc.compiler.plan.changes import Difference, Work
from mixc.compiler.plan.diff import diff
from mixc.compiler.plan.stages import Plan, Train
from mixc.compiler.source import Source, Span

FOLDER = Path(__file__).parents[1] / "diff" / "quota_changed"
BASE = (FOLDER / "before.mix").read_text(encoding="utf-8")

SPAN = Span("spec.mix", 0, 1)

# What replaces what, and the class of that; a change of these has the same class in either direction.
SWAPS = {
    "quota": ('"Geometry" >= 15%', '"Geometry" >= 25%', Work.SELECT),
    "cap": ("qwen <= 60% of tokens", "qwen <= 50%", Work.SELECT),
    "budget": ("1000 examples", "up to 900 examples", Work.SELECT),
    "quantile": ("p20 within teacher", "p30", Work.SELECT),
    "keep": ("best 1 per prompt by naturalness", "best 2 per prompt by -length", Work.SELECT),
    "objective": ("maximize naturalness", "maximize random", Work.SELECT),
    "solver": ("  where    correct\n", "  where    correct\n  solver   exact\n", Work.SELECT),
    "window": ("window: 4 steps", "window: 15%", Work.SCORE),
    "split": ("split: sentence", "split: newline", Work.SCORE),
    "reference": ("verify_math(reference)", "verify_math(question)", Work.SCORE),
    "model": ("SmolLM2-135M-Instruct", "SmolLM2-360M-Instruct", Work.SCORE),
    "revision": ("12fd25f7", "00000000", Work.SCORE),
    "corpus": ("specs/data/traces.jsonl", "specs/data/traces*.jsonl", Work.SCORE),
    "grams": ("8-grams", "12-grams", Work.SCORE),
    "heldout": ('split == "test"', 'split == "dev"', Work.SCORE),
    "response": ("response  solution", "response  subject", Work.SCORE),
    "skills": ("tag  by column subject", "tag  by column split", Work.SELECT),
    "epochs": ("epochs        5", "steps         70", Work.TRAIN),
    "rate": ("1e-5", "2e-5", Work.TRAIN),
    "format": ("skill_aware", "plain", Work.TRAIN),
    "samples": ("samples 1", "samples 1 limit 9 prompts", Work.EVALUATE),
}
# The stage that each class begins with.
BEGINS = {Work.SELECT: "select", Work.TRAIN: "train", Work.EVALUATE: "evaluate"}


@cache
def side(text: str) -> Side:
    outcome = compile_source(Source(str(FOLDER / "spec.mix"), text))
    assert outcome.plan is not None, [d.message for d in outcome.notes]
    return Side("spec.mix", outcome.plan, outcome.sources)


def swapped(*names: str) -> str:
    text = BASE
    for name in names:
        old, new, _ = SWAPS[name]
        assert old in text, name
        text = text.replace(old, new)
    return text


def stale(before: Plan, after: Plan) -> set[str]:
    """Stages of `after` whose fingerprint `before` does not have: what no shortcut of the diff took part in."""
    known = {digest for _, digest in before.fingerprints}
    return {id for id, digest in after.fingerprints if digest not in known}


# These make the scan read another column, which is no other row: the diff says less than the fingerprints.
READS_MORE = {"reference": "scan:traces teachers heldout decontaminate tag score:length filter:1", "skills": "scan:traces teachers heldout decontaminate"}


def redone(found: Difference) -> set[str]:
    """What runs again, and the scores that would if their values were not kept."""
    return {*found.run, *(f"score:{f.name}" for f in found.scores if f.state == "cached" and f"score:{f.name}" not in found.same)}


@pytest.mark.parametrize("case", sorted(p.parent.name for p in Path(__file__).parents[1].glob("diff/*/before.mix")))
def test_a_plan_does_not_differ_from_itself(case: str) -> None:
    for name in ("before.mix", "after.mix"):
        path = FOLDER.parent / case / name
        plan = compile_source(Source(str(path), path.read_text(encoding="utf-8"))).plan
        assert plan is not None
        found = diff(plan, plan)
        assert (found.changes, found.run, found.work) == ((), (), None)
        assert {fate.state for fate in found.scores} == {"cached"}


@pytest.mark.parametrize("name", SWAPS)
def test_a_replacement_has_its_class_in_either_direction(name: str) -> None:
    before, after = side(BASE).plan, side(swapped(name)).plan
    for found in (diff(before, after), diff(after, before)):
        assert found.work is SWAPS[name][2], found.changes
        assert found.matters


@pytest.mark.parametrize("name", SWAPS)
def test_what_runs_again_is_what_has_another_fingerprint(name: str) -> None:
    before, after = side(BASE).plan, side(swapped(name)).plan
    spared = set(READS_MORE.get(name, "").split())
    for old, new in ((before, after), (after, before)):
        assert redone(diff(old, new)) == stale(old, new) - spared


@pytest.mark.parametrize("clause", ["where    fluency >= p5", "where    fluency > -2 nats", "maximize fluency", "keep     best 3 per prompt by fluency"])
def test_a_score_of_the_selected_rows_that_a_clause_reads_is_scored(clause: str) -> None:
    text = BASE.replace("  maximize naturalness\n", f"  {clause}\n")
    found = diff(side(BASE.replace("  maximize naturalness\n", "")).plan, side(text).plan)
    assert found.work is Work.SCORE and "score:fluency" in found.run
    assert [c.note for c in found.changes if c.work is Work.SCORE] == ["`fluency` for every candidate"]


@given(st.sets(st.sampled_from(sorted(SWAPS.keys() - READS_MORE)), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_changes_add_up(names: set[str]) -> None:
    before, after = side(BASE).plan, side(swapped(*names)).plan
    found = diff(before, after)
    works = {SWAPS[name][2] for name in names}
    assert found.work is max(works, key=lambda work: work.cost)
    assert works <= {change.work for change in found.changes}
    assert len(found.changes) >= len(names)
    assert redone(found) == stale(before, after)
    for change in found.changes:
        assert BEGINS.get(change.work, "select") in found.run, change
    computed = {f.state for f in found.scores if f.rows == "candidates"} & {"all rows", "new rows"}
    assert bool(computed) == (found.work is Work.SCORE)
    order = [stage.id for stage in after.stages]
    assert list(found.run) == [id for id in order if id in found.run]
    assert not set(found.run) & set(found.same)
    assert {stage.id for stage in after.stages} == {*found.run, *found.same} | {f"score:{f.name}" for f in found.scores if f.state == "cached"}


SPACES = re.compile(r'(?m)(?<=\S) +(?=\S)(?=[^"\n]*(?:"[^"\n]*"[^"\n]*)*$)')


@given(st.integers(min_value=0, max_value=2**32), st.booleans(), st.booleans())
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_formatting_is_never_a_change(chance: int, comments: bool, windows: bool) -> None:
    import random

    draw = random.Random(chance)
    blocks = BASE.strip().split("\n\n")
    draw.shuffle(blocks)
    text = "\n\n".join(blocks) + "\n"
    text = SPACES.sub(lambda _: " " * draw.randint(1, 4), text)
    lines = [f"{line}{' ' * draw.randint(0, 3)}" + (f"  # note {draw.randint(0, 9)}" if comments and draw.random() < 0.3 else "") for line in text.splitlines()]
    text = ("\r\n" if windows else "\n").join(lines) + "\n"
    found = compare(side(BASE), side(text)).difference
    assert found.changes == () and found.run == () and not found.matters
    assert found.work in (None, Work.COSMETIC)


@pytest.mark.parametrize(
    ("old", "new", "renamed"),
    [
        ("naturalness", "lalp", "score naturalness"),
        ("qwen", "alibaba", "teacher qwen"),
        ("traces ", "rows ", "corpus traces"),
        ("smollm2", "pupil", "student smollm2"),
    ],
)
def test_a_name_alone_is_cosmetic(old: str, new: str, renamed: str) -> None:
    text = re.sub(rf"(?<![\w./\"-]){old.strip()}(?![\w./\"-])", new.strip(), BASE)
    assert text != BASE
    found = compare(side(BASE), side(text)).difference
    assert [(c.kind, c.block) for c in found.changes] == [("renamed", renamed)]
    assert not found.matters and found.run == ()


def test_a_name_and_a_bound_together_stay_cached() -> None:
    text = BASE.replace("corpus traces", "corpus rows").replace("from traces", "from rows").replace("heldout   traces", "heldout   rows")
    found = diff(side(BASE).plan, side(text.replace('  where     split == "train"', '  where     split == "train" and subject == "x"')).plan)
    assert {(c.kind, c.work) for c in found.changes} == {("renamed", Work.COSMETIC), ("changed", Work.SELECT)}
    assert {f.state for f in found.scores if f.rows == "candidates"} == {"cached"}


def test_a_name_that_an_expression_compares_is_no_mere_name() -> None:
    asked = BASE.replace("where    correct\n", 'where    correct and teacher == "qwen2.5-72b"\n')
    assert diff(side(asked).plan, side(asked.replace("teacher qwen ", "teacher other ")).plan).matters


def test_a_score_with_another_meaning_under_an_old_name_is_scored() -> None:
    """Names are swapped between two scores: nothing is cached under a name."""
    text = BASE.replace("score naturalness", "score x").replace("score fluency    ", "score naturalness").replace("score x", "score fluency")
    found = diff(side(BASE).plan, side(text).plan)
    assert found.work is Work.SCORE
    states = {f.name: f.state for f in found.scores}
    assert states["naturalness"] == "new rows" and states["fluency"] == "cached"


@pytest.mark.parametrize(
    ("old", "new", "fewer"),
    [
        ('where     split == "train"', 'where     split == "train" and subject == "Algebra"', True),
        ('where     split == "train"', 'where     split in ["train", "test"]', False),
        ("length <= 4k tokens", "length <= 100 tokens", True),
        ("length <= 4k tokens", "length < 4k tokens", True),
        ("length <= 4k tokens", "length <= 4001 tokens", False),
        ("length <= 4k tokens", "length >= 10 tokens", False),
        ("  where    correct\n", "", False),
        ("  where    correct\n", '  where    correct and prompt contains "x"\n', True),
        ("  where    correct\n", '  where    correct or prompt contains "x"\n', False),
        ('in ["gpt-4o", "claude-3.5-sonnet"]', '== "gpt-4o"', True),
        ('in ["gpt-4o", "claude-3.5-sonnet"]', 'in ["gpt-4o", "o1"]', False),
        ('teacher qwen   from traces where model == "qwen2.5-72b"\n', 'teacher qwen   from traces where model == "qwen2.5-72b"\nteacher o from traces where model == "o1"\n', False),
        ("where     split", "sample    9000 prompts\n  where     split", True),
        ("score length      = tokens(student: smollm2)", 'student big { model "Qwen/Qwen3-8B" }\nscore length = tokens(student: big)', False),
        ("decontaminate against", "dedup by exact of prompt\ndecontaminate against", True),
    ],
)
def test_rows_are_new_unless_the_text_shows_that_they_are_not(old: str, new: str, fewer: bool) -> None:
    base = BASE.replace('  heldout   traces where split == "test"\n', "")  # what is held out would be sampled too
    assert old in base
    found = diff(side(base).plan, side(base.replace(old, new, 1)).plan)
    state = next(f.state for f in found.scores if f.name == "naturalness")
    assert state == ("cached" if fewer else "new rows")
    assert found.work is (Work.SELECT if fewer else Work.SCORE)


def test_narrowing_before_a_dedup_may_bring_rows() -> None:
    """A copy that leaves may have stood for another row."""
    copies = BASE.replace("decontaminate against", "dedup by exact of prompt\ndecontaminate against")
    text = copies.replace('split == "train"', 'split == "train" and subject == "Algebra"')
    found = diff(side(copies).plan, side(text).plan)
    assert found.work is Work.SCORE


@dataclass(frozen=True, slots=True, kw_only=True)
class Generate:
    """A stage that the diff has no words for."""

    id: str = "generate:writer"
    inputs: tuple[str, ...] = ()
    samples: int = 4
    temperature: float = 0.6
    stop: tuple[str, ...] = ()
    span: Span = SPAN


def test_a_stage_without_words_is_told_by_its_fields() -> None:
    plan = side(BASE).plan

    def with_stage(made: Generate) -> Plan:
        scan, teachers, *more = plan.stages
        return replace(plan, stages=(scan, made, replace(teachers, inputs=(scan.id, made.id)), *more))  # type: ignore[arg-type]

    found = diff(with_stage(Generate()), with_stage(Generate(temperature=0.8, stop=("####",))))
    assert [(c.work, c.kind, c.before and c.before.text, c.after and c.after.text) for c in found.changes] == [
        (Work.GENERATE, "changed", "temperature 0.6", "temperature 0.8"),
        (Work.GENERATE, "added", None, "stop [####]"),
    ]
    assert found.run[:2] == ("generate:writer", "teachers") and "scan:traces" in found.same
    assert {f.state for f in found.scores} == {"new rows"}
    assert diff(with_stage(Generate()), with_stage(Generate())).work is None


def test_a_field_without_words_is_told_by_its_name() -> None:
    plan = side(BASE).plan
    train = next(s for s in plan.stages if isinstance(s, Train))
    more = dataclasses.make_dataclass("Train", [("swirl", float, 0.0)], bases=(Train,), frozen=True, kw_only=True)
    kept = {f.name: getattr(train, f.name) for f in dataclasses.fields(train)}
    plans = [replace(plan, stages=tuple(more(**kept, swirl=w) if s is train else s for s in plan.stages)) for w in (0.1, 0.2)]
    found = diff(*plans)
    assert [(c.work, c.before.text, c.after.text) for c in found.changes if c.before and c.after] == [(Work.TRAIN, "swirl 0.1", "swirl 0.2")]
    assert found.run == ("train", "evaluate")


WAITING = BASE.replace('  quota    skill "Geometry"', '  quota    skill weakness(max_weight: $w, prior: beta(1, 1))\n  quota    skill "Geometry"')
PROFILE = "profile smollm2 {\n  attempts    1 per prompt\n  sample      200 prompts per skill\n  temperature 0.6\n  grade       verify_math(reference)\n}\n"
WAITING = WAITING.replace("  where     split", '  license   "MIT"\n  where     split')
WAITING = "param w = 20\n" + PROFILE + WAITING.replace("  epochs        5", "  epochs        5\n  warmup        3%") + 'sweep w in [10, 20]\nrequire license in ["MIT"]\n'


def test_a_clause_that_waits_is_compared_by_meaning() -> None:
    again = WAITING.replace("max_weight: $w, prior: beta(1, 1)", "max_weight: 20 ,prior: beta( 1,1 )").replace("[10, 20]", "[10,20]").replace("param w = 20\n", "")
    again = again.replace("sweep w in", "param w = 20\nsweep w in")
    found = compare(side(WAITING), side(again)).difference
    assert found.changes == () and not found.matters


@pytest.mark.parametrize(
    ("old", "new", "block", "work"),
    [
        ("param w = 20", "param w = 30", "select", Work.SELECT),
        ("beta(1, 1)", "beta(2, 1)", "select", Work.SELECT),
        ("warmup        3%", "warmup        5%", "train", Work.TRAIN),
        ("[10, 20]", "[10, 30]", "sweep w", Work.SELECT),
    ],
)
def test_a_clause_that_waits_is_told_once(old: str, new: str, block: str, work: Work) -> None:
    assert old in WAITING
    found = compare(side(WAITING), side(WAITING.replace(old, new))).difference
    assert [(c.block, c.work) for c in found.changes] == [(block, work)]
    if work is Work.TRAIN or block == "select":
        assert ("train" if work is Work.TRAIN else "select") in found.run


def test_a_requirement_is_a_difference_told_once() -> None:
    found = compare(side(WAITING), side(WAITING.replace('["MIT"]', '["MIT", "BSD"]'))).difference
    assert found.matters and len(found.changes) == 1
