"""Takes the pictures of the documentation: real output of real commands, in a terminal of 96 columns: `python scripts/pictures.py` writes docs/images/*.svg."""

import os
import pty
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from pygments.lexers import get_lexer_by_name
from rich.console import Console
from rich.syntax import Syntax
from rich.terminal_theme import MONOKAI
from rich.text import Text

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
WIDTH = 96
PROGRAM = [sys.executable, "-m", "mixc.cli.main"]

BROKEN = """mix "pictures" { seed 1 }

corpus rows {
  scan     "rows.jsonl"
  prompt   question
  response solution
  teacher  model
}

score length = column(count, unit: tokens)

select {
  where    length >= 3 nats
  where    lenght <= 4k tokens
  keep     best 1 per prompt by -length
  quota    teacher "terse" <= 40 %
  budget   1000
}
"""
ROW = '{"question": "q", "solution": "s", "model": "terse", "count": 3}\n'


def typed(words: list[str], folder: Path) -> str:
    """What a command prints on a terminal of its own, escape codes included."""
    leader, follower = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(WIDTH), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    environment.pop("NO_COLOR", None)
    run = subprocess.Popen(words, cwd=folder, stdin=follower, stdout=follower, stderr=follower, env=environment)
    os.close(follower)
    said = b""
    while True:
        try:
            piece = os.read(leader, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        said += piece
    run.wait()
    os.close(leader)
    return said.decode("utf-8").replace("\r\n", "\n")


def draw(name: str, title: str, shown: Text | Syntax) -> None:
    """One picture, without a font from elsewhere."""
    console = Console(record=True, width=WIDTH, file=open(os.devnull, "w"), force_terminal=True, color_system="truecolor")  # noqa: SIM115, PTH123
    console.print(shown)
    picture = console.export_svg(title=title, theme=MONOKAI, unique_id=name)
    picture = re.sub(r"@font-face \{.*?\}\n", "", picture, flags=re.DOTALL).replace("Fira Code,", "")
    IMAGES.mkdir(parents=True, exist_ok=True)
    (IMAGES / f"{name}.svg").write_text("\n".join(line.rstrip() for line in picture.splitlines()) + "\n", encoding="utf-8")


def command(name: str, words: str, folder: Path) -> None:
    """A picture of a command and its output."""
    draw(name, words, Text.from_ansi(typed([*PROGRAM, *words.split()[1:]], folder).rstrip("\n")))


def main() -> None:
    """All pictures anew."""
    recipe = (ROOT / "specs" / "gsm8k.mix").read_text(encoding="utf-8")
    draw("highlight", "specs/gsm8k.mix", Syntax(recipe, get_lexer_by_name("mix"), theme="monokai"))
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "rows.jsonl").write_text(ROW, encoding="utf-8")
        (folder / "recipe.mix").write_text(BROKEN, encoding="utf-8")
        command("diagnostics", "mixc check recipe.mix", folder)
        typed([*PROGRAM, "init", "demo"], folder)
        command("plan", "mixc plan recipe.mix", folder / "demo")
        recipe = (folder / "demo" / "recipe.mix").read_text(encoding="utf-8")
        changed = recipe.replace("length <= 40 tokens", "length <= 30 tokens").replace('"hasty" <= 2 examples', '"hasty" <= 20%')
        (folder / "demo" / "shorter.mix").write_text(changed, encoding="utf-8")
        command("diff", "mixc diff recipe.mix shorter.mix", folder / "demo")


if __name__ == "__main__":
    main()
