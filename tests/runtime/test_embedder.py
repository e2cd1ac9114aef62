"""Sentence-embedding models are read as they say: against a slow reading of the same modules, and where it is installed against sentence-transformers."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mixc.compiler.clauses import Model
from mixc.compiler.diagnostics import Fault
from mixc.compiler.source import Span
from mixc.runtime.embedders.embedder import Embedder, SentenceTokenizer
from mixc.runtime.embedders.sentence_files import sentence_files
from mixc.runtime.engines.digests import Digests
from mixc.tests.runtime.tiny_embedder import NORMALIZE, POOLING, WIDTH, make_tiny_embedder

TEXTS = ["Natalia sold 48 clips in April.", "x = 5", "The train travels 60 miles per hour for 2.5 hours! What is the distance?", " Área ", "a"]
MODES = ("cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")


def model(folder: Path) -> Model:
    return Model(student=folder.name, model=str(folder), dtype="fp32", span=Span("a.mix", 0, 1))


def embedder(folder: Path) -> Embedder:
    import torch

    files = sentence_files(model(folder), Digests())
    return Embedder(files, SentenceTokenizer(files), torch.device("cpu"))


def embedded(folder: Path, texts: list[str] = TEXTS) -> np.ndarray:
    found = embedder(folder)
    return found.vectors(found.tokenizer.ids(texts))


def pooled(mode: str, states: np.ndarray, first: int = 0) -> np.ndarray:
    """One text's states, tokens by width, as the definitions say; the `first` ones do not count."""
    rows = [(position, [float(x) for x in row]) for position, row in enumerate(states, 1) if position > first]
    columns = list(zip(*(row for _, row in rows), strict=True))
    match mode:
        case "cls":
            return np.array(rows[0][1])
        case "lasttoken":
            return np.array(rows[-1][1])
        case "max":
            return np.array([max(c) for c in columns])
        case "mean":
            return np.array([math.fsum(c) / len(rows) for c in columns])
        case "mean_sqrt_len_tokens":
            return np.array([math.fsum(c) / math.sqrt(len(rows)) for c in columns])
        case _:
            weights = [position for position, _ in rows]
            return np.array([math.fsum(w * x for w, x in zip(weights, c, strict=True)) / sum(weights) for c in columns])


def states(found: Embedder, text: str) -> np.ndarray:
    """The last hidden states of a text that is read in a batch with a longer one, padded: another way to them."""
    import torch

    rows = found.tokenizer.ids([text, TEXTS[2] * 3])
    longest = max(map(len, rows))
    ids = torch.tensor([row + [2] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    with torch.inference_mode():
        return found.model(input_ids=ids, attention_mask=mask).last_hidden_state[0, : len(rows[0])].double().numpy()


def unit(vector: np.ndarray) -> np.ndarray:
    return vector / math.sqrt(math.fsum(x * x for x in vector))


@pytest.mark.parametrize("modes", [*[(m,) for m in MODES], ("cls", "max", "mean"), ("mean", "lasttoken")])
@pytest.mark.parametrize("legacy", [True, False])
def test_tokens_are_pooled_as_the_definitions_say(modes: tuple[str, ...], legacy: bool, tmp_path: Path) -> None:
    keys = {"cls": "pooling_mode_cls_token", "max": "pooling_mode_max_tokens", "mean": "pooling_mode_mean_tokens",
            "mean_sqrt_len_tokens": "pooling_mode_mean_sqrt_len_tokens", "weightedmean": "pooling_mode_weightedmean_tokens", "lasttoken": "pooling_mode_lasttoken"}  # fmt: skip
    old = {"word_embedding_dimension": WIDTH, **{key: mode in modes for mode, key in keys.items()}}
    new = {"embedding_dimension": WIDTH, "pooling_mode": modes[0] if len(modes) == 1 else list(modes), "include_prompt": True}
    folder = make_tiny_embedder(tmp_path / "m", [("1_Pooling", "sentence_transformers.models.Pooling", old if legacy else new)])
    found = embedder(folder)
    vectors = found.vectors(found.tokenizer.ids(TEXTS))
    assert vectors.shape == (len(TEXTS), WIDTH * len(modes)) and vectors.dtype == np.float32
    for text, vector in zip(TEXTS, vectors, strict=True):
        wanted = unit(np.concatenate([pooled(mode, states(found, text)) for mode in modes]))
        np.testing.assert_allclose(vector, wanted, atol=2e-6)


@pytest.mark.parametrize("with_prompt", [True, False])
def test_the_default_prompt_stands_before_every_text_and_counts_where_the_model_says_so(with_prompt: bool, tmp_path: Path) -> None:
    pooling = ("1_Pooling", POOLING[1], {"embedding_dimension": WIDTH, "pooling_mode": ["mean", "cls", "weightedmean"], "include_prompt": with_prompt})
    prompts = {"prompts": {"query": "Find 3x: ", "other": "no"}, "default_prompt_name": "query"}
    plain = embedder(make_tiny_embedder(tmp_path / "plain", [pooling]))
    found = embedder(make_tiny_embedder(tmp_path / "m", [pooling], prompts=prompts))
    before = len(plain.tokenizer.ids(["Find 3x: "])[0]) - 1  # without the token that ends it
    for text, vector in zip(TEXTS, found.vectors(found.tokenizer.ids(TEXTS)), strict=True):
        read = states(plain, f"Find 3x: {text}")
        wanted = np.concatenate([pooled(mode, read, 0 if with_prompt else before) for mode in ("cls", "mean", "weightedmean")])
        wanted = np.concatenate([wanted[WIDTH : 2 * WIDTH], wanted[:WIDTH], wanted[2 * WIDTH :]])
        np.testing.assert_allclose(vector, unit(wanted), atol=2e-6)


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize(("activation", "apply"), [("Identity", lambda x: x), ("Tanh", math.tanh), ("ReLU", lambda x: max(x, 0.0)), ("Sigmoid", lambda x: 1 / (1 + math.exp(-x)))])
def test_a_dense_layer_and_a_layer_norm_are_applied(activation: str, apply: Any, residual: bool, tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    where = "torch.nn.modules.linear" if activation == "Identity" else "torch.nn.modules.activation"
    dense = {"in_features": WIDTH, "out_features": WIDTH, "bias": True, "activation_function": f"{where}.{activation}", "use_residual": residual}
    layers = [("2_Dense", "sentence_transformers.models.Dense", dense), ("3_LayerNorm", "sentence_transformers.models.LayerNorm", {"dimension": WIDTH})]
    folder = make_tiny_embedder(tmp_path / "m", [POOLING, *layers, ("4_Dropout", "sentence_transformers.models.Dropout", {"dropout": 0.1})])
    found = embedder(folder)
    weights, norm = (load_file(folder / path / "model.safetensors") for path in ("2_Dense", "3_LayerNorm"))
    for text, vector in zip(TEXTS, found.vectors(found.tokenizer.ids(TEXTS)), strict=True):
        mean = pooled("mean", states(found, text))
        out = [apply(math.fsum(w * x for w, x in zip(row, mean, strict=True)) + b) for row, b in zip(weights["linear.weight"].tolist(), weights["linear.bias"].tolist(), strict=True)]
        out = [o + m for o, m in zip(out, mean, strict=True)] if residual else out
        centre = math.fsum(out) / WIDTH
        spread = math.sqrt(math.fsum((x - centre) ** 2 for x in out) / WIDTH + 1e-5)
        wanted = [(x - centre) / spread * g + b for x, g, b in zip(out, norm["norm.weight"].tolist(), norm["norm.bias"].tolist(), strict=True)]
        np.testing.assert_allclose(vector, unit(np.array(wanted)), atol=5e-6)


def test_a_text_has_its_vector_whatever_is_read_with_it(tmp_path: Path) -> None:
    found = embedder(make_tiny_embedder(tmp_path / "m"))
    together = found.vectors(found.tokenizer.ids(TEXTS))
    assert all((found.vectors(found.tokenizer.ids([text]))[0] == vector).all() for text, vector in zip(TEXTS, together, strict=True))
    assert (found.vectors(found.tokenizer.ids(TEXTS[::-1]))[::-1] == together).all()


@pytest.mark.parametrize(("given", "most"), [({"max_seq_length": 8, "do_lower_case": False}, 8), ({"max_seq_length": None}, 64), ({"max_seq_length": 500}, 64), (None, 64)])
def test_what_is_too_long_is_cut_where_the_model_says(given: dict | None, most: int, tmp_path: Path) -> None:
    found = embedder(make_tiny_embedder(tmp_path / "m", transformer=given))
    (ids,) = found.tokenizer.ids([TEXTS[2] * 5])
    assert found.tokenizer.most == most == len(ids) and ids[-1] == found.tokenizer.hf.convert_tokens_to_ids("<|im_end|>")
    assert found.tokenizer.lengths([TEXTS[2] * 5])[0] > 64


def test_a_model_that_lower_cases_reads_lower_case(tmp_path: Path) -> None:
    folder = make_tiny_embedder(tmp_path / "m", transformer={"max_seq_length": 64, "do_lower_case": True})
    assert (embedded(folder, ["ABC x"]) == embedded(folder, ["abc X"])).all()


def test_the_transformer_may_lie_in_a_folder_of_its_own(tmp_path: Path) -> None:
    assert (embedded(make_tiny_embedder(tmp_path / "a", below="0_Transformer")) == embedded(make_tiny_embedder(tmp_path / "b"))).all()


def test_the_digest_is_of_all_that_vectors_depend_on(tmp_path: Path) -> None:
    def digest(name: str, **given: Any) -> str:
        return sentence_files(model(make_tiny_embedder(tmp_path / name, **given)), Digests()).digest

    cls = ("1_Pooling", POOLING[1], {"word_embedding_dimension": WIDTH, "pooling_mode_cls_token": True})
    others = [{"seed": 1}, {"modules": (cls, NORMALIZE)}, {"transformer": {"max_seq_length": 8}}, {"frame": False}, {"prompts": {"prompts": {"q": "x"}, "default_prompt_name": "q"}}]
    assert digest("a") == digest("b")
    assert len({digest("c"), *(digest(f"o{i}", **each) for i, each in enumerate(others))}) == 6


def test_it_agrees_with_the_package_that_writes_such_folders(tmp_path: Path) -> None:
    package = pytest.importorskip("sentence_transformers")
    pooling = ("1_Pooling", POOLING[1], {"embedding_dimension": WIDTH, "pooling_mode": ["mean", "max", "weightedmean"], "include_prompt": False})
    dense = ("2_Dense", "sentence_transformers.models.Dense", {"in_features": 3 * WIDTH, "out_features": 8, "bias": True, "activation_function": "torch.nn.modules.activation.Tanh"})
    folder = make_tiny_embedder(tmp_path / "m", [pooling, dense, NORMALIZE], prompts={"prompts": {"q": "Find: "}, "default_prompt_name": "q"}, transformer={"max_seq_length": 20})
    theirs = package.SentenceTransformer(str(folder), device="cpu").encode(TEXTS)
    assert 1 - (embedded(folder) * theirs).sum(axis=1).min() < 1e-5


def _pooling(**settings: object) -> tuple:
    return ("1_Pooling", POOLING[1], {"embedding_dimension": WIDTH, **settings})


DENSE = {"in_features": WIDTH, "out_features": WIDTH, "bias": True}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "another pooling": ({"modules": [_pooling(pooling_mode="attention")]}, "pools by `attention`"),
    "an unknown setting": ({"modules": [_pooling(pooling_mode="mean", scale=2)]}, "sets `scale` of its module `Pooling`"),
    "no pooling": ({"modules": [NORMALIZE]}, "does not pool its tokens"),
    "no module at all": ({"modules": []}, "does not pool its tokens"),
    "a module that is not done": ({"modules": [POOLING, ("2_CNN", "sentence_transformers.models.CNN", {})]}, "has a module `CNN`"),
    "code of its own": ({"modules": [POOLING, ("2_Own", "custom.Module", {})]}, "code that comes with a model is not run"),
    "another activation": ({"modules": [POOLING, ("2_Dense", "sentence_transformers.models.Dense", DENSE | {"activation_function": "torch.nn.Softmax"})]}, "the activation `torch.nn.Softmax`"),
    "a layer elsewhere": ({"modules": [POOLING, ("2_Dense", "sentence_transformers.models.Dense", DENSE | {"module_input_name": "token_embeddings"})]}, "works on `token_embeddings`"),
    "another task": ({"transformer": {"transformer_task": "fill-mask"}}, "its task is `fill-mask`"),
    "a prompt that is not there": ({"prompts": {"prompts": {}, "default_prompt_name": "q"}}, "names `q` as its prompt"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_done_here_is_refused_and_never_left_out(case: str, tmp_path: Path) -> None:
    given, says = REFUSED[case]
    folder = make_tiny_embedder(tmp_path / "m", **given)
    with pytest.raises(Fault) as raised:
        sentence_files(model(folder), Digests())
    (found,) = raised.value.diagnostics
    assert found.code == "MIX0430" and says in found.message


def test_a_folder_without_what_it_needs_is_refused(tmp_path: Path) -> None:
    folder = make_tiny_embedder(tmp_path / "m")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    for take, code, says in ((None, "MIX0430", "no weights in safetensors"), ("config.json", "MIX0430", "no `config.json`"), ("modules.json", "MIX0430", "no `modules.json`")):
        if take:
            (folder / take).unlink()
        with pytest.raises(Fault) as raised:
            sentence_files(model(folder), Digests())
        assert raised.value.diagnostics[0].code == code and says in raised.value.diagnostics[0].message
    (folder / "modules.json").write_text("{")
    with pytest.raises(Fault, match="cannot be read"):
        sentence_files(model(folder), Digests())
    with pytest.raises(Fault, match="there is no folder"):
        sentence_files(model(Path("./nowhere/at/all")), Digests())
