"""The store and its files: whole or not there, whatever is killed, full, damaged or done twice at once."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from mixc.compiler.diagnostics import Fault
from mixc.runtime import files
from mixc.runtime.shelf import Shelf
from mixc.runtime.store import Store, fingerprint

ROOT = Path(__file__).parents[2]
SCHEMA: dict[str, pl.DataType] = {"v": pl.Float64()}
BOOT = f"""
import importlib.util, os, resource, sys
from pathlib import Path
root = {str(ROOT)!r}
spec = importlib.util.spec_from_file_location("mixc", root + "/__init__.py", submodule_search_locations=[root])
sys.modules["mixc"] = importlib.util.module_from_spec(spec)
import polars as pl
from mixc.compiler.diagnostics import Fault
from mixc.runtime import files
from mixc.runtime.store import Store
"""


def frame(keys: list[str], value: float = 0.0) -> pl.DataFrame:
    return pl.DataFrame({"key": keys, "v": [value] * len(keys)})


def shelf(root: Path) -> Shelf:
    return Store(root).shelf("ab", {"scorer": "x"})


def run(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", BOOT + code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def as_root() -> bool:
    return os.geteuid() == 0


def test_what_is_appended_is_loaded_sorted_by_key_and_only_what_was_asked(tmp_path: Path) -> None:
    one = shelf(tmp_path)
    one.append(frame(["c", "a"], 1.5))
    one.append(frame(["b"], 2.5))
    assert one.load(schema=SCHEMA).rows() == [("a", 1.5), ("b", 2.5), ("c", 1.5)]
    assert one.load(["c", "zz"]).rows() == [("c", 1.5)]
    assert json.loads((one.folder / "identity.json").read_text()) == {"scorer": "x"}


def test_an_empty_shelf_has_the_schema_and_reading_makes_no_folder(tmp_path: Path) -> None:
    empty = shelf(tmp_path / "store").load(["a"], schema=SCHEMA)
    assert empty.schema == {"key": pl.String(), "v": pl.Float64()} and len(empty) == 0
    assert not (tmp_path / "store").exists()


def test_a_fingerprint_is_of_the_meaning_not_of_the_order(tmp_path: Path) -> None:
    assert fingerprint({"a": 1, "b": [None, "é"]}) == fingerprint({"b": [None, "é"], "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": "1"}) != fingerprint({"a": 1.5})


def test_of_two_values_of_a_key_the_same_wins_whatever_the_order_of_writing(tmp_path: Path) -> None:
    shards = [frame(["a", "b"], value) for value in (1.0, 2.0, 3.0, 4.0)]
    winners = []
    for name, order in (("x", shards), ("y", shards[::-1])):
        for shard in order:
            shelf(tmp_path / name).append(shard)
        winners.append(shelf(tmp_path / name).load().rows())
    assert winners[0] == winners[1] and len(winners[0]) == 2


def flipped(data: bytes) -> bytes:
    return data[:40] + bytes([data[40] ^ 1]) + data[41:]


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def emptied(data: bytes) -> bytes:
    return b""


@pytest.mark.parametrize("damage", [flipped, cut, emptied])
def test_a_damaged_shard_is_set_aside_said_and_can_be_written_again(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    one = shelf(tmp_path)
    one.append(frame(["a"]))
    one.append(frame(["b"]))
    bad = next(p for p in one.folder.glob("*.parquet") if pl.read_parquet(p)["key"][0] == "a")
    bad.write_bytes(damage(bad.read_bytes()))
    said: list[str] = []
    assert one.load(schema=SCHEMA, say=said.append)["key"].to_list() == ["b"]
    assert len(said) == 1 and str(bad) in said[0]
    assert bad.with_suffix(".corrupt").exists() and not bad.exists()
    one.append(frame(["a"]))
    assert one.load(schema=SCHEMA, say=said.append)["key"].to_list() == ["a", "b"]
    assert len(said) == 1


def test_a_shard_of_other_columns_is_set_aside(tmp_path: Path) -> None:
    one = shelf(tmp_path)
    one.append(pl.DataFrame({"key": ["a"], "other": ["text"]}))
    said: list[str] = []
    assert len(one.load(schema=SCHEMA, say=said.append)) == 0
    assert len(said) == 1


APPEND = """
shelf = Store(Path(sys.argv[1])).shelf("ab", {"scorer": "x"})
for i in range(40):
    shelf.append(pl.DataFrame({"key": [f"{sys.argv[2]}-{i:03}", f"both-{i:03}"], "v": [float(i), float(i)]}))
    print(i, flush=True)
"""


def test_two_processes_append_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    writers = [run(APPEND, tmp_path, name) for name in ("p", "q")]
    while any(w.poll() is None for w in writers):
        shelf(tmp_path).load(schema=SCHEMA, say=pytest.fail)
    assert [w.wait() for w in writers] == [0, 0]
    expected = {f"{name}-{i:03}": float(i) for name in ("p", "q", "both") for i in range(40)}
    assert dict(shelf(tmp_path).load(schema=SCHEMA).rows()) == expected
    assert not list(shelf(tmp_path).folder.glob(f"{files.TEMPORARY}*"))


@pytest.mark.parametrize("after", [0, 3, 17])
def test_a_kill_loses_no_shard_that_was_appended(tmp_path: Path, after: int) -> None:
    writer = run(APPEND, tmp_path, "p")
    assert writer.stdout is not None
    while int(writer.stdout.readline()) < after:
        pass
    time.sleep(0.003 * after)
    writer.kill()
    writer.wait()
    found = shelf(tmp_path).load(schema=SCHEMA, say=pytest.fail)["key"].to_list()
    assert found[: after + 1] == [f"both-{i:03}" for i in range(after + 1)]


FULL = """
root, limit = Path(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
big = pl.DataFrame({"key": [os.urandom(16).hex() for _ in range(20000)]}).with_columns(v=pl.lit(1.0))
def parquet(folder):
    big.write_parquet(folder / "big.parquet")
def tensors(folder):
    from numpy import zeros
    from safetensors.numpy import save_file
    save_file({"w": zeros(100_000)}, folder / "model.safetensors")
for act in (
    lambda: Store(root).shelf("ab", {}).append(big),
    lambda: files.replace_atomic(root / "out.parquet", lambda path: big.write_parquet(path)),
    lambda: files.write_atomic(root / "out.bin", bytes(100_000)),
    lambda: Store(root).save_artifact("models", "f", parquet),
    lambda: Store(root).save_artifact("models", "g", tensors),
):
    try:
        act()
        print("written")
    except Fault as fault:
        print(fault.diagnostics[0].code, str(root) in fault.diagnostics[0].message, bool(fault.diagnostics[0].help))
"""


def test_a_full_disk_is_a_fault_that_names_the_file_and_leaves_no_half_file(tmp_path: Path) -> None:
    before = frame(["a"])
    shelf(tmp_path).append(before)
    out, _ = run(FULL, tmp_path, 20_000).communicate()
    assert out.splitlines() == ["MIX0508 True True"] * 5
    assert shelf(tmp_path).load(schema=SCHEMA, say=pytest.fail).equals(before)
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file() and p.suffix not in {".parquet", ".json", ".lock"}) == []
    assert visible(tmp_path / "artifacts" / "models") == []


def test_a_file_is_the_old_or_the_new_one_and_its_folder_is_made(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    files.write_atomic(path, b"old")
    with pytest.raises(RuntimeError):
        files.replace_atomic(path, fail)
    assert path.read_bytes() == b"old" and visible(path.parent) == ["file"]
    files.write_atomic(path, b"new")
    assert path.read_bytes() == b"new" and visible(path.parent) == ["file"]


def fail(temporary: Path) -> None:
    temporary.write_bytes(b"half")
    raise RuntimeError


def test_a_place_that_cannot_be_written_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Fault) as raised:
        files.write_atomic(tmp_path / "file" / "under", b"")
    assert raised.value.diagnostics[0].code == "MIX0508"
    with pytest.raises(Fault) as raised:
        Store(tmp_path / "file")
    assert raised.value.diagnostics[0].code == "MIX0512"


def test_what_is_not_there_any_more_is_a_fault_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(Fault) as raised, files.writing(tmp_path / "gone" / "file"):
        (tmp_path / "gone" / "file").write_bytes(b"")
    (told,) = raised.value.diagnostics
    assert told.code == "MIX0508" and "is not there" in told.message and told.help
    with pytest.raises(FileNotFoundError), files.writing(tmp_path, leave=(FileNotFoundError,)):
        (tmp_path / "gone" / "file").read_bytes()


@pytest.mark.skipif(as_root(), reason="root may write anywhere")
def test_a_store_without_permission_is_a_fault(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(Fault) as raised:
            store.shelf("ab", {}).append(frame(["a"]))
    finally:
        tmp_path.chmod(0o700)
    assert raised.value.diagnostics[0].code == "MIX0508"


def folder(path: Path, text: str) -> Path:
    path.mkdir(parents=True)
    (path / "file").write_text(text)
    return path


def test_a_folder_is_swapped_in_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "out"
    files.swap_folder(folder(tmp_path / "new1", "one"), target)
    assert (target / "file").read_text() == "one"
    files.swap_folder(folder(tmp_path / "new2", "two"), target)
    assert (target / "file").read_text() == "two"
    assert visible(tmp_path) == ["out"]


@pytest.mark.parametrize("arrived", [False, True])
def test_a_killed_swap_is_recovered(tmp_path: Path, arrived: bool) -> None:
    folder(tmp_path / ".out.old", "old")
    if arrived:
        folder(tmp_path / "out", "new")
    files.recover_swap(tmp_path / "out")
    assert (tmp_path / "out" / "file").read_text() == ("new" if arrived else "old")
    assert visible(tmp_path) == ["out"]


SWAP = """
target = Path(sys.argv[1]) / "out"
for i in range(100_000):
    new = Path(sys.argv[1]) / "new"
    new.mkdir(exist_ok=True)
    for name in ("a", "b"):
        (new / name).write_text(str(i))
    files.swap_folder(new, target)
    print(i, flush=True)
"""


@pytest.mark.parametrize("after", [1, 5, 6, 7, 8])
def test_a_kill_while_swapping_leaves_one_whole_folder(tmp_path: Path, after: int) -> None:
    swapper = run(SWAP, tmp_path)
    assert swapper.stdout is not None
    while int(swapper.stdout.readline()) < after:
        pass
    time.sleep(0.0007 * after)
    swapper.kill()
    swapper.wait()
    files.recover_swap(tmp_path / "out")
    a, b = ((tmp_path / "out" / name).read_text() for name in ("a", "b"))
    assert a == b and int(a) >= after


def test_an_artifact_is_there_once_it_is_whole(tmp_path: Path) -> None:
    store = Store(tmp_path)

    def write(path: Path) -> None:
        assert store.artifact("models", "f") is None
        (path / "deep").mkdir()
        (path / "deep" / "weights").write_bytes(b"w")

    with pytest.raises(RuntimeError):
        store.save_artifact("models", "f", lambda path: fail(path / "half"))
    assert store.artifact("models", "f") is None
    path = store.save_artifact("models", "f", write)
    assert store.artifact("models", "f") == path and (path / "deep" / "weights").read_bytes() == b"w"
    assert visible(path.parent) == ["f"]


def test_of_two_builds_that_finish_the_same_artifact_the_first_stays(tmp_path: Path) -> None:
    store = Store(tmp_path)

    def write(path: Path) -> None:
        store.save_artifact("models", "f", lambda other: (other / "who").write_text("first"))
        (path / "who").write_text("second")

    path = store.save_artifact("models", "f", write)
    assert (path / "who").read_text() == "first" and visible(path.parent) == ["f"]


def test_what_a_killed_process_left_goes_after_a_day_and_not_before(tmp_path: Path) -> None:
    one = shelf(tmp_path)
    one.append(frame(["a"]))
    fresh, old = (one.folder / f"{files.TEMPORARY}{name}" for name in ("fresh", "old"))
    for left in (fresh, old):
        left.write_bytes(b"half")
    os.utime(old, (0, 0))
    one.append(frame(["b"]))
    assert fresh.exists() and not old.exists()
    assert one.load(schema=SCHEMA, say=pytest.fail)["key"].to_list() == ["a", "b"]


HOLD = """
with Store(Path(sys.argv[1])).lock("train x/y"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_lock_keeps_another_build_out_until_its_process_is_dead(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", BOOT + HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    with pytest.raises(Fault) as raised, Store(tmp_path).lock("train x/y", wait=False):
        pass
    assert raised.value.diagnostics[0].code == "MIX0512"
    with Store(tmp_path).lock("another", wait=False):
        pass

    said: list[str] = []

    def say(message: str) -> None:
        said.append(message)
        holder.send_signal(signal.SIGKILL)

    with Store(tmp_path).lock("train x/y", say):
        assert holder.wait(5) == -signal.SIGKILL
    assert len(said) == 1 and "train x/y" in said[0]
