"""The spec that a test runs: its fixture in the place of every corpus's files, and scores and answers that the fixture carries taken from it."""

import dataclasses

from ..diagnostics import Diagnostics, Label
from ..paths import beside
from ..source import Span
from ..syntax import ast
from . import ir
from .expand import Variation
from .inputs import Inputs
from .resolve import Resolved

_CORPUS = "corpus"
_TOKENS = "tokens"
_WORDS = {"bool": "true or false", "number": "a number", "text": "a text", "list": "a list"}


def fixture(trial: ir.Trial, spec: Resolved, scores: tuple[ir.Score, ...], inputs: Inputs, notes: Diagnostics) -> Variation | None:
    """The spec over the fixture's rows; None, and an error at `given`, where its columns cannot stand for a score or tell the corpora apart."""
    columns = inputs.columns.get(beside(trial.given.value, trial.given.span.path))
    kinds = columns if isinstance(columns, dict) else {}
    carried = {s.name: s for s in scores if s.name in kinds and s.reads != (f"column:{s.name}",)}
    fits = [_fits(score, kinds[score.name], trial, notes) for score in carried.values()]
    several = len(spec.blocks(_CORPUS)) > 1
    if several and kinds and _CORPUS not in kinds:
        message = "the spec has several corpora, so each row of a fixture says which it is of"
        help = "give each row a field `corpus` with a corpus's name"
        notes.error("MIX0209", message, trial.given.span, "has no column `corpus`", help=help)
        return None
    if not all(fits):
        return None
    declarations: list[ast.Declaration] = []
    for declaration in spec.declarations:
        match declaration:
            case ast.Block(kind="test") | ast.Sweep() | ast.Ablate():
                continue
            case ast.Block(kind="corpus"):
                declarations.append(_scanning(declaration, trial.given, several))
            case ast.Block(kind="generate"):
                declarations += _answered(declaration, spec)
            case ast.Score(name=name) if name.text in carried:
                declarations.append(_read(declaration, carried[name.text]))
            case _:
                declarations.append(declaration)
    if kinds.get(_TOKENS) == "number" and not any(s.type.unit == "tokens" for s in scores):
        declarations.append(_counted(trial.given.span))
    made = dataclasses.replace(spec, declarations=tuple(declarations))
    return Variation(trial.name, f'the test "{trial.name}"', made, (Label(trial.given.span, "on these rows"),))


def _fits(score: ir.Score, kind: str, trial: ir.Trial, notes: Diagnostics) -> bool:
    wanted = score.type.kind
    if kind == wanted or kind == "other" or wanted == "unknown":
        return True
    held = _WORDS.get(kind, kind)
    message = f"the score `{score.name}` is {_WORDS.get(wanted, wanted)}, but the fixture's column `{score.name}` is {held}"
    notes.error("MIX0305", message, trial.given.span, f"a column of {kind}", secondary=(Label(score.span, "declared here"),))
    return False


def _scanning(block: ast.Block, given: ast.String, several: bool) -> ast.Block:
    """The corpus over the fixture; of several, only the rows that name it."""
    lines: list[ast.Line] = [dataclasses.replace(x, value=given) if _is(x, "scan") else x for x in block.lines]  # type: ignore[call-arg]
    if several and isinstance(block.name, ast.Name):
        span = given.span
        own = ast.Binary("==", ast.Name(_CORPUS, span=span), ast.String(block.name.text, span=span), span=span)
        where = next((i for i, line in enumerate(lines) if _is(line, "where")), None)
        if where is None:
            lines.append(ast.Setting(ast.Name("where", span=span), own, span=span))
        else:
            old = lines[where]
            assert isinstance(old, ast.Setting)
            both = ast.Binary("and", own, old.value, span=old.value.span)  # type: ignore[arg-type]
            lines[where] = dataclasses.replace(old, value=both)
    return dataclasses.replace(block, lines=tuple(lines))


def _is(line: ast.Line, keyword: str) -> bool:
    return isinstance(line, ast.Setting) and line.keyword.text == keyword


def _answered(block: ast.Block, spec: Resolved) -> list[ast.Declaration]:
    """A teacher that generates, in a test: the fixture's rows that bear its name, where rows bear one. Nothing is asked of it."""
    corpus = next((line.value for line in block.lines if _is(line, "prompts") and isinstance(line, ast.Setting)), None)
    named = next((b for b in spec.blocks(_CORPUS) if isinstance(corpus, ast.Name) and isinstance(b.name, ast.Name) and b.name.text == corpus.text), None)
    if named is None or not isinstance(corpus, ast.Name) or not isinstance(block.name, ast.Name) or not any(_is(line, "teacher") for line in named.lines):
        return []
    span = block.head
    condition = ast.Binary("==", ast.Name("teacher", span=span), ast.String(block.name.text, span=span), span=span)
    return [ast.Teacher(block.name, corpus, condition, span=span)]


def _read(declaration: ast.Score, score: ir.Score) -> ast.Score:
    """The score as a column of the fixture, in the unit that it has."""
    return dataclasses.replace(declaration, call=_column(score.name, score.type.unit, declaration.span))


def _counted(span: Span) -> ast.Score:
    """The fixture's column `tokens` in the place of the student's tokenizer, where no score counts tokens."""
    return ast.Score(ast.Name("tokens_of_the_fixture", span=span), _column(_TOKENS, "tokens", span), span=span)


def _column(name: str, unit: str | None, span: Span) -> ast.Call:
    arguments = [ast.Argument(None, ast.String(name, span=span), span=span)]
    if unit:
        arguments.append(ast.Argument(ast.Name("unit", span=span), ast.Name(unit, span=span), span=span))
    return ast.Call(ast.Name("column", span=span), tuple(arguments), span=span)
