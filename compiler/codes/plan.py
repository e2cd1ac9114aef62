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
        "A floor above its own cap or above that of a skill that contains it, floors on groups without a row in common that add up to more "
        "than 100 % or than the budget, caps on all teachers that add up to less: these can be seen to be impossible before any row is read. "
        "All quotas that take part are shown, and the note does the sum. Shares of an examples budget are compared with quotas in examples. "
        "Lower a floor, raise a cap, or change the budget.",
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
    "MIX0407": Code(
        "a condition that no row can pass",
        "Conditions hold together: the corpus's own `where`, that of the row's teacher, and every `where` of `select`. If they exclude one "
        "another, or one is never true, nothing is left to select from, and that can be seen before any row is read. What a scorer promises "
        "counts too: a log-probability is never above 0, a rank never below 1. A `heldout` that takes all that its corpus keeps is the same "
        "mistake, because prompts that are held out are no candidates.",
        """select {
  where length <= 100 tokens
  where length >= 200 tokens
}""",
        """select {
  where length >= 100 tokens
  where length <= 200 tokens
}""",
    ),
    "MIX0408": Code(
        "a budget that the sampled prompts cannot fill",
        "`sample 5 prompts` leaves five prompts, and `keep best 1 per prompt` one row of each: five examples at most, whatever they are. "
        "An exact budget above that can never be met. Lower it, write `budget up to`, or sample more prompts.",
        """corpus rows { sample 5 prompts }
select {
  keep   best 1 per prompt by length
  budget 10 examples
}""",
        """corpus rows { sample 10 prompts }
select {
  keep   best 1 per prompt by length
  budget 10 examples
}""",
    ),
    "MIX0410": Code(
        "a clause that the runtime does not do yet",
        "The language has this clause, and it is checked and planned, but this version of the runtime cannot carry it out. `check` and `plan` "
        "warn; `build` stops before it starts, unless `--until` names a stage before the one that would need the clause.",
        "dedup by minhash(threshold: 0.8) of response",
        "mixc build spec.mix --until score",
    ),
}
