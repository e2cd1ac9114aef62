"""Tokens through a model are counted where it is called, whatever was asked of it; what is expected of an engine is what is then counted."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from mixc.compiler.plan.stages import Model
from mixc.compiler.source import Span
from mixc.runtime.engines import rows
from mixc.runtime.engines.base import ENTROPY, RANK, Request, Window
from mixc.runtime.engines.choice import VLLM, Choice
from mixc.runtime.engines.devices import CHUNK_TOKENS
from mixc.runtime.engines.expected import expected_tokens
from mixc.runtime.engines.students import Students
from mixc.runtime.engines.transformers import TransformersEngine
from mixc.runtime.packing import pack, tokens
from mixc.tests.runtime.tiny import make_tiny_student


def student(folder: Path, arch: str = "llama") -> Model:
    return Model(student="tiny", model=str(make_tiny_student(folder / arch, arch=arch)), dtype="fp32", span=Span("a.mix", 3, 9))


def loaded(asked: Model) -> TransformersEngine:
    found = Students().engine(asked)
    assert isinstance(found, TransformersEngine)
    return found


def windows() -> list[Window]:
    """Behind two prompts and behind none, of many lengths; some longer than 64 tokens, from where on positions are stretched in some models."""
    long, short = tuple(range(5, 35)), (7, 8, 9)
    return [Window((long, short, ())[i % 3], tuple(range(3, 5 + 7 * i)), 1) for i in range(14)]


@contextmanager
def embedded(engine: TransformersEngine) -> Iterator[list[int]]:
    """How many tokens each call of the model looks up."""
    heard: list[int] = []
    hook = engine.model.get_input_embeddings().register_forward_hook(lambda *given: heard.append(given[1][0].numel()))
    try:
        yield heard
    finally:
        hook.remove()


@pytest.mark.parametrize("arch", ["llama", "gpt2", "gemma3", "bloom", "mamba", "dynamic"])
def test_what_is_counted_is_what_the_model_looks_up(tmp_path: Path, arch: str) -> None:
    engine = loaded(student(tmp_path, arch))
    assert engine.tokens == 0
    with embedded(engine) as heard:
        list(engine.read(windows()))
        assert engine.tokens == sum(heard) > 0
        engine.generate([Request((3, 4, 5), 3), Request((6,), 3)])
        assert engine.tokens == sum(heard)


@pytest.mark.parametrize("arch", ["llama", "dynamic"])
def test_what_is_expected_of_packed_rows_is_what_is_counted(tmp_path: Path, arch: str) -> None:
    asked, students = student(tmp_path, arch), Students()
    expected = students.expects(asked, windows())
    assert students.loaded(asked) is None
    engine = students.engine(asked)
    list(engine.read(windows()))
    assert engine.tokens == expected
    packed = tokens(pack(windows()))
    assert expected == packed if arch == "llama" else expected > packed
    assert students.expects(asked, windows(), rough=True) == packed


def test_padding_counts(tmp_path: Path) -> None:
    engine = loaded(student(tmp_path, "bloom"))
    asked = [Window((), tuple(range(3, 5 + size)), 1) for size in (50, 10, 10)]
    list(engine.read(asked))
    assert engine.tokens == 3 * 51 > sum(window.length for window in asked)


def test_a_row_that_is_halved_reads_its_prompt_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = loaded(student(tmp_path))
    read = rows.read_row

    def small(model: object, head: object, row: rows.Row, *rest: object) -> object:
        if len([i for segment in row.segments for i in segment.windows]) > 2:
            raise torch.OutOfMemoryError("out of memory")
        return read(model, head, row, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(rows, "read_row", small)
    prompt = tuple(range(5, 35))
    asked = [Window(prompt, (3, 4, 5, 6), 0)] * 4
    list(engine.read(asked))
    assert engine.tokens == 2 * 30 + 4 * 3 and tokens(pack(asked)) == 30 + 4 * 3


def test_what_is_expected_follows_the_engine_and_its_devices() -> None:
    asked = windows()
    packed, apart = tokens(pack(asked)), sum(window.length for window in asked)

    def expected(choice: Choice, *also: str, dtype: str = "fp32", of: list[Window] = asked) -> int:
        return expected_tokens(of, choice, frozenset(also), dtype)

    assert expected(Choice()) == expected(Choice(devices=1)) == expected(Choice(devices=2)) == packed < apart
    assert expected(Choice(VLLM)) == expected(Choice(VLLM, 2)) == expected(Choice(VLLM), RANK) == apart
    assert expected(Choice(VLLM), ENTROPY) == expected(Choice(VLLM), RANK, dtype="bf16") == packed, "vLLM does not tell it: transformers does"
    prompt = tuple(range(500))
    many = [Window(prompt, (1, 2, *range(98)), 0) for _ in range(2 * CHUNK_TOKENS // 100)]
    turns = expected(Choice(devices=2), of=many)
    assert expected(Choice(), of=many) <= turns and (turns - 99 * len(many)) % 500 == 0
