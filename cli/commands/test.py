"""`mixc test`: runs the tests that recipes carry, each on its own fixture."""

import json
import tempfile
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from ...compiler.diagnostics import Diagnostic, Fault, Severity
from ...compiler.plan.variants import Trial
from ..console import Terminal
from ..exit import FINE, WRONG
from ..inputs import compile_file
from ..render import render_json, render_text
from ..sources import sources_of

if TYPE_CHECKING:
    from ...runtime.context import Context
    from ...runtime.trial import Verdict


@dataclass(slots=True)
class _Report:
    """One spec: what is wrong with it, or what became of its tests."""

    spec: str
    wrong: list[Diagnostic] = field(default_factory=list)
    verdicts: list["Verdict"] = field(default_factory=list)


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("specs", nargs="+", metavar="SPEC", help="the `.mix` files whose tests are run")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text (default) or json")


def run(arguments: Namespace) -> int:
    """A line a test on stdout, what is wrong with one on stderr; as JSON all of it on stdout. Nothing of the user's store or builds is touched."""
    reports = []
    with tempfile.TemporaryDirectory(prefix="mixc-test-") as folder:
        context = None
        for spec in arguments.specs:
            report, trials = _compiled(spec, arguments)
            reports.append(report)
            if arguments.format == "text":
                _heading(report, trials, arguments)
            for trial in trials:
                context = context or _context(Path(folder), arguments.terminal)
                report.verdicts.append(_verdict(trial, context, arguments.terminal))
                if arguments.format == "text":
                    _line(report.verdicts[-1], max(len(t.name) for t in trials), arguments)
    verdicts = [v for report in reports for v in report.verdicts]
    if arguments.format == "json":
        arguments.terminal.result(_json(reports, arguments))
    else:
        _summary(verdicts, arguments.terminal)
    return FINE if all(v.passed for v in verdicts) and not any(r.wrong for r in reports) else WRONG


def _compiled(spec: str, arguments: Namespace) -> tuple[_Report, tuple[Trial, ...]]:
    try:
        outcome = compile_file(spec, for_tests=True)
    except Fault as fault:
        return _Report(spec, list(fault.diagnostics)), ()
    arguments.sources.update({s.path: s for s in outcome.sources})
    return _Report(spec, [d for d in outcome.notes if d.severity is Severity.ERROR]), outcome.trials


def _context(folder: Path, terminal: Terminal) -> "Context":
    """A store of its own, gone when the command ends; models are loaded once for all tests."""
    from ...runtime.context import Context
    from ...runtime.engines.students import Students
    from ...runtime.store import Store

    return Context(store=Store(folder / "store"), students=Students())


def _verdict(trial: Trial, context: "Context", terminal: Terminal) -> "Verdict":
    from ...runtime.trial import run_trial
    from ..progress import Watcher

    if not terminal.verbose:
        return run_trial(trial, context)
    with Watcher(terminal) as watch:
        return run_trial(trial, replace(context, watch=watch))


def _heading(report: _Report, trials: tuple[Trial, ...], arguments: Namespace) -> None:
    terminal = arguments.terminal
    terminal.out.print(Text(report.spec, "message"), soft_wrap=True)
    if report.wrong:
        terminal.out.print(Text("  wrong", "error"), Text("its tests cannot be run"), soft_wrap=True)
        render_text(report.wrong, sources_of(report.wrong, arguments.sources), terminal.err)
    elif not trials:
        terminal.out.print(Text("  no tests"), soft_wrap=True)
        terminal.say('a test is a block: `test "what it shows" { given "rows.jsonl" … expect selected == 3 examples }`')


def _line(verdict: "Verdict", width: int, arguments: Namespace) -> None:
    word, style = ("ok", "success") if verdict.passed else ("FAIL", "error")
    terminal = arguments.terminal
    terminal.out.print(
        Text.assemble("  ", (f"{word:<4}", style), f"  {verdict.trial.name:<{width}}", (f"  {verdict.seconds:.2f} s", "dim")),
        soft_wrap=True,
    )
    if verdict.faults:
        terminal.out.file.flush()
        render_text(verdict.faults, sources_of(verdict.faults, arguments.sources), terminal.err)


def _summary(verdicts: list["Verdict"], terminal: Terminal) -> None:
    if not verdicts:
        return
    failed = sum(not v.passed for v in verdicts)
    total = f"{len(verdicts):,} test{'' if len(verdicts) == 1 else 's'}"
    said = f"{total}: {len(verdicts) - failed:,} passed, {failed:,} failed" if failed else f"{total} passed"
    terminal.out.print(Text(said, "error" if failed else "success"), soft_wrap=True)


def _json(reports: list[_Report], arguments: Namespace) -> str:
    def listed(found: list[Diagnostic]) -> list[object]:
        return json.loads(render_json(found, sources_of(found, arguments.sources)))["diagnostics"]

    tests = [
        {
            "spec": report.spec,
            "name": v.trial.name,
            "passed": v.passed,
            "selected": v.selected,
            "seconds": round(v.seconds, 3),
            "diagnostics": listed(list(v.faults)),
        }
        for report in reports
        for v in report.verdicts
    ]
    wrong = [d for report in reports for d in listed(report.wrong)]
    passed = sum(bool(t["passed"]) for t in tests)
    data = {"tests": tests, "passed": passed, "failed": len(tests) - passed, "diagnostics": wrong}
    return json.dumps(data, indent=2, ensure_ascii=False)
