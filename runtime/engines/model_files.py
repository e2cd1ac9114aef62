"""Finds the files of a student's model (a folder, a `.gguf` file, a hub id) and names their content by digests. Loads nothing."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...compiler.diagnostics import Diagnostic, Fault, Label
from ...compiler.plan.stages import Model
from ...compiler.source import Span
from ..unsaid import unsaid
from .digests import Digests, of_gguf, of_text
from .hub import fetch

WEIGHTS = ("*.safetensors",)
CONFIG = ("config.json",)
TOKENIZER = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
    "merges.txt", "tokenizer.model", "spiece.model", "vocab.txt", "sentencepiece.bpe.model",
)  # fmt: skip
OTHERS = ("generation_config.json", "model.safetensors.index.json", "chat_template.jinja", "chat_template.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFiles:
    """A folder that transformers loads, or one `.gguf` file in it; `template` is the text that overrides the model's own.

    `digest` is of the weights and the config, `template_digest` of the template in force; `hub` is the commit of a hub id.
    """

    student: str
    path: Path
    gguf: str | None = None
    hub: str | None = None
    template: str | None = None
    digest: str
    tokenizer_digest: str
    template_digest: str
    span: Span

    @property
    def digests(self) -> dict[str, str]:
        """What a fingerprint takes from a student: its weights, tokenizer and template, by content."""
        return {"weights": self.digest, "tokenizer": self.tokenizer_digest, "template": self.template_digest}


def resolve(model: Model, digests: Digests, *, fetch: bool = True) -> ModelFiles:
    """The files of `model`. Fault MIX0506 where they are not found or cannot be loaded without pickle, MIX0501 for its template."""
    path, commit = _locate(model, fetch)
    template = _override(model)
    gguf = path.is_file()
    try:
        if gguf:
            weights, tokenizer, own = digests.recall(path, "gguf", of_gguf)
        else:
            _check(model, path)
            weights = digests.of_files(_files(path, (*WEIGHTS, *CONFIG)))
            tokenizer = digests.of_files(_files(path, TOKENIZER))
            own = of_text(_own_template(path))
    except ImportError as error:
        message = f"`{model.model}` is read with the package gguf, which is not installed"
        label = Label(model.span, "to read this")
        raise Fault(Diagnostic("MIX0509", message, label, help='run `pip install "mixc[train]"`')) from error
    except (OSError, ValueError, IndexError, KeyError) as error:
        raise _fault(model, f"`{model.model}` cannot be read", "check that its files are whole", error) from error
    return ModelFiles(
        student=model.student, path=path.parent if gguf else path, gguf=path.name if gguf else None, hub=commit,
        template=template, digest=weights, tokenizer_digest=tokenizer,
        template_digest=own if template is None else of_text(template), span=model.span,
    )  # fmt: skip


def is_hub_id(name: str) -> bool:
    """Whether a name that is no folder or file here can be that of a model on the hub."""
    return not (name.endswith(".gguf") or name.startswith((".", "/", "~")) or name.count("/") > 1)


def _locate(model: Model, over_network: bool) -> tuple[Path, str | None]:
    """The folder or the `.gguf` file, and the commit where it came from the hub."""
    name = model.model
    for base in dict.fromkeys((Path(model.folder), Path())):
        path = base / Path(name).expanduser()
        if path.is_dir() or (path.is_file() and path.suffix == ".gguf"):
            return path.resolve(), None
        if path.is_file():
            raise _fault(model, f"`{name}` is a file, and not a `.gguf` file", "name the folder that holds it")
    if not is_hub_id(name):
        raise _fault(model, f"there is no folder or file `{name}`", "a path is relative to the folder of the spec")
    return fetch(model, [*WEIGHTS, *CONFIG, *TOKENIZER, *OTHERS], over_network=over_network)


def _check(model: Model, folder: Path) -> None:
    """Fault unless transformers can load the folder from safetensors."""
    files = sorted(file.name for file in folder.iterdir() if file.is_file())
    if "config.json" not in files:
        quantized = next((file for file in files if file.endswith(".gguf")), None)
        help = f"name the file in it: `{model.model.rstrip('/')}/{quantized}`" if quantized else "name a model's folder"
        raise _fault(model, f"the folder `{model.model}` holds no model: it has no `config.json`", help)
    if not _files(folder, WEIGHTS):
        help = "save the model as safetensors: weights in pickle files could run code and are not loaded"
        raise _fault(model, f"`{model.model}` has no weights in safetensors files", help)


def _files(folder: Path, patterns: Sequence[str]) -> list[Path]:
    return [file for pattern in patterns for file in sorted(folder.glob(pattern)) if file.is_file()]


def _own_template(folder: Path) -> str:
    """The template that transformers would take from the folder, as text; empty where there is none."""
    file = folder / "chat_template.jinja"
    if file.is_file():
        return file.read_text(encoding="utf-8")
    for name in ("tokenizer_config.json", "chat_template.json"):
        if (folder / name).is_file():
            template = json.loads((folder / name).read_text(encoding="utf-8")).get("chat_template")
            if template:
                return template if isinstance(template, str) else json.dumps(template, sort_keys=True)
    return ""


def _override(model: Model) -> str | None:
    if model.template is None:
        return None
    try:
        return Path(model.template).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"the chat template `{model.template}` cannot be read"
        label = Label(model.span, "this student's template")
        help = "`template` names a Jinja file, relative to the folder of the spec"
        raise Fault(Diagnostic("MIX0501", message, label, notes=(str(error),), help=help)) from error


def _fault(model: Model, message: str, help: str, error: Exception | None = None) -> Fault:
    notes = (unsaid(str(error)).splitlines()[0],) if error and str(error) else ()
    return Fault(Diagnostic("MIX0506", message, Label(model.span, "this model"), notes=notes, help=help))
