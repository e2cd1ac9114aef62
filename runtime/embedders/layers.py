"""What a folder that sentence-transformers wrote says is done to a text: `modules.json`, the configurations of its modules, prompts. Knows JSON, no tensors.

Whatever it asks for that is not done here is an Unsupported, never left out.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

POOLING = ("cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")
"""In the order in which several are put side by side."""
_LEGACY = {
    "pooling_mode_cls_token": "cls", "pooling_mode_max_tokens": "max", "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens", "pooling_mode_weightedmean_tokens": "weightedmean", "pooling_mode_lasttoken": "lasttoken",
}  # fmt: skip
ACTIVATIONS = ("Identity", "Tanh", "ReLU", "GELU", "Sigmoid", "SiLU")
_TRANSFORMER = ("sentence_bert_config.json", "sentence_roberta_config.json", "sentence_distilbert_config.json", "sentence_camembert_config.json",
                "sentence_albert_config.json", "sentence_xlm-roberta_config.json", "sentence_xlnet_config.json")  # fmt: skip
_TEXT = {"method": "forward", "method_output_name": "last_hidden_state"}
CONFIGS = ("modules.json", "config_sentence_transformers.json", *_TRANSFORMER)
"""The files that say what is done, beside those of the modules in their folders."""


class Unsupported(ValueError):
    """The model asks for something that is not done here; the message ends a sentence that names the model."""


@dataclass(frozen=True, slots=True)
class Pooling:
    """How the states of a text's tokens become one vector: each of `modes`, side by side; without the tokens of the prompt where not `with_prompt`."""

    modes: tuple[str, ...]
    with_prompt: bool = True


@dataclass(frozen=True, slots=True)
class Dense:
    """A linear layer and what is done to its result; its weights lie in `folder`."""

    folder: str
    activation: str
    residual: bool = False


@dataclass(frozen=True, slots=True)
class LayerNorm:
    """Its weights lie in `folder`."""

    folder: str


@dataclass(frozen=True, slots=True)
class Normalize:
    """To the length 1."""


Layer = Pooling | Dense | LayerNorm | Normalize


@dataclass(frozen=True, slots=True)
class Layers:
    """`transformer`: the folder of the transformer, below the model's. `most`: tokens that are read of a text, None where only the model bounds them.
    `prompt` stands before every text. `layers` in their order, the first of them the pooling."""

    transformer: str
    most: int | None
    lower: bool
    prompt: str
    layers: tuple[Layer, ...]

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders of layers that have weights."""
        return tuple(layer.folder for layer in self.layers if isinstance(layer, Dense | LayerNorm))


def read_layers(folder: Path) -> Layers:
    """What the files in a folder say. Unsupported; OSError and ValueError where a file cannot be read."""
    if not (folder / "modules.json").is_file():
        raise Unsupported("has no `modules.json`, so it does not say how tokens become one vector")
    modules = _json(folder / "modules.json", list)
    if not modules or not all(isinstance(m, dict) and isinstance(m.get("type"), str) and isinstance(m.get("path"), str) for m in modules):
        raise Unsupported("has a `modules.json` that lists no modules with `type` and `path`")
    kinds = [_kind(m["type"]) for m in modules]
    if kinds[0] != "Transformer" or kinds.count("Transformer") > 1:
        raise Unsupported(f"begins with the module `{modules[0]['type']}`, and only a transformer is read" if kinds[0] != "Transformer" else "has two transformers")
    most, lower = _transformer(folder / modules[0]["path"])
    found = [layer for module, kind in zip(modules[1:], kinds[1:], strict=True) if (layer := _layer(folder, module["path"], kind)) is not None]
    if not found or not isinstance(found[0], Pooling) or any(isinstance(layer, Pooling) for layer in found[1:]):
        raise Unsupported("does not pool its tokens right after its transformer, and once")
    prompt = _prompt(folder)
    return Layers(modules[0]["path"], most, lower, prompt, tuple(found))


def _kind(name: str) -> str:
    """The last part of a module's class, where it is one of the package's own."""
    if name.split(".")[0] != "sentence_transformers":
        raise Unsupported(f"has a module of its own, `{name}`, and code that comes with a model is not run")
    return name.split(".")[-1]


def _layer(folder: Path, path: str, kind: str) -> Layer | None:
    match kind:
        case "Pooling":
            return _pooling(_config(folder / path))
        case "Dense":
            return _dense(path, _config(folder / path))
        case "LayerNorm":
            _known(_config(folder / path), {"dimension"}, kind)
            return LayerNorm(path)
        case "Normalize":
            settings = _json(folder / path / "config.json", dict) if (folder / path / "config.json").is_file() else {}
            _in_and_out(settings, kind)
            return Normalize()
        case "Dropout":
            return None  # at rest it changes nothing
        case _:
            raise Unsupported(f"has a module `{kind}`, which is not done here")


def _pooling(config: Mapping[str, Any]) -> Pooling:
    _known(config, {"embedding_dimension", "word_embedding_dimension", "pooling_mode", "include_prompt", *_LEGACY}, "Pooling")
    given = config.get("pooling_mode")
    if given is None:
        modes = tuple(mode for key, mode in _LEGACY.items() if config.get(key)) or ("mean",)
    else:
        modes = (given,) if isinstance(given, str) else tuple(given)
    if odd := [mode for mode in modes if mode not in POOLING]:
        raise Unsupported(f"pools by `{odd[0]}`, which is not done here")
    return Pooling(modes, bool(config.get("include_prompt", True)))


def _dense(path: str, config: Mapping[str, Any]) -> Dense:
    _known(config, {"in_features", "out_features", "bias", "activation_function", "module_input_name", "module_output_name", "use_residual"}, "Dense")
    _in_and_out({k: v for k, v in config.items() if k.startswith("module_")}, "Dense")
    name = str(config.get("activation_function", "torch.nn.modules.activation.Tanh"))
    activation = name.rsplit(".", 1)[-1]
    if not name.startswith("torch.nn.") or activation not in ACTIVATIONS:
        raise Unsupported(f"has a dense layer with the activation `{name}`, which is not done here")
    return Dense(path, activation, bool(config.get("use_residual", False)))


def _transformer(folder: Path) -> tuple[int | None, bool]:
    """The most tokens of a text, and whether texts are lower-cased."""
    file = next((folder / name for name in _TRANSFORMER if (folder / name).is_file()), None)
    config = _json(file, dict) if file else {}
    known = {"max_seq_length", "do_lower_case", "transformer_task", "modality_config", "module_output_name"}
    _known({k: v for k, v in config.items() if v not in (None, {}, [])}, known, "Transformer")
    task, out = config.get("transformer_task", "feature-extraction"), config.get("module_output_name", "token_embeddings")
    if (task, out) != ("feature-extraction", "token_embeddings") or config.get("modality_config", {"text": _TEXT}).get("text") != _TEXT:
        raise Unsupported(f"does not read the last hidden states of its transformer (its task is `{task}`)")
    return config.get("max_seq_length"), bool(config.get("do_lower_case", False))


def _prompt(folder: Path) -> str:
    """What stands before every text: the prompt that the model names as its default."""
    file = folder / "config_sentence_transformers.json"
    config = _json(file, dict) if file.is_file() else {}
    name, prompts = config.get("default_prompt_name"), config.get("prompts") or {}
    if name is None:
        return ""
    if not isinstance(prompts.get(name), str):
        raise Unsupported(f"names `{name}` as its prompt and does not have it")
    return prompts[name]


def _in_and_out(config: Mapping[str, Any], kind: str) -> None:
    for key in ("module_input_name", "module_output_name"):
        if config.get(key) not in (None, "sentence_embedding"):
            raise Unsupported(f"has a module `{kind}` that works on `{config[key]}`, which is not done here")


def _known(config: Mapping[str, Any], keys: set[str], kind: str) -> None:
    if odd := sorted(config.keys() - keys):
        raise Unsupported(f"sets `{odd[0]}` of its module `{kind}`, which is not known here")


def _config(folder: Path) -> dict[str, Any]:
    return _json(folder / "config.json", dict)


def _json(file: Path, kind: type) -> Any:
    found = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(found, kind):
        raise Unsupported(f"has a `{file.name}` of another form")
    return found
