"""`evaluate`, typed: what is measured before and after training, and against what."""

from collections.abc import Collection, Mapping

from ..clauses import Benchmark, Keep, Where
from ..diagnostics import Diagnostics, Edit, Label
from ..expressions import columns
from ..syntax import ast
from . import ir
from .benchmarks import benchmark, drawn
from .catalogue import DEAR
from .infer import Declared, Names
from .inputs import Inputs
from .meant import meant, once
from .settings import Settings, number
from .sources import row_condition

LARGEST_SEED = 2**32 - 1
HELDOUT = "heldout"
TAKEN = ("recipe", "before", "after")
"""Arms that are called so: no baseline is."""


def evaluate(
    block: ast.Block,
    corpora: Mapping[str, tuple[ir.Corpus, Names]],
    scores: Mapping[str, Declared],
    inputs: Inputs,
    trained: bool,
    notes: Diagnostics,
) -> ir.Evaluate:
    """An `evaluate` block; `trained`: whether the spec trains something."""
    settings = Settings(block, notes)
    read: list[tuple[Benchmark, ast.Benchmark]] = [
        (b, s.value) for s in settings.all("benchmark") if isinstance(s.value, ast.Benchmark) and (b := benchmark(s.value, inputs, notes))
    ]
    names: set[str] = set()
    for each, _ in read:
        if each.name in names:
            notes.error("MIX0202", f"two benchmarks are named `{each.name}`", each.span)
        elif each.name == HELDOUT:
            notes.error("MIX0210", f"`{HELDOUT}` is what the held-out rows are called", each.span, "taken", help="give the benchmark another name")
        names.add(each.name)
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
    baselines: list[ir.Baseline] = []
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
        elif name in TAKEN:
            notes.error("MIX0210", f"`{name}` is what another arm is called", setting.value.span, "taken", help="give the score another name")
        elif any(name == each.by for each in baselines):
            label = Label(first.span, "first here")
            notes.error(
                "MIX0202", f"`baseline {name}` stands twice", setting.span, "again here", secondary=(label,), **once(first, setting)
            )
        elif not trained:
            _untrained(f"`baseline {name}` is one more model that is trained", setting, notes)
        baselines.append(ir.Baseline(by=name, span=setting.span))
    seeds = _seeds(settings, notes)
    if len(seeds) > 1 and not trained:
        _untrained("every seed is one more model that is trained", settings.all("seeds")[0], notes)
    temperature = float(settings.number("temperature", None, least=0, most=2) or 0)
    drawn(read, temperature, notes)
    tokens = settings.number("max_tokens", "tokens", whole=True, least=1)
    return ir.Evaluate(
        benchmarks=tuple(each for each, _ in read),
        heldout=heldout,
        max_tokens=512 if tokens is None else int(tokens),
        temperature=temperature,
        seeds=seeds,
        baselines=tuple(baselines),
        span=block.head,
    )


def equal_size(measured: ir.Evaluate, selection: ir.Selection | None, scores: Collection[ir.Score], notes: Diagnostics) -> None:
    """MIX0434 at every baseline that may train on another number of examples than the recipe: nothing says how many each has."""
    budgets = selection.budgets if selection else ()
    if selection is None or any(not budget.up_to for budget in budgets) or _takes_the_same(selection, scores):
        return
    for baseline in measured.baselines:
        most = next((Label(b.span, "at most so many") for b in budgets), None)
        notes.warning(
            "MIX0434",
            f"the baseline `{baseline.by}` may train on another number of examples than the recipe",
            baseline.span,
            "not of equal size",
            secondary=(most,) if most else (),
            help="write `budget N examples` in `select`: then every arm has exactly as many",
        )


def _takes_the_same(selection: ir.Selection, scores: Collection[ir.Score]) -> bool:
    """Whether every arm has as many rows of each prompt: nothing but filters that all share, then `keep best`."""
    dear = {score.name for score in scores if score.cost >= DEAR}
    kept = False
    for step in selection.steps:
        if isinstance(step, Where) and (kept or dear & {c.name for c in columns(step.condition) if c.source == "score"}):
            return False
        kept = kept or isinstance(step, Keep)
    return not selection.quotas and selection.soft is None


def _untrained(what: str, setting: ast.Setting, notes: Diagnostics) -> None:
    notes.warning("MIX0207", f"{what}, and nothing is trained", setting.span, "needs a `train`", help="declare it: `train STUDENT { epochs 3 }`")


def _seeds(settings: Settings, notes: Diagnostics) -> tuple[int, ...]:
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
    return tuple(int(s) for s in seeds if s is not None)
