"""Grades real responses: rows a second, agreement with their labels and why they differ, and whether the short cut ever contradicts math-verify.

Usage: python benchmarks/bench_grading.py [DATA_FOLDER] [--disagreements FILE]; the folder holds teachers.parquet (default: $MIXC_SHARED,
or ../shared/data). FILE gets a line of JSON for each row whose grade is not its label, with its class.
"""

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
from disagreements import kind
from mixc.runtime.scorers.graders import Grade, grade_choice, grade_exact, grade_math
from mixc.runtime.scorers.mathematics import judge, surely_equal

GRADERS: dict[str, Callable[[Sequence[tuple[str, str | None]]], list[Grade]]] = {
    "gsm8k": grade_math, "math_l5": grade_math, "crux": grade_exact, "mmlu_pro": grade_choice,
}  # fmt: skip


def main() -> None:
    """Print a line for each corpus, and under it its classes of disagreement with their counts."""
    asked = argparse.ArgumentParser()
    asked.add_argument("folder", nargs="?", type=Path, default=Path(os.environ.get("MIXC_SHARED", "../shared/data")))
    asked.add_argument("--disagreements", type=Path, metavar="FILE")
    arguments = asked.parse_args()
    found: list[dict[str, object]] = []
    for corpus, grader in GRADERS.items():
        rows = pl.scan_parquet(arguments.folder / "teachers.parquet").filter(pl.col("corpus") == corpus).collect()
        pairs = list(zip(rows["response"], rows["reference_answer"], strict=True))
        began = time.perf_counter()
        grades = grader(pairs)
        seconds = time.perf_counter() - began
        differ = _disagreements(corpus, rows, grades)
        unknown = sum(grade.value is None for grade in grades)
        line = f"{corpus}: {len(pairs):,} rows, {len(pairs) / seconds:,.0f} rows/s, {1 - len(differ) / len(pairs):.2%} agree, {unknown} unknown"
        if grader is grade_math:
            sure = [pair for pair in pairs if surely_equal(*pair)]
            line += f"; short cut {len(sure):,}, against math-verify {sum(not judge(pair) for pair in sure)}"
        print(line)
        for (why, correct), count in Counter((row["class"], row["correct"]) for row in differ).most_common():
            print(f"  {count:>5}  label {str(correct).lower():<5}  {why}", flush=True)
        found += differ
    if arguments.disagreements:
        arguments.disagreements.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found), encoding="utf-8")


def _disagreements(corpus: str, rows: pl.DataFrame, grades: Sequence[Grade]) -> list[dict[str, object]]:
    differ = []
    for row, grade in zip(rows.iter_rows(named=True), grades, strict=True):
        if grade.value != row["correct"]:
            why = kind(corpus, row["response"], row["reference_answer"], row["final_answer"], row["correct"], grade.value)
            place = {name: row[name] for name in ("corpus", "prompt_id", "teacher", "reference_answer", "final_answer", "correct")}
            differ.append(place | {"grade": grade.value, "why": grade.why, "class": why})
    return differ


if __name__ == "__main__":
    main()
