"""Starts the language server on standard input and output, and says how it ended."""

import gc
import logging
import os
import signal
import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, lsp_method

from ... import __version__
from . import changes, documents, questions
from .changes import REFUSED
from .documents import overrides_of
from .guard import guarded, tell
from .session import Session

GARBAGE = (50_000, 20, 20)
"""A tree of 500 lines is tens of thousands of objects, none of them garbage: looking for it at Python's pace is a third of the parser's time."""
WATCHED = "**/*.{mix,json,jsonl,parquet}"


class Protocol(LanguageServerProtocol):
    """Leaves changes of texts to the session: pygls would keep a second copy, by lines that are not the protocol's, and alter their places."""

    @lsp_method(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: lsp.DidChangeTextDocumentParams) -> Generator[Any, Any, None]:
        yield self.fm.features[lsp.TEXT_DOCUMENT_DID_CHANGE], (params,), None


class Server(LanguageServer):
    """Tells of what goes wrong below our answers (a message that is no JSON) on stderr, not in a window of the editor."""

    def report_server_error(self, error: Exception, source: Any) -> None:
        if getattr(error, "code", None) != REFUSED:
            print(f"mixc lsp: {type(error).__name__}: {error}", file=sys.stderr, flush=True)


def serve(overrides: Sequence[str] = ()) -> int:
    """Answer one editor until it leaves; 0 where it said that it would."""
    logging.getLogger("pygls").setLevel(logging.CRITICAL)
    session = Session()
    session.workspace.overrides = tuple(overrides)
    server = make(session)
    _die_when_told()
    stdout = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what is printed by mistake must not stand in the protocol
    gc.freeze()
    gc.set_threshold(*GARBAGE)
    stdin = sys.stdin.buffer if sys.stdin else Path(os.devnull).open("rb")  # noqa: SIM115
    server.start_io(stdin, stdout)
    return 0 if session.left else 1


def make(session: Session) -> LanguageServer:
    """A server with all that it answers."""
    server = Server("mixc", __version__, protocol_cls=Protocol)
    _register(server, session)
    documents.register(server, session)
    questions.register(server, session)
    changes.register(server, session)
    return server


def _register(server: LanguageServer, session: Session) -> None:
    @server.feature(lsp.INITIALIZE)
    @guarded("initialize")
    def initialize(params: lsp.InitializeParams) -> None:
        session.encoding = str(getattr(server.workspace.position_encoding, "value", server.workspace.position_encoding) or "utf-16")
        folders = [f.uri for f in params.workspace_folders or ()] or ([params.root_uri] if params.root_uri else [])
        session.workspace.folders = tuple(session.folder(uri) for uri in folders)
        session.workspace.overrides = (*session.workspace.overrides, *overrides_of(params.initialization_options))
        documented = params.capabilities.text_document
        item = documented and documented.completion and documented.completion.completion_item
        session.snippets = bool(item and item.snippet_support)
        hover = documented and documented.hover and documented.hover.content_format
        session.markdown = not hover or lsp.MarkupKind.Markdown in hover

    @server.feature(lsp.INITIALIZED)
    @guarded("initialized")
    def initialized(params: lsp.InitializedParams) -> None:
        workspace = server.client_capabilities.workspace
        watching = workspace and workspace.did_change_watched_files
        if not (watching and watching.dynamic_registration):
            return
        options = lsp.DidChangeWatchedFilesRegistrationOptions([lsp.FileSystemWatcher(WATCHED)])
        registration = lsp.Registration("mixc-files", lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
        server.client_register_capability(lsp.RegistrationParams([registration]))

    @server.feature(lsp.SHUTDOWN)
    @guarded("shutdown")
    def shutdown(params: None) -> None:
        session.left = True


def _die_when_told() -> None:
    """A signal ends the server at once: there is nothing to keep, and a thread waits on stdin that cannot be woken."""
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
    except ValueError:  # off the main thread signals are not ours
        tell("signals")
