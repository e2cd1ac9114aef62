"""What is kept of an input file: found again while the file is the same, never trusted when it is not, and no fault where it cannot be kept."""

import json
import os
from dataclasses import replace
from pathlib import Path
from shutil import rmtree

import polars as pl
import pytest
from mixc.compiler.diagnostics import Fault
from mixc.compiler.expressions import Column, Constant, Operation
from mixc.compiler.plan.stages import Roles, Scan, Where
from mixc.compiler.source import Source, Span
from mixc.runtime import file_state, kept_rows, records
from mixc.runtime.corpus_files import open_files, rows_of
from mixc.runtime.damage import verify
from mixc.runtime.datasets import read
from mixc.runtime.events import ignore
from mixc.runtime.inventory import inventory
from mixc.runtime.needs import ALL, needs
from mixc.runtime.store import Store
from mixc.runtime.texts import PROMPT, Texts
from mixc.runtime.tidy import tidy
from mixc.tests.compiling import RUN, drawn
from mixc.tests.runtime.frames import narrow, union

ROWS = [{"id": f"p{i // 2}", "q": f"Größe {i // 2}?", "a": f"answer {i}", "ref": i if i % 3 else i + 0.5, "who": "ab"[i % 2], "n": [None, 1, 2.5][i % 3]} for i in range(30)]
ROLES = Roles(prompt="q", response="a", reference="ref", teacher="who", id="id")
SPEC = Source("a.mix", 'corpus c { scan "traces.parquet" }\n')
SPAN = Span("a.mix", 11, 32)


@pytest.fixture(autouse=True)
def every_file_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_rows, "SMALL", 0)
    monkeypatch.setattr(file_state, "SETTLED", 0)
    monkeypatch.setattr(records, "_CHUNK", 7)


def scan(path: Path, **more: object) -> Scan:
    return Scan(id="scan:c", corpus="c", path=str(path), roles=ROLES, seed=3, span=SPAN, columns=("n",), **more)  # type: ignore[arg-type]


def written(path: Path, rows: list[dict] = ROWS) -> Path:
    if path.suffix == ".jsonl":
        path.write_text("".join(f"{json.dumps(row)}\n\n" for row in rows))
    elif path.suffix == ".arrow":
        pl.DataFrame(rows, infer_schema_length=None).write_ipc_stream(path)
    else:
        pl.DataFrame(rows, infer_schema_length=None).write_parquet(path, row_group_size=4)
    return path


def whole(path: Path, store: Store | None, **more: object) -> pl.DataFrame:
    return narrow(scan(path, **more), ALL, Texts(), ignore, store)


def kept(store: Store) -> list[tuple[str, str | None]]:
    return sorted((folder.kind, folder.of) for folder in inventory(store).artifacts)


def copy(store: Store) -> Path:
    [data] = (store.root / "artifacts" / "tables").glob("*/rows.parquet")
    return data


def flipped(path: Path) -> None:
    """One bit of every 16 bytes of a file is another, its length the same."""
    path.write_bytes(bytes(byte ^ 16 if i % 16 == 9 else byte for i, byte in enumerate(path.read_bytes())))


def signed(folder: Path) -> None:
    """Let what is kept in the folder be what was written there."""
    data = folder / kept_rows.DATA
    said = json.loads((folder / "identity.json").read_text()) | {"bytes": data.stat().st_size, "digest": kept_rows._digest(data)}
    (folder / "identity.json").write_text(json.dumps(said))


@pytest.mark.parametrize("name", ["a.parquet", "a.jsonl", "a.arrow"])
def test_a_file_gives_the_same_rows_kept_or_not(tmp_path: Path, name: str) -> None:
    path, store = written(tmp_path / name), Store(tmp_path / "store")
    where = Where(text="where", condition=Operation("contains", (Column("role", "response"), Constant("1"))), span=SPAN)
    for condition in (None, where):
        bare = whole(path, None, where=condition)
        assert whole(path, store, where=condition).equals(bare) and whole(path, store, where=condition).equals(bare)
    copies = [] if name == "a.parquet" else [("tables", name)]
    assert kept(store) == [("row-ids", name), *copies]
    assert verify(store).found == [] and verify(store).of_files == 1 + len(copies)


def test_a_copy_by_column_has_every_type_as_the_lines_have_it(tmp_path: Path) -> None:
    odd = [{"t": None if i < 9 else "x", "i": i, "f": 2**53 + 1 if i < 8 else 0.5, "b": i % 2 == 0, "l": ["ß", str(i)], "nothing": None, "nan": float("nan")} for i in range(20)]
    path = written(tmp_path / "a.jsonl", odd)
    names = list(odd[0])
    bare = records.scan(str(path), names).collect()
    copied = kept_rows.Table(str(path), names, kept_rows.settled(str(path)), Store(tmp_path / "store")).read(pl.LazyFrame.collect)
    assert copied.equals(bare) and copied.schema == bare.schema and bare["row"].to_list() == list(range(1, 40, 2))
    assert list((tmp_path / "store" / "artifacts" / "tables").glob("*/*.parquet.*")) == []
    for bad in ('{"t": 3}\n', "{\n", '{"i": "x"}\n'):
        path.write_text(path.read_text() + bad)
        with pytest.raises(records.Unreadable) as direct:
            records.scan(str(path), names)
        with pytest.raises(records.Unreadable, match=r"a\.jsonl") as through:
            kept_rows.Table(str(path), names, kept_rows.settled(str(path)), Store(tmp_path / "store"))
        assert (str(through.value), through.value.help) == (str(direct.value), direct.value.help)


def test_what_is_kept_is_read_and_not_worked_out_again(tmp_path: Path) -> None:
    path, store = written(tmp_path / "a.parquet"), Store(tmp_path / "store")
    whole(path, store)
    [folder] = (store.root / "artifacts" / "row-ids").iterdir()
    data = folder / kept_rows.DATA
    pl.read_parquet(data).with_columns(row_id=pl.lit("f" * 30) + pl.int_range(10, 40).cast(pl.String)).write_parquet(data)
    signed(folder)
    assert whole(path, store)["row_id"].str.starts_with("ffff").all()


@pytest.mark.parametrize("spoil", [lambda d: d.write_bytes(d.read_bytes()[:-1] + b"x"), lambda d: d.write_bytes(b""), lambda d: d.unlink()])
def test_what_is_damaged_is_told_and_made_anew(tmp_path: Path, spoil) -> None:
    path, store = written(tmp_path / "a.parquet"), Store(tmp_path / "store")
    expected = whole(path, store)
    [folder] = (store.root / "artifacts" / "row-ids").iterdir()
    spoil(folder / kept_rows.DATA)
    assert [d.code for d in verify(store).found] == ["MIX0516"]
    assert whole(path, store).equals(expected) and verify(store).found == []
    spoil(folder / kept_rows.DATA)
    verify(store, repair=True)
    assert kept(store) == []


@pytest.mark.parametrize("spoil", [flipped, lambda d: d.write_bytes(b""), lambda d: d.unlink()])
def test_a_damaged_copy_by_column_is_made_anew(tmp_path: Path, spoil) -> None:
    path, store = written(tmp_path / "a.jsonl"), Store(tmp_path / "store")
    expected = whole(path, store)
    spoil(copy(store))
    assert [d.code for d in verify(store).found] == ["MIX0516"]
    assert whole(path, store).equals(expected) and verify(store).found == []


@pytest.mark.parametrize("spoil", [flipped, lambda d: d.write_bytes(d.read_bytes()[:100]), lambda d: d.write_bytes(b""), lambda d: d.unlink(), lambda d: rmtree(d.parents[3])])
@pytest.mark.parametrize("name", ["a.jsonl", "a.arrow"])
def test_a_copy_that_fails_during_a_run_is_read_from_its_file_again(tmp_path: Path, name: str, spoil) -> None:
    path, store, texts = written(tmp_path / name), Store(tmp_path / "store"), Texts()
    rows = narrow(scan(path), frozenset(), texts, ignore, store)
    expected = whole(path, None)
    for _ in range(2):
        spoil(copy(store))
        shown = texts.add(rows.head(11), ("prompt", "response"))
        assert shown["row_id"].equals(rows["row_id"].head(11)) and shown["response"].equals(expected["response"].head(11))
        assert verify(store).found == [] and copy(store).is_file()
        texts.last = pl.DataFrame()


def test_a_copy_that_is_not_of_its_file_is_passed_over(tmp_path: Path) -> None:
    path, store, texts = written(tmp_path / "a.jsonl"), Store(tmp_path / "store"), Texts()
    expected = whole(path, store)
    pl.read_parquet(copy(store)).with_columns(a=pl.col("a").shift(1, fill_value="x")).write_parquet(copy(store))
    signed(copy(store).parent)
    rows = narrow(scan(path), frozenset(), texts, ignore, store)
    assert texts.add(rows, ("prompt", "response"))["response"].equals(expected["response"])
    assert whole(path, store).equals(expected)


@pytest.mark.parametrize("name", ["a.parquet", "a.jsonl"])
def test_what_is_kept_may_go_while_the_rows_are_read(tmp_path: Path, name: str) -> None:
    path, store, texts = written(tmp_path / name), Store(tmp_path / "store"), Texts()
    expected = rows_of(open_files(scan(path), Texts(), None), scan(path), ALL)
    opened = open_files(scan(path), texts, store)
    rmtree(store.root)
    assert rows_of(opened, scan(path), ALL).equals(expected)


def test_ids_of_a_copy_that_changed_meanwhile_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, store = written(tmp_path / "a.jsonl"), Store(tmp_path / "store")
    worked_out = kept_rows.ids

    def late(table: kept_rows.Table, *rest: object) -> pl.LazyFrame:
        monkeypatch.setattr(kept_rows, "ids", worked_out)
        size = copy(store).stat().st_size
        pl.read_parquet(copy(store)).lazy().with_columns(pl.col("a").str.replace("answer", "ANSWER")).sink_parquet(copy(store))
        assert copy(store).stat().st_size == size
        return worked_out(table, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(kept_rows, "ids", late)
    assert whole(path, store).equals(whole(path, None)) and whole(path, store).equals(whole(path, None))


def test_a_file_that_is_broken_or_changed_is_told_whatever_became_of_its_copy(tmp_path: Path) -> None:
    path, store, texts = written(tmp_path / "a.jsonl"), Store(tmp_path / "store"), Texts()
    rows = narrow(scan(path), frozenset(), texts, ignore, store)
    copy(store).unlink()
    written(path, ROWS[::-1])
    with pytest.raises(Fault) as raised:
        texts.add(rows, ("prompt",))
    assert [d.code for d in raised.value.diagnostics] == ["MIX0529"]
    path.write_text("{\n")
    with pytest.raises(Fault) as raised:
        narrow(scan(path), frozenset(), Texts(), ignore, store)
    assert [(d.code, "line 1 of" in d.message) for d in raised.value.diagnostics] == [("MIX0501", True)]


def test_a_file_that_changes_is_another_file(tmp_path: Path) -> None:
    path, store = written(tmp_path / "a.parquet"), Store(tmp_path / "store")
    whole(path, store)
    before = path.stat()
    changed = [row | {"a": row["a"].replace("answer", "ANSWER")} for row in ROWS]
    written(path, changed)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size and path.stat().st_mtime_ns == before.st_mtime_ns
    assert whole(path, store)["response"].str.starts_with("ANSWER").all()
    assert whole(path, store)["row_id"].equals(read(scan(path), ignore)["row_id"])
    steps = list(tidy(store, act=True))
    assert [(s.kind, s.why) for s in steps] == [("row ids", "of `a.parquet`, which has changed or is gone")]
    assert kept(store) == [("row-ids", "a.parquet")] and list(tidy(store)) == []


def test_of_a_file_that_was_just_written_or_is_small_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, store = written(tmp_path / "a.parquet"), Store(tmp_path / "store")
    monkeypatch.setattr(file_state, "SETTLED", 3_600_000_000_000)
    whole(path, store)
    monkeypatch.setattr(file_state, "SETTLED", 0)
    monkeypatch.setattr(kept_rows, "SMALL", 1 << 20)
    whole(path, store)
    assert not store.root.exists()


def test_a_store_that_cannot_be_written_is_no_fault(tmp_path: Path) -> None:
    path, store = written(tmp_path / "a.jsonl"), Store(tmp_path / "store")
    store.root.mkdir()
    (store.root / "artifacts").write_text("a file stands here")
    assert whole(path, store).equals(whole(path, None))


@pytest.mark.parametrize("name", ["a.parquet", "a.jsonl"])
def test_texts_are_those_of_the_rows_in_their_order(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    for number in range(3):
        written(tmp_path / "in" / f"{number}{name}", ROWS[number::3])
    texts = Texts()
    rows = narrow(scan(tmp_path / "in" / f"*{name}"), frozenset(), texts, ignore, Store(tmp_path / "store"))
    assert not {"prompt", "response", "reference", PROMPT} & set(rows.columns)
    expected = read(scan(tmp_path / "in" / f"*{name}"), ignore)
    some = rows.sample(fraction=1, shuffle=True, seed=4).head(11)
    shown = texts.add(some, ("prompt", "response", "reference"))
    assert shown["row_id"].equals(some["row_id"])
    for name in ("prompt", "response", "reference"):
        assert shown.sort("row_id")[name].equals(expected.filter(pl.col("row_id").is_in(some["row_id"].implode()))[name])
    assert texts.add(some.head(0), ("prompt",)).columns[-1] == "prompt"


def test_a_file_that_changes_between_two_readings_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, golden) -> None:
    monkeypatch.chdir(tmp_path)
    path, texts = written(Path("traces.parquet")), Texts()
    rows = narrow(scan(path), frozenset(), texts, ignore)
    written(path, ROWS[::-1])
    with pytest.raises(Fault) as raised:
        texts.add(rows, ("prompt",))
    golden(RUN / "MIX0529.txt", drawn(raised.value.diagnostics, [SPEC]))


def test_texts_that_are_not_those_of_the_ids_are_a_fault(tmp_path: Path) -> None:
    path, texts = written(tmp_path / "a.parquet"), Texts()
    rows = narrow(scan(path), frozenset(), texts, ignore)
    wrong = rows.with_columns(pl.col("row_id").shift(1, fill_value="0" * 32))
    with pytest.raises(Fault) as raised:
        texts.add(wrong, ("prompt", "response"))
    assert [d.code for d in raised.value.diagnostics] == ["MIX0529"]


def test_corpora_meet_by_what_stands_for_their_references(tmp_path: Path) -> None:
    without = [row | {"ref": None} for row in ROWS[:8]]
    frames, texts = [], Texts()
    scans = [scan(written(tmp_path / "a.jsonl", ROWS[8:])), scan(written(tmp_path / "b.jsonl", [*without, *ROWS[20:]])), scan(written(tmp_path / "c.jsonl", without))]
    scans[2] = replace(scans[2], roles=replace(ROLES, reference=None), corpus="z")
    frames = [narrow(one, frozenset({PROMPT}), texts, ignore) for one in scans]
    rows = union(frames, scans, ignore, texts)
    assert rows.height == 30 and rows["row_id"].is_sorted() and rows["corpus"].unique().to_list() == ["c"]
    assert texts.add(rows, ("reference",))["reference"].null_count() == 8
    frames[2] = narrow(replace(scans[2], path=str(written(tmp_path / "d.jsonl", ROWS[8:12]))), frozenset({PROMPT}), texts, ignore)
    with pytest.raises(Fault) as raised:
        union(frames, scans, ignore, texts)
    [said] = raised.value.diagnostics
    assert said.code == "MIX0504" and "differ in `reference`" in said.message
    assert [note.partition(" in the ")[2] for note in said.notes] == ["corpus `c`", "corpus `z`"] and said.notes[1].startswith("null")


def test_nothing_is_needed_that_no_clause_reads() -> None:
    assert needs([scan(Path("a"))]) == frozenset()
    assert needs([scan(Path("a")), scan(Path("b"))]) == {PROMPT}
