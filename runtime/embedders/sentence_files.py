"""Finds the files of a sentence-embedding model (a folder, a hub id) and names their content by a digest. Loads nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...compiler.diagnostics import Diagnostic, Fault, Label
from ...compiler.plan.stages import Model
from ..engines.digests import Digests, of_text
from ..engines.hub import fetch
from ..engines.model_files import CONFIG, TOKENIZER, WEIGHTS, is_hub_id
from .layers import CONFIGS, Layers, Unsupported, read_layers

_FETCHED = [*WEIGHTS, *CONFIG, *TOKENIZER, *CONFIGS, *(f"*/{name}" for name in ("config.json", *WEIGHTS, *TOKENIZER, *CONFIGS))]
HELP = "name a hub id or a folder that sentence-transformers wrote, such as `sentence-transformers/all-MiniLM-L6-v2`"


@dataclass(frozen=True, slots=True)
class SentenceFiles:
    """A model's folder and what is done with it. `digest` is of all that its vectors depend on; `hub` the commit of a hub id."""

    model: Model
    path: Path
    layers: Layers
    digest: str
    hub: str | None = None

    @property
    def transformer(self) -> Path:
        """The folder that transformers loads."""
        return self.path / self.layers.transformer


def sentence_files(model: Model, digests: Digests, *, over_network: bool = True) -> SentenceFiles:
    """The files of an embedding model. Fault MIX0506 where there are none, MIX0430 where they ask for what is not done here."""
    path, commit = _locate(model, over_network)
    try:
        layers = read_layers(path)
        folder = path / layers.transformer
        if not (folder / "config.json").is_file():
            raise Unsupported("has no `config.json` of a transformer")
        parts = [folder, *(path / name for name in layers.folders)]
        weights = [_found(part, WEIGHTS) for part in parts]
        if missing := next((part for part, files in zip(parts, weights, strict=True) if not files), None):
            where = f" in `{missing.relative_to(path)}`" if missing != path else ""
            raise Unsupported(f"has no weights in safetensors files{where}; those in pickle files could run code and are not loaded")
        digest = of_text("\n".join([repr(layers), *(digests.of_files(files) for files in weights), digests.of_files(_found(folder, (*CONFIG, *TOKENIZER)))]))
    except Unsupported as error:
        raise unsupported(model, str(error)) from None
    except (OSError, ValueError) as error:
        note = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise Fault(Diagnostic("MIX0506", f"`{model.model}` cannot be read", Label(model.span, "this model"), notes=(note,), help="check that its files are whole")) from error
    return SentenceFiles(model, path, layers, digest, commit)


def unsupported(model: Model, why: str) -> Fault:
    """MIX0430: `why` goes on after the model's name."""
    return Fault(Diagnostic("MIX0430", f"`{model.model}` {why}", Label(model.span, "this model"), help=HELP))


def _locate(model: Model, over_network: bool) -> tuple[Path, str | None]:
    for base in dict.fromkeys((Path(model.folder), Path())):
        path = base / Path(model.model).expanduser()
        if path.is_dir():
            return path.resolve(), None
        if path.is_file():
            raise unsupported(model, "is a file")
    if not is_hub_id(model.model):
        message = f"there is no folder `{model.model}`"
        raise Fault(Diagnostic("MIX0506", message, Label(model.span, "this model"), help="a path is relative to the folder of the spec"))
    return fetch(model, _FETCHED, over_network=over_network)


def _found(folder: Path, patterns: Sequence[str]) -> list[Path]:
    return [file for pattern in patterns for file in sorted(folder.glob(pattern)) if file.is_file()]
