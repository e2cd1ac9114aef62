"""`mixc skills`: what each skill of the tree has of the data, and of the student's answers. Tags what a build would, and counts; writes the store alone."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from ...compiler.suggest import suggest
from ..arguments import Usage, listed
from ..engine import chosen_students, configure_engine
from ..exit import FINE
from ..run import compiled, configure_spec, store_root

if TYPE_CHECKING:
    from ...compiler.plan.stages import Plan
    from ...runtime.coverage import Measured

USAGE = "usage: mixc skills SPEC [--all | --least ROWS] [--judge NAME] [--profile FILE]"


def configure(parser: ArgumentParser) -> None:
    configure_spec(parser)
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--all", action="store_true", help="show every skill; otherwise those with few rows are folded into the skill above them, as many as fit a screen")
    shown.add_argument("--least", type=_rows, metavar="ROWS", help="fold the skills that have fewer rows")
    parser.add_argument("--judge", metavar="NAME", help="the score that tells correct responses (default: the only grader, else the only true-or-false score)")
    configure_engine(parser)
    parser.add_argument("--profile", metavar="FILE", help="show the student's accuracy by this `profile.json` (default: the spec's profile, from a file or as it was measured)")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text (default) or json, which always has every skill")


def _rows(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ArgumentTypeError(f"`{text}` is not a number of rows, such as 20")
    return int(text)


def run(arguments: Namespace) -> int:
    """The tree goes to stdout, progress to stderr."""
    plan = compiled(arguments)
    from ...runtime.context import Context
    from ...runtime.coverage import coverage
    from ...runtime.store import Store
    from ..coverage import coverage_json, coverage_text
    from ..progress import Watcher

    judge = _judge(plan, arguments.judge)
    root, measured = store_root(), _measured(arguments.profile) if arguments.profile else None
    with Watcher(arguments.terminal) as watch:
        found = coverage(plan, judge, Context(store=Store(root), students=chosen_students(arguments, root, fetch=False), watch=watch), measured)
    if arguments.format == "json":
        arguments.terminal.result(coverage_json(found))
    else:
        coverage_text(found, arguments.terminal.out, least=0 if arguments.all else arguments.least)
    return FINE


def _measured(path: str) -> "Measured":
    """The counts in a profile file; Usage where it is none."""
    from ...compiler.clauses import Tally
    from ...compiler.semantics.profile_file import read_profile
    from ...runtime.coverage import Measured

    try:
        counts = read_profile(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        why = (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
        raise Usage(f"`{path}` is not a profile: {why}", USAGE, 'it looks like `{"skills": {"Algebra": {"attempts": 200, "correct": 61}}}`') from None
    return Measured(path, tuple((skill, Tally(attempts=attempts, correct=correct)) for skill, (attempts, correct) in counts.items()))


def _judge(plan: "Plan", name: str | None) -> str | None:
    """The score that tells correct responses; Usage where the spec has no skills, or no such score."""
    from ...compiler.plan.stages import Tag
    from ...runtime.ranked_by import judges

    if not any(isinstance(stage, Tag) for stage in plan.stages):
        raise Usage("the spec declares no skills", USAGE, "declare them: `skills NAME { tag by column COLUMN }`")
    known = judges(plan)
    if name is None:
        return known[0] if len(known) == 1 else None
    if name in known:
        return name
    near = suggest(name, known)
    help = f"did you mean `{near}`?" if near else f"one of {listed(known)}" if known else None
    raise Usage(f"the spec has no score `{name}` that tells correct responses", USAGE, help)
