"""The rows that a report shows, with their texts in steps: those that the build kept, else those that can be chosen of its ledger."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from ...compiler.plan.stages import Plan, Score
from ..choose_examples import choose_examples
from ..example_rows import EXAMPLES, STEPS
from .values import Example, Spoken

NO_STEPS = "the build kept no log-probabilities of steps: no score of it is cut into steps (`local_logprob` is)"
OLD = "the build was made by a version that kept no examples: they are chosen of its ledger, without the texts of dropped rows, and without their steps"


def specimens(plan: Plan, folder: Path, ledger: pl.LazyFrame) -> tuple[tuple[Example, ...], str | None]:
    """The examples in their order, and what is to be said of them beside."""
    kept = (folder / EXAMPLES).is_file()
    rows = pl.read_parquet(folder / EXAMPLES) if kept else _chosen(plan, folder, ledger)
    names = [s.name for s in plan.stages if isinstance(s, Score) and s.name in ledger.collect_schema()]
    told = {row["row_id"]: row for row in _told(ledger, rows["row_id"], names)}
    found = tuple(_example(row, told.get(row["row_id"], {}), names) for row in rows.iter_rows(named=True))
    said = OLD if not kept else NO_STEPS if rows["score"].null_count() == rows.height else None
    return found, said


def _chosen(plan: Plan, folder: Path, ledger: pl.LazyFrame) -> pl.DataFrame:
    """The same rows, with the texts of those that were selected."""
    texts = pl.scan_parquet(folder / "selected.parquet").select("row_id", "prompt", "response", "reference")
    chosen = choose_examples(plan, ledger)
    about = ledger.filter(pl.col("row_id").is_in(chosen["row_id"].implode())).select("row_id", "prompt_id", "teacher", "skills", "tokens", "reason").collect()
    texts = texts.filter(pl.col("row_id").is_in(chosen["row_id"].implode())).collect()
    joined = chosen.join(about, on="row_id", how="left", maintain_order="left").join(texts, on="row_id", how="left", maintain_order="left")
    return joined.with_columns(pl.lit(None, kind).alias(name) for name, kind in STEPS.items())


def _told(ledger: pl.LazyFrame, ids: pl.Series, names: list[str]) -> Iterator[dict[str, Any]]:
    found = ledger.filter(pl.col("row_id").is_in(ids.unique().implode())).select("row_id", "status", *names).collect()
    return found.iter_rows(named=True)


def _example(row: dict[str, Any], told: dict[str, Any], names: list[str]) -> Example:
    return Example(
        row["kind"], row["row_id"], row["prompt_id"], row["teacher"], tuple(row["skills"] or ()), row["tokens"], told.get("status") == "selected",
        row["reason"], tuple((name, told.get(name)) for name in names), row["nearness"], row["by"], row["prompt"], row["reference"], tuple(_steps(row)),
        row["score"],
    )  # fmt: skip


def _steps(row: dict[str, Any]) -> Iterator[Spoken]:
    """The response, cut where the score cut it."""
    text, start = row["response"], 0
    if text is None:
        return
    if row["step_ends"] is None:
        yield Spoken(text)
        return
    for end, tokens, logprob in zip(row["step_ends"], row["step_tokens"], row["step_logprob"], strict=True):
        yield Spoken(text[start:end], tokens, logprob / tokens if tokens else None)
        start = end
    if start < len(text):
        yield Spoken(text[start:])
