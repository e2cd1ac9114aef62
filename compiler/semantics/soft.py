"""`quota skill weakness(…)` and `quota skill uniform`: soft targets for the leaves of the skills, typed, with what they need beside them."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..clauses import SoftQuota
from ..diagnostics import Diagnostics, Label
from ..suggest import suggest
from ..syntax import ast
from ..syntax.format import format_clause
from .meant import meant
from .settings import number

_SHAPES: dict[str, tuple[str, ...]] = {"weakness": ("max_weight", "prior", "min_support"), "uniform": ()}
_MAX_WEIGHT = 20.0
_PAPER_WEIGHT = 1000.0


@dataclass(frozen=True, slots=True)
class Profiles:
    """The students that have a profile; `student` is the one that is trained, or the only one; `tagged`: skills are declared."""

    students: tuple[str, ...]
    student: str | None
    tagged: bool


NO_PROFILES = Profiles(students=(), student=None, tagged=False)


def soft_quota(line: ast.SoftQuota, block: ast.Block, profiles: Profiles, notes: Diagnostics) -> SoftQuota | None:
    """The soft quota; None after an error was reported."""
    shape = line.shape.text
    if any(d.primary and d.primary.span == line.shape.span for d in notes):
        return None  # the parser has said what is wrong with this word
    if shape not in _SHAPES:
        message = "a soft quota is `weakness` or `uniform`"
        notes.error("MIX0302", message, line.shape.span, "neither of them", **meant(shape, _SHAPES, line.shape.span))
        return None
    paper = next((a for a in line.arguments if shape == "weakness" and a.name is None and _is_word(a.value, "paper")), None)
    given, fine = _bind(line, shape, paper, notes)
    if not _surroundings(line, block, profiles, paper is not None, notes):
        return None
    text = format_clause(line)
    if shape == "uniform":
        return SoftQuota(text=text, shape="uniform", span=line.span) if fine else None
    student = _student(line, profiles, notes)
    if paper is not None:
        if student is None or not fine:
            return None
        return SoftQuota(
            text=text, shape="paper", student=student, max_weight=_PAPER_WEIGHT, alpha=0, beta=0, min_support=0, span=line.span
        )
    weight = number(notes, "max_weight", given["max_weight"], None, least=1) if "max_weight" in given else _MAX_WEIGHT
    support = number(notes, "min_support", given["min_support"], None, whole=True, least=0) if "min_support" in given else 0
    prior = _prior(given["prior"], notes) if "prior" in given else (1.0, 1.0)
    if not fine or student is None or weight is None or support is None or prior is None:
        return None
    return SoftQuota(
        text=text,
        shape="weakness",
        student=student,
        max_weight=float(weight),
        alpha=prior[0],
        beta=prior[1],
        min_support=int(support),
        span=line.span,
    )


def _is_word(value: ast.Expr, word: str) -> bool:
    return isinstance(value, ast.Name) and value.text == word


def _bind(line: ast.SoftQuota, shape: str, paper: ast.Argument | None, notes: Diagnostics) -> tuple[Mapping[str, ast.Expr], bool]:
    """The arguments by name, and whether each has its place."""
    names = _SHAPES[shape]
    given: dict[str, ast.Argument] = {}
    fine = True
    for argument in line.arguments:
        if argument is paper:
            continue
        name = argument.name.text if argument.name else argument.value.text if isinstance(argument.value, ast.Name) else None
        if paper is not None:
            notes.error(
                "MIX0405",
                "`weakness(paper)` takes nothing more: the paper fixes the rest",
                argument.span,
                "not with `paper`",
                secondary=(Label(paper.span, "the published sampler"),),
                help="its weight is min(1 / accuracy, 1000), without a prior",
            )
        elif argument.name is None and name is None and names:
            listed = ", ".join(f"`{n}: …`" for n in names)
            notes.error("MIX0302", f"`{shape}` takes its arguments by name", argument.span, "which one is it?", help=f"write {listed}")
        elif name not in names or argument.name is None:
            known = (*names, "paper") if names else ()
            listed = f"it takes {', '.join(f'`{n}`' for n in known)}" if known else f"write `quota skill {shape}`"
            near = suggest(name or "", known)
            # `paper` stands alone, all others before a `:`; the other word alone mends nothing.
            place = argument.name.span if argument.name else argument.value.span
            span = place if (near == "paper") == (argument.name is None) else None
            told = meant(name or "", known if near != name else (), span, listed)
            notes.error("MIX0302", f"`{shape}` has no argument `{name or ''}`", argument.span, "not known", **told)
        elif name in given:
            first = Label(given[name].span, "first here")
            notes.error("MIX0202", f"`{name}` is given twice", argument.span, "again here", secondary=(first,))
        else:
            given[name] = argument
            continue
        fine = False
    return {name: argument.value for name, argument in given.items()}, fine


def _prior(value: ast.Expr, notes: Diagnostics) -> tuple[float, float] | None:
    """`beta(a, b)`, both above 0; `none` is (0, 0)."""
    if isinstance(value, ast.Nothing):
        return 0.0, 0.0
    if not isinstance(value, ast.Call) or value.function.text != "beta" or len(value.arguments) != 2:
        notes.error("MIX0301", "`prior` takes `beta(A, B)` or `none`", value.span, "something else", help="write `prior: beta(1, 1)`")
        return None
    found: list[float] = []
    for argument in value.arguments:
        amount = number(notes, "beta", argument.value, None)
        if amount is not None and amount <= 0:
            notes.error("MIX0306", "the two numbers of a beta prior are above 0", argument.span, "not above 0", help="or `prior: none`")
        elif amount is not None:
            found.append(float(amount))
    return (found[0], found[1]) if len(found) == 2 else None


def _student(line: ast.SoftQuota, profiles: Profiles, notes: Diagnostics) -> str | None:
    """Whose profile it is."""
    if not profiles.students:
        name = profiles.student or "STUDENT"
        notes.error(
            "MIX0207",
            "`quota skill weakness` needs a profile of the student",
            line.span,
            "weak at what?",
            help=f'declare `profile {name} {{ grade verify_math(reference) }}`, or `profile {name} from "profile.json"`',
        )
        return None
    if profiles.student in profiles.students:
        return profiles.student
    if profiles.student is None and len(profiles.students) == 1:
        return profiles.students[0]
    whose = f"`{profiles.student}` has none" if profiles.student else f"{', '.join(f'`{s}`' for s in profiles.students)} have one each"
    notes.error(
        "MIX0207",
        "which student's profile?",
        line.span,
        whose,
        help=f"declare `profile {profiles.student} {{ … }}`" if profiles.student else "train the one that is meant, or leave one profile",
    )
    return None


def _surroundings(line: ast.SoftQuota, block: ast.Block, profiles: Profiles, paper: bool, notes: Diagnostics) -> bool:
    """Whether the skills and the budget are there, and beside the published sampler nothing that it cannot heed."""
    if not profiles.tagged:
        help = "declare them: `skills NAME { tag by column COLUMN }`"
        notes.error("MIX0207", "no skills are declared", line.span, "needed here", help=help)
        return False
    budgets = [other for other in block.lines if isinstance(other, ast.Budget)]
    if not budgets and not block.may_have("budget"):
        title = f"`quota skill {line.shape.text}` shares out a budget, and there is none"
        notes.error("MIX0207", title, line.span, "of what?", help="add `budget 1000 examples`")
        return False
    if not paper:
        return True
    own = Label(line.span, "takes the place of the whole optimisation")
    odd = [other for other in block.lines if other is not line and not _beside_paper(other)]
    for other in odd:
        title = "beside `weakness(paper)` only `where`, `keep best` and `budget N examples` are legal"
        help = "remove it, or leave the published sampler for `weakness(…)`"
        notes.error("MIX0405", title, other.span, "the published sampler cannot heed this", secondary=(own,), help=help)
    return not odd


def _beside_paper(line: ast.Line) -> bool:
    match line:
        case ast.Where():
            return True
        case ast.Keep(by=by):
            return by is not None
        case ast.Budget(amount=ast.Number(unit=unit), up_to=up_to):
            return not up_to and unit in ("examples", None)
        case _:
            return False
