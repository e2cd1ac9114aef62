"""Which prompts a profile may ask of each skill, and in which order: held against the same in plain Python."""

from collections.abc import Iterable

import polars as pl
import pytest
from mixc.compiler.clauses import Grade, Model
from mixc.compiler.diagnostics import Fault
from mixc.compiler.plan.stages import Profile
from mixc.compiler.source import Span
from mixc.runtime.identity import seeded_hash
from mixc.runtime.rows import Rows
from mixc.runtime.strata import strata
from mixc.tests.compiling import RUN, drawn

SPAN = Span("a.mix", 3, 9)
STAGE = Profile(
    id="profile:tiny", inputs=(), model=Model(student="tiny", model="hub/tiny", dtype="fp32", span=SPAN),
    sample=4, grade=Grade(scorer="verify_math", version=1, reads=("reference",)), seed=7, span=SPAN,
)  # fmt: skip
TREE = (("maths", "maths"), ("algebra", "maths->algebra"), ("lines", "maths->lines"), ("empty", "maths->empty"))


def rows(records: Iterable[tuple]) -> Rows:
    """(row id, prompt id, skills, reference, reason) each."""
    names = ("row_id", "prompt_id", "skills", "reference", "reason")
    schema = {"row_id": pl.String, "prompt_id": pl.String, "skills": pl.List(pl.String), "reference": pl.String, "reason": pl.String}
    frame = pl.DataFrame([dict(zip(names, record, strict=True)) for record in records], schema=schema).sort("row_id")
    return Rows.of(frame.with_columns(prompt=pl.col("prompt_id") + "?"))


def many(count: int = 40) -> list[tuple]:
    """Two rows a prompt; every third prompt has both skills, every eighth no reference."""
    return [
        (f"r{i:03}{j}", f"p{i}", ["a", "b"] if i % 3 == 0 else ["ab"[i % 2]], None if i % 8 == 0 else str(i), None) for i in range(count) for j in range(2)
    ]


def asked(found, leaf: str) -> list[str]:
    return [found.prompts["prompt_id"][int(place)] for place in found.leaves[leaf]]


def by_hand(records: list[tuple], leaf: str, sample: int | None, seed: int = 7) -> list[str]:
    prompts = sorted({p for _, p, skills, reference, _ in records if leaf in skills and reference is not None})
    return sorted(prompts, key=lambda p: (int(seeded_hash(seed, [p])[0]), p))[:sample]


@pytest.mark.parametrize("sample", [1, 4, 9, None])
def test_each_skill_is_asked_the_prompts_of_the_smallest_hashes(sample: int | None) -> None:
    stage = Profile(**{name: getattr(STAGE, name) for name in STAGE.__slots__} | {"sample": sample})
    found = strata(stage, None, rows(many()))
    for leaf in "ab":
        assert asked(found, leaf) == by_hand(many(), leaf, sample)
        assert found.available[leaf] == len(by_hand(many(), leaf, None))
    assert (found.every, found.without, found.differing) == (40, 5, 0)
    assert set(asked(found, "a")) & set(asked(found, "b")) or sample == 1, "what skills share is asked once"


def test_parts_and_the_order_of_rows_change_nothing() -> None:
    whole, records = strata(STAGE, None, rows(many())), many()
    cut = [r for r in records if int(r[1][1:]) < 17], [r for r in records if int(r[1][1:]) >= 17]
    parts = Rows(tuple(rows(part).parts[0] for part in cut[::-1]))
    found = strata(STAGE, None, parts)
    assert found.prompts.equals(whole.prompts) and all(asked(found, leaf) == asked(whole, leaf) for leaf in "ab")


def test_leaves_of_the_tree_alone_are_measured_and_those_without_a_prompt_are_known() -> None:
    records = [("r1", "p1", ["maths->algebra"], "1", None), ("r2", "p2", ["maths"], "2", None), ("r3", "p3", ["maths->lines"], "3", "where: no")]
    found = strata(STAGE, TREE, rows(records))
    assert {found.names[chain]: len(places) for chain, places in found.leaves.items()} == {"algebra": 1, "lines": 0, "empty": 0}
    assert found.prompts["prompt_id"].to_list() == ["p1"]


def test_a_prompt_has_the_skills_of_all_its_rows_and_the_first_reference_that_is_there() -> None:
    records = [("r1", "p", ["a"], None, None), ("r2", "p", ["b"], "two", None), ("r3", "p", ["a"], "three", None), ("r0", "p", ["c"], "zero", "dropped")]
    found = strata(STAGE, None, rows(records))
    assert set(found.leaves) == {"a", "b"} and found.prompts["reference"].to_list() == ["two"]
    assert (found.every, found.without, found.differing) == (1, 0, 1)


def test_nothing_to_ask_and_nothing_to_grade_by_are_told(golden) -> None:
    told = []
    for records, tree in (([("r1", "p1", ["maths"], "1", None)], TREE), ([("r1", "p1", ["a"], None, None)], None)):
        with pytest.raises(Fault) as raised:
            strata(STAGE, tree, rows(records))
        (found,) = raised.value.diagnostics
        assert found.code == "MIX0530" and found.primary is not None and found.primary.span == SPAN and found.help
        told.append(drawn((found,), ()))
    golden(RUN / "MIX0530.txt", "\n".join(told))
