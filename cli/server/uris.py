"""Files as the protocol names them, and as we do: with forward slashes, whatever the system."""

import posixpath
import re
from urllib.parse import quote, unquote, urlsplit

_DRIVE = re.compile(r"^/?([A-Za-z]):")


def path_of(uri: str, folder: str = "") -> str:
    """The path of a URI; a text that is in no file yet (`untitled:Untitled-1`) is taken to lie in `folder`."""
    parts = urlsplit(uri)
    if parts.scheme == "file":
        path = unquote(parts.path)
        if drive := _DRIVE.match(path):
            return f"{drive[1].lower()}:{path[drive.end() :]}"
        return f"//{unquote(parts.netloc)}{path}" if parts.netloc and parts.netloc != "localhost" else path
    if len(parts.scheme) <= 1:
        return uri.replace("\\", "/")
    name = unquote(uri.partition(":")[2]).strip("/") or "untitled"
    return posixpath.join(folder, name)


def uri_of(path: str) -> str:
    """The `file:` URI of a path."""
    if drive := _DRIVE.match(path):
        return f"file:///{drive[1].lower()}%3A{quote(path[drive.end() :].replace(chr(92), '/'))}"
    if path.startswith("//"):
        host, _, rest = path[2:].partition("/")
        return f"file://{host}/{quote(rest)}"
    return f"file://{'' if path.startswith('/') else '/'}{quote(path)}"
