"""What the stages that ask a model would cost: tokens through it, and time at a rate. Loads tokenizers, never weights."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from ..compiler.diagnostics import Fault
from ..compiler.plan.stages import Evaluate, Model, Score, Train
from .benchmarks import read_benchmark
from .context import Context
from .counts import remembered
from .engines.characters import CHARACTERS
from .evaluate import asking, likelihood
from .examples import tokenise
from .figure import Figure
from .identity import seeded_hash
from .lengths import BY_CHARACTERS, BY_TOKENIZER, NOT_AT_HAND
from .rates import rate
from .responses import LocalModel, Question, are_stored
from .rows import Rows
from .sampling import SAMPLE_ROWS, characters, ratio, sample_of
from .score import missing
from .scorers.base import Expected, Reader
from .scorers.registry import scorer
from .store import digest
from .texts import PROMPT, with_prompts
from .train import is_stored, longest_example

# A likelihood's windows take longer to lay out than a text takes to count.
EXACT_ROWS = 5_000
EXAMPLES = 500
READS = ("tokens", "whole", "windows")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one model does for one stage. `what`: `score`, `train`, `generate`, `measure` or `embed` (then `rows` are texts). `rows` are to be done, `cached` are done already.

    `tokens` go through the model (of `generate`, at most so many are written), for a likelihood in `windows` different windows, of which `whole` are
    responses in full context; `by` is how they were counted; `rate` in tokens a second,
    `measured` where and in how many runs, None where it was given.
    """

    stage: str
    what: str
    student: str
    dtype: str
    rows: Figure
    cached: Figure
    tokens: Figure | None = None
    whole: Figure | None = None
    windows: Figure | None = None
    by: str = BY_TOKENIZER
    rate: float | None = None
    measured: str | None = None
    detail: str = ""

    @property
    def seconds(self) -> Figure | None:
        """The time it takes at the rate; None where one of both is not known."""
        if self.tokens is None or not self.rate:
            return None
        return Figure(value=self.tokens.value / self.rate, exact=False, most=self.tokens.most)


@dataclass(frozen=True, slots=True)
class Pricing:
    """How work and time are told: the store that remembers rates, the rate that was given (tokens a second), and what earlier scorings leave to later ones."""

    context: Context
    given: float | None = None
    expected: Expected = field(default_factory=Expected)

    def rate(self, model: Model, what: str = "read") -> dict[str, object]:
        """`rate` and `measured` of a Cost; the rate that was given is one of reading."""
        if self.given is not None and what == "read":
            return {"rate": self.given}
        if not self.context.students.is_here(model):
            return {}
        students = self.context.students
        known = rate(self.context.store.root, students.files(model).digest, model.dtype, what, students.choice.engine if what == "read" else None)
        if known is None:
            return {}
        runs = "run" if known.runs == 1 else "runs"
        return {"rate": known.tokens, "measured": f"measured in {known.runs} {runs} on {known.device}"}


def scoring(stage: Score, lacking: pl.DataFrame, exact: bool, cached: int, pricing: Pricing) -> Cost:
    """The cost of the values that are not in the store: `lacking` is what `score.missing` gives, `exact` whether a run would find the same rows."""
    assert stage.model is not None
    asked = scorer(stage)
    read, by = {}, BY_TOKENIZER
    if isinstance(asked, Reader):
        read, by = _read(asked, stage, lacking, pricing)
    rows, had = Figure(value=lacking.height, most=not exact), Figure(value=cached, most=not exact)
    return Cost(
        stage=stage.id, what="score", student=stage.model.student, dtype=stage.model.dtype, rows=rows, cached=had, by=by,
        **{name: figure if exact else figure.at_most() for name, figure in read.items()}, **pricing.rate(stage.model),  # type: ignore[arg-type]
    )  # fmt: skip


def _read(asked: Reader, stage: Score, lacking: pl.DataFrame, pricing: Pricing) -> tuple[dict[str, Figure], str]:
    """`tokens`, `whole` and `windows` of a Cost, and how they were counted."""
    context, model, expected = pricing.context, stage.model, pricing.expected
    assert model is not None
    few = context.texts.add(_few(lacking, expected), ("prompt", "response"))
    try:
        rough = not context.students.is_here(model)
        counted = asked.reads(stage, few, context, expected, rough=rough)
    except Fault as fault:
        if not {d.code for d in fault.diagnostics} <= set(NOT_AT_HAND):
            raise
        rough, counted = True, asked.reads(stage, few, context, expected, rough=True)
    by = BY_CHARACTERS if rough and lacking.height else BY_TOKENIZER
    if few.height == lacking.height:
        return {name: Figure(value=sum(getattr(r, name) for r in counted.values()), exact=by == BY_TOKENIZER) for name in READS}, by
    sizes = few.select("chunk", characters(few).alias("size")).group_by("chunk").agg(pl.col("size").sum()).sort("chunk")
    known, every = sizes["size"].to_numpy().astype(np.float64), float(characters(lacking).sum())
    chunks = max(len(known) + 1, round(len(known) * every / max(1.0, known.sum())))
    found = {name: np.array([getattr(counted[c], name) for c in sizes["chunk"]], dtype=np.float64) for name in READS}
    return {name: ratio(values, known, every, chunks) for name, values in found.items()}, by


def _few(rows: pl.DataFrame, expected: Expected) -> pl.DataFrame:
    """The rows, or where they are many those of some prompts: whole ones, for their responses are read together, and the same in every scoring."""
    if rows.height <= EXACT_ROWS and expected.cut is None:
        return rows
    hashed = pl.Series("mixc:sample", seeded_hash(0, with_prompts(rows)[PROMPT]), dtype=pl.UInt64)
    if expected.cut is None:
        expected.cut = int(hashed.sort()[SAMPLE_ROWS])
    return rows.filter(hashed <= expected.cut)


def training(stage: Train, rows: Rows, selected: Figure, pricing: Pricing, chosen: pl.DataFrame | None = None) -> Cost:
    """The cost of training on `rows` if they are the `selected`, else on as many as `selected` says of rows like them.

    `chosen`: the selected rows as they are trained on, where it is known which they are; what the store has of them costs nothing.
    """
    if chosen is not None and chosen.height <= EXACT_ROWS and pricing.context.students.is_here(stage.model) and is_stored(stage, chosen, pricing.context):
        nothing = Figure(value=0)
        return Cost(stage=stage.id, what="train", student=stage.model.student, dtype=stage.model.dtype, rows=nothing, cached=selected,
                    tokens=nothing, detail="in the store", **pricing.rate(stage.model, "train"))  # type: ignore[arg-type]  # fmt: skip
    mean, by = _mean_example(stage, rows, pricing.context)
    one = mean.times(selected.value)
    whole = selected.exact and not selected.most and rows.alive == selected.value and rows.alive <= EXAMPLES
    tokens = Figure(value=round(one.value), exact=whole and mean.exact, most=False, error=one.error)
    steps = stage.steps or -(-int(selected.value) // stage.batch) * (stage.epochs or 0)
    passes = stage.epochs if stage.epochs is not None else steps * stage.batch / max(1.0, selected.value)
    long = f"{stage.epochs:g} epoch{'' if stage.epochs == 1 else 's'}, {-(-steps // 1):,.0f} steps" if stage.epochs is not None else f"{steps:,} steps"
    through = tokens if passes == 1 else tokens.times(passes)
    exact = tokens.exact and stage.epochs is not None and float(stage.epochs).is_integer()
    return Cost(
        stage=stage.id, what="train", student=stage.model.student, dtype=stage.model.dtype, rows=selected, cached=Figure(value=0),
        tokens=Figure(value=round(through.value), exact=exact, error=through.error), by=by, detail=long,
        **pricing.rate(stage.model, "train"),  # type: ignore[arg-type]
    )  # fmt: skip


def _mean_example(stage: Train, rows: Rows, context: Context) -> tuple[Figure, str]:
    """Tokens of an example, prompt and answer, on average."""
    few = context.texts.add(sample_of(rows, "row_id", EXAMPLES, live=True), ("prompt", "response"))
    if few.is_empty():
        return Figure(value=0), BY_TOKENIZER
    model = stage.model
    if context.students.is_here(model):
        files = context.students.files(model)
        identity = {"examples": stage.format, "cut": stage.max_length, "rows": _digest(few["row_id"]), **files.digests, "of": rows.alive}

        def count() -> Figure:
            quiet = Context(store=context.store, students=context.students)
            examples, _ = tokenise(stage, few, context.students.tokenizer(model), longest_example(stage, quiet))
            sizes = pl.Series([len(e.tokens) for e in examples])
            error = None if few.height == rows.alive else float(sizes.std() or 0.0) / len(sizes) ** 0.5  # type: ignore[arg-type]
            return Figure(value=sum(sizes) / few.height, exact=few.height == rows.alive, error=error)

        counted = _at_hand(count, context.store.root, identity)
        if counted is not None:
            return counted, BY_TOKENIZER
    return Figure(value=int(characters(few).sum()) / CHARACTERS / few.height, exact=False), BY_CHARACTERS


def evaluation(stage: Evaluate, heldout: pl.DataFrame | None, trains: bool, pricing: Pricing) -> list[Cost]:
    """The cost of the answers to benchmarks (at most so many tokens written) and of the loss on held-out rows, before and after training."""
    model = stage.model
    if model is None:
        return []
    context, arms, costs = pricing.context, 2 if trains else 1, []
    here = context.students.is_here(model)
    items = [read_benchmark(b, stage.seed) for b in stage.benchmarks]
    asked = sum(len(i) * b.samples for i, b in zip(items, stage.benchmarks, strict=True)) * arms
    if asked:
        questions = [Question(item.problem) for file in items for item in file]
        done = int(are_stored(asking(stage), questions, LocalModel(model, context), context).sum()) if here else 0
        costs.append(Cost(
            stage=stage.id, what="generate", student=model.student, dtype=model.dtype, rows=Figure(value=asked - done), cached=Figure(value=done),
            tokens=Figure(value=(asked - done) * stage.max_tokens, most=True), detail=f"{asked // arms:,} prompts" + (" before and after" if trains else ""),
            **pricing.rate(model, "write"),  # type: ignore[arg-type]
        ))  # fmt: skip
    if heldout is not None and heldout.height:
        scored = likelihood(stage, model, "before")
        rows = Rows.of(heldout.with_columns(pl.lit(None, pl.String).alias("reason")))
        lacking, every = missing(scored, rows, context, absent=not here), missing(scored, rows, context, absent=True)
        before = scoring(scored, lacking, True, every.height - lacking.height, Pricing(context, pricing.given))
        after = scoring(scored, every, True, 0, Pricing(context, pricing.given))
        both = before.tokens.plus(after.tokens) if trains and before.tokens and after.tokens else before.tokens
        costs.append(Cost(
            stage=stage.id, what="measure", student=model.student, dtype=model.dtype, rows=before.rows.plus(after.rows) if trains else before.rows,
            cached=before.cached, tokens=both, by=before.by, rate=before.rate, measured=before.measured,
            detail=f"{every.height:,} held-out rows" + (" before and after" if trains else ""),
        ))  # fmt: skip
    return costs


def _at_hand(count: Callable[[], Figure], root: Path, identity: dict[str, object]) -> Figure | None:
    """The count, or None where the tokenizer cannot be loaded here."""
    try:
        return remembered(root, identity, count)
    except Fault as fault:
        if {d.code for d in fault.diagnostics} <= set(NOT_AT_HAND):
            return None
        raise


def _digest(keys: pl.Series) -> str:
    return digest("\n".join(sorted(keys.to_list())).encode())
