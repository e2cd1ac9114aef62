"""The keys that say how a model is trained, of either trainer, as clauses of a `train` block. Knows their names and defaults; no dataset."""

from dataclasses import dataclass

from ...compiler.semantics.evaluation import LARGEST_SEED
from .draft import Clause, Student
from .section import Section

SCHEDULES = {"cosine": "cosine", "linear": "linear", "constant": "constant", "constant_with_warmup": "constant"}
TRACKERS = ("wandb", "tensorboard", "trackio")


@dataclass(frozen=True, slots=True)
class Keys:
    """What a trainer calls things, and what it takes where nothing is said. `rate` None: it has to be said. `warm`: the share that it warms up by itself."""

    trainer: str
    model: str
    revision: tuple[str, ...]
    length: tuple[str, int]
    epochs: tuple[str, float]
    micro: tuple[str, int]
    schedule: tuple[str, str]
    rank: tuple[str, int]
    packing: tuple[str, ...]
    rate: float | None = None
    warm: float = 0


AXOLOTL = Keys("Axolotl", "base_model", ("revision_of_model", "model_revision"), ("sequence_len", 512), ("num_epochs", 1.0), ("micro_batch_size", 1), ("lr_scheduler", "cosine"), ("lora_r", 8), ("sample_packing",), warm=3)
LLAMA_FACTORY = Keys("LLaMA-Factory", "model_name_or_path", ("model_revision",), ("cutoff_len", 2048), ("num_train_epochs", 3.0), ("per_device_train_batch_size", 8), ("lr_scheduler_type", "linear"), ("lora_rank", 8), ("packing", "neat_packing"), rate=5e-5)


def student(section: Section, keys: Keys, template: str | None = None) -> Student | None:
    """The model that is trained; None where the file names none."""
    model = section.text(keys.model)
    if model is None:
        return None
    revision = next((found for name in keys.revision if (found := section.text(name))), None)
    return Student(model, revision, _dtype(section), template)


def clauses(section: Section, keys: Keys, method: Clause) -> list[Clause]:
    """The lines of the `train` block. Fault MIX0542 for a value that cannot be meant."""
    made = [method, _duration(section, keys), _rate(section, keys), *_schedule(section, keys), _batch(section, keys)]
    made.append(Clause("max_length", f"{_whole(section, *keys.length)} tokens", _default(section, *keys.length, keys)))
    packed = [section.flag(name) for name in keys.packing]  # each is asked, so that none is left over
    if any(packed):
        made.append(Clause("packing", "true", f"{keys.trainer} counts packs in a batch, mixc examples: the batch above may want to be larger"))
    if _checkpoints(section, keys):
        made.append(Clause("gradient_checkpointing", "true"))
    return [*made, *_saving(section), *_report(section, keys)]


def seed(section: Section) -> int:
    """The seed, as both trainers have it where nothing is said."""
    found = section.number("seed")
    if found is None or found < 0 or found != int(found) or found > LARGEST_SEED:
        section.leave("seed")
        return 42
    return int(found)


def lora(section: Section, keys: Keys, why: str = "") -> Clause:
    """`method lora(...)`, with what the file says of it."""
    rank = _whole(section, *keys.rank)
    alpha = section.number("lora_alpha")
    dropout = section.number("lora_dropout")
    return Clause("method", f"lora(rank: {rank}, alpha: {_plain(alpha if alpha else 2 * rank)}, dropout: {_plain(dropout or 0)})", why)


def _dtype(section: Section) -> str:
    """mixc computes in bfloat16 or float32; the keys that ask for anything else are left over."""
    for name in ("bf16", "bfloat16", "pure_bf16"):
        found = section.take(name)
        if found is not None and found.value not in (True, False, "auto", "full"):
            section.leave(name)
        if found is not None and found.value in (True, "auto", "full"):
            return "bf16"
    asked = [name for name in ("bf16", "bfloat16", "fp32", "float32") if name in section]
    for name in ("fp32", "float32"):
        section.take(name)
    return "fp32" if asked else "bf16"


def _duration(section: Section, keys: Keys) -> Clause:
    steps = section.number("max_steps")
    if steps is not None and steps > 0:
        if keys.epochs[0] in section:
            section.leave(keys.epochs[0])
        return Clause("steps", str(_positive(section, "max_steps", steps)))
    epochs = section.number(keys.epochs[0])
    if epochs is not None and epochs <= 0:
        raise section.fault("MIX0542", f"`{keys.epochs[0]}` is {_plain(epochs)}: there is nothing to train", section.take(keys.epochs[0]))
    return Clause("epochs", _plain(epochs if epochs is not None else keys.epochs[1]), _default(section, *keys.epochs, keys))


def _rate(section: Section, keys: Keys) -> Clause:
    rate = section.number("learning_rate")
    if rate is not None and rate <= 0:
        raise section.fault("MIX0542", f"`learning_rate` is {_plain(rate)}: nothing would be learnt", section.take("learning_rate"))
    if rate is not None:
        return Clause("learning_rate", _plain(rate))
    if keys.rate is not None:
        return Clause("learning_rate", _plain(keys.rate), f"not set there: {keys.trainer}'s own default")
    return Clause("learning_rate", "1e-5", f"not set there, where {keys.trainer} has no default: this is mixc's")


def _schedule(section: Section, keys: Keys) -> list[Clause]:
    name, default = keys.schedule
    asked = section.text(name)
    found = SCHEDULES.get(asked or default)
    why = _default(section, name, default, keys)
    if found is None:
        section.leave(name)
        found, why = "cosine", f"mixc has no schedule `{asked}`"
    return [Clause("schedule", found, why), *_warmup(section, keys, asked)]


def _warmup(section: Section, keys: Keys, schedule: str | None) -> list[Clause]:
    """Said always, since mixc's own default is another than theirs."""
    steps, ratio = section.number("warmup_steps"), section.number("warmup_ratio")
    for name in ("warmup_steps", "warmup_ratio") if schedule == "constant" else ("warmup_ratio",) if steps else ():
        section.leave(name)
    if schedule == "constant":
        return [Clause("warmup", "0 steps")]
    if steps is not None and steps >= 1:
        return [Clause("warmup", f"{_positive(section, 'warmup_steps', steps)} steps")]
    share = ratio if not steps and ratio is not None else steps
    if share is not None and not 0 <= share <= 1:
        raise section.fault("MIX0542", f"a warm-up over {_plain(share)} of all steps is none", section.take("warmup_steps" if steps else "warmup_ratio"))
    if share is not None:
        return [Clause("warmup", f"{_plain(round(100 * share, 6))}%" if share else "0 steps")]
    if keys.warm:
        return [Clause("warmup", f"{_plain(keys.warm)}%", f"not set there: {keys.trainer}'s own default (at most 100 steps)")]
    return [Clause("warmup", "0 steps", f"not set there: {keys.trainer} does not warm up by itself")]


def _batch(section: Section, keys: Keys) -> Clause:
    name, default = keys.micro
    whole = section.number("batch_size")
    micro, passes = section.number(name), section.number("gradient_accumulation_steps")
    if whole is not None and whole >= 1:
        return Clause("batch", f"{_positive(section, 'batch_size', whole)} examples")
    micro = _positive(section, name, micro if micro is not None else default)
    passes = _positive(section, "gradient_accumulation_steps", passes if passes is not None else 1)
    return Clause("batch", f"{micro * passes} examples", f"{micro} x {passes} on one device; multiply by the number of devices that it was meant for")


def _checkpoints(section: Section, keys: Keys) -> bool:
    """LLaMA-Factory does it unless it is told not to."""
    if keys is LLAMA_FACTORY:
        return not section.flag("disable_gradient_checkpointing")
    return section.flag("gradient_checkpointing")


def _saving(section: Section) -> list[Clause]:
    strategy = section.text("save_strategy")
    steps = section.number("save_steps")
    each = section.number("saves_per_epoch")
    if strategy == "epoch" or (strategy is None and each == 1):
        if steps is not None:
            section.leave("save_steps")
        return [Clause("save", "1 epochs")]
    if strategy not in (None, "steps"):
        section.leave("save_strategy")
    if each is not None:
        section.leave("saves_per_epoch")
    if steps is not None and steps >= 1 and steps == round(steps):
        return [Clause("save", f"{round(steps)} steps")]
    if steps is not None:
        section.leave("save_steps")
    return []


def _report(section: Section, keys: Keys) -> list[Clause]:
    """The trackers that both sides know; projects, names and keys are theirs to keep."""
    if keys is AXOLOTL:
        found = [name for name in ("tensorboard", "trackio") if section.flag(f"use_{name}")]
        if "wandb_project" in section and section.text("wandb_mode") not in ("disabled",):
            found.insert(0, "wandb")
            section.leave("wandb_project")
            section.leave("wandb_mode")
    else:
        asked = section.take("report_to")
        named = [] if asked is None else [item.value for item in asked.value] if isinstance(asked.value, list) else str(asked.value).split(",")
        found = [name for name in TRACKERS if name in named]
        if any(name not in (*TRACKERS, "none") for name in named):
            section.leave("report_to")
    return [Clause("report", found[0] if len(found) == 1 else f"[{', '.join(found)}]")] if found else []


def _whole(section: Section, name: str, default: int) -> int:
    found = section.number(name)
    return default if found is None else _positive(section, name, found)


def _positive(section: Section, name: str, value: float) -> int:
    if value < 1 or value != round(value):
        raise section.fault("MIX0542", f"`{name}` is {_plain(value)}, not a whole number above 0", section.take(name))
    return round(value)


def _default(section: Section, name: str, default: float | str, keys: Keys) -> str:
    return "" if name in section else f"not set there: {keys.trainer}'s own default"


def _plain(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
