"""What selections hold and what two of them share: rows, tokens, teachers, skills at the first level. Of frames that are there; nothing is computed anew."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import polars as pl


@dataclass(frozen=True, slots=True)
class Chosen:
    """A selection by name. `teachers` and `skills`: rows of each, most first; a row counts once in each first level of its skills.

    `tokens` and `by_teacher` (tokens of each teacher) are None where the build does not know the tokens of every row.
    """

    name: str
    rows: int
    prompts: int
    tokens: int | None
    teachers: Mapping[str, int]
    by_teacher: Mapping[str, int] | None
    skills: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Of two selections the rows and the prompts that both have, and all that either has."""

    first: str
    second: str
    rows: int
    of_rows: int
    prompts: int
    of_prompts: int

    def to_data(self) -> dict[str, object]:
        """Counts, and Jaccard's share of each: what both have of what either has."""
        data: dict[str, object] = {"first": self.first, "second": self.second}
        for name, shared, of in (("rows", self.rows, self.of_rows), ("prompts", self.prompts, self.of_prompts)):
            data[name] = {"shared": shared, "of": of, "jaccard": shared / of if of else None}
        return data


def chosen(name: str, rows: pl.DataFrame) -> Chosen:
    """The selection `rows` (row_id, prompt_id, teacher, skills, tokens)."""
    known = rows["tokens"].null_count() == 0
    firsts = rows.select("row_id", pl.col("skills").list.eval(pl.element().str.split("->").list.first()).list.unique())
    by_teacher = {str(teacher): int(part["tokens"].sum()) for (teacher,), part in rows.group_by("teacher")}
    return Chosen(
        name, rows.height, rows["prompt_id"].n_unique(), int(rows["tokens"].sum()) if known else None,
        _counted(rows["teacher"]), dict(sorted(by_teacher.items())) if known else None,
        _counted(firsts["skills"].explode(empty_as_null=True).drop_nulls()),
    )  # fmt: skip


def overlaps(selections: Sequence[tuple[str, pl.DataFrame]]) -> list[Overlap]:
    """Every pair of selections, the first before those behind it."""
    held = [(name, set(rows["row_id"]), set(rows["prompt_id"])) for name, rows in selections]
    return [
        Overlap(first, second, len(rows & others), len(rows | others), len(prompts & theirs), len(prompts | theirs))
        for (first, rows, prompts), (second, others, theirs) in combinations(held, 2)
    ]


def _counted(values: pl.Series) -> dict[str, int]:
    counts = {str(name): int(count) for name, count in values.value_counts().iter_rows()}
    return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))
