"""How long an editor waits: the language server over its pipes, a spec of 500 lines, a letter typed and taken back in its middle.

Prints the median and the 95th percentile of the time from an edit to its diagnostics, and to the answers of hover and completion asked right after one.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import conftest  # noqa: F401 - lets an uninstalled checkout import mixc
from lsprotocol import types as lsp
from mixc.tests.cli.editor import Editor, session
from mixc.tests.project import make_project

LINES = 500
EDITS = 60
TARGET = 0.100
"""Seconds: the median that the design asks for, from an edit to its diagnostics."""


def spec() -> str:
    """A spec of `LINES` lines as one would be: three corpora, many teachers and scores, long filters, a quota for each skill."""
    parts = ['mix "long" {\n  seed 7\n}\n', 'student small {\n  model "org/small"\n  dtype bf16\n}\n', "param n = 40\n"]
    roles = "prompt    question\n  response  answer\n  reference gold\n  teacher   model\n  id        prompt_id"
    parts += [f'corpus rows{i} {{\n  scan      "data/*.jsonl"\n  {roles}\n  where     split == "train"\n}}\n' for i in range(3)]
    parts += [f'teacher t{i} from rows{i % 3} where model == "m{i}" and topic != "none"' for i in range(90)]
    parts += ["", "skills topics { tag by column topic }", ""]
    parts += [f"score natural{i} = local_logprob(student: small, window: {i + 1} steps, split: sentence)" for i in range(60)]
    parts += [f"score length{i} = column(count, unit: tokens)" for i in range(40)]
    parts += ["score correct = verify_math(reference)", "", 'decontaminate against "bench.jsonl" by 8-grams of prompt', ""]
    clauses = ["where correct", "count tokens by length0", "keep best 2 per prompt by natural0"]
    clauses += [f"where (natural{i % 60} >= p{10 + i % 80} within teacher or length{i % 40} <= 40{i % 10} tokens) and not correct == false" for i in range(60)]
    clauses += [f'quota skill "skill {i}" <= {20 + i % 50}%' for i in range(80)]
    clauses += [f"quota teacher t{i} <= 40% of tokens" for i in range(90)]
    clauses += ["budget $n examples", "maximize natural1"]
    tail = ["train small {\n  format plain\n  epochs 1\n  batch 8 examples\n  max_length 1k tokens\n}", ""]
    lines = "\n".join([*parts, "select {", *(f"  {c}" for c in clauses), "}", "", *tail]).split("\n")
    lines += [f"# note {i}" for i in range(LINES - len(lines))]
    return "\n".join(lines[:LINES]) + "\n"


async def timed(times: list[float], edit: Callable[[], None], answer: Callable[[], Awaitable[Any]]) -> None:
    start = time.perf_counter()
    edit()
    await answer()
    times.append(time.perf_counter() - start)


async def play(editor: Editor, folder: Path) -> dict[str, list[float]]:
    """The times, by what was waited for."""
    uri, text = (folder / "long.mix").as_uri(), spec()
    assert text.count("\n") == LINES
    times: dict[str, list[float]] = {"opening": [], "diagnostics": [], "hover": [], "completion": []}
    await editor.start(folder)
    await timed(times["opening"], lambda: editor.open(uri, text), lambda: editor.diagnostics(uri))
    assert not [d for d in await editor.diagnostics(uri) if d.severity == lsp.DiagnosticSeverity.Error]
    whole, broken = "or length30 <= 400", "or length30 x <= 400"
    for number in range(EDITS):
        old, new = (whole, broken) if number % 2 == 0 else (broken, whole)
        await timed(times["diagnostics"], lambda old=old, new=new: editor.type(uri, old, new), lambda: editor.diagnostics(uri))
        assert any(d.severity == lsp.DiagnosticSeverity.Error for d in editor.told[uri].diagnostics) == (number % 2 == 0)
    for number in range(EDITS):
        old, new = (whole, whole + "1") if number % 2 == 0 else (whole + "1", whole)
        where = editor.at(uri, "maximize nat", "ural1")
        ask = (
            (lambda where=where: editor.client.text_document_hover_async(lsp.HoverParams(**where)))
            if number % 4 < 2
            else (lambda where=where: editor.client.text_document_completion_async(lsp.CompletionParams(**where)))
        )
        await timed(times["hover" if number % 4 < 2 else "completion"], lambda old=old, new=new: editor.type(uri, old, new), ask)
        await editor.diagnostics(uri)
    assert (await editor.leave())[0] == 0
    return times


def main() -> None:
    """Print a line for each kind of wait, and whether the target is met."""
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = make_project(Path(name))

        async def run(editor: Editor) -> None:
            found.update(await play(editor, folder))

        session(run)
    for what, times in found.items():
        ordered = sorted(times)
        p95 = ordered[min(int(len(ordered) * 0.95), len(ordered) - 1)]
        print(f"{what:<12} median {statistics.median(times) * 1000:6.1f} ms   p95 {p95 * 1000:6.1f} ms   of {len(times)}")
    median = statistics.median(found["diagnostics"])
    print(f"an edit of {LINES} lines: {median * 1000:.0f} ms, {'below' if median < TARGET else 'NOT below'} {TARGET * 1000:.0f} ms")


if __name__ == "__main__":
    main()
