"""A student that is unpacked into the store: once, again where that was damaged, and not at all where there is no room."""

from dataclasses import replace
from pathlib import Path

import pytest
from mixc.compiler.diagnostics import Diagnostic, Fault
from mixc.compiler.plan.stages import Model
from mixc.compiler.source import Span
from mixc.runtime.damage import verify
from mixc.runtime.engines import weights
from mixc.runtime.engines.base import Window
from mixc.runtime.engines.choice import Choice
from mixc.runtime.engines.devices import Devices
from mixc.runtime.engines.load import load_model
from mixc.runtime.engines.model_files import ModelFiles
from mixc.runtime.engines.remote import Remote, Settings
from mixc.runtime.engines.serve import _engine
from mixc.runtime.engines.students import Students
from mixc.runtime.store import Store
from mixc.tests.runtime.tiny import make_tiny_student


@pytest.fixture
def quantised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[ModelFiles, list[str]]:
    """The files of a student that says it is a `.gguf` file, and how often it was read; what is read is a tiny student."""
    folder = make_tiny_student(tmp_path / "tiny")
    files = Students().files(Model(student="tiny", model=str(folder), dtype="fp32", span=Span("a.mix", 0, 1)))
    (folder / "tiny.gguf").write_bytes(b"GGUF")
    read: list[str] = []

    def load(_: ModelFiles, dtype: str) -> object:
        read.append(dtype)
        return load_model(files, dtype)

    monkeypatch.setattr(weights, "load_for_training", load)
    return replace(files, gguf="tiny.gguf"), read


def test_it_is_unpacked_once_and_again_where_it_is_damaged(quantised: tuple[ModelFiles, list[str]], tmp_path: Path) -> None:
    files, read = quantised
    store = tmp_path / "store"
    first = weights.unpacked(files, store, self_ := Students())
    assert first.gguf is None and first.path.is_relative_to(store) and first.digests == files.digests
    assert weights.unpacked(files, store, self_) == first and read == ["fp32"]
    load_model(first, "bf16")
    whole = first.path / "model.safetensors"
    data = whole.read_bytes()
    whole.write_bytes(data[: len(data) // 2])
    assert weights.unpacked(files, store, self_) == first and read == ["fp32", "fp32"]
    assert whole.read_bytes() == data


def test_where_there_is_no_room_it_is_read_as_it_is(quantised: tuple[ModelFiles, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, _ = quantised

    def full(*_: object) -> None:
        raise Fault(Diagnostic("MIX0508", "the disk is full"))

    monkeypatch.setattr(weights.Store, "save_artifact", full)
    assert weights.unpacked(files, tmp_path / "store", Students()) == files
    monkeypatch.setattr(weights, "LARGE", 3)
    assert weights.unpacked(files, tmp_path / "store", Students()) == files
    assert weights.unpacked(replace(files, gguf=None), tmp_path / "store", Students()).gguf is None


def test_every_process_loads_what_one_has_unpacked(quantised: tuple[ModelFiles, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, read = quantised
    asked = Model(student="tiny", model=str(files.path), dtype="fp32", span=files.span)
    students = Students(tmp_path / "store", choice=Choice(devices=2))
    monkeypatch.setattr(students, "files", lambda _: files)
    monkeypatch.setattr(students, "context", lambda _: 512)
    monkeypatch.setattr(Remote, "start", lambda _: None)
    found = students.engine(asked)
    assert isinstance(found, Devices) and read == ["fp32"]
    (folder,) = (tmp_path / "store" / "artifacts" / "weights").iterdir()
    for each in found.engines:
        assert (each.settings.weights, each.settings.files) == (str(folder.resolve()), files)


def test_a_process_takes_the_weights_from_where_it_is_told_and_the_tokenizer_from_the_student(tmp_path: Path) -> None:
    folder, other = (make_tiny_student(tmp_path / name, seed=seed) for seed, name in enumerate(("one", "other")))
    (other / "tokenizer.json").unlink()
    files = Students().files(Model(student="tiny", model=str(folder), dtype="fp32", span=Span("a.mix", 0, 1)))
    window = Window((3, 4, 5), (6, 7, 8), 0)

    def told(weights: str) -> list[float]:
        engine = _engine(Settings(engine="transformers", files=files, dtype="fp32", weights=weights).for_process(64))
        return dict(engine.read([window]))[0].logprob.tolist()

    own = told("")
    assert told(str(folder)) == own and told(str(other)) != own


def test_unpacked_weights_are_verified_by_the_digests_they_were_written_with(quantised: tuple[ModelFiles, list[str]], tmp_path: Path) -> None:
    files, read = quantised
    store = Store(tmp_path / "store")
    folder = weights.unpacked(files, store.root, Students()).path
    seen = verify(store)
    assert (seen.unpacked, seen.found, seen.removed) == (1, [], []) and seen.bytes > (folder / "model.safetensors").stat().st_size
    data = bytearray((folder / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "model.safetensors").write_bytes(data)
    (folder / "config.json").rename(tmp_path / "config.json")
    (told,) = verify(store).found
    assert told.code == "MIX0516" and "tiny.gguf" in told.message and "--repair" in (told.help or "")
    assert ["model.safetensors" in note or "config.json" in note for note in told.notes] == [True, True]
    assert folder.is_dir()
    seen = verify(store, repair=True)
    assert [path.resolve() for path in seen.removed] == [folder] and not folder.exists() and not verify(store).found
    assert weights.unpacked(files, store.root, Students()).path == folder and read == ["fp32", "fp32"]
    (folder / "identity.json").unlink()
    (told,) = verify(store).found
    assert "identity.json" in told.notes[0]
