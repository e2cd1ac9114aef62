"""Texts that are opened, changed, saved and closed, and the diagnostics that follow, a moment after the last key."""

import asyncio
from dataclasses import dataclass, field

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

from ...compiler.ide.problems import problems
from .guard import guarded, tell
from .session import Session

PAUSE = 0.02
"""Seconds without a key before a text is compiled. Within it a change makes the one before stale."""


@dataclass(slots=True)
class Publisher:
    """Sends diagnostics; a text that changes again before its turn is compiled once."""

    server: LanguageServer
    session: Session
    waiting: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def soon(self, path: str, pause: float = PAUSE) -> None:
        """Compile a text and the open texts that extend it, unless it changes before `pause` seconds have passed."""
        if (before := self.waiting.get(path)) is not None:
            before.cancel()
        self.waiting[path] = asyncio.get_running_loop().create_task(self._later(path, pause))

    async def _later(self, path: str, pause: float) -> None:
        await asyncio.sleep(pause)
        try:
            self.publish(path)
            for other in tuple(self.session.workspace.buffers):
                if other != path and path in self.session.workspace.above(other):
                    await asyncio.sleep(0)  # what came in meanwhile goes first
                    self.publish(other)
        except Exception:
            tell("diagnostics")

    def publish(self, path: str) -> None:
        """Send what there is to say of an open text."""
        buffer = self.session.workspace.buffers.get(path)
        if buffer is None:
            return
        found = [self.session.diagnostic(p) for p in problems(self.session.workspace.project(path))]
        self.session.published[path] = buffer.uri
        self.server.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(buffer.uri, found, buffer.version))

    def clear(self, path: str) -> None:
        """A closed text has no diagnostics."""
        if (task := self.waiting.pop(path, None)) is not None:
            task.cancel()
        if (uri := self.session.published.pop(path, None)) is not None:
            self.server.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, []))

    def everything(self) -> None:
        """Something outside the texts changed."""
        self.session.workspace.changed()
        for path in self.session.workspace.buffers:
            self.soon(path)


def register(server: LanguageServer, session: Session) -> None:
    """The notifications that keep the texts."""
    publisher = Publisher(server, session)
    workspace = session.workspace

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    @guarded("open")
    def opened(params: lsp.DidOpenTextDocumentParams) -> None:
        document = params.text_document
        path = session.path(document.uri)
        workspace.put(path, document.text, document.uri, document.version)
        publisher.soon(path, 0)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    @guarded("change")
    def changed(params: lsp.DidChangeTextDocumentParams) -> None:
        document = params.text_document
        path = session.path(document.uri)
        workspace.put(path, session.changed(path, params.content_changes), document.uri, document.version)
        publisher.soon(path)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    @guarded("save")
    def saved(params: lsp.DidSaveTextDocumentParams) -> None:
        workspace.changed()
        publisher.soon(session.path(params.text_document.uri), 0)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    @guarded("close")
    def closed(params: lsp.DidCloseTextDocumentParams) -> None:
        path = session.path(params.text_document.uri)
        publisher.clear(path)
        workspace.drop(path)
        session.lines.pop(path, None)
        for other in workspace.buffers:
            if path in workspace.above(other):
                publisher.soon(other)

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    @guarded("watched files")
    def watched(params: lsp.DidChangeWatchedFilesParams) -> None:
        publisher.everything()

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    @guarded("folders")
    def folders(params: lsp.DidChangeWorkspaceFoldersParams) -> None:
        gone = {session.folder(f.uri) for f in params.event.removed}
        added = (session.folder(f.uri) for f in params.event.added)
        workspace.folders = tuple(dict.fromkeys((*(f for f in workspace.folders if f not in gone), *added)))
        publisher.everything()

    @server.feature(lsp.WORKSPACE_DID_CHANGE_CONFIGURATION)
    @guarded("configuration")
    def configured(params: lsp.DidChangeConfigurationParams) -> None:
        workspace.overrides = overrides_of(params.settings)
        publisher.everything()


def overrides_of(settings: object) -> tuple[str, ...]:
    """The `set` of the editor's settings, a list of NAME=VALUE: params as `--set` gives them."""
    while isinstance(settings, dict) and isinstance(settings.get("mixc"), dict):
        settings = settings["mixc"]
    found = settings.get("set") if isinstance(settings, dict) else getattr(settings, "set", None)
    return tuple(str(each) for each in found) if isinstance(found, (list, tuple)) else ()
