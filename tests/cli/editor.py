"""An editor at the other end of `mixc lsp`: a real client, over the pipes of a real process."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from mixc.cli.server.positions import Positions
from mixc.cli.server.uris import path_of
from mixc.tests.cli.program import arguments, environment
from pygls.lsp.client import LanguageClient

PATIENCE = 30


class Editor:
    """Keeps the texts that it has open and the diagnostics it was told, by URI."""

    def __init__(self, encoding: str = "utf-16") -> None:
        self.client = LanguageClient("a test", "1")
        self.encoding = encoding
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self.told: dict[str, lsp.PublishDiagnosticsParams] = {}
        self.heard = asyncio.Event()

        @self.client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def published(params: lsp.PublishDiagnosticsParams) -> None:
            self.told[params.uri] = params
            self.heard.set()

    async def start(self, folder: Path, *words: str, options: object = None, snippets: bool = False) -> lsp.InitializeResult:
        command, *more = arguments("lsp", *words)
        await self.client.start_io(command, *more, cwd=folder, env=environment())
        encodings = [lsp.PositionEncodingKind(self.encoding)] if self.encoding != "utf-16" else None
        completion = lsp.CompletionClientCapabilities(completion_item=lsp.ClientCompletionItemOptions(snippet_support=snippets))
        capabilities = lsp.ClientCapabilities(
            general=lsp.GeneralClientCapabilities(position_encodings=encodings),
            text_document=lsp.TextDocumentClientCapabilities(completion=completion),
        )
        params = lsp.InitializeParams(
            capabilities=capabilities,
            workspace_folders=[lsp.WorkspaceFolder(folder.as_uri(), folder.name)],
            initialization_options=options,
        )
        result = await asyncio.wait_for(self.client.initialize_async(params), PATIENCE)
        self.client.initialized(lsp.InitializedParams())
        return result

    async def leave(self) -> tuple[int, str]:
        """Shut down in the proper order: the exit code, and what was said on stderr."""
        await asyncio.wait_for(self.client.shutdown_async(None), PATIENCE)
        self.client.exit(None)
        return await self.ended()

    async def ended(self) -> tuple[int, str]:
        server = self.process
        code = await asyncio.wait_for(server.wait(), PATIENCE)
        assert server.stderr is not None
        return code, (await server.stderr.read()).decode()

    @property
    def process(self) -> asyncio.subprocess.Process:
        assert self.client._server is not None
        return self.client._server

    def open(self, uri: str, text: str) -> None:
        self.texts[uri], self.versions[uri] = text, 1
        self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(lsp.TextDocumentItem(uri, "mix", 1, text)))

    def type(self, uri: str, old: str, new: str) -> None:
        """Put `new` in place of the first `old`, as one key press does: a range and a text."""
        text = self.texts[uri]
        at = text.index(old)
        self.replace(uri, at, at + len(old), new)

    def replace(self, uri: str, start: int, end: int, new: str) -> None:
        text = self.texts[uri]
        change = lsp.TextDocumentContentChangePartial(self.range(uri, start, end), new)
        self.send(uri, change, text[:start] + new + text[end:])

    def send(self, uri: str, change: lsp.TextDocumentContentChangeEvent, text: str) -> None:
        """One change, after which the text is `text`."""
        self.texts[uri] = text
        self.versions[uri] += 1
        document = lsp.VersionedTextDocumentIdentifier(version=self.versions[uri], uri=uri)
        self.client.text_document_did_change(lsp.DidChangeTextDocumentParams(document, [change]))

    def range(self, uri: str, start: int, end: int) -> lsp.Range:
        lines = Positions(self.texts[uri], self.encoding)
        return lsp.Range(lsp.Position(*lines.place(start)), lsp.Position(*lines.place(end)))

    def at(self, uri: str, before: str, after: str = "") -> dict[str, Any]:
        """The document and the place between two texts that stand one after the other."""
        place = self.texts[uri].index(before + after) + len(before)
        return {"text_document": lsp.TextDocumentIdentifier(uri), "position": self.range(uri, place, place).start}

    async def diagnostics(self, uri: str, until: Callable[[lsp.PublishDiagnosticsParams], bool] = lambda told: True) -> list[lsp.Diagnostic]:
        """What was told of the text's last version, once it was (and `until` holds)."""

        async def wait() -> list[lsp.Diagnostic]:
            while True:
                told = self.told.get(uri)
                if told is not None and told.version in (self.versions[uri], None) and until(told):
                    return list(told.diagnostics)
                self.heard.clear()
                await self.heard.wait()

        return await asyncio.wait_for(wait(), PATIENCE)

    def applied(self, edit: lsp.WorkspaceEdit) -> dict[str, str]:
        """The texts after an edit, those on the disk too; nothing is written."""
        return {uri: self._applied(uri, edits) for uri, edits in (edit.changes or {}).items()}

    def _applied(self, uri: str, edits: Any) -> str:
        text = self.texts.get(uri) or Path(path_of(uri)).read_text(encoding="utf-8")
        lines = Positions(text, self.encoding)
        for each in sorted(edits, key=lambda e: (e.range.start.line, e.range.start.character), reverse=True):
            start, end = (lines.offset(p.line, p.character) for p in (each.range.start, each.range.end))
            text = text[:start] + each.new_text + text[end:]
        return text


def session(play: Callable[[Editor], Awaitable[None]], encoding: str = "utf-16") -> None:
    """Run one scene; the server does not outlive it."""

    async def run() -> None:
        editor = Editor(encoding)
        try:
            await play(editor)
        finally:
            if editor.client._server is not None and editor.client._server.returncode is None:
                editor.client._server.kill()
            await editor.client.stop()

    asyncio.run(run())
