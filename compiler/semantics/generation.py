"""`teacher n generate { … }`: a teacher that has yet to answer."""

from collections.abc import Mapping

from ..clauses import GeneratedTeacher
from ..diagnostics import Diagnostics, Label
from ..paths import beside, folder
from ..syntax import ast
from . import ir
from .endpoints import endpoint
from .infer import Names
from .inputs import Inputs
from .meant import meant
from .settings import Settings
from .sources import is_local, row_condition


def generate(
    block: ast.Block,
    corpora: Mapping[str, tuple[ir.Corpus, Names]],
    declared: tuple[str, ...],
    seed: int,
    inputs: Inputs,
    notes: Diagnostics,
) -> GeneratedTeacher | None:
    """The teacher; `declared` are the names of all corpora, also of those with an error in them."""
    settings = Settings(block, notes)
    model = settings.text("model", 'name a model: `model "Org/name"`')
    line = settings.one("prompts", "say whose prompts it answers: `prompts from CORPUS`")
    revision = settings.text("revision")
    dtype = settings.word("dtype", ("bf16", "fp32"), "bf16")
    server = endpoint(settings.text("endpoint"), settings.text("key"), notes)
    _of_a_server(settings, model, notes)
    samples = settings.number("samples", None, whole=True, least=1)
    temperature = settings.number("temperature", None, least=0, most=2)
    tokens = settings.number("max_tokens", "tokens", whole=True, least=1)
    if model and not settings.all("endpoint") and is_local(model.value) and inputs.present.get(beside(model.value, model.span.path)) is False:
        notes.error("MIX0208", f"no model at `{model.value}`", model.span, "not there", help="the path is relative to this spec")
    corpus = line.value if line and isinstance(line.value, ast.Name) else None
    if corpus and corpus.text not in declared:
        otherwise = f"the corpora are {', '.join(sorted(declared))}" if declared else None
        given = meant(corpus.text, declared, corpus.span, otherwise)
        notes.error("MIX0201", f"no corpus named `{corpus.text}`", corpus.span, "not declared", **given)
    names = corpora[corpus.text][1] if corpus and corpus.text in corpora else None
    condition = settings.one("where")
    where = row_condition(condition.value, names, notes) if condition and names else None
    if model is None or corpus is None or names is None or not isinstance(block.name, ast.Name):
        return None
    return GeneratedTeacher(
        name=block.name.text,
        model=model.value,
        folder=folder(model.span.path),
        revision=revision.value if revision else None,
        dtype=dtype,
        endpoint=server,
        corpus=corpus.text,
        where=where,
        samples=1 if samples is None else int(samples),
        temperature=0.6 if temperature is None else float(temperature),
        max_tokens=2000 if tokens is None else int(tokens),
        seed=seed,
        span=block.head,
    )


def _of_a_server(settings: Settings, model: ast.String | None, notes: Diagnostics) -> None:
    """Refuse what a server decides and a spec cannot: MIX0412."""
    named = settings.all("endpoint")
    if not named:
        return
    beside_it = (Label(named[0].span, "this server runs the model"),)
    for keyword in ("revision", "dtype"):
        for setting in settings.all(keyword):
            notes.error("MIX0412", f"`{keyword}` says nothing to an endpoint", setting.span, "the server decides", secondary=beside_it, help="take it out")
    if model and is_local(model.value):
        help = "write the model as the server calls it; its list of models has the name"
        notes.error("MIX0412", "an endpoint runs no model of this machine", model.span, "a path", secondary=beside_it, help=help)
