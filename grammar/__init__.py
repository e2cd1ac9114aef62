"""The grammar as package data: its text, `mix.lark`, and the parse table that was made of it, `table.json`."""

import json
from functools import cache
from importlib.resources import files
from typing import Any


def grammar_text() -> str:
    """The grammar of `.mix` files, in lark's notation."""
    return files(__name__).joinpath("mix.lark").read_text(encoding="utf-8")


@cache
def table() -> dict[str, Any]:
    """The LALR(1) table of the grammar, as `table.build` made it: loading it needs no lark."""
    return json.loads(files(__name__).joinpath("table.json").read_text(encoding="utf-8"))
