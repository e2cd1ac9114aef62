"""What is named to folders of builds, and the short names that tell them apart."""

from pathlib import Path

import pytest
from mixc.runtime.named_builds import named_builds


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Builds of two specs in two places, and one alone."""
    monkeypatch.chdir(tmp_path)
    for name in ("build/a/x", "build/a/y", "build/b/x", "old/a/x", "alone"):
        Path(name).mkdir(parents=True)
        (Path(name) / "manifest.json").write_text("{}")
    Path("build/empty").mkdir()


@pytest.mark.parametrize(
    ("named", "names"),
    [
        (["alone"], ["alone"]),
        (["alone/"], ["alone"]),
        (["./alone", "alone"], ["alone"]),
        (["build/a"], ["x", "y"]),
        (["build/a/y", "build/a"], ["y", "x"]),
        (["a.mix", "alone"], ["x", "y", "alone"]),
        (["build/a", "build/b"], ["a/x", "y", "b/x"]),
        (["build/a/x", "old/a/x", "alone"], ["build/a/x", "old/a/x", "alone"]),
        (["build"], ["a/x", "y", "b/x"]),
        (["build/empty"], ["empty"]),
        (["nowhere.mix"], ["nowhere"]),
    ],
)
def test_builds_go_by_what_tells_them_apart(named: list[str], names: list[str]) -> None:
    found = named_builds(named)
    assert [name for name, _ in found] == names
    assert len({path.resolve() for _, path in found}) == len(found)


def test_the_working_directory_may_be_a_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("alone")
    ((name, path),) = named_builds(["."])
    assert (name, path) == ("alone", Path())
