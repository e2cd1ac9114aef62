"""Walks a plan and writes its build folder. One stage, one artifact; the store is asked first; the folder is swapped in whole."""

import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.plan.serialize import to_json
from ..compiler.plan.stages import KINDS, Evaluate, Materialise, Pending, Plan, Profile, Score, Select, Stage, Tag, Train, kind
from . import materialise as made
from .audit import Audit, audit
from .churn import Churn, churn
from .context import Context
from .embeddings import embedding_files
from .evaluate import evaluate
from .events import Agreed, Deviated, Event, Notice, Passed, StageFinished, StageStarted, Watch
from .files import TEMPORARY, recover_swap, replace_atomic, swap_folder, sweep, write_atomic, writing
from .foresee import foresee
from .ledger import write_ledger
from .manifest import Record, manifest
from .models import run_here
from .needs import needs
from .precision import to_data
from .promised import promised
from .rates import remember
from .teacher_table import teacher_table
from .trace import Trace, trace
from .train import ready, train
from .walk import Walk, advance
from .weigh import refuse_weights
from .write_card import write_card

Content = bytes | Callable[[Path], object]
"""A file's bytes, or what writes it."""
OWN = (
    *("plan.json", "manifest.json", "ledger.parquet", "selected.parquet", "train.jsonl", "teachers.json", "profile.json", "report.html"),
    *("model", "metrics.jsonl", "eval.json", "arms"),
)


@dataclass(slots=True)
class Build:
    """What a build came to: the folder, the rows, a record of each finished stage, and what its likelihood scores go with."""

    out: Path
    walk: Walk = field(default_factory=Walk)
    records: list[Record] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    passed: list[Passed] = field(default_factory=list)
    deviated: dict[tuple[str, str], Deviated] = field(default_factory=dict)
    parity: list[dict[str, object]] = field(default_factory=list)
    models: dict[str, dict[str, str]] = field(default_factory=dict)
    chosen: pl.DataFrame | None = None
    profiles: dict[str, Profile] = field(default_factory=dict)
    trained: Path | None = None
    training: dict[str, object] | None = None
    evaluation: dict | None = None
    audits: tuple[Audit, ...] = ()
    trace: Trace = field(default_factory=Trace)
    churn: Churn | None = None


def stages_until(plan: Plan, until: str | None) -> tuple[Stage, ...]:
    """The stages of a run that stops after the last stage of kind `until`; scores of the selected rows only do not make `score` reach past `select`."""
    if until is None:
        return plan.stages
    reach = KINDS.index(until)
    ends = [i for i, s in enumerate(plan.stages) if KINDS.index(kind(s)) <= reach and not (isinstance(s, Score) and s.rows == "selected")]
    same = [i for i in ends if kind(plan.stages[i]) == until]
    return plan.stages[: max(same or ends, default=-1) + 1]


def refuse_pending(plan: Plan, until: str | None) -> None:
    """Fault MIX0410 for the clauses that this run would need and the runtime does not do yet."""
    reach = KINDS.index(until) if until else len(KINDS)
    run = {kind(stage) for stage in stages_until(plan, until)}
    refuse(plan, [p for p in plan.pending if p.stage in run or KINDS.index(p.stage) <= reach])


def refuse(plan: Plan, needed: Sequence[Pending]) -> None:
    """Fault MIX0410 where a run needs clauses that the runtime does not do yet."""
    if needed:
        label = "the runtime cannot do this yet"
        raise Fault(
            *(
                Diagnostic("MIX0410", f"the `{p.stage}` stage cannot do {p.what} yet", Label(p.span, label), help=_way_out(plan, p.stage))
                for p in needed
            )
        )


def _way_out(plan: Plan, pending: str) -> str:
    """How to run as much as can be run: `pending` is the kind that cannot."""
    first = next((i for i, stage in enumerate(plan.stages) if kind(stage) == pending), len(plan.stages))
    clear = [k for k in dict.fromkeys(map(kind, plan.stages[:first])) if KINDS.index(k) < KINDS.index(pending)]
    able = [k for k in clear if pending not in {kind(s) for s in stages_until(plan, k)}]
    return f"remove it, or stop before it with `--until {able[-1]}`" if able else "remove it"


def build(plan: Plan, out: Path, context: Context, until: str | None = None) -> Build:
    """Run the plan into the folder `out`. Faults carry the code that says what failed; what was finished stays in the store."""
    refuse_pending(plan, until)
    for stage in stages_until(plan, until):
        if isinstance(stage, Train):
            ready(stage)
    out = out.resolve() if out.is_symlink() else out
    result = Build(out, Walk(needed=needs(plan.stages)))
    watch = _noting(context, result, context.store.root)
    context = replace(context, watch=watch)
    with context.store.lock(f"build-{out.resolve()}", lambda said: watch(Notice("build", said))):
        _refuse_foreign(out)
        sweep(out.parent)
        recover_swap(out)
        ahead = stages_until(plan, until)
        for i, stage in enumerate(ahead):
            if hopeless := foresee(ahead[i:], result.walk, context):
                raise Fault(hopeless)
            _run(stage, plan, result, context)
        if not any(r.kind == "materialise" for r in result.records):
            _swap(plan, result, _selection_files(plan, result))
    return result


def _refuse_foreign(out: Path) -> None:
    """A build takes the place of the whole folder: Fault MIX0512 if anything stands there that no build wrote."""
    help = "choose another folder with `--out`, or move those files away"
    if out.resolve() in (Path.cwd(), *Path.cwd().parents):
        raise Fault(
            Diagnostic("MIX0512", f"`{out}` is the folder that mixc runs in, or holds it; a build takes the place of its folder", help=help)
        )
    if out.exists() and not out.is_dir():
        raise Fault(Diagnostic("MIX0512", f"`{out}` is a file, not a folder", help=help))
    own = OWN if (out / "manifest.json").is_file() else ()
    foreign = sorted(p.name for p in out.iterdir() if p.name not in own and not p.name.startswith(TEMPORARY)) if out.exists() else []
    if foreign:
        shown = ", ".join(f"`{name}`" for name in foreign[:5]) + (" …" if len(foreign) > 5 else "")
        raise Fault(
            Diagnostic("MIX0512", f"`{out}` holds files that no build wrote, and a build takes the place of its folder: {shown}", help=help)
        )


def _run(stage: Stage, plan: Plan, result: Build, context: Context) -> None:
    context.watch(StageStarted(stage.id))
    result.passed.clear()
    began = time.monotonic()
    match stage:
        case Materialise():
            summary = _materialise(plan, result, context)
        case Train():
            summary = _train(stage, plan, result, context)
        case Evaluate():
            summary = _evaluate(stage, result, context)
        case Profile():
            summary = _profile(stage, result)
        case _:
            summary = advance(stage, result.walk, context)
            if isinstance(stage, Select):
                result.chosen = chosen_rows(plan, stage, result.walk, context)
                result.churn = churn(result.out, result.chosen["row_id"])
    if (model := run_here(stage)) is not None:
        result.models[model.student] = {"model": model.model, "dtype": model.dtype, **context.students.files(model).digests}
    elif isinstance(stage, Tag) and stage.nearest is not None and (found := embedding_files(stage.nearest.model, context.students)) is not None:
        result.models[stage.id] = {"model": stage.nearest.model.model, "dtype": stage.nearest.model.dtype, "weights": found.digest}
    seconds = time.monotonic() - began
    tokens, reading = sum(p.tokens for p in result.passed), sum(p.seconds for p in result.passed)
    engines = ", ".join(sorted({f"{p.engine} on {p.device}" for p in result.passed if p.tokens}))
    result.records.append(Record(stage.id, kind(stage), round(seconds, 3), summary, tokens, round(reading, 3), engines))
    context.watch(StageFinished(stage.id, summary, seconds))
    if isinstance(stage, Materialise):
        _swap(plan, result, _selection_files(plan, result) | {"train.jsonl": made.train_lines(stage, _rows(result))})
    elif isinstance(stage, (Train, Evaluate)):
        write_atomic(result.out / "manifest.json", _manifest(plan, result))


def chosen_rows(plan: Plan, stage: Select, walk: Walk, context: Context) -> pl.DataFrame:
    """The selected rows after `select`; Fault MIX0503 where there is none."""
    refuse_empty(stage, walk)
    return made.selected(plan, walk.rows, context.texts)


def refuse_empty(stage: Select, walk: Walk) -> None:
    """Fault MIX0503 where `select` left no row."""
    if not walk.rows.alive:
        steps = ", ".join(f"{step.rows:,} after `{step.clause}`" for step in walk.funnel)
        raise Fault(
            Diagnostic(
                "MIX0503",
                "no row is left to select",
                Label(stage.span, "selects nothing"),
                notes=(steps,),
                help="loosen the clause that dropped the last rows",
            )
        )


def _profile(stage: Profile, result: Build) -> str:
    """Take note of a profile that was read from its file; one that is measured is refused before a run begins."""
    tallies = [tally for _, tally in stage.tallies or ()]
    tried, right = sum(t.attempts for t in tallies), sum(t.correct for t in tallies)
    result.profiles[stage.model.student] = stage
    return f"{len(tallies):,} skills, {right:,} of {tried:,} attempts correct"


def _profile_file(plan: Plan, result: Build) -> bytes | None:
    """`profile.json`: the counts of the profile that the selection aims by, else of the only one."""
    select = next((s for s in plan.stages if isinstance(s, Select)), None)
    aimed = result.profiles.get(select.soft.student or "") if select and select.soft else None
    stage = aimed or (next(iter(result.profiles.values())) if len(result.profiles) == 1 else None)
    if stage is None:
        return None
    return _json({"skills": {skill: {"attempts": t.attempts, "correct": t.correct} for skill, t in sorted(stage.tallies or ())}})


def _materialise(plan: Plan, result: Build, context: Context) -> str:
    result.chosen = made.selected(plan, result.walk.rows, context.texts)
    if said := refuse_weights(plan, result.chosen):
        context.watch(Notice("materialise", said))
    tokens = result.chosen["tokens"].sum() if result.chosen["tokens"].null_count() == 0 else None
    return f"{result.chosen.height:,} examples" + (f", {tokens:,} tokens" if tokens else "")


def _rows(result: Build) -> pl.DataFrame:
    if result.chosen is None:
        raise RuntimeError("nothing was selected before this stage")
    return result.chosen


def _selection_files(plan: Plan, result: Build) -> dict[str, Content]:
    """The files that profile and selection make; none where the run stopped before them."""
    profile = _profile_file(plan, result)
    files: dict[str, Content] = {} if profile is None else {"profile.json": profile}
    if result.chosen is None:
        return files
    result.trace = trace(plan, result.walk.rows)
    return files | {
        "ledger.parquet": lambda path: write_ledger(plan, result.walk.rows, result.trace.columns, path),
        "selected.parquet": made.parquet(result.chosen),
        "teachers.json": _json(teacher_table(plan, result.walk.rows)),
    }


def _swap(plan: Plan, result: Build, contents: dict[str, Content]) -> None:
    """Put a folder with these files, the plan and the manifest in the place of the build, as a whole."""
    result.audits = audit(plan, result.walk.rows)
    with writing(result.out):
        result.out.parent.mkdir(parents=True, exist_ok=True)
        fresh = result.out.parent / f"{TEMPORARY}{result.out.name}-{time.time_ns()}"
        fresh.mkdir()
    try:
        for name, data in contents.items():
            replace_atomic(fresh / name, data) if callable(data) else write_atomic(fresh / name, data)
        write_atomic(fresh / "plan.json", to_json(plan).encode())
        write_atomic(fresh / "manifest.json", _manifest(plan, result))
        swap_folder(fresh, result.out)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _manifest(plan: Plan, result: Build) -> bytes:
    selected = None if result.chosen is None else result.chosen.height
    measured: dict[str, object] = {
        "audit": [each.to_data() for each in result.audits],
        "precision": [to_data(each) for _, each in sorted(result.deviated.items())],
        "parity": result.parity,
        "path": result.trace.path,
    }
    return manifest(plan, result.walk, result.records, result.models, result.notices, selected, result.training, measured)


def _train(stage: Train, plan: Plan, result: Build, context: Context) -> str:
    select = next(s for s in plan.stages if isinstance(s, Select))
    done = train(stage, _rows(result), context, promised(select, result.walk.rows))
    result.trained, result.training = done.path, done.report.to_dict()
    with writing(result.out / "model"):
        fresh = result.out / f"{TEMPORARY}model-{time.time_ns()}"
        try:
            shutil.copytree(done.path, fresh)
            write_card(fresh, plan, stage, done, result.walk.rows, context)
            swap_folder(fresh, result.out / "model")
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    write_atomic(result.out / "metrics.jsonl", "".join(f"{json.dumps(m)}\n" for m in done.metrics).encode())
    losses = [m["loss"] for m in done.metrics if "loss" in m]
    shown = f", loss {losses[0]:.3f} -> {losses[-1]:.3f}" if losses else ""
    return f"{len(losses):,} steps{shown}" + (", from the store" if done.reused else "")


def _evaluate(stage: Evaluate, result: Build, context: Context) -> str:
    found = evaluate(stage, result.walk.heldout, result.trained, context)
    result.evaluation = found.to_dict()
    write_atomic(result.out / "eval.json", _json(result.evaluation))
    return ", ".join([*(f"`{name}`" for name in found.benchmarks), *(["held-out rows"] if found.heldout else [])]) + " measured"


def _noting(context: Context, result: Build, root: Path) -> Watch:
    def watch(event: Event) -> None:
        if isinstance(event, Notice):
            result.notices.append(f"{event.stage}: {event.message}")
        elif isinstance(event, Agreed):
            result.parity.append({"stage": event.stage, **event.facts})
        elif isinstance(event, Passed):
            result.passed.append(event)
            remember(root, event)
        elif isinstance(event, Deviated):
            result.deviated[event.student, event.engine] = event
        context.watch(event)

    return watch


def _json(value: object) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str).encode() + b"\n"
