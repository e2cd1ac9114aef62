"""Under which licences the selected rows of each teacher are: as the corpus says of itself, or as each row does."""

import polars as pl

from ..compiler.plan.stages import Plan, Scan, Teachers
from .rows import Rows
from .texts import FILE, ROW, Texts

UNSTATED = "not stated"


def licences(plan: Plan, rows: Rows, texts: Texts) -> dict[str, tuple[str, ...]]:
    """The licences of the rows without a reason, by teacher, sorted; those of rows that none is stated for are `not stated`. Faults of `texts`."""
    scans = {s.corpus: s for s in plan.stages if isinstance(s, Scan)}
    made = {t.name for s in plan.stages if isinstance(s, Teachers) for t in s.generated}  # an answer is not the corpus's
    chosen = rows.candidates(["row_id", "corpus", "teacher", "license", FILE, ROW])
    if any(scan.roles.license for scan in scans.values()) and "license" not in chosen.columns and FILE in chosen.columns:
        known = texts.add(chosen.filter(pl.col(FILE).is_not_null()), ("license",))
        chosen = chosen.join(known.select("row_id", "license"), on="row_id", how="left")
    own = pl.col("license") if "license" in chosen.columns else pl.lit(None, pl.String)
    whole = {name: scan.license for name, scan in scans.items() if scan.license is not None}
    stated = pl.coalesce(own, pl.col("corpus").replace_strict(whole, default=None, return_dtype=pl.String) if "corpus" in chosen.columns else None)
    found = chosen.select(pl.col("teacher").fill_null(""), pl.when(~pl.col("teacher").is_in(sorted(made))).then(stated).fill_null(UNSTATED).alias("license"))
    grouped = found.group_by("teacher").agg(pl.col("license").unique().sort()).sort("teacher")
    return {teacher: tuple(names) for teacher, names in grouped.iter_rows()}
