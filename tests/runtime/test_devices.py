"""Engines in processes of their own: what they tell is what one here tells; one that dies, hangs or is refused is a diagnostic; none outlives us."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from mixc.compiler.diagnostics import Fault
from mixc.compiler.plan.stages import Model
from mixc.compiler.source import Source, Span
from mixc.runtime.engines.base import ENTROPY, RANK, Engine, Request, Window
from mixc.runtime.engines.choice import Choice, check_devices, choose
from mixc.runtime.engines.devices import CHUNK_TOKENS, Devices, cut
from mixc.runtime.engines.remote import Remote, Settings
from mixc.runtime.engines.students import Students
from mixc.runtime.packing import pack, tokens
from mixc.tests.compiling import RUN, drawn
from mixc.tests.runtime.tiny import make_tiny_student

ROOT = Path(__file__).parents[2]
SPEC = Source("natural.mix", 'student tiny {\n  model "tiny"\n}\n')
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


def model(folder: Path) -> Model:
    return Model(student="tiny", model=str(folder), dtype="fp32", span=Span("natural.mix", 23, 29))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_student(tmp_path_factory.mktemp("devices") / "tiny", context=2_048)


@pytest.fixture(scope="module")
def two(tiny: Path) -> Engine:
    """Two processes on the CPU, as `--devices 2` makes them."""
    patch = pytest.MonkeyPatch()
    patch.setenv("OMP_NUM_THREADS", "1")
    try:
        return Students(choice=Choice(devices=2)).engine(model(tiny))
    finally:
        patch.undo()


def windows(count: int = 60) -> list[Window]:
    numbers = np.random.default_rng(3)
    prompts = [tuple(numbers.integers(3, 390, 30 + i).tolist()) for i in range(7)]
    return [Window(prompts[i % 7], tuple(numbers.integers(3, 390, 40 + 17 * i).tolist()), i % 3) for i in range(count)]


def settings(folder: Path, **changes: object) -> Settings:
    students = Students()
    files = students.files(model(folder))
    return Settings(**{"engine": "transformers", "files": files, "dtype": "fp32", "context": 2_048, "environment": ONE_THREAD, **changes})  # type: ignore[arg-type]


def test_two_devices_tell_what_one_here_tells_in_the_same_order_every_time(two: Engine, tiny: Path) -> None:
    asked, also = windows(), frozenset({RANK, ENTROPY})
    before = two.tokens
    found = list(two.read(asked, also))
    assert two.tokens - before == Students(choice=Choice(devices=2)).expects(model(tiny), asked, also) > tokens(pack(asked))
    again = list(two.read(asked, also))
    here = dict(Students().engine(model(tiny)).read(asked, also))
    assert isinstance(two, Devices) and (two.name, two.device, two.context) == ("transformers", "2 x cpu", 2_048)
    assert sorted(i for i, _ in found) == list(range(len(asked)))
    assert len(cut(asked)) >= 4
    for (i, one), (j, other) in zip(found, again, strict=True):
        assert i == j and one.logprob.dtype == np.float32 and one.rank is not None and one.rank.dtype == np.int32 and one.entropy is not None
        assert one.logprob.tolist() == other.logprob.tolist() and one.rank.tolist() == other.rank.tolist()  # type: ignore[union-attr]
        assert one.logprob.tolist() == pytest.approx(here[i].logprob.tolist(), abs=1e-5)
        assert one.entropy.tolist() == pytest.approx(here[i].entropy.tolist(), abs=1e-5)  # type: ignore[union-attr]
    assert list(two.read([])) == []


def test_two_devices_write_what_one_here_writes(two: Engine, tiny: Path) -> None:
    here = Students().engine(model(tiny))
    prompts = [Request(window.prompt, 6) for window in windows(20)]
    heard: list[int] = []
    assert two.generate(prompts, heard.append) == here.generate(prompts)
    assert heard[-1] == 20 and heard == sorted(heard)


def test_chunks_have_every_window_once_are_bounded_and_keep_a_prompt_together() -> None:
    asked = windows(90)
    chunks = cut(asked)
    assert sorted(i for chunk in chunks for i in chunk) == list(range(90))
    assert max(tokens(pack([asked[i] for i in chunk], 10**9)) for chunk in chunks) <= CHUNK_TOKENS
    sizes = [sum(asked[i].length for i in chunk) for chunk in chunks]
    assert sizes == sorted(sizes, reverse=True)
    turns = sum(len({asked[i].prompt for i in chunk}) for chunk in chunks)
    assert turns <= 7 + len(chunks)
    huge = Window((5,), (7,) * (2 * CHUNK_TOKENS), 0)
    assert sorted(map(len, cut([huge, asked[0], huge]))) == [1, 1, 1]


def test_behind_a_long_prompt_a_chunk_has_room_for_as_many_tokens() -> None:
    long = tuple(range(CHUNK_TOKENS - 100))
    asked = [Window(long, (1, 2, i, *range(147)), 0) for i in range(60)]
    chunks = cut(asked)
    assert sum(tokens(pack([asked[i] for i in chunk])) for chunk in chunks) <= 2 * len(long) + 60 * 149


def test_a_worker_that_is_killed_while_it_reads_is_a_diagnostic(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = served(os.getpid())
    engines = [Remote(settings(tiny)) for _ in range(2)]
    several = Devices(engines)
    several.start()
    monkeypatch.setattr("mixc.runtime.engines.devices.CHUNK_TOKENS", 400)
    reading = several.read(windows(90))
    next(reading)
    os.kill(engines[0].start().pid, signal.SIGKILL)
    with pytest.raises(Fault) as raised:
        list(reading)
    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.code == "MIX0514" and "signal 9" in diagnostic.message and diagnostic.primary is not None
    assert served(os.getpid()) == before
    assert len(list(several.read(windows(5)))) == 5  # the next question starts them anew
    for engine in engines:
        engine.end()


def test_a_fault_of_the_engine_is_told_as_its_own(tiny: Path) -> None:
    remote = Remote(settings(tiny))
    with pytest.raises(Fault) as raised:
        list(remote.read([Window((5, 6), (100_000,), 0)]))
    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.code == "MIX0506" and "100000" in diagnostic.message and diagnostic.primary is not None
    remote.end()


def test_one_that_does_not_come_up_in_time_is_told_and_is_gone(tiny: Path) -> None:
    before = served(os.getpid())
    with pytest.raises(Fault, match="said nothing for"):
        Remote(settings(tiny, seconds=0.01)).start()
    assert served(os.getpid()) == before


def test_room_for_a_sequence_is_a_few_thousand_tokens_doubled_as_needed_and_never_beyond_the_context(tiny: Path) -> None:
    bounded, endless = Remote(settings(tiny, engine="vllm", context=10_000)), Remote(settings(tiny, engine="vllm", context=None))
    assert [bounded._fitting(n) for n in (0, 4_096, 4_097, 8_193, 10_000)] == [4_096, 4_096, 8_192, 10_000, 10_000]
    assert [endless._fitting(n) for n in (0, 5_000, 100_000)] == [4_096, 8_192, 131_072]
    assert Remote(settings(tiny, engine="vllm", context=512))._fitting(100) == 512


def served(parent: int) -> list[int]:
    """The processes of engines that `parent` started and that still run, also where it runs no more."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words, stat = (entry / "cmdline").read_bytes(), (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if b"engines.serve" in words and b"[%d, " % parent in words and stat[0] != "Z":
                found.append(int(entry.name))
    return found


def test_a_killed_parent_leaves_no_process(tiny: Path) -> None:
    script = f"""
import sys; sys.path.insert(0, {str(ROOT / "tests")!r}); import conftest, time
from pathlib import Path
from mixc.tests.runtime.test_devices import Remote, settings
remote = Remote(settings(Path({str(tiny)!r})))
remote.start()
print("up", flush=True)
time.sleep(600)
"""
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env={**os.environ, **ONE_THREAD})
    assert parent.stdout is not None and parent.stdout.readline() == b"up\n"
    assert len(served(parent.pid)) == 1
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until = time.monotonic() + 20
    while served(parent.pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert served(parent.pid) == []


def test_the_engine_and_its_devices_are_chosen_on_the_command_line_or_in_the_environment(golden) -> None:
    assert choose(None, None, {}) == Choice("transformers", None)
    assert choose(None, None, {"MIXC_ENGINE": "vllm", "MIXC_DEVICES": "3"}) == Choice("vllm", 3)
    assert choose("transformers", 2, {"MIXC_ENGINE": "vllm", "MIXC_DEVICES": "3"}) == Choice("transformers", 2)
    said = []
    for engine, devices, environment in ((None, None, {"MIXC_ENGINE": "vlm"}), (None, None, {"MIXC_DEVICES": "all"}), (None, 0, {})):
        with pytest.raises(Fault) as raised:
            choose(engine, devices, environment)
        said += raised.value.diagnostics
    with pytest.raises(Fault) as raised:
        check_devices(Choice(devices=4), cuda=2)
    said += raised.value.diagnostics
    assert {one.code for one in said} == {"MIX0522"}
    golden(RUN / "MIX0522.txt", drawn(said, ()))


def test_without_a_word_every_cuda_device_works_and_without_one_a_single_engine_here() -> None:
    assert [check_devices(Choice(), cuda) for cuda in (0, 1, 8)] == [1, 1, 8]
    assert [check_devices(Choice(devices=2), cuda) for cuda in (0, 2, 8)] == [2, 2, 2]


def test_vllm_that_is_not_installed_is_a_message(tiny: Path, monkeypatch: pytest.MonkeyPatch, golden) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(Fault) as raised:
        Students(choice=Choice("vllm")).engine(model(tiny))
    assert [one.code for one in raised.value.diagnostics] == ["MIX0521"]
    golden(RUN / "MIX0521.txt", drawn(raised.value.diagnostics, [SPEC]))
