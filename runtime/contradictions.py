"""Rows that are the same, and rows that cannot both be true. Knows ids and columns, nothing of files beyond their names."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.source import Span
from .identity import by_row_id
from .texts import FILE, PROMPT, REFERENCE, ROW, Texts

_SHOWN = 60


def has_prompt() -> pl.Expr:
    """Whether the row has the text of a prompt: what the scan says of one that has none."""
    return ~pl.col("reason").str.starts_with("scan: the prompt is ").fill_null(value=False)


def refuse_two_prompts(rows: pl.DataFrame, span: Span, texts: Texts, *, places: bool = True) -> None:
    """Fault MIX0504 if one prompt id stands for two prompt texts; rows without a prompt say nothing of it.

    The prompts are told apart by their digest, `mixc:prompt`; what is shown is read by `texts`, with the rows' `places` in their files.
    """
    told = rows.filter(has_prompt())
    pairs = told.select("prompt_id", PROMPT).unique()
    doubled = pairs.filter(pl.col("prompt_id").is_duplicated())["prompt_id"].min()
    if doubled is None:
        return
    group = _shown(told.filter(pl.col("prompt_id") == doubled), "prompt", texts, places)
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


def collapse(rows: pl.DataFrame, used: Sequence[str], span: Span, texts: Texts, *, places: bool = True) -> tuple[pl.DataFrame, int]:
    """One row of each row id, sorted by it as `rows` are, and how many went; Fault MIX0504 if equal rows differ in their prompt id or a used column.

    Rows with a `reason` (they lack a text) may differ: the smallest by the values of those columns stays.
    """
    id = pl.col("row_id")
    alike = rows.filter((id == id.shift(1)).fill_null(value=False) | (id == id.shift(-1)).fill_null(value=False))
    if not alike.height:
        return rows, 0
    told = alike.filter(pl.col("reason").is_null())
    for name in ("prompt_id", *used):
        pairs = told.select("row_id", name).unique()
        doubled = pairs.filter(pl.col("row_id").is_duplicated())["row_id"].min()
        if doubled is not None:
            shown = "reference" if name == REFERENCE else name
            raise _differ(_shown(told.filter(pl.col("row_id") == doubled), shown, texts, places), shown, span)
    last = [name for name in ("corpus", FILE, ROW) if name in rows.columns]
    dead = alike.filter(pl.col("reason").is_not_null())
    if REFERENCE in used:
        dead = texts.add(dead, ["reference"])
    names = ["reference" if name == REFERENCE else name for name in used]
    keys = [_as_text(name, dead.schema[name]) for name in ("row_id", "prompt_id", *names, *last[:1])]
    kept = pl.concat([
        told.sort("row_id", *last).unique("row_id", keep="first", maintain_order=True),
        dead.sort(*keys, *last[1:]).unique("row_id", keep="first", maintain_order=True).select(rows.columns),
    ])  # fmt: skip
    others = rows.join(alike.select("row_id").unique(), on="row_id", how="anti", maintain_order="left")
    return by_row_id(pl.concat([others, kept])), alike.height - kept.height


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


def _shown(rows: pl.DataFrame, name: str, texts: Texts, places: bool) -> pl.DataFrame:
    """The rows that a message shows, with the column that they differ in, in the order of their places or, without these, of their ids."""
    shown = texts.add(rows, [name])
    shown = texts.placed(shown) if places else shown
    return shown.sort([n for n in ("corpus", *((FILE, ROW) if places else ()), "row_id") if n in shown.columns])


def _apart(a: Any, b: Any) -> tuple[str, str]:
    """Two values, cut so that the place where they differ is in sight."""
    if not isinstance(a, str) or not isinstance(b, str):
        return tuple("null" if value is None else f"`{value}`" for value in (a, b))  # type: ignore[return-value]
    same = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    start = max(0, same - _SHOWN // 2) if max(len(a), len(b)) > _SHOWN else 0
    return tuple(f"{'…' if start else ''}{t[start:start + _SHOWN]!r}{'…' if len(t) > start + _SHOWN else ''}" for t in (a, b))  # type: ignore[return-value]
