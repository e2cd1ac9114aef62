"""The lock of a recipe as things are now: its corpora are read, its models and files looked at, nothing is computed and nothing written."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..compiler.plan.lock import Lock
from ..compiler.plan.stages import Heldout, Plan, Scan, Stage
from .context import Context
from .datasets import scanned
from .pins import pins
from .rows import Rows
from .walk import found_in

Params = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Pinned:
    """A lock, and the rows that it was made of by section and corpus."""

    lock: Lock
    rows: dict[tuple[str, str], Rows]


def pinned(plan: Plan, context: Context, params: Params = (), stages: Sequence[Stage] | None = None, until: str | None = None) -> Pinned:
    """What a lock would pin of `stages` of the plan, of all where none are given. Faults as those of a scan (MIX0501 to MIX0504) and of `pins`."""
    stages = plan.stages if stages is None else stages
    inputs: list[dict[str, object]] = []
    rows: dict[tuple[str, str], Rows] = {}
    for stage in stages:
        if isinstance(stage, Scan):
            rows["corpora", stage.corpus] = found = scanned(stage, frozenset(), context)
            inputs.append(found_in(stage, found))
        elif isinstance(stage, Heldout):
            rows["heldout", stage.scan.corpus] = found = scanned(stage.scan, frozenset(), context)
            inputs.append(found_in(stage.scan, found, heldout=True))
    return Pinned(pins(plan, inputs, context, stages, params, until), rows)


def pinned_with_variants(plan: Plan, context: Context, params: Params, variants: Sequence[tuple[str, Plan, Params]]) -> Pinned:
    """The same of a spec with variants, each by the name of its folder."""
    whole = pinned(plan, context, params)
    locks = {name: pinned(other, context, own).lock for name, other, own in variants}
    return replace(whole, lock=replace(whole.lock, variants=locks))
