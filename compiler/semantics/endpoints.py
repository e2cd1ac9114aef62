"""`endpoint "https://…/v1"` and `key "ENV_NAME"`: a server to be asked, and where its key is. No secret may stand in a spec."""

import re

from ..clauses import Endpoint
from ..diagnostics import Diagnostics
from ..secrets import VARIABLE
from ..syntax import ast

_URL = re.compile(r"https?://(?P<server>[^/?#\s]+)(?P<path>(?:/[^?#\s]*)?)(?P<rest>(?:[?#]\S*)?)", re.ASCII)
_SERVER = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")


def endpoint(url: ast.String | None, key: ast.String | None, notes: Diagnostics) -> Endpoint | None:
    """The server that a clause names; None where it names none, or what it names is wrong (MIX0412)."""
    if key is not None and not VARIABLE.fullmatch(key.value):
        notes.error(
            "MIX0412", "a key is named by an environment variable, and never written into a spec", key.span, "not the name of a variable",
            notes=("if it is a key, take it for known: make a new one",), help='write `key "OPENAI_API_KEY"`, the name in capitals, and set the variable',
        )  # fmt: skip
        return None
    if url is None:
        if key is not None:
            notes.error("MIX0412", "a key without an endpoint is sent nowhere", key.span, "whose key?", help='add `endpoint "https://…/v1"`, or take it out')
        return None
    why = _wrong(url.value)
    if why:
        help = 'write the address that the paths of the API stand behind: `endpoint "https://api.openai.com/v1"`, `endpoint "http://localhost:8000/v1"`'
        notes.error("MIX0412", f"an endpoint {why}", url.span, "not such an address", help=help)
        return None
    return Endpoint(url=url.value.rstrip("/"), key=key.value if key else None)


def _wrong(url: str) -> str | None:
    parts = _URL.fullmatch(url)
    if parts is None:
        return "is a url that begins with `https://` or `http://` and names a server"
    if "@" in parts["server"]:
        return "has no name and no password in its url: its key is an environment variable, which `key` names"
    if not _SERVER.fullmatch(parts["server"]):
        return "names a server, and a port where it needs one"
    if parts["rest"]:
        return "is a url without `?` and `#`: its key is an environment variable, which `key` names"
    if parts["path"].rstrip("/").endswith("/chat/completions"):
        return "is named without `/chat/completions`, which mixc adds"
    return None
