"""Every code is explained once, and every one that is raised is explained."""

import ast
import re
from collections import Counter
from importlib import import_module

from mixc.tests.test_house import MODULES, TREES, is_within, nodes


def codes() -> Counter[str]:
    """Every code and in how many files it is explained."""
    from mixc.compiler.codes.entry import Code

    found: Counter[str] = Counter()
    for name in MODULES:
        if not is_within(name, "mixc.compiler.codes") or is_within(name, "mixc.compiler.codes.all"):
            continue
        for value in vars(import_module(name)).values():
            if isinstance(value, dict) and value and all(isinstance(entry, Code) for entry in value.values()):
                found.update(value.keys())
                for code, entry in value.items():
                    assert re.fullmatch(r"MIX\d{4}", code)
                    assert entry.title and not entry.title.endswith("."), f"{code} needs a title"
                    assert len(entry.story.split()) >= 8, f"{code} needs a story"
    return found


def codes_in_use() -> dict[str, str]:
    """Codes that the source raises, with the module that does."""
    found = {}
    for name, path in MODULES.items():
        for node, _ in nodes(TREES[path]):
            match node:
                case ast.Constant(str(text)) if re.fullmatch(r"MIX\d{4}", text):
                    if not is_within(name, "mixc.compiler.codes"):
                        found[text] = f"{name}:{node.lineno}"
    return found


def test_every_code_that_is_raised_is_explained_once() -> None:
    explained = codes()
    unexplained = {code: place for code, place in codes_in_use().items() if code not in explained}
    assert not unexplained
    assert not [code for code, times in explained.items() if times > 1]
