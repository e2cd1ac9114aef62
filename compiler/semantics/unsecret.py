"""No secret stands in a spec: every address in it is looked at (MIX0412). What an endpoint says of its own is for `endpoints`."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from ..diagnostics import Diagnostics
from ..secrets import secret_in
from ..syntax import ast
from .resolve import Resolved

_ENVIRONMENT = (
    ("s3", "`AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`"),
    ("gs", "`GOOGLE_APPLICATION_CREDENTIALS`"),
    ("hf", "`HF_TOKEN`"),
    ("abfs", "`AZURE_STORAGE_ACCOUNT_KEY`"),
)


def unsecret(spec: Resolved, notes: Diagnostics) -> None:
    """Report each text that is an address with a secret in it; what the secret is, is not told."""
    for text in (found for declaration in spec.declarations for found in _texts(declaration)):
        what = secret_in(text.value)
        if what is None:
            continue
        scheme = text.value.partition("://")[0].lower()
        variables = next((names for name, names in _ENVIRONMENT if scheme.startswith(name)), None)
        way = f"take it out: the environment says who reads there, {variables}" if variables else "take it out, and copy the files to this machine, or to a place that the environment opens (`s3://`, `gs://`, `hf://`)"
        notes.error(
            "MIX0412", f"this address has {what} in it, and a spec is a file that is shared", text.span, "a secret",
            notes=("it would stand in every plan and build made from this spec; take it for known, and make a new one",), help=way,
        )  # fmt: skip


def _texts(node: Any) -> Iterator[ast.String]:
    if isinstance(node, ast.String):
        yield node
    elif isinstance(node, ast.Setting) and node.keyword.text in ("endpoint", "description"):
        return
    elif isinstance(node, tuple):
        for item in node:
            yield from _texts(item)
    elif is_dataclass(node):
        for field in fields(node):
            yield from _texts(getattr(node, field.name))
