"""What a stranger gets who installs the wheel into an empty environment: `mixc`, nothing else, and no need of torch."""

import json
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHARED = Path(os.environ.get("MIXC_SHARED", ROOT.parent / "shared" / "data"))
ROOMS = ("cli", "compiler", "grammar", "runtime")
FILES = ("__init__.py", "py.typed", "pyproject.toml", "README.md", "LICENSE")

pytestmark = pytest.mark.slow


def run(*command: object, at: Path, code: int = 0, **environment: str) -> str:
    """Runs a command that must end with `code`; what it printed, both streams."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=at,
        env=kept | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == code, f"{command} ended with {done.returncode}\n{done.stdout}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy, because setuptools leaves a `build/` where it works."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "a-checkout-of-any-name"
    source.mkdir()
    for name in FILES:
        shutil.copy(ROOT / name, source)
    for room in (*ROOMS, "tests", "specs", "scripts"):
        shutil.copytree(ROOT / room, source / room, ignore=shutil.ignore_patterns("__pycache__"))
    (source / "data").mkdir()
    (source / "data" / "private.jsonl").write_text("{}\n")
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation")
    run(*pip, "--wheel-dir", folder, source, at=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel and what its core needs."""
    folder = tmp_path_factory.mktemp("environment") / "clean"
    venv.create(folder, with_pip=False)
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--python", folder / "bin" / "python")
    run(*pip, "install", "-c", ROOT / "constraints.txt", wheel, at=folder.parent)
    return folder


def mixc(environment: Path, *words: str, at: Path, code: int = 0) -> str:
    return run(environment / "bin" / "mixc", *words, at=at, code=code, MIXC_HOME=str(at / ".mixc"), COLUMNS="120")


def test_the_wheel_holds_only_mixc(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = [Path(name) for name in archive.namelist()]
    assert {name.parts[0] for name in names} == {"mixc", f"{'-'.join(wheel.name.split('-')[:2])}.dist-info"}
    ours = {name.relative_to("mixc") for name in names if name.parts[0] == "mixc"}
    assert {name.parts[0] for name in ours} == {*ROOMS, "__init__.py", "py.typed"}
    assert not [name for name in ours if "tests" in name.parts or name.stem.startswith(("test_", "conftest")) or name.suffix in (".pyc", ".gguf", ".toml")]


def test_the_wheel_holds_every_module_and_every_data_file(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if name.startswith("mixc/")}
        licences = [name for name in archive.namelist() if name.endswith("/LICENSE")]
    paths = (path for room in ROOMS for path in (ROOT / room).rglob("*") if path.is_file())
    kept = (path for path in paths if path.suffix != ".pyc" and path != ROOT / "grammar" / "README.md")
    wanted = {f"mixc/{path.relative_to(ROOT).as_posix()}" for path in kept}
    assert inside == wanted | {"mixc/__init__.py", "mixc/py.typed"}
    assert {"mixc/grammar/mix.lark", "mixc/compiler/plan/schema.json"} <= inside
    assert len(licences) == 1


def test_the_core_installs_without_torch(environment: Path, tmp_path: Path) -> None:
    found = "import sys, importlib.util as u; print(*[name for name in sys.argv[1:] if u.find_spec(name)])"
    names = ("torch", "transformers", "trl", "mixc", *ROOMS)
    assert run(environment / "bin" / "python", "-c", found, *names, at=tmp_path).split() == ["mixc"]


def test_the_installed_program_says_its_version(environment: Path, tmp_path: Path) -> None:
    version = re.search(r'__version__ = "(.+)"', (ROOT / "__init__.py").read_text())
    assert version and version.group(1) in mixc(environment, "--version", at=tmp_path)
    assert version.group(1) in run(environment / "bin" / "python", "-m", "mixc.cli.main", "--version", at=tmp_path)


def test_the_starter_builds_without_torch(environment: Path, tmp_path: Path) -> None:
    mixc(environment, "init", "demo", at=tmp_path)
    demo = tmp_path / "demo"
    mixc(environment, "check", "recipe.mix", at=demo)
    plan = json.loads(run_plan(environment, demo))
    assert plan["stages"]
    mixc(environment, "build", "recipe.mix", at=demo)
    built = demo / "build" / "recipe"
    present = {path.name for path in built.iterdir()}
    assert {"plan.json", "manifest.json", "ledger.parquet", "selected.parquet", "train.jsonl"} <= present
    assert (built / "train.jsonl").read_text().startswith('{"')


def run_plan(environment: Path, at: Path) -> str:
    command = (environment / "bin" / "mixc", "plan", "recipe.mix", "--format", "json")
    return subprocess.run(command, cwd=at, check=True, capture_output=True, text=True).stdout


def test_explain_works_from_the_wheel(environment: Path, tmp_path: Path) -> None:
    assert "MIX0401" in mixc(environment, "explain", "MIX0401", at=tmp_path)


def test_specs_are_coloured_wherever_pygments_is(environment: Path, tmp_path: Path) -> None:
    program = (environment / "bin" / "pygmentize", "-l", "mix", "-f", "raw", ROOT / "specs" / "reselect.mix")
    assert "Token.Keyword.Declaration\t'select'" in run(*program, at=tmp_path)


def test_the_language_server_names_the_missing_extra(environment: Path, tmp_path: Path) -> None:
    said = mixc(environment, "lsp", at=tmp_path, code=1)
    assert "MIX0509" in said and "mixc[lsp]" in said


def test_a_spec_that_needs_a_model_names_the_missing_extra(environment: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"question": "1 + 1?", "solution": "It is 2.", "answer": "2"}\n')
    (tmp_path / "a.mix").write_text(
        'mix "a" { seed 1 }\n'
        'student small { model "nowhere/at-all" }\n'
        'corpus rows {\n  scan "rows.jsonl"\n  prompt question\n  response solution\n  reference answer\n}\n'
        "score fluency = global_logprob(student: small)\n"
        'decontaminate none because "nothing is trained"\n'
        "select {\n  budget 1 examples\n  maximize fluency\n}\n"
    )
    mixc(environment, "check", "a.mix", at=tmp_path)
    said = mixc(environment, "build", "a.mix", at=tmp_path, code=4)
    assert "MIX0509" in said and "mixc[train]" in said
    assert not (tmp_path / "build" / "a").exists()


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "teachers.parquet").exists(), reason="needs the real responses")
def test_the_model_free_spec_builds_without_torch(environment: Path, tmp_path: Path) -> None:
    text = (ROOT / "specs" / "reselect.mix").read_text()
    (tmp_path / "reselect.mix").write_text(text.replace("../data/shared", SHARED.resolve().as_posix()))
    mixc(environment, "build", "reselect.mix", at=tmp_path)
    assert len((tmp_path / "build" / "reselect" / "train.jsonl").read_text().splitlines()) == 500
