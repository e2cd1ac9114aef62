"""A profile file: `{"skills": {"Algebra": {"attempts": 200, "correct": 61}, …}}`, read and checked against the tree."""

import json

from ..clauses import Tally
from ..diagnostics import Diagnostics
from ..suggest import suggest
from ..syntax import ast
from . import ir

Counts = dict[str, tuple[int, int]]
"""Attempts and how many of them were correct, by skill."""
_SHOWN = 5


def read_profile(text: str) -> Counts:
    """The counts of a profile's text. ValueError says what is wrong with it."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON") from None
    if not isinstance(data, dict) or not isinstance(data.get("skills"), dict):
        raise ValueError("it has no `skills`")
    counts: Counts = {}
    for name, entry in data["skills"].items():
        if not isinstance(entry, dict):
            raise ValueError(f'`{name}` is not `{{"attempts": …, "correct": …}}`')
        if extra := sorted(set(entry) - {"attempts", "correct"}):
            near = suggest(extra[0], ("attempts", "correct"))
            raise ValueError(f"`{name}` has an unknown key `{extra[0]}`" + (f", did you mean `{near}`?" if near else ""))
        for key in ("attempts", "correct"):
            if not isinstance(entry.get(key), int) or isinstance(entry[key], bool) or entry[key] < 0:
                raise ValueError(f"`{key}` of `{name}` is not a whole number from 0 up")
        if entry["correct"] > entry["attempts"]:
            raise ValueError(f"`{name}` has {entry['correct']:,} correct of {entry['attempts']:,} attempts")
        counts[name] = (entry["attempts"], entry["correct"])
    return counts


def tallies(path: ast.String, text: str, skills: ir.Taxonomy | None, notes: Diagnostics) -> tuple[tuple[str, Tally], ...] | None:
    """What a profile's text holds; None, and reported, where it cannot be read as one. Skills that the tree does not have are reported too."""
    try:
        counts = read_profile(text)
    except ValueError as fault:
        help = 'it looks like `{"skills": {"Algebra": {"attempts": 200, "correct": 61}}}`'
        notes.error("MIX0312", f"`{path.value}` is not a profile: {fault}", path.span, "this file", help=help)
        return None
    if skills is not None and skills.tree is not None:
        _known(path, counts, skills.tree, notes)
    return tuple((skill, Tally(attempts=attempts, correct=correct)) for skill, (attempts, correct) in counts.items())


def _known(path: ast.String, counts: Counts, tree: tuple[tuple[str, str], ...], notes: Diagnostics) -> None:
    known = [name for name, _ in tree]
    strangers = sorted(counts.keys() - {part for pair in tree for part in pair})
    if not strangers:
        return
    near = [f"`{n}`, did you mean `{s}`?" if (s := suggest(n, known)) else f"`{n}`" for n in strangers[:_SHOWN]]
    more = f" and {len(strangers) - _SHOWN:,} more" if len(strangers) > _SHOWN else ""
    help = "a profile belongs to the tree that it was measured with"
    said = f"`{path.value}` names skills that the tree does not have"
    notes.error("MIX0312", said, path.span, "this file", notes=(f"{'; '.join(near)}{more}",), help=help)


def file_of(block: ast.Block) -> ast.String | None:
    """The path of `profile s from "file.json"`."""
    return next((s.value for s in block.lines if isinstance(s, ast.Setting) and s.keyword.text == "from" and isinstance(s.value, ast.String)), None)
