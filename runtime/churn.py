"""How many rows a selection changes against the build that stands in its folder. It is told and never asked: no selection looks at a former one."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl


@dataclass(frozen=True, slots=True)
class Churn:
    """Rows of the former selection, and those that are `new` and `gone` since."""

    before: int
    new: int
    gone: int

    def to_data(self) -> dict[str, int]:
        """As JSON has it."""
        return {"before": self.before, "new": self.new, "gone": self.gone}


def churn(out: Path, chosen: pl.Series) -> Churn | None:
    """The change from the rows of `out/selected.parquet` to the row ids `chosen`; None where no build stands there that can be read."""
    try:
        former = pl.read_parquet(out / "selected.parquet", columns=["row_id"])["row_id"]
    except (OSError, pl.exceptions.PolarsError):
        return None
    kept = len(set(former) & set(chosen))
    return Churn(former.len(), chosen.len() - kept, former.len() - kept)
