"""A finished build folder, read: its plan, its manifest, its ledger. Writes nothing."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from ..compiler.diagnostics import Diagnostic, Fault
from ..compiler.plan.serialize import Unreadable, from_data
from ..compiler.plan.stages import Plan
from ..compiler.suggest import suggest
from .ledger import TRACED
from .path import Side

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Built:
    """`ledger` has a column for each name that `column` gives."""

    folder: Path
    plan: Plan
    manifest: dict[str, Any]
    ledger: pl.DataFrame

    def column(self, name: str) -> str:
        """The ledger's column for one of the trace."""
        other = f"{name} {TRACED}"
        return other if other in self.ledger.columns else name

    def value(self, side: Side, row: Mapping[str, Any]) -> Any:
        """What a side of a clause is for a row of the ledger: its constant, the trace's column, or a score's, whatever that is called."""
        if side.column is None:
            return side.constant
        return row[self.column(side.column) if side.made else side.column]


def built(folder: Path) -> Built:
    """The build in `folder`. Fault MIX0524 where there is none, several, or one that has no trace of its rows; MIX0501 where it cannot be read."""
    plan = read_json(folder, "plan.json")
    manifest = read_json(folder, "manifest.json")
    if not (folder / "ledger.parquet").is_file():
        raise _no(f"`{folder}` holds a build that stopped before its selection", f"run it as far as `select`: `mixc build SPEC --out {folder} --until select`")
    again = "build it again with this version; scores that are in the store are not computed again"
    try:
        read = from_data(plan)
        ledger = pl.read_parquet(folder / "ledger.parquet")
    except (Unreadable, pl.exceptions.PolarsError, OSError) as error:
        raise unreadable(folder, str(error).splitlines()[0], again) from None
    if "path" not in manifest or "step" not in ledger.columns:
        raise _no(f"the build in `{folder}` was written by a version that kept no trace of its rows", again)
    return Built(folder, read, manifest, ledger)


def read_json(folder: Path, name: str) -> Any:
    """A JSON file of a build. Fault MIX0524 where the folder has none, MIX0501 where it cannot be read."""
    try:
        return json.loads((folder / name).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise _no(*_not_there(folder, name)) from None
    except (OSError, ValueError) as error:
        raise unreadable(folder, f"`{name}`: {error}", "build it again") from None


def _not_there(folder: Path, name: str) -> tuple[str, str]:
    """What is said of a folder that holds no build, and what to name in its place."""
    usual = "a build folder is what `mixc build SPEC` writes, `build/NAME/` unless `--out` says otherwise"
    if not folder.exists():
        others = _builds(folder.parent)
        near = suggest(folder.name, [path.name for path in others])
        if near is not None:
            return f"there is no build at `{folder}`", f"did you mean `{next(path for path in others if path.name == near)}`?"
        return f"there is no build at `{folder}`", f"builds there: {_some(others)}" if others else usual
    from .variants import read_index  # what builds variants is much to load, and seldom asked for here

    if variants := read_index(folder):
        return _several(folder, variants)
    if inside := _builds(folder):
        several = len(inside) > 1
        return f"`{folder}` is no build, it holds {'several' if several else 'one'}", f"name {'one of them' if several else 'that'}: {_some(inside)}"
    return f"`{folder}` is not the folder of a build: it has no `{name}`", usual


def _several(folder: Path, variants: Mapping[str, Mapping[str, Any]]) -> tuple[str, str]:
    """The same of a folder that holds the variants of one spec, of which some may have no build."""
    built = [folder / name for name in variants if (folder / name / "manifest.json").is_file()]
    message = f"`{folder}` is no build, it holds the {len(variants)} variants of one spec"
    if not built:
        return message, "none of them was built to its end: `mixc build SPEC` says why"
    missing = [f"`{name}` ({entry.get('status', 'not built')})" for name, entry in variants.items() if folder / name not in built]
    without = f"; without a build: {', '.join(missing[:SHOWN])}" if missing else ""
    return message, f"name one, as in `mixc why {built[0]} ROW_OR_PROMPT`; there are {_some(built)}{without}"


def _builds(folder: Path) -> list[Path]:
    """The builds in a folder, and the variants in its folders."""
    return sorted(path.parent for depth in ("*", "*/*") for path in folder.glob(f"{depth}/manifest.json")) if folder.is_dir() else []


def _some(paths: Sequence[Path]) -> str:
    more = f" and {len(paths) - SHOWN:,} more" if len(paths) > SHOWN else ""
    return ", ".join(f"`{path}`" for path in paths[:SHOWN]) + more


def _no(message: str, help: str) -> Fault:
    return Fault(Diagnostic("MIX0524", message, help=help))


def no_build(folder: Path) -> Fault:
    """MIX0524 of a folder that is not there, or that holds no build."""
    return _no(*_not_there(folder, "manifest.json"))


def unreadable(folder: Path, what: str, help: str) -> Fault:
    """MIX0501 of the build in `folder`."""
    return Fault(Diagnostic("MIX0501", f"the build in `{folder}` cannot be read: {what}", help=help))
