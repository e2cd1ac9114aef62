"""What changes a text on request: completion, renaming, formatting and fixes, in the protocol's words."""

from pathlib import Path

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from ...compiler.ide.actions import actions, mend
from ...compiler.ide.completion import Completion, Suggestion, complete
from ...compiler.ide.rename import Refusal, renamable, rename
from ...compiler.ide.snippets import plain
from ...compiler.ide.tidy import tidy
from ...compiler.paths import beside, is_remote
from .guard import guarded
from .session import Session

_KINDS = {
    "keyword": lsp.CompletionItemKind.Keyword, "score": lsp.CompletionItemKind.Variable, "role": lsp.CompletionItemKind.Property,
    "column": lsp.CompletionItemKind.Field, "student": lsp.CompletionItemKind.Class, "corpus": lsp.CompletionItemKind.Module,
    "teacher": lsp.CompletionItemKind.Class, "param": lsp.CompletionItemKind.Constant, "scorer": lsp.CompletionItemKind.Function,
    "argument": lsp.CompletionItemKind.Property, "skill": lsp.CompletionItemKind.EnumMember, "word": lsp.CompletionItemKind.EnumMember,
    "unit": lsp.CompletionItemKind.Unit, "code": lsp.CompletionItemKind.Reference,
}  # fmt: skip
MOST_ENTRIES = 200
REFUSED = -32803
"""The protocol's RequestFailed: the message is for the user."""


def register(server: LanguageServer, session: Session) -> None:
    """Completion, rename, formatting, code actions."""
    workspace = session.workspace

    @server.feature(lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(trigger_characters=['"', "$", "(", "/", ":"]))
    @guarded("completion")
    def completed(params: lsp.CompletionParams) -> lsp.CompletionList:
        path = session.path(params.text_document.uri)
        found = complete(workspace.project(path), session.offset(path, params.position))
        items = [_item(s, session, number) for number, s in enumerate(found.suggestions)]
        return lsp.CompletionList(False, items or _entries(found, path, session))

    @server.feature(lsp.TEXT_DOCUMENT_PREPARE_RENAME)
    @guarded("prepare rename")
    def prepared(params: lsp.PrepareRenameParams) -> lsp.PrepareRenamePlaceholder | None:
        path = session.path(params.text_document.uri)
        name = renamable(workspace.project(path), session.offset(path, params.position))
        if isinstance(name, Refusal):
            raise JsonRpcException(name.message, REFUSED)
        return lsp.PrepareRenamePlaceholder(session.range(name.span), name.symbol.name)

    @server.feature(lsp.TEXT_DOCUMENT_RENAME, lsp.RenameOptions(prepare_provider=True))
    @guarded("rename")
    def renamed(params: lsp.RenameParams) -> lsp.WorkspaceEdit | None:
        path = session.path(params.text_document.uri)
        edits = rename(workspace.project(path), session.offset(path, params.position), params.new_name, workspace.chains())
        if isinstance(edits, Refusal):
            raise JsonRpcException(edits.message, REFUSED)
        return session.edit(edits)

    @server.feature(lsp.TEXT_DOCUMENT_FORMATTING)
    @guarded("formatting")
    def formatted(params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit]:
        source = workspace.read(session.path(params.text_document.uri))
        return [lsp.TextEdit(session.range(e.span), e.text) for e in tidy(source)]

    @server.feature(
        lsp.TEXT_DOCUMENT_CODE_ACTION,
        lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix, lsp.CodeActionKind.SourceFixAll]),
    )
    @guarded("code actions")
    def offered(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        path = session.path(params.text_document.uri)
        project = workspace.project(path)
        only = params.context.only
        found: list[lsp.CodeAction] = []
        if only is None or lsp.CodeActionKind.QuickFix in only:
            start, end = session.offset(path, params.range.start), session.offset(path, params.range.end)
            for each in actions(project, start, end):
                kind, diagnostics = lsp.CodeActionKind.QuickFix, [session.diagnostic(each.problem)]
                found.append(lsp.CodeAction(each.title, kind, diagnostics, is_preferred=each.preferred, edit=session.edit(each.edits)))
        if only and any(str(getattr(o, "value", o)).startswith("source") for o in only) and (edits := mend(project)):
            found.append(lsp.CodeAction("mend all that mixc can", lsp.CodeActionKind.SourceFixAll, edit=session.edit(edits)))
        return found


def _item(each: Suggestion, session: Session, number: int) -> lsp.CompletionItem:
    snippet = each.snippet and session.snippets
    text = each.insert if snippet or not each.snippet else plain(each.insert)
    return lsp.CompletionItem(
        label=each.label,
        kind=_KINDS.get(each.kind),
        detail=each.detail or None,
        documentation=session.markup(each.story) if each.story else None,
        sort_text=f"{number:04}",
        filter_text=each.label,
        insert_text_format=lsp.InsertTextFormat.Snippet if snippet else lsp.InsertTextFormat.PlainText,
        text_edit=lsp.TextEdit(session.range(each.span), text),
    )


def _entries(found: Completion, path: str, session: Session) -> list[lsp.CompletionItem]:
    """The files and folders at the place that a path names so far."""
    if found.paths is None or found.span is None or is_remote(found.paths):
        return []
    folder = Path(beside(found.paths or ".", path) or ".")
    try:
        entries = sorted(folder.iterdir(), key=lambda e: (e.is_file(), e.name))[:MOST_ENTRIES]
    except OSError:
        return []
    items = []
    for each in (e for e in entries if not e.name.startswith(".")):
        name = each.name if each.is_file() else f"{each.name}/"
        kind = lsp.CompletionItemKind.File if each.is_file() else lsp.CompletionItemKind.Folder
        items.append(lsp.CompletionItem(name, kind=kind, text_edit=lsp.TextEdit(session.range(found.span), name)))
    return items


