"""A `Train` stage through TRL: selected rows to a saved model, once. It resumes what was killed; it knows no selection."""

import copy
import hashlib
import json
import logging
import math
import shutil
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import polars as pl

from ..compiler.backends.trl import sft_arguments
from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.plan.stages import Train
from .context import Context
from .engines.load import DTYPES, device_name, load_for_training
from .engines.tokenizer import ChatTokenizer
from .events import Notice, Passed, Progress
from .examples import Example, Report, notices, tokenise
from .files import writing
from .hold import hold
from .promised import Promised
from .store import fingerprint

CHECKPOINTS = 5
METRICS = ("step", "loss", "learning_rate", "epoch", "tokens", "grad_norm")


@dataclass(frozen=True, slots=True)
class Trained:
    """`path` is a folder that transformers loads; `metrics` has a line a step, `tokens` those read so far, prompts included."""

    path: Path
    metrics: list[dict[str, float]]
    report: Report
    reused: bool


def train(stage: Train, rows: pl.DataFrame, context: Context, promised: Promised | None = None) -> Trained:
    """The student trained on `rows` (row_id, prompt, response, skills, teacher, weight), from the store if it is there.

    What the selection `promised` is held against what is trained on before that begins: MIX0513. MIX0507 unusable template, MIX0508 cannot write, MIX0509 a package is missing, MIX0510 nothing to train on or it failed.
    """
    _refuse(stage, rows)
    versions = _versions(stage)
    tokenizer = context.students.tokenizer(stage.model)
    limit = longest_example(stage, context)
    examples, report = tokenise(stage, rows, tokenizer, limit)
    for sentence in notices(report):
        context.watch(Notice(stage.id, sentence))
    report = hold(stage, report, promised, context)
    key = _fingerprint(stage, examples, limit, versions, context)
    with context.store.lock(f"train-{key}", lambda message: context.watch(Notice(stage.id, message))):
        done = context.store.artifact("models", key)
        reused = done is not None
        if done is None:
            with _quiet(), _faults(stage, context.store.checkpoints(key)):
                done = _run(stage, examples, tokenizer, context, key)
        shutil.rmtree(context.store.checkpoints(key), ignore_errors=True)
    lines = (done / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return Trained(done / "model", [json.loads(line) for line in lines], report, reused)


def is_stored(stage: Train, rows: pl.DataFrame, context: Context) -> bool:
    """Whether `train` would find its model in the store; nothing is trained, and where it cannot be told, it is not there."""
    quiet = Context(store=context.store, students=context.students)
    try:
        limit = longest_example(stage, quiet)
        examples, _ = tokenise(stage, rows, context.students.tokenizer(stage.model), limit)
        key = _fingerprint(stage, examples, limit, _versions(stage), context)
    except Fault:
        return False
    return context.store.artifact("models", key) is not None


def _run(stage: Train, examples: Sequence[Example], tokenizer: ChatTokenizer, context: Context, key: str) -> Path:
    """Train, or go on from the last whole checkpoint, and save the artifact."""
    import torch
    import transformers
    from datasets import Dataset
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    total = stage.steps or math.ceil((stage.epochs or 0) * math.ceil(len(examples) / stage.batch))
    folder = context.store.checkpoints(key)
    on_cpu = not torch.cuda.is_available()
    arguments = sft_arguments(stage) | {
        "output_dir": str(folder), "use_cpu": on_cpu, "save_steps": max(1, math.ceil(total / CHECKPOINTS)),
    }  # fmt: skip
    if on_cpu and arguments["fp16"]:
        arguments["fp16"] = False
        context.watch(Notice(stage.id, "float16 cannot be trained on a CPU: the passes are computed in float32"))
    if total == 1:
        arguments["warmup_steps"] = 0
    config = SFTConfig(**arguments)
    if config.n_gpu > 1:  # TRL refuses to split a batch over the GPUs of one process
        config._n_gpu = 1
        context.watch(Notice(stage.id, "only the first GPU is used"))

    class Watcher(transformers.TrainerCallback):
        """Stops at a loss that is no number, before anything is saved, and tells of every step."""

        start = 0

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.start = state.global_step
            if self.start:
                context.watch(Notice(stage.id, f"training goes on after step {self.start} of {state.max_steps}"))

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
            for name, value in (logs or {}).items():
                if name in ("loss", "grad_norm") and not math.isfinite(value):
                    raise Fault(_diverged(stage, name, value, state.global_step))

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            context.watch(
                Progress(stage.id, state.global_step - self.start, state.max_steps - self.start, "steps")
            )

    dataset = Dataset.from_dict(
        {"input_ids": [list(e.tokens) for e in examples], "labels": [e.labels for e in examples]}
    )
    # Training starts at the very weights that were scored, those of the student's own type, and moves them in float32.
    model = load_for_training(context.students.weights(stage.model), stage.model.dtype).float()
    as_it_was = copy.deepcopy(model.config), copy.deepcopy(model.generation_config)
    trainer = SFTTrainer(
        model=model,
        args=config,
        train_dataset=dataset,
        processing_class=copy.deepcopy(tokenizer.hf),  # TRL gives it a pad token, which is not ours to change
        callbacks=[Watcher()],
    )
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.create_model_card = lambda *_, **__: None
    checkpoint = _last_whole(folder)
    began, before = time.monotonic(), _tokens_of(checkpoint)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    context.watch(Passed(
        stage=stage.id, tokens=int(trainer.state.num_input_tokens_seen) - before, seconds=time.monotonic() - began, student=stage.model.student,
        weights=context.students.files(stage.model).digest, dtype=stage.model.dtype, engine="trl", device=device_name(model.device), what="train",
    ))  # fmt: skip

    def write(target: Path) -> None:
        # The trainer turns the cache off in the config, and writes its tokens into it.
        model.config, model.generation_config = as_it_was
        model.to(getattr(torch, DTYPES[stage.model.dtype]))
        model.save_pretrained(target / "model")
        tokenizer.hf.save_pretrained(target / "model")
        steps = [entry for entry in trainer.state.log_history if "loss" in entry]
        lines = [json.dumps(_metrics(entry), sort_keys=True) + "\n" for entry in steps]
        (target / "metrics.jsonl").write_text("".join(lines), encoding="utf-8")

    return context.store.save_artifact("models", key, write)


def _tokens_of(checkpoint: Path | None) -> int:
    """The tokens that were read before this checkpoint."""
    if checkpoint is None:
        return 0
    return int(json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8")).get("num_input_tokens_seen", 0))


def _metrics(entry: dict[str, Any]) -> dict[str, float]:
    names = {"tokens": "num_input_tokens_seen"}
    return {name: entry[names.get(name, name)] for name in METRICS if names.get(name, name) in entry}


def _last_whole(folder: Path) -> Path | None:
    """The newest checkpoint that was written to its end; what a kill left half-written is removed."""
    whole: list[tuple[int, Path]] = []
    for path in sorted(folder.glob("checkpoint-*")):
        try:
            # The last file of a checkpoint.
            state = json.loads((path / "trainer_state.json").read_text(encoding="utf-8"))
            whole.append((int(state["global_step"]), path))
        except (OSError, ValueError, KeyError):
            shutil.rmtree(path, ignore_errors=True)
    return max(whole)[1] if whole else None


def _fingerprint(
    stage: Train, examples: Sequence[Example], limit: int, versions: dict[str, str], context: Context
) -> str:
    """All that the weights depend on: arguments, student, libraries, the tokens in their order and which carry loss."""
    files = context.students.files(stage.model)
    texts = hashlib.blake2b(digest_size=16)
    for example in examples:
        texts.update(f"{example.start}:{','.join(map(str, example.tokens))}\n".encode())
    return fingerprint({
        "training": 1,
        "method": stage.method,
        "arguments": sft_arguments(stage),
        "dtype": stage.model.dtype,
        "student": [files.digest, files.tokenizer_digest, files.template_digest],
        "max_length": limit,
        "examples": texts.hexdigest(),
        "versions": versions,
    })  # fmt: skip


def longest_example(stage: Train, context: Context) -> int:
    """The most tokens of an example: those of the clause, and never more than the student can read."""
    readable = context.students.context(stage.model)
    limits = [limit for limit in (stage.max_length, readable) if limit is not None]
    if stage.max_length is not None and readable is not None and stage.max_length > readable:
        which = f"fewer than the `max_length` of {stage.max_length}"
        context.watch(Notice(stage.id, f"`{stage.model.student}` reads {readable} tokens, {which}"))
    return min(limits, default=sys.maxsize)


def _versions(stage: Train) -> dict[str, str]:
    """Major and minor version of each library that decides the weights."""
    names = ("torch", "transformers", "trl", "accelerate", "datasets")
    found = {}
    for name in names:
        try:
            found[name] = ".".join(metadata.version(name).split("+")[0].split(".")[:2])
        except metadata.PackageNotFoundError as error:
            raise Fault(Diagnostic(
                "MIX0509", f"training needs the package `{name}`, which is not installed",
                Label(stage.span, "this trains a model"), help='run `pip install "mixc[train]"`',
            )) from error  # fmt: skip
    return {name: found[name] for name in names[:3]}


def _refuse(stage: Train, rows: pl.DataFrame) -> None:
    """What the language has and this does not do must never be ignored."""
    if stage.method != "full":
        raise Fault(Diagnostic(
            "MIX0510", f"the method `{stage.method}` is not supported yet",
            Label(stage.span, "this trains all weights or nothing"), help="write `method full`",
        ))  # fmt: skip
    if "weight" in rows.columns and not rows.filter(pl.col("weight").fill_null(1.0) != 1.0).is_empty():
        count = rows.filter(pl.col("weight").fill_null(1.0) != 1.0).height
        raise Fault(Diagnostic(
            "MIX0510", f"{count} of the selected rows have a weight other than 1, which training does not support yet",
            Label(stage.span, "every row is trained on with weight 1"), help="leave out the clause that sets weights",
        ))  # fmt: skip


def _diverged(stage: Train, name: str, value: float, step: int) -> Diagnostic:
    what = "loss" if name == "loss" else "gradient"
    return Diagnostic(
        "MIX0510",
        f"training failed at step {step}: the {what} is {value}",
        Label(stage.span, "the weights are of no use from there on"),
        notes=(f"the learning rate is {stage.learning_rate:g}, the arithmetic {stage.model.dtype}",),
        help="write a smaller `learning_rate`, or `dtype fp32` in the student",
    )


@contextmanager
def _faults(stage: Train, folder: Path) -> Iterator[None]:
    """What the machine refuses, as faults at the train clause."""
    try:
        with writing(folder):
            yield
    except Fault as fault:
        place = Label(stage.span, "while training this")
        raise Fault(*(d if d.primary else replace(d, primary=place) for d in fault.diagnostics)) from fault
    except RuntimeError as error:  # torch tells of a full memory and of a full disk in words only
        text = str(error)
        if "PytorchStreamWriter" in text or "file write failed" in text:
            raise Fault(Diagnostic(
                "MIX0508", f"cannot write `{folder}`: a checkpoint was not written to its end",
                Label(stage.span, "while training this"),
                help="make room on that disk (a checkpoint takes 12 bytes a weight), then run the same command again",
            )) from error  # fmt: skip
        if "out of memory" in text or "allocate memory" in text or "enough memory" in text:
            raise Fault(Diagnostic(
                "MIX0510", f"`{stage.model.student}` does not fit in memory while it is trained",
                Label(stage.span, "on examples of this length"),
                help="write a smaller `max_length`, or take a smaller student",
            )) from error  # fmt: skip
        raise


@contextmanager
def _quiet() -> Iterator[None]:
    """No bars and no log lines of the libraries on the terminal, whose state is given back afterwards."""
    import datasets
    from transformers.utils import logging as transformers_logging

    before = logging.root.manager.disable
    bars = datasets.are_progress_bars_disabled(), transformers_logging.is_progress_bar_enabled()
    logging.disable(max(before, logging.WARNING))
    datasets.disable_progress_bars()
    transformers_logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
        if not bars[0]:
            datasets.enable_progress_bars()
        if bars[1]:
            transformers_logging.enable_progress_bar()
