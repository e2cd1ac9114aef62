"""The rules of `select`, one line each: clauses, and the codes of their errors (none: they are legal)."""

import pytest
from mixc.compiler.plan.stages import Profile, Select, SoftQuota
from mixc.tests.compiler.rules import SCORED, compiled, errors, plan

PROFILE = 'profile tiny from "profile.json"\n'
COUNTS = '{"skills": {"Algebra": {"attempts": 20, "correct": 11}, "Geometry": {"attempts": 9, "correct": 0}}}'
TOKENLESS = SCORED.replace("student tiny", "student other { model \"hub/other\" }\nstudent tiny").replace("unit: tokens", "unit: steps")
RULES: dict[str, tuple[str, list[str]]] = {
    "no clause at all": ("", []),
    "a budget in examples and one in tokens": ("budget 3 examples\n  budget 2k tokens", []),
    "one budget a unit": ("budget 3 examples\n  budget 4 examples", ["MIX0202"]),
    "no budget in prompts": ("budget 3 prompts", ["MIX0303"]),
    "nor in %": ("budget 30%", ["MIX0303"]),
    "a budget is whole": ("budget 2.5 examples", ["MIX0306"]),
    "and above 0": ("budget 0 examples", ["MIX0306"]),
    "up to N examples": ("budget up to 3 examples", []),
    "not up to T tokens": ("budget up to 3 tokens", ["MIX0302"]),
    "keep at most": ("keep at most 2 per prompt", []),
    "keep at most once": ("keep at most 2 per prompt\n  keep at most 3 per prompt", ["MIX0202"]),
    "keep best as often as one likes": ("keep best 3 per prompt by natural\n  keep best 1 per prompt by ratio", []),
    "maximize once": ("maximize natural\n  maximize ratio", ["MIX0202"]),
    "count tokens once": ("count tokens by length\n  count tokens by length", ["MIX0202"]),
    "count tokens by a score of tokens": ("count tokens by ratio", ["MIX0201"]),
    "a solver": ("budget 3 examples\n  solver prices", []),
    "one of three": ("budget 3 examples\n  solver simplex", ["MIX0302"]),
    "once": ("solver exact\n  solver auto", ["MIX0202"]),
    "quotas in examples": ('quota skill "Algebra" >= 2 examples', []),
    "in tokens": ('quota skill "Lines" <= 2k tokens', []),
    "in %": ('quota skill "Geometry" = 20%', []),
    "in % of tokens": ('quota teacher "a" 10%..20% of tokens', []),
    "of a column": ('quota column model "a" >= 2 examples', []),
    "a quota needs a unit": ('quota skill "Algebra" >= 2', ["MIX0309"]),
    "not in prompts": ('quota skill "Algebra" >= 2 prompts', ["MIX0303"]),
    "a skill of the tree": ('quota skill "Algebre" >= 2 examples', ["MIX0201"]),
    "a column of the corpus": ('quota column level "a" >= 2 examples', ["MIX0209"]),
    "a share is at most 100%": ('quota skill "Algebra" >= 120%', ["MIX0306"]),
    "examples are whole": ('quota skill "Algebra" >= 1.5 examples', ["MIX0306"]),
    "a floor above its cap": ('quota skill "Algebra" 5..2 examples', ["MIX0402"]),
    "weakness with its defaults": ("budget 3 examples\n  quota skill weakness", []),
    "all its arguments": ("budget 3 examples\n  quota skill weakness(max_weight: 20, prior: beta(1, 2.5), min_support: 10)", []),
    "without a prior": ("budget 3 examples\n  quota skill weakness(prior: none)", []),
    "with a budget in tokens alone": ("budget 3k tokens\n  quota skill weakness", []),
    "not without a budget": ("quota skill weakness", ["MIX0207"]),
    "uniform": ("budget 3 examples\n  quota skill uniform", []),
    "uniform takes nothing": ("budget 3 examples\n  quota skill uniform(max_weight: 3)", ["MIX0302"]),
    "one soft quota": ("budget 3 examples\n  quota skill uniform\n  quota skill weakness", ["MIX0202"]),
    "no other soft quota": ("budget 3 examples\n  quota skill weaknes", ["MIX0302"]),
    "a weight has no unit": ("budget 3 examples\n  quota skill weakness(max_weight: 20 examples)", ["MIX0303"]),
    "a weight is at least 1": ("budget 3 examples\n  quota skill weakness(max_weight: 0.5)", ["MIX0306"]),
    "a prior is a beta": ("budget 3 examples\n  quota skill weakness(prior: 1)", ["MIX0301"]),
    "of two numbers": ("budget 3 examples\n  quota skill weakness(prior: beta(1))", ["MIX0301"]),
    "above 0": ("budget 3 examples\n  quota skill weakness(prior: beta(0, 1))", ["MIX0306"]),
    "support is whole": ("budget 3 examples\n  quota skill weakness(min_support: 2.5)", ["MIX0306"]),
    "no other argument": ("budget 3 examples\n  quota skill weakness(support: 2)", ["MIX0302"]),
    "no argument twice": ("budget 3 examples\n  quota skill weakness(min_support: 2, min_support: 3)", ["MIX0202"]),
    "the published sampler": ("where good_one\n  keep best 1 per prompt by ratio\n  budget 3 examples\n  quota skill weakness(paper)", []),
    "takes nothing more": ("budget 3 examples\n  quota skill weakness(paper, max_weight: 3)", ["MIX0405"]),
    "heeds no quota": ('budget 3 examples\n  quota skill weakness(paper)\n  quota skill "Algebra" >= 1 examples', ["MIX0405"]),
    "no objective": ("budget 3 examples\n  quota skill weakness(paper)\n  maximize ratio", ["MIX0405"]),
    "no tokens": ("budget 3 examples\n  budget 3k tokens\n  quota skill weakness(paper)", ["MIX0405"]),
    "no soft budget": ("budget up to 3 examples\n  quota skill weakness(paper)", ["MIX0405"]),
    "no cap a prompt": ("budget 3 examples\n  keep at most 1 per prompt\n  quota skill weakness(paper)", ["MIX0405"]),
}


def spec(clauses: str, base: str = SCORED) -> str:
    return f"{base}{PROFILE}select {{\n  {clauses}\n}}\n"


@pytest.mark.parametrize("rule", RULES)
def test_rule(rule: str) -> None:
    clauses, codes = RULES[rule]
    assert errors(spec(clauses), {"profile.json": COUNTS}) == codes


def soft(clause: str) -> SoftQuota:
    select = next(s for s in plan(spec(f"budget 3 examples\n  {clause}"), {"profile.json": COUNTS}).stages if isinstance(s, Select))
    assert select.soft is not None
    return select.soft


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ("quota skill weakness", ("weakness", "tiny", 20, 1, 1, 0)),
        ("quota skill weakness(max_weight: 7, prior: beta(2, 3), min_support: 10)", ("weakness", "tiny", 7, 2, 3, 10)),
        ("quota skill weakness(prior: none)", ("weakness", "tiny", 20, 0, 0, 0)),
        ("quota skill weakness(paper)", ("paper", "tiny", 1000, 0, 0, 0)),
        ("quota skill uniform", ("uniform", None, None, None, None, None)),
    ],
)
def test_a_soft_quota_is_settled_in_the_plan(clause: str, expected: tuple) -> None:
    found = soft(clause)
    assert (found.shape, found.student, found.max_weight, found.alpha, found.beta, found.min_support) == expected


def test_a_profile_changes_the_selection_by_weakness_and_no_other() -> None:
    for clause, same in (("quota skill weakness", False), ("quota skill uniform", True)):
        text = spec(f"budget 3 examples\n  {clause}")
        one, two = (plan(text, {"profile.json": counts}) for counts in (COUNTS, COUNTS.replace("11", "12")))
        assert (dict(one.fingerprints)["select"] == dict(two.fingerprints)["select"]) is same
        assert dict(one.fingerprints)["profile:tiny"] != dict(two.fingerprints)["profile:tiny"]


def test_weakness_needs_a_profile_and_says_how_to_declare_it() -> None:
    without = spec("budget 3 examples\n  quota skill weakness").replace(PROFILE, "")
    (found,) = compiled(without).notes
    assert found.code == "MIX0207" and "profile tiny" in (found.help or "")


def test_the_profile_is_that_of_the_trained_student() -> None:
    two = SCORED.replace("student tiny", 'student other { model "hub/other" }\nstudent tiny').replace("local_logprob()", "local_logprob(student: tiny)")
    text = spec("budget 3 examples\n  quota skill weakness", two) + 'profile other from "profile.json"\n'
    assert errors(text, {"profile.json": COUNTS}) == ["MIX0207"]
    trained = f'{text}decontaminate none because "x"\ntrain other {{ steps 3 }}\n'
    stages = plan(trained, {"profile.json": COUNTS}).stages
    select = next(s for s in stages if isinstance(s, Select))
    assert [s.id for s in stages if isinstance(s, Profile)] == ["profile:tiny", "profile:other"]
    assert select.soft and select.soft.student == "other" and "profile:other" in select.inputs and "profile:tiny" not in select.inputs


@pytest.mark.parametrize("clause", ["budget 3k tokens", 'quota teacher "a" <= 10% of tokens', 'quota teacher "a" <= 10 tokens'])
def test_a_bound_in_tokens_needs_something_that_counts_them(clause: str) -> None:
    assert errors(spec(clause, TOKENLESS), {"profile.json": COUNTS}) == ["MIX0207"]
    two = SCORED.replace("score ratio ", "score other = column(count, unit: tokens)\nscore ratio ")
    assert errors(spec(clause, two), {"profile.json": COUNTS}) == [], "the only student's tokenizer counts them"
    several = two.replace("student tiny", 'student other { model "hub/other" }\nstudent tiny').replace("(student: tiny)", "(student: other)")
    assert errors(spec(clause, several), {"profile.json": COUNTS}) == ["MIX0207"]
    assert errors(spec(f"{clause}\n  count tokens by length", several), {"profile.json": COUNTS}) == []
