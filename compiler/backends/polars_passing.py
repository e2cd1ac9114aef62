"""The rows that pass filters, and nothing of the others: the same that `apply_where` and `apply_keep` leave, without ranking what cannot pass.

`where rank(E) within G <= K` is a contest (`polars_topk`), together with the `keep best` before it: few rows are ranked, in their prompts or at all.
"""

from collections.abc import Callable, Sequence

import polars as pl

from ..expressions import is_barrier
from ..plan.stages import Keep, Where
from .polars import refuse
from .polars_barriers import settle
from .polars_cuts import Cut, cut_of, share_of, with_cut
from .polars_lowering import SKILL, Lowering, group_column
from .polars_topk import Contest, topk

SLICES = 4
"""A sample is so many runs of rows: rows lie in the order of their ids, which are digests, or in that of their files."""
Local = Callable[[pl.LazyFrame], pl.LazyFrame]


def passing(frame: pl.LazyFrame, steps: Sequence[Where | Keep], tie: str) -> pl.Series:
    """The row ids, sorted, of the rows without a `reason` that pass all steps one after the other.

    `row_id` and `prompt_id` may be of any type that has an order. The frame is read once or a few times, and of its columns those alone that the
    steps read. The answer depends on the rows, not on their order or the number of threads. Faults as `apply_where`.
    """
    schema = frame.collect_schema()
    for step in steps:
        refuse(step.by if isinstance(step, Keep) else step.condition, schema, step.span)
    local: Local | None = _alive
    left, waiting = _alive(frame), list(steps)
    while waiting:
        keep, cut = _contest_in(waiting, schema)
        if cut is not None:
            winners = topk(_contest(frame, left, local, keep, cut, tie)).alias("row_id")
            del waiting[: 1 if keep is None else 2]
            if not waiting:
                return winners.sort()
            left, local = left.join(winners.to_frame().lazy(), on="row_id", how="semi"), None
            continue
        step = waiting.pop(0)
        here = _filter(step, tie)
        left = here(left)
        local = _then(local, here) if local is not None and isinstance(step, Where) and not is_barrier(step.condition) else None
    return left.select("row_id").collect(engine="streaming")["row_id"].sort()


def _alive(frame: pl.LazyFrame) -> pl.LazyFrame:
    return frame.filter(pl.col("reason").is_null())


def _then(first: Local, second: Local) -> Local:
    return lambda frame: second(first(frame))


def _contest_in(waiting: list[Where | Keep], schema: pl.Schema) -> tuple[Keep | None, Cut | None]:
    """The contest that the next steps are, if they are one."""
    first, *rest = waiting
    keep = first if isinstance(first, Keep) else None
    where = rest[0] if keep is not None and rest else first
    cut = cut_of(where.condition, schema) if isinstance(where, Where) else None
    if cut is None or not cut.large or is_barrier(cut.of) or (keep is not None and is_barrier(keep.by)):
        return None, None
    return keep, cut


def _filter(step: Where | Keep, tie: str) -> Local:
    def passed(rows: pl.LazyFrame) -> pl.LazyFrame:
        names = rows.collect_schema().names()
        settled, lowering = settle(rows, step.by if isinstance(step, Keep) else step.condition, tie)
        if isinstance(step, Where):
            return settled.filter(lowering.lower(step.condition)).select(names)
        kept = with_cut(settled, lowering.lower(step.by), "prompt_id", step.count, tie, "mixc:keep", large=False)
        return kept.filter("mixc:keep:kept").select(names)

    return passed


def _contest(frame: pl.LazyFrame, left: pl.LazyFrame, local: Local | None, keep: Keep | None, cut: Cut, tie: str) -> Contest:
    rows = _narrow(left, keep, cut, tie)
    return Contest(
        rows=rows, count=cut.count, sample=_sample(frame, rows, local, lambda part: _narrow(part, keep, cut, tie), share_of(cut.count)),
        each=None if keep is None else keep.count, several=cut.group == SKILL, same=keep is not None and keep.by == cut.of,
    )  # fmt: skip


def _sample(frame: pl.LazyFrame, rows: pl.LazyFrame, local: Local | None, narrow: Local, share: float) -> pl.DataFrame:
    """Groups and values of a part of the rows: by their hash where it has been looked at other rows, else runs of the frame, which cost less."""
    if local is None:
        return rows.filter(pl.col("tie") < int(share * 2**64)).select("group", "value").collect(engine="streaming")
    height = frame.select(pl.len()).collect(engine="streaming").item()
    starts, size = [i * (height // SLICES) for i in range(SLICES)], int(height * share / SLICES)
    # one by one: a plan that holds them all takes longer
    return pl.concat([narrow(local(frame.slice(start, size))).select("group", "value").collect(engine="streaming") for start in starts])


def _narrow(rows: pl.LazyFrame, keep: Keep | None, cut: Cut, tie: str) -> pl.LazyFrame:
    """The columns of a contest."""
    lowering = Lowering(rows.collect_schema())
    group = pl.lit(0, pl.UInt8) if cut.group is None else pl.col("skills").list.unique() if cut.group == SKILL else pl.col(group_column(cut.group))
    columns = {"row": pl.col("row_id"), "group": group, "value": lowering.lower(cut.of), "tie": pl.col(tie)}
    if keep is not None:
        columns["prompt"] = pl.col("prompt_id")
        if keep.by != cut.of:
            columns["best"] = lowering.lower(keep.by)
    narrow = rows.select(**columns)
    narrow = narrow.filter(pl.col("best" if "best" in columns else "value").is_not_null())
    return narrow.explode("group", empty_as_null=True) if cut.group == SKILL else narrow
