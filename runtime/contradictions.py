"""Rows that are the same, and rows that cannot both be true. Knows ids and columns, nothing of files beyond their names."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.source import Span

_SHOWN = 60


def refuse_two_prompts(rows: pl.DataFrame, span: Span) -> None:
    """Fault MIX0504 if one prompt id stands for two prompt texts; rows without a prompt say nothing of it."""
    told = rows.filter(pl.col("prompt").str.strip_chars() != "")
    pairs = told.select("prompt_id", "prompt").unique()
    doubled = pairs.filter(pl.col("prompt_id").is_duplicated())["prompt_id"].min()
    if doubled is None:
        return
    group = _in_order(told.filter(pl.col("prompt_id") == doubled))
    first = group.row(0, named=True)
    other = group.filter(pl.col("prompt") != first["prompt"]).row(0, named=True)
    a, b = _apart(first["prompt"], other["prompt"])
    raise Fault(
        Diagnostic(
            "MIX0504", f"the prompt id `{doubled}` stands for two prompts", Label(span, "an id names one prompt text"),
            notes=(f"{a} in {place(first)}", f"{b} in {place(other)}"),
            help="give each prompt its own id, or remove the `id` clause: ids are then taken from the prompts",
        )
    )  # fmt: skip


def collapse(rows: pl.DataFrame, used: Sequence[str], span: Span) -> tuple[pl.DataFrame, int]:
    """One row of each row id, and how many went; Fault MIX0504 if equal rows differ in their prompt id or a used column.

    Rows with a `reason` (they lack a text) may differ: the smallest by the values of those columns stays.
    """
    alike = rows.filter(pl.col("row_id").is_duplicated())
    if not alike.height:
        return rows, 0
    told = alike.filter(pl.col("reason").is_null())
    for name in ("prompt_id", *used):
        pairs = told.select("row_id", name).unique()
        doubled = pairs.filter(pl.col("row_id").is_duplicated())["row_id"].min()
        if doubled is not None:
            raise _differ(_in_order(told.filter(pl.col("row_id") == doubled)), name, span)
    keys = [_as_text(name, rows.schema[name]) for name in ("row_id", "prompt_id", *used, *(n for n in ("corpus",) if n in rows.columns))]
    kept = alike.sort(keys).unique("row_id", keep="first", maintain_order=True)
    others = rows.filter(~pl.col("row_id").is_duplicated())
    return pl.concat([others, kept]), alike.height - kept.height


def _as_text(name: str, dtype: pl.DataType) -> pl.Expr:
    return pl.col(name).list.join("\n") if isinstance(dtype, pl.List) else pl.col(name).cast(pl.String)


def place(row: dict[str, Any]) -> str:
    """Where a row was read, in words."""
    if "file" not in row:
        return f"the corpus `{row['corpus']}`"
    return f"`{row['file']}`, {'line' if _is_lines(row['file']) else 'row'} {row['row']}"


def _is_lines(path: str) -> bool:
    return any(ending in path.lower().rsplit("/", 1)[-1] for ending in (".jsonl", ".ndjson", ".json"))


def _differ(group: pl.DataFrame, name: str, span: Span) -> Fault:
    first = group.row(0, named=True)
    other = group.filter(pl.col(name).ne_missing(pl.lit(first[name], dtype=group.schema[name]))).row(0, named=True)
    column = {"prompt_id": "id"}.get(name, name.removeprefix("column:"))
    a, b = _apart(first[name], other[name])
    return Fault(
        Diagnostic(
            "MIX0504", f"two rows with the same prompt, response and teacher differ in `{column}`",
            Label(span, "equal rows are one row, with one value in each column"),
            notes=(f"{a} in {place(first)}", f"{b} in {place(other)}"),
            help="leave one of them out, or make them agree",
        )
    )  # fmt: skip


def _in_order(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.sort([name for name in ("corpus", "file", "row", "row_id") if name in rows.columns])


def _apart(a: Any, b: Any) -> tuple[str, str]:
    """Two values, cut so that the place where they differ is in sight."""
    if not isinstance(a, str) or not isinstance(b, str):
        return tuple("null" if value is None else f"`{value}`" for value in (a, b))  # type: ignore[return-value]
    same = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    start = max(0, same - _SHOWN // 2) if max(len(a), len(b)) > _SHOWN else 0
    return tuple(f"{'…' if start else ''}{t[start:start + _SHOWN]!r}{'…' if len(t) > start + _SHOWN else ''}" for t in (a, b))  # type: ignore[return-value]
