"""Arguments to a verb, and what comes of it to a contracted exit code. It knows the verbs by name, not their work."""

import contextlib
import importlib
import os
import select
import signal
import sys
import traceback
from argparse import Namespace
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from types import FrameType, ModuleType
from typing import TYPE_CHECKING

from .. import __version__
from ..compiler.suggest import suggest
from .arguments import Parser, Usage, add_global_flags, parse
from .exit import FAILED, FINE, INTERRUPTED, PIPE_CLOSED, WRONG, exit_code

if TYPE_CHECKING:
    from ..compiler.diagnostics import Fault
    from .console import Terminal

VERBS = {
    "init": "write a small working starter project",
    "check": "parse, resolve, type-check and lint specs; loads no model",
    "fmt": "put specs into canonical form; --check and --diff only tell",
    "test": "run the tests that specs carry, on their own fixtures",
    "plan": "show the stages, rows, what is cached, what the rest costs",
    "rank-teachers": "order teachers by the mean of a score, with intervals",
    "skills": "show what each skill has: rows, tokens, correct responses",
    "build": "run what the plan requires, resuming what was interrupted",
    "why": "tell why a row of a build is in or out, clause by clause",
    "compare": "set builds side by side: rows, training, accuracy, intervals",
    "diff": "compare specs by meaning, builds row by row with the cause",
    "log": "tell the history of a folder of builds, a line each",
    "cache": "show, verify and tidy the store of scores",
    "explain": "tell the long story of a diagnostic",
    "lsp": "answer an editor on standard input and output",
}

USAGE_CODE = "usage"
"""Stands where a diagnostic has its code, for a command line that is wrong: there is no spec, so no code, to look up."""

USAGE = "usage: mixc VERB [ARGUMENTS] [-q | -v] [--no-color] [--version]"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (without the program's name) and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    _open_closed_streams()
    with _terminated_like_interrupted():
        try:
            return _run(words)
        except KeyboardInterrupt:
            _complain("interrupted; what was finished is kept, run the same command to go on")
            return INTERRUPTED
        except BrokenPipeError:
            return PIPE_CLOSED if _reader_has_gone() else _bug(words)
        except Exception:
            return _bug(words)


def _run(words: list[str]) -> int:
    try:
        arguments = _arguments(words)
        code = FINE if arguments is None else _command(arguments)
        sys.stdout.flush()
        return code
    except Usage as usage:
        _misused(usage, words)
        return WRONG


def _misused(usage: Usage, words: list[str]) -> None:
    """Tell of a wrong command line, in the format that it asks for where that much can be read."""
    asked = [word.partition("=")[2] or after for word, after in pairwise([*words, ""]) if word.partition("=")[0] == "--format"]
    if asked[-1:] and asked[-1] in ("json", "sarif", "github"):
        from ..compiler.diagnostics import Diagnostic
        from .console import open_terminal
        from .formats import show

        show(asked[-1], [Diagnostic(USAGE_CODE, str(usage), notes=(usage.usage,), help=usage.help)], {}, open_terminal(color=False))
        return
    _complain(f"error: {usage}")
    if usage.help:
        _complain(f"  help: {usage.help}")
    _complain(usage.usage)


def _arguments(words: list[str]) -> Namespace | None:
    """The parsed command line with its `verb`; None where help or the version was all that was asked."""
    head = next((i for i, word in enumerate(words) if not word.startswith("-")), len(words))
    everywhere = parse(_global_parser(), words[:head])
    if everywhere is None:
        return None
    if everywhere.help or words[head : head + 1] == ["help"]:
        print(help_text())
        return None
    if head == len(words):
        raise Usage("a verb is missing", help_text())
    verb = words[head]
    if verb not in VERBS:
        raise _unknown(verb)
    parser = Parser(prog=f"mixc {verb}", description=_sentence(VERBS[verb]), allow_abbrev=False)
    _module(verb).configure(parser)
    add_global_flags(parser)
    arguments = parse(parser, words[:head] + words[head + 1 :])
    if arguments is not None:
        arguments.verb = verb
    return arguments


def _command(arguments: Namespace) -> int:
    """Run the verb; `terminal` and `sources` (the texts read so far, by path) are handed to it in its arguments."""
    from ..compiler.diagnostics import Fault
    from .console import open_terminal

    terminal = open_terminal(color=not arguments.no_color, quiet=arguments.quiet, verbose=arguments.verbose)
    arguments.terminal = terminal
    arguments.sources = {}
    try:
        return _module(arguments.verb).run(arguments)
    except Fault as fault:
        return _fault(fault, arguments, terminal)
    except OSError as refused:
        if isinstance(refused, BrokenPipeError) or refused.strerror is None:
            raise
        place = f": {refused.filename}" if refused.filename else ""
        _complain(f"error[MIX0508]: the system refused: {refused.strerror.lower()}{place}")
        if terminal.verbose:
            traceback.print_exc()
    except MemoryError:
        _complain("error[MIX0508]: there is not enough memory")
    return FAILED


def _module(verb: str) -> ModuleType:
    return importlib.import_module(f"{__package__}.commands.{verb.replace('-', '_')}")


def _global_parser() -> Parser:
    parser = Parser(prog="mixc", usage=USAGE.removeprefix("usage: "), add_help=False, allow_abbrev=False)
    add_global_flags(parser)
    parser.add_argument("-h", "--help", action="store_true")
    return parser


def _unknown(verb: str) -> Usage:
    near = suggest(verb, VERBS)
    help = f"did you mean `mixc {near}`?" if near else "`mixc --help` lists the verbs"
    if verb.endswith(".mix"):
        help = f"did you mean `mixc build {verb}`?"
    return Usage(f"there is no verb `{verb}`", USAGE, help)


def help_text() -> str:
    """What `mixc --help` prints: it fits a screen of 24 lines."""
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {verb:<{width}}  {does}" for verb, does in VERBS.items())
    return f"""mixc {__version__}, a compiler for training data

{USAGE}

{verbs}

everywhere: -q, --quiet (errors only); -v, --verbose; --no-color (or NO_COLOR)
`mixc VERB --help` tells more of a verb. New here: `mixc init demo`.
exit codes: 0 fine, 1 spec or command line wrong, 2 differences, 3 infeasible,
            4 run failed, 130 interrupted"""


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


def _fault(fault: "Fault", arguments: Namespace, terminal: "Terminal") -> int:
    from .formats import show
    from .sources import sources_of

    show(getattr(arguments, "format", "text"), fault.diagnostics, sources_of(fault.diagnostics, arguments.sources), terminal)
    if terminal.verbose:
        traceback.print_exception(fault)
    return exit_code(fault.diagnostics, selects=arguments.verb in ("plan", "build"))


def _bug(words: list[str]) -> int:
    """Tell of a fault of ours: what, where, and what a report needs."""
    kind, error, trace = sys.exc_info()
    frames = traceback.extract_tb(trace)
    verbose = bool({"-v", "--verbose"} & set(words))
    _complain(f"this is a bug in mixc: {kind.__name__ if kind else 'Exception'}: {error}")
    _complain(f"  version  mixc {__version__}, Python {sys.version.split()[0]}, {sys.platform}")
    _complain(f"  command  mixc {' '.join(words)}")
    if frames:
        _complain(f"  where    {frames[-1].filename}:{frames[-1].lineno} in {frames[-1].name}")
    if verbose:
        _complain("".join(traceback.format_exception(error)).rstrip())
    what = "all of the above" if verbose else "what the same command prints with -v"
    _complain(f"please report it on the project's issue tracker, with the spec and {what}")
    return FAILED


def _complain(text: str) -> None:
    with contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)


def _open_closed_streams() -> None:
    """A stream that was closed before the start (`>&-`) swallows what is written to it."""
    sys.stdout = sys.stdout or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115


def _reader_has_gone() -> bool:
    """Whether who read stdout or stderr has left; if so nothing more is written there, not even at exit."""
    gone = False
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            poll = select.poll()
            poll.register(stream.fileno(), 0)
            if any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0)):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
                gone = True
    return gone


@contextlib.contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """SIGTERM ends a run as Ctrl-C does, for as long as this lasts; off the main thread signals are not ours."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


if __name__ == "__main__":
    sys.exit(main())
