"""A plan and what lies around it to its lock: the rows as a walk found them, models, scorers and files by content, versions. It computes no score."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from .. import __version__
from ..compiler.paths import is_remote
from ..compiler.plan.bare import bare_digest, bare_stages, is_a_path
from ..compiler.plan.lock import Lock, Scalar
from ..compiler.plan.stages import Decontaminate, Dedup, Evaluate, Model, Plan, Profile, Score, Select, Stage, Tag, Teachers, Train
from ..compiler.source import Span
from .context import Context
from .embeddings import embedding_files
from .generate import model_of
from .models import run_here
from .outside import content_of
from .pass_rates import PASS_RATE
from .scorers.registry import SCORERS, scorer
from .store import fingerprint

_ELSEWHERE = ("weights", "tokenizer", "template", "dtype", "mixc")
"""What of a scorer's identity is pinned with the model, the plan or the versions."""
_ALWAYS = ("polars", "polars-hash", "numpy")
_GRADERS = ("math-verify", "latex2sympy2-extended", "sympy")

Found = dict[str, dict[str, Scalar]]


def pins(plan: Plan, inputs: Sequence[Mapping[str, Any]], context: Context, stages: Sequence[Stage], params: Iterable[tuple[str, str]] = (), until: str | None = None) -> Lock:
    """The lock of what `stages` of the plan read; `inputs` are the corpora as a manifest has them. Faults are those of models: MIX0506, MIX0509, MIX0430."""
    sections: dict[str, Found] = {
        "params": {name: {"": value} for name, value in params},
        "stages": {id: {"": own} for id, own in bare_stages(plan).items()},
        "corpora": {each["corpus"]: rows_pinned(each) for each in inputs if not each.get("heldout")},
        "heldout": {each["corpus"]: rows_pinned(each) for each in inputs if each.get("heldout")},
        "models": _models(stages, context),
        "scores": {stage.name: _score(stage, context) for stage in stages if isinstance(stage, Score)},
        "skills": {stage.taxonomy: found for stage in stages if isinstance(stage, Tag) and (found := _skills(stage))},
        "profiles": {stage.model.student: {"tallies": _digest(stage.tallies)} for stage in stages if isinstance(stage, Profile) and stage.tallies is not None},
        "benchmarks": _files((b.name, b.path) for stage in stages if isinstance(stage, Evaluate) for b in stage.benchmarks),
        "decontamination": _files((_last(path), path) for stage in stages if isinstance(stage, Decontaminate) for path in stage.against),
        "versions": {name: {"": found} for name, found in pinned_versions(stages).items()},
    }
    return Lock(plan.name, plan.seed, bare_digest(plan), until, {name: found for name, found in sections.items() if found})


def rows_pinned(entry: Mapping[str, Any]) -> dict[str, Scalar]:
    """What a lock has of a corpus of a manifest."""
    return {"rows": entry["rows"], "ids": entry["digest"], "content": entry["content"], "columns": ", ".join(entry["columns"]), "sketch": entry["sketch"]}


def pinned_versions(stages: Sequence[Stage]) -> dict[str, str]:
    """The installed packages that decide what these stages make, without the local part of a version (`+cpu`); mixc itself among them.

    Not those that only show, fetch or serve, and no engine beside transformers: another one's values enter the store after a parity check.
    """
    wanted = [*_ALWAYS]
    runs = [model for stage in stages if (model := run_here(stage)) is not None]
    writes = any(each.endpoint is None for stage in stages if isinstance(stage, Teachers) for each in stage.generated)
    for stage in stages:
        match stage:
            case Select():
                wanted.append("highspy")
            case Dedup(method="minhash"):
                wanted.append("rensa")
            case Train():
                wanted += ["trl", *(["peft"] if stage.lora else [])]
            case Tag(attribution=asked) if asked is not None and asked.endpoint is None:
                wanted.append("llguidance")
            case _:
                pass
        if runs or writes or (isinstance(stage, Tag) and stage.nearest is not None):
            wanted += ["torch", "transformers", "tokenizers"]
        if _grades(stage):
            wanted += _GRADERS
    found = {"mixc": __version__}
    for name in dict.fromkeys(wanted):
        try:
            found[name] = version(name).partition("+")[0]
        except PackageNotFoundError:
            continue
    return dict(sorted(found.items()))


def _grades(stage: Stage) -> bool:
    """Whether answers are compared as mathematics."""
    match stage:
        case Score():
            return stage.scorer in ("verify_math", PASS_RATE)
        case Profile():
            return stage.grade is not None and stage.grade.scorer == "verify_math"
        case Evaluate():
            return any(b.grade is None or b.grade.scorer == "verify_math" for b in stage.benchmarks)
        case _:
            return False


def model_pins(stage: Stage) -> tuple[tuple[str, Span], ...]:
    """What a lock calls the models that a stage asks, each with its place."""
    match stage:
        case Teachers():
            return tuple((f"teacher {each.name}", each.span) for each in stage.generated)
        case Tag(nearest=nearest) if nearest is not None:
            return ((f"embedder {stage.taxonomy}", nearest.model.span),)
        case Tag(attribution=asked) if asked is not None:
            return ((f"tagger {stage.taxonomy}", asked.model.span),)
        case _:
            model = run_here(stage)
            return () if model is None else ((f"student {_last(model.student) if is_a_path(model.student) else model.student}", model.span),)


def _models(stages: Sequence[Stage], context: Context) -> Found:
    found: Found = {}
    users: dict[str, list[str]] = {}
    for stage in stages:
        for (name, _), pinned in zip(model_pins(stage), _models_of(stage, context), strict=True):
            users.setdefault(name, []).append(stage.id)
            found[name] = pinned
    return {name: pinned | {"used_by": ", ".join(users[name])} for name, pinned in found.items()}


def _models_of(stage: Stage, context: Context) -> Iterator[dict[str, Scalar]]:
    """What is pinned of each of `model_pins`, in the same order."""
    if isinstance(stage, Teachers):
        for each in stage.generated:
            yield {"endpoint": each.endpoint.url, "name": each.model} if each.endpoint else _model(model_of(each), context)
    elif isinstance(stage, Tag) and stage.nearest is not None:
        files = embedding_files(stage.nearest.model, context.students)
        yield {} if files is None else {"weights": files.digest, **_hub(stage.nearest.model, files.hub)}
    elif isinstance(stage, Tag) and stage.attribution is not None:
        asked = stage.attribution
        yield {"endpoint": asked.endpoint.url, "name": asked.model.model} if asked.endpoint else _model(asked.model, context)
    elif (model := run_here(stage)) is not None:
        yield _model(model, context)


def _model(model: Model, context: Context) -> dict[str, Scalar]:
    files = context.students.files(model)
    return {**files.digests, **_hub(model, files.hub)}


def _hub(model: Model, commit: str | None) -> dict[str, Scalar]:
    return {} if commit is None else {"hub": model.model, "commit": commit}


def _score(stage: Score, context: Context) -> dict[str, Scalar]:
    pinned: dict[str, Scalar] = {"scorer": stage.scorer, "version": stage.version}
    if stage.package is not None:
        pinned["package"] = stage.package
    if stage.scorer in ("column", PASS_RATE):
        return pinned
    identity = scorer(stage).identity(stage, context)
    if stage.scorer not in SCORERS:
        return pinned | {"identity": fingerprint({name: value for name, value in identity.items() if name not in _ELSEWHERE})}
    if "table" in identity:
        pinned["table"] = f"{identity['table']} {identity['version']}"
    return pinned | {name: str(identity[name]) for name in ("split", "timeout") if name in identity}


def _skills(stage: Tag) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {}
    if stage.tree is not None:
        found["tree"] = _digest([stage.tree, stage.descriptions])
    if stage.keywords is not None:
        found["keywords"] = _digest(stage.keywords)
    return found


def _files(named: Iterable[tuple[str, str]]) -> Found:
    """By name the content of the files behind a path or a pattern; of one that cannot be looked at nothing is pinned."""
    found: Found = {}
    for name, path in named:
        content = None if is_remote(path) else content_of(path)
        if content is not None:
            free = next(each for n in range(1, len(found) + 2) if (each := name if n == 1 else f"{name} ({n})") not in found)
            found[free] = {"content": content}
    return found


def _last(path: str) -> str:
    return path if is_remote(path) else path.rstrip("/").rpartition("/")[2]


def _digest(value: object) -> str:
    """32 hex digits of plain data, tallies among it."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=lambda each: [each.attempts, each.correct])
    return hashlib.sha256(text.encode()).hexdigest()[:32]
