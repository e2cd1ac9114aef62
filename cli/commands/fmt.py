"""`mixc fmt`: specs in canonical form. Knows files and folders; what is canonical is the compiler's to say."""

import difflib
import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from ...compiler.diagnostics import Diagnostic, Diagnostics, Fault
from ...compiler.source import Source
from ...compiler.syntax.arrange import arrange
from ...compiler.syntax.same import same
from ..arguments import Usage
from ..console import Terminal
from ..exit import DIFFERENT, FINE, exit_code
from ..render import render_json, render_text
from ..rewrite import rewrite
from ..snippet import visible
from ..sources import read_source, source_at

STDIN = "<stdin>"
COLORS = {"-": "red", "+": "green", "@": "cyan"}


@dataclass(frozen=True, slots=True)
class Formatted:
    """A file, what it holds, and what it should hold."""

    path: str
    before: bytes
    after: bytes

    @property
    def changed(self) -> bool:
        return self.before != self.after


def configure(parser: ArgumentParser) -> None:
    parser.add_argument(
        "specs", nargs="+", metavar="SPEC", help="`.mix` files, folders (every `.mix` below), or `-` (standard input to standard output)"
    )
    parser.add_argument("--check", action="store_true", help="write nothing, list what would change; exit code 2 if anything would")
    parser.add_argument("--diff", action="store_true", help="write nothing, show what would change; exit code 2 if anything would")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text (default), or json with --check")


def run(arguments: Namespace) -> int:
    """What does not parse is told and left as it is, and the others are formatted all the same."""
    if arguments.format == "json" and (not arguments.check or arguments.diff):
        raise Usage("`--format json` goes with `--check` alone", "usage: mixc fmt SPEC… --check --format json")
    if "-" in arguments.specs and len(arguments.specs) > 1:
        raise Usage("`-` stands alone: standard input is one spec", "usage: mixc fmt -")
    terminal: Terminal = arguments.terminal
    found: list[Diagnostic] = []
    done: list[Formatted] = []
    for path in _paths(arguments.specs, found):
        try:
            formatted = _format(path, arguments, found)
            done += [formatted] if formatted else []
        except Fault as fault:
            found.extend(fault.diagnostics)
    changed = [each for each in done if each.changed]
    if arguments.format == "json":
        data = {"changed": [each.path for each in changed], **json.loads(render_json(found, arguments.sources))}
        terminal.result(json.dumps(data, indent=2, ensure_ascii=False))
    else:
        _tell(changed, len(done) - len(changed), arguments)
        render_text(found, arguments.sources, terminal.err)
    if exit_code(found):
        return exit_code(found)
    return DIFFERENT if changed and (arguments.check or arguments.diff) else FINE


def _paths(named: list[str], found: list[Diagnostic]) -> Iterator[str]:
    """The files meant, each once."""
    met: set[Path] = set()
    for name in named:
        folder = Path(name)
        if name == "-" or not folder.is_dir():
            below = [name]
        else:
            below = sorted(str(path) for path in folder.rglob("*.mix") if path.is_file() and not _is_hidden(path.relative_to(folder)))
            if not below:
                found.append(Diagnostic("MIX0208", f"no spec in the folder `{name}`", help="specs end in `.mix`"))
        for path in below:
            real = Path(path).resolve()
            if real not in met:
                met.add(real)
                yield path


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts[:-1])


def _format(path: str, arguments: Namespace, found: list[Diagnostic]) -> Formatted | None:
    """Format one file, or standard input, and put the text where it belongs unless it is only asked for; None if it does not parse."""
    if path == "-":
        before = _stdin()
        source = source_at(STDIN, lambda name: Source(name, before.decode("utf-8-sig")))
    else:
        source = source_at(path, read_source)
        before = Path(path).read_bytes()
    arguments.sources[source.path] = source
    notes = Diagnostics()
    text = arrange(source, notes)
    found.extend(notes)
    if text is None:
        return None
    formatted = Formatted(source.path, before, text.encode("utf-8"))
    if formatted.changed and not same(source, Source(source.path, text)):
        raise AssertionError(f"formatting {source.path} would change what it says; it was left as it is")
    if not arguments.check and not arguments.diff:
        if path == "-":
            _write_stdout(formatted.after)
        elif formatted.changed:
            rewrite(path, formatted.after)
    return formatted


def _stdin() -> bytes:
    if sys.stdin is None:
        raise Fault(Diagnostic("MIX0208", "standard input is closed"))
    return sys.stdin.buffer.read()


def _write_stdout(data: bytes) -> None:
    """Bytes as they are: a terminal's encoding must not change a spec."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _tell(changed: list[Formatted], same: int, arguments: Namespace) -> None:
    terminal: Terminal = arguments.terminal
    if arguments.diff:
        for each in changed:
            _show_diff(each, terminal)
    elif arguments.check:
        for each in changed:
            terminal.result(visible(each.path))
    elif arguments.specs == ["-"]:
        return
    else:
        for each in changed:
            terminal.say(f"formatted {each.path}")
    would = "would be formatted" if arguments.check or arguments.diff else "formatted"
    right = "as it should be" if same == 1 else "as they should be"
    counts = [f"{_files(len(changed))} {would}"] * bool(changed) + [f"{_files(same)} {right}"] * bool(same)
    if counts:
        terminal.say(", ".join(counts), "" if changed else "success")


def _files(count: int) -> str:
    return f"{count:,} file{'' if count == 1 else 's'}"


def _show_diff(formatted: Formatted, terminal: Terminal) -> None:
    """A unified diff; as it is where it is piped, coloured and with nothing that a terminal would obey where it is read."""
    before, after = (_lines(data.decode("utf-8")) for data in (formatted.before, formatted.after))
    for line in difflib.unified_diff(before, after, formatted.path, formatted.path):
        for shown in [line.removesuffix("\n")] + ["\\ No newline at end of file"] * (not line.endswith("\n")):
            if terminal.out.is_terminal:
                terminal.out.print(Text(visible(shown), COLORS.get(shown[:1], "")), soft_wrap=True)
            else:
                terminal.result(shown)


def _lines(text: str) -> list[str]:
    """The lines of a text with their ends, which a carriage return alone is not."""
    *lines, last = text.split("\n")
    return [f"{line}\n" for line in lines] + [last] * bool(last)
