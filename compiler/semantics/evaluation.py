"""`evaluate`, typed: what is measured before and after training, and against what."""

from collections.abc import Mapping

from ..clauses import Benchmark
from ..diagnostics import Diagnostics, Edit, Label
from ..paths import beside
from ..syntax import ast
from . import ir
from .infer import Declared, Names
from .inputs import Inputs
from .meant import meant, once
from .settings import Settings, number
from .sources import row_condition

LARGEST_SEED = 2**32 - 1


def evaluate(
    block: ast.Block,
    corpora: Mapping[str, tuple[ir.Corpus, Names]],
    scores: Mapping[str, Declared],
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
            otherwise = f"the corpora are {', '.join(sorted(corpora))}" if corpora else None
            given = meant(corpus.text, corpora, corpus.span, otherwise)
            notes.error("MIX0201", f"no corpus named `{corpus.text}`", corpus.span, "not declared", **given)
    baselines: list[str] = []
    for setting in settings.all("baseline"):
        name = setting.value.text if isinstance(setting.value, ast.Name) else ""
        first = next((s for s in settings.all("baseline") if s == setting), setting)
        if name != "random" and name not in scores:
            notes.error(
                "MIX0201",
                f"a baseline is `random` or a score, not `{name}`",
                setting.value.span,
                "not declared",
                **meant(name, ("random", *scores), setting.value.span),
            )
        elif name in scores and scores[name].type.kind not in ("number", "unknown"):
            declared = Label(scores[name].span, f"this is {scores[name].type}")
            notes.error("MIX0304", "a baseline orders rows by a number", setting.value.span, "not a number", secondary=(declared,))
        elif name in baselines:
            label = Label(first.span, "first here")
            notes.error(
                "MIX0202", f"`baseline {name}` stands twice", setting.span, "again here", secondary=(label,), **once(first, setting)
            )
        baselines.append(name)
        missing.append(ir.Missing(what=f"`baseline {name}`", stage="evaluate", span=setting.span))
    seeds = _seeds(settings, notes, missing)
    temperature = settings.number("temperature", None, least=0, most=2)
    if temperature:
        missing.append(ir.Missing(what="`temperature` above 0", stage="evaluate", span=settings.all("temperature")[0].span))
    tokens = settings.number("max_tokens", "tokens", whole=True, least=1)
    return ir.Evaluate(
        benchmarks=tuple(benchmarks),
        heldout=heldout,
        max_tokens=512 if tokens is None else int(tokens),
        temperature=float(temperature or 0),
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
    seeds = [number(notes, "seeds", item, None, whole=True, least=0, most=LARGEST_SEED) for item in line.value.items]
    for at, (seed, item) in enumerate(zip(seeds, line.value.items, strict=True)):
        if seed is not None and seed in seeds[:at]:
            notes.error("MIX0202", f"the seed {seed} stands twice: it would train the same model again", item.span, "again here")
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
