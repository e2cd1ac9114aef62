"""The final answer of a response as it is written: to the letter, or as one of the choices A to Z. Knows no mathematics.

Nothing here is searched with a pattern that can take long, runs what it reads, or keeps a state: any thread may call it.
"""

import ast
import re

_MARK = re.compile(r"(?i:final answer|\banswer is)[ \t]*:?|^####", re.MULTILINE)
_BOX = re.compile(r"\\boxed\{(?:\\(?:text|textbf|mathrm|mathbf)\{)?\s*\(?([A-Z])\)?\s*\}")
_STATED = re.compile(
    r"\b(?i:answer)(?:[ \t]+(?i:is)[ \t]*:?|[ \t]*:)[ \t]*[*$]{0,2}"
    r"(?:\(([A-Z])(?:\)|[.:](?![^()\n]*\b[A-Z][.:)])[^()\n]*\))|([A-Z])(?=[.,;:)*$]|[ \t]*(?:\n|\Z)))"
)
_ENDING = re.compile(r"\b(?i:answer) \(([A-Z])\)[.\s]*\Z")
_LETTER = re.compile(r"\(?([A-Z])\)?\.?")
# A literal begins so; and an escape that Python does not know makes its parser warn.
_LITERAL = re.compile(r"['\"\[{(]|-?\d[\d.]*\Z|(?:True|False|None)\Z")
_STRANGE = re.compile(r"\\[^\\'\"abfnrtvxuUN\n]")
_LITERALS = (ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.UnaryOp, ast.USub, ast.Load)
_LONGEST = 10_000


def final(response: str) -> str | None:
    """What follows the last `Final answer:`, `answer is` or `####` on its line; without one the response, if it is one line. None without either."""
    found = None
    for found in _MARK.finditer(response):  # noqa: B007  the last is meant
        pass
    if found is None:
        return None if "\n" in response.strip() else response.strip() or None
    return response[found.end() :].strip().partition("\n")[0].strip() or None


def to_the_letter(response: str, reference: str) -> bool:
    """Whether the final answer is the reference. Of a literal (`'a'`, `[1, 2]`) the kind of its quotes and its spacing are no letters of it;
    a bare text is the literal in quotes only where it is no literal itself: `1` is not `'1'`, `1` not `1.0`, `True` not `1`.
    """
    answer, reference = final(response), reference.strip()
    return answer is not None and (answer == reference or _written(answer) == _written(reference))


def choices(response: str) -> tuple[str, ...]:
    """The letters that the response names as its answer, each once, in the order of the alphabet."""
    whole = _LETTER.fullmatch(response.strip())
    if whole:
        return (whole[1],)
    named = {found[1] or found[2] for found in _STATED.finditer(response)} | set(_BOX.findall(response)) | set(_ENDING.findall(response))
    return tuple(sorted(named))


def letter(reference: str) -> str | None:
    """The letter that a reference such as `B`, `(B)` or `B.` is."""
    found = _LETTER.fullmatch(reference.strip())
    return found[1] if found else None


def _written(text: str) -> str:
    """A literal in one spelling; any other text as the literal of itself."""
    bare = ast.dump(ast.Constant(text))
    if len(text) > _LONGEST or not _LITERAL.match(text) or _STRANGE.search(text):
        return bare
    try:
        read = ast.parse(text, mode="eval").body
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return bare
    nodes = list(ast.walk(read))
    if not all(isinstance(node, _LITERALS) for node in nodes):
        return bare
    for node in nodes:
        if isinstance(node, ast.Constant):
            node.kind = None
    return ast.dump(read)
