"""The program from outside: what it prints where, and what it exits with."""

import errno
import os
import pty
import shlex
import signal
import subprocess
import sys
import types
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path

import pytest
from mixc import __version__
from mixc.cli import main as program
from mixc.cli.main import VERBS, main
from mixc.compiler.diagnostics import Diagnostic, Fault, Label
from mixc.compiler.source import Source, Span

from .program import START, arguments, environment, mixc

HEAVY = ("torch", "transformers", "trl", "polars", "numpy", "highspy", "rensa", "jsonschema", "math_verify")


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Namespace], int]], None]:
    """Adds a verb `work` that does what it is given."""

    def add(work: Callable[[Namespace], int]) -> None:
        module = types.ModuleType("work")
        module.configure = lambda parser: parser.add_argument("--format", default="text")  # type: ignore[attr-defined]
        module.run = work  # type: ignore[attr-defined]
        monkeypatch.setitem(program.VERBS, "work", "do it")
        monkeypatch.setitem(sys.modules, "mixc.cli.commands.work", module)

    return add


def raises(error: BaseException) -> Callable[[Namespace], int]:
    def work(_: Namespace) -> int:
        raise error

    return work


def test_help_fits_a_screen_and_names_every_verb():
    done = mixc("--help")
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert len(lines) <= 24 and max(map(len, lines)) <= 80
    shown = [line.removeprefix("  ").split("  ")[0].split(", ") for line in lines[3 : lines.index("", 3)]]
    assert [verb for verbs in shown for verb in verbs] == list(VERBS)


@pytest.mark.parametrize("words", [("-h",), ("help",), ("-q", "--help")])
def test_help_is_help_however_it_is_asked_for(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]):
    assert main(words) == 0
    assert capsys.readouterr().out == program.help_text() + "\n"


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_has_help_of_its_own(name: str, capsys: pytest.CaptureFixture[str]):
    assert main([name, "--help"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: mixc {name}")
    assert "--no-color" in shown


@pytest.mark.parametrize("words", [("--version",), ("explain", "--version"), ("-q", "--version")])
def test_version_before_and_after_a_verb(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]):
    assert main(words) == 0
    assert capsys.readouterr().out == f"mixc {__version__}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "a verb is missing"),
        (("biuld", "x.mix"), "did you mean `mixc build`?"),
        (("specs/x.mix",), "did you mean `mixc build specs/x.mix`?"),
        (("frobnicate",), "`mixc --help` lists the verbs"),
        (("--frob",), "there is no flag `--frob`"),
        (("--quite", "explain"), "did you mean `--quiet`?"),
        (("explain", "--fromat", "json"), "did you mean `--format`?"),
        (("explain", "--form", "json"), "there is no flag `--form`"),
        (("explain", "--format=jsno"), "did you mean `json`?"),
        (("explain", "--format", "yaml"), "one of `text`, `json`"),
        (("explain", "--format"), "--format: expected one argument"),
        (("explain", "MIX0101", "MIX0102"), "`MIX0102` is one argument too many"),
        (("check",), "SPEC is missing"),
        (("explain", "-q", "-v"), "not allowed with"),
        (("explain", "MIX9999"), "there is no code `MIX9999`"),
    ],
)
def test_a_wrong_command_line_exits_with_1_and_says_what_to_type(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
):
    assert main(words) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert said in shown.err
    assert "usage: mixc" in shown.err


def test_global_flags_stand_before_and_after_the_verb(verb: Callable[..., None]):
    seen: list[tuple[bool, bool]] = []

    def work(given: Namespace) -> int:
        seen.append((given.terminal.quiet, given.terminal.err.no_color))
        return 0

    verb(work)
    for words in (["-q", "--no-color", "work"], ["work", "-q", "--no-color"], ["--no-color", "work", "--quiet"]):
        assert main(words) == 0
    assert seen == [(True, True)] * 3


def listing(*words: str) -> str:
    """Code that runs a command and then tells which heavy modules it has loaded."""
    return (
        START.partition("runpy.run_module")[0]
        + "import sys; from mixc.cli.main import main; "
        + f"code = main({list(words)!r}); loaded = [m for m in {HEAVY!r} if m in sys.modules]; "
        + "print(loaded, file=sys.stderr); sys.exit(code)"
    )


@pytest.mark.parametrize("words", [("--help",), ("explain",), ("explain", "MIX0201"), ("frob",), ("init", "demo")])
def test_nothing_heavy_is_imported_before_there_is_work_for_it(words: tuple[str, ...], tmp_path: Path):
    done = subprocess.run(
        arguments(code=listing(*words)), cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.stderr.splitlines()[-1] == "[]"


def test_help_imports_neither_rich_nor_any_verb():
    code = listing("--help").replace(repr(HEAVY), repr(("rich", "lark", *(f"mixc.cli.commands.{v}" for v in VERBS))))
    done = subprocess.run(arguments(code=code), env=environment(), capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize(("code", "expected"), [("MIX0401", 3), ("MIX0501", 4), ("MIX0201", 1)])
def test_a_fault_is_drawn_in_its_spec_and_its_code_decides_the_exit(
    code: str, expected: int, verb: Callable[..., None], capsys: pytest.CaptureFixture[str]
):
    def work(given: Namespace) -> int:
        given.sources["a.mix"] = Source("a.mix", "select { }\n")
        raise Fault(Diagnostic(code, "it does not hold", Label(Span("a.mix", 0, 6), "this")))

    verb(work)
    assert main(["work"]) == expected
    shown = capsys.readouterr()
    assert shown.out == ""
    assert f"error[{code}]: it does not hold\n --> a.mix:1:1\n  |\n1 | select {{ }}\n  | ^^^^^^ this\n" in shown.err
    assert main(["work", "--format", "json"]) == expected
    assert f'"code": "{code}"' in capsys.readouterr().out


def test_a_fault_in_a_file_that_was_not_handed_over_is_drawn_from_the_file(
    verb: Callable[..., None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    spec = tmp_path / "a.mix"
    spec.write_bytes("\ufeffmix\r\nselect { }\r\n".encode())
    verb(raises(Fault(Diagnostic("MIX0501", "m", Label(Span(str(spec), 5, 11), "this")))))
    assert main(["work"]) == 4
    assert "2 | select { }\n  | ^^^^^^ this\n" in capsys.readouterr().err


def test_a_bug_says_what_a_report_needs_and_shows_a_traceback_only_when_asked(
    verb: Callable[..., None], capsys: pytest.CaptureFixture[str]
):
    verb(raises(ZeroDivisionError("by zero")))
    assert main(["work"]) == 4
    brief = capsys.readouterr().err
    assert "this is a bug in mixc: ZeroDivisionError: by zero" in brief
    assert f"mixc {__version__}" in brief and "command  mixc work" in brief and "test_main.py:" in brief
    assert "Traceback" not in brief
    assert main(["-v", "work"]) == 4
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "build/x"), "no space left on device: build/x"),
        (PermissionError(errno.EACCES, "Permission denied", "/root"), "permission denied: /root"),
        (MemoryError(), "not enough memory"),
    ],
)
def test_what_the_system_refuses_is_a_failed_run_and_no_bug(
    error: BaseException, said: str, verb: Callable[..., None], capsys: pytest.CaptureFixture[str]
):
    verb(raises(error))
    assert main(["work"]) == 4
    shown = capsys.readouterr().err
    assert said in shown and "bug" not in shown and "Traceback" not in shown


def test_ctrl_c_exits_with_130_and_says_how_to_go_on(verb: Callable[..., None], capsys: pytest.CaptureFixture[str]):
    verb(raises(KeyboardInterrupt()))
    assert main(["work"]) == 130
    assert capsys.readouterr().err == ("interrupted; what was finished is kept, run the same command to go on\n")


SLEEPY = (
    START.partition("runpy.run_module")[0]
    + "import sys, time, types, mixc.cli.main as m; w = types.ModuleType('w'); w.configure = lambda p: None; "
    + "w.run = lambda a: (print('ready', flush=True), time.sleep(60)); "
    + "m.VERBS['w'] = 'w'; sys.modules['mixc.cli.commands.w'] = w; sys.exit(m.main(['w']))"
)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_both_signals_end_a_run_in_the_same_way(number: signal.Signals):
    running = subprocess.Popen(
        arguments(code=SLEEPY), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    assert running.stdout.readline() == "ready\n"
    running.send_signal(number)
    _, err = running.communicate(timeout=30)
    assert running.returncode == 130
    assert err == "interrupted; what was finished is kept, run the same command to go on\n"


def test_signals_are_as_they_were_after_a_run():
    before = signal.getsignal(signal.SIGTERM)
    main(["--version"])
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("words", [("explain",), ("explain", "--format", "json"), ("--help",)])
def test_a_reader_who_leaves_is_no_error_worth_words(words: tuple[str, ...]):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        arguments(*words), env=environment(), stdout=writer, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writer)
    assert done.stderr == ""
    assert done.returncode == 141


def test_a_closed_stdout_is_no_bug():
    shell = " ".join(shlex.quote(word) for word in arguments("explain")) + " >&-"
    done = subprocess.run(["sh", "-c", shell], env=environment(), stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def on_a_terminal(*words: str, **env: str) -> str:
    """What a command writes to stdout where that is a terminal."""
    ours, theirs = pty.openpty()
    more = {"TERM": "xterm-256color", "COLUMNS": "90"} | env
    running = subprocess.Popen(arguments(*words), env=environment(**more), stdout=theirs, stderr=subprocess.DEVNULL)
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
    running.wait(timeout=60)
    os.close(ours)
    return shown.decode()


def test_colour_is_for_terminals_and_for_who_wants_it():
    assert "\x1b[" in on_a_terminal("explain", "MIX0201")
    assert "\x1b[" not in on_a_terminal("explain", "MIX0201", NO_COLOR="1")
    assert "\x1b[" not in on_a_terminal("explain", "MIX0201", "--no-color")
    assert "\x1b[" not in mixc("explain", "MIX0201").stdout


def test_a_verb_that_configures_nothing_still_parses(verb: Callable[..., None]):
    def configure(parser: ArgumentParser) -> None:
        return None

    verb(lambda given: 0)
    sys.modules["mixc.cli.commands.work"].configure = configure  # type: ignore[attr-defined]
    assert main(["work"]) == 0
