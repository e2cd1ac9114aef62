"""`tag by embedding(model: "…", revision: "…", top: 2, margin: 0.05, least: 0.3)`: its arguments, typed."""

from ..clauses import Model, Nearest
from ..diagnostics import Diagnostics
from ..paths import folder
from ..syntax import ast
from .bind import bind
from .settings import number

ARGUMENTS = ("model", "revision", "top", "margin", "least")
DTYPE = "fp32"
"""What embeds is small, and what is nearest must not hang on rounding."""
_EXAMPLE = 'write `tag by embedding(model: "sentence-transformers/all-MiniLM-L6-v2")`'


def nearest(by: ast.TagBy, notes: Diagnostics) -> Nearest | None:
    """What the call says; None after an error was reported. With `margin` and without `top` the number of skills is not bounded, else `top` is 1."""
    given, fine = bind(by, ARGUMENTS, notes)
    if "model" not in given:
        if fine:
            notes.error("MIX0207", "`tag by embedding` needs a model", by.span, "which one?", help=_EXAMPLE)
        return None
    name, revision = (_text(key, given[key], notes) if key in given else None for key in ("model", "revision"))
    top = number(notes, "top", given["top"], None, whole=True, least=1) if "top" in given else None if "margin" in given else 1
    margin = number(notes, "margin", given["margin"], None, least=0, most=2) if "margin" in given else None
    least = number(notes, "least", given["least"], None, least=-1, most=1) if "least" in given else None
    lost = [key for key, value in (("revision", revision), ("top", top), ("margin", margin), ("least", least)) if key in given and value is None]
    if name is None or lost or not fine:
        return None
    if name.endswith(".gguf"):
        help = "name a hub id or a folder that sentence-transformers wrote, with its `modules.json`"
        notes.error("MIX0302", "a `.gguf` file is no sentence-embedding model that can be read", given["model"].span, "not a folder", help=help)
        return None
    place = given["model"].span
    model = Model(student=name, model=name, folder=folder(place.path), revision=revision, dtype=DTYPE, span=place)
    return Nearest(model=model, top=None if top is None else int(top), margin=margin, least=least)


def _text(name: str, value: ast.Expr, notes: Diagnostics) -> str | None:
    if isinstance(value, ast.String) and value.value:
        return value.value
    help = _EXAMPLE if name == "model" else "name a commit of the hub by its 40 digits"
    notes.error("MIX0301", f"`{name}` takes a text in double quotes", value.span, "something else", help=help)
    return None
