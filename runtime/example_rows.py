"""`examples.parquet`: the few rows that a report shows, with their texts and what the student made of each step.

Texts of dropped rows, and the steps of scores, are nowhere else in a build: a report is made of the folder alone, without corpus and store.
"""

from pathlib import Path
from typing import Any

import polars as pl

from ..compiler.expressions import Column, Operation, Quantile, Rank
from ..compiler.plan.stages import Plan, Score, Select
from .choose_examples import choose_examples
from .context import Context
from .materialise import skills, tokens
from .rows import Rows
from .score import stored_steps
from .scorers.answers import cut

EXAMPLES = "examples.parquet"
STEPS = {"score": pl.String(), "step_ends": pl.List(pl.Int64()), "step_tokens": pl.List(pl.Int32()), "step_logprob": pl.List(pl.Float64())}


def example_rows(plan: Plan, ledger: Path, rows: Rows, context: Context) -> pl.DataFrame:
    """A row an example, in the order of `choose_examples` and with its columns; then those of the ledger that tell of it, `prompt`, `response`, `reference`.

    `step_ends`: where each step of the response ends, in characters; `step_logprob`: the sum of the log-probabilities (nats) of its `step_tokens`
    tokens under the `score`; null where no score has steps, and of a row that has no value of it. Faults of `texts`.
    """
    chosen = choose_examples(plan, pl.scan_parquet(ledger))
    ids = chosen["row_id"].unique().implode()
    wanted = pl.concat([part.filter(pl.col("row_id").is_in(ids)) for part in rows.each()])
    texts = context.texts.add(wanted, ("prompt", "response", "reference"))
    told = texts.select("row_id", "prompt_id", "teacher", skills(texts), tokens(plan, texts), "reason", "prompt", "response", "reference")
    return chosen.join(told, on="row_id", how="left", maintain_order="left").join(_steps(plan, texts, context), on="row_id", how="left", maintain_order="left")


def _steps(plan: Plan, texts: pl.DataFrame, context: Context) -> pl.DataFrame:
    stage = _stepped(plan)
    found = None if stage is None else stored_steps(stage, texts, context)
    if stage is None or found is None:
        return pl.DataFrame(schema={"row_id": pl.String(), **STEPS})
    ends = pl.DataFrame({"row_id": texts["row_id"], "step_ends": [_ends(stage, row) for row in texts.iter_rows(named=True)]}, schema={"row_id": pl.String(), "step_ends": STEPS["step_ends"]})
    both = ends.join(found, on="row_id", how="inner").filter(pl.col("step_ends").list.len() == pl.col("step_tokens").list.len())
    return both.select("row_id", pl.lit(stage.name).alias("score"), *list(STEPS)[1:])


def _ends(stage: Score, row: dict[str, Any]) -> list[int] | None:
    """Where the steps end by the rule of the score. A step without a token is not among those that are stored: then the counts differ, and none are shown."""
    pieces = cut(stage)(row | {"response": row["response"] or ""})
    return None if isinstance(pieces, str) else [end for _, end in pieces]


def _stepped(plan: Plan) -> Score | None:
    """The score whose steps are shown: of those that have steps one that the objective reads, else the first."""
    select = next((s for s in plan.stages if isinstance(s, Select)), None)
    read = _names(select.objective) if select else set()
    stages = [s for s in plan.stages if isinstance(s, Score) and s.rows == "candidates" and "split" in dict(s.arguments)]
    return min(stages, key=lambda s: s.name not in read, default=None)


def _names(e: object) -> set[str]:
    match e:
        case Column(source="score", name=name):
            return {name}
        case Operation(arguments=arguments):
            return {name for each in arguments for name in _names(each)}
        case Quantile(of=of) | Rank(of=of):
            return _names(of)
        case _:
            return set()
