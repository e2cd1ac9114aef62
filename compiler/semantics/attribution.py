"""`tag by llm(model: "…", reads: response, depth: 2)`: its arguments, typed."""

from collections.abc import Mapping

from ..clauses import Attribution, Endpoint, Model
from ..diagnostics import Diagnostics
from ..paths import beside, folder
from ..syntax import ast
from .bind import bind
from .endpoints import endpoint
from .inputs import Inputs
from .meant import meant
from .settings import number
from .sources import is_local

ARGUMENTS = ("model", "revision", "endpoint", "key", "reads", "depth", "temperature", "max_tokens")
READS = ("prompt", "response")
DTYPE = "bf16"
_EXAMPLE = 'write `tag by llm(model: "Org/name")`'


def attribution(by: ast.TagBy, inputs: Inputs, notes: Diagnostics) -> Attribution | None:
    """What the call says, the rest as unset in `clauses.Attribution`; None after an error was reported."""
    given, fine = bind(by, ARGUMENTS, notes)
    if "model" not in given:
        if fine:
            notes.error("MIX0207", "`tag by llm` needs a model", by.span, "which one?", help=_EXAMPLE)
        return None
    name, revision, url, key = (_text(one, given[one], notes) if one in given else None for one in ("model", "revision", "endpoint", "key"))
    where = _endpoint(given, notes)
    settled: dict[str, object] = {}
    if "reads" in given:
        settled["reads"] = _reads(given["reads"], notes)
    if "depth" in given:
        settled["depth"] = _whole(number(notes, "depth", given["depth"], None, whole=True, least=1))
    if "temperature" in given:
        settled["temperature"] = number(notes, "temperature", given["temperature"], None, least=0, most=2)
    if "max_tokens" in given:
        settled["max_tokens"] = _whole(number(notes, "max_tokens:", given["max_tokens"], "tokens", whole=True, least=1))
    lost = [one for one, text in (("revision", revision), ("endpoint", url), ("key", key)) if one in given and text is None]
    if name is None or lost or (where is None and (url or key)) or None in settled.values() or not fine:
        return None
    place = given["model"].span
    if where is None and is_local(name) and inputs.present.get(beside(name, place.path)) is False:
        notes.error("MIX0208", f"no model at `{name}`", place, "not there", help="the path is relative to this spec")
    model = Model(student=name, model=name, folder=folder(place.path), revision=revision, dtype=DTYPE, span=place)
    return Attribution(model=model, endpoint=where, **settled)  # type: ignore[arg-type]


def _text(name: str, value: ast.Expr, notes: Diagnostics) -> str | None:
    if isinstance(value, ast.String) and value.value:
        return value.value
    help = _EXAMPLE if name == "model" else "name a commit of the hub by its 40 digits" if name == "revision" else None
    notes.error("MIX0301", f"`{name}` takes a text in double quotes", value.span, "something else", help=help)
    return None


def _endpoint(given: Mapping[str, ast.Expr], notes: Diagnostics) -> Endpoint | None:
    url, key = (value if isinstance(value := given.get(name), ast.String) and value.value else None for name in ("endpoint", "key"))
    return endpoint(url, key, notes) if ("endpoint" in given) == (url is not None) else None


def _reads(value: ast.Expr, notes: Diagnostics) -> str | None:
    text = value.text if isinstance(value, ast.Name) else None
    if text in READS:
        return text
    written = value.value if isinstance(value, ast.String) else text or ""
    notes.error("MIX0302", "`reads` is one of `prompt`, `response`", value.span, "not one of them", **meant(written, READS, value.span))
    return None


def _whole(value: int | float | None) -> int | None:
    return None if value is None else int(value)
