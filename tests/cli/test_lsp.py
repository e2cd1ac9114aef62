"""The language server, asked by a real client over stdio."""

from pathlib import Path

import pytest
from lsprotocol import types as lsp
from mixc.tests.cli.editor import Editor, session
from mixc.tests.cli.program import mixc
from mixc.tests.project import SCORED, make_project
from pygls.exceptions import JsonRpcException

CHILD = 'extends "scored.mix"\n\nselect {\n  replace maximize -length\n}\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = make_project(tmp_path)
    (project / "child.mix").write_text(CHILD, encoding="utf-8")
    return project


def test_open_break_mend(folder: Path) -> None:
    """Diagnostics follow each change, with code, place, help, and what else they point at; then none are left."""
    uri = (folder / "scored.mix").as_uri()

    async def play(editor: Editor) -> None:
        await editor.start(folder)
        editor.open(uri, SCORED)
        assert await editor.diagnostics(uri) == []
        editor.type(uri, "length <= 400 tokens", "length <= 400 nats")
        (found,) = await editor.diagnostics(uri)
        assert (found.code, found.severity, found.source) == ("MIX0304", lsp.DiagnosticSeverity.Error, "mixc")
        at = SCORED.index("400")
        assert found.range == editor.range(uri, at, at + len("400 nats"))
        assert "a number of tokens cannot be compared with nats" in found.message and "help: " in found.message
        (related,) = found.related_information or ()
        assert related.location.uri == uri and "a number of tokens" in related.message
        editor.type(uri, "400 nats", "400 tokens")
        assert await editor.diagnostics(uri) == []
        editor.client.text_document_did_close(lsp.DidCloseTextDocumentParams(lsp.TextDocumentIdentifier(uri)))
        assert await editor.leave() == (0, "")

    session(play)


def test_complete_and_hover(folder: Path) -> None:
    uri = (folder / "scored.mix").as_uri()

    async def play(editor: Editor) -> None:
        await editor.start(folder, snippets=True)
        editor.open(uri, SCORED)
        editor.type(uri, "maximize random", "maximize ")
        found = await editor.client.text_document_completion_async(lsp.CompletionParams(**editor.at(uri, "maximize ")))
        assert isinstance(found, lsp.CompletionList)
        items = {item.label: item for item in found.items}
        assert items["length"].detail == "a number of tokens" and items["length"].kind == lsp.CompletionItemKind.Variable
        assert {"correct", "random", "reference", "count", "topic"} <= set(items)
        editor.type(uri, "maximize ", "maximize -length")
        hover = await editor.client.text_document_hover_async(lsp.HoverParams(**editor.at(uri, "maximize -le")))
        assert hover is not None and isinstance(hover.contents, lsp.MarkupContent)
        assert "**a number of tokens**" in hover.contents.value
        editor.type(uri, 'skill "addition"', 'skill "')
        assert await editor.diagnostics(uri)
        editor.type(uri, "decontaminate none", "\n# mixc: \ndecontaminate none")
        found = await editor.client.text_document_completion_async(lsp.CompletionParams(**editor.at(uri, "# mixc: ")))
        assert isinstance(found, lsp.CompletionList) and [i.label for i in found.items] == ["allow"]
        assert (await editor.leave())[1] == ""

    session(play)


def test_the_arguments_of_a_scorer(folder: Path) -> None:
    uri = (folder / "scored.mix").as_uri()

    async def play(editor: Editor) -> None:
        await editor.start(folder)
        editor.open(uri, SCORED)
        editor.type(uri, "column(good)", "local_logprob(window: ")
        found = await editor.client.text_document_signature_help_async(lsp.SignatureHelpParams(**editor.at(uri, "(window: ")))
        assert found is not None and found.active_parameter == 1
        (signature,) = found.signatures
        assert signature.label == "local_logprob(student, window: 4 steps, split: sentence, debias: none)"
        assert [p.label for p in signature.parameters or ()][1] == "window: 4 steps"
        assert (await editor.leave())[1] == ""

    session(play)


def test_paths_are_completed_from_the_disk(folder: Path) -> None:
    uri = (folder / "scored.mix").as_uri()

    async def play(editor: Editor) -> None:
        await editor.start(folder)
        editor.open(uri, SCORED)
        editor.type(uri, '"data/*.jsonl"', '"data/r"')
        found = await editor.client.text_document_completion_async(lsp.CompletionParams(**editor.at(uri, '"data/r')))
        assert isinstance(found, lsp.CompletionList) and [i.label for i in found.items] == ["rows.jsonl"]
        editor.type(uri, '"data/r"', '""')
        found = await editor.client.text_document_completion_async(lsp.CompletionParams(**editor.at(uri, 'scan      "')))
        assert isinstance(found, lsp.CompletionList) and {"data/", "bench.jsonl", "whole.mix"} <= {i.label for i in found.items}

    session(play)


def test_definition_and_references_across_extends(folder: Path) -> None:
    uri, base = (folder / "child.mix").as_uri(), (folder / "scored.mix").as_uri()

    async def play(editor: Editor) -> None:
        await editor.start(folder)
        editor.open(uri, CHILD)
        where = editor.at(uri, "maximize -len")
        found = await editor.client.text_document_definition_async(lsp.DefinitionParams(**where))
        editor.texts[base] = SCORED
        at = SCORED.index("length  =")
        assert found == [lsp.Location(base, editor.range(base, at, at + 6))]
        references = await editor.client.text_document_references_async(lsp.ReferenceParams(lsp.ReferenceContext(True), **where))
        assert sorted(r.uri for r in references or ()) == [uri, *[base] * 3]
        found = await editor.client.text_document_definition_async(lsp.DefinitionParams(**editor.at(uri, 'extends "sco')))
        assert isinstance(found, list) and isinstance(found[0], lsp.Location) and found[0].uri == base
        assert (await editor.leave())[1] == ""

    session(play)


def test_rename_over_two_files(folder: Path) -> None:
    """Asked in the parent, the child that is not even open follows; both compile after it."""
    child, uri = (folder / "child.mix").as_uri(), (folder / "scored.mix").as_uri()

    async def play(editor: Editor) -> None:
        await editor.start(folder)
        editor.open(uri, SCORED)
        where = editor.at(uri, "score le", "ngth")
        prepared = await editor.client.text_document_prepare_rename_async(lsp.PrepareRenameParams(**where))
        assert isinstance(prepared, lsp.PrepareRenamePlaceholder) and prepared.placeholder == "length"
        edit = await editor.client.text_document_rename_async(lsp.RenameParams(new_name="size", **where))
        assert edit is not None
        new = editor.applied(edit)
        assert set(new) == {uri, child} and "length" not in new[child] and "score size " in new[uri]
        (folder / "scored.mix").write_text(new[uri], encoding="utf-8")
        (folder / "child.mix").write_text(new[child], encoding="utf-8")
        with pytest.raises(JsonRpcException, match="`correct` is declared already"):
            await editor.client.text_document_rename_async(lsp.RenameParams(new_name="correct", **where))
        with pytest.raises(JsonRpcException, match="only what a spec declares"):
            await editor.client.text_document_prepare_rename_async(lsp.PrepareRenameParams(**editor.at(uri, "prompt    que", "stion")))
        assert await editor.leave() == (0, "")

    session(play)
    for name in ("scored.mix", "child.mix"):
        assert mixc("check", name, cwd=folder).returncode == 0


def test_format_and_fix(folder: Path) -> None:
    uri = (folder / "scored.mix").as_uri()

    async def play(editor: Editor) -> None:
        await editor.start(folder)
        editor.open(uri, SCORED.replace("score correct = column(good)", "score  correct=column( good )").replace("400 tokens", "400"))
        (found,) = await editor.diagnostics(uri)
        context = lsp.CodeActionContext([found])
        action, *more = await editor.client.text_document_code_action_async(
            lsp.CodeActionParams(lsp.TextDocumentIdentifier(uri), found.range, context)
        ) or ()
        assert isinstance(action, lsp.CodeAction) and action.is_preferred and not more and action.edit is not None
        assert [d.code for d in action.diagnostics or ()] == ["MIX0309"]
        editor.type(uri, editor.texts[uri], editor.applied(action.edit)[uri])
        assert await editor.diagnostics(uri) == []
        params = lsp.DocumentFormattingParams(lsp.TextDocumentIdentifier(uri), lsp.FormattingOptions(2, True))
        edits = await editor.client.text_document_formatting_async(params)
        assert edits and editor._applied(uri, edits) == SCORED
        assert (await editor.leave())[1] == ""

    session(play)


def test_all_fixes_of_a_file_on_saving(folder: Path) -> None:
    uri = (folder / "scored.mix").as_uri()

    async def play(editor: Editor) -> None:
        await editor.start(folder)
        editor.open(uri, SCORED.replace("400 tokens", "400").replace("-length", "-lenght"))
        context = lsp.CodeActionContext([], only=[lsp.CodeActionKind.SourceFixAll])
        params = lsp.CodeActionParams(lsp.TextDocumentIdentifier(uri), editor.range(uri, 0, 0), context)
        (action,) = await editor.client.text_document_code_action_async(params) or ()
        assert isinstance(action, lsp.CodeAction) and action.edit is not None
        assert editor.applied(action.edit)[uri] == SCORED

    session(play)


def test_the_page(folder: Path) -> None:
    uri = (folder / "scored.mix").as_uri()

    async def play(editor: Editor) -> None:
        await editor.start(folder)
        editor.open(uri, SCORED)
        document = lsp.TextDocumentIdentifier(uri)
        symbols = await editor.client.text_document_document_symbol_async(lsp.DocumentSymbolParams(document)) or ()
        assert [s.name for s in symbols] == ["scored", "rows", "topics", "correct", "length", "decontaminate", "select"]
        folds = await editor.client.text_document_folding_range_async(lsp.FoldingRangeParams(document)) or ()
        assert [(f.start_line, f.end_line) for f in folds] == [(2, 9), (18, 26)]
        tokens = await editor.client.text_document_semantic_tokens_full_async(lsp.SemanticTokensParams(document))
        assert tokens is not None and len(tokens.data) > 200 and list(tokens.data[:5]) == [0, 0, 3, 0, 0]
        marks = await editor.client.text_document_document_highlight_async(lsp.DocumentHighlightParams(**editor.at(uri, "score le"))) or ()
        assert [m.kind for m in marks] == [lsp.DocumentHighlightKind.Write, *[lsp.DocumentHighlightKind.Read] * 2]
        assert (await editor.leave())[1] == ""

    session(play)


def test_a_child_that_is_open_hears_of_its_parent(folder: Path) -> None:
    uri, base = (folder / "child.mix").as_uri(), (folder / "scored.mix").as_uri()

    async def play(editor: Editor) -> None:
        await editor.start(folder)
        editor.open(base, SCORED)
        editor.open(uri, CHILD)
        assert await editor.diagnostics(uri) == []
        editor.type(base, "score length  =", "score size  =")
        found = await editor.diagnostics(uri, lambda told: bool(told.diagnostics))
        at = CHILD.index('"scored.mix"')
        assert {d.code for d in found} == {"MIX0201"}
        assert any(d.range == editor.range(uri, at, at + 12) and "in `scored.mix`, line " in d.message for d in found)
        assert await editor.diagnostics(base)
        editor.type(base, "score size  =", "score length  =")
        assert await editor.diagnostics(uri, lambda told: not told.diagnostics) == []

    session(play)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_places_behind_an_emoji(folder: Path, encoding: str) -> None:
    uri = (folder / "scored.mix").as_uri()
    text = SCORED.replace('where    correct\n', 'where    topic != "🧮é漢" and lenght >= 3 tokens\n')

    async def play(editor: Editor) -> None:
        result = await editor.start(folder)
        assert result.capabilities.position_encoding == encoding
        editor.open(uri, text)
        (found,) = await editor.diagnostics(uri)
        at = text.index("lenght")
        assert found.range == editor.range(uri, at, at + 6)
        editor.type(uri, "lenght", "length")
        assert await editor.diagnostics(uri) == []
        hover = await editor.client.text_document_hover_async(lsp.HoverParams(**editor.at(uri, '"🧮é漢" and len')))
        assert hover is not None and hover.range is not None
        at = editor.texts[uri].index("length >= 3")
        assert hover.range == editor.range(uri, at, at + 6)

    session(play, encoding)
