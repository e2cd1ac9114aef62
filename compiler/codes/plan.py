"""MIX04xx: plans that cannot be carried out."""

from .entry import Code

CODES: dict[str, Code] = {
    "MIX0401": Code(
        "clauses of `select` that cannot be satisfied together",
        "Quotas, budgets and `keep at most` act together on the candidates that the filters leave, and no selection satisfies them all. "
        "mixc never returns less than was asked for. The clauses named are a minimal set in conflict: leave any of them out and the others "
        "can be satisfied. The notes say what there is for each and which earlier clause took the rows away; the help lists the nearest "
        "changes, each of which has been tried. Exit code 3.",
        """select {
  quota  skill "Geometry" >= 600 examples   # 412 candidates
  budget 1000 examples
}""",
        """select {
  quota  skill "Geometry" >= 412 examples
  budget 1000 examples
}""",
    ),
    "MIX0402": Code(
        "quotas that cannot hold whatever the data",
        "A floor above its own cap, or floors on groups without a row in common that add up to more than 100 %, can be seen to be impossible "
        "before any row is read. Lower a floor or raise the cap.",
        'quota teacher "tutor" 150..100 examples',
        'quota teacher "tutor" 100..150 examples',
    ),
    "MIX0403": Code(
        "a cap on a group that has no row",
        "A cap that no row can reach changes nothing, and is most often a misspelt value. Skills of a tree and declared teachers are checked "
        "as names; without a tree, and for values of a column, only the rows can tell. A floor on such a group is infeasible (MIX0401).",
        'quota skill "Algerba" <= 10%',
        'quota skill "Algebra" <= 10%',
    ),
    "MIX0404": Code(
        "a share with more decimals than can be solved exactly",
        "Shares are taken as the decimals that were written and solved in whole numbers. With some ten decimals on a large table these numbers "
        "no longer fit into 64 bits. Write fewer decimals; no selection can tell the difference.",
        'quota teacher "tutor" <= 33.333333333333%',
        'quota teacher "tutor" <= 33.3333%',
    ),
    "MIX0405": Code(
        "clauses that cannot stand beside one another",
        "The published sampler `quota skill weakness(paper)` takes the place of the whole optimisation, so a quota, an objective or a cap beside it would be "
        "promised and not kept; and a profile from a file is not measured, so how to measure it says nothing. Keep one of the two.",
        """select {
  quota    skill weakness(paper)
  budget   1000 examples
  maximize naturalness
}""",
        """select {
  keep     best 1 per prompt by naturalness
  quota    skill weakness(paper)
  budget   1000 examples
}""",
    ),
    "MIX0406": Code(
        "a corpus under a licence that is not allowed",
        "`require license in [...]` names the licences that the data may have. A corpus says its own with `license \"MIT\"`, which is judged when the spec is "
        "checked, or names a column of licences with `license COLUMN`, which is judged row by row.",
        """require license in ["MIT", "Apache-2.0"]
# and, in a corpus:
license "CC-BY-NC-4.0\"""",
        """require license in ["MIT", "Apache-2.0", "CC-BY-NC-4.0"]
# and, in a corpus:
license "CC-BY-NC-4.0\"""",
    ),
    "MIX0410": Code(
        "a clause that the runtime does not do yet",
        "The language has this clause, and it is checked and planned, but this version of the runtime cannot carry it out. `check` and `plan` "
        "warn, and name the stage that is missing; `build` stops before it starts, unless `--until` names a stage before the one that would need the clause.",
        "dedup by minhash(threshold: 0.8) of response",
        "mixc build spec.mix --until score",
    ),
    "MIX0420": Code(
        "an expectation of a test does not hold",
        "`mixc test` runs the recipe on the rows of the test's fixture, as far as `select`, and holds what came out against every `expect`. "
        "The message says what was expected and what was seen, and shows some of the rows that count: those selected, and those dropped "
        "with their reasons. Either the recipe no longer does what it was meant to do, or the expectation is out of date. Exit code 1.",
        """test "wrong answers never enter" {
  given  "fixtures/wrong.jsonl"    # two rows, one of them wrong
  expect selected == 2 examples
}""",
        """test "wrong answers never enter" {
  given  "fixtures/wrong.jsonl"
  expect selected == 1 examples
}""",
    ),
    "MIX0421": Code(
        "expectations that exclude one another",
        "A run ends with an error or with a selection, never with both, and with one error alone. A test that expects more than one of "
        "these can never pass; write a test for each.",
        """test "too few" {
  given  "fixtures/few.jsonl"
  expect error MIX0401
  expect selected == 0 examples
}""",
        """test "too few" {
  given  "fixtures/few.jsonl"
  expect error MIX0401
}""",
    ),
}
