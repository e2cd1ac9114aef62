"""Tables of candidates for the selection benchmarks, made from a seed and kept as Parquet files.

`plain`: 118 skills, 5 teachers, 5 rows a prompt, in order. `hard`: the same columns, but shuffled over the files, 1 to 9 rows a prompt,
Zipf skills and some 80 values of the objective, so that most rows tie.
"""

from pathlib import Path

import numpy as np
import polars as pl

SKILLS, TEACHERS, PART = 118, 5, 1_000_000


def candidates(folder: Path, kind: str, rows: int) -> Path:
    """The folder of the table's files; they are made where they are not there yet."""
    if kind not in ("plain", "hard"):
        raise ValueError(f"a table is plain or hard, not {kind}")
    made = folder / f"{kind}-{rows}"
    if (made / "done").exists():
        return made
    made.mkdir(parents=True, exist_ok=True)
    sizes = [min(PART, rows - start) for start in range(0, rows, PART)]
    first = 0
    for part, size in enumerate(sizes):
        frame = _part(kind, part, size, first)
        first = int(frame["prompt"].max()) + 1  # pyright: ignore[reportArgumentType, reportOperatorIssue]
        frame.write_parquet(made / f"{part:04}.parquet", compression="zstd", row_group_size=250_000)
    if kind == "hard":
        _shuffle(made, len(sizes))
    (made / "done").touch()
    return made


def _part(kind: str, part: int, size: int, first: int) -> pl.DataFrame:
    rng = np.random.Generator(np.random.PCG64([7, part]))
    per_prompt = np.full(size // 5 + 1, 5) if kind == "plain" else rng.integers(1, 10, size)
    place = np.repeat(np.arange(len(per_prompt)), per_prompt)[:size]
    weights = np.ones(SKILLS) if kind == "plain" else 1.0 / np.arange(1, SKILLS + 1)
    skill_of = rng.choice(SKILLS, len(per_prompt), p=weights / weights.sum()).astype(np.uint8)
    within = np.arange(size) - np.searchsorted(place, place)
    skill = skill_of[place]
    teacher = (within % TEACHERS if kind == "plain" else rng.integers(0, TEACHERS, size)).astype(np.uint8)
    tokens = np.clip(rng.lognormal(5.5 + 0.1 * teacher, 0.6), 16, 8000).astype(np.int64)
    # Easy skills and strong teachers score higher, so that without quotas they would take the whole selection.
    objective = -np.abs(rng.normal(1.2, 0.4, size)) - 0.004 * skill - 0.05 * (teacher % 3) - 2e-5 * tokens
    if kind == "hard":
        objective = np.maximum(np.round(objective * 32) / 32, -2.5)
    return pl.DataFrame(
        {
            "row": np.arange(part * PART, part * PART + size, dtype=np.uint32),
            "prompt": (place + first).astype(np.uint32),
            "skill": skill,
            "teacher": teacher,
            "tokens": tokens,
            "objective": objective,
            "tie": rng.integers(0, 2**64, size, dtype=np.uint64),
            "correct": rng.random(size) < 0.7,
        }
    )


def _shuffle(folder: Path, parts: int) -> None:
    """Deal the rows over all files: each file is cut into as many pieces at random, and file i is made of all pieces i."""
    pieces = folder / "pieces"
    pieces.mkdir(exist_ok=True)
    for part in range(parts):
        frame = pl.read_parquet(folder / f"{part:04}.parquet")
        rng = np.random.Generator(np.random.PCG64([11, part]))
        target = rng.integers(0, parts, frame.height)
        for i in range(parts):
            frame.filter(pl.Series(target == i)).write_parquet(pieces / f"{i:04}-{part:04}.parquet", compression="lz4")
    for i in range(parts):
        frame = pl.read_parquet(pieces / f"{i:04}-*.parquet")
        order = np.random.Generator(np.random.PCG64([13, i])).permutation(frame.height)
        frame[order].write_parquet(folder / f"{i:04}.parquet", compression="zstd", row_group_size=250_000)
    for file in pieces.iterdir():
        file.unlink()
    pieces.rmdir()
