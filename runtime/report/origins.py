"""Where a build comes from: corpora, files, models, versions, stages, licences; and what its decontamination and its tokenising found."""

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

import polars as pl

from ...compiler.plan.stages import Decontaminate, Plan, Scan
from ..audit import Audit, Correlation
from ..confounded import strong
from .values import Confound, Contamination, Input, Licence, Portion, Ran, Truncation

SHOWN = 5


def inputs(manifest: Mapping[str, Any]) -> tuple[Input, ...]:
    """The corpora; of a path that begins at the root the name alone."""
    return tuple(Input(each["corpus"], shown(each["path"]), each["rows"], each.get("digest"), each.get("content")) for each in manifest.get("inputs", []))


def shown(path: str) -> str:
    """A path as a report names it: no folder of a machine."""
    return PurePath(path).name if PurePath(path).is_absolute() else path


def ran(manifest: Mapping[str, Any]) -> tuple[Ran, ...]:
    """The finished stages in their order."""
    return tuple(Ran(each["stage"], each["summary"], each["seconds"], each.get("engines", "")) for each in manifest.get("stages", []))


def audits(manifest: Mapping[str, Any]) -> tuple[Confound, ...]:
    """The manifest's audit, and what of it is strong enough for a warning."""
    return tuple(_audit(each) for each in manifest.get("audit", []))


def _audit(data: Mapping[str, Any]) -> Confound:
    step, response, teacher = data["step_length"], data["response_length"], data["teacher"]
    found = Audit(
        data["score"], data["rows"], data["one_step"], None if step is None else Correlation(step["pearson"], step["spearman"]),
        Correlation(response["pearson"], response["spearman"]), teacher["teachers"], teacher["explains"], teacher["within_prompts"],
    )  # fmt: skip
    lengths = None if found.step_length is None else found.step_length.spearman
    return Confound(found.score, found.rows, lengths, found.response_length.spearman, found.within_prompts, found.teachers, tuple(strong(found)))


def contamination(plan: Plan, manifest: Mapping[str, Any], ledger: pl.LazyFrame) -> tuple[Contamination, ...]:
    """Each `decontaminate` of the plan, with the evidence of some of the rows that it dropped, one a prompt."""
    return tuple(_contamination(stage, manifest, ledger) for stage in plan.stages if isinstance(stage, Decontaminate))


def _contamination(stage: Decontaminate, manifest: Mapping[str, Any], ledger: pl.LazyFrame) -> Contamination:
    found = manifest.get("counts", {}).get("evidence", {}).get(stage.id, {})
    rows = ledger.filter(pl.col("reason").str.starts_with(f"{stage.text}: ")).sort("row_id").unique("prompt_id", keep="first", maintain_order=True)
    evidence = rows.select("prompt_id", "reason").head(SHOWN).collect().rows() if stage.because is None else []
    return Contamination(
        stage.text, stage.because, found.get("prompts", 0), found.get("rows", 0), tuple(found.get("against", {}).items()),
        tuple(shown(path) for path in stage.against), tuple((prompt, reason.removeprefix(f"{stage.text}: ")) for prompt, reason in evidence),
    )  # fmt: skip


def truncation(manifest: Mapping[str, Any]) -> Truncation | None:
    """What tokenising for the training left; None where nothing was trained."""
    found = manifest.get("training")
    if not found or "examples" not in found:
        return None
    teachers, skills = (tuple(Portion(**{name: each[name] for name in Portion.__slots__}) for each in found.get(what, [])) for what in ("teachers", "skills"))
    return Truncation(
        found["rows"], found["examples"], found["max_length"], len(found.get("truncated", [])), len(found.get("dropped", [])), found["tokens"],
        found.get("lost_tokens", 0), teachers, skills,
    )  # fmt: skip


def licences(plan: Plan, manifest: Mapping[str, Any]) -> tuple[Licence, ...]:
    """What the manifest counts (`licences`, or `counts.licences`): of corpora and teachers, rows by licence. Without it, what the corpora say of themselves."""
    told = manifest.get("licences") or manifest.get("counts", {}).get("licences")
    if isinstance(told, Mapping):
        return tuple(_counted(told))
    return tuple(Licence("corpus", stage.corpus, stage.license, None) for stage in plan.stages if isinstance(stage, Scan))


def _counted(told: Mapping[str, Any]) -> Iterator[Licence]:
    """`{"corpora": {NAME: {LICENCE: ROWS}}, "teachers": …}`; anything else beside is not of this kind and is left out."""
    for what, kind in (("corpora", "corpus"), ("teachers", "teacher")):
        names = told.get(what)
        for name, found in names.items() if isinstance(names, Mapping) else ():
            for licence, rows in found.items() if isinstance(found, Mapping) else ():
                yield Licence(kind, str(name), None if licence in ("", "not stated") else str(licence), rows if isinstance(rows, int) else None)
