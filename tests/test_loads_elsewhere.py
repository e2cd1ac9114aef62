"""The rows of a build as others load them: `datasets`, pandas and DuckDB read the same values that we wrote."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from mixc.runtime.dataset_card import dataset_card
from mixc.tests.awkward import build_in, make_awkward
from mixc.tests.test_standards import plain, selected, trained


@pytest.fixture(scope="module")
def awkward(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build of a project full of quotes, pipes, newlines, nulls and lists."""
    return build_in(make_awkward(tmp_path_factory.mktemp("awkward")))


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """`datasets.load_dataset` without a network and with a cache of the test's own."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)

    def read(*words: str, **more: Any) -> Any:
        return datasets.load_dataset(*words, cache_dir=str(tmp_path / "cache"), **more)

    return read


def test_the_rows_hold_what_breaks_careless_readers(awkward: Path) -> None:
    rows = selected(awkward)
    assert any(row["reference"] is None for row in rows) and any(row["good"] is None for row in rows) and any(row["ease"] is None for row in rows)
    assert {len(row["skills"]) for row in rows} >= {0, 1, 2}
    texts = "".join(row["prompt"] + row["response"] for row in rows)
    assert all(each in texts for each in ("\u2028", "\r\n", '"', "🧮", "\\"))
    assert {row["teacher"] for row in rows} & {"line\nbreak", 'says "hi" | ok'}


def test_datasets_loads_the_folder_by_its_card(awkward: Path, load: Any) -> None:
    import datasets

    train = load(str(awkward), split="train")
    assert train.to_list() == trained(awkward)
    assert train.features["messages"] == datasets.List({"role": datasets.Value("string"), "content": datasets.Value("string")})
    assert datasets.get_dataset_config_names(str(awkward)) == ["default"]


def test_datasets_loads_a_run_until_select_by_its_card(tmp_path: Path, load: Any) -> None:
    import datasets

    out = build_in(make_awkward(tmp_path), "awkward.mix", "--until", "select")
    rows = load(str(out), split="train")
    assert rows.to_list() == selected(out)
    assert rows.features["skills"] == datasets.List(datasets.Value("string")) and rows.features["tokens"] == datasets.Value("int64")


def test_datasets_loads_the_files_without_the_card(awkward: Path, load: Any) -> None:
    assert load("json", data_files=str(awkward / "train.jsonl"), split="train").to_list() == trained(awkward)
    assert load("parquet", data_files=str(awkward / "selected.parquet"), split="train").to_list() == selected(awkward)


def test_pandas_loads_both_files(awkward: Path) -> None:
    import pandas

    assert [plain(row) for row in pandas.read_parquet(awkward / "selected.parquet").to_dict("records")] == selected(awkward)
    assert [plain(row) for row in pandas.read_json(awkward / "train.jsonl", lines=True).to_dict("records")] == trained(awkward)


@pytest.mark.standards
def test_duckdb_loads_both_files(awkward: Path) -> None:
    import duckdb

    def read(source: str) -> list[dict[str, Any]]:
        found = duckdb.connect().execute(f"from {source} order by row_id")
        names = [each[0] for each in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    assert read(f"read_parquet('{awkward / 'selected.parquet'}')") == selected(awkward)
    assert read(f"read_json('{awkward / 'train.jsonl'}', format = 'newline_delimited')") == trained(awkward)


@pytest.mark.shared
def test_the_real_responses_load_too(shared: Path, tmp_path: Path, load: Any) -> None:
    import pandas

    root = Path(__file__).parents[1]
    text = (root / "specs" / "reselect.mix").read_text().replace("../data/shared", shared.resolve().as_posix())
    (tmp_path / "reselect.mix").write_text(text)
    out = build_in(tmp_path, "reselect.mix")
    rows = selected(out)
    assert load("parquet", data_files=str(out / "selected.parquet"), split="train").to_list() == rows and load(str(out), split="train").to_list() == trained(out)
    assert [plain(row) for row in pandas.read_parquet(out / "selected.parquet").to_dict("records")] == rows
    assert pl.DataFrame(rows).height == len(trained(out)) and str(shared.resolve()) not in dataset_card(out)
