"""The VS Code extension, packed by VS Code's own tool."""

import json
import os
import subprocess
import zipfile
from pathlib import Path

import pytest
from mixc.tests.editors.meaning import ROOT

HOME = ROOT / "editors" / "vscode"
pytestmark = pytest.mark.node


def test_extension_is_packed_with_all_it_needs(tmp_path: Path) -> None:
    packed = tmp_path / "mixc.vsix"
    tool = HOME / "node_modules" / ".bin" / "vsce"
    environment = {**os.environ, "NO_UPDATE_NOTIFIER": "1"}
    words = [str(tool), "package", "--allow-missing-repository", "--out", str(packed)]
    run = subprocess.run(words, cwd=HOME, capture_output=True, text=True, env=environment)
    assert run.returncode == 0, run.stdout + run.stderr
    with zipfile.ZipFile(packed) as archive:
        names = set(archive.namelist())
        manifest = json.loads(archive.read("extension/package.json"))
    for path in (
        manifest["main"],
        *(g["path"] for g in manifest["contributes"]["grammars"]),
        *(each["configuration"] for each in manifest["contributes"]["languages"]),
    ):
        assert f"extension/{path.removeprefix('./')}" in names
    assert "extension/node_modules/vscode-languageclient/package.json" in names
    assert not any("vscode-textmate" in name or name.startswith("extension/test") for name in names)


def test_its_program_parses() -> None:
    subprocess.run(["node", "--check", str(HOME / "src" / "extension.js")], check=True)
