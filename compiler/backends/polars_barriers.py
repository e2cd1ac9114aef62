"""Quantiles and ranks as columns of the frame, over rows whose `reason` is null. Knows nothing of what reads them.

A row with several skills must pass in one: a comparison with a quantile or rank within skill is made once a skill,
then joined by `or`.
"""

from collections.abc import Container, Iterator, Mapping

import polars as pl

from ..expressions import Expression, Operation, Quantile, Rank
from .polars_cuts import Cut, cut_of, with_cut
from .polars_lowering import COMPARE, PROMPT, SKILL, Lowering, group_column

Known = Mapping[int, tuple[str, str | None]]
"""By the `id` of a part of an expression the column that has its value, and of a cut the one with the last row that is kept."""
_ONE_SKILL = "mixc:skill"


def settle(frame: pl.LazyFrame, e: Expression, tie: str, known: Known | None = None) -> tuple[pl.LazyFrame, Lowering]:
    """The frame with all that `e` needs of other rows as columns `mixc:…`, and a lowering that finds them there.

    `known`: the parts of `e` that columns of the frame have already, for instance because it holds some of the rows only.
    """
    lowering = Lowering(frame.collect_schema())
    if known:
        for part, (name, last) in known.items():
            lowering.known[part] = pl.col(name)
            if last is not None:
                lowering.last[part] = pl.col(last)
        return frame, lowering
    cuts = {id(part): cut for part in _joined(e) if (cut := cut_of(part, lowering.schema)) is not None}
    for node in _barriers(e, cuts):
        if not isinstance(node, Quantile | Rank):
            frame = _settle_cut(frame, node, cuts[id(node)], tie, lowering)
            continue
        frame = _settle_skills(frame, node.of, tie, lowering)
        if node.group != SKILL and id(node) not in lowering.known:
            name = lowering.new_name()
            frame = _attach(frame, node, tie, node.group and group_column(node.group), name, lowering)
            lowering.known[id(node)] = pl.col(name)
    return _settle_skills(frame, e, tie, lowering), lowering


def place(value: str, tie: str) -> pl.Expr:
    """1 for the highest value, then by the smaller hash and the smaller row id; nulls last."""
    order = pl.arg_sort_by([value, tie, "row_id"], descending=[True, False, False], nulls_last=True)
    return order.arg_sort().cast(pl.Int64) + 1


def looks_across(e: Expression) -> bool:
    """Whether it looks at rows of other prompts."""
    return any(isinstance(node, Quantile | Rank) and node.group != PROMPT for node in nodes(e))


def looks_at_skills(e: Expression) -> bool:
    """Whether a quantile or rank in it is within skill."""
    return any(isinstance(node, Quantile | Rank) and node.group == SKILL for node in nodes(e))


def nodes(e: Expression) -> Iterator[Expression]:
    """Every part of an expression, the inner ones first."""
    if isinstance(e, Operation):
        for argument in e.arguments:
            yield from nodes(argument)
    elif isinstance(e, Quantile | Rank):
        yield from nodes(e.of)
    yield e


def _joined(e: Expression) -> Iterator[Expression]:
    """The parts of a condition that `and`, `or` and `not` join."""
    if isinstance(e, Operation) and e.operator in ("and", "or", "not"):
        for argument in e.arguments:
            yield from _joined(argument)
    else:
        yield e


def _barriers(e: Expression, cuts: Container[int] = ()) -> Iterator[Expression]:
    """The quantiles and ranks in it, the inner ones first; a cut stands for its rank."""
    match e:
        case Operation(arguments=arguments):
            for argument in arguments if id(e) not in cuts else (a.of for a in arguments if isinstance(a, Rank)):
                yield from _barriers(argument, cuts)
            if id(e) in cuts:
                yield e
        case Quantile(of=of) | Rank(of=of):
            yield from _barriers(of, cuts)
            yield e


def _attach(
    frame: pl.LazyFrame, node: Quantile | Rank, tie: str, group: str | None, name: str, lowering: Lowering
) -> pl.LazyFrame:
    value = f"{name}:of"
    alive = pl.when(pl.col("reason").is_null()).then(lowering.lower(node.of))
    found = _threshold(value, node.percent) if isinstance(node, Quantile) else _rank(value, tie)
    found = found.over(group) if group else found
    return frame.with_columns(alive.alias(value)).with_columns(found.alias(name))


def _threshold(value: str, percent: int) -> pl.Expr:
    """Nearest rank in integers: of n values not null the ceil(percent/100 n)-th smallest, at least the first."""
    position = (pl.col(value).count().cast(pl.Int64) * percent + 99) // 100 - 1
    return pl.col(value).drop_nulls().sort().get(pl.max_horizontal(position, 0), null_on_oob=True)


def _rank(value: str, tie: str) -> pl.Expr:
    return pl.when(pl.col(value).is_not_null()).then(place(value, tie))


def _settle_cut(frame: pl.LazyFrame, node: Expression, cut: Cut, tie: str, lowering: Lowering) -> pl.LazyFrame:
    """Whether each row is among the best of its group, of a row with several skills of one of them; and the last row that is."""
    frame, name = _settle_skills(frame, cut.of, tie, lowering), lowering.new_name()
    of, kept = lowering.lower(cut.of), pl.col(f"{name}:kept")
    if cut.group != SKILL:
        frame = with_cut(frame, of, cut.group and group_column(cut.group), cut.count, tie, name, large=cut.large)
        lowering.known[id(node)], lowering.last[id(node)] = kept, pl.col(f"{name}:last")
        return frame
    by_skill = frame.select("row_id", "reason", tie, of.alias(name), pl.col("skills").list.unique().alias(_ONE_SKILL))
    one = with_cut(by_skill.explode(_ONE_SKILL, empty_as_null=True), pl.col(name), _ONE_SKILL, cut.count, tie, name)
    inside = one.filter(kept).select("row_id").unique().with_columns(kept=pl.lit(value=True)).rename({"kept": f"{name}:kept"})
    lowering.known[id(node)] = pl.when(pl.col("reason").is_null() & of.is_not_null()).then(kept.fill_null(value=False))
    return frame.join(inside, on="row_id", how="left", maintain_order="left")


def _settle_skills(frame: pl.LazyFrame, e: Expression, tie: str, lowering: Lowering) -> pl.LazyFrame:
    for part in _by_skill(e):
        if id(part) not in lowering.known:
            name = lowering.new_name()
            frame = frame.join(_any_skill(frame, part, tie, name, lowering), on="row_id", how="left", maintain_order="left")
            lowering.known[id(part)] = pl.col(name)
    return frame


def _by_skill(e: Expression) -> Iterator[Expression]:
    """The smallest parts that have one answer per row and skill: comparisons, and ranks outside of any."""
    if not looks_at_skills(e):
        return
    if (isinstance(e, Rank) and e.group == SKILL) or (isinstance(e, Operation) and e.operator in (*COMPARE, "in")):
        yield e
    elif isinstance(e, Operation):
        for argument in e.arguments:
            yield from _by_skill(argument)


def _any_skill(frame: pl.LazyFrame, part: Expression, tie: str, name: str, lowering: Lowering) -> pl.LazyFrame:
    """For each row id whether the comparison holds in one of its skills; of a rank alone, the best of them."""
    frame = frame.with_columns(pl.col("skills").list.unique().alias(_ONE_SKILL)).explode(_ONE_SKILL, empty_as_null=True)
    inner = Lowering(lowering.schema, dict(lowering.known))
    for node in _outermost(part):
        if node.group == SKILL:
            column = lowering.new_name()
            frame = _attach(frame, node, tie, _ONE_SKILL, column, lowering)
            inner.known[id(node)] = pl.col(column)
    value = inner.lower(part)
    best = value.min() if isinstance(part, Rank) else value.any(ignore_nulls=False)
    return frame.group_by("row_id").agg(best.alias(name))


def _outermost(e: Expression) -> Iterator[Quantile | Rank]:
    if isinstance(e, Quantile | Rank):
        yield e
    elif isinstance(e, Operation):
        for argument in e.arguments:
            yield from _outermost(argument)
