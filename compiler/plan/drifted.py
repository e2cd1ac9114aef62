"""What drifted between two locks, in words: one sentence of each thing, what it makes run again. Knows no file and no diagnostic."""

from .changes import Work
from .drift import Drift
from .lock import Scalar

_SAID = {
    "student": "the files of student", "teacher": "the model of teacher", "embedder": "the model that embeds for the skills", "tagger": "the model that tags the skills",
}  # fmt: skip
_NAMED = {
    "weights": "its weights are others", "tokenizer": "its tokenizer is another", "template": "its chat template is another",
    "commit": "its commit on the hub is another", "hub": "its name on the hub is another", "endpoint": "its address is another", "name": "its name is another",
    "tree": "its tree is another", "keywords": "its keywords are others", "split": "the rules of its splitter", "table": "what is kept of its pass",
}  # fmt: skip


_MANY = ("student", "heldout", "skills", "decontamination")


def sentence(drift: Drift, lock: str = "") -> str:
    """Such as: the corpus `traces`: 1 row changed; or, of what a `lock` pins: the corpus `traces` is not what `traces.mix.lock` pins: 1 row changed."""
    if not lock:
        return f"{subject(drift)}: {how(drift)}"
    many = drift.section in _MANY or (drift.section == "models" and drift.name.startswith(_MANY))
    return f"{subject(drift)} {'are' if many else 'is'} not what {lock} pins: {how(drift)}"


def subject(drift: Drift) -> str:
    """What it is that drifted: the corpus `traces`."""
    name = f"`{drift.name}`"
    match drift.section:
        case "corpora":
            return f"the corpus {name}"
        case "heldout":
            return f"the rows of {name} that are set aside"
        case "models":
            kind, _, own = drift.name.partition(" ")
            return f"{_SAID.get(kind, kind)} `{own}`"
        case "scores":
            return f"the scorer of {name}"
        case "skills":
            return f"the skills {name}"
        case "profiles":
            return f"the profile of {name}"
        case "benchmarks":
            return f"the benchmark {name}"
        case "decontamination":
            return f"the files {name} to decontaminate against"
        case "versions":
            return "mixc" if drift.name == "mixc" else f"the package {name}"
        case "params":
            return f"the param {name}"
        case "stages":
            return f"what the spec says of {name}"
        case "mix":
            return "the name of the mix"
        case "seed":
            return "the seed"
        case _:
            return "the plan"


def effect(drift: Drift) -> str:
    """Such as: re-score: score length (new rows), select, materialise run again."""
    if drift.effect.work is Work.COSMETIC or not drift.effect.run:
        return "nothing that is stored runs again for it"
    last = drift.effect.run[-1]
    listed = f"{', '.join(drift.effect.run[:-1])} and {last}" if len(drift.effect.run) > 1 else last
    return f"{drift.effect.work.value}: {listed} {'run' if len(drift.effect.run) > 1 else 'runs'} again"


def rows_said(drift: Drift) -> str:
    """How many rows came, went and changed, as far as that is known."""
    values = {name: (before, after) for name, before, after in drift.fields}
    before, after = (int(each or 0) for each in values.get("rows", (0, 0)))
    if drift.parted is not None:
        changed = drift.parted.changed
        counts = ((changed, "changed"), (len(drift.parted.came) - changed, "came"), (len(drift.parted.went) - changed, "went"))
        return ", ".join(f"{_counted(count)} {what}" for count, what in counts if count)
    more = "" if before == after else f", {_counted(abs(after - before))} {'more' if after > before else 'fewer'}"
    return f"more rows changed, came or went than a lock tells apart{more}"


def how(drift: Drift) -> str:
    """What became of it: 1 row changed; its tokenizer is another; 2.1.0, where the lock has 2.0.0."""
    if drift.kind != "changed":
        return "it is new" if drift.kind == "added" else "it is gone"
    if drift.section in ("corpora", "heldout"):
        if drift.has("columns"):
            _, before, after = next(each for each in drift.fields if each[0] == "columns")
            return f"other columns of it are read: {_columns(after)}, where the lock has {_columns(before)}"
        return rows_said(drift)
    if drift.section in ("versions", "params", "mix", "seed"):
        _, before, after = drift.fields[0]
        return f"{after}, where the lock has {before}"
    if drift.section in ("benchmarks", "decontamination", "profiles"):
        return f"{'their' if drift.section == 'decontamination' else 'its'} content is another"
    if drift.section in ("stages", "order"):
        return "it is another" if drift.section == "stages" else "its stages stand in another order"
    if drift.section == "scores":
        return ", ".join(f"{name} {after}, where the lock has {before}" for name, before, after in drift.fields)
    return ", ".join(_NAMED.get(name, f"its {name} is another") for name, _, _ in drift.fields)


def _columns(names: Scalar | None) -> str:
    return ", ".join(f"`{name}`" for name in str(names).split(", ")) if names else "none"


def _counted(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"
