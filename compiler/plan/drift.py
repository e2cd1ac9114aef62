"""Two locks to what drifted between them: each thing by its name, which rows parted, and what it makes run again. It reads no file and no plan."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .changes import Work
from .lock import SECTIONS, Lock, Pins, Scalar
from .sketch import Parted, parted, read_sketch
from .stages import KINDS

_TELLING = ("used_by",)
"""What is written for people, and pins nothing."""
_SELECTS = ("polars", "polars-hash", "numpy", "highspy", "rensa")
_TRAINS = ("torch", "transformers", "trl", "peft")


@dataclass(frozen=True, slots=True)
class Effect:
    """The class of what drifted, as of a change of a spec, and the stages that run again, in words."""

    work: Work
    run: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Drift:
    """One thing that two locks pin otherwise. `section`: one of `lock.SECTIONS`, or `mix`, `seed`, `order`; `fields`: what of it, before and after, None
    where it is not there. Of rows `parted` says which, None where they are too many to tell apart, or where other columns are read."""

    section: str
    name: str
    fields: tuple[tuple[str, Scalar | None, Scalar | None], ...]
    effect: Effect
    parted: Parted | None = None

    @property
    def kind(self) -> str:
        """`changed`, `added` or `removed`."""
        if all(before is None for _, before, _ in self.fields):
            return "added"
        return "removed" if all(after is None for _, _, after in self.fields) else "changed"

    def has(self, field: str) -> bool:
        """Whether that field is among what drifted."""
        return any(name == field for name, _, _ in self.fields)


def drift(before: Lock, after: Lock) -> tuple[Drift, ...]:
    """What `after` pins otherwise than `before`, the dearest first, those of a section by name."""
    found = [*_head(before, after), *(d for section in SECTIONS for d in _of(section, before, after))]
    if before.plan != after.plan and not found:
        found.append(Drift("order", "", (("plan", before.plan, after.plan),), Effect(Work.SELECT, _tail(after))))
    return tuple(sorted(found, key=lambda each: -each.effect.work.cost))


def _head(before: Lock, after: Lock) -> Iterator[Drift]:
    if before.mix != after.mix:
        yield Drift("mix", after.mix, (("name", before.mix, after.mix),), Effect(Work.COSMETIC))
    if before.seed != after.seed:
        writes = any(name.startswith("teacher ") for name in after.pins("models"))
        yield Drift("seed", "", (("seed", before.seed, after.seed),), _new_rows(after) if writes else Effect(Work.SELECT, _tail(after)))


def _of(section: str, before: Lock, after: Lock) -> Iterator[Drift]:
    old, new = before.pins(section), after.pins(section)
    for name in sorted(old.keys() | new.keys()):
        if (before.until and name not in old) or (after.until and name not in new):
            continue  # that build did not come so far
        fields = tuple(_fields(name, old, new))
        if not fields or (section == "stages" and before.seed != after.seed and name in old and name in new):
            continue  # the seed stands in most stages
        lock = after if name in new else before
        yield Drift(section, name, fields, _effect(section, name, before, lock), _rows(section, name, old, new))


def _fields(name: str, old: Pins, new: Pins) -> Iterator[tuple[str, Scalar | None, Scalar | None]]:
    here, there = old.get(name, {}), new.get(name, {})
    for field in sorted(here.keys() | there.keys()):
        if field not in _TELLING and here.get(field) != there.get(field):
            yield field, here.get(field), there.get(field)


def _rows(section: str, name: str, old: Pins, new: Pins) -> Parted | None:
    if section not in ("corpora", "heldout") or name not in old or name not in new or old[name]["columns"] != new[name]["columns"]:
        return None
    found = parted(*(read_sketch(str(side[name]["sketch"])) for side in (old, new)))
    return found if found is not None and (found.came or found.went) else None


def _effect(section: str, name: str, before: Lock, lock: Lock) -> Effect:
    match section:
        case "corpora":
            return _new_rows(lock)
        case "heldout":
            return Effect(Work.SELECT, _tail(lock, ("heldout",)))
        case "models":
            return _by(lock, str(lock.pins("models")[name]["used_by"]).split(", "))
        case "scores":
            return _by(lock, [f"score:{name}"])
        case "benchmarks":
            return Effect(Work.EVALUATE, _kinds(lock, ("evaluate",)))
        case "skills":
            return Effect(Work.SELECT, _tail(lock, ("tag",)))
        case "decontamination":
            return Effect(Work.SELECT, _tail(lock, ("decontaminate",)))
        case "versions":
            return _version(name, lock)
        case "stages":
            return _by(lock, [name])
        case "params":
            changed = [id for id, own in lock.pins("stages").items() if before.pins("stages").get(id) != own]
            return _by(lock, changed) if changed else Effect(Work.COSMETIC)
        case _:
            return Effect(Work.SELECT, _tail(lock))


def _by(lock: Lock, stages: Sequence[str]) -> Effect:
    """What follows where these stages do something else."""
    kinds = {id.partition(":")[0] for id in stages}
    scores = tuple(f"score {name} (all rows)" for id in sorted(stages) for kind, _, name in [id.partition(":")] if kind == "score" and _computed(lock, name))
    if any(_is_measured(lock, id) for id in stages if id.startswith("profile")):
        return Effect(Work.GENERATE, (*_kinds(lock, ("profile",)), *scores, *_tail(lock)))
    if "teachers" in kinds and any(name.startswith("teacher ") for name in lock.pins("models")):
        return Effect(Work.GENERATE, (*_kinds(lock, ("teachers",)), *_scores(lock, "new rows"), *_tail(lock)))
    if scores:
        return Effect(Work.SCORE, (*scores, *_tail(lock)))
    if kinds & {"scan", "teachers", "heldout", "decontaminate", "dedup", "filter"} and (fresh := _scores(lock, "new rows")):
        return Effect(Work.SCORE, (*fresh, *_tail(lock)))
    if kinds <= {"train", "evaluate"}:
        trains = "train" in kinds
        return Effect(Work.TRAIN if trains else Work.EVALUATE, _kinds(lock, ("train", "evaluate") if trains else ("evaluate",)))
    return Effect(Work.SELECT, _tail(lock, tuple(kinds & {"tag"})))


def _new_rows(lock: Lock) -> Effect:
    """What follows where a corpus has other rows: who writes or answers is asked again of the prompts that are new."""
    writers = [name for name in lock.pins("models") if name.startswith("teacher ")]
    asked = _kinds(lock, ("profile",)) if any(_is_measured(lock, id) for id in lock.pins("stages") if id.startswith("profile")) else ()
    scores = _scores(lock, "new rows")
    if writers or asked:
        return Effect(Work.GENERATE, (*(f"{name} (new prompts)" for name in sorted(writers)), *asked, *scores, *_tail(lock)))
    return Effect(Work.SCORE if scores else Work.SELECT, (*scores, *_tail(lock)))


def _version(package: str, lock: Lock) -> Effect:
    if package == "mixc":
        scores = _scores(lock, "all rows")
        return Effect(Work.SCORE if scores else Work.SELECT, (*scores, *_tail(lock)))
    if package in _SELECTS:
        return Effect(Work.SELECT, _tail(lock))
    if package in _TRAINS and (trained := _kinds(lock, ("train", "evaluate"))):
        return Effect(Work.TRAIN if "train" in trained else Work.EVALUATE, trained)
    graded = [f"score {name} (all rows)" for name, pins in sorted(lock.pins("scores").items()) if pins["scorer"] in ("verify_math", "pass_rate")]
    if package not in _TRAINS and graded:
        return Effect(Work.SCORE, (*graded, *_tail(lock)))
    return Effect(Work.COSMETIC)


def _is_measured(lock: Lock, profile: str) -> bool:
    """Whether a model is asked for that profile, and no file is read."""
    return any(profile in str(pins["used_by"]).split(", ") for pins in lock.pins("models").values())


def _scores(lock: Lock, rows: str) -> tuple[str, ...]:
    return tuple(f"score {name} ({rows})" for name in sorted(lock.pins("scores")) if _computed(lock, name))


def _computed(lock: Lock, name: str) -> bool:
    """Whether the score is worked out and kept, and not read from a column."""
    return lock.pins("scores").get(name, {}).get("scorer", "column") != "column"


def _tail(lock: Lock, first: Sequence[str] = ()) -> tuple[str, ...]:
    """The selection and what comes after it, as far as the recipe has it."""
    return _kinds(lock, (*first, "select", "materialise", "train", "evaluate"))


def _kinds(lock: Lock, wanted: Sequence[str]) -> tuple[str, ...]:
    have = {id.partition(":")[0] for id in lock.pins("stages")}
    return tuple(sorted((kind for kind in wanted if kind in have), key=KINDS.index))
