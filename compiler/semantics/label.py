"""A param and its value as the name of a folder: safe on any file system, and two values never share one."""

import hashlib

from ..syntax import ast
from ..syntax.format import format_expression

LONGEST = 80


def label(param: str, value: ast.Expr) -> str:
    """`window=4`, `share=40` (all values of a sweep are in one unit), `split=a%2Fb%20c`: what is no letter, digit, `_`, `-`, `.` or `+` as its UTF-8 bytes.

    A long value is cut, and ends with `~` and a digest of the whole.
    """
    match value:
        case ast.Number():
            text = value.text or repr(value.value)
        case ast.String():
            text = value.value
        case _:
            text = format_expression(value)
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "_-.+") else _bytes(c) for c in text)
    if len(safe) > LONGEST:
        safe = f"{safe[:LONGEST]}~{hashlib.blake2b(safe.encode(), digest_size=6).hexdigest()}"
    return f"{param}={safe}"


def _bytes(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
