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
CONFTEST = Path(__file__).parents[1] / "conftest.py"
START = f"import runpy; runpy.run_path({str(CONFTEST)!r}); runpy.run_path({killed.__file__!r}, run_name='__main__')"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "2", "TOKENIZERS_PARALLELISM": "false"}


def shelf(root: Path) -> Path:
    """The folder of the steps in a store; the others hold what was read of first tokens and whole responses."""
    (identity,) = [path for path in (root / "scores").glob("*/identity.json") if json.loads(path.read_text()).get("scorer") == "local_logprob"]
    return identity.parent


def stored(root: Path) -> list[pl.DataFrame]:
    """The rows of each shard of the steps."""
    folder = shelf(root)
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
    assert {maker(beside(path)) for path in shards(shelf(tmp_path / "killed"))} == {"transformers on cpu"}
    keys = pl.concat(resumed)["key"]
    assert len(keys) == keys.n_unique() == killed.RESPONSES
    one, other = (pl.concat(frames).sort("key") for frames in (through, resumed))
    assert one["step_logprob"].explode().drop_nulls().len() > killed.RESPONSES
    assert one.equals(other, null_equal=True), "the chunks of a run that goes on are those of one that ran through: the bits are the same"
    for table in (tmp_path / "killed" / "scores").iterdir():
        found = pl.concat([frame for path in shards(table) if (frame := read_shard(path)) is not None])
        assert found["key"].is_unique().all()
