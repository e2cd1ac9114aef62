"""Accuracies and held-out likelihoods of a comparison as tables of words, each recipe beside the reference. It counts nothing."""

from collections.abc import Iterator, Sequence

from ..runtime.compare import Compared
from ..runtime.recipes import HELDOUT
from ..runtime.results import Result
from .sheet import NONE, Sheet

TESTS = {
    "mcnemar": "McNemar's exact test",
    "permutation": "permutation of signs",
    "bootstrap": "the bootstrap over problems and runs",
}


def results_sheets(found: Compared) -> Iterator[Sheet]:
    """A sheet a benchmark, then the held-out rows; what is true of all of them stands below the last."""
    names = sorted(dict.fromkeys(r.benchmark for r in found.results), key=lambda name: name == HELDOUT)
    for name in names:
        here = [r for r in found.results if r.benchmark == name]
        last = name == names[-1]
        yield _sheet(name, here, (*_of_rows(here), *(_legend(found) if last else ())))


def _sheet(name: str, here: Sequence[Result], notes: Sequence[str]) -> Sheet:
    share = name != HELDOUT
    several, sampled = any(r.runs > 1 for r in here), any(r.samples > 1 for r in here)
    tested = any(r.paired for r in here)
    counts = {r.problems for r in here}
    uneven = len(counts) > 1
    unit = "problems" if share else "rows"
    header = ["", *(["runs"] if several else []), *([unit] if uneven else []), "accuracy" if share else "mean", "95 % interval"]
    k = max(r.samples for r in here)
    header += [f"pass@{k}"] if sampled else []
    header += ["difference", "95 % interval", "p", "Holm", "better", "worse"] if tested else []
    rows = [(r.label, *([f"{r.runs}"] if several else []), *([f"{r.problems:,}"] if uneven else []), *_row(r, share, k if sampled else 0, tested)) for r in here]
    size = f"{min(counts):,}" if not uneven else f"{min(counts):,} .. {max(counts):,}"
    title = f"{name}: {size} {unit}" if share else f"held out: {size} {unit}, nats a token, less is better"
    told = {place: r.paired.difference.value for place, r in enumerate(here) if r.paired and r.paired.difference.told}
    styles = {place: "success" if (value > 0) == share else "warning" for place, value in told.items()}
    return Sheet(title, tuple(header), tuple(rows), tuple(notes), styles=styles)


def _row(r: Result, share: bool, k: int, tested: bool) -> tuple[str, ...]:
    """The cells behind the name and the counts."""
    cells = [f"{r.value:.1%}" if share else f"{r.value:.4f}"]
    cells.append(NONE if r.low is None or r.high is None else _interval(r.low, r.high, share))
    cells += [next((f"{value:.1%}" for each, value in r.pass_at_k if each == k), NONE)] if k else []
    if not tested:
        return tuple(cells)
    if r.paired is None:
        return (*cells, *["" if r.apart is None else NONE] * 2, *[""] * 4)
    d = r.paired.difference
    better, worse = (d.higher, d.lower) if share else (d.lower, d.higher)
    shown = f"{100 * d.value:+.1f}" if share else f"{d.value:+.4f}"
    return (
        *cells, shown, _interval(d.low, d.high, share, "+") + (" *" if d.told else "  "), _p(d.p), _p(r.paired.holm), f"{better:,}", f"{worse:,}",
    )  # fmt: skip


def _interval(low: float, high: float, share: bool, sign: str = "") -> str:
    return f"{100 * low:{sign}.1f} .. {100 * high:{sign}.1f}" if share else f"{low:{sign}.4f} .. {high:{sign}.4f}"


def _p(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _of_rows(here: Sequence[Result]) -> Iterator[str]:
    """What is to be said of single recipes, those of whom the same is said together."""
    said: dict[str, list[str]] = {}
    for r in here:
        if r.apart:
            said.setdefault(f"not compared: {r.apart}", []).append(r.label)
        if r.unknown:
            said.setdefault(f"{r.unknown:,} answers could not be graded; they count as wrong", []).append(r.label)
        if r.left_out:
            said.setdefault(f"{r.left_out:,} without a value in every run are left out", []).append(r.label)
        if r.paired and r.paired.difference.problems != r.problems:
            said.setdefault(f"compared on the {r.paired.difference.problems:,} that both have", []).append(r.label)
    for says, labels in said.items():
        yield f"{', '.join(labels)}: {says}" if len(labels) < len(here) - 1 or len(labels) == 1 else says


def _legend(found: Compared) -> list[str]:
    told = [r.paired for r in found.results if r.paired]
    if not told:
        return []
    tests = [TESTS[name] for name in TESTS if any(each.difference.test == name for each in told)]
    lines = [
        f"difference: less {_reference(found)}, in points of accuracy (or nats), on the same problems; * the interval leaves 0 out",
        f"p: {', '.join(tests)}; Holm: p adjusted for {len(told)} comparison{'' if len(told) == 1 else 's'}; better, worse: so many problems",
    ]
    if any(1 in each.difference.runs for each in told if each.recipe.split(": ")[-1] != "before"):
        lines.append("with one run, intervals hold the chance of the problems, not that of training: `seeds [0, 1, 2]` trains three")
    return lines


def _reference(found: Compared) -> str:
    return next(each.paired.against for each in found.results if each.paired)
