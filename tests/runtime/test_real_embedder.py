"""The real all-MiniLM-L6-v2: its vectors are those that sentence-transformers 6.2.0 gives, and clear problems get their skill of the shipped tree."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from mixc.cli.main import main
from mixc.tests.project import write_rows
from mixc.tests.runtime.test_embedder import embedder as loaded

TREE = Path(__file__).parents[2] / "specs" / "skills" / "maths.json"
TEXTS = [
    "What is the remainder when $7^{100}$ is divided by 13?", "Remainders (Congruences, Number theory)",
    "The legs of a right triangle are 3 and 4. Find its hypotenuse.", "Two fair dice are rolled. " * 60,
]  # fmt: skip
COSINES = [(0.497989, 0.157587, 0.02467), (0.210891, 0.033102), (0.073794,)]
"""Of each text with those behind it; the last is longer than the model reads."""
FIRST = [(-0.032346, 0.120799, -0.068115), (-0.001577, 0.027984, 0.024666), (-0.001804, 0.113456, -0.09401), (0.00494, -0.08384, -0.011366)]
PROBLEMS = {
    TEXTS[0]: "Remainders", TEXTS[2]: "Right triangles and the Pythagorean theorem", "Find the eigenvalues of the matrix A.": "Eigenvalues and eigenvectors",
    "In how many ways can a committee of 3 people be chosen from 10 people?": "Combinations",
}  # fmt: skip

pytestmark = pytest.mark.embedder


def test_its_vectors_are_those_of_sentence_transformers(embedder: Path) -> None:
    found = loaded(embedder)
    vectors = found.vectors(found.tokenizer.ids(TEXTS))
    assert vectors.shape == (4, 384) and found.tokenizer.most == 256
    for i, row in enumerate(COSINES):
        np.testing.assert_allclose(vectors[i] @ vectors[i + 1 :].T, row, atol=1e-5)
    np.testing.assert_allclose(vectors[:, :3], FIRST, atol=1e-5)


def test_clear_problems_get_their_skill(embedder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MIXC_HOME", str(tmp_path / "home"))
    write_rows(tmp_path / "rows.jsonl", [{"question": text, "answer": "It is so."} for text in PROBLEMS])
    (tmp_path / "s.mix").write_text(
        'mix "s" { seed 1 }\ncorpus rows {\n  scan "rows.jsonl"\n  prompt question\n  response answer\n}\n'
        f'skills maths {{\n  tree {json.dumps(str(TREE))}\n  tag by embedding(model: {json.dumps(str(embedder))})\n}}\nselect {{ budget 4 examples }}\n'
    )
    assert main(["build", "s.mix", "-q"]) == 0
    chosen = pl.read_parquet("build/s/selected.parquet")
    assert {row["prompt"]: [skill.rpartition("->")[2] for skill in row["skills"]] for row in chosen.iter_rows(named=True)} == {text: [skill] for text, skill in PROBLEMS.items()}
