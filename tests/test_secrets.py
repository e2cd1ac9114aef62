"""Secrets are planted where a run meets them, in the environment, in what a server echoes, in an address, and looked for in everything that it leaves and says."""

import base64
import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mixc.compiler.secrets import secret_in, veil, veil_line
from mixc.tests.cli.program import mixc as program
from mixc.tests.cli.running import Run, runner
from mixc.tests.project import SCORED, STUDENT, make_project
from mixc.tests.runtime.served import Served, served
from mixc.tests.runtime.sums import answer, spec, sums
from mixc.tests.runtime.tiny import make_tiny_student

KEY = "sk-planted-4f1c-endpoint"
PLANTED = {
    "TUTOR_KEY": KEY,
    "HF_TOKEN": "hf_planted_7b2e_hub",
    "HUGGING_FACE_HUB_TOKEN": "hf_planted_9d3a_old",
    "AWS_ACCESS_KEY_ID": "AKIAPLANTED0C4E",
    "AWS_SECRET_ACCESS_KEY": "planted/c0ffee/of+s3",
    "AWS_SESSION_TOKEN": "planted-session-51ab",
    "WANDB_API_KEY": "planted-wandb-88e1",
    "OPENAI_API_KEY": "sk-planted-d00d-other",
}


@pytest.fixture
def mixc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in PLANTED.items():
        monkeypatch.setenv(name, value)
    return runner(tmp_path, monkeypatch, capsys)


def contents(path: Path) -> Iterator[bytes]:
    """A file as it stands, and what its compression hides."""
    yield path.read_bytes()
    if path.name.endswith(".parquet"):
        frame = pl.read_parquet(path)
        yield "\n".join([*frame.columns, frame.select(pl.struct(pl.all()).struct.json_encode()).to_series().str.join("\n").item() if frame.width else ""]).encode()
    elif path.name.endswith(".gz"):
        yield gzip.decompress(path.read_bytes())


def leaks(folder: Path, said: str, secrets: Iterator[str] | None = None) -> list[str]:
    """Where a secret stands, plain, in base64 or as a url writes it; the files beside the spec that the test itself wrote are no part of it."""
    forms = {form: secret for secret in secrets or PLANTED.values() for form in _forms(secret)}
    found = [f"said: {secret}" for form, secret in forms.items() if form in said.encode()]
    for path in (p for p in sorted(folder.rglob("*")) if p.is_file() and p.suffix != ".mix"):
        held = list(contents(path))
        found += [f"{path.relative_to(folder)}: {secret}" for form, secret in forms.items() if any(form in content for content in held)]
    return found


def _forms(secret: str) -> Iterator[bytes]:
    plain = secret.encode()
    yield plain
    yield base64.b64encode(plain).rstrip(b"=")[:-1]
    yield plain.replace(b"/", b"%2F").replace(b"+", b"%2B")
    yield json.dumps(secret)[1:-1].encode()


def test_the_search_finds_what_is_planted(tmp_path: Path) -> None:
    """Of what is compressed, encoded or written with escapes too; a search that finds nothing would prove nothing."""
    pl.DataFrame({"text": ["a " * 500 + KEY]}).write_parquet(tmp_path / "a.parquet", compression="zstd")
    (tmp_path / "b.gz").write_bytes(gzip.compress(KEY.encode()))
    (tmp_path / "c.txt").write_bytes(base64.b64encode(KEY.encode()))
    (tmp_path / "d.txt").write_text(PLANTED["AWS_SECRET_ACCESS_KEY"].replace("/", "%2F").replace("+", "%2B"))
    assert [found.partition(":")[0] for found in leaks(tmp_path, f"the key {KEY}")] == ["said", "a.parquet", "b.gz", "c.txt", "d.txt"]


@pytest.mark.slow
def test_a_whole_build_leaves_no_secret_in_any_file_or_word(tmp_path: Path) -> None:
    for package in ("torch", "trl", "httpx2", "math_verify", "tensorboard"):
        pytest.importorskip(package)
    make_project(tmp_path, prompts=24)
    make_tiny_student(tmp_path / "tiny", context=1024)
    env = {**PLANTED, "MIXC_HOME": str(tmp_path / "store"), "HF_HUB_OFFLINE": "1"}
    writer = 'teacher writer generate {\n  model       "big"\n  prompts     from rows\n  samples     1\n  max_tokens  60 tokens\n  endpoint    "%s"\n  key         "TUTOR_KEY"\n}\n'
    with served(lambda body: "It is \\boxed{7}, or so I think. That is all.") as server:
        text = STUDENT.replace("skills topics", f"{writer % server.url}\nskills topics").replace("  steps         2\n", "  steps         2\n  save          1 steps\n  report        tensorboard\n")
        (tmp_path / "whole.mix").write_text(text)
        done = program("-v", "build", "whole.mix", cwd=tmp_path, **env)
        assert done.returncode == 0, done.stderr
        assert {one["Authorization"] for one in server.headers} == {f"Bearer {KEY}"}
    said = [done.stdout, done.stderr]
    for words in (("plan", "whole.mix", "--format", "json"), ("plan", "whole.mix", "--format", "polars"), ("cache", "ls"), ("diff", "whole.mix", "build/whole", "--format", "json")):
        done = program("-v", *words, cwd=tmp_path, **env)
        assert done.returncode in (0, 2), done.stderr
        said += [done.stdout, done.stderr]
    assert (tmp_path / "build/whole/model/README.md").is_file() and list((tmp_path / "store").rglob("events.out.tfevents.*"))
    assert leaks(tmp_path, "\n".join(said)) == []


def _escaped(key: str) -> str:
    return "".join(f"\\u{ord(c):04x}" for c in key)


COMPLETION = '{"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "your key is %s"}}]}'
ECHOES = {
    "a status that bars": (401, {}, f"no such key: {KEY}"),
    "an error with a message": (400, {}, json.dumps({"error": {"message": f"bad request, Authorization: Bearer {KEY}"}})),
    "an error with escapes": (400, {}, '{"error": {"message": "key ' + _escaped(KEY) + '"}}'),
    "an error as a page": (422, {"Content-Type": "text/html"}, f"<html><b>{KEY}</b></html>"),
    "an answer": (200, {}, COMPLETION % KEY),
    "an answer with escapes": (200, {}, COMPLETION % _escaped(KEY)),
    "no JSON": (400, {}, f"{KEY} {KEY}"),
    "a way on": (307, {"Location": f"http://localhost:9/{KEY}"}, f"moved to {KEY}"),
}


@pytest.mark.parametrize("case", ECHOES)
def test_a_key_that_a_server_echoes_is_nowhere(mixc: Run, tmp_path: Path, case: str) -> None:
    pytest.importorskip("httpx2")
    sums(tmp_path)
    with served(lambda body: ECHOES[case] if body["seed"] % 4 == 0 or "no answer at all" in case else answer(body)) as server:
        Path("sums.mix").write_text(spec(server.url, '  key "TUTOR_KEY"'))
        some = mixc("-v", "build", "sums.mix")
        assert server.headers[0]["Authorization"] == f"Bearer {KEY}"
    with served(lambda body: ECHOES[case]) as server:
        Path("sums.mix").write_text(spec(server.url, '  key "TUTOR_KEY"'))
        none = mixc("-v", "build", "sums.mix", "--out", "all")
        shown = mixc("build", "sums.mix", "--out", "all", "--format", "json")
    assert none[0] == shown[0] and none[0] in (0, 4)
    assert leaks(tmp_path, "\n".join([*some[1:], *none[1:], *shown[1:]])) == []


@contextmanager
def store_that_refuses() -> Iterator[Served]:
    """A server of objects that refuses every request and says all that it was told, as some do."""
    state = Served(lambda _: None)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.headers.append({name.lower(): value for name, value in self.headers.items()})
            told = " ".join(f"{name}={value}" for name, value in self.headers.items())
            body = f"<Error><Code>AccessDenied</Code><Message>{told} {PLANTED['AWS_SECRET_ACCESS_KEY']}</Message></Error>".encode()
            self.send_response(403)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("pattern", ["s3://bucket/rows.parquet", "s3://bucket/rows.jsonl"])
def test_a_store_of_objects_that_echoes_its_request_is_not_quoted_with_it(mixc: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str) -> None:
    make_project(tmp_path)
    Path("scored.mix").write_text(SCORED.replace("data/*.jsonl", pattern))
    with store_that_refuses() as server:
        for name, value in {"AWS_ENDPOINT_URL": server.url, "AWS_ALLOW_HTTP": "true", "AWS_REGION": "eu-west-1"}.items():
            monkeypatch.setenv(name, value)
        said = [mixc("-v", verb, "scored.mix") for verb in ("plan", "build")]
    assert any(PLANTED["AWS_SESSION_TOKEN"] in one.values() for one in server.headers), "the store was shown the token"
    assert [code for code, _, _ in said] == [4, 4] and all("MIX0501" in errors and "403" in errors for _, _, errors in said)
    assert leaks(tmp_path, "\n".join(text for _, *shown in said for text in shown)) == []


ADDRESSES = (
    "https://me:sesame-4f1c@data.example.org/rows/*.parquet",
    "https://sesame-4f1c@data.example.org/rows.parquet",
    "s3://AKIA:sesame-4f1c@bucket/rows.parquet",
    "https://data.example.org/rows.parquet?token=sesame-4f1c",
    "https://data.example.org/rows.parquet?v=2&X-Amz-Signature=sesame-4f1c",
    "https://account.blob.core.windows.net/c/rows.parquet?sv=2024&sig=sesame-4f1c",
)


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("place", ["scan", "against"])
def test_an_address_with_a_secret_is_an_error_at_its_place_and_is_not_shown(mixc: Run, tmp_path: Path, address: str, place: str) -> None:
    make_project(tmp_path)
    text = SCORED.replace("data/*.jsonl", address)
    if place == "against":
        text = SCORED.replace('none because "nothing is trained"', f'against "{address}" by 8-grams of prompt')
    Path("scored.mix").write_text(text)
    line = text[: text.index(address)].count("\n") + 1
    said = []
    for words in (("check",), ("plan",), ("build", "-v"), ("check", "--format", "json"), ("check", "--format", "sarif"), ("check", "--format", "github")):
        code, out, errors = mixc(words[0], "scored.mix", *words[1:])
        assert code == 1 and "MIX0412" in out + errors
        said += [out, errors]
    assert f"scored.mix:{line}:" in said[1] and "a secret" in said[1]
    assert leaks(tmp_path, "\n".join(said), iter(["sesame-4f1c"])) == [] and not Path("build").exists()


@pytest.mark.parametrize(
    "text",
    ["data/*.parquet", "hf://datasets/org/name@main/a.parquet", "abfss://box@account.dfs.core.windows.net/a", "https://medium.com/@name/post", "https://h/a?v=3&page=2",
     "me:word@host", "s3://bucket/key=1/a.parquet", "https://[::1]:80/a", "what? key=3"],
)  # fmt: skip
def test_what_only_looks_like_a_secret_is_none(text: str) -> None:
    assert secret_in(text) is None and veil(text) == text


def test_a_key_in_a_line_of_a_spec_is_veiled_and_a_variable_is_not() -> None:
    assert veil_line('  key "sk-4f1c" # as it is') == '  key "*******" # as it is'
    assert veil_line('  key "OPENAI_API_KEY"') == '  key "OPENAI_API_KEY"'


@given(st.text(alphabet="ab:/@?&=;# token.key*\"'", max_size=60))
def test_a_veiled_text_is_as_long_as_it_was_and_hides_nothing_more_the_second_time(text: str) -> None:
    for before in (text, f"https://{text}", f"s3://b/{text}?token={text}"):
        after = veil(before)
        assert len(after) == len(before) and veil(after) == after
