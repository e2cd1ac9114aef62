"""A `Train` stage: selected rows to a saved model, once. What was killed goes on; it knows no selection and no trainer."""

import hashlib
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import polars as pl

from ..compiler.backends.trl import LARGEST_PER_DEVICE, sft_arguments
from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.plan.stages import Train
from .context import Context
from .events import Notice, Passed, Progress, ignore
from .examples import Example, Report, notices, tokenise
from .hold import hold
from .promised import Promised
from .store import fingerprint
from .training.faults import faults
from .training.fit import fit
from .training.job import Job
from .training.layout import steps_between, steps_of
from .training.processes import config_file, count_of, fit_apart, refuse_launcher
from .training.trackers import require_trackers
from .training.weighing import shares

LOGS = "logs"


@dataclass(frozen=True, slots=True)
class Trained:
    """`path` is a folder that transformers loads; `metrics` has a line a step, `tokens` those read so far, prompts included."""

    path: Path
    metrics: list[dict[str, float]]
    report: Report
    reused: bool


@dataclass(frozen=True, slots=True)
class _Made:
    """Rows made ready: `key` is the fingerprint of all that the weights depend on."""

    examples: list[Example]
    report: Report
    limit: int
    capacity: int | None
    weights: tuple[float, ...] | None
    key: str


def train(stage: Train, rows: pl.DataFrame, context: Context, promised: Promised | None = None) -> Trained:
    """The student trained on `rows` (row_id, prompt, response, skills, teacher, weight), from the store if it is there.

    What the selection `promised` is held against what is trained on before that begins: MIX0513. MIX0502 unusable weight, MIX0507 unusable template, MIX0508 cannot write, MIX0509 a package is missing, MIX0510 nothing to train on or it failed,
    MIX0523 a model whose examples cannot be packed.
    """
    made = _made(stage, rows, context)
    for sentence in notices(made.report):
        context.watch(Notice(stage.id, sentence))
    report = hold(stage, made.report, promised, context)
    with context.store.lock(f"train-{made.key}", lambda message: context.watch(Notice(stage.id, message))):
        done = context.store.artifact("models", made.key)
        reused = done is not None
        if done is None:
            ready(stage)
            with faults(stage, context.store.checkpoints(made.key)):
                done = _run(stage, made, context)
        shutil.rmtree(context.store.checkpoints(made.key), ignore_errors=True)
    lines = (done / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return Trained(done / "model", [json.loads(line) for line in lines], report, reused)


def foreseen(stage: Train, rows: pl.DataFrame, context: Context, promised: Promised) -> Report:
    """What `train` would make of the `rows`, with its faults of the data, MIX0507, 0510 and 0513; nothing is trained, no notice given."""
    quiet = replace(context, watch=ignore)
    _, report = tokenise(stage, rows, context.students.tokenizer(stage.model), longest_example(stage, quiet))
    return hold(stage, report, promised, quiet)


def ready(stage: Train) -> None:
    """What a training needs of this machine besides its data, asked before anything is loaded.

    MIX0509 for a tracker that is not installed, MIX0523 for a configuration that cannot be used and for a build that a launcher started several times.
    """
    refuse_launcher()
    require_trackers(stage)
    config_file()


def is_stored(stage: Train, rows: pl.DataFrame, context: Context) -> bool:
    """Whether `train` would find its model in the store; nothing is trained, and where it cannot be told, it is not there."""
    try:
        key = _made(stage, rows, Context(store=context.store, students=context.students)).key
    except Fault:
        return False
    return context.store.artifact("models", key) is not None


def longest_example(stage: Train, context: Context) -> int:
    """The most tokens of an example: those of the clause, and never more than the student can read."""
    readable = context.students.context(stage.model)
    limits = [limit for limit in (stage.max_length, readable) if limit is not None]
    if stage.max_length is not None and readable is not None and stage.max_length > readable:
        which = f"fewer than the `max_length` of {stage.max_length}"
        context.watch(Notice(stage.id, f"`{stage.model.student}` reads {readable} tokens, {which}"))
    return min(limits, default=sys.maxsize)


def _made(stage: Train, rows: pl.DataFrame, context: Context) -> _Made:
    versions = _versions(stage)
    limit = longest_example(stage, context)
    examples, report = tokenise(stage, rows, context.students.tokenizer(stage.model), limit)
    weights = shares(stage, examples)
    capacity = _capacity(stage, examples, limit)
    return _Made(examples, report, limit, capacity, weights, _fingerprint(stage, examples, limit, capacity, weights, versions, context))


def _capacity(stage: Train, examples: Sequence[Example], limit: int) -> int | None:
    """The most tokens of a pack: `max_length`, or where the spec has none what the largest padded batch of a pass could have."""
    if not stage.packing:
        return None
    longest = max(len(example.tokens) for example in examples)
    return limit if stage.max_length is not None else max(longest, min(limit, LARGEST_PER_DEVICE * longest))


def _run(stage: Train, made: _Made, context: Context) -> Path:
    """Train, or go on from the last whole checkpoint, and save the artifact."""
    config = config_file()
    count = count_of(context.students.choice, stage.batch, config)
    store, students = context.store, context.students
    tokenizer = students.tokenizer(stage.model).hf
    steps = steps_of(stage.epochs, stage.steps, stage.batch, len(made.examples))
    save = (stage.save.value, stage.save.unit) if stage.save else None
    job = Job(
        name=stage.model.model, run=f"{stage.model.student}-{made.key[:8]}", files=students.files(stage.model),
        weights_at=students.weights(stage.model), dtype=stage.model.dtype, arguments=sft_arguments(stage), batch=stage.batch, steps=steps,
        save=steps_between(save, steps, stage.batch, len(made.examples)),
        tokens=tuple(e.tokens for e in made.examples), starts=tuple(e.start for e in made.examples), weights=made.weights,
        capacity=made.capacity, lora=stage.lora, reports=stage.report, checkpoints=store.checkpoints(made.key), logs=store.root / LOGS,
    )  # fmt: skip
    begun = 0

    def tell(said: Mapping[str, Any]) -> None:
        nonlocal begun
        if "remark" in said:
            context.watch(Notice(stage.id, said["remark"]))
        elif "begun" in said:
            begun = said["step"]
            if begun:
                context.watch(Notice(stage.id, f"training goes on after step {begun} of {said['of']}"))
        else:
            context.watch(Progress(stage.id, said["step"] - begun, said["of"] - begun, "steps"))

    done = fit(job, tokenizer, tell) if count == 1 and config is None else fit_apart(job, count, config, tell)
    context.watch(Passed(
        stage=stage.id, tokens=done.tokens, seconds=done.seconds, student=stage.model.student, weights=students.files(stage.model).digest,
        dtype=stage.model.dtype, engine="trl", device=done.device, what="train",
    ))  # fmt: skip
    if stage.report:
        context.watch(Notice(stage.id, f"told to {' and '.join(stage.report)} as the run `{job.run}`, in `{LOGS}/` of the store"))
    return store.save_artifact("models", made.key, done.write)


def _fingerprint(
    stage: Train, examples: Sequence[Example], limit: int, capacity: int | None, weights: tuple[float, ...] | None, versions: dict[str, str], context: Context
) -> str:
    """All that the weights depend on: arguments, student, libraries, the tokens in their order, which carry loss and with what weight.

    Not how many devices trained: that changes the order of sums, as a GPU in place of a CPU does.
    """
    files = context.students.files(stage.model)
    texts = hashlib.blake2b(digest_size=16)
    for example in examples:
        texts.update(f"{example.start}:{','.join(map(str, example.tokens))}\n".encode())
    more: dict[str, object] = {}
    if stage.lora is not None:
        more["lora"] = [stage.lora.rank, float(stage.lora.alpha), float(stage.lora.dropout)]
    if capacity is not None:
        more["packing"] = capacity
    if weights is not None:
        more["weights"] = hashlib.blake2b(",".join(f"{w:.9g}" for w in weights).encode(), digest_size=16).hexdigest()
    return fingerprint({
        "training": 1,
        "method": stage.method,
        "arguments": sft_arguments(stage),
        "dtype": stage.model.dtype,
        "student": [files.digest, files.tokenizer_digest, files.template_digest],
        "max_length": limit,
        "examples": texts.hexdigest(),
        "versions": versions,
        **more,
    })  # fmt: skip


def _versions(stage: Train) -> dict[str, str]:
    """Major and minor version of each library that decides the weights."""
    deciding = ("torch", "transformers", "trl", *(("peft",) if stage.lora else ()))
    found = {}
    for name in (*deciding, "accelerate", "datasets"):
        try:
            found[name] = ".".join(metadata.version(name).split("+")[0].split(".")[:2])
        except metadata.PackageNotFoundError as error:
            raise Fault(Diagnostic(
                "MIX0509", f"training needs the package `{name}`, which is not installed",
                Label(stage.span, "this trains a model"), help='run `pip install "mixc[train]"`',
            )) from error  # fmt: skip
    return {name: found[name] for name in deciding}
