"""The answers of one model to one benchmark, each with its grade: a row a problem and sample. Knows no arms, and nothing of what they come to."""

from collections.abc import Mapping, Sequence

import polars as pl

from ..compiler.plan.stages import Benchmark, Evaluate, Model
from .benchmarks import Item
from .context import Context
from .grade import VERIFY_MATH, graded
from .responses import Asking, LocalModel, Question, responses


def asking(stage: Evaluate, benchmark: Benchmark, seed: int, of: str = "") -> Asking:
    """How an evaluation asks: arms are compared, so one engine answers for all of them. `seed` draws the samples, where there is chance in them."""
    samples = benchmark.samples if stage.temperature else 1
    return Asking(
        stage=stage.id, of=of, max_tokens=stage.max_tokens, samples=samples, temperature=stage.temperature, seed=seed, fair=True,
    )  # fmt: skip


def questions(items: Sequence[Item]) -> list[Question]:
    """What a model is asked of a benchmark."""
    return [Question(item.problem) for item in items]


def answers(
    stage: Evaluate, benchmark: Benchmark, items: Sequence[Item], model: Model, seed: int, of: str, context: Context, chains: Mapping[str, str]
) -> pl.DataFrame:
    """`id`, `sample`, `answer`, `text`, `tokens`, `finished`, `correct` (null where it is unknown), `why`, `skills` and `level`, in the order of the items.

    `of` is what the work is shown as; `chains` is every skill's chain by name, empty without a tree. Faults as those of `responses` and `score`.
    """
    found = responses(asking(stage, benchmark, seed, of), questions(items), LocalModel(model, context), context)
    known = pl.DataFrame(
        {
            "question": range(len(items)), "id": [i.id for i in items], "problem": [i.problem for i in items], "answer": [i.answer for i in items],
            "skills": [[chains.get(skill, skill) for skill in i.skills] for i in items], "level": [i.level for i in items],
        },
        schema={"question": pl.UInt32, "id": pl.String, "problem": pl.String, "answer": pl.String, "skills": pl.List(pl.String), "level": pl.String},
    )  # fmt: skip
    said = found.join(known, on="question", how="left", maintain_order="left").with_columns(pl.col("sample").cast(pl.Int64))
    grades = _graded(stage, benchmark, of, said.filter(pl.col("text").is_not_null()), context)
    joined = said.join(grades, on=["problem", "answer", "text"], how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("why", "unknown").alias("why"), pl.col("finished").fill_null(False))


def _graded(stage: Evaluate, benchmark: Benchmark, of: str, said: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Each different answer once: `problem`, `answer`, `text`, with `correct` and why it is `unknown`."""
    different = said.select("problem", "answer", "text").unique(maintain_order=True)
    rows = different.select(prompt="problem", response="text", reference="answer")
    found = graded(f"{stage.id} ({of})", benchmark.grade or VERIFY_MATH, rows, benchmark.span, context)
    return different.with_columns(correct=found["correct"].cast(pl.Boolean), unknown=found["why"].cast(pl.String))
