"""What every test may ask for: `mixc` from a checkout that is not installed, goldens, the real student, the shared data."""

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STUDENT = ROOT / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"
EMBEDDER = Path(os.environ.get("MIXC_EMBEDDER") or ROOT / "models" / "all-MiniLM-L6-v2")
SHARED = Path(os.environ.get("MIXC_SHARED") or ROOT.parent / "shared" / "data")

if importlib.util.find_spec("mixc") is None:
    spec = importlib.util.spec_from_file_location("mixc", ROOT / "__init__.py", submodule_search_locations=[str(ROOT)])
    assert spec is not None and spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["mixc"] = package
    spec.loader.exec_module(package)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="write the goldens as they are now; read the diff")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what this machine cannot run, unless MIXC_REQUIRE is set (CI): there a missing piece must fail."""
    if os.environ.get("MIXC_REQUIRE"):
        lacking = {"gpu": "no CUDA device"}
    else:
        node = (ROOT / "editors" / "vscode" / "node_modules" / "vscode-textmate").exists()
        vllm = importlib.util.find_spec("vllm") is not None
        standards = all(importlib.util.find_spec(name) is not None for name in ("mlcroissant", "openlineage", "duckdb"))
        chromium = any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
        here = {"standards": standards, "chromium": chromium, "vllm": vllm, "node": node, "student": STUDENT.exists(), "embedder": (EMBEDDER / "modules.json").exists(), "shared": (SHARED / "teachers.parquet").exists()}
        why = {"chromium": "no Chromium here (Debian's package `chromium`)", "standards": "no mlcroissant, openlineage-python or DuckDB (make env)", "vllm": "no vLLM here (make env brings it on Linux x86-64)", "node": "no packages in editors/vscode (make editors)", "student": "no student weights in models/ (make student)", "embedder": "no embedding model in models/ (make embedder)", "shared": "no shared data (MIXC_SHARED)"}
        lacking = {"gpu": "no CUDA device", **{name: why[name] for name, there in here.items() if not there}}
    for item in items:
        for name, reason in lacking.items():
            if item.get_closest_marker(name):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture
def student() -> Path:
    """The real small student."""
    return STUDENT


@pytest.fixture
def embedder() -> Path:
    """The real sentence-embedding model."""
    return EMBEDDER


@pytest.fixture
def shared() -> Path:
    """The folder of the shared data."""
    return SHARED


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Compare a text with the file that holds what it should be; `--update` writes the file."""

    def check(path: Path, text: str) -> None:
        if request.config.getoption("--update"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            return
        assert path.exists(), f"no golden {path.name}; run pytest --update and read it"
        assert text == path.read_text(encoding="utf-8")

    return check
