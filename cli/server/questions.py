"""The questions of an editor, put to `compiler.ide` and its answers put into the protocol's words."""

from pathlib import Path

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

from ...compiler.ide.definition import definition
from ...compiler.ide.highlight import KINDS, highlight
from ...compiler.ide.hover import explained, hover
from ...compiler.ide.outline import Entry, folds, outline
from ...compiler.ide.project import Project
from ...compiler.ide.references import references
from ...compiler.ide.usage import usage
from ...compiler.source import Source
from .guard import guarded
from .session import Session

_SYMBOLS = {
    "mix": lsp.SymbolKind.Package, "extends": lsp.SymbolKind.File, "param": lsp.SymbolKind.Constant, "student": lsp.SymbolKind.Class,
    "corpus": lsp.SymbolKind.Namespace, "teacher": lsp.SymbolKind.Object, "skills": lsp.SymbolKind.Enum, "score": lsp.SymbolKind.Variable,
    "select": lsp.SymbolKind.Struct, "train": lsp.SymbolKind.Event, "evaluate": lsp.SymbolKind.Event, "test": lsp.SymbolKind.Method,
    "clause": lsp.SymbolKind.Property, "sweep": lsp.SymbolKind.Array,
}  # fmt: skip


Asked = lsp.HoverParams | lsp.DefinitionParams | lsp.ReferenceParams | lsp.DocumentHighlightParams | lsp.SignatureHelpParams


def register(server: LanguageServer, session: Session) -> None:
    """What is this, where is it, and what is there in the file."""

    def asked(params: Asked) -> tuple[Project, int]:
        path = session.path(params.text_document.uri)
        return session.workspace.project(path), session.offset(path, params.position)

    def project_of(document: lsp.TextDocumentIdentifier) -> Project:
        return session.workspace.project(session.path(document.uri))

    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    @guarded("hover")
    def hovered(params: lsp.HoverParams) -> lsp.Hover | None:
        project, offset = asked(params)
        found = [h for h in (hover(project, offset), *explained(project, offset)) if h]
        if not found:
            return None
        return lsp.Hover(session.markup("\n\n---\n\n".join(h.markdown for h in found)), session.range(found[0].span))

    @server.feature(lsp.TEXT_DOCUMENT_SIGNATURE_HELP, lsp.SignatureHelpOptions(trigger_characters=["(", ","]))
    @guarded("signature")
    def signed(params: lsp.SignatureHelpParams) -> lsp.SignatureHelp | None:
        found = usage(*asked(params))
        if found is None:
            return None
        arguments = [lsp.ParameterInformation(p.label, session.markup(p.story)) for p in found.arguments]
        signature = lsp.SignatureInformation(found.label, session.markup(found.story), arguments)
        return lsp.SignatureHelp([signature], 0, found.active)

    @server.feature(lsp.TEXT_DOCUMENT_DEFINITION)
    @guarded("definition")
    def defined(params: lsp.DefinitionParams) -> list[lsp.Location]:
        project, offset = asked(params)
        found = []
        for target in definition(project, offset):
            if target.name.end:
                found.append(session.location(target.name))
            elif Path(target.name.path).is_file():  # named as a whole: not read, it may be large
                found.append(lsp.Location(session.uri(target.name.path), lsp.Range(lsp.Position(0, 0), lsp.Position(0, 0))))
        return found

    @server.feature(lsp.TEXT_DOCUMENT_REFERENCES)
    @guarded("references")
    def referred(params: lsp.ReferenceParams) -> list[lsp.Location]:
        project, offset = asked(params)
        name = project.file.at(offset)
        if name is None:
            return []
        found = references(project, name.symbol, session.workspace.chains())
        return [session.location(o.span) for o in found if params.context.include_declaration or not o.whole]

    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    @guarded("highlights")
    def marked(params: lsp.DocumentHighlightParams) -> list[lsp.DocumentHighlight]:
        project, offset = asked(params)
        name = project.file.at(offset)
        same = [o for o in project.file.names if name and o.symbol == name.symbol]
        kinds = lsp.DocumentHighlightKind
        return [lsp.DocumentHighlight(session.range(o.span), kinds.Write if o.whole else kinds.Read) for o in same]

    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    @guarded("symbols")
    def symbols(params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
        return [_symbol(entry, session) for entry in outline(project_of(params.text_document).file)]

    @server.feature(lsp.TEXT_DOCUMENT_FOLDING_RANGE)
    @guarded("folds")
    def folded(params: lsp.FoldingRangeParams) -> list[lsp.FoldingRange]:
        project = project_of(params.text_document)
        ranges = ((span, session.range(span)) for span in folds(project.file))
        return [
            lsp.FoldingRange(r.start.line, r.end.line, kind=lsp.FoldingRangeKind.Comment if _is_comment(project.source, s.start) else None)
            for s, r in ranges
        ]

    @server.feature(
        lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL,
        lsp.SemanticTokensLegend(token_types=list(KINDS), token_modifiers=["declaration"]),
    )
    @guarded("semantic tokens")
    def coloured(params: lsp.SemanticTokensParams) -> lsp.SemanticTokens:
        project = project_of(params.text_document)
        lines = session.positions(project.source.path)
        data: list[int] = []
        before = (0, 0)
        for each in highlight(project.file):
            line, character = lines.place(each.span.start)
            ahead = character - before[1] if line == before[0] else character
            data += [line - before[0], ahead, lines.length(each.span.start, each.span.end), KINDS.index(each.kind), int(each.declares)]
            before = (line, character)
        return lsp.SemanticTokens(data)


def _symbol(entry: Entry, session: Session) -> lsp.DocumentSymbol:
    return lsp.DocumentSymbol(
        name=entry.title or entry.kind,
        kind=_SYMBOLS.get(entry.kind, lsp.SymbolKind.Object),
        range=session.range(entry.whole),
        selection_range=session.range(entry.name),
        detail=entry.detail or None,
        children=[_symbol(child, session) for child in entry.children],
    )


def _is_comment(source: Source, at: int) -> bool:
    return source.text[at : at + 1] == "#"
