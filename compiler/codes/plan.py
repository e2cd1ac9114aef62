"""MIX04xx."""
from .entry import Code
CODES: dict[str, Code] = {}
