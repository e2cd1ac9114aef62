"""Holds a finished build against itself: its files against its manifest, its plan against its lock, its rows against its ledger. It reads the folder alone."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from ..compiler.diagnostics import Diagnostic, Fault
from ..compiler.plan.bare import bare_digest, bare_stages
from ..compiler.plan.digest import digest
from ..compiler.plan.lock import FILE, Broken, Lock, from_json
from ..compiler.plan.serialize import Unreadable, from_data
from ..compiler.plan.stages import Plan
from .built import read_json
from .outputs import outputs
from .standing import FILES

CODE = "MIX0536"
_AGAIN = "build it again with this version: `mixc build SPEC`; scores that are in the store are not computed again"


@dataclass(frozen=True, slots=True)
class Verified:
    """What was checked of a build, in words, what was not, and every difference (MIX0536)."""

    folder: Path
    checked: tuple[str, ...]
    unchecked: tuple[str, ...]
    differences: tuple[Diagnostic, ...]


def verify_build(folder: Path) -> Verified:
    """The build in `folder`. Fault MIX0524 where there is none, MIX0535 where it has no lock, or none that can be read, MIX0501 where its manifest cannot be."""
    manifest = read_json(folder, "manifest.json")
    lock = _lock(folder)
    promised = manifest.get("outputs") if isinstance(manifest, dict) else None
    if not isinstance(promised, dict):
        raise Fault(Diagnostic("MIX0535", f"the manifest in `{folder}` has no digests of what the build wrote: it is of an earlier version", help=_AGAIN))
    found: list[str] = [*_files(folder, promised)]
    checked = [f"{len(promised):,} files by size and SHA-256"]
    plan = _plan(folder)
    if plan is None:
        found.append("`plan.json` is no plan of this version")
    else:
        found += _plan_against(plan, lock, manifest)
        checked.append(f"the plan of {len(plan.stages):,} stages against the lock and the manifest")
    found += _made_of(lock, manifest)
    checked.append(f"{_counted(len(lock.pins('corpora')), 'corpus', 'corpora')}, {_counted(len(lock.pins('models')), 'model', 'models')} and {len(lock.pins('versions')):,} versions of the manifest against the lock")
    if (folder / "ledger.parquet").is_file() and (folder / "selected.parquet").is_file():
        told, rows = _rows(folder, manifest)
        found += told
        checked += [f"{rows[1]:,} selected rows against the ledger of {rows[0]:,}, and the manifest's counts"] if rows else []
    unchecked = ["the corpora and the files of models as they are now: `mixc build SPEC --locked` reads them"]
    if lock.until is not None:
        unchecked.append(f"what comes after `{lock.until}`: the build stopped there")
    return Verified(folder, tuple(checked), tuple(unchecked), tuple(Diagnostic(CODE, message, help=None) for message in dict.fromkeys(found)))


def _lock(folder: Path) -> Lock:
    path = folder / FILE
    try:
        return from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Fault(Diagnostic("MIX0535", f"the build in `{folder}` has no `{FILE}`: it was removed, or an earlier version wrote none", help=_AGAIN)) from None
    except (Broken, OSError, UnicodeDecodeError) as error:
        raise Fault(Diagnostic("MIX0535", f"the lock `{path}` cannot be read: {error}", help=_AGAIN)) from None


def _files(folder: Path, promised: Mapping[str, Any]) -> Iterator[str]:
    """The data files of the folder against the manifest."""
    try:
        there = outputs(folder)
    except OSError as error:
        raise Fault(Diagnostic("MIX0501", f"the build in `{folder}` cannot be read: {error}", help="see whether you may open its files")) from None
    for name in sorted(promised.keys() | there.keys()):
        if name not in there:
            yield f"`{name}` is gone"
        elif name not in promised:
            yield f"`{name}` is in the folder, and the build did not write it"
        elif there[name] != promised[name]:
            before, after = promised[name].get("bytes"), there[name]["bytes"]
            size = f"{after:,} bytes, and {before:,} were written" if before != after else f"of {after:,} bytes, as many as were written, some are others"
            yield f"`{name}` is not the file that the build wrote: {size}"


def _plan(folder: Path) -> Plan | None:
    try:
        return from_data(json.loads((folder / "plan.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, Unreadable):
        return None


def _plan_against(plan: Plan, lock: Lock, manifest: Mapping[str, Any]) -> Iterator[str]:
    for what, mine, theirs in (("name", plan.name, lock.mix), ("seed", plan.seed, lock.seed)):
        if mine != theirs:
            yield f"the plan's {what} is {mine}, and the lock pins {theirs}"
    own, pinned = bare_stages(plan), {id: fields[""] for id, fields in lock.pins("stages").items()}
    for id in sorted(own.keys() | pinned.keys()):
        if own.get(id) != pinned.get(id):
            yield f"`{id}` of the plan is not what the lock pins"
    if bare_digest(plan) != lock.plan and own == pinned:
        yield "the plan is not what the lock pins: its stages are, but not their order"
    if digest(plan) != manifest.get("plan"):
        yield "the plan is not that of the manifest"
    ids = {stage.id for stage in plan.stages}
    yield from (f"the manifest has `{id}` finished, and the plan has no such stage" for id in manifest.get("finished", ()) if id not in ids)


def _made_of(lock: Lock, manifest: Mapping[str, Any]) -> Iterator[str]:
    """The inputs, models and versions of a manifest against the lock."""
    inputs = {("heldout" if each.get("heldout") else "corpora", each["corpus"]): each for each in manifest.get("inputs", ())}
    pinned = {(section, name): fields for section in ("corpora", "heldout") for name, fields in lock.pins(section).items()}
    for key in sorted(inputs.keys() | pinned.keys()):
        mine, theirs = inputs.get(key, {}), pinned.get(key, {})
        if (mine.get("rows"), mine.get("digest"), mine.get("content")) != (theirs.get("rows"), theirs.get("ids"), theirs.get("content")):
            yield f"the rows of corpus `{key[1]}` in the manifest are not those that the lock pins"
    models = manifest.get("models", {})
    for name, fields in lock.pins("models").items():
        kind, _, own = name.partition(" ")
        told = models.get(own if kind == "student" else name)
        if told is not None and any(field in told and told[field] != fields[field] for field in ("weights", "tokenizer", "template") if field in fields):
            yield f"the digests of {kind} `{own}` in the manifest are not those that the lock pins"
    known = {"mixc": manifest.get("mixc"), **manifest.get("versions", {})}
    for name, fields in lock.pins("versions").items():
        if name in known and str(known[name]).partition("+")[0] != fields[""]:
            yield f"the manifest has {name} {known[name]}, and the lock pins {fields['']}"


def _rows(folder: Path, manifest: Mapping[str, Any]) -> tuple[list[str], tuple[int, int] | None]:
    """The selected rows against the ledger and the counts; how many rows the ledger has and how many are selected."""
    try:
        ledger = pl.read_parquet(folder / "ledger.parquet", columns=["row_id", "status"])
        chosen = pl.read_parquet(folder / "selected.parquet", columns=["row_id"])["row_id"]
        lines = _ids(folder / "train.jsonl")
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        return [f"the rows cannot be read: {str(error).splitlines()[0]}"], None
    wanted = ledger.filter(pl.col("status") == "selected")["row_id"]
    found = []
    if chosen.to_list() != wanted.to_list():
        only = len(set(chosen) - set(wanted)), len(set(wanted) - set(chosen))
        found.append(f"`selected.parquet` and the ledger's selected rows part: {only[0]:,} are in the one alone, {only[1]:,} in the other" if any(only) else "`selected.parquet` is in another order than the ledger")
    if lines is not None and lines != chosen.to_list():
        found.append(f"`train.jsonl` has {len(lines):,} examples that are not the {chosen.len():,} rows of `selected.parquet`, in their order")
    counts = manifest.get("counts", {})
    for what, told, is_so in (("rows", counts.get("rows"), ledger.height), ("selected rows", counts.get("selected"), chosen.len())):
        if told != is_so:
            found.append(f"the manifest counts {told:,} {what}, and there are {is_so:,}" if isinstance(told, int) else f"the manifest counts no {what}")
    missing = [name for kind, name in FILES if kind.__name__.lower() in {each.get("kind") for each in manifest.get("stages", ())} and not (folder / name).exists()]
    return [*found, *(f"`{name}` is gone" for name in missing)], (ledger.height, chosen.len())


def _ids(path: Path) -> list[str] | None:
    """The row ids of `train.jsonl`, in its order; None where there is no such file."""
    if not path.is_file():
        return None
    with path.open(encoding="utf-8") as file:
        return [json.loads(line)["row_id"] for line in file]


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
