"""The Pygments lexer, held against the parser on every spec of the repository."""

import pytest
from mixc.compiler.syntax.blocks import HEADS, keywords
from mixc.grammar.pygments import SETTINGS, MixLexer
from mixc.tests.editors.meaning import ROOT, meanings, read, specs
from pygments.token import Comment, Keyword, Name, Number, Operator, String, Token

KINDS = {
    "comment": (Comment,),
    "string": (String,),
    "number": (Number,),
    "quantile": (Number,),
    "param": (Number, Name.Variable),
    "keyword": (Keyword, Operator.Word),
    "name": (Name,),
}


@pytest.mark.parametrize("path", specs(), ids=lambda p: str(p.relative_to(ROOT)))
def test_every_word_is_coloured_as_the_parser_reads_it(path) -> None:
    text = read(path)
    starts = {}
    for start, kind, value in MixLexer().get_tokens_unprocessed(text):
        starts.update(dict.fromkeys(range(start, start + len(value)), kind))
    wrong = [
        f"line {text[:start].count(chr(10)) + 1}: {text[start:end]!r} is a {kind}, coloured {starts.get(start)}"
        for start, end, kind in meanings(text)
        if not any(starts.get(start, Token) in kinds for kinds in KINDS[kind])
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", sorted((ROOT / "tests" / "errors").glob("*.mix")), ids=lambda p: p.stem)
def test_no_character_is_lost(path) -> None:
    text = path.read_text(encoding="utf-8", errors="replace")
    assert "".join(value for _, _, value in MixLexer().get_tokens_unprocessed(text)) == text


def test_it_knows_every_setting_of_the_grammar() -> None:
    for kind in HEADS.keys() - {"select"}:
        assert set(SETTINGS[kind]) == keywords(kind) - {"remove"}, kind
