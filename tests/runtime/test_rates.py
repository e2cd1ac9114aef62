"""Rates that runs leave behind, and totals from a sample."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from mixc.runtime.events import Passed
from mixc.runtime.rates import FILE, Rate, rate, remember
from mixc.runtime.sampling import sample, total


def passed(tokens: int, seconds: float, *, weights: str = "w", device: str = "cpu", dtype: str = "bf16") -> Passed:
    return Passed(stage="s", tokens=tokens, seconds=seconds, student="x", weights=weights, dtype=dtype, engine="transformers", device=device)


def test_the_rate_is_the_median_of_the_runs_on_the_device_of_the_last(tmp_path: Path) -> None:
    for each in (passed(9_000, 1.0, device="H200"), passed(100, 1.0), passed(300, 1.0), passed(400, 2.0), passed(5, 1.0, weights="other")):
        remember(tmp_path, each)
    assert rate(tmp_path, "w", "bf16") == Rate(200.0, 3, "cpu")
    assert rate(tmp_path, "other", "bf16") == Rate(5.0, 1, "cpu")
    assert rate(tmp_path, "w", "bf16", "train") is None
    remember(tmp_path, replace(passed(7, 1.0), what="train"))
    assert rate(tmp_path, "w", "bf16", "train") == Rate(7.0, 1, "cpu") and rate(tmp_path, "w", "bf16") == Rate(200.0, 3, "cpu")
    remember(tmp_path, replace(passed(9, 1.0), engine="vllm"))
    assert rate(tmp_path, "w", "bf16", engine="vllm") == Rate(9.0, 1, "cpu") == rate(tmp_path, "w", "bf16")
    assert rate(tmp_path, "w", "bf16", engine="transformers") == Rate(200.0, 3, "cpu")
    assert rate(tmp_path, "w", "fp32") is None and rate(tmp_path / "nowhere", "w", "bf16") is None


def test_old_runs_are_forgotten_and_damaged_lines_are_none(tmp_path: Path) -> None:
    for tokens in [1] * 20 + [100] * 9:
        remember(tmp_path, passed(tokens, 1.0))
    with (tmp_path / FILE).open("a") as file:
        file.write('{"tokens": 3, "seco\n[]\n{"tokens": 1, "seconds": 0, "weights": "w"}\n')
    assert rate(tmp_path, "w", "bf16") == Rate(100.0, 9, "cpu")


def test_nothing_read_leaves_no_rate(tmp_path: Path) -> None:
    remember(tmp_path, passed(0, 1.0))
    remember(tmp_path, passed(10, 0.0))
    assert not (tmp_path / FILE).exists()


def many(n: int) -> tuple[pl.DataFrame, dict[str, int]]:
    chance = np.random.default_rng(1)
    lengths = chance.integers(20, 900, n)
    frame = pl.DataFrame({"key": [f"k{i}" for i in range(n)], "prompt": ["p" * 40] * n, "response": ["r" * int(k) for k in lengths]})
    return frame, {f"k{i}": int((lengths[i] + 40) / 4 + chance.integers(-9, 10)) for i in range(n)}


def test_a_total_is_exact_as_long_as_it_is_counted_whole() -> None:
    frame, tokens = many(300)
    found = total(frame, "key", lambda few: {k: tokens[k] for k in few["key"]}, True, limit=300)
    assert found.exact and found.value == sum(tokens.values()) and found.error is None


def test_a_total_by_a_sample_is_near_and_knows_how_near_and_is_the_same_each_time() -> None:
    frame, tokens = many(3_000)
    asked: list[int] = []

    def count(few: pl.DataFrame) -> dict[str, int]:
        asked.append(few.height)
        return {k: tokens[k] for k in few["key"]}

    found = total(frame, "key", count, True, limit=100, size=400)
    again = total(frame.reverse(), "key", count, True, limit=100, size=400)
    assert asked == [400, 400] and not found.exact
    assert abs(found.value - again.value) < 1e-6 * found.value and found.error is not None
    assert abs(found.value - sum(tokens.values())) < 4 * found.error < 0.05 * found.value
    assert sample(frame, "key", 50)["key"].to_list() == sample(frame.reverse(), "key", 50)["key"].to_list()
