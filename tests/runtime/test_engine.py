"""A student: its files found and named by content, its tokenizer, and the engine that runs it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from mixc.compiler.diagnostics import Fault
from mixc.compiler.plan.stages import Model
from mixc.compiler.source import Span
from mixc.runtime.engines.base import Request, Window
from mixc.runtime.engines.load import load_for_training
from mixc.runtime.engines.students import Students
from mixc.runtime.engines.transformers import TransformersEngine
from mixc.tests.runtime.tiny import make_tiny_student

SPAN = Span("a.mix", 3, 9)
TEXT = "  First, 2.5 clips!\n\nThen naïve 日本 😀 "
ARCHITECTURES = ("llama", "qwen2", "qwen3", "gemma2", "gemma3", "mistral", "phi3", "gpt2", "bloom", "mamba")


def model(path: Path | str, **changes: object) -> Model:
    return Model(**{"student": "tiny", "model": str(path), "dtype": "fp32", "span": SPAN, **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="module", params=ARCHITECTURES)
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TransformersEngine:
    folder = make_tiny_student(tmp_path_factory.mktemp("students") / request.param, arch=request.param)
    found = Students().engine(model(folder))
    assert isinstance(found, TransformersEngine)
    return found


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_student(tmp_path_factory.mktemp("students") / "llama")


def code(call: Callable[[], object]) -> str:
    with pytest.raises(Fault) as caught:
        call()
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.primary is not None and diagnostic.primary.span == SPAN
    assert diagnostic.help
    return diagnostic.code


def test_greedy_answers_do_not_depend_on_their_batch_and_end_at_the_end_of_turn(engine: TransformersEngine) -> None:
    prompts = [engine.tokenizer.prompt(text) for text in ("How many?", "What is the distance of the train?", "x")]
    heard: list[int] = []
    together = engine.generate([Request(prompt, 24) for prompt in prompts], heard.append)
    assert heard[-1] == 3
    assert together == [engine.generate([Request(prompt, 24)])[0] for prompt in prompts]
    for prompt, answer in zip(prompts, together, strict=True):
        ids = list(prompt)
        for _ in range(24):
            with torch.no_grad():
                ids.append(int(engine.model(torch.tensor([ids])).logits[0, -1].argmax()))
            if ids[-1] == 2:
                break
        new = ids[len(prompt) :]
        assert answer.finished == (new[-1] == 2)
        assert answer.tokens == len(new) - answer.finished
        assert answer.text == engine.tokenizer.text(new)


def test_an_answer_stops_where_the_context_is_full(llama: Path) -> None:
    engine = Students().engine(model(llama))
    assert engine.context == 512
    full, near = engine.generate([Request((5,) * 512, 20), Request((5,) * 507, 20)])
    assert (full.tokens, full.finished) == (0, False)
    assert near.tokens <= 5


def test_a_response_has_the_tokenizers_ids_and_the_characters_where_untrimmed_tokens_start(llama: Path) -> None:
    tokenizer = Students().tokenizer(model(llama))
    found = tokenizer.response(TEXT)
    assert list(found.ids) == tokenizer.hf(TEXT, add_special_tokens=False)["input_ids"]
    trimmed = [s for s, _ in tokenizer.hf(TEXT, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]]
    assert found.starts[0] == 0 and trimmed != list(found.starts)  # the tokenizer's own offsets skip the spaces
    assert list(found.starts) == sorted(found.starts)
    assert found.starts.count(TEXT.index("日")) > 1  # one character, several tokens
    assert all(TEXT[start] == " " for start, number in zip(found.starts, found.ids, strict=True)
               if tokenizer.hf.convert_ids_to_tokens(number).startswith("Ġ"))  # fmt: skip
    assert tokenizer.responses(["", TEXT]) == [type(found)((), ()), found]


def test_a_prompt_is_the_template_with_its_call_for_an_answer(llama: Path, tmp_path: Path) -> None:
    tokenizer = Students().tokenizer(model(llama))
    assert tokenizer.hf.decode(tokenizer.prompt("Why?")) == "<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n"
    assert tokenizer.stops() == (2,)
    (tmp_path / "own.jinja").write_text("Q: {{ messages[0]['content'] }} {{ strftime_now('%Y') }}\nA:")
    students = Students()
    own = model(llama, folder=str(tmp_path), template=str(tmp_path / "own.jinja"))
    assert students.tokenizer(own).hf.decode(students.tokenizer(own).prompt("Why?")) == "Q: Why? 2024\nA:"
    assert students.files(own).template_digest != students.files(model(llama)).template_digest
    assert students.files(own).tokenizer_digest == students.files(model(llama)).tokenizer_digest


def test_a_student_without_a_usable_template_is_a_fault_only_where_it_is_needed(tmp_path: Path) -> None:
    bare = Students().tokenizer(model(make_tiny_student(tmp_path / "bare", chat_template=False)))
    assert len(bare.response("Five clips").ids) > 0
    assert code(lambda: bare.prompt("Why?")) == "MIX0507"
    (tmp_path / "bad.jinja").write_text("{% for %}")
    bad = Students().tokenizer(model(tmp_path / "bare", folder=str(tmp_path), template=str(tmp_path / "bad.jinja")))
    assert code(lambda: bad.prompt("Why?")) == "MIX0507"
    missing = model(tmp_path / "bare", folder=str(tmp_path), template=str(tmp_path / "none.jinja"))
    assert code(lambda: Students().files(missing)) == "MIX0501"


def test_a_model_that_is_nowhere_or_not_whole_or_only_pickled_is_a_fault(
    tmp_path: Path, llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    (tmp_path / "a file.txt").write_text("")
    (tmp_path / "bad.gguf").write_bytes(b"GGUF and no more than that")
    (tmp_path / "pickled").mkdir()
    (tmp_path / "pickled" / "config.json").write_text("{}")
    (tmp_path / "pickled" / "pytorch_model.bin").write_text("")
    for name in ("./nowhere", "nowhere.gguf", "a/b/c", "no such id", "nobody/nothing", "a file.txt", "bad.gguf", "pickled", "."):
        assert code(lambda name=name: Students().files(model(name, folder=str(tmp_path)))) == "MIX0506", name
    cut = tmp_path / "cut"
    cut.mkdir()
    for file in llama.iterdir():
        (cut / file.name).write_bytes(file.read_bytes())
    (cut / "model.safetensors").write_bytes((llama / "model.safetensors").read_bytes()[:5_000])
    assert code(lambda: Students().engine(model(cut))) == "MIX0506"


def test_digests_are_of_content_and_are_remembered_by_size_and_time(llama: Path, tmp_path: Path) -> None:
    copied = tmp_path / "elsewhere"
    copied.mkdir()
    for file in llama.iterdir():
        (copied / file.name).write_bytes(file.read_bytes())
    files = Students().files
    assert files(model(copied)).digests == files(model(llama)).digests
    other = make_tiny_student(tmp_path / "other", seed=1)
    assert files(model(other)).digest != files(model(llama)).digest
    assert files(model(other)).tokenizer_digest == files(model(llama)).tokenizer_digest

    big = copied / "model.safetensors"
    big.write_bytes(b"0" * 1_500_000)
    first = Students(tmp_path).files(model(copied)).digest
    remembered = json.loads((tmp_path / "digests.json").read_text())
    (key,) = remembered
    remembered[key][2] = "known"
    (tmp_path / "digests.json").write_text(json.dumps(remembered))
    assert Students(tmp_path).files(model(copied)).digest != first  # it was not read again
    big.write_bytes(b"1" * 1_500_001)
    assert Students(tmp_path).files(model(copied)).digest == Students().files(model(copied)).digest
    (tmp_path / "digests.json").write_text("damaged")
    assert Students(tmp_path).files(model(copied)).digest == Students().files(model(copied)).digest


def test_equal_students_are_loaded_once(llama: Path) -> None:
    students = Students()
    assert students.engine(model(llama)) is students.engine(model(llama, student="other"))
    assert students.engine(model(llama, dtype="bf16")) is not students.engine(model(llama))


@pytest.mark.student
@pytest.mark.slow
def test_a_student_from_a_gguf_file_can_be_saved_for_training(tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    students = Students()
    root = Path(__file__).parents[2]
    given = model("models/SmolLM2-135M-Instruct.Q4_1.gguf", folder=str(root), student="smollm2")
    capfd.readouterr()
    load_for_training(students.files(given), "fp32").save_pretrained(tmp_path)
    students.tokenizer(given).hf.save_pretrained(tmp_path)
    assert capfd.readouterr().err == ""
    before, after = students.engine(given), students.engine(model(tmp_path))
    prompt = students.tokenizer(given).prompt("What is 2 + 3?")
    assert students.tokenizer(model(tmp_path)).prompt("What is 2 + 3?") == prompt
    asked = [Window(prompt, students.tokenizer(given).response("It is 5.").ids, 0)]
    (_, first), (_, second) = *before.read(asked), *after.read(asked)
    assert first.logprob.tolist() == pytest.approx(second.logprob.tolist(), abs=1e-5)
    assert "5" in before.generate([Request(prompt, 30)])[0].text
