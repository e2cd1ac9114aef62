"""The selected rows as the files of a build: Parquet and JSON lines as bytes, in an order of their own. Knows columns, not folders."""

import io
import json

import polars as pl

from ..compiler.plan.stages import Materialise, Plan, Score, Select
from .chat import messages
from .identity import by_row_id
from .licences import states
from .rows import Rows
from .texts import Texts
from .weigh import weight

NOT_TAGGED = pl.lit([], dtype=pl.List(pl.String))


def selected(plan: Plan, rows: Rows, texts: Texts) -> pl.DataFrame:
    """The selected rows with their texts, sorted by row id; with `license` at the end where the plan knows any, null where none is stated.

    Faults of `texts`."""
    chosen = texts.add(by_row_id(rows.candidates()), ("prompt", "response", "reference"))
    return chosen.select(
        "row_id",
        "prompt_id",
        "prompt",
        "response",
        "reference",
        "teacher",
        skills(chosen),
        tokens(plan, chosen),
        weight(plan, chosen),
        *scores(plan, chosen),
        *([_license(chosen)] if states(plan) else []),
    )


def train_lines(stage: Materialise, chosen: pl.DataFrame) -> bytes:
    """`train.jsonl`: one object a line, `messages` and `row_id`."""
    lines = [
        json.dumps(
            {"messages": messages(row["prompt"], row["response"], row["skills"], stage.format), "row_id": row["row_id"]}, ensure_ascii=False
        )
        for row in chosen.select("prompt", "response", "skills", "row_id").iter_rows(named=True)
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def composition(chosen: pl.DataFrame) -> list[tuple[str, int, int | None]]:
    """Teacher, examples and tokens (None where not known) of the selected rows, most first; then `all`."""
    counts = chosen.group_by("teacher").agg(pl.len().alias("n"), pl.col("tokens").sum()).sort(["n", "teacher"], descending=[True, False])
    known = chosen["tokens"].null_count() == 0
    rows = [*counts.iter_rows(), ("all", chosen.height, chosen["tokens"].sum())]
    return [(teacher, count, int(tokens) if known else None) for teacher, count, tokens in rows]


def parquet(frame: pl.DataFrame) -> bytes:
    """A frame as Parquet, the same bytes for the same rows whatever the number of threads."""
    data = io.BytesIO()
    frame.rechunk().write_parquet(data, compression="zstd", compression_level=3, row_group_size=65_536)
    return data.getvalue()


def _stages(plan: Plan) -> list[Score]:
    return [s for s in plan.stages if isinstance(s, Score) and s.name != "tokens"]


def scores(plan: Plan, rows: pl.DataFrame) -> list[pl.Expr]:
    """The scores of the spec as columns of their names, null where they were not computed."""
    kinds = {"bool": pl.Boolean, "text": pl.String, "number": pl.Float64}
    found = []
    for stage in _stages(plan):
        column = f"score:{stage.name}"
        value = pl.col(column) if column in rows.columns else pl.lit(None, dtype=kinds.get(stage.type, pl.Float64))
        found.append(value.alias(stage.name))
    return found


def _license(rows: pl.DataFrame) -> pl.Expr:
    return pl.col("license") if "license" in rows.columns else pl.lit(None, pl.String).alias("license")


def skills(rows: pl.DataFrame) -> pl.Expr:
    """The skills, none where nothing tagged the rows."""
    return pl.col("skills") if "skills" in rows.columns else NOT_TAGGED.alias("skills")


def tokens(plan: Plan, rows: pl.DataFrame) -> pl.Expr:
    """w_r: the score that counts tokens, null where nothing does."""
    stage = next(s for s in plan.stages if isinstance(s, Select))
    units = [s.name for s in plan.stages if isinstance(s, Score) and s.unit == "tokens"]
    name = stage.tokens or (units[0] if len(units) == 1 else None)
    column = f"score:{name}"
    if name is None or column not in rows.columns:
        return pl.lit(None, dtype=pl.Int64).alias("tokens")
    return pl.col(column).cast(pl.Int64).alias("tokens")
