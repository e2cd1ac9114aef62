"""Lints where they must speak, where they must be silent, and the comments that silence them."""

import fnmatch
import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mixc.compiler.diagnostics import Severity
from mixc.compiler.driver import Outcome, compile, wanted
from mixc.compiler.lint.patterns import overlap
from mixc.compiler.semantics.inputs import Inputs
from mixc.compiler.source import Source

HEAD = """\
mix "m" { seed 1 }

student s {
  model    "hub/s"
  revision "12fd25f77366fa6b3b4b768ec3050bf629380bac"
}

corpus rows {
  scan      "rows.jsonl"
  prompt    q
  response  a
  reference gold
  teacher   t
  where     split == "train"
}

score correct = verify_math(reference)
score natural = local_logprob(student: s)
score length  = tokens(student: s)

"""
CAPPED = 'quota teacher "x" <= 40%\n  budget 10 examples'
COLUMNS = {"q": "text", "a": "text", "gold": "text", "t": "text", "split": "text", "n": "number", "topic": "text", "tags": "list", "good": "bool"}
TREE = json.dumps({"name": "all", "children": [{"name": "numbers", "children": [{"name": "addition"}, {"name": "division"}]}, {"name": "shapes"}]})


def outcome_of(body: str, *, head: str = HEAD, parent: str | None = None, texts: dict[str, str] | None = None) -> Outcome:
    files = {"base.mix": parent, "tree.json": TREE, **(texts or {})}
    source = Source("a.mix", head + body)
    columns = dict.fromkeys(("rows.jsonl", "more.jsonl"), COLUMNS)
    inputs = Inputs(files, columns, dict.fromkeys(("rows.jsonl", "more.jsonl", "bench.jsonl", "p.json"), True))
    assert {w.path for w in wanted(source, inputs)} <= {"hub/s"}, "a test says all that is asked"
    return compile(source, inputs)


def codes(body: str, **more) -> list[str]:
    outcome = outcome_of(body, **more)
    assert outcome.plan is not None, [d.message for d in outcome.notes]
    return [d.code for d in outcome.notes if d.code != "MIX0410"]


def select(*clauses: str) -> str:
    return "select {\n" + "".join(f"  {c}\n" for c in clauses) + "}\n"


QUIET = {
    "a quantile": select("where natural >= p20 within teacher"),
    "a threshold on tokens": select("where length <= 4k tokens"),
    "two scores compared": select("where natural > natural - 1 nats"),
    "a cap on a value of the teacher column": select(CAPPED),
    "a cap on the teacher column by its own name": select('quota column t "x" <= 40%', "budget 10 examples"),
    "one teacher left by a where": select('where t == "x"', "budget 10 examples"),
    "one declared teacher": 'teacher x from rows where t == "x"\n' + select("budget 10 examples"),
    "nothing chosen": select("where correct"),
    "equal conditions around a rank": select("where rank(n) within prompt <= 3", "where rank(n) within prompt <= 3"),
    "the same quantile twice": select("where n >= p20", "where n >= p20"),
    "a looser bound behind an or": select("where n <= 4 or correct", "where n <= 8"),
    "a tighter bound later": select("where n <= 8", "where n <= 4"),
    "keep by two scores, fewer each time": select("keep best 3 per prompt by n", "keep best 2 per prompt by length"),
    "a quantile before keep best": select("where natural >= p20", "keep best 1 per prompt by natural"),
    "skills within": "skills k { tag by column topic }\n" + select("where n >= p20 within skill"),
    "skills in a condition": "skills k { tag by column topic }\n" + select('where skill == "x"'),
    "a param used in a list": "param n = 4\n" + select("where n in [$n, 5]"),
    "trained on tested answers": select("where correct", CAPPED) + 'decontaminate none because "x"\ntrain s { epochs 1 }\n',
    "heldout beside": 'decontaminate none because "x"\nevaluate { heldout rows where split == "test" }\n',
    "a cap of a child below its parent's": 'skills k {\n  tree "tree.json"\n  tag by column topic\n}\n'
    + select('quota skill "numbers" <= 50%', 'quota skill "addition" <= 30%', 'quota skill "division" 5%..30%'),
    "an equal share": 'skills k { tag by column topic }\n' + select('quota skill "x" = 30%', 'quota skill "x" <= 40%'),
}


@pytest.mark.parametrize("name", QUIET)
def test_nothing_is_said_of_a_sound_spec(name: str) -> None:
    assert codes(QUIET[name]) == []


SPOKEN = {
    "a threshold within not": (select("where not (natural < -2 nats)"), "MIX0602"),
    "two corpora without a teacher role": (select("budget 10 examples"), "MIX0604"),
    "a revision in capitals": ("", "MIX0606"),
    "the same clause twice": (select("where correct", "where correct"), "MIX0609"),
    "a where of the corpus again": (select('where split == "train"'), "MIX0609"),
    "an in that the list before implies": (select('where t in ["a"]', 'where t in ["a", "b"]'), "MIX0609"),
    "less than the highest and at most it": (select("where n < 5", "where n <= 5"), "MIX0609"),
    "a quantile that all reach": (select("where n >= p0"), "MIX0609"),
    "keep best again": (select("keep best 1 per prompt by n", "keep best 1 per prompt by n"), "MIX0609"),
}
NO_ROLE = HEAD.replace("  teacher   t\n", "") + 'corpus more {\n  scan "more.jsonl"\n  prompt q\n  response a\n  reference gold\n}\n'
HEADS = {"two corpora without a teacher role": NO_ROLE, "a revision in capitals": HEAD.replace("12fd25f77", "12FD25F77")}


@pytest.mark.parametrize("name", SPOKEN)
def test_what_is_unwise_is_said_once(name: str) -> None:
    body, code = SPOKEN[name]
    assert codes(body, head=HEADS.get(name, HEAD)) == [code]


def test_lints_are_warnings_with_a_reason_or_a_label_and_a_way_out() -> None:
    for body, _ in SPOKEN.values():
        for found in outcome_of(body).notes:
            assert found.severity is Severity.WARNING
            assert found.help
            assert found.notes or (found.primary and found.primary.text)


def applied(outcome: Outcome, text: str) -> str:
    edits = sorted((e for d in outcome.notes for e in d.edits), key=lambda e: -e.span.start)
    for edit in edits:
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


def test_taking_out_what_changes_nothing_leaves_a_clean_spec_with_the_same_selection() -> None:
    body = "param idle = 3\n" + select("where correct", "where n <= 4", "where n <= 8 and correct", "keep best 1 per prompt by n", "keep at most 2 per prompt", CAPPED)
    before = outcome_of(body)
    after = outcome_of(applied(before, HEAD + body), head="")
    assert [d.code for d in before.notes] == ["MIX0608", "MIX0609", "MIX0609"]
    assert not list(after.notes)


def test_a_variant_is_not_blamed_for_what_it_leaves_idle_of_its_parent() -> None:
    parent = HEAD + "param n = 3\nskills k { tag by column topic }\n" + select('quota skill "x" >= 10%', CAPPED)
    assert codes('extends "base.mix"\nselect { remove quota skill "x" }\n', head="", parent=parent) == []


def test_never_solved_leaves_are_named_with_the_share_they_take() -> None:
    counts = {"addition": {"attempts": 20, "correct": 10}, "division": {"attempts": 9, "correct": 0}, "shapes": {"attempts": 0, "correct": 0}}
    body = 'skills k {\n  tree "tree.json"\n  tag by column topic\n}\nprofile s from "p.json"\n'
    paper = body + select("quota skill weakness(paper)", "budget 10 examples")
    (found,) = [d for d in outcome_of(paper, texts={"p.json": json.dumps({"skills": counts})}).notes if d.code == "MIX0607"]
    assert "99.8%" in found.message
    assert found.secondary[0].text == "0 correct: `division`"
    bounded = body + select("quota skill weakness(max_weight: 20)", CAPPED)
    assert codes(bounded, texts={"p.json": json.dumps({"skills": counts})}) == []


ALLOW = '# mixc: allow MIX0602 because "one student, for ever"'
THRESHOLD = "where natural >= -2 nats"


@pytest.mark.parametrize(
    "body",
    [
        f"select {{\n  {ALLOW}\n  {THRESHOLD}\n}}\n",
        f"select {{\n  {THRESHOLD}   {ALLOW}\n}}\n",
        f"select {{\n  where correct\n\n  {ALLOW}\n  # and another remark\n\n  {THRESHOLD}\n}}\n",
        f"{ALLOW}\nselect {{\n  {THRESHOLD}\n}}\n",
        f"select {{ {THRESHOLD} }}  {ALLOW}\n",
        f"select {{  {ALLOW}\n  {THRESHOLD}\n}}\n",
        f"select {{\n  where natural in [1 nats,  {ALLOW}\n    2 nats] or natural >= -2 nats\n}}\n",
    ],
)
def test_a_comment_silences_one_lint_at_its_clause(body: str) -> None:
    outcome = outcome_of(body)
    assert not list(outcome.notes)
    assert [d.code for d in outcome.silenced] == ["MIX0602"]


@pytest.mark.parametrize(
    "body",
    [
        f"select {{\n  {ALLOW}\n  where correct\n  {THRESHOLD}\n}}\n",
        f"select {{\n  where correct  {ALLOW}\n  {THRESHOLD}\n}}\n",
        f"select {{\n  {THRESHOLD}\n}}\n{ALLOW}\n",
    ],
)
def test_a_comment_at_another_clause_silences_nothing_and_is_told_so(body: str) -> None:
    assert sorted(codes(body)) == ["MIX0602", "MIX0610"]


def test_a_comment_of_the_parent_counts_for_the_parents_clauses() -> None:
    parent = HEAD + f"select {{\n  {ALLOW}\n  {THRESHOLD}\n}}\n"
    assert codes('extends "base.mix"\n', head="", parent=parent) == []
    assert codes('extends "base.mix"\nselect { remove where natural >= -2 nats }\n', head="", parent=parent) == []
    child = 'extends "base.mix"\nselect { replace where natural >= -3 nats }\n'
    assert codes(child, head="", parent=parent) == ["MIX0602"]


def test_a_comment_cannot_silence_an_error_and_is_not_called_idle_beside_one() -> None:
    outcome = outcome_of(f"{ALLOW}\nselect {{ where correct > 5 }}\n")
    assert outcome.plan is None
    assert [d.code for d in outcome.notes] == ["MIX0304"]


def test_other_comments_are_left_alone() -> None:
    assert codes("# mixc is fine, allow it\n# see mixc: the manual\nselect { where correct }\n") == []


LETTERS = st.lists(st.sampled_from(["a", "b", "*", "?", "/", "**/"]), max_size=5).map("".join)
PATHS = ["".join(p) for n in range(1, 6) for p in itertools.product("ab/", repeat=n) if "//" not in "".join(p)]


def matches(path: str, pattern: str) -> bool:
    """`fnmatch` by folders, `**` any number of them."""
    names, wanted = path.split("/"), [n for i, n in enumerate(pattern.split("/")) if n or not i]

    def meet(i: int, j: int) -> bool:
        if j == len(wanted):
            return i == len(names)
        if wanted[j] == "**":
            return any(meet(k, j + 1) for k in range(i, len(names) + 1))
        return i < len(names) and fnmatch.fnmatchcase(names[i], wanted[j]) and meet(i + 1, j + 1)

    return meet(0, 0)


@settings(max_examples=200, deadline=None)
@given(LETTERS, LETTERS)
def test_patterns_that_share_a_path_overlap(a: str, b: str) -> None:
    if any(matches(p, a) and matches(p, b) for p in PATHS if not p.endswith("/")):
        assert overlap(a, b)


@pytest.mark.parametrize(
    ("a", "b", "both"),
    [
        ("data/*.jsonl", "data/bench.jsonl", True),
        ("data/*.jsonl", "data/deep/bench.jsonl", False),
        ("data/**/*.jsonl", "data/deep/bench.jsonl", True),
        ("data/train-*.jsonl", "data/test-*.jsonl", False),
        ("data/*-a.jsonl", "data/x-*.jsonl", True),
        ("data/part[0-9].jsonl", "data/part7.jsonl", True),
        ("a.jsonl", "a.jsonl", True),
        ("a.jsonl", "b.jsonl", False),
    ],
)
def test_patterns_as_a_person_reads_them(a: str, b: str, both: bool) -> None:
    assert overlap(a, b) is both
    assert overlap(b, a) is both
