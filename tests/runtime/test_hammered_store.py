"""The store under many processes at once: what was told as kept is there, once and whole, whoever was killed and whatever was tidied."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from mixc.runtime.shelf import read_shard, shards
from mixc.runtime.store import Store
from mixc.runtime.tidy import tidy
from mixc.tests.runtime import hammered

CONFTEST = Path(__file__).parents[1] / "conftest.py"
START = f"import runpy; runpy.run_path({str(CONFTEST)!r}); runpy.run_path({hammered.__file__!r}, run_name='__main__')"


def run(mode: str, root: Path, count: int) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", START, mode, str(root), str(count)],
        env={**os.environ, "POLARS_MAX_THREADS": "1"}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def check(root: Path, told: dict[str, list[int]]) -> None:
    shelf = Store(root).shelf("ab", {"scorer": "x"})
    values = dict(shelf.load(schema=hammered.SCHEMA, say=pytest.fail).select("key", "v").rows())
    for who, numbers in told.items():
        assert numbers == list(range(len(numbers)))
        assert [n for n in numbers if values.get(f"{who}-{n}") != n or values.get(f"all-{n}") != n] == []
    assert all(value == float(key.partition("-")[2]) for key, value in values.items())
    assert not list(shelf.folder.glob("*.corrupt"))
    assert all(read_shard(path) is not None for path in shards(shelf.folder))


def test_forty_writers_killed_at_random_moments_lose_nothing_that_was_told(tmp_path: Path) -> None:
    root = tmp_path / "store"
    found = run("killed", root, 40)
    assert found["ended"].count(signal.SIGKILL) > 20, "too few were killed at work"
    check(root, found["told"])
    shelf = Store(root).shelf("ab", {"scorer": "x"})
    shelf.append(pl.DataFrame({"key": ["last"], "v": [0.0], "bulk": [""]}))
    assert not list(shelf.folder.glob(".mixc-tmp-*")), "the next write sweeps what was left"


def test_what_is_appended_while_the_store_is_tidied_stays(tmp_path: Path) -> None:
    root = tmp_path / "store"
    found = run("tidied", root, 3)
    assert found["ended"] == [0] * 5 and found["lost"] == 0
    assert found["merges"] > 1 and found["reads"] > 1
    assert {len(numbers) for numbers in found["told"].values()} == {hammered.SHARDS}
    check(root, found["told"])
    list(tidy(Store(root), act=True))
    check(root, found["told"])
    shelf = Store(root).shelf("ab", {"scorer": "x"})
    frames = [read_shard(path) for path in shards(shelf.folder)]
    assert len(frames) <= 16 and set(shelf.origins()["engine"]) == {"w"}
