"""`profile student { … }`, and `profile student from "file.json"` with the counts in that file."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..diagnostics import Diagnostics, Edit, Label
from ..paths import beside
from ..syntax import ast
from ..syntax.format import format_expression
from . import ir
from .calls import Known
from .inputs import Inputs
from .meant import meant
from .profile_file import tallies
from .scores import grade
from .settings import Settings, number


@dataclass(frozen=True, slots=True)
class _Sample:
    """Prompts of each skill: `most` (None: all), or from `least` on until the interval is `width` percent wide."""

    least: int | None = None
    most: int | None = None
    width: float | None = None


def profile(
    block: ast.Block, known: Known, skills: ir.Taxonomy | None, tagged: bool, inputs: Inputs, notes: Diagnostics
) -> ir.Profile | None:
    """A profile; `tagged` says whether skills are declared, `skills` is their taxonomy where it is sound."""
    settings = Settings(block, notes)
    name = student_of(block, known.students, notes)
    if not tagged:
        help = "declare them: `skills NAME { tag by column COLUMN }`"
        notes.error("MIX0207", "a profile is of skills, and none are declared", block.head, "of which skills?", help=help)
    source = settings.one("from")
    if source is not None:
        return _from_file(block, settings, source, name, skills, inputs, notes)
    attempts = _per(settings, "attempts", None, "prompt", "attempts 1 per prompt", notes)
    sample = _sample(settings, notes)
    temperature = settings.number("temperature", None, least=0, most=2)
    if attempts is not None and attempts > 1 and not temperature:
        _one_attempt(settings, attempts, notes)
    tokens = settings.number("max_tokens", "tokens", whole=True, least=1)
    line = settings.one("grade", "say how answers are judged: `grade verify_math(reference)`, or read a profile `from` a file")
    graded = grade(line.value, known, notes) if line else None
    if name is None or graded is None:
        return None
    return ir.Profile(
        student=name,
        attempts=1 if attempts is None else attempts,
        least=sample.least,
        sample=sample.most,
        width=sample.width,
        temperature=0 if temperature is None else float(temperature),
        max_tokens=512 if tokens is None else int(tokens),
        grade=graded,
        span=block.head,
    )


def student_of(block: ast.Block, students: Mapping[str, object], notes: Diagnostics) -> str | None:
    """The declared student that a block is named after."""
    name = block.name.text if isinstance(block.name, ast.Name) else ""
    if name in students:
        return name
    span = block.name.span if block.name else block.head
    given = meant(name, students, span, 'declare it: `student NAME { model "…" }`')
    notes.error("MIX0201", f"no student named `{name}`", span, "not declared", **given)
    return None


def _one_attempt(settings: Settings, attempts: int, notes: Diagnostics) -> None:
    """Greedy answers are all alike, and a student is no better known for having been counted several times."""
    line, cold = settings.all("attempts")[0], settings.all("temperature")
    if settings.block.may_have("temperature"):
        return
    notes.error(
        "MIX0411",
        f"at temperature 0 all {attempts:,} attempts are the same",
        line.value.span,
        "drawn without chance",
        secondary=(Label(cold[0].span, "greedy"),) if cold else (),
        help="write `attempts 1 per prompt`, or a `temperature` above 0, such as `temperature 0.6`",
    )


def _sample(settings: Settings, notes: Diagnostics) -> _Sample:
    """`sample 200 prompts per skill`, or `sample 30..200 prompts per skill` with its `width 10%`."""
    line, wide = settings.one("sample"), settings.one("width")
    value = line.value if line else None
    bound = value.amount if isinstance(value, ast.PerSkill) and isinstance(value.amount, ast.Bound) else None
    width = None if wide is None else number(notes, "width", wide.value, "%", most=100)
    if width is not None and wide is not None and width <= 0:
        notes.error("MIX0306", "`width` must be above 0%", wide.value.span, "no interval is so narrow", help="write `width 10%`")
    if wide is not None and bound is None and not settings.block.may_have("sample"):
        said = "all prompts are asked" if line is None else "this many are asked in any case"
        secondary = (Label(line.span, said),) if line else ()
        help = "say from how many prompts to how many: `sample 30..200 prompts per skill`"
        notes.error("MIX0405", "`width` says when enough prompts were asked, and their number is fixed", wide.span, "says nothing", secondary=secondary, help=help)
    if bound is None:
        return _Sample(most=_per(settings, "sample", "prompts", "skill", "sample 200 prompts per skill", notes))
    if wide is None and line is not None and not settings.block.may_have("width"):
        help = "say how wide the 95 % interval of a skill's accuracy may be: `width 10%`"
        notes.error("MIX0207", "a sample of so many to so many prompts needs `width`", line.value.span, "when is it enough?", help=help)
    example = "sample 30..200 prompts per skill"
    least = _per(settings, "sample", "prompts", "skill", example, notes, bound.low)
    most = None if least is None else _per(settings, "sample", "prompts", "skill", example, notes, bound.high)
    if least is not None and most is not None and least > most:
        notes.error("MIX0306", "the least is above the most", bound.span, f"{least:,} is more than {most:,}", help="write the smaller number first")
    return _Sample(least, most, None if width is None else float(width))


def _per(
    settings: Settings, keyword: str, unit: str | None, per: str, example: str, notes: Diagnostics, end: ast.Number | ast.Param | None = None
) -> int | None:
    """`attempts 1 per prompt`, `sample 200 prompts per skill`; `end`: one of the two numbers of a range."""
    line = settings.one(keyword)
    if line is None:
        return None
    value = line.value
    if isinstance(value, ast.PerSkill) and isinstance(value.amount, ast.Bound) and end is None:
        notes.error("MIX0301", f"`{keyword}` takes one number", value.amount.span, "two", help=f"write `{example}`")
        return None
    if not isinstance(value, ast.PerSkill):
        written = f"{format_expression(value)} per {per}" if isinstance(value, ast.Number) and value.unit == unit else ""
        notes.error(
            "MIX0309",
            f"`{keyword}` says per what",
            value.span,
            f"per {per}?",
            help=f"write `{keyword} {written}`" if written else f"write `{example}`",
            edits=(Edit(value.span, written),) if written else (),
        )
        return None
    amount = end if isinstance(value.amount, ast.Bound) else value.amount
    assert amount is not None
    if value.per.text != per and end is getattr(value.amount, "low", None):
        written, edit = f"{format_expression(amount)} per {per}" if end is None else example.removeprefix(f"{keyword} "), Edit(value.per.span, per)
        notes.error(
            "MIX0302",
            f"`{keyword}` is per {per}",
            value.per.span,
            f"not per {value.per.text}",
            help=f"write `{keyword} {written}`",
            edits=(edit,),
        )
    found = number(notes, keyword, amount, unit, whole=True, least=1)
    return None if found is None else int(found)


def _from_file(
    block: ast.Block,
    settings: Settings,
    source: ast.Setting,
    name: str | None,
    skills: ir.Taxonomy | None,
    inputs: Inputs,
    notes: Diagnostics,
) -> ir.Profile | None:
    for other in block.lines:
        if isinstance(other, ast.Setting) and other.keyword.text != "from":
            notes.error(
                "MIX0405",
                f"a profile from a file is not measured, so `{other.keyword.text}` says nothing",
                other.span,
                "not with `from`",
                secondary=(Label(source.span, "read from a file"),),
                help="remove one of the two",
            )
    file = settings.text("from")
    if file is None or name is None:
        return None
    path = beside(file.value, file.span.path)
    text = inputs.texts.get(path)
    if text is None and path in inputs.texts:
        notes.error("MIX0208", f"no profile `{file.value}`", file.span, "not there", help="the path is relative to this spec")
    counted = tallies(file, text, skills, notes) if text is not None else None
    return ir.Profile(student=name, file=path, tallies=counted, span=block.head)
