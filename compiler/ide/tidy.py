"""The canonical form of a file as edits, one for each run of lines that changes, so that the cursor stays where it is."""

from difflib import SequenceMatcher

from ..diagnostics import Diagnostics, Edit
from ..source import Source, Span
from ..syntax.arrange import arrange


def tidy(source: Source) -> tuple[Edit, ...]:
    """Nothing where the text is canonical already, or cannot be read."""
    text = arrange(source, Diagnostics())
    if text is None:
        return ()
    if "\r\n" in source.text:
        text = text.replace("\n", "\r\n")
    old, new = source.text.splitlines(keepends=True), text.splitlines(keepends=True)
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line))
    changes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return tuple(
        Edit(Span(source.path, starts[a], starts[b]), "".join(new[c:d])) for kind, a, b, c, d in changes if kind != "equal"
    )
