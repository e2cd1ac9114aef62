"""What an evaluation found, as tables of 100 columns: arms are rows, benchmarks and held-out loss are columns, means over seeds stand below.

Reads the data of `eval.json`; knows no files.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

BENCHMARKS = 3
"""So many benchmarks stand side by side."""
HELDOUT = "heldout"
Data = Mapping[str, Any]


def evaluation_tables(found: Data) -> list[Table]:
    """One table for every BENCHMARKS benchmarks, the held-out loss in the last."""
    names = list(found["benchmarks"])
    groups: list[Sequence[str]] = [names[first : first + BENCHMARKS] for first in range(0, len(names), BENCHMARKS)] or [()]
    return [_table(found, group, bool(found.get(HELDOUT)) and group is groups[-1]) for group in groups]


def _table(found: Data, names: Sequence[str], heldout: bool) -> Table:
    table = Table(title="evaluation", title_justify="left", title_style="message", box=None, pad_edge=False, header_style="dim")
    table.add_column("arm")
    for name in names:
        table.add_column(_head(name, next(iter(found["benchmarks"][name].values()))), justify="right", overflow="fold")
        if _samples(found, name) > 1:
            table.add_column(f"pass@{_samples(found, name)}", justify="right")
    if heldout:
        table.add_column("held-out NLL,\nnats a token", justify="right")
    arms = found["arms"]
    for arm in arms:
        table.add_row(arm["arm"], *_cells(found, names, arm["arm"]), *([_nats(found[HELDOUT].get(arm["arm"]))] if heldout else []))
    seeds = [each for each in found.get("recipes", ()) if len(each["arms"]) > 1]
    for recipe in dict.fromkeys(each["recipe"] for each in seeds):
        means = {each["benchmark"]: each for each in seeds if each["recipe"] == recipe}
        cells = [cell for name in names for cell in _mean(means.get(name), _samples(found, name))]
        first = next(iter(means.values()))
        table.add_row(f"{recipe}, {len(first['arms'])} seeds", *cells, *([_nll(means.get(HELDOUT))] if heldout else []), style="bold")
    return table


def _head(name: str, arm: Data) -> str:
    asked = f"{arm['n']:,}" + (f" x {arm['samples']}" if arm["samples"] > 1 else "")
    return f"{name}, {asked}"


def _samples(found: Data, name: str) -> int:
    return max(arm["samples"] for arm in found["benchmarks"][name].values())


def _cells(found: Data, names: Sequence[str], arm: str) -> list[str]:
    cells = []
    for name in names:
        got = found["benchmarks"][name].get(arm)
        cells.append("" if got is None else _share(got["accuracy"], got["interval"]))
        if _samples(found, name) > 1:
            cells.append("" if got is None else f"{got['pass_at_k'][str(_samples(found, name))]:.1%}")
    return cells


def _mean(mean: Data | None, samples: int) -> list[str]:
    cell = "" if mean is None else _share(mean["accuracy"], mean["interval"])
    return [cell] if samples == 1 else [cell, "" if mean is None else f"{mean['pass_at_k'][str(samples)]:.1%}"]


def _share(accuracy: float, interval: Sequence[float]) -> str:
    return f"{accuracy:.1%} ({interval[0]:.0%} to {interval[1]:.0%})"


def _nats(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, float) else ""


def _nll(mean: Data | None) -> str:
    return "" if mean is None else f"{mean['nll']:.4f} ({mean['interval'][0]:.3f} to {mean['interval'][1]:.3f})"
