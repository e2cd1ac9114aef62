"""The dedup stage: of texts that are equal or nearly so, one stays. Knows rows and reasons; `copies` knows what is nearly equal.

Of prompts, all rows of the smallest prompt id of a cluster stay; of responses, the row of the smallest row id. Ids are
texts and compare as texts.
"""

import polars as pl

from ..compiler.plan.stages import Dedup
from .copies import near_copies
from .events import Notice, Watch
from .signatures import banding


def dedup(stage: Dedup, rows: pl.DataFrame, watch: Watch) -> tuple[pl.DataFrame, dict[str, object]]:
    """Set `reason`, with the evidence, on the rows of every copy, sorted by row id; rows with a reason keep theirs and are no one's original.

    Also what was found, in numbers: texts looked at, clusters, copies and rows that drop; for near-copies how they were looked for.
    """
    owner = "prompt_id" if stage.of == "prompt" else "row_id"
    live = rows.lazy().filter(pl.col("reason").is_null()).select(pl.col(owner).alias("id"), pl.col(stage.of).alias("text"))
    owners = live.drop_nulls("text").unique("id").collect()
    texts = owners.group_by("text").agg(pl.col("id").min().alias("first")).sort("first")
    equal = owners.join(texts, on="text").filter(pl.col("id") != pl.col("first")).select("id", "first", "text")
    made = banding(stage.threshold) if stage.threshold is not None and stage.method == "minhash" else None
    near = _near(stage, texts) if made else _NONE
    copies = _evidence(stage, equal, near)
    marked = rows.join(copies, left_on=owner, right_on="id", how="left")
    result = marked.with_columns(pl.coalesce("reason", "said").alias("reason")).select(rows.columns).sort("row_id")
    dropped = result["reason"].count() - rows["reason"].count()
    counts: dict[str, object] = {
        "method": stage.method, "of": stage.of, "compared": owners.height, "clusters": copies["kept"].n_unique(), "copies": copies.height,
        "equal": equal.height, "rows": dropped,
    }  # fmt: skip
    if made:
        counts |= {"threshold": stage.threshold, "bands": made.bands, "width": made.width, "recall": round(made.recall, 6)}
    if copies.height:
        chance = f"; a pair at the threshold is found with probability {made.recall:.4f}" if made else ""
        watch(Notice(stage.id, f"{copies.height:,} of {owners.height:,} {stage.of}s are copies: {dropped:,} rows dropped{chance}"))
    return result, counts


_NONE = pl.DataFrame(schema={"first": pl.String, "like": pl.String, "kept": pl.String, "shared": pl.Int64, "of": pl.Int64})


def _near(stage: Dedup, texts: pl.DataFrame) -> pl.DataFrame:
    """The texts, by their first owner, that are near-copies: of which, of which that stays, and how near."""
    assert stage.threshold is not None
    found = near_copies(texts["text"], stage.threshold, banding(stage.threshold))
    ids = texts["first"]
    data = {name: ids.gather([getattr(c, place) for c in found]) for name, place in (("first", "text"), ("like", "like"), ("kept", "kept"))}
    return pl.DataFrame({**data, "shared": [c.shared for c in found], "of": [c.of for c in found]}, schema=_NONE.schema)


def _evidence(stage: Dedup, equal: pl.DataFrame, near: pl.DataFrame) -> pl.DataFrame:
    """`id`, `kept` and what is said of each copy. An equal text of a near-copy goes with it."""
    what = "prompt" if stage.of == "prompt" else "row"
    same = "the same text as prompt " if stage.of == "prompt" else "the same response as row "
    own = near.select(id="first", like="like", kept="kept", said=_alike(what))
    via = equal.join(near, on="first", how="left").with_columns(kept=pl.coalesce("kept", "first"))
    through = pl.when(pl.col("kept") != pl.col("first")).then(pl.format(f", a copy of {what} {{}}", "kept")).otherwise(pl.lit(""))
    others = via.select(id="id", like="first", kept="kept", said=pl.concat_str(pl.lit(same), "first", through))
    every = pl.concat([own, others])
    return every.select("id", "kept", pl.concat_str(pl.lit(f"{stage.text}: "), "said").alias("said"))


def _alike(what: str) -> pl.Expr:
    """`similarity 0.873 to row X`, cut off after three digits: what is not equal never reads 1.000."""
    thousandths = (pl.col("shared") * 1000 // pl.col("of")).cast(pl.String)
    whole = pl.when(pl.col("shared") == pl.col("of")).then(pl.lit("1.000")).otherwise(pl.concat_str(pl.lit("0."), thousandths.str.zfill(3)))
    through = pl.when(pl.col("like") != pl.col("kept")).then(pl.format(f", a copy of {what} {{}}", "kept")).otherwise(pl.lit(""))
    return pl.concat_str(pl.lit("similarity "), whole, pl.lit(f" to {what} "), "like", through)
