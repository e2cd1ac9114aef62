"""The language server as a process: odd texts, odd clients, how it ends."""

import random
import subprocess
import sys
from pathlib import Path

import pytest
from lsprotocol import types as lsp
from mixc.cli.inputs import compile_source
from mixc.compiler.ide.highlight import highlight
from mixc.compiler.ide.project import chain
from mixc.compiler.source import Source
from mixc.tests.cli.editor import Editor, session
from mixc.tests.cli.program import START, arguments, environment
from mixc.tests.project import SCORED, make_project

CHILD = 'extends "scored.mix"\n\nselect {\n  replace maximize -length\n}\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = make_project(tmp_path)
    (project / "child.mix").write_text(CHILD, encoding="utf-8")
    return project


def test_a_quick_typist_gets_the_last_word(folder: Path) -> None:
    uri = (folder / "scored.mix").as_uri()

    async def play(editor: Editor) -> None:
        await editor.start(folder)
        editor.open(uri, SCORED)
        for old, new in (("maximize random", "maximize r"), ("maximize r\n", "maximize le\n"), ("maximize le\n", "maximize -length\n")):
            editor.type(uri, old, new)
        assert await editor.diagnostics(uri) == []
        assert editor.told[uri].version == 4

    session(play)


def test_params_are_set_by_the_editor_and_by_the_command_line(folder: Path) -> None:
    uri = (folder / "scored.mix").as_uri()
    text = SCORED.replace("budget   12", "budget   $n").replace("corpus rows", "param n = 12\n\ncorpus rows")

    async def play(editor: Editor) -> None:
        await editor.start(folder, "--stdio", options={"set": ["n=9"]})
        editor.open(uri, text)
        hover = await editor.client.text_document_hover_async(lsp.HoverParams(**editor.at(uri, "budget   $", "n")))
        assert hover is not None and "param n = 9" in getattr(hover.contents, "value", "")
        editor.client.workspace_did_change_configuration(lsp.DidChangeConfigurationParams({"mixc": {"set": ["n"]}}))
        (found,) = await editor.diagnostics(uri, lambda told: bool(told.diagnostics))
        assert found.code == "MIX0206"

    session(play)


def test_a_text_in_no_file_and_a_path_with_odd_letters(folder: Path) -> None:
    odd = folder / "a b ✓.mix"
    uri = f"{folder.as_uri()}/a%20b%20%e2%9c%93.mix"

    async def play(editor: Editor) -> None:
        await editor.start(folder)
        editor.open("untitled:Untitled-1", SCORED)
        assert await editor.diagnostics("untitled:Untitled-1") == []
        editor.open(uri, CHILD.replace("-length", "-lenght"))
        assert [d.code for d in await editor.diagnostics(uri)] == ["MIX0201"]
        assert not odd.exists()
        editor.open("file:///c%3A/specs/a.mix", "mix 'a' {\n")
        assert await editor.diagnostics("file:///c%3A/specs/a.mix")
        assert (await editor.leave())[1] == ""

    session(play)


def test_files_that_change_on_the_disk_are_looked_at_again(folder: Path) -> None:
    """A parent that is not open, and the data."""
    uri, base, data = (folder / "child.mix").as_uri(), folder / "scored.mix", folder / "data" / "rows.jsonl"

    def changed(editor: Editor, path: Path) -> None:
        event = lsp.FileEvent(path.as_uri(), lsp.FileChangeType.Changed)
        editor.client.workspace_did_change_watched_files(lsp.DidChangeWatchedFilesParams([event]))

    async def play(editor: Editor) -> None:
        await editor.start(folder)
        editor.open(uri, CHILD)
        assert await editor.diagnostics(uri) == []
        base.write_text(SCORED.replace("score length ", "score size "), encoding="utf-8")
        changed(editor, base)
        assert {d.code for d in await editor.diagnostics(uri, lambda told: bool(told.diagnostics))} == {"MIX0201"}
        base.write_text(SCORED, encoding="utf-8")
        changed(editor, base)
        assert await editor.diagnostics(uri, lambda told: not told.diagnostics) == []
        data.write_text(data.read_text(encoding="utf-8").replace('"count"', '"words"'), encoding="utf-8")
        changed(editor, data)
        (found,) = await editor.diagnostics(uri, lambda told: bool(told.diagnostics))
        assert found.code == "MIX0209" and "in `scored.mix`" in found.message

    session(play)


def test_what_is_not_there_and_what_is_too_large_harm_nothing(folder: Path) -> None:
    uri, large = (folder / "nowhere.mix").as_uri(), (folder / "large.mix").as_uri()

    async def play(editor: Editor) -> None:
        await editor.start(folder)
        assert await editor.client.text_document_hover_async(
            lsp.HoverParams(lsp.TextDocumentIdentifier(uri), lsp.Position(900, 900))
        ) is None
        editor.open(large, "# many words\n" * 50_000)
        (found,) = await editor.diagnostics(large)
        assert found.code == "MIX0117"
        editor.client.protocol.notify("textDocument/didChange", {"no": "such thing"})
        assert await editor.client.text_document_completion_async(
            lsp.CompletionParams(lsp.TextDocumentIdentifier(large), lsp.Position(49_000, 5))
        )
        editor.type(large, "# many words\n" * 50_000, SCORED)
        assert await editor.diagnostics(large) == []
        code, said = await editor.leave()
        assert code == 0 and "bug in mixc" not in said

    session(play)


def test_many_edits_and_odd_ones_keep_the_text(folder: Path) -> None:
    """Random edits, in one notification or many, over line ends and emoji, some beyond the end: the server has the client's text."""
    uri = (folder / "scored.mix").as_uri()
    chance = random.Random(5)
    pieces = ("x", "\n", "\r\n", "🧮", "é", "where correct", "# ", "}\n", "\u2028", "\x0b", "")

    async def play(editor: Editor) -> None:
        await editor.start(folder)
        editor.open(uri, SCORED.replace("\n", "\r\n"))
        for _ in range(60):
            text = editor.texts[uri]
            start = chance.randrange(len(text) + 1)
            if text[start - 1 : start + 1] == "\r\n":
                start -= 1
            end = min(start + chance.choice((0, 0, 1, 5, 40)), len(text))
            end += text[end - 1 : end + 1] == "\r\n"
            editor.replace(uri, start, end, chance.choice(pieces))
        beyond = lsp.Range(lsp.Position(99_999, 0), lsp.Position(99_999, 7))
        editor.send(uri, lsp.TextDocumentContentChangePartial(beyond, "\n# the end"), editor.texts[uri] + "\n# the end")
        expected = compile_source(Source(str(folder / "scored.mix"), editor.texts[uri]))
        assert [d.code for d in await editor.diagnostics(uri)] == [d.code for d in expected.notes]
        document = lsp.TextDocumentIdentifier(uri)
        tokens = await editor.client.text_document_semantic_tokens_full_async(lsp.SemanticTokensParams(document))
        assert tokens is not None
        names = [h.span for h in highlight(chain(Source("", editor.texts[uri]), lambda path: None)[0])]
        assert len(tokens.data) == 5 * len(names)
        editor.send(uri, lsp.TextDocumentContentChangeWholeDocument(SCORED), SCORED)
        assert await editor.diagnostics(uri) == []
        assert (await editor.leave())[0] == 0

    session(play)


def test_a_client_that_dies_takes_the_server_with_it(folder: Path) -> None:
    async def play(editor: Editor) -> None:
        await editor.start(folder)
        assert editor.process.stdin is not None
        editor.process.stdin.close()
        code, said = await editor.ended()
        assert code == 1 and "Traceback" not in said

    session(play)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGTERM there")
def test_sigterm_ends_it_at_once(folder: Path) -> None:
    async def play(editor: Editor) -> None:
        await editor.start(folder)
        editor.process.terminate()
        code, said = await editor.ended()
        assert code == -15 and not said

    session(play)


def test_exit_without_shutdown_is_an_error(folder: Path) -> None:
    async def play(editor: Editor) -> None:
        await editor.start(folder)
        editor.client.exit(None)
        assert await editor.ended() == (1, "")

    session(play)


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    """A Python that cannot find pygls, as one where mixc was installed without the extra."""
    hide = "import importlib.util as u; real = u.find_spec; u.find_spec = lambda n, *a: None if n == 'pygls' else real(n, *a)\n"
    run = subprocess.run(
        arguments("lsp", code=hide + START), cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 1 and not run.stdout
    assert "error[MIX0509]: the language server needs `pygls`, which is not installed" in run.stderr
    assert "pip install 'mixc[lsp]'" in run.stderr


def test_a_bug_is_told_on_stderr_alone(folder: Path) -> None:
    """A handler that fails answers nothing, and the next question is answered."""
    uri = (folder / "scored.mix").as_uri()
    breaking = (
        "import runpy, sys\nrunpy.run_path({conftest!r})\n"
        "import mixc.compiler.ide.hover as h\ndef no(*a): raise KeyError('a bug')\nh.hover = no\n"
        "import mixc.cli.main\nsys.exit(mixc.cli.main.main())"
    )

    async def play(editor: Editor) -> None:
        from mixc.tests.cli import editor as module
        from mixc.tests.cli.program import CONFTEST

        module.arguments = lambda *words: arguments(*words, code=breaking.format(conftest=str(CONFTEST)))
        try:
            await editor.start(folder)
        finally:
            module.arguments = arguments
        editor.open(uri, SCORED)
        assert await editor.client.text_document_hover_async(lsp.HoverParams(**editor.at(uri, "score le"))) is None
        assert await editor.diagnostics(uri) == []
        code, said = await editor.leave()
        assert code == 0
        assert "this is a bug in mixc" in said and "stage hover" in said and "KeyError: 'a bug'" in said

    session(play)
