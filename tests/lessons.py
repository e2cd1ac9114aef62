"""Builds that train, as far as their rows: what exports are made of. No model is loaded."""

from pathlib import Path

from mixc.cli.main import main
from mixc.tests.project import SCORED, make_project

STUDENT = """
student small {
  model "Some/Student-1B"
  revision "12fd25f77366fa6b3b4b768ec3050bf629380bac"
  dtype bf16
}
"""
FULL = """
train small {
  epochs        3
  learning_rate 1e-5
  batch         8 examples
  max_length    2k tokens
}
"""
LORA = """
train small {
  method        lora(rank: 4, alpha: 8, dropout: 0.05)
  steps         40
  learning_rate 2e-4
  batch         6 examples
  max_length    512 tokens
  packing       true
  warmup        3 steps
  schedule      linear
  weight        length
  save          10 steps
  report        [wandb, tensorboard]
  seed          7
}
"""


def make_lesson(folder: Path, train: str = FULL, student: str = STUDENT, name: str = "lesson") -> Path:
    """`build/NAME` of a recipe over twelve prompts, as far as its rows. The working directory is to be `folder`."""
    if not (folder / "data").exists():
        make_project(folder)
    (folder / f"{name}.mix").write_text(SCORED + student + train, encoding="utf-8")
    assert main(["build", f"{name}.mix", "--until", "materialise", "-q"]) == 0
    return folder / "build" / name
