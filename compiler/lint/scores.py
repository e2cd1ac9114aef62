"""Lints of scores: thresholds that fit one student (MIX0602), windows in which local equals global (MIX0603)."""

from collections.abc import Iterator

from ..diagnostics import Diagnostics
from ..semantics import ir
from ..semantics.catalogue import DEAR
from ..syntax import ast
from ..syntax.format import format_expression
from .subject import Rule, Subject, parts

NEARLY_ALL = 90
"""Per cent of the steps before: with ten steps, the last one then sees all of them (ceil(0.9 x 9) = 9)."""
MANY_STEPS = 50
"""Steps: few responses that a small student learns from have more, and no step within the first fifty misses one before it."""
_QUANTILE = {">": "p20", ">=": "p20", "<": "p80", "<=": "p80"}
_TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


def absolute_threshold(subject: Subject, notes: Diagnostics) -> None:
    """MIX0602: `naturalness >= -1.5 nats`."""
    select = subject.select
    for line in select.lines if select else ():
        if not isinstance(line, ast.Where):
            continue
        for comparison, score, operator in _against_numbers(line.condition, subject):
            said = f"`{score.name} {operator} {_QUANTILE[operator]} within teacher`"
            notes.warning(
                "MIX0602",
                f"a fixed threshold on `{score.name}` fits one student and no other",
                comparison.span,
                "a fixed number",
                notes=(
                    "what a model says of a text depends on the model, its tokenizer and the teacher's style: another student, "
                    "or another teacher, and the same number keeps all rows or none",
                ),
                help=f"keep a share of each teacher's rows instead: {said}",
            )


def _against_numbers(condition: ast.Expr, subject: Subject) -> Iterator[tuple[ast.Expr, ir.Score, str]]:
    for part in parts(condition):
        if not isinstance(part, ast.Binary) or part.operator not in _QUANTILE:
            continue
        for name, number, operator in ((part.left, part.right, part.operator), (part.right, part.left, _TURNED[part.operator])):
            if isinstance(name, ast.Name) and _is_number(number):
                score = subject.score(name.text)
                if score is not None and (score.cost >= DEAR or score.type.unit == "nats"):
                    yield part, score, operator


def _is_number(expr: ast.Expr) -> bool:
    return isinstance(expr, ast.Number) or (isinstance(expr, ast.Unary) and isinstance(expr.operand, ast.Number))


def wide_window(subject: Subject, notes: Diagnostics) -> None:
    """MIX0603: `window: 100%`, `window: 200 steps`."""
    for node in subject.spec.of(ast.Score):
        score = subject.score(node.name.text)
        given = dict(score.arguments) if score else {}
        percent, steps = given.get("window_percent"), given.get("window_steps")
        if isinstance(percent, int) and percent >= NEARLY_ALL:
            why = f"from {NEARLY_ALL}% on, the steps of a short response see all that went before them, and those of a long one nearly all"
        elif isinstance(steps, int) and steps >= MANY_STEPS:
            why = f"a response of up to {steps + 1:,} steps fits into the window as a whole; mixc takes {MANY_STEPS} steps for nearly all responses"
        else:
            continue
        window = next((a for i, a in enumerate(node.call.arguments) if (a.name.text if a.name else ("student", "window")[min(i, 1)]) == "window"), None)
        span = window.span if window else node.call.span
        fluency = f"global_logprob(student: {score.student})" if score else "global_logprob()"
        notes.warning(
            "MIX0603",
            f"`{node.name.text}` sees (nearly) the whole response, so that it says what a global score says",
            span,
            f"{format_expression(window.value)} is no locality" if window else "no locality",
            notes=(why, "a windowed score takes a pass for each step, the global one a pass for each response"),
            help=f"write `window: 4 steps`, or `{fluency}`",
        )


RULES: tuple[Rule, ...] = (absolute_threshold, wide_window)
