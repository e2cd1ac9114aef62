"""`train`, `evaluate`, `profile`, `decontaminate` and `dedup`, typed."""

from collections.abc import Mapping

from ..clauses import Benchmark, Model
from ..diagnostics import Diagnostics, Edit
from ..paths import beside
from ..syntax import ast
from ..syntax.format import format_expression
from . import ir
from .infer import Names
from .inputs import Inputs
from .meant import meant
from .settings import Settings, number
from .sources import row_condition

_WAITING = ("weight", "warmup", "schedule", "seed", "gradient_checkpointing", "packing", "report", "save")


def train(block: ast.Block, students: Mapping[str, Model], notes: Diagnostics, missing: list[ir.Missing]) -> ir.Train | None:
    """A `train` block."""
    settings = Settings(block, notes)
    format_ = settings.word("format", ("plain", "skill_aware"), "plain")
    method = settings.word("method", ("full", "lora"), "full")
    epochs, steps = settings.one("epochs"), settings.one("steps")
    if epochs and steps:
        notes.error("MIX0202", "`epochs` and `steps` both say how long to train", steps.span, "one of them is enough")
    if not epochs and not steps and not block.may_have("epochs") and not block.may_have("steps"):
        notes.error(
            "MIX0207", f"`{settings.title}` needs `epochs` or `steps`", block.head, "how long?", help="write `epochs 1` or `steps 40`"
        )
    rate = settings.number("learning_rate", None, least=0)
    batch = settings.number("batch", "examples", whole=True, least=1)
    length = settings.number("max_length", "tokens", whole=True, least=2)
    if method != "full":
        missing.append(ir.Missing(what=f"`method {method}`", stage="train", span=settings.all("method")[0].span))
    for keyword in _WAITING:
        missing.extend(ir.Missing(what=f"`{keyword}` in `train`", stage="train", span=s.span) for s in settings.all(keyword))
    n_epochs = settings.number("epochs", None, least=0.001) if epochs else None
    n_steps = settings.number("steps", None, whole=True, least=1) if steps else None
    name = _student(block, students, notes)
    if name is None or (n_epochs is None and n_steps is None):
        return None
    return ir.Train(
        student=name,
        format=format_,
        method=method,
        epochs=float(n_epochs) if n_epochs else None,
        steps=int(n_steps) if n_steps else None,
        learning_rate=1e-5 if rate is None else float(rate),
        batch=8 if batch is None else int(batch),
        max_length=None if length is None else int(length),
        span=block.head,
    )


def evaluate(
    block: ast.Block,
    corpora: Mapping[str, tuple[ir.Corpus, Names]],
    scores: Mapping[str, ir.Score],
    inputs: Inputs,
    notes: Diagnostics,
    missing: list[ir.Missing],
) -> ir.Evaluate:
    """An `evaluate` block."""
    settings = Settings(block, notes)
    benchmarks = [
        b for s in settings.all("benchmark") if isinstance(s.value, ast.Benchmark) and (b := _benchmark(s.value, inputs, notes, missing))
    ]
    names: set[str] = set()
    for benchmark in benchmarks:
        if benchmark.name in names:
            notes.error("MIX0202", f"two benchmarks are named `{benchmark.name}`", benchmark.span)
        names.add(benchmark.name)
    heldout = None
    line = settings.one("heldout")
    if line is not None and isinstance(line.value, ast.Heldout):
        corpus = line.value.corpus
        if corpus.text in corpora:
            where = row_condition(line.value.where, corpora[corpus.text][1], notes)
            heldout = (corpus.text, where) if where else None
        else:
            given = meant(corpus.text, corpora, corpus.span)
            notes.error("MIX0201", f"no corpus named `{corpus.text}`", corpus.span, "not declared", **given)
    baselines = []
    for setting in settings.all("baseline"):
        name = setting.value.text if isinstance(setting.value, ast.Name) else ""
        if name != "random" and name not in scores:
            notes.error(
                "MIX0201",
                f"a baseline is `random` or a score, not `{name}`",
                setting.value.span,
                "not declared",
                **meant(name, ("random", *scores), setting.value.span),
            )
        baselines.append(name)
        missing.append(ir.Missing(what=f"`baseline {name}`", stage="evaluate", span=setting.span))
    seeds = _seeds(settings, notes, missing)
    if settings.all("temperature"):
        missing.append(ir.Missing(what="`temperature` in `evaluate`", stage="evaluate", span=settings.all("temperature")[0].span))
    tokens = settings.number("max_tokens", "tokens", whole=True, least=1)
    return ir.Evaluate(
        benchmarks=tuple(benchmarks),
        heldout=heldout,
        max_tokens=512 if tokens is None else int(tokens),
        seeds=seeds,
        baselines=tuple(baselines),
        span=block.head,
    )


def _seeds(settings: Settings, notes: Diagnostics, missing: list[ir.Missing]) -> tuple[int, ...]:
    line = settings.one("seeds")
    if line is None:
        return ()
    if not isinstance(line.value, ast.List) or not line.value.items:
        value = line.value
        one = f"[{value.text}]" if isinstance(value, ast.Number) and value.unit is None else ""
        notes.error(
            "MIX0301",
            "`seeds` takes a list of whole numbers",
            value.span,
            help=f"write `seeds {one or '[0, 1, 2]'}`",
            edits=(Edit(value.span, one),) if one else (),
        )
        return ()
    seeds = [number(notes, "seeds", item, None, whole=True, least=0) for item in line.value.items]
    if len(seeds) > 1:
        missing.append(ir.Missing(what="more than one seed", stage="evaluate", span=line.span))
    return tuple(int(s) for s in seeds if s is not None)


def _benchmark(node: ast.Benchmark, inputs: Inputs, notes: Diagnostics, missing: list[ir.Missing]) -> Benchmark | None:
    path = beside(node.path.value, node.path.span.path)
    if inputs.present.get(path) is False:
        notes.error(
            "MIX0208", f"no benchmark file `{node.path.value}`", node.path.span, "not there", help="the path is relative to this spec"
        )
    samples = 1 if node.samples is None else number(notes, "samples", node.samples, None, whole=True, least=1)
    limit = None if node.limit is None else number(notes, "limit", node.limit, "prompts", whole=True, least=1)
    if samples is None or (node.limit is not None and limit is None):
        return None
    if samples > 1:
        missing.append(ir.Missing(what="`samples` above 1", stage="evaluate", span=node.span))
    return Benchmark(name=node.name.text, path=path, samples=int(samples), limit=None if limit is None else int(limit), span=node.span)


def profile(
    block: ast.Block, students: Mapping[str, Model], inputs: Inputs, notes: Diagnostics, missing: list[ir.Missing]
) -> ir.Profile | None:
    """A profile, measured or from a file."""
    settings = Settings(block, notes)
    file = settings.text("from")
    path = beside(file.value, file.span.path) if file else None
    if file and path and inputs.present.get(path) is False:
        notes.error("MIX0208", f"no profile `{file.value}`", file.span, "not there", help="the path is relative to this spec")
    name = _student(block, students, notes)
    values: list[tuple[str, ir.Scalar]] = []
    for line in block.lines:
        if isinstance(line, ast.Setting) and line.keyword.text != "from":
            settings.one(line.keyword.text)
            value = line.value
            if isinstance(value, ast.PerSkill):
                text = f"{value.amount.text if isinstance(value.amount, ast.Number) else ''} per {value.per.text}"
            else:
                text = format_expression(value)  # type: ignore[arg-type]
            values.append((line.keyword.text, text))
    missing.append(ir.Missing(what="a profile", stage="profile", span=block.head))
    return ir.Profile(student=name, file=path, settings=tuple(values), span=block.head) if name else None


def _student(block: ast.Block, students: Mapping[str, Model], notes: Diagnostics) -> str | None:
    name = block.name.text if isinstance(block.name, ast.Name) else ""
    if name in students:
        return name
    span = block.name.span if block.name else block.head
    given = meant(name, students, span, 'declare it: `student NAME { model "…" }`')
    notes.error("MIX0201", f"no student named `{name}`", span, "not declared", **given)
    return None


def decontaminate(node: ast.Decontaminate, inputs: Inputs, text: str, notes: Diagnostics) -> ir.Decontaminate:
    """`decontaminate against …`, or its waiver."""
    paths = tuple(beside(a.value, a.span.path) for a in node.against)
    for written, path in zip(node.against, paths, strict=True):
        if inputs.present.get(path) is False:
            notes.error(
                "MIX0208", f"no file matches `{written.value}`", written.span, "nothing there", help="the path is relative to this spec"
            )
    of = node.of.text if node.of else "prompt"
    if of not in ("prompt", "response") and node.of:
        given = meant(of, ("prompt", "response"), node.of.span)
        notes.error("MIX0302", "decontamination looks at the `prompt` or the `response`", node.of.span, "neither of them", **given)
    if node.words is not None and node.words < 1:
        notes.error("MIX0306", "an n-gram has at least one word", node.span)
    if node.because is not None and not node.because.value.strip():
        notes.error("MIX0301", "a waiver says why", node.because.span, "empty")
    field = node.field.text if isinstance(node.field, ast.Name) else node.field.value if node.field else None
    because = node.because.value if node.because else None
    return ir.Decontaminate(against=paths, words=node.words, of=of, field=field, because=because, text=text, span=node.span)


def generate(block: ast.Block, corpora: Mapping[str, object], notes: Diagnostics) -> None:
    """A teacher that has yet to answer: its settings are checked, though nothing runs it yet."""
    settings = Settings(block, notes)
    settings.text("model", 'name a model: `model "Org/name"`')
    prompts = settings.column("prompts", "say whose prompts it answers: `prompts from CORPUS`")
    if isinstance(prompts, ast.Name) and prompts.text not in corpora:
        given = meant(prompts.text, corpora, prompts.span)
        notes.error("MIX0201", f"no corpus named `{prompts.text}`", prompts.span, "not declared", **given)
    settings.number("samples", None, whole=True, least=1)
    settings.number("temperature", None, least=0)
    settings.number("max_tokens", "tokens", whole=True, least=1)


def dedup(node: ast.Dedup, text: str, notes: Diagnostics, missing: list[ir.Missing]) -> ir.Dedup:
    """`dedup by …`."""
    method, of = node.method.text, node.of.text
    if method not in ("exact", "minhash"):
        given = meant(method, ("exact", "minhash"), node.method.span)
        notes.error("MIX0302", "`dedup` is `by exact` or `by minhash`", node.method.span, "neither of them", **given)
    if of not in ("prompt", "response"):
        given = meant(of, ("prompt", "response"), node.of.span)
        notes.error("MIX0302", "`dedup` looks at the `prompt` or the `response`", node.of.span, "neither of them", **given)
    threshold = None
    for argument in node.arguments:
        name = argument.name.text if argument.name else "threshold"
        if method == "exact" or name != "threshold":
            place = argument.name.span if argument.name else None
            given = meant(name, ("threshold",) if method == "minhash" else (), place, "`minhash` takes `threshold`")
            notes.error("MIX0302", f"`{method}` has no argument `{name}`", argument.span, "not known", **given)
    for argument in node.arguments:
        if argument.name is None or argument.name.text == "threshold":
            threshold = number(notes, "threshold", argument.value, None, least=0)
            if threshold is not None and threshold > 1:
                notes.error("MIX0306", "a similarity is at most 1", argument.span, "more than the same")
    missing.append(ir.Missing(what="`dedup`", stage="dedup", span=node.span))
    return ir.Dedup(method=method, of=of, threshold=threshold, text=text, span=node.span)
