"""A report in a real browser: nothing complains, nothing is asked for, all can be read, on a telephone and a screen, in light and dark, and on paper."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from mixc.cli.main import main
from mixc.tests.browser import Browser, browser
from mixc.tests.cli.program import mixc
from mixc.tests.reported import make_reported
from mixc.tests.runtime.tiny import make_tiny_student

pytestmark = pytest.mark.chromium

FAINT = """
(() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = (colour) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); const d = canvas.getImageData(0, 0, 1, 1).data; return [d[0], d[1], d[2], d[3] / 255]; };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
  const light = (c) => { const [r, g, b] = c.map((v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = (e) => {
    const layers = [];
    for (let at = e; at; at = at.parentElement) layers.push(rgba(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
  };
  const found = [];
  for (const e of document.body.querySelectorAll("*")) {
    const words = [...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.textContent.trim()).join("");
    const box = e.getBoundingClientRect();
    if (!words || !box.width || ["title", "style"].includes(e.tagName.toLowerCase())) continue;
    const style = getComputedStyle(e), below = ground(e);
    const own = rgba(e.tagName === "text" ? style.fill : style.color), ink = over([own[0], own[1], own[2], own[3] * style.opacity], below);
    const [a, b] = [light(ink), light(below)].sort((x, y) => y - x), ratio = (a + 0.05) / (b + 0.05);
    const scale = e.ownerSVGElement ? e.ownerSVGElement.getBoundingClientRect().width / e.ownerSVGElement.viewBox.baseVal.width : 1;
    if (ratio < 4.5 || parseFloat(style.fontSize) * scale < 9) found.push([e.tagName, e.getAttribute("class"), words.slice(0, 30), Math.round(ratio * 100) / 100, parseFloat(style.fontSize) * scale]);
  }
  return JSON.stringify(found);
})()
"""
"""Words whose contrast with what is below them is under 4.5 (WCAG AA), or that are drawn smaller than 9 pixels."""
SPILT = """
JSON.stringify([...document.body.querySelectorAll("*")].filter((e) => {
  const box = e.getBoundingClientRect();
  return box.width && (box.right > innerWidth + 0.5 || box.left < -0.5) && !e.closest(".wide, nav");
}).map((e) => [e.tagName, e.getAttribute("class")]))
"""
"""What reaches beyond the page, but for what scrolls by itself."""


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all of these."""
    with browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a build that asked no model."""
    folder = make_reported(tmp_path_factory.mktemp("scored"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MIXC_HOME", str(folder / ".mixc"))
        assert main(["build", "scored.mix", "-q"]) == 0 and main(["report", "scored.mix", "-q"]) == 0
    return folder / "build" / "scored" / "report.html"


def read(opened: Browser, page: Path, width: int, dark: bool) -> None:
    """All that a page owes its reader at one width and in one scheme."""
    opened.open(page, width, dark=dark)
    assert not opened.complaints and opened.asked_for == [page.resolve().as_uri()]
    assert opened.measure("document.documentElement.scrollWidth") <= opened.measure("innerWidth") == width
    assert json.loads(opened.measure(SPILT)) == []
    assert json.loads(opened.measure(FAINT)) == []
    ground = opened.measure("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, ground.removeprefix("rgb(").rstrip(")").split(","))) < 120) == dark, "it follows the reader"
    assert opened.measure("document.scripts.length + document.images.length") == 0


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [400, 1400])
def test_a_report_can_be_read(width: int, dark: bool, scored: Path, opened: Browser) -> None:
    read(opened, scored, width, dark)
    assert opened.measure("document.title") == "scored · mixc report"


def test_the_browser_itself_is_told_to_run_and_fetch_nothing(scored: Path, opened: Browser, tmp_path: Path) -> None:
    """The same page with what an attacker would want in it: the policy stops it, which is why nothing of ours may rely on it."""
    broken = tmp_path / "broken.html"
    text = scored.read_text(encoding="utf-8")
    broken.write_text(text.replace("</h1>", '</h1><script>document.title = "broken"</script><img src="https://example.org/x.png">'), encoding="utf-8")
    opened.open(broken, 800)
    assert opened.measure("document.title") == "scored · mixc report" and len(opened.complaints) >= 2


def test_a_report_prints(scored: Path, opened: Browser) -> None:
    opened.open(scored, 1400, dark=True)
    opened.ask("Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    assert opened.measure("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)", "on paper there is no dark"
    assert opened.measure('getComputedStyle(document.querySelector("nav")).display') == "none"
    assert json.loads(opened.measure(FAINT)) == []
    opened.ask("Emulation.setEmulatedMedia", media="", features=[])
    assert opened.printed().startswith(b"%PDF")


@pytest.mark.slow
def test_a_report_of_everything_can_be_read(tmp_path: Path, opened: Browser) -> None:
    """Trained with two seeds and a baseline, evaluated, with steps and a recipe of two files, and every name in it an attack."""
    folder = make_reported(tmp_path / "whole")
    make_tiny_student(folder / "tiny", context=1024)
    done = mixc("build", "whole.mix", "-q", cwd=folder, MIXC_HOME=os.fspath(folder / ".mixc"))
    assert done.returncode == 0, done.stderr
    assert mixc("report", "whole.mix", "-q", cwd=folder).stdout == "build/whole/report.html\n"
    page = folder / "build" / "whole" / "report.html"
    said = json.loads(mixc("report", "whole.mix", "--format", "json", cwd=folder).stdout)
    assert [t["label"] for t in said["trainings"]] == ["recipe", "random"] and {r["benchmark"] for r in said["results"]} == {"small", "heldout"}
    assert said["audits"][0]["score"] == "naturalness" and said["truncation"]["examples"] == 12 and [t["path"] for t in said["texts"]] == ["whole.mix", "base.mix"]
    steps = [step for each in said["examples"] for step in each["response"]]
    assert steps and all(step["logprob"] < 0 for step in steps)
    for each in said["examples"]:
        value = dict(map(tuple, each["scores"]))["naturalness"]
        assert sum(step["logprob"] for step in each["response"]) / len(each["response"]) == pytest.approx(value), "the score is the mean of its steps"
    assert said["lacks"] == {}
    for width in (400, 1400):
        for dark in (False, True):
            read(opened, page, width, dark)
            assert opened.measure("document.title") == "</title><script>alert(2)</script> · mixc report"
