"""A student that is unpacked into the store: once, again where that was damaged, and not at all where there is no room."""

from dataclasses import replace
from pathlib import Path

import pytest
from mixc.compiler.diagnostics import Diagnostic, Fault
from mixc.compiler.plan.stages import Model
from mixc.compiler.source import Span
from mixc.runtime.engines import weights
from mixc.runtime.engines.load import load_model
from mixc.runtime.engines.model_files import ModelFiles
from mixc.runtime.engines.students import Students
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
