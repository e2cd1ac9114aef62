"""Secrets in addresses: which url carries one, and a text without it. It knows how they are written, not whether they are good for anything."""

import re

_URL = r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://"
_USER = re.compile(_URL + r"(?P<user>[^\s/?#\"'`<>@]+(?:@[^\s/?#\"'`<>@]+)*)@")
_ASKED = re.compile(r"(?<=[?&;])(?P<name>[A-Za-z0-9_.-]+)=(?P<value>[^&;#\s\"'`<>]+)")
VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
"""The name of an environment variable, as `key` takes it."""
_KEY = re.compile(r"\bkey\s+\"(?P<key>(?:[^\"\\\n]|\\.)+)")
_NAMED = re.compile(r"token|secret|passw|signature|credential|api[-_]?key|access[-_]?key|authori[sz]ation", re.IGNORECASE)
_SHORT = frozenset(("key", "sig", "pwd", "auth", "pass"))


def secret_in(text: str) -> str | None:
    """What of an address is a secret, in words: None where it is no address, or has none.

    A name before the server (`https://me:word@host`) is one where it has a password, or is all that a web server is shown; in `abfss://container@account`
    it is none. So is a value that is asked for under a name such as `token` or `X-Amz-Signature`.
    """
    for found in _USER.finditer(text):
        if _is_secret(found):
            return "a name and a password" if ":" in found["user"] else "a key"
    names = [found["name"] for found in _asked(text)]
    return f"`{names[0]}=`" if names else None


def veil(text: str) -> str:
    """The text, as long as it was, with `*` for every letter of the secrets in its addresses."""
    if "://" not in text:
        return text
    text = _USER.sub(lambda found: found[0].replace(found["user"], "*" * len(found["user"])) if _is_secret(found) else found[0], text)
    for found in reversed(_asked(text)):
        text = text[: found.start("value")] + "*" * len(found["value"]) + text[found.end("value") :]
    return text


def veil_line(line: str) -> str:
    """As `veil`, of a line of a spec: a `key "…"` that is no name of a variable is one too."""
    for found in reversed(list(_KEY.finditer(line))):
        if not VARIABLE.fullmatch(found["key"]):
            line = line[: found.start("key")] + "*" * len(found["key"]) + line[found.end("key") :]
    return veil(line)


def _is_secret(found: re.Match[str]) -> bool:
    return ":" in found["user"] or found["scheme"].lower() in ("http", "https", "ftp")


def _asked(text: str) -> list[re.Match[str]]:
    if "://" not in text:
        return []
    return [found for found in _ASKED.finditer(text) if found["name"].lower() in _SHORT or _NAMED.search(found["name"])]
