"""Grades real responses: rows a second, agreement with their labels, and whether the short cut ever contradicts math-verify.

Usage: python benchmarks/bench_grading.py [DATA_FOLDER]; the folder holds teachers.parquet (default: $MIXC_SHARED, or ../shared/data).
"""

import os
import sys
import time
from pathlib import Path

import polars as pl
from mixc.runtime.scorers.graders import grade_math
from mixc.runtime.scorers.mathematics import judge, surely_equal


def main() -> None:
    """Print a line for each corpus that has a mathematical answer."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("MIXC_SHARED", "../shared/data"))
    for corpus in ("gsm8k", "math_l5"):
        rows = pl.scan_parquet(folder / "teachers.parquet").filter(pl.col("corpus") == corpus).collect()
        pairs = list(zip(rows["response"], rows["reference_answer"], strict=True))
        began = time.perf_counter()
        grades = grade_math(pairs)
        seconds = time.perf_counter() - began
        agree = sum(grade.value == correct for grade, correct in zip(grades, rows["correct"], strict=True))
        unknown = sum(grade.value is None for grade in grades)
        sure = [pair for pair in pairs if surely_equal(*pair)]
        against = sum(not judge(pair) for pair in sure)
        print(
            f"{corpus}: {len(pairs):,} rows, {len(pairs) / seconds:,.0f} rows/s, {agree / len(pairs):.2%} agree, {unknown} unknown; "
            f"short cut {len(sure):,}, against math-verify {against}",
            flush=True,
        )


if __name__ == "__main__":
    main()
