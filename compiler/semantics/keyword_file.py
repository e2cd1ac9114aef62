"""A file of keywords, `{"Algebra": ["equation", "solve* for", "/[a-z]\\\\^2/"], …}`: its text to the patterns of each skill, checked against the tree."""

import json
import re
import warnings

from ..diagnostics import Diagnostics
from ..keywords import between_slashes
from ..suggest import suggest
from ..syntax import ast
from .meant import meant
from .words import regex_fault

Keywords = tuple[tuple[str, tuple[str, ...]], ...]

FORM = 'it looks like `{"Algebra": ["equation", "solve* for", "/[a-z]\\\\^2/"]}`'
_SHOWN = 5


def read_keywords(path: ast.String, text: str, chains: tuple[tuple[str, str], ...] | None, notes: Diagnostics) -> Keywords | None:
    """The patterns of each skill, in the file's order; None, and reported, where it cannot be read as that. What else is wrong is reported too.

    `chains`: the names of the tree, with their chains; None without a tree, when any name will do.
    """
    try:
        found = _parsed(text)
    except (ValueError, RecursionError) as fault:
        why = fault.msg if isinstance(fault, json.JSONDecodeError) else "it is nested too deeply" if isinstance(fault, RecursionError) else str(fault)
        place = f" (line {fault.lineno}, column {fault.colno})" if isinstance(fault, json.JSONDecodeError) else ""
        notes.error("MIX0301", f"`{path.value}` is not a list of words for each skill: {why}{place}", path.span, "this file", help=FORM)
        return None
    for skill, patterns in found:
        for pattern in patterns:
            _pattern(path, skill, pattern, notes)
    if chains is not None:
        _known(path, found, [name for name, _ in chains], notes)
    return found


def _parsed(text: str) -> Keywords:
    """ValueError, whose message ends a sentence, for what is no such file."""
    data = json.loads(text, object_pairs_hook=_once)
    if not isinstance(data, dict):
        raise ValueError("it is no object")
    for skill, patterns in data.items():
        if not isinstance(patterns, list) or not all(isinstance(p, str) for p in patterns):
            raise ValueError(f"`{skill}` has no list of texts")
        if not patterns:
            raise ValueError(f"`{skill}` has no word")
        if not all(p.strip() for p in patterns):
            raise ValueError(f"`{skill}` has an empty word")
    return tuple((skill, tuple(patterns)) for skill, patterns in data.items())


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object whose names are unique: of two equal ones JSON keeps the last and says nothing."""
    names = [name for name, _ in pairs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"`{twice}` stands twice")
    return dict(pairs)


def _pattern(path: ast.String, skill: str, pattern: str, notes: Diagnostics) -> None:
    written = between_slashes(pattern)
    if written is None:
        if not pattern.replace("*", "").strip():
            help = "a `*` stands for the rest of a word: write `triang*`"
            notes.error("MIX0311", f"`{pattern}`, for `{skill}`, is in every prompt that has a word", path.span, "in this file", help=help)
        return
    if fault := regex_fault(written):
        message, help = fault
        notes.error("MIX0311", f"`{pattern}`, for `{skill}`: {message}", path.span, "in this file", help=help)
    elif _finds_nothing(written):
        help = "let it match at least one character"
        notes.error("MIX0311", f"`{pattern}`, for `{skill}`, is in every prompt: it matches the empty text", path.span, "in this file", help=help)


def _finds_nothing(pattern: str) -> bool:
    """Whether a pattern matches where there is nothing, as far as Python's engine can tell."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return re.search(pattern, "") is not None
    except re.error:
        return False


def _known(path: ast.String, found: Keywords, names: list[str], notes: Diagnostics) -> None:
    known = set(names)
    strangers = [skill for skill, _ in found if skill not in known]
    if not strangers:
        return
    near = [f"`{s}`, did you mean `{n}`?" if (n := suggest(s, names)) else f"`{s}`" for s in strangers[:_SHOWN]]
    more = f" and {len(strangers) - _SHOWN:,} more" if len(strangers) > _SHOWN else ""
    said = f"`{path.value}` has words for {_skills(strangers)}, which the tree does not have"
    if len(strangers) == 1:
        notes.error("MIX0201", said, path.span, "this file", **meant(strangers[0], names, None, "write a skill as the tree does, without those above it"))
    else:
        help = "write each skill as the tree does, without those above it"
        notes.error("MIX0201", said, path.span, "this file", notes=(f"{'; '.join(near)}{more}",), help=help)


def _skills(strangers: list[str]) -> str:
    return f"`{strangers[0]}`" if len(strangers) == 1 else f"{len(strangers):,} skills"
