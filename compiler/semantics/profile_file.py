"""A profile file: `{"skills": {"Algebra": {"attempts": 200, "correct": 61}, …}}`, read and checked against the tree."""

import json

from ..diagnostics import Diagnostics
from ..paths import beside
from ..suggest import suggest
from ..syntax import ast
from . import ir
from .inputs import Inputs

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


def profile_file(block: ast.Block, skills: ir.Taxonomy | None, inputs: Inputs, notes: Diagnostics) -> None:
    """Report a profile file that cannot be read as one, or that names skills which the tree does not have."""
    path = file_of(block)
    text = inputs.texts.get(beside(path.value, path.span.path)) if path else None
    if path is None or text is None:
        return
    try:
        counts = read_profile(text)
    except ValueError as fault:
        notes.error("MIX0312", f"`{path.value}` is not a profile: {fault}", path.span, "this file", help='it looks like `{"skills": {"Algebra": {"attempts": 200, "correct": 61}}}`')
        return
    if skills is None or skills.tree is None:
        return
    known = [name for name, _ in skills.tree]
    strangers = sorted(counts.keys() - {part for pair in skills.tree for part in pair})
    if strangers:
        near = [f"`{n}`, did you mean `{s}`?" if (s := suggest(n, known)) else f"`{n}`" for n in strangers[:_SHOWN]]
        more = f" and {len(strangers) - _SHOWN:,} more" if len(strangers) > _SHOWN else ""
        notes.error("MIX0312", f"`{path.value}` names skills that the tree does not have", path.span, "this file", notes=(f"{'; '.join(near)}{more}",), help="a profile belongs to the tree that it was measured with")


def file_of(block: ast.Block) -> ast.String | None:
    """The path of `profile s from "file.json"`."""
    return next((s.value for s in block.lines if isinstance(s, ast.Setting) and s.keyword.text == "from" and isinstance(s.value, ast.String)), None)
