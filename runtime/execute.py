"""Walks a plan and writes its build folder. One stage, one artifact; the store is asked first; the folder is swapped in whole."""

import json
import re
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.plan import lock
from ..compiler.plan.serialize import to_json
from ..compiler.plan.stages import (
    KINDS,
    Evaluate,
    GeneratedTeacher,
    Materialise,
    Pending,
    Plan,
    Profile,
    Score,
    Select,
    Stage,
    Tag,
    Teachers,
    Train,
    kind,
)
from . import materialise as made
from .arms import evaluation_of, materialised, place, refuse_unkept, selection_files, trained_arms
from .audit import Audit, audit
from .churn import Churn, churn
from .confounded import confounded
from .context import Context
from .embeddings import embedding_files
from .emit import EMITTERS, REPORT, emit
from .evaluate import evaluate
from .events import Agreed, Deviated, Event, Notice, Passed, StageFinished, StageStarted, Watch
from .example_rows import EXAMPLES, example_rows
from .files import TEMPORARY, recover_swap, replace_atomic, swap_folder, sweep, write_atomic, writing
from .foresee import foresee
from .generate import model_of
from .ledger import write_ledger
from .look_ahead import look_ahead
from .manifest import Record, manifest
from .measured import Profiled, profile_data, profile_json
from .models import run_here
from .needs import needs
from .outputs import Output, outputs
from .pins import pins
from .precision import to_data
from .promised import promised
from .rates import remember
from .spec_texts import SOURCES, SpecTexts
from .teacher_table import teacher_table
from .trace import Trace, trace
from .train import Trained, foreseen, ready, train
from .walk import Walk, advance
from .weigh import refuse_weights
from .write_card import write_card

Content = bytes | Callable[[Path], object]
"""A file's bytes, or what writes it."""
OWN = (
    *("plan.json", "manifest.json", "ledger.parquet", "selected.parquet", "train.jsonl", "teachers.json", "profile.json"),
    *("model", "metrics.jsonl", "eval.json", "answers.parquet", "arms", SOURCES, EXAMPLES, lock.FILE, *(name for name, _ in EMITTERS)),
)
PROFILE = re.compile(r"profile-[A-Za-z_][A-Za-z0-9_]*\.json")


@dataclass(slots=True)
class Build:
    """What a build came to: the folder, the rows, a record of each finished stage, and what its likelihood scores go with."""

    out: Path
    texts: SpecTexts = field(default_factory=SpecTexts)
    walk: Walk = field(default_factory=Walk)
    records: list[Record] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    passed: list[Passed] = field(default_factory=list)
    deviated: dict[tuple[str, str], Deviated] = field(default_factory=dict)
    parity: list[dict[str, object]] = field(default_factory=list)
    models: dict[str, dict[str, str]] = field(default_factory=dict)
    chosen: pl.DataFrame | None = None
    baselines: dict[str, pl.DataFrame] = field(default_factory=dict)
    trained: Trained | None = None
    training: dict[str, object] | None = None
    evaluation: dict | None = None
    audits: tuple[Audit, ...] = ()
    trace: Trace = field(default_factory=Trace)
    churn: Churn | None = None
    params: tuple[tuple[str, str], ...] = ()
    hashed: dict[tuple[str, int, int, int], str] = field(default_factory=dict)


def stages_until(plan: Plan, until: str | None) -> tuple[Stage, ...]:
    """The stages of a run that stops after the last stage of kind `until`; scores of the selected rows only do not make `score` reach past `select`,
    and what stops before `profile` measures none, though it stands before the scores."""
    if until is None:
        return plan.stages
    reach = KINDS.index(until)
    ends = [i for i, s in enumerate(plan.stages) if KINDS.index(kind(s)) <= reach and not (isinstance(s, Score) and s.rows == "selected")]
    same = [i for i in ends if kind(plan.stages[i]) == until]
    found = plan.stages[: max(same or ends, default=-1) + 1]
    return found if reach >= KINDS.index("profile") else tuple(s for s in found if not isinstance(s, Profile))


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


def build(plan: Plan, out: Path, context: Context, until: str | None = None, texts: SpecTexts | None = None, params: tuple[tuple[str, str], ...] = ()) -> Build:
    """Run the plan, compiled from `texts` with `params`, into the folder `out`. Faults carry the code that says what failed; what was finished stays in the store."""
    refuse_pending(plan, until)
    for stage in stages_until(plan, until):
        if isinstance(stage, Train):
            ready(stage)
    out = out.resolve() if out.is_symlink() else out
    ahead = stages_until(plan, until)
    measuring = evaluation_of(ahead)
    result = Build(out, texts or SpecTexts(), Walk(needed=needs(plan.stages), arms=measuring.arms if measuring else ()), params=params)
    watch = _noting(context, result, context.store.root)
    context = replace(context, watch=watch)
    with context.store.lock(f"build-{out.resolve()}", lambda said: watch(Notice("build", said))):
        _refuse_foreign(out)
        sweep(out.parent)
        recover_swap(out)
        look_ahead(ahead, context)
        for i, stage in enumerate(ahead):
            if hopeless := foresee(ahead[i:], result.walk, context):
                raise Fault(hopeless)
            _run(stage, plan, result, context)
            _release(stage, ahead[i + 1 :], context)
        if not any(r.kind == "materialise" for r in result.records):
            _swap(plan, result, _selection_files(plan, result, context), context)
    return result


def _writer(teacher: GeneratedTeacher, context: Context) -> dict[str, str]:
    """What is known of the model of a teacher that generates."""
    if teacher.endpoint is not None:
        return {"model": teacher.model, "endpoint": teacher.endpoint.url}
    return {"model": teacher.model, "dtype": teacher.dtype, **context.students.files(model_of(teacher)).digests}


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
    named = [p.name for p in out.iterdir() if not p.name.startswith(TEMPORARY)] if out.exists() else []
    foreign = sorted(name for name in named if name not in own and not (own and PROFILE.fullmatch(name)))
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
            summary = _evaluate(stage, plan, result, context)
        case _:
            summary = advance(stage, result.walk, context)
            if isinstance(stage, Select):
                result.chosen = chosen_rows(plan, stage, result.walk, context)
                result.churn = churn(result.out, result.chosen["row_id"])
    if isinstance(stage, Teachers):
        result.models |= {f"teacher {each.name}": _writer(each, context) for each in stage.generated}
    if (model := run_here(stage)) is not None:
        result.models[model.student] = {"model": model.model, "dtype": model.dtype, **context.students.files(model).digests}
    elif isinstance(stage, Tag) and stage.nearest is not None and (found := embedding_files(stage.nearest.model, context.students)) is not None:
        result.models[stage.id] = {"model": stage.nearest.model.model, "dtype": stage.nearest.model.dtype, "weights": found.digest}
    elif isinstance(stage, Tag) and stage.attribution is not None and stage.attribution.endpoint is not None:
        result.models[stage.id] = {"model": stage.attribution.model.model, "endpoint": stage.attribution.endpoint.url}
    seconds = time.monotonic() - began
    tokens, reading = sum(p.tokens for p in result.passed), sum(p.seconds for p in result.passed)
    engines = ", ".join(sorted({f"{p.engine} on {p.device}" for p in result.passed if p.tokens}))
    result.records.append(Record(stage.id, kind(stage), round(seconds, 3), summary, tokens, round(reading, 3), engines))
    context.watch(StageFinished(stage.id, summary, seconds))
    if isinstance(stage, Materialise):
        lines = made.train_lines(stage, _rows(result))
        _swap(plan, result, _selection_files(plan, result, context) | {"train.jsonl": lines} | selection_files(stage, result.baselines), context)
    elif isinstance(stage, (Train, Evaluate)):
        _tell(plan, result, context, result.out)
        emit(result.out, context.watch, lambda: _tell(plan, result, context, result.out), (REPORT,))


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


def _release(stage: Stage, ahead: Sequence[Stage], context: Context) -> None:
    """Let go of a student that was measured, unless it is the next that is asked."""
    if not isinstance(stage, Profile) or not stage.measured:
        return
    asked = (s for s in ahead if isinstance(s, Train) or (isinstance(s, Score | Evaluate | Profile) and s.model and getattr(s, "scorer", "") != "tokens"))
    following = next(asked, None)
    if following is None or isinstance(following, Train) or following.model != stage.model:
        context.students.release(stage.model)


def _profile_files(plan: Plan, result: Build) -> dict[str, Content]:
    """`profile.json`: of the student that the selection aims by, else of the first; and `profile-NAME.json` of each other one."""
    found: dict[str, Profiled] = result.walk.profiles
    if not found:
        return {}
    select = next((s for s in plan.stages if isinstance(s, Select)), None)
    aimed = select.soft.student if select and select.soft and select.soft.student in found else next(iter(found))
    return {"profile.json" if student == aimed else f"profile-{student}.json": profile_json(each) for student, each in found.items()}


def _materialise(plan: Plan, result: Build, context: Context) -> str:
    result.chosen = made.selected(plan, result.walk.rows, context.texts)
    result.baselines = materialised(plan, result.walk.baselines, context)
    if said := refuse_weights(plan, result.chosen):
        context.watch(Notice("materialise", said))
    for baseline in result.baselines.values():
        refuse_weights(plan, baseline)
    tokens = result.chosen["tokens"].sum() if result.chosen["tokens"].null_count() == 0 else None
    return f"{result.chosen.height:,} examples" + (f", {tokens:,} tokens" if tokens else "")


def _rows(result: Build) -> pl.DataFrame:
    if result.chosen is None:
        raise RuntimeError("nothing was selected before this stage")
    return result.chosen


def _selection_files(plan: Plan, result: Build, context: Context) -> dict[str, Content]:
    """The files that profile and selection make; none where the run stopped before them."""
    files = _profile_files(plan, result)
    if result.texts.sources:
        files[SOURCES] = result.texts.to_json()
    if result.chosen is None:
        return files
    result.trace = trace(plan, result.walk.rows)
    return files | {
        "ledger.parquet": lambda path: write_ledger(plan, result.walk.rows, result.trace.columns, path),
        "selected.parquet": made.parquet(result.chosen),
        "teachers.json": _json(teacher_table(plan, result.walk.rows)),
        EXAMPLES: lambda path: path.write_bytes(made.parquet(example_rows(plan, path.parent / "ledger.parquet", result.walk.rows, context))),
    }


def _swap(plan: Plan, result: Build, contents: dict[str, Content], context: Context) -> None:
    """Put a folder with these files, the plan, the manifest and what tells others of it in the place of the build, as a whole."""
    result.audits = audit(plan, result.walk.rows)
    with writing(result.out):
        result.out.parent.mkdir(parents=True, exist_ok=True)
        fresh = result.out.parent / f"{TEMPORARY}{result.out.name}-{time.time_ns()}"
        fresh.mkdir()
    try:
        for name, data in contents.items():
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            replace_atomic(fresh / name, data) if callable(data) else write_atomic(fresh / name, data)
        write_atomic(fresh / "plan.json", to_json(plan).encode())
        _tell(plan, result, context, fresh)
        emit(fresh, context.watch, lambda: _tell(plan, result, context, fresh))
        swap_folder(fresh, result.out)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _tell(plan: Plan, result: Build, context: Context, folder: Path) -> None:
    """Write what the stages so far were made of, and the manifest last, with the digests of all that lies in the folder."""
    done = {record.stage for record in result.records}
    stages = tuple(stage for stage in plan.stages if stage.id in done)
    until = None if len(stages) == len(plan.stages) or not stages else result.records[-1].kind
    made_of = pins(plan, result.walk.inputs, context, stages, result.params, until)
    write_atomic(folder / lock.FILE, lock.to_json(made_of).encode())
    with writing(folder, "MIX0501", "read"):
        found = outputs(folder, result.hashed)
    write_atomic(folder / "manifest.json", _manifest(plan, result, found))


def _manifest(plan: Plan, result: Build, found: dict[str, Output]) -> bytes:
    selected = None if result.chosen is None else result.chosen.height
    measured: dict[str, object] = {
        "outputs": found,
        "audit": [each.to_data() for each in result.audits],
        "precision": [to_data(each) for _, each in sorted(result.deviated.items())],
        "parity": result.parity,
        "path": result.trace.path,
        "profiles": {student: profile_data(each) for student, each in sorted(result.walk.profiles.items())},
        "diagnostics": result.texts.diagnostics(confounded(plan, result.audits)),
    }
    return manifest(plan, result.walk, result.records, result.models, result.notices, selected, result.training, measured)


def _train(stage: Train, plan: Plan, result: Build, context: Context) -> str:
    select = next(s for s in plan.stages if isinstance(s, Select))
    whole = promised(select, result.walk.rows)
    if result.baselines:  # told before the first training, and the recipe's own first
        foreseen(stage, _rows(result), context, whole)
        refuse_unkept(stage, result.walk.arms, result.baselines, result.walk, context)
    done = train(stage, _rows(result), context, whole)
    result.trained, result.training = done, done.report.to_dict()
    place(done, result.out, lambda folder: write_card(folder, plan, stage, done, result.walk.rows, context))
    losses = [m["loss"] for m in done.metrics if "loss" in m]
    shown = f", loss {losses[0]:.3f} -> {losses[-1]:.3f}" if losses else ""
    return f"{len(losses):,} steps{shown}" + (", from the store" if done.reused else "")


def _evaluate(stage: Evaluate, plan: Plan, result: Build, context: Context) -> str:
    training = next((s for s in plan.stages if isinstance(s, Train)), None)
    arms = trained_arms(training, plan, stage.arms, result.trained, _rows(result), result.baselines, result.walk, result.out, context) if training else ()
    chains = next((dict(s.tree) for s in plan.stages if isinstance(s, Tag) and s.tree), {})
    found = evaluate(stage, result.walk.heldout, arms, context, chains)
    result.evaluation = found.to_dict()
    write_atomic(result.out / "answers.parquet", made.parquet(found.items))
    write_atomic(result.out / "eval.json", _json(result.evaluation))
    measured = ", ".join([*(f"`{name}`" for name in found.benchmarks), *(["held-out rows"] if found.heldout else [])]) + " measured"
    return measured + (f", {len(found.arms)} arms" if len(found.arms) > 2 else "")


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
