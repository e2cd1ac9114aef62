"""`mixc rank-teachers`: which teacher's responses a score prefers, and how sure that is. Scores what a build would, or a sample of it; writes the store alone."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import TYPE_CHECKING

from ...compiler.suggest import suggest
from ..arguments import Usage, listed
from ..engine import chosen_students, configure_engine
from ..exit import FINE
from ..run import compiled, configure_spec, store_root

if TYPE_CHECKING:
    from ...compiler.plan.stages import Plan
    from ...runtime.rank_teachers import Question

USAGE = "usage: mixc rank-teachers SPEC [--by NAME] [--correct | --all] [--judge NAME] [--sample PROMPTS] [--engine E] [--devices N]"


def configure(parser: ArgumentParser) -> None:
    configure_spec(parser)
    parser.add_argument("--by", metavar="NAME", help="the score (default: the one that `maximize` reads, else `keep best`, else the only numeric one)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--correct", action="store_true", help="correct responses only (the default where one score of the spec tells which are)")
    which.add_argument("--all", action="store_true", help="all responses; conditions that ask for correct ones are left out")
    parser.add_argument("--judge", metavar="NAME", help="the score that tells correct responses (default: the only grader, else the only true-or-false score)")
    parser.add_argument("--sample", type=_prompts, metavar="PROMPTS", help="look at so many prompts only, those with the smallest seeded hash")
    configure_engine(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text (default) or json")


def _prompts(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ArgumentTypeError(f"`{text}` is not a number of prompts, such as 200")
    return int(text)


def run(arguments: Namespace) -> int:
    """The table goes to stdout, progress to stderr."""
    plan = compiled(arguments)
    from ...runtime.context import Context
    from ...runtime.rank_teachers import rank_teachers
    from ...runtime.store import Store
    from ..progress import Watcher
    from ..ranking import ranking_json, ranking_text

    question = _question(plan, arguments)
    root = store_root()
    with Watcher(arguments.terminal) as watch:
        found = rank_teachers(plan, question, Context(store=Store(root), students=chosen_students(arguments, root), watch=watch))
    if arguments.format == "json":
        arguments.terminal.result(ranking_json(found))
    else:
        ranking_text(found, arguments.terminal.out)
    return FINE


def _question(plan: "Plan", arguments: Namespace) -> "Question":
    """What is asked, with every name looked up; Usage where a name is unknown or has to be chosen."""
    from ...runtime.rank_teachers import Question
    from ...runtime.ranked_by import favoured, judges, rankable

    by = _chosen(arguments.by, rankable(plan), favoured(plan), "--by", "teachers are ranked by a score", "which score are teachers to be ranked by?")
    known = judges(plan)
    if arguments.judge is None and (not known or (len(known) > 1 and not arguments.correct)):
        if arguments.correct:
            raise Usage("no score of the spec tells which responses are correct", USAGE, "declare one, such as `score correct = verify_math(reference)`, or rank all with `--all`")
        judge = None
    else:
        judge = _chosen(arguments.judge, known, known, "--judge", "correct responses are told by a grader", "which score tells correct responses?")
    return Question(by, judge, every=arguments.all or judge is None or judge == by, sample=arguments.sample)


def _chosen(name: str | None, known: tuple[str, ...], meant: tuple[str, ...], flag: str, rule: str, question: str) -> str:
    """The score that was named, or the only one that can be meant."""
    if name is None:
        if len(meant) == 1:
            return meant[0]
        if not meant:
            raise Usage(f"{rule}, and the spec declares none", USAGE)
        raise Usage(question, USAGE, f"name it with `{flag}`: one of {listed(meant)}")
    if name in known:
        return name
    near = suggest(name, known)
    help = f"did you mean `{near}`?" if near else f"one of {listed(known)}" if known else None
    raise Usage(f"the spec has no score `{name}` for `{flag}`", USAGE, help)
