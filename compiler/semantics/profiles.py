"""`profile student { … }`, and `profile student from "file.json"` with the counts in that file."""

from collections.abc import Mapping

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


def profile(
    block: ast.Block, known: Known, skills: ir.Taxonomy | None, tagged: bool, inputs: Inputs, notes: Diagnostics, missing: list[ir.Missing]
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
    missing.append(ir.Missing(what=f"`{settings.title}`", stage="profile", span=block.head))
    attempts = _per(settings, "attempts", None, "prompt", "attempts 1 per prompt", notes)
    sample = _per(settings, "sample", "prompts", "skill", "sample 200 prompts per skill", notes)
    temperature = settings.number("temperature", None, least=0, most=2)
    tokens = settings.number("max_tokens", "tokens", whole=True, least=1)
    line = settings.one("grade", "say how answers are judged: `grade verify_math(reference)`, or read a profile `from` a file")
    graded = grade(line.value, known, notes) if line else None
    if name is None or graded is None:
        return None
    return ir.Profile(
        student=name,
        attempts=1 if attempts is None else attempts,
        sample=sample,
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


def _per(settings: Settings, keyword: str, unit: str | None, per: str, example: str, notes: Diagnostics) -> int | None:
    """`attempts 1 per prompt`, `sample 200 prompts per skill`."""
    line = settings.one(keyword)
    if line is None:
        return None
    value = line.value
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
    if value.per.text != per:
        written, edit = f"{format_expression(value.amount)} per {per}", Edit(value.per.span, per)
        notes.error(
            "MIX0302",
            f"`{keyword}` is per {per}",
            value.per.span,
            f"not per {value.per.text}",
            help=f"write `{keyword} {written}`",
            edits=(edit,),
        )
    found = number(notes, keyword, value.amount, unit, whole=True, least=1)
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
