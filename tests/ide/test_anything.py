"""Whatever stands in the text, and wherever the cursor is, every question has an answer and none takes long."""

import random
import time
from itertools import pairwise

import pytest
from mixc.compiler.ide.actions import actions, mend
from mixc.compiler.ide.completion import complete
from mixc.compiler.ide.definition import definition
from mixc.compiler.ide.highlight import highlight
from mixc.compiler.ide.hover import explained, hover
from mixc.compiler.ide.outline import folds, outline
from mixc.compiler.ide.problems import problems
from mixc.compiler.ide.references import references
from mixc.compiler.ide.rename import rename
from mixc.compiler.ide.tidy import tidy
from mixc.compiler.ide.usage import usage
from mixc.tests.ide.asking import BASE, project

PIECES = ["(", ")", "[", "{", "}", '"', "\n", "$", "$n", "%", "#", "|", "é", "🧮", "\r\n", "\t", "\x00", "\u2028", "p20", "within", "select", "where", "=", ">=", "..", "4k", "extends"]


def mangled(seed: int) -> str:
    """The base spec with pieces cut out, put in and moved."""
    chance = random.Random(seed)
    text = BASE if seed % 3 else 'extends "base.mix"\n' + BASE
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(text) + 1)
        match chance.randrange(3):
            case 0:
                text = text[:at] + chance.choice(PIECES) + text[at:]
            case 1:
                text = text[:at] + text[at + chance.randint(1, 30) :]
            case _:
                text = text[:at] + text[chance.randrange(len(text) + 1) :][:60] + text[at:]
    return text


@pytest.mark.parametrize("seed", range(40))
def test_every_question_of_a_mangled_text(seed: int) -> None:
    chance = random.Random(seed)
    text = mangled(seed)
    whole = project(text, base=BASE)
    for problem in problems(whole):
        assert 0 <= problem.span.start <= problem.span.end <= len(text) and problem.span.path == "spec.mix"
    spans = [e.span for e in (*mend(whole), *tidy(whole.source))]
    spans += [*folds(whole.file), *(h.span for h in highlight(whole.file)), *(e.whole for e in outline(whole.file))]
    assert all(0 <= s.start <= s.end <= len(text) for s in spans)
    colours = [h.span for h in highlight(whole.file)]
    assert all(a.end <= b.start for a, b in pairwise(colours)), "two colours over one another"
    assert not any("\n" in text[s.start : s.end] for s in colours)
    for offset in {0, len(text), *(chance.randrange(len(text) + 1) for _ in range(12))}:
        found = complete(whole, offset)
        assert all(s.span.start <= offset <= s.span.end <= len(text) for s in found.suggestions)
        if said := hover(whole, offset):
            assert said.markdown and said.span.start <= offset <= said.span.end
        explained(whole, offset)
        usage(whole, offset)
        definition(whole, offset)
        actions(whole, offset, offset)
        rename(whole, offset, "another")
        if name := whole.file.at(offset):
            assert name in references(whole, name.symbol)


def test_a_long_line_and_a_deep_one_take_no_time() -> None:
    for text in ("select {\n where " + "(" * 3000, "select {\n where " + "a and " * 20_000, 'scan "' + "x" * 200_000, "(" * 100_000):
        whole = project(text)
        start = time.perf_counter()
        complete(whole, len(text))
        hover(whole, len(text))
        problems(whole)
        assert time.perf_counter() - start < 10
