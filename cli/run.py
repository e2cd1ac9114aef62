"""What `plan` and `build` share: a spec compiled or its diagnostics shown, and the context of a run."""

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ..compiler.diagnostics import Diagnostic, Fault, Severity
from ..compiler.lint.allow import covers
from ..compiler.plan.stages import Plan
from .inputs import compile_file
from .render import render_text

if TYPE_CHECKING:
    from ..runtime.spec_texts import SpecTexts


def configure_spec(parser: ArgumentParser) -> None:
    """The arguments of every verb that works on one spec."""
    parser.add_argument("spec", metavar="SPEC", help="the `.mix` file")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="set a param (may repeat)")


def compiled(arguments: Namespace, *, warn: bool = True) -> Plan:
    """The plan of the spec, its variants and params left in the arguments; Fault with its errors. Warnings are shown on stderr, unless the caller shows them later."""
    outcome = compile_file(arguments.spec, arguments.set)
    arguments.sources.update({s.path: s for s in outcome.sources})
    arguments.compiled = outcome.sources
    errors = [d for d in outcome.notes if d.severity is Severity.ERROR]
    if errors or outcome.plan is None:
        raise Fault(*outcome.notes)
    arguments.warnings = list(outcome.notes)
    arguments.variants = outcome.variants
    arguments.allowed = outcome.allowed
    arguments.params = outcome.params
    if warn:
        show_warnings(arguments)
    return outcome.plan


def show_warnings(arguments: Namespace) -> None:
    """Draw the warnings that `compiled` left, on stderr."""
    if arguments.warnings and not arguments.terminal.quiet:
        render_text(arguments.warnings, arguments.sources, arguments.terminal.err)


def not_allowed(found: Iterable[Diagnostic], arguments: Namespace) -> list[Diagnostic]:
    """The lints that a run found and no comment of the spec silences, each once."""
    return [d for d in dict.fromkeys(found) if not any(covers(each, d) for each in arguments.allowed)]


def spec_texts(arguments: Namespace) -> "SpecTexts":
    """The texts that `compiled` read and what it said of them, for the build to keep."""
    from ..runtime.spec_texts import SpecTexts

    def allows(found: Diagnostic) -> bool:
        return not not_allowed((found,), arguments)

    return SpecTexts(tuple(arguments.compiled), tuple(arguments.warnings), allows)


def store_root() -> Path:
    """`MIXC_HOME`, else `.mixc` in the working directory."""
    return Path(os.environ.get("MIXC_HOME") or ".mixc")
