"""The text of a whole file to its canonical form: the order, the numbers and the comments stay, all else is settled here.

What it says is not looked at: a file that does not compile is arranged all the same, if only it parses.
"""

from dataclasses import replace
from itertools import groupby

from ..diagnostics import Diagnostics
from ..source import Source
from . import ast
from .attach import attach
from .compose import compose
from .document import Text, flat
from .entries import Entry, entries
from .fill import STEP, WIDTH, columns, fill
from .parsed import parsed
from .rows import Row, lines_of


def arrange(source: Source, notes: Diagnostics) -> str | None:
    """The canonical text of a file; None where it does not parse, which is reported to `notes`."""
    found = Diagnostics()
    spec = parsed(source, found)
    for diagnostic in found:
        notes.report(diagnostic)
    if found.has_errors:
        return None
    listed = _set_apart(entries(spec.declarations, spec.comments, source))
    heads = _heads(listed)
    lines = lines_of([_declaration(entry, head, source) for entry, head in zip(listed, heads, strict=True)])
    return "".join(f"{line}\n" for line in lines)


def _set_apart(listed: list[Entry]) -> list[Entry]:
    """One blank line before and after every block; the comments right above it are its own."""
    blanks = [entry.blank for entry in listed]
    for i, entry in enumerate(listed):
        if not _has_braces(entry.node):
            continue
        first = i
        while first and not blanks[first] and listed[first - 1].node is None:
            first -= 1
        blanks[first] = True
        if i + 1 < len(listed):
            blanks[i + 1] = True
    return [replace(entry, blank=blank) for entry, blank in zip(listed, blanks, strict=True)]


def _has_braces(node: ast.Declaration | ast.Line | None) -> bool:
    return isinstance(node, ast.Block) and not _is_from_file(node)


def _is_from_file(block: ast.Block) -> bool:
    match block.lines:
        case (ast.Setting(ast.Name("from")),):
            return True
        case _:
            return False


def _heads(listed: list[Entry]) -> list[str]:
    """What each declaration of one line begins with, padded so that neighbours of one kind are aligned; else empty."""
    heads = [_head(entry.node) for entry in listed]
    runs: list[int] = []
    """Neighbours of one kind have one number; a comment between them parts them not."""
    kind, run = None, 0
    for entry in listed:
        if entry.blank or (entry.node is not None and type(entry.node) is not kind):
            run += 1
            kind = None
        kind = type(entry.node) if entry.node is not None else kind
        runs.append(run)
    widths = {run: max(len(head) for _, head in members) for run, members in groupby(zip(runs, heads, strict=True), lambda p: p[0])}
    return [head.ljust(widths[run]) if head else "" for run, head in zip(runs, heads, strict=True)]


def _head(node: ast.Declaration | ast.Line | None) -> str:
    match node:
        case ast.ParamDeclaration(name):
            return f"param {name.text}"
        case ast.Teacher(name):
            return f"teacher {name.text}"
        case ast.Score(name):
            return f"score {name.text}"
        case ast.Require(subject):
            return f"require {subject.text}"
        case ast.Sweep(param):
            return f"sweep {param.text}"
        case _:
            return ""


def _declaration(entry: Entry, head: str, source: Source) -> Row:
    match entry.node:
        case None:
            return _comment(entry, "")
        case ast.Block() as block if _is_from_file(block):
            text = (*compose(block), " ", *compose(block.lines[0]))
            return Row(tuple(fill(text, "")), entry.comment, entry.blank)
        case ast.Block() as block:
            return Row(tuple(_block(block, entry, source)), entry.comment, entry.blank)
        case node:
            return _line(compose(node), entry, "", head)


def _block(block: ast.Block, entry: Entry, source: Source) -> list[str]:
    head = flat(compose(block))
    one = f"{head} {{ {' '.join(flat(compose(line)) for line in block.lines)} }}" if block.lines else f"{head} {{}}"
    written_so = "\n" not in source.text[block.span.start : block.span.end]
    if not entry.inside and (not block.lines or (written_so and columns(one) <= WIDTH)):
        return [one]
    comments, opening = entry.inside, ""
    first = block.lines[0].span.start if block.lines else block.span.end
    if comments and not comments[0].alone and comments[0].span.start < first:
        comments, opening = comments[1:], f"  {comments[0].text.rstrip()}"
    listed = entries(block.lines, comments, source)
    texts = [compose(each.node) if each.node else () for each in listed]
    width = max((len(_keyword(text)) for text in texts if text), default=0)
    rows = [
        _line(text, each, STEP, _keyword(text), width) if text else _comment(each, STEP)
        for each, text in zip(listed, texts, strict=True)
    ]
    return [f"{head} {{{opening}", *lines_of(rows), "}"]


def _keyword(text: Text) -> str:
    first = text[0]
    assert isinstance(first, str)
    return first.partition(" ")[0]


def _line(text: Text, entry: Entry, indent: str, head: str, width: int = 0) -> Row:
    """A clause or declaration of which `head` is the beginning, padded already or to be padded to `width`."""
    first, *others = attach(text, entry.inside) if entry.inside else text
    assert isinstance(first, str)
    rest = first[len(head.rstrip()) :]
    return Row(tuple(fill((rest, *others), indent, indent + head.ljust(width))), entry.comment, entry.blank)


def _comment(entry: Entry, indent: str) -> Row:
    return Row((f"{indent}{entry.comment}",), None, entry.blank, alone=True)
