"""Corpora, teachers and students: where rows come from and who is scored, checked against what the files say of themselves."""

from collections.abc import Mapping

from ..clauses import Model, NamedTeacher, Roles, Where
from ..diagnostics import Diagnostics, Label
from ..expressions import Expression, is_barrier
from ..paths import beside, folder
from ..source import Span
from ..syntax import ast
from ..syntax.format import format_expression
from . import ir
from .infer import Names, condition
from .inputs import Inputs
from .meant import meant
from .settings import Settings
from .shared import barred

_SOURCE_ROLES = ("prompt", "response", "reference", "teacher", "id")


def student(block: ast.Block, inputs: Inputs, notes: Diagnostics) -> Model | None:
    """A student block."""
    settings = Settings(block, notes)
    model = settings.text("model", 'name a hub id, a folder or a .gguf file: `model "HuggingFaceTB/SmolLM2-135M-Instruct"`')
    revision = settings.text("revision")
    template = settings.text("template")
    dtype = settings.word("dtype", ("bf16", "fp32"), "bf16")
    if not isinstance(block.name, ast.Name):
        return None
    if model is None:  # said already; the name is declared all the same
        return Model(student=block.name.text, model="", folder="", revision=None, dtype=dtype, template=None, span=block.head)
    if is_local(model.value) and inputs.present.get(beside(model.value, model.span.path)) is False:
        notes.error("MIX0208", f"no model at `{model.value}`", model.span, "not there", help="the path is relative to this spec")
    template_path = beside(template.value, template.span.path) if template else None
    if template and template_path and inputs.present.get(template_path) is False:
        notes.error("MIX0208", f"no file `{template.value}`", template.span, "not there", help="the path is relative to this spec")
    return Model(
        student=block.name.text,
        model=model.value,
        folder=folder(model.span.path),
        revision=revision.value if revision else None,
        dtype=dtype,
        template=template_path,
        span=model.span,
    )


def is_local(model: str) -> bool:
    """Whether a model is a path rather than a hub id."""
    return model.endswith(".gguf") or model.startswith(("./", "../", "/"))


def corpus(block: ast.Block, inputs: Inputs, notes: Diagnostics) -> ir.Corpus | None:
    """A corpus block, its columns looked up in its files."""
    settings = Settings(block, notes)
    scan = settings.text("scan", 'name its files: `scan "data/*.parquet"`')
    for extra in settings.all("scan")[1:]:
        notes.error("MIX0202", "`scan` is set twice", extra.span, "again here", help="one pattern may match many files: `data/*.parquet`")
    named = {role: settings.column(role) for role in _SOURCE_ROLES}
    for role in ("prompt", "response"):
        if named[role] is None and not settings.all(role):
            settings.one(role, f"say which column it is: `{role} COLUMN`")
    license_ = settings.column("license")
    sample = settings.number("sample", "prompts", whole=True, least=1)
    if not isinstance(block.name, ast.Name):
        return None
    path = beside(scan.value, scan.span.path) if scan else ""
    columns = _columns(path, scan, inputs, notes) if scan else None
    for role, column in (*named.items(), ("license", license_ if isinstance(license_, ast.Name) else None)):
        if column is not None and columns is not None and scan is not None:
            _role(role, column, columns, scan, notes)
    # A role that is needed, or whose clause has an error, is there all the same: what uses it is not wrong.
    faulty = [r for r in _SOURCE_ROLES if named[r] is None and (r in ("prompt", "response") or block.may_have(r) or settings.all(r))]
    texts = {r: _text(c) for r, c in named.items() if c} | dict.fromkeys(faulty, "?")
    where = None
    if (line := settings.one("where")) is not None:
        where = row_condition(line.value, Names(roles=tuple(r for r in roles_of(texts) if r != "skill"), columns=columns), notes)
    roles = Roles(**texts, license=_text(license_) if isinstance(license_, ast.Name) else None)  # type: ignore[arg-type]
    return ir.Corpus(
        name=block.name.text,
        path=path,
        roles=roles,
        where=where,
        sample=int(sample) if sample else None,
        license=license_.value if isinstance(license_, ast.String) else None,
        span=scan.span if scan else block.head,
    )


def roles_of(named: Mapping[str, object]) -> tuple[str, ...]:
    """The roles that a corpus gives; teacher and id are always there (the corpus's name, the prompt's digest)."""
    return tuple(r for r in (*_SOURCE_ROLES, "skill") if r in ("teacher", "id", "skill") or named.get(r))


def row_condition(value: ast.Value, names: Names, notes: Diagnostics) -> Where | None:
    """A `where` outside `select`: no score and no other row is known there."""
    found = condition(value, names, notes)  # type: ignore[arg-type]
    if found is None or _looks_around(found, value.span, notes):
        return None
    return Where(text=f"where {format_expression(value)}", condition=found, span=value.span)  # type: ignore[arg-type]


def _looks_around(found: Expression, span: Span, notes: Diagnostics) -> bool:
    if is_barrier(found):
        notes.error("MIX0310", "a quantile or a rank looks at other rows, which only `select` does", span, "one row at a time here")
        return True
    return False


def _columns(path: str, scan: ast.String, inputs: Inputs, notes: Diagnostics) -> Mapping[str, str] | None:
    if inputs.present.get(path) is False:
        help = "the path is relative to this spec" if not path.startswith("/") else None
        notes.error("MIX0208", f"no file matches `{scan.value}`", scan.span, "nothing there", help=help)
        return None
    found = inputs.columns.get(path)
    if isinstance(found, str):
        notes.error("MIX0501", f"`{scan.value}` cannot be read: {found}", scan.span, "unreadable")
        return None
    return found


def _role(role: str, column: ast.Name | ast.String, columns: Mapping[str, str], scan: ast.String, notes: Diagnostics) -> None:
    name = _text(column)
    if barred(name, columns, column.span, notes):
        return
    if name not in columns:
        notes.error(
            "MIX0209",
            f"the corpus has no column `{name}`",
            column.span,
            "not in its files",
            secondary=(Label(scan.span, "these files"),),
            **meant(name, columns, column.span, f"its columns: {', '.join(sorted(columns)[:16])}", text=isinstance(column, ast.String)),
        )
        return
    allowed = {"prompt": ("text",), "response": ("text",), "id": ("text", "number"), "reference": ("text", "number")}.get(role, ("text",))
    if columns[name] not in (*allowed, "other"):
        needs = " or ".join({"text": "a text", "number": "a number"}[a] for a in allowed)
        notes.error(
            "MIX0305",
            f"`{role}` must be {needs}, but column `{name}` is {_kind(columns[name])}",
            column.span,
            f"a column of {columns[name]}",
        )


def _kind(kind: str) -> str:
    return {"bool": "true or false", "number": "a number", "list": "a list"}.get(kind, kind)


def _text(column: ast.Name | ast.String) -> str:
    return column.text if isinstance(column, ast.Name) else column.value


def teacher(node: ast.Teacher, corpora: Mapping[str, tuple[ir.Corpus, Names]], notes: Diagnostics) -> NamedTeacher | None:
    """`teacher n from c where …`."""
    if node.corpus.text not in corpora:
        otherwise = f"the corpora are {', '.join(sorted(corpora))}" if corpora else None
        given = meant(node.corpus.text, corpora, node.corpus.span, otherwise)
        notes.error("MIX0201", f"no corpus named `{node.corpus.text}`", node.corpus.span, "not declared", **given)
        return None
    found = condition(node.condition, corpora[node.corpus.text][1], notes) if node.condition else None
    if found is not None and node.condition is not None and _looks_around(found, node.condition.span, notes):
        return None
    return NamedTeacher(name=node.name.text, corpus=node.corpus.text, condition=found, span=node.span)
