"""Under which licences a finished build says its data are: what the recipe states of the whole, and what the selected rows are under."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..compiler.plan.stages import Scan, Teachers
from .finished import Finished
from .licensed import UNSTATED


@dataclass(frozen=True, slots=True)
class Stated:
    """`dataset`: the recipe's own licence, else those of its rows; none where one states none. `rows`: of whom, and what theirs are under, in words."""

    dataset: tuple[str, ...]
    rows: tuple[tuple[str, str], ...]


def stated(build: Finished) -> Stated:
    """The licences of the recipe and of its rows: by number, as the manifest counts them, or else as the corpora state them."""
    counted = build.manifest["counts"].get("licences")
    own = () if build.plan.license is None else (build.plan.license,)
    if counted is None:
        found, rows = _of_corpora(build)
        return Stated(own or found, rows)
    rows = [(f"{kind} {name}", _numbers(of)) for kind, part in (("corpus", "corpora"), ("teacher", "teachers")) for name, of in counted[part].items() if name]
    return Stated(own or (() if UNSTATED in counted["all"] else tuple(sorted(counted["all"]))), tuple(rows))


def _numbers(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({rows:,})" for name, rows in counts.items())


def _of_corpora(build: Finished) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    scans = [s for s in build.plan.stages if isinstance(s, Scan)]
    whole = [scan.license for scan in scans if scan.license is not None and scan.roles.license is None]
    anew = any(s.generated for s in build.plan.stages if isinstance(s, Teachers))
    known = tuple(sorted(set(whole))) if len(whole) == len(scans) and not anew else ()
    return known, tuple((f"corpus {scan.corpus}", _words(scan)) for scan in scans)


def _words(scan: Scan) -> str:
    own = None if scan.roles.license is None else f"of each row, in its column {scan.roles.license}"
    return ", else ".join(each for each in (own, scan.license) if each is not None) or UNSTATED
