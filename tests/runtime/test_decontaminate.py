"""Decontamination against an independent, naive reading of its definition, on made and on real prompts."""

import gzip
import json
import os
import unicodedata
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mixc.compiler.diagnostics import Fault
from mixc.compiler.plan.stages import Decontaminate, Roles, Scan
from mixc.compiler.source import Span
from mixc.runtime.datasets import read
from mixc.runtime.decontaminate import decontaminate as decontaminated
from mixc.runtime.events import ignore
from mixc.runtime.texts import Texts

SPAN = Span("a.mix", 0, 5)


def decontaminate(made, rows, watch):
    return decontaminated(made, rows, Texts(), watch)[0]


def stage(*against, words=3, of="prompt", **more):
    return Decontaminate(id="decontaminate", inputs=(), against=tuple(map(str, against)), words=words, of=of, text="decontaminate D", span=SPAN, **more)


def bench(path, *texts, field="problem"):
    path.write_text("".join(json.dumps({field: t}) + "\n" for t in texts), encoding="utf-8")
    return path


def frame(*rows):
    table = [(f"{i:02}", prompt_id, prompt, response, None) for i, (prompt_id, prompt, response) in enumerate(rows)]
    return pl.DataFrame(table, schema=dict.fromkeys(("row_id", "prompt_id", "prompt", "response", "reason"), pl.String), orient="row")


def naive_words(text):
    words, word = [], ""
    for character in unicodedata.normalize("NFKC", text).lower() + " ":
        if character.isalnum():
            word += character
        elif word:
            words.append(word)
            word = ""
    return tuple(words)


def naive_hits(text, benchmark, n):
    words = naive_words(text)
    if len(words) < n:
        return bool(words) and any(words == naive_words(b) for b in benchmark)
    grams = {words[i : i + n] for i in range(len(words) - n + 1)}
    return any(grams & {w[i : i + n] for i in range(len(w) - n + 1)} for b in benchmark if (w := naive_words(b)))


texts = st.text("ab1 .-_ﬁB½İß\n", max_size=14)


@settings(max_examples=300, deadline=None)
@given(st.lists(texts, max_size=4), st.lists(texts, min_size=1, max_size=4), st.integers(1, 4))
def test_it_finds_what_the_definition_says(tmp_path_factory, prompts, benchmark, n):
    path = bench(tmp_path_factory.mktemp("bench") / "b.jsonl", *benchmark)
    rows = frame(*((str(i), p, "r") for i, p in enumerate(prompts)))
    found = decontaminate(stage(path, words=n), rows, ignore)["reason"].to_list()
    assert [r is not None for r in found] == [naive_hits(p, benchmark, n) for p in prompts]


def test_the_reason_shows_the_words_and_where_they_stand(tmp_path):
    bench(tmp_path / "mawps.jsonl", "nothing here at all", "Joan found 70 Seashells, today!")
    rows = frame(("p", "yesterday joan FOUND: 70 things", "x"), ("q", "clean words only", "y"))
    [shared, clean] = decontaminate(stage(tmp_path / "*.jsonl"), rows, ignore)["reason"]
    assert shared == 'decontaminate D: shares "joan found 70" with mawps.jsonl:2'
    assert clean is None


def test_a_text_shorter_than_n_words_must_be_equal(tmp_path):
    path = bench(tmp_path / "b.jsonl", "two plus", "one two three four")
    rows = frame(("a", "Two, plus!", ""), ("b", "two", ""), ("c", "two plus two", ""), ("d", "one two", ""))
    reasons = decontaminate(stage(path), rows, ignore)["reason"].to_list()
    assert reasons == ['decontaminate D: has the same words as b.jsonl:1: "two plus"', None, None, None]


def test_all_rows_of_a_contaminated_prompt_drop_with_the_evidence(tmp_path):
    path = bench(tmp_path / "b.jsonl", "the answer is forty two")
    rows = frame(("p", "x", "fine"), ("p", "x", "so the answer is 7"), ("q", "y", "fine"))
    reasons = decontaminate(stage(path, of="response"), rows, ignore)["reason"].to_list()
    shared = 'shares "the answer is" with b.jsonl:1'
    assert reasons == [f"decontaminate D: row 01 of this prompt {shared}", f"decontaminate D: {shared}", None]


def test_rows_that_are_already_out_keep_their_reason_and_take_no_prompt_with_them(tmp_path):
    path = bench(tmp_path / "b.jsonl", "the answer is")
    rows = frame(("p", "x", "the answer is"), ("p", "x", "fine")).with_columns(reason=pl.Series(["scan: gone", None]))
    assert decontaminate(stage(path, of="response"), rows, ignore)["reason"].to_list() == ["scan: gone", None]


def test_the_field_is_the_named_one_else_the_first_of_the_usual(tmp_path):
    rows = frame(("p", "one two three", ""))
    path = tmp_path / "b.jsonl"
    path.write_text(json.dumps({"question": "one two three", "prompt": None, "body": "no no no"}) + "\n")
    assert decontaminate(stage(path), rows, ignore)["reason"][0]
    assert decontaminate(stage(path, field="body"), rows, ignore)["reason"][0] is None


@pytest.mark.parametrize("name", ["b.jsonl", "b.jsonl.gz", "b.parquet"])
def test_every_format_is_read(tmp_path, name):
    path = tmp_path / name
    data = b'{"question": "a"}\n{"question": "one two three"}\n'
    if name.endswith("parquet"):
        pl.DataFrame({"question": ["a", "one two three"]}).write_parquet(path)
    else:
        path.write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    reason = decontaminate(stage(path), frame(("p", "one two three", "")), ignore)["reason"][0]
    assert reason == f'decontaminate D: shares "one two three" with {name}:2'


def test_a_benchmark_that_says_nothing_is_a_fault(tmp_path):
    cases = {"empty.jsonl": b"\n", "bad.jsonl": b"{", "other.jsonl": b'{"text": "x"}', "number.jsonl": b'{"problem": 5}', "bad.parquet": b"PAR1", "list.jsonl": b'["a"]'}
    for name, data in cases.items():
        (tmp_path / name).write_bytes(data)
    pl.DataFrame({"text": ["x"]}).write_parquet(tmp_path / "other.parquet")
    for name in (*cases, "other.parquet", "missing.jsonl", "none*.jsonl"):
        with pytest.raises(Fault) as raised:
            decontaminate(stage(tmp_path / name), frame(), ignore)
        diagnostic = raised.value.diagnostics[0]
        assert (diagnostic.code, diagnostic.primary.span) == ("MIX0511", SPAN)
        assert name in diagnostic.message


def test_a_waiver_does_nothing():
    rows = frame(("p", "x", "y"))
    assert decontaminate(stage(because="they are studied"), rows, ignore).equals(rows)


@pytest.mark.shared
def test_real_prompts_that_overlap_real_benchmarks_are_those_that_a_naive_check_finds(shared):
    roles = Roles(prompt="prompt", response="response", reference="reference_answer", teacher="teacher", id="prompt_id")
    scan = Scan(id="scan:t", corpus="t", path=str(shared / "teachers.parquet"), roles=roles, seed=1, span=SPAN)
    rows = read(scan, ignore)
    notices = []
    result = decontaminate(stage(shared / "bench/*.jsonl", words=8), rows, notices.append)
    lines = [json.loads(line) for path in sorted((shared / "bench").glob("*.jsonl")) for line in path.read_text().splitlines()]
    words = [naive_words(line["problem"]) for line in lines]
    grams = {w[i : i + 8] for w in words for i in range(len(w) - 7)}
    short = {w for w in words if len(w) < 8}
    expected = set()
    for prompt_id, prompt in rows.select("prompt_id", "prompt").unique().iter_rows():
        w = naive_words(prompt)
        if (len(w) < 8 and w in short) or any(w[i : i + 8] in grams for i in range(len(w) - 7)):
            expected.add(prompt_id)
    assert set(result.filter(pl.col("reason").is_not_null())["prompt_id"]) == expected
    assert f"{len(expected):,} of 10,313 prompts" in notices[0].message
    print(notices[0].message)


@pytest.fixture
def shared():
    folder = Path(os.environ.get("MIXC_SHARED") or Path(__file__).parents[3] / "shared/data")
    if not folder.is_dir():
        pytest.skip("the shared data is not here")
    return folder
