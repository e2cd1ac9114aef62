"""The dedup stage: of texts that are equal or nearly so, one stays. Knows rows and reasons; `copies` knows what is nearly equal.

Of prompts, all rows of the smallest prompt id of a cluster stay; of responses, the row of the smallest row id. Ids are
texts and compare as texts. Texts are read some at a time and never held: equal ones are those of the same digest.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl

from ..compiler.plan.stages import Dedup
from .copies import near_copies
from .events import Notice, Watch
from .identity import digest
from .read_texts import places, read_texts
from .signatures import Banding, banding
from .texts import Texts


def dedup(stage: Dedup, rows: pl.DataFrame, texts: Texts, watch: Watch) -> tuple[pl.DataFrame, dict[str, object]]:
    """Set `reason`, with the evidence, on the rows of every copy, sorted by row id; rows with a reason keep theirs and are no one's original.

    Also what was found, in numbers: texts looked at, clusters, copies and rows that drop; for near-copies how they were looked for.
    Of `rows` the ids, the reason and where they were read are enough: `texts` reads the texts. Faults as `Texts.add`.
    """
    owner = "prompt_id" if stage.of == "prompt" else "row_id"
    owners = _owners(stage, rows, owner, texts)
    unique = owners.sort("id").unique("same", keep="first", maintain_order=True)
    named = owners.select("id", "same").join(unique.select("same", first="id"), on="same")
    equal = named.filter(pl.col("id") != pl.col("first")).select("id", "first")
    made = banding(stage.threshold) if stage.threshold is not None and stage.method == "minhash" else None
    near = _near(stage, unique, made, texts) if made else _NONE
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


def _owners(stage: Dedup, rows: pl.DataFrame, owner: str, texts: Texts) -> pl.DataFrame:
    """The `id` of each prompt or row that is still in, the digest `same` of its text, and where the text is read."""
    live = places(rows, stage.of).unique(owner, keep="first", maintain_order=True)
    return pl.concat(
        part.drop_nulls(stage.of).select(pl.col(owner).alias("id"), digest(stage.of).alias("same"), *live.columns)
        for part in (live.with_columns(pl.lit("").alias(stage.of)).head(0), *read_texts(live, stage.of, texts))
    )


def _near(stage: Dedup, unique: pl.DataFrame, made: Banding, texts: Texts) -> pl.DataFrame:
    """The texts, by their first owner, that are near-copies: of which, of which that stays, and how near."""
    assert stage.threshold is not None
    numbered = unique.drop("id", "same").with_row_index("mixc:number")

    def read(which: np.ndarray) -> Iterator[tuple[np.ndarray, pl.Series]]:
        for part in read_texts(numbered[which], stage.of, texts):
            yield part["mixc:number"].to_numpy().astype(np.int64), part[stage.of]

    found = near_copies(unique.height, read, stage.threshold, made)
    data = {name: unique["id"].gather([getattr(c, place) for c in found]) for name, place in (("first", "text"), ("like", "like"), ("kept", "kept"))}
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
