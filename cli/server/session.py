"""One editor at the other end: its open texts, its encoding, and what our places and answers are in the protocol's terms."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from lsprotocol import types as lsp

from ...compiler.diagnostics import Edit, Severity
from ...compiler.ide.problems import Problem
from ...compiler.source import Span
from .positions import Positions
from .uris import path_of, uri_of
from .workspace import Workspace


@dataclass(slots=True)
class Session:
    """State of a connection. `snippets`, `markdown`: whether the editor takes them."""

    workspace: Workspace = field(default_factory=Workspace)
    encoding: str = "utf-16"
    snippets: bool = True
    markdown: bool = True
    left: bool = False
    """Whether the editor said that it shuts down."""
    lines: dict[str, Positions] = field(default_factory=dict)
    published: dict[str, str] = field(default_factory=dict)
    """The URIs that diagnostics were sent for, by path."""

    def path(self, uri: str) -> str:
        """The path of a URI, as the workspace knows it."""
        return path_of(uri, self.workspace.folders[0] if self.workspace.folders else "")

    def folder(self, uri: str) -> str:
        """The path of a folder, without a slash at its end."""
        path = self.path(uri)
        return path.rstrip("/") or path

    def uri(self, path: str) -> str:
        """The URI of a path: the editor's own spelling where the text is open."""
        buffer = self.workspace.buffers.get(path)
        return buffer.uri if buffer else uri_of(path)

    def positions(self, path: str) -> Positions:
        """The lines of the text at a path."""
        text = self.workspace.text(path) or ""
        known = self.lines.get(path)
        if known is None or known.text is not text:
            known = self.lines[path] = Positions(text, self.encoding)
        return known

    def offset(self, path: str, at: lsp.Position) -> int:
        return self.positions(path).offset(at.line, at.character)

    def range(self, span: Span) -> lsp.Range:
        lines = self.positions(span.path)
        return lsp.Range(lsp.Position(*lines.place(span.start)), lsp.Position(*lines.place(span.end)))

    def location(self, span: Span) -> lsp.Location:
        return lsp.Location(self.uri(span.path), self.range(span))

    def edit(self, edits: Iterable[Edit]) -> lsp.WorkspaceEdit:
        """Edits of any number of files, each in its order."""
        changes: dict[str, list[lsp.TextEdit]] = {}
        for each in sorted(edits, key=lambda e: (e.span.path, e.span.start)):
            changes.setdefault(self.uri(each.span.path), []).append(lsp.TextEdit(self.range(each.span), each.text))
        return lsp.WorkspaceEdit(changes=changes)

    def changed(self, path: str, changes: Iterable[lsp.TextDocumentContentChangeEvent]) -> str:
        """The text at a path after changes, which count from one another."""
        text = self.workspace.text(path) or ""
        for change in changes:
            if isinstance(change, lsp.TextDocumentContentChangePartial):
                lines = Positions(text, self.encoding)
                start = lines.offset(change.range.start.line, change.range.start.character)
                end = lines.offset(change.range.end.line, change.range.end.character)
                text = text[:start] + change.text + text[max(start, end) :]
            else:
                text = change.text
        return text

    def diagnostic(self, problem: Problem) -> lsp.Diagnostic:
        said = problem.diagnostic
        related = [
            lsp.DiagnosticRelatedInformation(self.location(label.span), label.text or "here")
            for label in problem.related
            if self.workspace.text(label.span.path) is not None
        ]
        return lsp.Diagnostic(
            range=self.range(problem.span),
            message=problem.message,
            severity=lsp.DiagnosticSeverity.Error if said.severity is Severity.ERROR else lsp.DiagnosticSeverity.Warning,
            code=said.code,
            source="mixc",
            related_information=related or None,
            tags=[lsp.DiagnosticTag.Unnecessary] if problem.unnecessary else None,
        )

    def markup(self, markdown: str) -> lsp.MarkupContent:
        kind = lsp.MarkupKind.Markdown if self.markdown else lsp.MarkupKind.PlainText
        return lsp.MarkupContent(kind, markdown if self.markdown else re.sub(r"```(?:mix)?\n?|`|\*\*", "", markdown))
