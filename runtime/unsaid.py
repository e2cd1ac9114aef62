"""What another machine or library says, without the secrets of this process: those of its environment, and those in addresses."""

import os
import re

from ..compiler.secrets import veil

_SECRET = re.compile(r"TOKEN|SECRET|PASSW|KEY|CREDENTIAL|AUTH(?!OR)", re.IGNORECASE)
_SHORTEST = 8
"""Nothing shorter is a secret worth the name; to hide it would hide words."""


def unsaid(text: str) -> str:
    """The text with `***` for the value of every environment variable whose name says that it holds a secret."""
    held = {value.strip() for name, value in os.environ.items() if _SECRET.search(name)}
    for value in sorted(held, key=len, reverse=True):
        if len(value) >= _SHORTEST:
            text = text.replace(value, "***")
    return veil(text)
