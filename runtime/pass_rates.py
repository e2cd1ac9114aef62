"""`pass_rate`: of each prompt, the share of its attempts that were right. It makes grades of responses, which are scores of their own, one number a prompt.

The attempts at a prompt are all responses to it by declared teachers, so that no `where` changes the rate, wherever it stands: a row that a filter
dropped was tried all the same. Those without a text, those cut at `max_tokens`, and those of no declared teacher are none.
"""

from dataclasses import replace

import polars as pl

from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.plan.stages import Score
from .rows import Rows

PASS_RATE = "pass_rate"
UNGRADED = "no attempt at the prompt is graded"
_HELD = "mixc:held"
_BEFORE = ("scan: ", "teachers: ")


def grading(stage: Score, rows: Rows) -> Score:
    """The score that grades each attempt: the column that the stage names, or `verify_math`, whose grades are kept as its own are."""
    name = f"{stage.name}:attempt"
    if stage.reads == ("reference",):
        return replace(stage, name=name, scorer="verify_math", arguments=(), type="bool", version=1)
    return replace(stage, name=name, scorer="column", arguments=(), type="bool" if rows.schema[stage.reads[0]] == pl.Boolean() else "number")


def refuse_no_share(stage: Score, graded: Rows) -> None:
    """Fault MIX0502 where a column of numbers holds one that is no share."""
    name = f"score:{stage.name}:attempt"
    for live in graded.live([name]):
        odd = live.filter(~pl.col(name).cast(pl.Float64).is_between(0, 1))[name]
        if len(odd):
            column = stage.reads[0].removeprefix("column:")
            label = Label(stage.span, f"one row has {odd[0]}")
            help = "name a column of true and false, or one of shares"
            raise Fault(Diagnostic("MIX0502", f"column `{column}` holds numbers that are no shares: less than 0, or more than 1", label, help=help))


def attempts(rows: Rows) -> Rows:
    """The rows with every attempt as if it were still in."""
    out = pl.any_horizontal(pl.col("reason").str.starts_with(begin) for begin in _BEFORE)
    return rows.map(lambda part: part.with_columns(pl.col("reason").alias(_HELD), reason=pl.when(out).then("reason").otherwise(None)))


def shares(stage: Score, graded: Rows) -> Rows:
    """Graded attempts to rows as `score` gives them: null, and why, where no attempt has a grade. With grades that are yet to come (`open:…`), the rates
    of their prompts are yet to come too."""
    score, open_ = f"score:{stage.name}", f"open:{stage.name}"
    waits = f"{open_}:attempt" in graded.columns
    live = pl.col(_HELD).is_null()

    def one(part: pl.DataFrame) -> pl.DataFrame:
        rate = pl.col(f"{score}:attempt").cast(pl.Float64).mean().over("prompt_id")
        lacking = pl.col(f"{open_}:attempt").any().over("prompt_id") if waits else pl.lit(value=False)
        told = part.with_columns(pl.when(live & ~lacking).then(rate).alias(score), (live & lacking).alias(open_))
        why = pl.when(live & pl.col(score).is_null() & ~pl.col(open_)).then(pl.lit(UNGRADED)).otherwise(None)
        made = [name for name in part.columns if name.startswith((f"{score}:attempt", f"{open_}:attempt"))]
        found = told.with_columns(why.alias(f"{score}:why"), reason=pl.col(_HELD)).drop(*made, _HELD)
        return found if waits else found.drop(open_)

    return graded.map(one)
