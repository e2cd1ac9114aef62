"""Makes the answers of several arms, as `answers.parquet` has them. Tests import this file as `mixc.tests.runtime.answered`."""

from collections.abc import Callable, Sequence

import polars as pl

ANSWERS = {
    "arm": pl.String(), "recipe": pl.String(), "seed": pl.Int64(), "benchmark": pl.String(), "id": pl.String(), "sample": pl.Int64(),
    "answer": pl.String(), "text": pl.String(), "tokens": pl.Int64(), "finished": pl.Boolean(), "correct": pl.Boolean(), "why": pl.String(),
    "skills": pl.List(pl.String()), "level": pl.String(), "nll": pl.Float64(),
}  # fmt: skip
Arm = tuple[str, str | None, int | None]
ARMS: tuple[Arm, ...] = (
    ("before", None, None), ("after", "recipe", 0), ("recipe-1", "recipe", 1), ("recipe-2", "recipe", 2),
    ("random-0", "random", 0), ("random-1", "random", 1), ("random-2", "random", 2),
)  # fmt: skip


def answered(
    arms: Sequence[Arm], benchmark: str, problems: int, correct: Callable[[str, int, int], bool | None], samples: int = 1
) -> pl.DataFrame:
    """A row an arm, problem and sample; `correct` is asked with the arm, the problem's number and the sample's."""
    rows = [
        {
            "arm": arm, "recipe": recipe, "seed": seed, "benchmark": benchmark, "id": f"p{number:03}", "sample": sample, "answer": str(number),
            "text": "It is so.", "tokens": 4, "finished": True, "correct": correct(arm, number, sample), "skills": [], "nll": None,
        }
        for arm, recipe, seed in arms
        for number in range(problems)
        for sample in range(samples)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=ANSWERS)


def heldout(arms: Sequence[Arm], rows: int, nll: Callable[[str, int], float | None]) -> pl.DataFrame:
    """A row an arm and held-out row."""
    made = [
        {"arm": arm, "recipe": recipe, "seed": seed, "benchmark": "heldout", "id": f"r{n:03}", "sample": 0, "nll": nll(arm, n)}
        for arm, recipe, seed in arms
        for n in range(rows)
    ]
    return pl.DataFrame(made, schema=ANSWERS)
