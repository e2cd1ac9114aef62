"""A build folder to a `Report`: everything that a page of it shows, read from its files alone. No corpus, no model, no store; it writes nothing."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from ...compiler.diagnostics import Diagnostic, Fault
from ...compiler.plan.serialize import Unreadable, from_data
from ...compiler.plan.stages import Evaluate, Plan, Select, Train
from ...compiler.source import Source
from ..built import read_json, unreadable
from ..choose_examples import traced
from ..compare import compare
from ..contender import contender
from ..path import path
from ..spec_texts import SOURCES, read_sources
from .composition import clauses, composition, targets
from .distributions import distributions, lengths
from .marked import marked
from .origins import audits, contamination, inputs, licences, ran, shown, truncation
from .specimens import specimens
from .values import Report, Step

AGAIN = "build it again with this version; scores that are in the store are not computed again"
NEEDED = ("ledger.parquet", "selected.parquet")


def gather(folder: Path) -> Report:
    """The report of the build in `folder`.

    Fault MIX0524 where there is none, MIX0539 where it stopped before its selection, MIX0501 where a file of it cannot be read.
    """
    data, manifest = read_json(folder, "plan.json"), read_json(folder, "manifest.json")
    if missing := [name for name in NEEDED if not (folder / name).is_file()]:
        message = f"no report can be made of `{folder}`: it has no `{missing[0]}`, the build stopped before its selection"
        raise Fault(Diagnostic("MIX0539", message, help=f"run it as far as `select` at least: `mixc build SPEC --out {folder} --until select`"))
    try:
        return _gather(folder, from_data(data), manifest)
    except (Unreadable, pl.exceptions.PolarsError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise unreadable(folder, said, AGAIN) from None


def _gather(folder: Path, plan: Plan, manifest: dict[str, Any]) -> Report:
    ledger, chosen = pl.scan_parquet(folder / "ledger.parquet"), pl.scan_parquet(folder / "selected.parquet")
    selection = manifest.get("selection") or {}
    stage = next(s for s in plan.stages if isinstance(s, Select))
    sources = read_sources(json.loads((folder / SOURCES).read_text(encoding="utf-8"))) if (folder / SOURCES).is_file() else ()
    texts, marks = marked(plan, manifest, sources)
    found = clauses(selection)
    (teachers, others), (skills, left_out) = composition(plan, found, chosen.select("teacher", "skills", "tokens"), _candidates(plan, ledger))
    numbers, truths = distributions(plan, ledger)
    examples, said = specimens(plan, folder, ledger)
    compared = compare([contender(plan.name, folder)], plan.name)
    rows, prompts, tokens, uncounted = chosen.select(
        pl.len(), pl.col("prompt_id").n_unique().alias("prompts"), pl.col("tokens").sum(), pl.col("tokens").null_count().alias("uncounted"),
    ).collect().row(0)  # fmt: skip
    return Report(
        name=plan.name, description=plan.description, seed=plan.seed, built=_built(folder), mixc=manifest.get("mixc", ""), plan=manifest.get("plan", ""),
        rows=manifest["counts"]["rows"], selected=rows, prompts=prompts, tokens=None if uncounted or not rows else int(tokens),
        method=selection.get("method", ""), objective=selection.get("objective"), unit=selection.get("unit"), gap=selection.get("gap"),
        objective_text=stage.objective_text, weighted=stage.fills_tokens, texts=texts, marks=marks, funnel=_funnel(manifest),
        teachers=teachers, teachers_left_out=others, skills=skills, skills_left_out=left_out, clauses=found, targets=targets(selection),
        distributions=numbers, truths=truths, audits=audits(manifest), lengths=lengths(ledger), truncation=truncation(manifest),
        contamination=contamination(plan, manifest, ledger), examples=examples, trainings=compared.trainings, results=compared.results,
        inputs=inputs(manifest), files=tuple((shown(path), digest) for path, digest in sorted(manifest.get("files", {}).items())),
        models=tuple((name, tuple((what, shown(value)) for what, value in told.items())) for name, told in manifest.get("models", {}).items()),
        versions=tuple(manifest.get("versions", {}).items()), ran=ran(manifest), licences=licences(plan, manifest),
        lacks=_lacks(plan, sources, said),
    )  # fmt: skip


def _built(folder: Path) -> str:
    """When the manifest was last written, in UTC, to the minute."""
    return datetime.fromtimestamp((folder / "manifest.json").stat().st_mtime, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _funnel(manifest: dict[str, Any]) -> tuple[Step, ...]:
    """What each clause dropped; a corpus adds its rows to those before."""
    steps, before, scanned = [], 0, 0
    for each in manifest["counts"]["funnel"]:
        rows = each["rows"]
        if each["clause"].startswith("scan "):
            scanned += rows
            steps.append(Step(each["clause"], rows, 0))
            before = scanned
        else:
            steps.append(Step(each["clause"], rows, before - rows))
            before = rows
    return tuple(steps)


def _candidates(plan: Plan, ledger: pl.LazyFrame) -> pl.LazyFrame | None:
    """The rows that came to the selection: those selected, and those that its clauses together left out. None where the ledger has no steps."""
    columns = ledger.collect_schema().names()
    step = traced("step", columns)
    if step not in columns:
        return None
    return ledger.filter((pl.col("status") == "selected") | (pl.col(step) > len(path(plan)))).select("teacher", "skills", "tokens")


def _lacks(plan: Plan, sources: tuple[Source, ...], examples: str | None) -> dict[str, str]:
    """Why a section has nothing, where the plan or the version is why."""
    lacks = {}
    if not sources:
        lacks["recipe"] = "the build was made without `sources.json`: by an earlier version, which kept no texts"
    if examples:
        lacks["steps"] = examples
    if not any(isinstance(s, Train) for s in plan.stages):
        lacks["training"] = "the recipe has no `train`"
    if not any(isinstance(s, Evaluate) for s in plan.stages):
        lacks["evaluation"] = "the recipe has no `evaluate`"
    return lacks
