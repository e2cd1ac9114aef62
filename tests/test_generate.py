"""Teachers that have yet to answer, from the command line: generated, graded, selected and explained, asked once ever."""

import gc
import json
import os
import re
import signal
import subprocess
import threading
from pathlib import Path

import polars as pl
import pytest
from mixc.runtime.engines.students import Students
from mixc.tests.cli.program import arguments, environment
from mixc.tests.cli.running import Run, runner
from mixc.tests.compiling import RUN as GOLDENS
from mixc.tests.compiling import messages_of, told
from mixc.tests.runtime.served import completion, served
from mixc.tests.runtime.sums import answer, spec, sums
from mixc.tests.runtime.tiny import make_tiny_student

pytest.importorskip("httpx2")
pytest.importorskip("math_verify")
SECRET = "sk-planted-4f1c"
ASKED = [f"p{i:03}" for i in range(10) if i % 6 < 5]


@pytest.fixture
def mixc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    sums(tmp_path)
    return runner(tmp_path, monkeypatch, capsys)


def ledger(folder: str = "build/sums") -> pl.DataFrame:
    return pl.read_parquet(f"{folder}/ledger.parquet")


def digests(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in ("ledger.parquet", "selected.parquet", "train.jsonl", "teachers.json")}


def test_answers_are_graded_selected_and_explained_and_the_second_build_asks_nothing(mixc: Run) -> None:
    with served(answer) as server:
        Path("sums.mix").write_text(spec(server.url, '  key "TUTOR"'))
        code, said, _ = mixc("plan", "sums.mix")
        assert code == 0 and "36 to answer (9 prompts x 4" in said and "<=3,600 tokens written by writer" in " ".join(said.split())
        assert "not known before 36 answers are written" in said and server.asked == []
        code, _, errors = mixc("build", "sums.mix")
        assert code == 0, errors
        assert len(server.asked) == 36 and {body["messages"][0]["content"].split()[2] for body in server.asked} == {str(i) for i in range(10) if i % 6 < 5}
        first = digests(Path("build/sums"))
        assert mixc("build", "sums.mix")[0] == 0 and len(server.asked) == 36 and digests(Path("build/sums")) == first
        code, said, _ = mixc("plan", "sums.mix")
        assert code == 0 and "up to date" in said and "no model has anything to do" in said
    rows = ledger()
    written = rows.filter(pl.col("teacher") == "writer")
    assert set(written["prompt_id"]) == set(ASKED) and rows["row_id"].is_unique().all()
    cut = written.filter(pl.col("reason") == "teachers: cut at max_tokens")
    assert cut.height and cut["right"].null_count() == cut.height
    assert written["good"].null_count() == written.height, "what a column says of the human's response says nothing of this one"
    kinds = {f"p{i:03}": ["odd" if i % 2 else "even"] for i in range(10)}
    candidates = written.filter(pl.col("reason") != "teachers: cut at max_tokens")
    assert all(row["skills"] == kinds[row["prompt_id"]] for row in candidates.iter_rows(named=True))
    selected = pl.read_parquet("build/sums/selected.parquet")
    assert set(selected["teacher"]) == {"human", "writer"} and selected["right"].all()
    for row in selected.filter(pl.col("teacher") == "writer").iter_rows(named=True):
        assert row["reference"] in row["response"] and row["prompt"].startswith("What is")
    wrong = written.filter(~pl.col("right"))["row_id"][0]
    code, said, _ = mixc("why", "build/sums", wrong)
    assert code == 0 and "where right" in said and "dropped" in said
    manifest = json.loads(Path("build/sums/manifest.json").read_text())
    assert manifest["models"]["teacher writer"] == {"model": "big-model", "endpoint": server.url}
    counts = manifest["counts"]["evidence"]["teachers"]["writer"]
    assert (counts["prompts"], counts["answers"], counts["from_the_store"], counts["unanswered"]) == (9, 36, 36, {})
    assert written.height == counts["answers"] - counts["alike"] and cut.height <= counts["cut"]


def test_a_row_id_is_that_of_an_answer_that_a_corpus_holds(mixc: Run) -> None:
    with served(answer) as server:
        Path("sums.mix").write_text(spec(server.url))
        assert mixc("build", "sums.mix")[0] == 0
    found = pl.read_parquet("build/sums/selected.parquet").filter(pl.col("teacher") == "writer").sort("row_id")
    Path("copy.jsonl").write_text("".join(json.dumps(r) + "\n" for r in found.select(pid="prompt_id", q="prompt", a="response", t="teacher").iter_rows(named=True)))
    Path("copy.mix").write_text('mix "copy" { seed 1 }\ncorpus c {\n  scan "copy.jsonl"\n  id pid\n  prompt q\n  response a\n  teacher t\n}\ndecontaminate none because "x"\n')
    assert mixc("build", "copy.mix")[0] == 0
    assert ledger("build/copy")["row_id"].to_list() == found["row_id"].to_list()


def test_the_key_is_in_no_file_and_no_message(mixc: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TUTOR", SECRET)
    said = []
    with served(answer) as server:
        Path("sums.mix").write_text(spec(server.url, '  key "TUTOR"'))
        for words in (("-v", "build", "sums.mix"), ("plan", "sums.mix", "--format", "json"), ("check", "sums.mix")):
            code, out, errors = mixc(*words)
            assert code == 0, errors
            said += [out, errors]
        assert {one["Authorization"] for one in server.headers} == {f"Bearer {SECRET}"}
    with served(lambda _: (401, {}, f"no such key: {SECRET}")) as server:
        Path("sums.mix").write_text(spec(server.url, '  key "TUTOR"'))
        code, out, errors = mixc("-v", "build", "sums.mix")
        assert code == 4 and "error[MIX0531]" in errors
        said += [out, errors]
    held = [path for path in tmp_path.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
    assert not held and SECRET not in "".join(said)


def test_an_endpoint_that_fails_is_told_at_the_teacher(mixc: Run, golden) -> None:
    with served(lambda _: (404, {}, "{}")) as server:
        Path("sums.mix").write_text(spec(server.url))
        code, _, errors = mixc("build", "sums.mix")
        assert code == 4 and not Path("build/sums/ledger.parquet").exists()
        golden(GOLDENS / "MIX0531.txt", told(errors).replace(server.url, "http://localhost:8000/v1"))


def test_a_prompt_that_gets_no_answer_is_counted_and_asked_again(mixc: Run) -> None:
    down = {"at": "What is 2 + 14?"}

    def sometimes(body):
        asked = body["messages"][0]["content"]
        return (400, {}, "too long") if asked == down["at"] else completion(None, refusal="no") if asked == "What is 3 + 21?" else answer(body)

    with served(sometimes) as server:
        Path("sums.mix").write_text(spec(server.url))
        code, _, errors = mixc("build", "sums.mix")
        assert code == 0 and "`writer` gave no answer 4 times: 400: too long" in errors and "4 times: the model refused to answer" in errors
        lost = ledger().filter(pl.col("reason") == "teachers: no answer")
        assert sorted(lost["prompt_id"]) == ["p002", "p003"] and set(lost["teacher"]) == {"writer"}
        before, down["at"] = len(server.asked), ""
        assert mixc("build", "sums.mix")[0] == 0
        assert len(server.asked) == before + 8
        assert ledger().filter(pl.col("reason") == "teachers: no answer")["prompt_id"].to_list() == ["p003"]


def test_more_samples_ask_for_those_alone_and_another_recipe_for_none(mixc: Run) -> None:
    with served(answer) as server:
        text = spec(server.url)
        Path("sums.mix").write_text(text)
        assert mixc("build", "sums.mix")[0] == 0
        Path("more.mix").write_text(text.replace("samples     4", "samples     6").replace('mix "sums"', 'mix "more"'))
        assert mixc("build", "more.mix")[0] == 0 and len(server.asked) == 54
        Path("other.mix").write_text(text.replace("keep  at most 2", "keep  at most 1").replace('mix "sums"', 'mix "other"'))
        assert mixc("build", "other.mix")[0] == 0 and len(server.asked) == 54


def test_prompts_alone_are_a_corpus_where_a_teacher_answers_them(mixc: Run) -> None:
    sums(Path(), model=None, solution=None)
    plain = spec("URL").replace('teacher human from sums where model == "human"\n', "").replace("  quota teacher writer <= 90%\n", "")
    with served(answer) as server:
        Path("sums.mix").write_text(plain.replace("URL", server.url))
        code, _, errors = mixc("build", "sums.mix")
        assert code == 0, errors
    assert set(pl.read_parquet("build/sums/selected.parquet")["teacher"]) == {"writer"}
    start = plain.index("teacher writer generate")
    Path("sums.mix").write_text(plain[:start] + plain[plain.index("skills kinds") :])
    code, _, errors = mixc("build", "sums.mix")
    assert code == 4 and "error[MIX0503]: the corpus `sums` has no row with both a prompt and a response" in errors


def test_rows_in_parts_come_to_the_same_and_nothing_is_left_behind(mixc: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(answer) as server:
        Path("sums.mix").write_text(spec(server.url))
        assert mixc("build", "sums.mix")[0] == 0
        whole = digests(Path("build/sums"))
        monkeypatch.setattr("mixc.runtime.rows.MOST", 8)
        assert mixc("build", "sums.mix")[0] == 0 and digests(Path("build/sums")) == whole
    gc.collect()
    assert not list((tmp_path / ".mixc" / "scratch").rglob("*.parquet"))


def test_difficulty_is_the_share_of_its_answers_that_are_right(mixc: Run) -> None:
    with served(answer) as server:
        Path("sums.mix").write_text(spec(server.url).replace("  where right\n", "  where right and passed < 1\n").replace("score good", "score passed = pass_rate()\nscore good"))
        code, _, errors = mixc("build", "sums.mix")
        assert code == 0, errors
    rows = ledger().filter(~pl.col("reason").fill_null("").str.starts_with("teachers: ") & ~pl.col("reason").fill_null("").str.starts_with("scan: "))
    for (prompt,), part in rows.group_by("prompt_id"):
        assert part["passed"].drop_nulls().unique().to_list() in ([], [part["right"].mean()]), prompt


def test_a_condition_that_no_prompt_passes_is_told(mixc: Run) -> None:
    with served(answer) as server:
        Path("sums.mix").write_text(spec(server.url).replace("level < 5", "level > 50"))
        code, _, errors = mixc("build", "sums.mix")
        assert code == 4 and "error[MIX0503]: the corpus `sums` has no prompt with `where level > 50`" in errors and server.asked == []


def test_a_test_of_a_recipe_takes_the_answers_from_its_rows_and_asks_nobody(mixc: Run) -> None:
    row = {"pid": "a", "question": "What is 1 + 1?", "answer": "2", "kind": "odd", "level": 1, "good": None, "note": ""}
    rows = [row | {"model": "writer", "solution": "It is 2."}, row | {"model": "writer", "solution": "It is 3."}, row | {"model": "human", "solution": "So 2."}]
    Path("rows.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    wanted = 'test "t" {\n  given "rows.jsonl"\n  expect selected == 2 examples\n}\n'
    with served(answer) as server:
        Path("sums.mix").write_text(spec(server.url).replace("<= 90%", "<= 100%") + wanted)
        code, said, errors = mixc("test", "sums.mix")
        assert code == 0 and server.asked == [], said + errors


def test_what_the_end_of_a_build_lacks_is_told_before_anybody_is_asked(mixc: Run, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    make_tiny_student(tmp_path / "bare", chat_template=False)
    make_tiny_student(tmp_path / "tiny")
    Path("bench.jsonl").write_text('{"problem": "What is 1 + 1?"}\n')
    student = 'student s {\n  model "./%s"\n  dtype fp32\n}\n'
    cases = {
        "MIX0507": student % "bare" + "score natural = global_logprob(student: s)\n",
        "MIX0511": student % "tiny" + 'train s { steps 1 }\nevaluate {\n  benchmark exam "bench.jsonl" samples 1\n}\n',
    }
    for code, more in cases.items():
        with served(answer) as server:
            Path("sums.mix").write_text(spec(server.url) + more)
            ended, _, errors = mixc("build", "sums.mix")
            assert ended == 4 and f"error[{code}]" in errors, errors
            assert server.asked == []


def test_a_build_that_was_killed_goes_on(mixc: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sums(tmp_path, 150)
    enough, go_on = threading.Event(), threading.Event()
    seen: list[int] = []

    def slow(body):
        seen.append(1)
        if len(seen) > 200:  # three chunks of 16, 32 and 64, and a part of the next
            enough.set()
            go_on.wait(60)
        return answer(body)

    with served(slow) as server:
        Path("sums.mix").write_text(spec(server.url))
        quiet = {name: "" for name in os.environ if "proxy" in name.lower()}
        process = subprocess.Popen(arguments("build", "sums.mix"), cwd=tmp_path, env=environment(**quiet), stderr=subprocess.PIPE)
        assert enough.wait(120)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        go_on.set()
        asked = len(server.asked)
        code, _, errors = mixc("build", "sums.mix")
        assert code == 0, errors
        total = 4 * sum(i % 6 < 5 for i in range(150))
        assert total - 200 <= len(server.asked) - asked <= total - 112, "the chunks that were stored are not asked again"
        resumed = digests(Path("build/sums"))
        monkeypatch.setenv("MIXC_HOME", str(tmp_path / "fresh"))
        assert mixc("build", "sums.mix")[0] == 0
        assert digests(Path("build/sums")) == resumed


def test_a_model_of_this_machine_answers_and_is_let_go(mixc: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    make_tiny_student(tmp_path / "tiny")
    let_go: list[str] = []
    release = Students.release
    monkeypatch.setattr(Students, "release", lambda self, model: (let_go.append(model.student), release(self, model))[1])
    local = spec("URL").replace('  endpoint    "URL"', "  dtype       fp32").replace('"big-model"', '"./tiny"').replace("100 tokens", "20 tokens").replace("  where right\n", "")
    Path("sums.mix").write_text(local)
    code, said, _ = mixc("plan", "sums.mix")
    assert code == 0 and "<=720 tokens written by writer (fp32)" in " ".join(said.split())
    code, _, errors = mixc("build", "sums.mix")
    assert code == 0, errors
    written = ledger().filter(pl.col("teacher") == "writer")
    assert 9 <= written.height <= 36 and set(written["prompt_id"]) == set(ASKED)
    assert let_go == ["writer"]
    first = digests(Path("build/sums"))
    assert mixc("build", "sums.mix")[0] == 0 and digests(Path("build/sums")) == first
    manifest = json.loads(Path("build/sums/manifest.json").read_text())
    assert manifest["models"]["teacher writer"]["dtype"] == "fp32"
    code, said, _ = mixc("plan", "sums.mix")
    assert code == 0 and "no model has anything to do" in said and "up to date" in said
    make_tiny_student(tmp_path / "tiny", seed=1)
    code, said, _ = mixc("plan", "sums.mix", "--exit-code")
    assert code == 2 and "the files of teacher `writer` have changed" in " ".join(said.split())


def test_the_spec_on_the_page_is_checked(tmp_path: Path) -> None:
    page = (Path(__file__).parents[1] / "docs" / "teachers.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```mix\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    row = {"question": "q", "solution": "s", "answer": "4", "model": "terse", "split": "train"}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    (tmp_path / "page.mix").write_text(shown)
    assert "error[" not in messages_of(tmp_path, "page.mix") and "MIX0410" not in messages_of(tmp_path, "page.mix")


@pytest.mark.vllm
def test_vllm_answers_as_a_teacher(mixc: Run, tmp_path: Path) -> None:
    make_tiny_student(tmp_path / "tiny", arch="wide")
    local = spec("URL").replace('  endpoint    "URL"', "  dtype       fp32").replace('"big-model"', '"./tiny"').replace("100 tokens", "20 tokens").replace("  where right\n", "")
    Path("sums.mix").write_text(local)
    code, _, errors = mixc("build", "sums.mix", "--engine", "vllm", "--until", "teachers")
    assert code == 0, errors
    code, said, _ = mixc("plan", "sums.mix")
    assert code == 0 and "no model has anything to do" in said, "another engine's answers are taken where they are no comparison"
