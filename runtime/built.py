"""A finished build folder, read: its plan, its manifest, its ledger. Writes nothing."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from ..compiler.diagnostics import Diagnostic, Fault
from ..compiler.plan.serialize import Unreadable, from_data
from ..compiler.plan.stages import Plan
from .ledger import TRACED
from .path import Side


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
    """The build in `folder`. Fault MIX0524 where there is none, or one that has no trace of its rows."""
    plan = _json(folder, "plan.json")
    manifest = _json(folder, "manifest.json")
    if not (folder / "ledger.parquet").is_file():
        raise _no(f"`{folder}` holds a build that stopped before its selection", f"run it as far as `select`: `mixc build SPEC --out {folder} --until select`")
    again = "build it again with this version; scores that are in the store are not computed again"
    try:
        read = from_data(plan)
        ledger = pl.read_parquet(folder / "ledger.parquet")
    except (Unreadable, pl.exceptions.PolarsError, OSError) as error:
        raise _no(f"the build in `{folder}` cannot be read: {str(error).splitlines()[0]}", again) from None
    if "path" not in manifest or "step" not in ledger.columns:
        raise _no(f"the build in `{folder}` was written by a version that kept no trace of its rows", again)
    return Built(folder, read, manifest, ledger)


def _json(folder: Path, name: str) -> Any:
    try:
        return json.loads((folder / name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise _no(*_not_there(folder, name)) from None
    except (OSError, ValueError) as error:
        raise _no(f"the build in `{folder}` cannot be read: `{name}`: {error}", "build it again") from None


def _not_there(folder: Path, name: str) -> tuple[str, str]:
    if not folder.exists():
        near = sorted(path.parent for path in folder.parent.glob("*/manifest.json")) if folder.parent.is_dir() else []
        builds = f"builds there: {', '.join(f'`{path}`' for path in near[:5])}" if near else "`mixc build SPEC` makes one, in `build/NAME/` unless `--out` says otherwise"
        return f"there is no build at `{folder}`", builds
    inside = [f"`{path.parent}`" for path in sorted(folder.glob("*/manifest.json"))[:3]]
    if inside:
        return f"`{folder}` is no build, it holds several", f"name one, such as {', '.join(inside)}"
    return f"`{folder}` is not the folder of a build: it has no `{name}`", "a build folder is what `mixc build SPEC` writes, `build/NAME/` unless `--out` says otherwise"


def _no(message: str, help: str) -> Fault:
    return Fault(Diagnostic("MIX0524", message, help=help))
