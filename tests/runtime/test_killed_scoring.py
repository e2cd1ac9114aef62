"""A scoring that is killed again and again ends with the rows of one that ran through: each once, and the same values."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from mixc.runtime.inventory import maker
from mixc.runtime.shelf import beside, read_shard, shards
from mixc.tests.runtime import killed
from mixc.tests.runtime.tiny import make_tiny_student

KILLS = 10
# Nats. Rows that are left over after a kill are batched anew, which moves the last bits of float32.
TOLERANCE = 1e-6
CONFTEST = Path(__file__).parents[1] / "conftest.py"
START = f"import runpy; runpy.run_path({str(CONFTEST)!r}); runpy.run_path({killed.__file__!r}, run_name='__main__')"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "2", "TOKENIZERS_PARALLELISM": "false"}


def stored(root: Path) -> list[pl.DataFrame]:
    """The rows of each shard of the only shelf in a store."""
    (folder,) = (root / "scores").iterdir()
    found = [read_shard(path) for path in shards(folder)]
    assert not list(folder.glob("*.corrupt")) and not list(folder.glob(".mixc-tmp-*"))
    return [frame for frame in found if frame is not None]


@pytest.mark.slow
def test_two_thousand_responses_killed_ten_times(tmp_path: Path) -> None:
    model = make_tiny_student(tmp_path / "student", context=256)
    done = subprocess.run(
        [sys.executable, "-c", START, str(model), str(tmp_path), str(KILLS)],
        env={**os.environ, **ONE_THREAD}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout)
    assert told["ended"] == [0, *[signal.SIGKILL] * KILLS, 0], done.stderr[-3000:]
    assert len(set(told["kept"])) > 3, "too few of the runs kept a shard before they were killed"

    through, resumed = stored(tmp_path / "through"), stored(tmp_path / "killed")
    assert {maker(beside(path)) for path in shards(next((tmp_path / "killed" / "scores").iterdir()))} == {"transformers on cpu"}
    keys = pl.concat(resumed)["key"]
    assert len(keys) == keys.n_unique() == killed.RESPONSES
    one, other = (pl.concat(frames).sort("key") for frames in (through, resumed))
    assert one["key"].equals(other["key"])
    for name in ("why", "step_tokens", "step_context"):
        assert one[name].equals(other[name], null_equal=True)
    for name in ("step_logprob", "step_first"):
        pair = pl.DataFrame({"a": one[name].explode(), "b": other[name].explode()}).drop_nulls()
        per_token = (pair["a"] - pair["b"]).abs() / (one["step_tokens"].explode().drop_nulls() if name == "step_logprob" else 1)
        assert len(pair) > killed.RESPONSES and per_token.max() <= TOLERANCE  # type: ignore[operator]
