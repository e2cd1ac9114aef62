"""`arrange`: the canonical text of a file. Whatever is written, it is read back as the same, its comments in their order."""

import re
from pathlib import Path
from random import Random

import pytest
from mixc.compiler.diagnostics import Diagnostics
from mixc.compiler.source import Source
from mixc.compiler.syntax.arrange import arrange
from mixc.compiler.syntax.fill import columns
from mixc.compiler.syntax.parse import parse
from mixc.compiler.syntax.same import same
from mixc.tests.compiler.generate import Derivation, every_rule, scrawl, words_of
from mixc.tests.compiler.specs import CHILD, OTHERS, RESELECT, TRAINED

ROOT = Path(__file__).parents[2]
GOLDENS = sorted(p for p in ROOT.glob("tests/fmt/*.mix") if not p.name.endswith(".expected.mix"))
FOLDERS = ("specs", "cli", "tests", "docs", "grammar", "editors", "benchmarks")
SPECS = sorted(p for folder in FOLDERS for p in ROOT.glob(f"{folder}/**/*.mix"))
PAGES = sorted(p for folder in (".", *FOLDERS) for p in ROOT.glob(f"{folder}/*.md" if folder == "." else f"{folder}/**/*.md"))
FENCES = [text for page in PAGES for text in re.findall(r"^```mix\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)]
SEEDS = range(0, 2000, 200)


def arranged(text: str) -> str:
    notes = Diagnostics()
    found = arrange(Source("a.mix", text), notes)
    assert found is not None, [d.message for d in notes]
    return found


def read(path: Path) -> str:
    return path.read_bytes().decode("utf-8")


def check(text: str) -> str:
    """All that must hold of the canonical form of a text that parses."""
    once = arranged(text)
    assert same(Source("a.mix", text), Source("a.mix", once)), text
    assert arranged(once) == once, text
    assert not re.search(r"[ \t\r]$|\n\n\n|\A\n|\n\n\Z|\ufeff", once, re.MULTILINE), text
    assert once.endswith("\n") or not once
    return once


@pytest.mark.parametrize("path", GOLDENS, ids=lambda p: p.stem)
def test_ugly_files_become_their_goldens(path: Path, golden) -> None:
    golden(path.with_suffix(".expected.mix"), check(read(path)))


def test_every_spec_of_the_repository_is_read_back_as_it_was() -> None:
    texts = [read(path) for path in SPECS] + FENCES + [TRAINED, RESELECT, CHILD, OTHERS]
    found = 0
    for text in texts:
        notes = Diagnostics()
        parse(Source("a.mix", text), notes)
        if notes.has_errors:
            assert arrange(Source("a.mix", text), Diagnostics()) is None
        else:
            check(text)
            found += 1
    assert found > 40


@pytest.mark.parametrize("path", [p for p in SPECS if p.parts[-2] in ("specs", "starter")], ids=lambda p: p.stem)
def test_the_specs_that_are_shipped_are_in_canonical_form(path: Path) -> None:
    assert arranged(read(path)) == read(path)


def test_a_name_that_is_a_keyword_of_paths_is_added_to_inside_brackets() -> None:
    check('score a = b("x"or\n scan +true*\nnone)\n')


@pytest.mark.parametrize("first", SEEDS)
def test_any_spec_is_read_back_as_it_was(first: int) -> None:
    derivation = Derivation(Random(first))
    for seed in range(first, first + SEEDS.step):
        derivation.random = Random(seed)
        check(scrawl(derivation.declarations(4), derivation.random))


def test_the_generated_specs_use_every_rule_of_the_grammar() -> None:
    derivation = Derivation(Random(0))
    for _ in SEEDS:
        derivation.declarations(2 * SEEDS.step)
    assert every_rule() - set(derivation.met) == set()


@pytest.mark.parametrize("text", [TRAINED, RESELECT, CHILD, OTHERS], ids=["trained", "reselect", "child", "others"])
def test_canonical_words_depend_on_what_is_said_and_not_on_spaces(text: str) -> None:
    words, canonical = words_of(text), re.sub("#.*", "", arranged(text)).split()
    for seed in range(20):
        assert arranged(scrawl(words, Random(seed), comments=False)).split() == canonical


@pytest.mark.parametrize("text", [TRAINED, RESELECT, CHILD, OTHERS], ids=["trained", "reselect", "child", "others"])
def test_comments_stay_before_and_beside_the_lines_where_they_stood(text: str) -> None:
    bare = re.sub(" *#.*", "", text).replace("{ ", "{\n").replace(" }", "\n}")
    lines = [line.split() for line in arranged(bare).split("\n") if line]
    noted = [note for i, line in enumerate(lines) for note in (f"# above {i}", f"{' '.join(line)} # beside {i}")]
    found = [line.split() for line in arranged("\n".join(noted)).split("\n") if line]
    assert found == [line.split() for line in noted]


def test_a_file_that_does_not_parse_has_no_canonical_form_and_says_why() -> None:
    notes = Diagnostics()
    assert arrange(Source("a.mix", "selct {\n}\n"), notes) is None
    assert [d.code for d in notes][:1] == ["MIX0102"]


def test_lines_are_broken_at_a_hundred_columns_and_not_before() -> None:
    for length in range(60, 90):
        text = f'param a = ["{"x" * length}", "yyyyyyy"]\n'
        lines = arranged(text).split("\n")
        assert (len(lines) > 2) == (len(text) - 1 > 100)
        assert max(map(len, lines)) <= 100


def test_wide_letters_take_two_columns() -> None:
    assert [columns(text) for text in ("abc", "数学", "é", "")] == [3, 4, 1, 0]
    assert arranged('param a = "数学" # one\nparam bb = "ab" # two\n') == 'param a  = "数学"  # one\nparam bb = "ab"    # two\n'
