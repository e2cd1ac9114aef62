"""The maths taxonomy that is shipped, and its keywords: what they promise."""

import json
from pathlib import Path

import polars as pl
from mixc.compiler.keywords import either

SKILLS = Path(__file__).parents[1] / "specs" / "skills"
WORDS = json.loads((SKILLS / "maths-keywords.json").read_text(encoding="utf-8"))


def nodes(node: dict, depth: int = 0) -> list[tuple[str, int, bool]]:
    """Every node with its depth, and whether it is a leaf."""
    children = node.get("children")
    return [(node["name"], depth, children is None), *(found for child in children or () for found in nodes(child, depth + 1))]


TREE = json.loads((SKILLS / "maths.json").read_text(encoding="utf-8"))
NODES = nodes(TREE)
LEAVES = [name for name, _, leaf in NODES if leaf]


def test_there_are_a_hundred_leaves_and_more_of_unique_names():
    names = [name for name, _, _ in NODES]
    assert len(LEAVES) >= 100
    assert len(set(names)) == len(names)
    assert all(name == name.strip() and "->" not in name for name in names)


def test_no_node_is_empty_and_every_leaf_is_two_or_three_below_the_root():
    pending = [TREE]
    while pending:
        node = pending.pop()
        assert node.get("children") != [], node["name"]
        pending += node.get("children", [])
    assert {depth for _, depth, leaf in NODES if leaf} <= {2, 3}


def test_every_leaf_has_words_and_nothing_else_has():
    assert sorted(WORDS) == sorted(LEAVES)
    assert all(len(words) == len(set(words)) >= 3 for words in WORDS.values())


def test_the_words_find_the_skills_of_problems():
    problems = {
        "Natalia sold clips to 48 of her friends, and 25% more in May. How many did she sell altogether?": {"Percentages", "Addition and subtraction"},
        "What is the remainder when $7^{100}$ is divided by 13?": {"Remainders"},
        "The legs of a right triangle are 3 and 4. Find its hypotenuse.": {"Right triangles and the Pythagorean theorem"},
        "In how many ways can a committee of 3 be chosen?": {"Combinations", "Sum and product rules"},
        "Find the eigenvalues of the matrix.": {"Eigenvalues and eigenvectors", "Matrix arithmetic"},
        "Let G be a finite group and H a subgroup.": {"Groups"},
        r"Evaluate $\int_0^1 x\,dx$.": {"Integration techniques"},
        "Two fair dice are rolled. What is the probability that the sum is 7?": {"Basic probability", "Independent events"},
    }
    found = pl.DataFrame({"prompt": list(problems)}).select(pl.col("prompt").str.contains(either(words)).alias(skill) for skill, words in WORDS.items())
    for number, wanted in enumerate(problems.values()):
        assert wanted <= {skill for skill in WORDS if found[skill][number]}
