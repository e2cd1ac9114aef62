"""`mixc cache`: what it shows of a store, what it finds damaged, what it removes, and what it leaves alone."""

import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
from mixc import __version__
from mixc.cli.main import main
from mixc.runtime.shelf import Shelf, digest, encoded
from mixc.runtime.store import Store, fingerprint
from mixc.tests.compiling import RUN, told

GOLDENS = Path(__file__).parent / "cache"
NIGHT = 1_700_000_000.0
LOCAL = {
    "scorer": "local_logprob", "version": 1, "mixc": __version__, "window": "4 steps", "split": "sentence 1", "dtype": "bf16",
    "weights": "b179c952" * 8, "tokenizer": "da6e942f" * 8, "template": "00aa11bb" * 8,
}  # fmt: skip
OLD = {"scorer": "tokens", "version": 1, "mixc": "0.0.9", "tokenizer": "da6e942f" * 8}
Golden = Callable[[Path, str], None]
Mixc = Callable[..., tuple[int, str, str]]


@pytest.fixture
def mixc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Mixc]:
    """Runs `mixc cache WORDS` in a folder with the store `.mixc`: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.delenv("MIXC_HOME", raising=False)

    def run(*words: str) -> tuple[int, str, str]:
        code = main(["cache", *words])
        shown = capfd.readouterr()
        return code, shown.out, shown.err

    yield run
    monkeypatch.undo()
    time.tzset()


def shelf(identity: dict[str, object]) -> Shelf:
    return Store(Path(".mixc")).shelf(fingerprint(identity), identity)


def rows(*keys: str) -> pl.DataFrame:
    return pl.DataFrame({"key": keys, "v": [float(len(key)) for key in keys]})


def furnish() -> None:
    """A store with two shelves, a trained model, checkpoints and a shard that was set aside, all of known times."""
    shelf(LOCAL).append(rows("a", "b", "c"), {"engine": "transformers", "device": "cpu"})
    shelf(LOCAL).append(rows("d"), {"engine": "vllm", "device": "NVIDIA H200"})
    shelf(OLD).append(rows("a", "b"))
    store = Store(Path(".mixc"))
    store.save_artifact("models", "f" * 32, lambda folder: (folder / "weights").write_bytes(bytes(5_000_000)))
    unpacked = {"weights": "b179c952" * 8, "dtype": "fp32", "format": "safetensors", "by": "5.19.0", "student": "small.Q4_1.gguf", "files": {}}
    store.save_artifact("weights", "d" * 32, lambda folder: (folder / "identity.json").write_text(json.dumps(unpacked)))
    store.save_artifact("weights", "c" * 32, lambda folder: (folder / "model.safetensors").write_bytes(bytes(2_000)))
    for name, size in (("f" * 32, 700), ("e" * 32, 1_234_567)):
        (store.checkpoints(name) / "state").write_bytes(bytes(size))
    (shelf(LOCAL).folder / f"{'9' * 32}.corrupt").write_bytes(b"half")
    paths = [path for path in Path(".mixc").rglob("*") if "locks" not in path.parts]
    for path in paths:
        os.utime(path, (NIGHT, NIGHT))
    for path in shelf(OLD).folder.iterdir():
        os.utime(path, (NIGHT - 86_400, NIGHT - 86_400))


def steady(text: str) -> str:
    """The text without what the version of Polars decides (names and sizes of shards), and what the day does."""
    named = re.sub(r"\b[0-9a-f]{32}\.(parquet|corrupt)", r"SHARD.\1", text)
    sized = re.sub(r"\b[0-9.,]+ (bytes|kB)", lambda found: "#" * len(found.group()), named)
    return re.sub(r"\d+ days", "N days", sized)


def test_an_empty_store_says_so(mixc: Mixc) -> None:
    for words, said in ((["ls"], "is not there yet"), (["verify"], "holds no scores"), (["gc"], "nothing to remove"), (["gc", "--yes"], "nothing to remove")):
        code, out, err = mixc(*words)
        assert code == 0 and said in out and not err
    assert not Path(".mixc").exists()
    assert json.loads(mixc("ls", "--format", "json")[1]) == {"store": ".mixc", "bytes": 0, "shelves": [], "artifacts": [], "checkpoints": [], "set_aside": []}


def test_what_is_there_is_listed_the_newest_first(mixc: Mixc, golden: Golden) -> None:
    furnish()
    code, out, err = mixc("ls")
    assert code == 0 and not err
    golden(GOLDENS / "ls.txt", steady(out))
    data = json.loads(mixc("ls", "--format", "json")[1])
    one, other = data["shelves"]
    assert one["identity"] == LOCAL and one["fingerprint"] == fingerprint(LOCAL)
    assert (one["rows"], one["shards"], one["made_by"]) == (4, 2, {"transformers on cpu": 3, "vllm on NVIDIA H200": 1})
    assert (one["written"], other["written"]) == ("2023-11-14T22:13:20+00:00", "2023-11-13T22:13:20+00:00")
    assert [(f["kind"], f["fingerprint"][0]) for f in data["artifacts"]] == [("weights", "c"), ("weights", "d"), ("models", "f")]
    assert [f["bytes"] for f in data["artifacts"] if f["kind"] == "models"] == [5_000_000]
    assert [(f["identity"] or {}).get("student") for f in data["artifacts"]] == [None, "small.Q4_1.gguf", None]
    assert [(f["bytes"], f["finished"]) for f in data["checkpoints"]] == [(1_234_567, False), (700, True)]
    assert len(data["set_aside"]) == 1 and data["bytes"] > 6_000_000


def damage() -> None:
    """Four shards that are damaged in different ways beside two that are whole; a shelf under another's name, one without a word."""
    one = shelf(LOCAL)
    for i in range(5):
        one.append(rows(f"{i}", f"{i}{i}"))
    first, second, *_ = sorted(one.folder.glob("*.parquet"))
    first.write_bytes(first.read_bytes()[:-1])
    second.write_bytes(b"")
    for data in (b"text", encoded(pl.DataFrame({"key": ["k"], "w": ["other"]}), {}, None)):
        (one.folder / f"{digest(data)}.parquet").write_bytes(data)
    shelf(OLD).append(rows("a"))
    shutil.copytree(shelf(OLD).folder, Path(".mixc/scores") / ("1" * 32))
    shelf({"scorer": "x"}).append(rows("a"))
    (shelf({"scorer": "x"}).folder / "identity.json").unlink()


def test_damage_is_found_told_and_on_demand_set_aside(mixc: Mixc, golden: Golden) -> None:
    damage()
    before = sorted(Path(".mixc").rglob("*"))
    code, out, err = mixc("verify")
    assert code == 4 and sorted(Path(".mixc").rglob("*")) == before
    shown = told(err)
    for number in ("0516", "0517"):
        parts = [part for part in shown.split("\n\n") if f"MIX{number}" in part]
        golden(RUN / f"MIX{number}.txt", "\n\n".join(sorted(steady(part) for part in parts)) + "\n")
    assert re.fullmatch(r"10 shards read \(9 rows, [0-9.]+ kB\): 5 damaged\n", out)
    code, data, _ = mixc("verify", "--format", "json")
    codes = [d["code"] for d in json.loads(data)["diagnostics"]]
    assert code == 4 and (codes.count("MIX0516"), codes.count("MIX0517")) == (4, 2)

    code, out, _ = mixc("verify", "--repair")
    assert code == 0 and "6 files set aside" in out
    assert len(list(Path(".mixc").rglob("*.corrupt"))) == 6
    code, out, err = mixc("verify")
    assert code == 0 and out.startswith("5 shards read (8 rows") and "warning[MIX0517]" in err
    assert mixc("verify", "-q")[2] == ""
    assert len(shelf(LOCAL).load(schema={"v": pl.Float64()}, say=pytest.fail)) == 6


def test_what_may_go_is_told_first_and_goes_with_yes(mixc: Mixc, golden: Golden) -> None:
    furnish()
    (shelf(LOCAL).folder / ".mixc-tmp-held-7-abc").write_bytes(bytes(300))
    before = sorted(Path(".mixc").rglob("*.*"))
    code, would, err = mixc("gc")
    assert code == 0 and not err and [p for p in sorted(Path(".mixc").rglob("*.*")) if p.suffix != ".lock"] == [p for p in before if p.suffix != ".lock"]
    golden(GOLDENS / "gc.txt", steady(would))
    data = json.loads(mixc("gc", "--format", "json")[1])
    assert data["removed"] is False and [s["kind"] for s in data["steps"]] == [s.split()[2] if s.split()[2] != "set" else "set aside" for s in would.splitlines()[:-1]]
    code, out, _ = mixc("gc", "--yes")
    assert code == 0 and out.splitlines()[:-1] == would.splitlines()[:-1] and out.splitlines()[-1].startswith("removed: ")
    seen = json.loads(mixc("ls", "--format", "json")[1])
    assert [s["identity"] for s in seen["shelves"]] == [LOCAL] and not seen["set_aside"] and not seen["checkpoints"] and len(seen["artifacts"]) == 3
    assert mixc("gc")[1] == "nothing to remove from the store `.mixc`\n"


def test_what_was_not_used_for_long_goes_only_when_asked(mixc: Mixc) -> None:
    furnish()
    shelf(LOCAL).load()  # asked today
    told = mixc("gc", "--older-than", "30", "--yes")[1]
    assert "not used for" in told and "model" in told
    seen = json.loads(mixc("ls", "--format", "json")[1])
    assert len(seen["shelves"]) == 1 and not seen["artifacts"]


def test_a_store_in_use_keeps_what_is_used(mixc: Mixc) -> None:
    furnish()
    store = Store(Path(".mixc"))
    with shelf(OLD).in_use(), store.lock(f"train-{'f' * 32}"), store.lock("build-here"):
        out = mixc("gc", "--older-than", "30", "--yes")[1]
    assert out.count("left as it is") == 5 and out.count("left as it is: unpacked weights") == 2
    seen = json.loads(mixc("ls", "--format", "json")[1])
    assert [s["identity"] for s in seen["shelves"]] == [OLD] and len(seen["artifacts"]) == 3
    assert [f["fingerprint"] for f in seen["checkpoints"]] == ["f" * 32]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["gc", "--repair"], "did you mean `mixc cache verify --repair`?"),
        (["ls", "--yes"], "did you mean `mixc cache gc --yes`?"),
        (["verify", "--older-than", "3"], "did you mean `mixc cache gc --older-than`?"),
        (["gc", "--older-than", "0.5"], "not a number of days, at least 1"),
        (["lst"], "did you mean `ls`?"),
        ([], "is missing"),
    ],
)
def test_a_wrong_command_line_says_the_right_one(mixc: Mixc, words: list[str], said: str) -> None:
    code, out, err = mixc(*words)
    assert code == 1 and not out and said in err
