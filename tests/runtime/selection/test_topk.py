"""The best of each group by bars and by sorting everything are the same rows."""

import numpy as np
import polars as pl
import pytest
from mixc.runtime.selection import topk as module
from mixc.runtime.selection.topk import naive, topk


def rows(seed: int, n: int = 4000) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    levels = [3, 50, 10**9][seed % 3]
    prompt = rng.integers(0, n // 3, n)
    group = rng.zipf(1.7, n).clip(1, 9).astype(np.uint8)
    if seed % 2:
        group = group[np.unique(prompt, return_index=True)[1][np.unique(prompt, return_inverse=True)[1]]]
    frame = pl.DataFrame(
        {
            "row": np.arange(n, dtype=np.uint32),
            "prompt": prompt,
            "group": group,
            "by": np.round(rng.random(n) * levels) / levels,
            "tie": rng.integers(0, 2**64, n, dtype=np.uint64),
        }
    )
    missing = pl.when(pl.col("row") % 97 == 0).then(None).when(pl.col("row") % 89 == 0).then(float("nan")).otherwise("by")
    return frame.with_columns(by=missing, group=pl.when(pl.col("row") % 61 > 0).then("group"))


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("seed", range(30))
def test_bars_leave_the_same_rows_as_a_sort(seed: int, text: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SAMPLED", 6)
    frame = rows(seed)
    frame = frame.with_columns(pl.col("group").cast(pl.String)) if text else frame
    for prompt in ("prompt", None):
        for most in (1, 30, 60, 200):
            wanted = naive(frame.lazy(), most=most, group="group", by="by", tie="tie", prompt=prompt).collect()
            shuffled = frame.sample(fraction=1.0, shuffle=True, seed=seed).lazy()
            assert topk(shuffled, most=most, group="group", by="by", tie="tie", prompt=prompt).equals(wanted)


def test_a_bar_that_is_too_high_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SAMPLED", 6)
    monkeypatch.setattr(module, "DEVIATIONS", -1.0)
    for seed in range(6):
        frame = rows(seed)
        wanted = naive(frame.lazy(), most=60, group="group", by="by", tie="tie", prompt="prompt").collect()
        assert topk(frame.lazy(), most=60, group="group", by="by", tie="tie", prompt="prompt").equals(wanted)


def test_the_sort_itself_ranks_as_plain_python_does() -> None:
    frame = rows(5, 400)
    best: dict[int, dict] = {}
    for row in frame.iter_rows(named=True):
        if row["by"] is None or row["by"] != row["by"] or row["group"] is None:
            continue
        held = best.get(row["prompt"])
        if held is None or (-row["by"], row["tie"]) < (-held["by"], held["tie"]):
            best[row["prompt"]] = row
    wanted = []
    for group in sorted({r["group"] for r in best.values()}):
        wanted += [r["row"] for r in sorted((r for r in best.values() if r["group"] == group), key=lambda r: (-r["by"], r["tie"]))[:7]]
    assert naive(frame.lazy(), most=7, group="group", by="by", tie="tie", prompt="prompt").collect()["row"].to_list() == wanted
