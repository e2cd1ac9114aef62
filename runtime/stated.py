"""Under which licences a finished build says its data are: what the recipe states of the whole, and of each corpus."""

from dataclasses import dataclass

from ..compiler.plan.stages import Scan, Teachers
from .finished import Finished
from .licences import UNSTATED


@dataclass(frozen=True, slots=True)
class Stated:
    """`dataset`: the recipe's own licence, else those of all its corpora; none where one states none for the whole, or where a teacher wrote anew.

    `corpora`: what each states, in words.
    """

    dataset: tuple[str, ...]
    corpora: tuple[tuple[str, str], ...]


def stated(build: Finished) -> Stated:
    """The licences of the recipe and of the corpora that it scans."""
    scans = [s for s in build.plan.stages if isinstance(s, Scan)]
    corpora = tuple((scan.corpus, _words(scan)) for scan in scans)
    if build.plan.license is not None:
        return Stated((build.plan.license,), corpora)
    anew = any(s.generated for s in build.plan.stages if isinstance(s, Teachers))
    whole = [scan.license for scan in scans if scan.license is not None and scan.roles.license is None]
    return Stated(tuple(sorted(set(whole))) if len(whole) == len(scans) and not anew else (), corpora)


def _words(scan: Scan) -> str:
    own = None if scan.roles.license is None else f"of each row, in its column {scan.roles.license}"
    return ", else ".join(each for each in (own, scan.license) if each is not None) or UNSTATED
