"""`mixc report`: what the page and its data say is what the build's files say; nothing that a user wrote becomes markup; what is not there is said."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from mixc.cli.main import main
from mixc.runtime.report.gather import gather
from mixc.runtime.report_html.page import page
from mixc.tests.compiling import RUN as GOLDENS
from mixc.tests.compiling import told
from mixc.tests.reported import SCRIPT, SKILL, TEACHER, make_reported

Run = Callable[..., tuple[int, str, str]]
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "header", "nav", "main", "section", "footer", "div", "span", "p", "a", "b", "i", "u", "sub", "code"),
    *("h1", "h2", "h3", "h4", "dl", "dt", "dd", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td", "figure", "figcaption", "article"),
    *("svg", "line", "text", "rect", "polygon", "polyline", "circle"),
}


class Read(HTMLParser):
    """The tags of a page with their attributes, its words, and what stands open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose `scored.mix` was built once."""
    folder = make_reported(tmp_path_factory.mktemp("reported"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MIXC_HOME", str(folder / ".mixc"))
        assert main(["build", "scored.mix", "-q"]) == 0
    return folder


@pytest.fixture
def run(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in a copy of the project: exit code, stdout, stderr."""
    shutil.copytree(project, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("MIXC_HOME", str(tmp_path / "here" / ".mixc"))

    def command(*words: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main(list(words))
        shown = capfd.readouterr()
        return code, shown.out, shown.err

    return command


def safe(text: str) -> Read:
    """The page, read: only known elements, no address that leaves it, nothing that runs."""
    found = Read(text)
    assert not found.open and {tag for tag, _ in found.tags} <= TAGS
    for tag, attributes in found.tags:
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "srcset", "action", "data", "formaction", "ping")], tag
        assert (attributes.get("href") or "#").startswith("#") and "url(" not in (attributes.get("style") or "")
    policy = [a["content"] for tag, a in found.tags if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy"]
    assert policy and str(policy[0]).startswith("default-src 'none'") and "script-src" not in str(policy[0])
    assert not re.search(r"@import|url\s*\(", text.partition("</style>")[0])
    return found


def test_the_page_is_written_into_the_build_and_says_where(run: Run) -> None:
    code, out, said = run("report", "scored.mix")
    assert (code, out) == (0, "build/scored/report.html\n") and "KB" in said
    text = Path("build/scored/report.html").read_text(encoding="utf-8")
    found = safe(text)
    for words in (SCRIPT, TEACHER, SKILL, "bench.jsonl:"):
        assert words in found.text, "as it was written, and as text"
    titles = re.findall(r"<h2>(.*?)</h2>", text)
    assert titles == ["Recipe", "Funnel", "Composition", "Scores", "Length and truncation", "Decontamination", "Examples", "Provenance", "Licences", "Not in this report"]
    for words in ("Training: the recipe has no `train`.", "Evaluation: the recipe has no `evaluate`.", "Confounding: no score"):
        assert words in found.text
    assert run("report", "build/scored", "--out", "again.html")[0] == 0
    assert Path("again.html").read_text(encoding="utf-8") == text, "the same build, the same bytes"
    assert run("build", "scored.mix", "-q")[0] == 0 and safe(Path("build/scored/report.html").read_text(encoding="utf-8")).text, "a build brings its own"
    code, card, _ = run("report", "scored.mix", "--format", "md")
    assert code == 0 and card == Path("build/scored/README.md").read_text(encoding="utf-8")


def test_the_figures_are_those_of_the_files(run: Run) -> None:
    said = json.loads(run("report", "scored.mix", "--format", "json")[1])
    manifest = json.loads(Path("build/scored/manifest.json").read_text())
    ledger, chosen = pl.read_parquet("build/scored/ledger.parquet"), pl.read_parquet("build/scored/selected.parquet")
    assert (said["mixc_report"], said["rows"], said["selected"], said["tokens"]) == (1, ledger.height, chosen.height, chosen["tokens"].sum())
    assert [(s["clause"], s["rows"]) for s in said["funnel"]] == [(s["clause"], s["rows"]) for s in manifest["counts"]["funnel"]]
    assert sum(s["dropped"] for s in said["funnel"]) == ledger.height - chosen.height
    came = ledger.filter((pl.col("status") == "selected") | (pl.col("reason").str.starts_with("select: ")))
    for group in said["teachers"]:
        mine = chosen.filter(teacher=group["name"])
        assert (group["rows"], group["tokens"], group["candidates"]) == (mine.height, mine["tokens"].sum(), came.filter(teacher=group["name"]).height)
        assert group["share"] == pytest.approx(mine.height / chosen.height)
    for group in said["skills"]:
        assert group["rows"] == chosen.filter(pl.col("skills").list.contains(group["name"])).height
    tutor = next(g for g in said["teachers"] if g["name"] == "tutor")
    assert tutor["high"] == pytest.approx(0.4) and tutor["low"] is None and tutor["quota"]["slack"] == 5
    assert said["clauses"] == [{**c, "price": c["price"]} for c in manifest["selection"]["clauses"]]
    assert {t[0]: (t[1], t[2]) for t in said["truths"][0]["teachers"]} == {
        teacher: (true, rows) for teacher, true, rows in ledger.drop_nulls("correct").group_by("teacher").agg(pl.col("correct").sum(), pl.len()).iter_rows()
    }
    known = ledger.drop_nulls("length")
    for ridge in said["distributions"][0]["ridges"]:
        mine = known.filter(teacher=ridge["teacher"])
        values = sorted(mine["length"].to_list())
        assert sum(ridge["bins"]) == ridge["rows"] == len(values) and sum(ridge["chosen"]) == ridge["selected"] == mine.filter(status="selected").height
        assert ridge["quartiles"][1] == values[round(0.5 * (len(values) - 1) + 1e-9)] or ridge["quartiles"][1] in values
    counted = ledger.drop_nulls("tokens")
    assert sum(said["lengths"]["bins"]) == counted.height and sum(said["lengths"]["chosen"]) == chosen.height and said["lengths"]["longest"] == counted["tokens"].max()


def test_the_examples_are_what_they_are_called(run: Run) -> None:
    said = json.loads(run("report", "scored.mix", "--format", "json")[1])["examples"]
    ledger = {row["row_id"]: row for row in pl.read_parquet("build/scored/ledger.parquet").iter_rows(named=True)}
    chosen = {row["row_id"]: row for row in pl.read_parquet("build/scored/selected.parquet").iter_rows(named=True)}
    by_kind = {kind: [e for e in said if e["kind"] == kind] for kind in ("best", "worst", "borderline", "random")}
    values = sorted((ledger[id]["objective"] for id in chosen), reverse=True)
    assert [ledger[e["row_id"]]["objective"] for e in by_kind["best"]] == values[:3] and [ledger[e["row_id"]]["objective"] for e in by_kind["worst"]] == values[::-1][:3]
    sides = [e["selected"] for e in by_kind["borderline"]]
    assert sides == [True, True, False, False]
    out = [row["advantage"] for row in ledger.values() if row["reason"] and row["reason"].startswith("select: ")]
    assert [e["nearness"] for e in by_kind["borderline"][2:]] == sorted(out, reverse=True)[:2]
    assert len(by_kind["random"]) == 3 and all(e["selected"] for e in by_kind["random"])
    lines = [json.loads(line) for line in Path("data/rows.jsonl").read_text().splitlines()]
    texts = {(row["question"], row["answer"]) for row in lines}
    for e in said:
        assert (e["prompt"], "".join(step["text"] for step in e["response"])) in texts, "dropped rows have their texts too"


def test_the_leak_is_shown_with_what_it_shares(run: Run) -> None:
    found = json.loads(run("report", "scored.mix", "--format", "json")[1])["contamination"][0]
    assert (found["prompts"], found["rows"], found["against"]) == (1, 3, [["bench.jsonl", 1]])
    ((prompt, evidence),) = found["evidence"]
    assert prompt == "p009" and evidence.startswith(("shares ", "row ")) and "bench.jsonl:" in evidence


def test_what_was_said_stands_at_its_line(run: Run) -> None:
    said = json.loads(run("report", "scored.mix", "--format", "json")[1])
    text = said["texts"][0]["text"]
    assert text == Path("scored.mix").read_text() and said["texts"][0]["path"] == "scored.mix"
    notice = next(m for m in said["marks"] if m["severity"] == "notice")
    assert text[notice["start"] : notice["end"]].startswith("decontaminate against") and notice["message"].startswith("1 of 24 prompts contaminated")
    page_of = Path(run("report", "scored.mix")[1].strip()).read_text()
    at = Read(page_of).text
    assert at.index("decontaminate against") < at.index("notice: 1 of 24 prompts") < at.index("select {")


def test_a_build_of_an_earlier_version_is_reported_with_what_it_has(run: Run) -> None:
    whole = json.loads(run("report", "scored.mix", "--format", "json")[1])
    for name in ("sources.json", "examples.parquet"):
        Path("build/scored", name).unlink()
    manifest = json.loads(Path("build/scored/manifest.json").read_text())
    for name in ("diagnostics", "audit", "models", "versions", "files"):
        manifest.pop(name)
    Path("build/scored/manifest.json").write_text(json.dumps(manifest))
    assert run("report", "scored.mix")[0] == 0
    found = safe(Path("build/scored/report.html").read_text())
    assert "Recipe: the build was made without `sources.json`" in found.text and "kept no examples" in found.text
    said = json.loads(run("report", "scored.mix", "--format", "json")[1])
    assert [(e["kind"], e["row_id"]) for e in said["examples"]] == [(e["kind"], e["row_id"]) for e in whole["examples"]]
    assert all((e["prompt"] is None) == (not e["selected"]) for e in said["examples"]), "dropped rows have no texts there"


def test_a_budget_of_tokens_weighs_rows_by_them_and_a_score_may_be_a_text(run: Run) -> None:
    spec = Path("scored.mix").read_text().replace("budget   14 examples", "budget   40 tokens").replace("score length", "score topic_of = column(topic)\nscore length")
    Path("tokens.mix").write_text(spec)
    assert run("build", "tokens.mix", "-q")[0] == 0
    assert run("report", "tokens.mix")[0] == 0
    chosen = pl.read_parquet("build/tokens/selected.parquet")
    mean = -(chosen["length"] * chosen["tokens"]).sum() / chosen["tokens"].sum()
    found = safe(Path("build/tokens/report.html").read_text())
    assert f"mean -length, by tokens{mean:.3f}".replace("by tokens-", "by tokens−") in found.text
    assert f"topic_of{SKILL}" in found.text or "topic_ofsubtraction" in found.text or "topic_ofmultiplication" in found.text
    quota = next(g for g in json.loads(run("report", "tokens.mix", "--format", "json")[1])["teachers"] if g["name"] == "tutor")
    assert not quota["by_tokens"], "a share in % is of the rows"


@pytest.mark.parametrize(("words", "code", "exit_code"), [(("build/nothing",), "MIX0524", 1), (("build",), "MIX0524", 1), (("early.mix",), "MIX0539", 1)])
def test_where_no_report_can_be_made_it_is_said(words: tuple[str, ...], code: str, exit_code: int, run: Run, golden) -> None:
    Path("early.mix").write_text(Path("scored.mix").read_text())
    assert run("build", "early.mix", "-q", "--until", "score")[0] == 0
    ended, out, said = run("report", *words)
    assert (ended, out) == (exit_code, "") and f"error[{code}]" in said and "help: " in said
    if code == "MIX0539":
        golden(GOLDENS / "MIX0539.txt", told(said))


def test_licences_are_those_that_the_manifest_counts(run: Run) -> None:
    manifest = json.loads(Path("build/scored/manifest.json").read_text())
    del manifest["counts"]["licences"]
    Path("build/scored/manifest.json").write_text(json.dumps(manifest))
    said = json.loads(run("report", "scored.mix", "--format", "json")[1])
    assert said["licences"] == [{"kind": "corpus", "name": "rows", "licence": None, "rows": None}], "a build that counts none has what its corpora say"
    manifest["counts"]["licences"] = {"all": {"MIT": 14}, "corpora": {"rows": {"MIT": 9, "not stated": 5}}, "teachers": {TEACHER: {SCRIPT: 14}}}
    Path("build/scored/manifest.json").write_text(json.dumps(manifest))
    said = json.loads(run("report", "scored.mix", "--format", "json")[1])
    assert [tuple(each.values()) for each in said["licences"]] == [("corpus", "rows", "MIT", 9), ("corpus", "rows", None, 5), ("teacher", TEACHER, SCRIPT, 14)]
    assert run("report", "scored.mix")[0] == 0 and SCRIPT in safe(Path("build/scored/report.html").read_text()).text


@pytest.mark.parametrize("name", ["sources.json", "selected.parquet", "plan.json", "examples.parquet"])
def test_a_file_that_cannot_be_read_is_no_traceback(name: str, run: Run) -> None:
    Path("build/scored", name).write_text('{"neither": "this", "nor": "that"}')
    code, out, said = run("report", "scored.mix")
    assert (code, out) == (4, "") and "error[MIX0501]" in said and "Traceback" not in said


def test_no_text_of_a_report_becomes_markup(project: Path) -> None:
    poison = "</style></title><script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u202e\x1b[31m"

    def poisoned(value: Any) -> Any:
        match value:
            case str():
                return f"{value}{poison}"
            case tuple():
                return tuple(map(poisoned, value))
            case dict():
                return {key: poisoned(each) for key, each in value.items()}
            case _ if is_dataclass(value):
                return replace(value, **{each.name: poisoned(getattr(value, each.name)) for each in fields(value)})  # type: ignore[type-var]
            case _:
                return value

    text = page(poisoned(gather(project / "build" / "scored")))
    found = safe(text)
    assert "<script>alert(1)</script>" in found.text and "\x1b" not in text and "\u202e" not in text


def test_a_hundred_thousand_rows_are_drawn_as_small_as_few(project: Path, tmp_path: Path) -> None:
    few = page(gather(project / "build" / "scored"))
    folder = tmp_path / "big"
    shutil.copytree(project / "build" / "scored", folder)
    rows = 100_000
    place = pl.int_range(rows).over(pl.lit(1))
    ledger = pl.read_parquet(folder / "ledger.parquet").sample(rows, with_replacement=True, seed=1)
    ledger = ledger.with_columns(
        row_id=pl.format("{}{}", pl.col("row_id").str.slice(0, 20), place), tokens=pl.col("tokens") + place % 3_000, length=pl.col("length") + place % 3_000,
        skills=pl.concat_list(pl.format("skill {}", place % 5_000)), teacher=pl.format("teacher {} {}", place % 300, "teacher"),
        reason=pl.when(pl.col("reason").is_not_null()).then(pl.format("{} {}", "reason", place)),
    )  # fmt: skip
    ledger.write_parquet(folder / "ledger.parquet")
    chosen = ledger.filter(status="selected").select("row_id", "prompt_id", prompt=pl.lit("p" * 90_000), response=pl.lit("r" * 90_000), reference=pl.lit("1"), teacher="teacher", skills="skills", tokens="tokens")
    chosen.write_parquet(folder / "selected.parquet")
    (folder / "examples.parquet").unlink()
    many = page(gather(folder))
    safe(many)
    assert chosen.height > 10_000 and len(many) < 5_000_000
    assert many.count("<") < 8 * few.count("<"), "marks are of bins and groups, never of rows"
