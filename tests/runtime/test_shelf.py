"""A shelf: what stands beside its rows, which of two rows it gives, and that merging its shards changes neither."""

import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from mixc.runtime import files
from mixc.runtime import merge as merging
from mixc.runtime import shelf as module
from mixc.runtime.merge import Damaged, merge
from mixc.runtime.shelf import Shelf, beside, digest, encoded, read_shard, shards, write_shard
from mixc.runtime.store import Store

SCHEMA: dict[str, pl.DataType] = {"v": pl.Float64(), "n": pl.Int64()}
CPU = {"engine": "transformers", "device": "cpu"}
GPU = {"engine": "vllm", "device": "NVIDIA H200"}


def shelf(root: Path) -> Shelf:
    return Store(root).shelf("ab", {"scorer": "x"})


def frame(*rows: tuple[str, float, int | None]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"key": pl.String(), **SCHEMA}, orient="row")


def loaded(one: Shelf, **asked: object) -> list[tuple[object, ...]]:
    return one.load(schema=SCHEMA, say=pytest.fail, **asked).rows()  # type: ignore[arg-type]


def test_what_made_the_rows_stands_beside_them_and_not_in_them(tmp_path: Path) -> None:
    one = shelf(tmp_path)
    one.append(frame(("a", 1, 1), ("b", 1, 1)), CPU)
    one.append(frame(("c", 1, 1)), GPU)
    one.append(frame(("d", 1, 1)))
    assert one.load(schema=SCHEMA).columns == ["key", "v", "n"]
    assert one.origins().rows() == [
        ("a", "cpu", "transformers"), ("b", "cpu", "transformers"), ("c", "NVIDIA H200", "vllm"), ("d", None, None),
    ]  # fmt: skip
    assert one.origins(["b", "c", "zz"]).to_dict(as_series=False) == {
        "key": ["b", "c"], "device": ["cpu", "NVIDIA H200"], "engine": ["transformers", "vllm"],
    }  # fmt: skip
    assert shelf(tmp_path / "none").origins().rows() == []


def test_origins_are_of_the_row_that_load_gives(tmp_path: Path) -> None:
    one = shelf(tmp_path)
    one.append(frame(("a", 1, 5)), CPU)
    one.append(frame(("a", 2, 9)), GPU)
    for prefer in (None, "n"):
        ((_, value, _),) = loaded(one, prefer=prefer)
        assert one.origins(prefer=prefer)["engine"].to_list() == ["transformers" if value == 1 else "vllm"]
    assert loaded(one, prefer="n") == [("a", 2.0, 9)]


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
def test_the_greater_value_wins_then_the_shard_of_smaller_name(tmp_path: Path, order: tuple[int, ...]) -> None:
    parts = [frame(("a", 1, 7), ("b", 1, None)), frame(("a", 2, 9), ("b", 2, 0)), frame(("a", 3, 9)), frame(("c", 4, None))]
    one = shelf(tmp_path)
    for index in order:
        one.append(parts[index])
    names = {encoded(part, {}, None): index for index, part in enumerate(parts)}
    smaller = min((digest(data), index) for data, index in names.items() if index in (1, 2))[1]
    assert loaded(one, prefer="n") == [("a", smaller + 1.0, 9), ("b", 2.0, 0), ("c", 4.0, None)]


def test_the_same_rows_have_the_same_bytes_in_every_process_and_other_words_beside_them_other_bytes(tmp_path: Path) -> None:
    conftest = Path(__file__).parents[1] / "conftest.py"
    code = f"""import runpy; runpy.run_path({str(conftest)!r})
import polars as pl
from mixc.runtime.shelf import digest, encoded
print(digest(encoded(pl.DataFrame({{"key": ["b", "a"], "v": [1.0, 2.0]}}), dict(z="1", engine="e", a="2", device="d"), "v")))"""
    told = {subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout for _ in range(2)}
    rows = pl.DataFrame({"key": ["a", "b"], "v": [2.0, 1.0]})
    assert told == {f"{digest(encoded(rows, {'a': '2', 'device': 'd', 'engine': 'e', 'z': '1'}, 'v'))}\n"}
    assert len({encoded(rows, {}, None), encoded(rows, CPU, None), encoded(rows, GPU, None), encoded(rows, CPU, "v")}) == 4


def test_rows_are_found_whatever_the_size_of_a_look_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = shelf(tmp_path)
    for start in range(0, 60, 5):
        one.append(frame(*((f"{i:03}", i, i) for i in range(start, start + 5))))
    for batch in (1, 7, 1000):
        monkeypatch.setattr(module, "_BATCH", batch)
        assert [row[0] for row in loaded(one, keys=["050", "001", "999"])] == ["001", "050"]
        assert len(loaded(one)) == 60


def test_bytes_of_the_right_digest_that_are_no_shard_are_set_aside(tmp_path: Path) -> None:
    one = shelf(tmp_path)
    one.append(frame(("a", 1, 1)))
    for data in (b"", b"no parquet", encoded(frame(("b", 1, 1)).drop("key").with_columns(key=pl.lit(1)), {}, None)):
        (one.folder / f"{digest(data)}.parquet").write_bytes(data)
    said: list[str] = []
    assert len(one.load(say=said.append)) == 1 and len(said) == 3
    assert len(list(one.folder.glob("*.corrupt"))) == 3


def test_a_shard_that_was_written_again_meanwhile_is_not_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = shelf(tmp_path)
    path = write_shard(one.folder, frame(("a", 1, 1)), {}, None)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    replace = Path.replace

    def meanwhile(self: Path, target: Path) -> Path:
        if target.suffix == ".corrupt":
            self.write_bytes(whole)  # another build has just put it there
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", meanwhile)
    assert not module.set_aside(path)
    assert read_shard(path) is not None and not list(one.folder.glob("*.corrupt"))


def test_a_reader_finds_what_was_merged_under_its_eyes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = shelf(tmp_path)
    for i in range(20):
        one.append(frame((f"{i:02}", i, i)))
    read = module.read_shard
    asked: list[Path] = []

    def slow(path: Path, *rest: object) -> pl.DataFrame | None:
        asked.append(path)
        if len(asked) == 10:
            assert [m.after for m in merge(one.folder, act=True)] == [1]
        return read(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "read_shard", slow)
    assert [row[0] for row in loaded(one)] == [f"{i:02}" for i in range(20)]
    assert len(asked) == 11


SHARD = st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 3), st.none() | st.integers(0, 2)), min_size=1, max_size=4)


@settings(deadline=None, max_examples=10, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
@given(parts=st.lists(st.tuples(SHARD, st.sampled_from([{}, CPU, GPU])), min_size=2, max_size=5), prefer=st.sampled_from([None, "n"]), large=st.sampled_from([2**20, 1400, 1280]))
def test_a_merge_changes_nothing_that_is_loaded_at_any_instant(
    tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[list[tuple[str, float, int | None]], dict[str, str]]], prefer: str | None, large: int
) -> None:
    one = shelf(tmp_path_factory.mktemp("shelf"))
    for rows, made in parts:
        one.append(frame(*rows), made, prefer=prefer)
    before, made_by = one.load(schema=SCHEMA, prefer=prefer), one.origins(prefer=prefer)

    def same() -> None:
        assert before.equals(one.load(schema=SCHEMA, prefer=prefer))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merging, "MANY", 2)
        patch.setattr(merging, "SMALL_BYTES", large)
        told = list(merge(one.folder, act=False))
        same()
        unlink, write = Path.unlink, merging.write_atomic

        def watched(self: Path, missing_ok: bool = False) -> None:
            unlink(self, missing_ok)
            same()

        def written(path: Path, data: bytes) -> None:
            with pytest.MonkeyPatch.context() as inner:
                inner.setattr(Path, "unlink", unlink)
                write(path, data)
            same()

        patch.setattr(files, "_sync", lambda path: None)
        patch.setattr(Path, "unlink", watched)
        patch.setattr(merging, "write_atomic", written)
        done = list(merge(one.folder, act=True))
    same()
    assert made_by.equals(one.origins(prefer=prefer))
    assert done[:1] == told
    if large == 2**20 and told:
        rows = [read_shard(path) for path in shards(one.folder)]
        assert sum(len(part) for part in rows if part is not None) == len(before)


def test_a_merge_of_what_is_damaged_or_unlike_is_refused(tmp_path: Path) -> None:
    one = shelf(tmp_path)
    for i in range(20):
        one.append(frame((f"{i:02}", i, i)))
    one.append(pl.DataFrame({"key": ["x"], "other": [1]}))
    with pytest.raises(Damaged):
        list(merge(one.folder, act=True))
    next(path for path in shards(one.folder) if beside(path) == {}).write_bytes(b"")
    with pytest.raises(Damaged):
        list(merge(one.folder, act=True))
    assert len(shards(one.folder)) == 21


def test_a_merge_is_no_use_of_the_shelf(tmp_path: Path) -> None:
    one = shelf(tmp_path)
    for i in range(20):
        one.append(frame((f"{i:02}", i, i)))
    for path in shards(one.folder):
        os.utime(path, (1e9, 1e9))
    list(merge(one.folder, act=True))
    assert [path.stat().st_mtime for path in shards(one.folder)] == [1e9]
