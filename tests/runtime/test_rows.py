"""What an engine tells of windows: the same as plain passes, however the windows are packed, for every architecture."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mixc.compiler.diagnostics import Fault
from mixc.compiler.plan.stages import Model
from mixc.compiler.source import Span
from mixc.runtime.engines import rows
from mixc.runtime.engines.base import ENTROPY, RANK, Window
from mixc.runtime.engines.batches import UNPACKED, read_batches
from mixc.runtime.engines.rows import read_rows
from mixc.runtime.engines.students import Students
from mixc.runtime.engines.transformers import TransformersEngine
from mixc.runtime.packing import pack
from mixc.tests.runtime.tiny import make_tiny_student

PACKED = ("llama", "qwen2", "qwen3", "gemma2", "gemma3", "mistral", "phi3", "gpt2", "granite", "cohere")
BATCHED = UNPACKED
BOTH = frozenset({RANK, ENTROPY})
TEXT = "  First, 2.5 clips!\n\nThen naïve 日本 😀 "


def make(folder: Path, arch: str) -> TransformersEngine:
    tiny = Model(student="tiny", model=str(make_tiny_student(folder, arch=arch)), dtype="fp32", span=Span("a.mix", 3, 9))
    found = Students().engine(tiny)
    assert isinstance(found, TransformersEngine)
    return found


@pytest.fixture(scope="module", params=PACKED + BATCHED)
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TransformersEngine:
    return make(tmp_path_factory.mktemp("students") / request.param, request.param)


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> TransformersEngine:
    return make(tmp_path_factory.mktemp("students") / "llama", "llama")


def asked(engine: TransformersEngine) -> list[Window]:
    """Windows behind two prompts, in no order; one longer than any sliding window here, one of a single token."""
    prompts = [engine.tokenizer.prompt(text) for text in ("How many clips?", "Why?")]
    answer = engine.tokenizer.response(TEXT * 3).ids
    return [
        Window(prompts[which], answer[i : i + size], first)
        for which, i, size, first in [(0, 0, 90, 0), (0, 0, 3, 0), (1, 20, 40, 25), (0, 7, 1, 0), (1, 50, 17, 2), (0, 3, 88, 80), (1, 0, 40, 0)]
    ] + [Window((), answer[:30], 1)]


def plain(engine: TransformersEngine, window: Window) -> torch.Tensor:
    """The log-softmax of every scored token's logits [scored, vocabulary], by one pass of its own."""
    ids = torch.tensor([(*window.prompt, *window.tokens)])
    with torch.no_grad():
        table = engine.model(ids, use_cache=False).logits[0].log_softmax(-1)
    return table[len(window.prompt) + window.start - 1 : -1]


def check(engine: TransformersEngine, windows: list[Window], found: dict) -> None:
    assert sorted(found) == list(range(len(windows)))
    for i, window in enumerate(windows):
        table, own = plain(engine, window), torch.tensor(window.tokens[window.start :])[:, None]
        reading = found[i]
        assert reading.logprob.dtype == np.float32 and reading.rank.dtype == np.int32 and reading.entropy.dtype == np.float32
        assert reading.logprob.tolist() == pytest.approx(table.gather(1, own)[:, 0].tolist(), abs=1e-5)
        assert reading.entropy.tolist() == pytest.approx((-table.exp() * table).sum(1).tolist(), abs=1e-4)
        above = (table > table.gather(1, own) + 1e-5).sum(1) + 1
        below = (table > table.gather(1, own) - 1e-5).sum(1)
        assert all(low <= rank <= high for low, rank, high in zip(above.tolist(), reading.rank.tolist(), below.tolist(), strict=True))


def test_what_is_told_is_what_plain_passes_tell(engine: TransformersEngine) -> None:
    windows = asked(engine)
    check(engine, windows, dict(engine.read(windows, BOTH)))


def test_only_architectures_that_cannot_are_read_in_batches_and_they_say_so(engine: TransformersEngine) -> None:
    name = engine.model.config.model_type
    assert engine.packs == (name not in BATCHED)
    assert [("padded batches" in remark) for remark in engine.remarks] == ([] if engine.packs else [True])


@pytest.mark.parametrize("capacity", [1, 60, 200, 100_000])
def test_packing_changes_nothing(engine: TransformersEngine, capacity: int) -> None:
    windows = asked(engine)
    if engine.packs:
        check(engine, windows, dict(read_rows(engine.model, engine._head, windows, BOTH, capacity)))
    check(engine, windows, dict(read_batches(engine.model, engine._head if engine._split else None, windows, BOTH, capacity)))


@pytest.mark.parametrize("arch", ["longrope", "dynamic"])
def test_a_window_whose_positions_are_stretched_does_not_stretch_others(tmp_path: Path, arch: str) -> None:
    """These models scale the positions of all that they read at once by the longest of it, and dynamic ones of what comes after, too."""
    engine = make(tmp_path, arch)
    windows = [each for each in asked(engine) if each.prompt]
    read = [w.length - 1 for w in windows]
    assert engine.packs and min(read) < 64 < max(read)
    found = dict(engine.read(windows, BOTH))
    for i, window in enumerate(windows):
        with torch.no_grad():
            engine.model(torch.tensor([[1]]))
            table = engine.model(torch.tensor([(*window.prompt, *window.tokens[:-1])])).logits[0].log_softmax(-1)[len(window.prompt) + window.start - 1 :]
        own = torch.tensor(window.tokens[window.start :])[:, None]
        assert found[i].logprob.tolist() == pytest.approx(table.gather(1, own)[:, 0].tolist(), abs=1e-5)


@pytest.mark.filterwarnings("ignore:flex_attention called without")
def test_one_kernel_over_the_row_tells_the_same(engine: TransformersEngine) -> None:
    """What a GPU runs compiled, here as it is."""
    windows = asked(engine)
    if engine.packs:
        check(engine, windows, dict(read_rows(engine.model, engine._head, windows, BOTH, 150, flex=True)))


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 60), st.integers(1, 50), st.integers(0, 49)), min_size=1, max_size=30), st.integers(30, 400))
@settings(max_examples=40, deadline=None)
def test_any_windows_in_any_packing(llama: TransformersEngine, drawn: list[tuple[int, int, int, int]], capacity: int) -> None:
    prompts = [engine_prompt(llama, text) for text in ("How many clips?", "Why?", "")]
    answer = llama.tokenizer.response(TEXT * 4).ids
    windows = [Window(prompts[p], answer[i : i + size], min(first, size - 1)) for p, i, size, first in drawn]
    found = dict(read_rows(llama.model, llama._head, windows, frozenset(), capacity))
    for i, window in enumerate(windows):
        own = torch.tensor(window.tokens[window.start :])[:, None]
        assert found[i].logprob.tolist() == pytest.approx(plain(llama, window).gather(1, own)[:, 0].tolist(), abs=1e-5)


def engine_prompt(engine: TransformersEngine, text: str) -> tuple[int, ...]:
    return engine.tokenizer.prompt(text)


def test_equal_packing_gives_equal_bytes(llama: TransformersEngine) -> None:
    windows = asked(llama)
    once, again = (dict(llama.read(windows)) for _ in range(2))
    assert all(once[i].logprob.tobytes() == again[i].logprob.tobytes() for i in once)


def test_a_row_that_does_not_fit_in_memory_is_halved(llama: TransformersEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    windows = asked(llama)
    read, sizes = rows.read_row, []

    def small(model: object, head: object, row: rows.Row, *rest: object) -> object:
        sizes.append(row.tokens)
        if row.tokens > 130:
            raise torch.OutOfMemoryError("out of memory")
        return read(model, head, row, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(rows, "read_row", small)
    check(llama, windows, dict(llama.read(windows, BOTH)))
    assert max(sizes) > 130 > min(sizes)


def test_a_window_that_does_not_fit_in_memory_is_a_fault_at_the_student(llama: TransformersEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> object:
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr(rows, "read_row", never)
    with pytest.raises(Fault) as caught:
        list(llama.read(asked(llama)))
    (told,) = caught.value.diagnostics
    assert told.code == "MIX0506" and "does not fit in memory" in told.message and told.primary is not None


def test_any_other_error_of_the_model_is_not_taken_for_a_lack_of_memory(llama: TransformersEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> object:
        raise RuntimeError("something else")

    monkeypatch.setattr(rows, "read_row", broken)
    with pytest.raises(RuntimeError, match="something else"):
        list(llama.read(asked(llama)))


def test_rows_are_shorter_where_memory_is_short(llama: TransformersEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert rows.capacity(llama.model) == rows.CAPACITY
    monkeypatch.setattr(rows, "free_bytes", lambda _: 8_000_000)
    assert rows.LEAST <= rows.capacity(llama.model) < rows.CAPACITY
    monkeypatch.setattr(rows, "free_bytes", lambda _: None)
    assert rows.capacity(llama.model) == rows.CAPACITY


def test_a_prompt_is_read_once_for_all_windows_behind_it(llama: TransformersEngine) -> None:
    windows = asked(llama)
    (row,) = pack(windows)
    heard: list[int] = []
    hook = llama.model.get_input_embeddings().register_forward_hook(lambda *given: heard.append(given[1][0].shape[1]))
    try:
        list(llama.read(windows))
    finally:
        hook.remove()
    prompts = {w.prompt for w in windows}
    assert heard == [row.tokens] == [sum(len(p) for p in prompts) + sum(len(w.tokens) - 1 for w in windows)]
