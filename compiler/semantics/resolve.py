"""A spec and the specs it extends to one list of declarations: parents below, edits applied, params in place. Names inside expressions stay names."""

import dataclasses
from dataclasses import dataclass

from ..diagnostics import Diagnostics, Label
from ..paths import beside
from ..source import Source, Span
from ..suggest import suggest
from ..syntax import ast
from ..syntax.parse import parse
from ..syntax.parsed import parsed
from .edits import merge_block
from .inputs import Inputs, Wanted
from .params import override, substitute

Key = tuple[str, str | None]
_BROKEN = ("MIX0203", "MIX0208")
_ALONE = {"mix", "select", "evaluate", "decontaminate", "dedup"}


@dataclass(frozen=True, slots=True)
class Resolved:
    """All declarations that hold, each once; `wanted` lists parents whose text was not handed in yet; `sources` every file read.

    `whole` is False where an extended spec could not be had or read in full, so that what seems missing may stand there.
    """

    declarations: tuple[ast.Declaration, ...]
    sources: tuple[Source, ...]
    wanted: tuple[Wanted, ...]
    end: Span
    whole: bool = True

    def of(self, kind: type) -> list:
        """The declarations of one node class, in order."""
        return [d for d in self.declarations if isinstance(d, kind)]

    def blocks(self, kind: str) -> list[ast.Block]:
        return [d for d in self.declarations if isinstance(d, ast.Block) and d.kind == kind]


def resolve(source: Source, inputs: Inputs, notes: Diagnostics) -> Resolved:
    """Parse `source` and its parents, put the params in place, and merge from the top parent down."""
    sources: list[Source] = []
    wanted: list[Wanted] = []
    chain = _load(source, inputs, notes, sources, wanted, chain=())
    params = {d.name.text: d for spec in chain for d in spec.declarations if isinstance(d, ast.ParamDeclaration)}
    for param in params.values():
        if isinstance(param.value, ast.Param):
            notes.error("MIX0307", f"`{param.name.text}` is given by another param", param.value.span, "a plain value is needed")
    params = override(params, _overrides(inputs, notes), notes) if not wanted else params
    merged: dict[Key, ast.Declaration] = {}
    for spec in chain:
        settled = tuple(d if isinstance(d, ast.ParamDeclaration) else substitute(d, params, notes) for d in spec.declarations)
        merged = _merge(merged, dataclasses.replace(spec, declarations=settled), notes)  # type: ignore[arg-type]
    declarations = tuple(d for d in merged.values() if not isinstance(d, ast.ParamDeclaration))
    end = Span(source.path, max(len(source.text.rstrip()) - 1, 0), len(source.text.rstrip()))
    whole = not wanted and not any(d.code in _BROKEN or d.code.startswith("MIX01") for d in notes)
    return Resolved(declarations, tuple(sources), tuple(wanted), end, whole)


def key(declaration: ast.Declaration) -> Key:
    """What makes two declarations the same one: kind and name, or the kind alone."""
    match declaration:
        case ast.Block(kind=kind) if kind in _ALONE:
            return kind, None
        case ast.Block(kind=kind, name=name):
            return ("teacher" if kind == "generate" else kind), _text(name)
        case ast.ParamDeclaration(name=name):
            return "param", name.text
        case ast.Teacher(name=name):
            return "teacher", name.text
        case ast.Score(name=name):
            return "score", name.text
        case ast.Sweep(param=name):
            return "sweep", name.text
        case ast.Require(subject=name):
            return "require", name.text
        case ast.Ablate() | ast.RemoveDeclaration():
            return type(declaration).__name__.lower(), f"{declaration.span.path}:{declaration.span.start}"
        case _:
            return type(declaration).__name__.lower(), None


def _load(
    source: Source, inputs: Inputs, notes: Diagnostics, sources: list[Source], wanted: list[Wanted], chain: tuple[str, ...]
) -> list[ast.Spec]:
    """The spec after the specs it extends, the top parent first."""
    sources.append(source)
    spec = parsed(source, notes)
    extended = [d for d in spec.declarations if isinstance(d, ast.Extends)]
    for extra in extended[1:]:
        notes.error(
            "MIX0202", "a spec extends one other spec", extra.span, "a second parent", secondary=(Label(extended[0].span, "the first"),)
        )
    above = _parent(extended[0], inputs, notes, sources, wanted, (*chain, source.path)) if extended else []
    return [*above, spec]


def _parent(
    extends: ast.Extends, inputs: Inputs, notes: Diagnostics, sources: list[Source], wanted: list[Wanted], chain: tuple[str, ...]
) -> list[ast.Spec]:
    path = beside(extends.path.value, extends.path.span.path)
    if path in chain:
        loop = " -> ".join((*chain[chain.index(path) :], path))
        notes.error("MIX0203", "these specs extend one another in a circle", extends.path.span, "back to where it began", notes=(loop,))
        return []
    if path not in inputs.texts:
        wanted.append(Wanted("text", path))
        return []
    text = inputs.texts[path]
    if text is None:
        help = "the path is relative to the file that extends it"
        notes.error("MIX0208", f"no spec at `{path}`", extends.path.span, "cannot be read", help=help)
        return []
    return _load(Source(path, text), inputs, notes, sources, wanted, chain)


def _merge(parent: dict[Key, ast.Declaration], spec: ast.Spec, notes: Diagnostics) -> dict[Key, ast.Declaration]:
    merged = dict(parent)
    for declaration in spec.declarations:
        if isinstance(declaration, ast.RemoveDeclaration):
            _remove(merged, declaration, notes)
    own: dict[Key, ast.Declaration] = {}
    for declaration in spec.declarations:
        if isinstance(declaration, (ast.Extends, ast.RemoveDeclaration)):
            continue
        place = key(declaration)
        if place in own:
            first = own[place]
            title = f"{place[0]} `{place[1]}`" if place[1] else f"`{place[0]}`"
            notes.error(
                "MIX0202", f"{title} is declared twice", _head(declaration), "again here", secondary=(Label(_head(first), "first here"),)
            )
            continue
        own[place] = declaration
        old = merged.get(place)
        if isinstance(declaration, ast.Block):
            base = old if isinstance(old, ast.Block) and old.kind == declaration.kind else None
            declaration = merge_block(base, declaration, notes)
        merged[place] = declaration
    return merged


def _remove(merged: dict[Key, ast.Declaration], removal: ast.RemoveDeclaration, notes: Diagnostics) -> None:
    kind, name = removal.kind.text, _text(removal.name)
    if (kind, name) in merged:
        del merged[kind, name]
        return
    names = [n for k, n in merged if k == kind and n]
    near = suggest(name, names) if name else None
    help = f"did you mean `{near}`?" if near else f"the parents declare {', '.join(f'`{n}`' for n in sorted(names))}" if names else None
    notes.error(
        "MIX0204",
        f"there is no {kind}{f' `{name}`' if name else ''} to remove",
        removal.span,
        "matches nothing in the extended specs",
        help=help,
    )


def _overrides(inputs: Inputs, notes: Diagnostics) -> dict[str, tuple[ast.ParamDeclaration, str]]:
    given: dict[str, tuple[ast.ParamDeclaration, str]] = {}
    for name, text in inputs.overrides:
        inner = Diagnostics()
        spec = parse(Source("--set", f"param {name} = {text}\n"), inner)
        found = [d for d in spec.declarations if isinstance(d, ast.ParamDeclaration)]
        if inner.has_errors or len(found) != 1 or len(spec.declarations) != 1:
            why = next((d.message for d in inner if d.code), "not a value")
            notes.error(
                "MIX0206",
                f"`--set {name}={text}`: {why}",
                None,
                help="write `--set NAME=VALUE` with a number, a string in quotes, true or false",
            )
            continue
        given[name] = (found[0], f"{name}={text}")
    return given


def _text(name: ast.Name | ast.String | None) -> str | None:
    return name.text if isinstance(name, ast.Name) else name.value if name else None


def _head(declaration: ast.Declaration) -> Span:
    return declaration.head if isinstance(declaration, ast.Block) else declaration.span
