"""The structure of the house, as ARCHITECTURE.md draws it: floors, packages, heavy imports, codes, sizes, names."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("cli", "compiler", "grammar", "runtime")
SCRIPTS = ("benchmarks", "scripts", "specs", "tests")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

# The longest prefix decides. A module may import from lower floors, and from its own floor within its own room.
FLOORS = {
    "mixc": 0,
    "mixc.grammar": 1,
    "mixc.compiler.source": 1,
    "mixc.compiler.suggest": 1,
    "mixc.compiler.licences": 1,
    "mixc.compiler.secrets": 1,
    "mixc.compiler.expressions": 1,
    "mixc.compiler.paths": 1,
    "mixc.compiler.clauses": 1,
    "mixc.compiler.expectations": 1,
    "mixc.compiler.keywords": 1,
    "mixc.compiler.diagnostics": 2,
    "mixc.compiler.codes": 2,
    "mixc.compiler.syntax": 3,
    "mixc.compiler.reason": 3,
    "mixc.compiler.semantics": 4,
    "mixc.compiler.plan": 5,
    "mixc.compiler.lint": 5,
    "mixc.compiler.backends": 6,
    "mixc.compiler.driver": 6,
    "mixc.compiler.contrast": 6,
    "mixc.compiler.ide": 7,
    "mixc.runtime": 7,
    "mixc.cli": 8,
}
ROOMS_BY_LENGTH = sorted(FLOORS, key=len, reverse=True)

# What a room may see of another, where its floor alone would allow more.
SEES = {
    "mixc.runtime": (
        "mixc.compiler.plan",
        "mixc.compiler.backends",
        "mixc.compiler.source",
        "mixc.compiler.diagnostics",
        "mixc.compiler.expressions",
        "mixc.compiler.clauses",
        "mixc.compiler.expectations",
        "mixc.compiler.keywords",
        "mixc.compiler.paths",
        "mixc.compiler.codes",
        "mixc.compiler.suggest",
        "mixc.compiler.licences",
        "mixc.compiler.secrets",
    ),
    "mixc.compiler.backends": (
        "mixc.compiler.plan.stages",
        "mixc.compiler.source",
        "mixc.compiler.diagnostics",
        "mixc.compiler.expressions",
        "mixc.compiler.clauses",
    ),
    "mixc.compiler.ide": tuple(
        f"mixc.compiler.{each}" for each in ("driver", "semantics", "syntax", "source", "diagnostics", "codes", "paths")
    ),
    "mixc.compiler.plan.stages": ("mixc.compiler.source", "mixc.compiler.expressions", "mixc.compiler.clauses"),
}

# Packages of the core and the rooms that may import them; those of the extras are loaded inside functions alone.
CORE_IN = {
    "pygments": ("mixc.grammar",),
    "lark": ("mixc.compiler.syntax", "mixc.grammar"),
    "rich": ("mixc.cli",),
    "jsonschema": ("mixc.compiler.plan", "mixc.cli", "mixc.runtime.replies"),
    "polars": ("mixc.runtime", "mixc.compiler.backends"),
    "polars_hash": ("mixc.runtime", "mixc.compiler.backends"),
    "numpy": ("mixc.runtime",),
    "highspy": ("mixc.runtime",),
    "rensa": ("mixc.runtime",),
    "yaml": ("mixc.cli.foreign.read_yaml",),
}
MAY_LOAD_MODELS = (
    "mixc.runtime.embedders", "mixc.runtime.endpoint", "mixc.runtime.engines", "mixc.runtime.scorers", "mixc.runtime.train", "mixc.runtime.training", "mixc.runtime.evaluate",
)  # fmt: skip
HEAVY = {
    "pygls", "lsprotocol", "torch", "transformers", "trl", "peft", "accelerate", "vllm", "datasets", "math_verify", "polars", "numpy", "highspy", "rensa", "jinja2", "httpx2",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Import:
    """`target` is absolute; `lazy` when it stands inside a function."""

    importer: str
    target: str
    lazy: bool
    line: int

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.target}"


def is_within(module: str, *rooms: str) -> bool:
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


def module_name(path: Path) -> str:
    parts = ("mixc", *path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def files() -> list[Path]:
    """Every Python file of the package."""
    inside = (path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
    return sorted({ROOT / "__init__.py", *(path for path in inside if "__pycache__" not in path.parts)})


TREES = {path: ast.parse(path.read_text(encoding="utf-8"), str(path)) for path in files()}
MODULES = {module_name(path): path for path in TREES}


def nodes(tree: ast.AST, lazy: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    """Every node, and whether it stands inside a function."""
    for child in ast.iter_child_nodes(tree):
        yield child, lazy
        yield from nodes(child, lazy or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda))


def imports() -> Iterator[Import]:
    """Every import of the package, made absolute; `from x import y` is one of `x.y` where that is a module."""
    for name, path in MODULES.items():
        package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
        for node, lazy in nodes(TREES[path]):
            match node:
                case ast.Import(names):
                    yield from (Import(name, alias.name, lazy, node.lineno) for alias in names)
                case ast.ImportFrom(module, names, level):
                    base = package[: len(package) - level + 1] if level else []
                    target = ".".join([*base, *([module] if module else [])])
                    for alias in names:
                        deeper = f"{target}.{alias.name}"
                        yield Import(name, deeper if deeper in MODULES else target, lazy, node.lineno)


IMPORTS = tuple(imports())


def room(module: str) -> str:
    return next((known for known in ROOMS_BY_LENGTH if is_within(module, known)), "")


def test_every_module_has_a_floor() -> None:
    homeless = [name for name in MODULES if room(name) in ("", "mixc") and name not in ("mixc", "mixc.compiler")]
    assert not homeless, "give these a floor here and in ARCHITECTURE.md"


def test_arrows_point_down() -> None:
    climbing = []
    for each in IMPORTS:
        if not is_within(each.target, "mixc"):
            continue
        here, there = room(each.importer), room(each.target)
        if here != there and FLOORS[there] >= FLOORS[here] and not FLOORS[there] == FLOORS[here] <= 2:
            climbing.append(str(each))
    assert not sorted(set(climbing))


@pytest.mark.parametrize("watcher", SEES)
def test_a_room_sees_only_what_it_may(watcher: str) -> None:
    seen = [
        str(each)
        for each in IMPORTS
        if is_within(each.importer, watcher) and is_within(each.target, "mixc.compiler", "mixc.cli")
        and not is_within(each.target, watcher, *SEES[watcher])
    ]
    assert not sorted(set(seen))


def test_engines_know_nothing_of_scorers() -> None:
    known = [e for e in IMPORTS if is_within(e.importer, "mixc.runtime.engines")]
    assert not [str(e) for e in known if is_within(e.target, "mixc.runtime.scorers")]


def test_no_modules_import_one_another_in_a_circle() -> None:
    wants = {name: {e.target for e in IMPORTS if e.importer == name and not e.lazy} for name in MODULES}
    left = dict(wants)
    while free := [name for name, targets in left.items() if not targets & left.keys() - {name}]:
        for name in free:
            del left[name]
    assert not left, "these import one another"


def test_imports_inside_the_house_are_relative_and_none_leaves_it() -> None:
    wrong = []
    for name, path in MODULES.items():
        depth = len(name.split(".")) - (path.name != "__init__.py")
        for node, _ in nodes(TREES[path]):
            match node:
                case ast.Import(names) if any(is_within(alias.name, "mixc") for alias in names):
                    wrong.append(f"{name}:{node.lineno} imports mixc by name")
                case ast.ImportFrom(module, _, 0) if is_within(module or "", "mixc"):
                    wrong.append(f"{name}:{node.lineno} imports mixc by name")
                case ast.ImportFrom(_, _, level) if level > depth:
                    wrong.append(f"{name}:{node.lineno} climbs out of the package")
    assert not wrong


def test_every_package_and_every_data_file_is_listed_for_the_wheel() -> None:
    settings = PROJECT["tool"]["setuptools"]
    found = {module_name(path) for path in TREES if path.name == "__init__.py"}
    assert set(settings["packages"]) == found
    folders = {path.parent for path in TREES}
    assert folders == {path.parent for path in TREES if path.name == "__init__.py"}, "a folder without an __init__.py"
    assert [path.name for path in ROOT.glob("*.py")] == ["__init__.py"], "a module at the root would be in the wheel"
    for room in ROOMS:
        for path in (ROOT / room).rglob("*"):
            if path.is_file() and path.suffix not in (".py", ".pyc") and path != ROOT / room / "README.md":
                package = next(folder for folder in path.parents if folder in folders)
                patterns = settings["package-data"].get(module_name(package / "__init__.py"), [])
                inside = path.relative_to(package).as_posix()
                assert any(fnmatch(inside, each) for each in patterns), f"{path} would be missing from the wheel"


def distribution(package: str) -> str:
    return {"yaml": "pyyaml"}.get(package, package.replace("_", "-").lower())


def declared(requirements: list[str]) -> set[str]:
    names = (re.match(r"[A-Za-z0-9._-]+", each) for each in requirements)
    return {distribution(found.group()) for found in names if found}


def test_every_import_is_a_declared_dependency_and_stands_where_it_may() -> None:
    core = declared(PROJECT["project"]["dependencies"])
    extras = PROJECT["project"]["optional-dependencies"]
    models = declared([*extras["train"], *extras["vllm"]])
    wrong = []
    for each in IMPORTS:
        package = each.target.split(".")[0]
        if package == "mixc" or package in sys.stdlib_module_names:
            continue
        if distribution(package) in core:
            rooms = CORE_IN.get(package, ())
        elif distribution(package) in declared(extras["lsp"]):
            rooms = ("mixc.cli.server",)
        elif distribution(package) in models and each.lazy:
            rooms = MAY_LOAD_MODELS
        else:
            wrong.append(f"{each}: not a dependency of the core")
            continue
        if not is_within(each.importer, *rooms):
            wrong.append(f"{each}: not in this room")
    assert not wrong


def test_the_compiler_is_pure() -> None:
    """No disk, network, clock, chance, environment or printing left of the plan."""
    worldly = {"os", "time", "datetime", "random", "secrets", "subprocess", "socket", "urllib", "http", "tempfile"}
    worldly |= {"shutil", "glob", "logging", "threading", "multiprocessing", "asyncio"}
    wrong = []
    for each in IMPORTS:
        if is_within(each.importer, "mixc.compiler") and each.target.split(".")[0] in worldly:
            wrong.append(str(each))
    for name, path in MODULES.items():
        for node, _ in nodes(TREES[path]):
            match node:
                case ast.Call(ast.Name("print" | "input" | "open" as called)):
                    if is_within(name, "mixc.compiler") or (is_within(name, "mixc.runtime") and called != "open"):
                        wrong.append(f"{name}:{node.lineno} calls {called}")
    assert not wrong


def loaded_after(code: str) -> set[str]:
    """The heavy packages that a fresh Python holds after running `code`."""
    preamble = "import sys, importlib.util\nfrom pathlib import Path\n" + (ROOT / "tests" / "conftest.py").read_text()
    ending = f"\nprint('LOADED', *sorted({HEAVY!r} & set(sys.modules)))"
    script = preamble.replace("Path(__file__).parents[1]", f"Path({str(ROOT)!r})") + code + ending
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, env={**os.environ, "COLUMNS": "100"}
    )
    assert run.returncode == 0, run.stderr
    return set(run.stdout.splitlines()[-1].split()[1:])


def test_no_module_of_the_compiler_loads_anything_heavy() -> None:
    pure = [name for name in MODULES if is_within(name, "mixc.compiler", "mixc.grammar")]
    light = [f"import {name}" for name in pure if not is_within(name, "mixc.compiler.backends")]
    assert loaded_after("\n".join(light)) == set()


@pytest.mark.skipif("mixc.cli.commands.check" not in MODULES, reason="there is no `mixc check`")
def test_mixc_check_loads_neither_torch_nor_polars(tmp_path: Path) -> None:
    spec = tmp_path / "a.mix"
    spec.write_text((ROOT / "specs" / "reselect.mix").read_text().replace("../data/shared/teachers.parquet", "t.jsonl"))
    texts = ("prompt_id", "prompt", "response", "reference_answer", "teacher", "skill")
    row = {**dict.fromkeys(texts, "x"), "correct": True, "student_tokens": 1}
    (tmp_path / "t.jsonl").write_text(json.dumps(row) + "\n")
    run = f"import mixc.cli.main\nsys.argv = ['mixc', 'check', {str(spec)!r}]\n"
    run += "try:\n    mixc.cli.main.main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
    assert loaded_after(run) == set()


def sources() -> list[Path]:
    scripts = (path for folder in SCRIPTS for path in (ROOT / folder).rglob("*.py") if "__pycache__" not in path.parts)
    return [*TREES, *sorted(scripts), *sorted((ROOT / "grammar").glob("*.lark"))]


def test_rooms_are_small_and_have_a_word_at_the_door() -> None:
    for path in sources():
        text = path.read_text(encoding="utf-8")
        assert text.count("\n") <= 400, f"{path} has more than 400 lines: split it by meaning"
        if path.suffix == ".py":
            assert ast.get_docstring(ast.parse(text)), f"{path} does not say what it is"


def test_an_init_is_a_docstring() -> None:
    for name, path in MODULES.items():
        if path.name == "__init__.py" and name not in ("mixc", "mixc.grammar", "mixc.compiler.codes"):
            assert len(TREES[path].body) == 1, f"{name} does more than say what it is"


def test_names_say_what_things_are() -> None:
    drawers = {"utils", "util", "common", "helpers", "helper", "misc", "manager", "core", "base_classes"}
    for path in sources():
        inside = path.relative_to(ROOT)
        assert not drawers & {*inside.parts[:-1], inside.stem}, f"{inside} is a drawer"
    empty = re.compile(r"(Manager|Helper|Util|Utils|Handler)$|^Base[A-Z]")
    for path, tree in TREES.items():
        classes = [node.name for node, _ in nodes(tree) if isinstance(node, ast.ClassDef)]
        assert not [name for name in classes if empty.search(name)], path


@pytest.mark.parametrize("name", ["syntax.ast", "semantics.ir", "plan.stages"])
def test_every_node_is_frozen(name: str) -> None:
    for node, _ in nodes(TREES[MODULES[f"mixc.compiler.{name}"]]):
        if isinstance(node, ast.ClassDef) and node.decorator_list:
            written = ast.unparse(node.decorator_list[0])
            assert "frozen=True" in written and "slots=True" in written, f"{name}.{node.name}"


def test_nothing_runs_what_it_reads() -> None:
    """No pickle, no evaluation of text, no shell, no remote code, of YAML the safe loader alone: no spec and no data can run anything."""
    loaders = {"pickle", "cloudpickle", "dill", "marshal", "shelve", "yaml", "joblib"}
    wrong = [str(each) for each in IMPORTS if each.target.split(".")[0] in loaders and (each.importer, each.target) != ("mixc.cli.foreign.read_yaml", "yaml")]
    taken = {ast.unparse(node) for node, _ in nodes(TREES[MODULES["mixc.cli.foreign.read_yaml"]]) if isinstance(node, ast.Attribute) and ast.unparse(node).startswith("yaml.")}
    assert taken == {"yaml.SafeLoader", "yaml.reader", "yaml.reader.ReaderError", "yaml.MarkedYAMLError"}, "of PyYAML the safe loader and its errors, no other loader"
    for name, path in MODULES.items():
        for node, _ in nodes(TREES[path]):
            match node:
                case ast.Call(ast.Name("eval" | "exec" | "__import__")):
                    wrong.append(f"{name}:{node.lineno} runs text")
                case ast.Call(ast.Attribute(ast.Name("os"), "system" | "popen")):
                    wrong.append(f"{name}:{node.lineno} runs a shell")
                case ast.keyword("shell" | "trust_remote_code" | "allow_pickle", ast.Constant(True)):
                    wrong.append(f"{name} sets {node.arg}")
                case ast.Call(ast.Attribute(ast.Name("torch"), "load"), _, keywords):
                    if not any(k.arg == "weights_only" and ast.unparse(k.value) == "True" for k in keywords):
                        wrong.append(f"{name}:{node.lineno} loads a pickle through torch")
    assert not wrong


def test_nothing_is_left_for_later_and_no_machine_is_named() -> None:
    later = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX)\b|/(?:home|root|Users|opt|mnt)/\w")
    patterns = ("*.md", "docs/**/*.md", "specs/**/*.mix", "Makefile", ".ci/*")
    texts = [path for pattern in patterns for path in ROOT.glob(pattern)]
    for path in [*sources(), *texts]:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if "re.compile" not in line:
                assert not later.search(line), f"{path}:{number}: {line.strip()}"
