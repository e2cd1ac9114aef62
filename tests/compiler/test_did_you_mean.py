"""Every name that can be misspelt has its suggestion, and what is near to nothing has none."""

import itertools
import json

import pytest
from mixc.cli.fix import apply
from mixc.compiler.driver import compile
from mixc.compiler.semantics.catalogue import SCORERS
from mixc.compiler.semantics.inputs import Inputs
from mixc.compiler.source import Source
from mixc.compiler.suggest import distance, nearest, suggest, sure

HEAD = """\
mix "m" { seed 1 }
param window = 4
student smollm { model "x/y" }
corpus rows {
  scan      "rows.jsonl"
  prompt    question
  response  answer
  reference gold
  teacher   model
}
teacher tutor from rows where model == "a"
skills t {
  tree "tree.json"
  tag  by column topic
}
score length = tokens(student: smollm)
"""
COLUMNS = dict.fromkeys(("question", "answer", "gold", "model", "topic", "difficulty"), "text")
TREE = '{"name": "r", "children": [{"name": "Algebra"}, {"name": "Geometry"}]}'
INPUTS = Inputs(
    {"tree.json": TREE, "base.mix": HEAD + "select {\n  where length <= 4 tokens\n  keep best 1 per prompt by length\n}\n"},
    {"rows.jsonl": COLUMNS},
    {"rows.jsonl": True, "b.jsonl": True},
)


def helps(text: str, **more) -> list[str]:
    inputs = Inputs(INPUTS.texts, INPUTS.columns, INPUTS.present, **more)
    return [d.help or "" for d in compile(Source("a.mix", text), inputs).notes]


def select(clause: str) -> str:
    return f"select {{\n  {clause}\n}}\n"


CASES = [
    ("corpsu c {\n}", "corpus"),
    ("scor x = tokens()", "score"),
    ("decontaminat none because \"x\"", "decontaminate"),
    ("corpus c {\n  promt question\n}", "prompt"),
    ("corpus c {\n  respnose question\n}", "response"),
    ("student u {\n  dtpye bf16\n}", "dtype"),
    ("train smollm {\n  learningrate 1e-5\n}", "learning_rate"),
    ("train smollm {\n  epohcs 1\n}", "epochs"),
    ("evaluate {\n  bencmark g \"b.jsonl\"\n}", "benchmark"),
    (select("quotta skill \"Algebra\" >= 5%"), "quota"),
    (select("maximise length"), "maximize"),
    (select("keep bset 1 per prompt by length"), "best"),
    (select("quota skil \"Algebra\" >= 5%"), "skill"),
    (select("budget 3 exmaples"), "examples"),
    (select("where length <= 3 token"), "tokens"),
    ("score x = local_logprobs()", "local_logprob"),
    ("score x = verify_maths(reference)", "verify_math"),
    ("score x = local_logprob(windw: 3 steps)", "window"),
    ("score x = local_logprob(split: sentense)", "sentence"),
    ("score x = local_logprob(debias: drop_frist)", "drop_first"),
    ("score x = local_logprob(student: smolm)", "smollm"),
    ("score x = column(dificulty)", "difficulty"),
    ("score x = column(difficulty, unit: tokns)", "tokens"),
    ("score x = verify_math(refrence)", "reference"),
    ("score x = local_logprob(window: $windw steps)", "$window"),
    ("teacher u from row where model == \"b\"", "rows"),
    ("teacher u from rows where modle == \"b\"", "model"),
    ("student u {\n  model \"x\"\n  dtype bf61\n}", "bf16"),
    ("train smolm {\n  epochs 1\n}", "smollm"),
    ("train smollm {\n  epochs 1\n  format skil_aware\n}", "skill_aware"),
    ("train smollm {\n  epochs 1\n  method ful\n}", "full"),
    ("profile smolml {\n  attempts 1 per prompt\n}", "smollm"),
    ("evaluate {\n  heldout rwos where model == \"a\"\n}", "rows"),
    ("evaluate {\n  baseline randm\n}", "random"),
    ("teacher g generate {\n  model \"x\"\n  prompts from rosw\n}", "rows"),
    ("dedup by exat of prompt", "exact"),
    ("dedup by exact of promt", "prompt"),
    ("dedup by minhash(treshold: 0.8) of response", "threshold"),
    ("decontaminate against \"b.jsonl\" by 8-grams of repsonse", "response"),
    (select("where lenght <= 3 tokens"), "length"),
    (select("where length >= p20 within techer"), "teacher"),
    (select("where length >= p20 within dificulty"), "difficulty"),
    (select("where rank(length) within promt <= 2"), "prompt"),
    (select("quota skill \"Algerba\" >= 5%"), "Algebra"),
    (select("quota teacher tuter <= 40%"), "tutor"),
    (select("quota column dificulty \"x\" <= 40%"), "difficulty"),
    (select("quota skill weaknes"), "weakness"),
    (select("quota skill weakness(max_wieght: 3)\n  budget 3 examples"), "max_weight"),
    (select("count tokens by lenght"), "length"),
    ("test \"t\" {\n  given \"b.jsonl\"\n  expect seleted == 3 examples\n}", "selected"),
    ("test \"t\" {\n  given \"b.jsonl\"\n  expect eror MIX0401\n}", "error"),
    ("test \"t\" {\n  given \"b.jsonl\"\n  expect error MIX0410a\n}", "MIX0410"),
    ("test \"t\" {\n  given \"b.jsonl\"\n  expect teacher tuter == 3 examples\n}", "tutor"),
    ("sweep windw in [1, 2]", "window"),
    ("require licence in [\"MIT\"]", "license"),
    ("profile smollm {\n  grade verify_mth(reference)\n}", "verify_math"),
    ("train smollm {\n  epochs 1\n  method lora(rnak: 8)\n}", "rank"),
    ("train smollm {\n  epochs 1\n  method lora(8, aplha: 8)\n}", "alpha"),
    ("train smollm {\n  epochs 1\n  method lora(drop_out: 0.1)\n}", "dropout"),
    ("train smollm {\n  epochs 1\n  schedule cosin\n}", "cosine"),
    ("train smollm {\n  epochs 1\n  report wanbd\n}", "wandb"),
    ("train smollm {\n  epochs 1\n  report [wandb, tensorbord]\n}", "tensorboard"),
    ("train smollm {\n  epochs 1\n  report \"trakio\"\n}", "trackio"),
    ("train smollm {\n  epochs 1\n  weight lenght\n}", "length"),
    ("evaluate {\n  baseline lenght\n}", "length"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "word"), CASES, ids=[c[0].replace("\n", " ") for c in CASES])
def test_a_misspelt_name_has_its_suggestion(text: str, word: str) -> None:
    assert f"`{word}`?" in " ".join(helps(HEAD + text)), helps(HEAD + text)


@pytest.mark.parametrize(("text", "word"), CASES, ids=[c[0].replace("\n", " ") for c in CASES])
def test_what_alone_is_near_is_also_an_edit_that_mends_it(text: str, word: str) -> None:
    found = compile(Source("a.mix", HEAD + text), INPUTS).notes
    (told,) = [d for d in found if d.help and f"`{word}`?" in d.help]
    fixed = compile(Source("a.mix", apply(HEAD + text, told.edits)), INPUTS).notes
    mended = (told.code, told.message) not in [(d.code, d.message) for d in fixed]
    assert mended == bool(told.edits) == ("local_logprobs" not in text and "MIX0410a" not in text)  # near to several


@pytest.mark.parametrize(
    ("child", "word"),
    [
        ("remove score lenght", "length"),
        ("remove teacher tuter", "tutor"),
        ("student smollm {\n  remove modle\n}", "model"),
        ("select {\n  remove where lenght <= 4 tokens\n}", "where length <= 4 tokens"),
    ],
)
def test_a_misspelt_name_of_a_parent_has_its_suggestion(child: str, word: str) -> None:
    assert f"`{word}`" in " ".join(helps(f'extends "base.mix"\n{child}\n'))


WRONG_TAGS = [
    ("tag  by colum topic", "column"),
    ("tag  by column topci", "topic"),
    ("tag  by column \"topci\"", "topic"),
    ("tag  by keyword \"words.json\"", "keywords"),
    ("tag  by embeding(model: \"a/b\")", "embedding"),
    ("tag  by embedding(modle: \"a/b\")", "model"),
    ("tag  by llm(Model: \"a/b\")", "model"),
]


@pytest.mark.parametrize(("wrong", "word"), WRONG_TAGS)
def test_a_misspelt_tag_has_its_suggestion(wrong: str, word: str) -> None:
    text = HEAD.replace("tag  by column topic", wrong)
    (told,) = [d for d in compile(Source("a.mix", text), INPUTS).notes if d.help == f"did you mean `{word}`?"]
    assert word in apply(text, told.edits).partition("tag  by")[2].partition("\n")[0]


def test_a_misspelt_skill_of_a_file_has_its_suggestion_but_no_edit_of_the_spec() -> None:
    text = HEAD.replace("tag  by column topic", "tag  by keywords \"words.json\"") + "profile smollm from \"profile.json\"\n"
    files = {"words.json": {"Algerba": ["x"]}, "profile.json": {"skills": {"Algerba": {"attempts": 2, "correct": 1}}}}
    inputs = Inputs({**INPUTS.texts, **{name: json.dumps(file) for name, file in files.items()}}, INPUTS.columns, INPUTS.present)
    words, profile = (d for d in compile(Source("a.mix", text), inputs).notes if d.code in ("MIX0201", "MIX0312"))
    assert (words.help, words.edits) == ("did you mean `Algebra`?", ())
    assert (profile.notes, profile.edits) == (("`Algerba`, did you mean `Algebra`?",), ())


def test_a_misspelt_licence_of_a_corpus_has_its_suggestion() -> None:
    text = HEAD.replace("  teacher   model\n", "  teacher   model\n  license   \"Apache2.0\"\n") + "require license in [\"Apache-2.0\", \"MIT\"]\n"
    (told,) = [d for d in compile(Source("a.mix", text), INPUTS).notes if d.code == "MIX0406"]
    assert told.help == "did you mean `license \"Apache-2.0\"`?"
    assert "license   \"Apache-2.0\"\n" in apply(text, told.edits)


def test_a_misspelt_column_of_a_corpus_has_its_suggestion() -> None:
    assert "did you mean `question`?" in helps(HEAD.replace("question", "qestion"))


def test_a_misspelt_param_of_the_command_line_has_its_suggestion() -> None:
    assert helps(HEAD, overrides=(("windw", "5"),)) == ["did you mean `--set window=5`?"]


@pytest.mark.parametrize("scorer", SCORERS)
def test_every_scorer_is_found_with_two_letters_swapped_or_one_left_out(scorer: str) -> None:
    for i in range(1, len(scorer) - 1):
        swapped = scorer[:i] + scorer[i + 1] + scorer[i] + scorer[i + 2 :]
        assert scorer in nearest(swapped, SCORERS)
        assert scorer in nearest(scorer[:i] + scorer[i + 1 :], SCORERS)


@pytest.mark.parametrize(
    ("name", "known", "near"),
    [
        ("Prompt", ("prompt", "prompts"), "prompt"),
        ("maxLength", ("max_length",), "max_length"),
        ("max-length", ("max_length",), "max_length"),
        ("lenght", ("length",), "length"),
        ("temp", ("temperature", "tree"), "temperature"),
        ("x", ("y", "z"), None),
        ("ab", ("xy",), None),
        ("frobnicate", ("correct", "length"), None),
        ("", ("a",), None),
        ("a" * 100_000, ("a" * 100_001,), None),
    ],
)
def test_the_nearest_is_the_same_but_for_case_or_near_in_edits_or_begun(name: str, known: tuple[str, ...], near: str | None) -> None:
    assert suggest(name, known) == near


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("lenght", ("length", "level"), "length"),
        ("Length", ("length",), "length"),
        ("temp", ("temperature",), None),
        ("score_c", ("score_a", "score_b"), None),
        ("x", ("y",), None),
    ],
)
def test_a_machine_may_write_what_alone_is_near(name: str, known: tuple[str, ...], meant: str | None) -> None:
    assert sure(name, known) == meant


def test_what_is_near_lies_within_a_third_of_the_name() -> None:
    words = ["".join(w) for w in itertools.product("ab", repeat=5)]
    for word in words:
        for near in nearest(f"{word}c", words):
            assert distance(f"{word}c", near) <= 2


def test_distance_counts_a_swap_of_neighbours_once() -> None:
    assert [distance(a, b) for a, b in (("ab", "ba"), ("abc", "abc"), ("", "abc"), ("kitten", "sitting"))] == [1, 0, 3, 3]
