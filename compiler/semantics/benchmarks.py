"""`benchmark name "file" (…) samples k limit n prompts grade …`, typed. It does not open the file."""

from collections.abc import Mapping

from ..clauses import FIELDS, Benchmark, Grade
from ..diagnostics import Diagnostics, Label
from ..paths import beside
from ..syntax import ast
from .calls import Known
from .catalogue import SCORERS, Signature
from .inputs import Inputs
from .meant import meant
from .scores import grade
from .settings import number
from .types import BOOL

ROLES = ("prompt", "response", "reference")
"""What a grader may read of an answer: the problem, what was said, and the answer in the file."""


def benchmark(node: ast.Benchmark, inputs: Inputs, notes: Diagnostics) -> Benchmark | None:
    """The benchmark; None after an error in its numbers, its fields or its grader."""
    path = beside(node.path.value, node.path.span.path)
    if inputs.present.get(path) is False:
        notes.error(
            "MIX0208", f"no benchmark file `{node.path.value}`", node.path.span, "not there", help="the path is relative to this spec"
        )
    samples = 1 if node.samples is None else number(notes, "samples", node.samples, None, whole=True, least=1)
    limit = None if node.limit is None else number(notes, "limit", node.limit, "prompts", whole=True, least=1)
    columns = _columns(node.columns, notes)
    graded = None if node.grade is None else _grade(node.grade, inputs.scorers, notes)
    if samples is None or columns is None or (node.limit is not None and limit is None) or (node.grade is not None and graded is None):
        return None
    return Benchmark(
        name=node.name.text, path=path, columns=columns, samples=int(samples), limit=None if limit is None else int(limit), grade=graded,
        span=node.span,
    )  # fmt: skip


def drawn(found: list[tuple[Benchmark, ast.Benchmark]], temperature: float, notes: Diagnostics) -> None:
    """MIX0433 where several samples are asked of a temperature at which there is one answer."""
    for benchmark, node in found:
        if benchmark.samples > 1 and not temperature:
            notes.warning(
                "MIX0433",
                f"{benchmark.samples} samples at temperature 0 are the same answer {benchmark.samples} times",
                node.samples.span if node.samples else node.span,
                "drawn without chance",
                help="write `temperature 0.6` in `evaluate`, or `samples 1`: as it stands, each problem is answered once",
            )


def _columns(given: tuple[ast.Argument, ...], notes: Diagnostics) -> tuple[tuple[str, str], ...] | None:
    """The file's names of fields, in the order of FIELDS."""
    found: dict[str, str] = {}
    places: dict[str, ast.Argument] = {}
    fine = True
    for argument in given:
        assert argument.name is not None
        name, value = argument.name.text, argument.value
        if name not in FIELDS:
            listed = ", ".join(f"`{field}`" for field in FIELDS)
            notes.error("MIX0302", f"a problem has {listed}", argument.name.span, "none of them", **meant(name, FIELDS, argument.name.span))
            fine = False
        elif name in found:
            first = Label(places[name].span, "first here")
            notes.error("MIX0202", f"`{name}` stands twice", argument.span, "again here", secondary=(first,), help="keep one of them")
            fine = False
        else:
            found[name] = value.value if isinstance(value, ast.String) else value.text if isinstance(value, ast.Name) else ""
            places[name] = argument
    return tuple((field, found[field]) for field in FIELDS if field in found) if fine else None


def _grade(value: ast.Name | ast.Call, installed: Mapping[str, Signature | str | None], notes: Diagnostics) -> Grade | None:
    """The grader: a call, or its name alone where it reads the answer and nothing else."""
    name = value.function if isinstance(value, ast.Call) else value
    graders = [s.name for s in SCORERS.values() if s.type == BOOL]
    listed = f"the graders are {', '.join(f'`{each}`' for each in graders)}"
    signature = SCORERS.get(name.text) or installed.get(name.text)
    if signature is None:
        notes.error("MIX0201", f"no grader named `{name.text}`", name.span, "not known", **meant(name.text, graders, name.span, listed))
        return None
    if isinstance(signature, Signature) and signature.type != BOOL:
        notes.error("MIX0302", f"`{name.text}` is no grader: it does not say true or false", name.span, "not a grader", help=listed)
        return None
    takes = isinstance(signature, Signature) and any(parameter.kind == "value" for parameter in signature.parameters[:1])
    first = value.arguments[0].value if isinstance(value, ast.Call) and value.arguments else None
    if takes and isinstance(first, ast.Name | ast.String) and getattr(first, "text", None) != "reference":
        help = f"write `grade {name.text}`; `(answer: COLUMN)` after the path says which column it is"
        notes.error("MIX0302", "an answer is graded against the `reference`, which is the benchmark's answer", first.span, "another column", help=help)
        return None
    if isinstance(value, ast.Name):
        reference = (ast.Argument(None, ast.Name("reference", span=value.span), span=value.span),) if takes else ()
        value = ast.Call(value, reference, span=value.span)
    return grade(value, Known({}, ROLES, {}, installed), notes)
