"""The real vLLM on this machine: what it tells is what transformers tells, and what it cannot do is said. A model is loaded once for all of it."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from mixc.compiler.diagnostics import Fault
from mixc.compiler.plan.stages import Model
from mixc.compiler.source import Span
from mixc.runtime.engines.base import ENTROPY, LOGPROB, RANK, Engine, Window
from mixc.runtime.engines.checked import Checked
from mixc.runtime.engines.choice import Choice
from mixc.runtime.engines.parity import Agreement
from mixc.runtime.engines.remote import Remote, Settings
from mixc.runtime.engines.students import Students
from mixc.runtime.engines.weights import weights_folder
from mixc.tests.runtime.tiny import make_tiny_student

pytestmark = [pytest.mark.vllm, pytest.mark.slow]
CONTEXT = 512


def model(folder: Path, **changes: object) -> Model:
    return Model(**{"student": "tiny", "model": str(folder), "dtype": "fp32", "span": Span("a.mix", 3, 9), **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="module", autouse=True)
def quiet() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
        yield


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_student(tmp_path_factory.mktemp("vllm") / "wide", arch="wide", context=CONTEXT)


@pytest.fixture(scope="module")
def students(wide: Path) -> Students:
    return Students(choice=Choice("vllm"))


@pytest.fixture(scope="module")
def remote(wide: Path) -> Iterator[Remote]:
    here = Students()
    files = here.files(model(wide))
    one = Remote(Settings(engine="vllm", files=files, dtype="fp32", context=here.context(model(wide)), weights=str(weights_folder(files, "fp32", None, here))))
    yield one
    one.end()


@pytest.fixture(scope="module")
def here(wide: Path) -> Engine:
    return Students().engine(model(wide))


def windows() -> list[Window]:
    numbers = np.random.default_rng(5)
    prompts = [tuple(numbers.integers(3, 390, size).tolist()) for size in (1, 17, 60)]
    some = [Window(prompts[i % 3], tuple(numbers.integers(3, 390, 1 + 11 * i).tolist()), min(i, 4)) for i in range(18)]
    full = Window(prompts[1], tuple(numbers.integers(3, 390, CONTEXT - 17).tolist()), 0)
    return [*some, Window((), tuple(numbers.integers(3, 390, 40).tolist()), 1), full]


def test_it_tells_what_transformers_tells_up_to_the_whole_context(remote: Remote, here: Engine) -> None:
    asked = windows()
    assert max(one.length for one in asked) == CONTEXT == remote.context
    found, plain = dict(remote.read(asked, frozenset({RANK}))), dict(here.read(asked, frozenset({RANK})))
    assert sorted(found) == list(range(len(asked)))
    assert (remote.name, remote.device, remote.tells) == ("vllm", "cpu", {LOGPROB, RANK})
    for i, window in enumerate(asked):
        one, other = found[i], plain[i]
        assert one.logprob.dtype == np.float32 and one.logprob.shape == (window.scored,) and one.entropy is None
        assert one.logprob.tolist() == pytest.approx(other.logprob.tolist(), abs=1e-4)
        assert one.rank is not None and one.rank.dtype == np.int32
        assert np.abs(one.rank - other.rank).max() <= 1  # type: ignore[operator]


def test_the_same_windows_in_another_order_have_the_same_values(remote: Remote) -> None:
    asked = windows()
    straight = dict(remote.read(asked))
    turned = dict(remote.read(asked[::-1]))
    assert all(straight[i].logprob.tolist() == pytest.approx(turned[len(asked) - 1 - i].logprob.tolist(), abs=1e-5) for i in straight)


def test_it_writes_what_transformers_writes(remote: Remote, here: Engine) -> None:
    prompts = [window.prompt for window in windows()[:3]] + [(5,) * CONTEXT, (5,) * (CONTEXT - 3)]
    expected = here.generate(prompts, 12)
    found = remote.generate(prompts, 12)
    assert found == expected


def test_a_scoring_starts_with_a_parity_check_on_the_real_two(students: Students, wide: Path, here: Engine) -> None:
    engine = students.engine(model(wide))
    assert isinstance(engine, Checked)
    asked = windows()
    found, plain = dict(engine.read(asked)), dict(here.read(asked))
    assert all(found[i].logprob.tolist() == pytest.approx(plain[i].logprob.tolist(), abs=1e-4) for i in plain)
    (agreement,) = students.heard()
    assert isinstance(agreement, Agreement)
    assert (agreement.engine, agreement.reference, agreement.windows) == ("vllm", "transformers", 16)
    assert 0 < agreement.token < 1e-3 and agreement.step < 1e-4
    list(engine.read(asked[:2], frozenset({ENTROPY})))
    assert engine.name == "transformers" and ["entropy" in str(one) for one in students.heard()] == [True]


def test_weights_that_are_not_those_of_the_student_are_caught(students: Students, tmp_path: Path, wide: Path) -> None:
    other = make_tiny_student(tmp_path / "other", arch="wide", context=CONTEXT, seed=1)
    files = students.files(model(wide))
    astray = Remote(Settings(engine="vllm", files=files, dtype="fp32", context=CONTEXT, weights=str(other)))
    checked = Checked(astray, lambda: Students().engine(model(wide)), files, "fp32", print, print)
    with pytest.raises(Fault) as raised:
        list(checked.read(windows()))
    astray.end()
    assert [one.code for one in raised.value.diagnostics] == ["MIX0520"]


def test_a_model_that_it_cannot_load_is_a_message_with_what_it_said(tmp_path: Path) -> None:
    folder = make_tiny_student(tmp_path / "strange", arch="wide", context=CONTEXT)
    here = Students()
    files = here.files(model(folder))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "architectures": ["NoSuchForCausalLM"]}))
    remote = Remote(Settings(engine="vllm", files=files, dtype="fp32", context=CONTEXT, weights=str(folder)))
    with pytest.raises(Fault) as raised:
        remote.start()
    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.code == "MIX0521" and "cannot be started with vLLM" in diagnostic.message
    assert any("NoSuchForCausalLM" in note for note in (diagnostic.message, *diagnostic.notes))
    assert "--engine transformers" in (diagnostic.help or "") and diagnostic.primary is not None


@pytest.mark.student
def test_a_gguf_student_is_written_once_for_it(student: Path, tmp_path: Path) -> None:
    here = Students(tmp_path)
    files = here.files(model(student, dtype="bf16"))
    folder = weights_folder(files, "bf16", tmp_path, here)
    written = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert {"config.json", "model.safetensors"} <= written.keys()
    assert weights_folder(files, "bf16", tmp_path, here) == folder
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == written
