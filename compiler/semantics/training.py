"""`train`, typed: how long, how fast, in what form."""

from collections.abc import Mapping

from ..clauses import WARMUP, Lora, Model
from ..diagnostics import Diagnostics, Edit, Label
from ..suggest import suggest
from ..syntax import ast
from . import ir
from .evaluation import LARGEST_SEED
from .infer import Declared
from .meant import meant
from .profiles import student_of
from .settings import Settings, number

_METHODS = ("full", "lora")
_SCHEDULES = ("cosine", "linear", "constant")
_TRACKERS = ("trackio", "wandb", "tensorboard")


def train(
    block: ast.Block, students: Mapping[str, Model], scores: Mapping[str, Declared], notes: Diagnostics
) -> ir.Train | None:
    """A `train` block; `scores` are those that may weigh the rows."""
    settings = Settings(block, notes)
    format_ = settings.word("format", ("plain", "skill_aware"), "plain")
    method, lora = _method(settings, notes)
    epochs, steps = settings.one("epochs"), settings.one("steps")
    if epochs and steps:
        notes.error(
            "MIX0202",
            "`epochs` and `steps` both say how long to train",
            steps.span,
            "one of them is enough",
            secondary=(Label(epochs.span, "the other"),),
        )
    if not epochs and not steps and not block.may_have("epochs") and not block.may_have("steps"):
        notes.error(
            "MIX0207", f"`{settings.title}` needs `epochs` or `steps`", block.head, "how long?", help="write `epochs 1` or `steps 40`"
        )
    rate = settings.number("learning_rate", None, least=0)
    batch = settings.number("batch", "examples", whole=True, least=1)
    length = settings.number("max_length", "tokens", whole=True, least=2)
    n_epochs = settings.number("epochs", None, least=0.001) if epochs else None
    n_steps = settings.number("steps", None, whole=True, least=1) if steps else None
    seed = settings.number("seed", None, whole=True, least=0, most=LARGEST_SEED)
    packing, report, told = settings.flag("packing"), _report(settings, notes), settings.one("report")
    weight = _weight(settings, scores, notes)
    save = settings.amount("save", ("steps", "epochs"), example="100 steps")
    warmup = settings.amount("warmup", ("%", "steps"), example="3%", least=0)
    schedule = settings.word("schedule", _SCHEDULES, "cosine")
    checkpointing = settings.flag("gradient_checkpointing")
    name = student_of(block, students, notes)
    if name is None or (n_epochs is None and n_steps is None):
        return None
    return ir.Train(
        student=name,
        format=format_,
        method=method,
        lora=lora,
        epochs=float(n_epochs) if n_epochs else None,
        steps=int(n_steps) if n_steps else None,
        learning_rate=1e-5 if rate is None else float(rate),
        batch=8 if batch is None else int(batch),
        max_length=None if length is None else int(length),
        weight=weight,
        warmup=warmup or WARMUP,
        schedule=schedule,
        seed=None if seed is None else int(seed),
        gradient_checkpointing=checkpointing,
        packing=packing,
        report=report,
        report_span=told.span if told and report else None,
        save=save,
        span=block.head,
    )


def _method(settings: Settings, notes: Diagnostics) -> tuple[str, Lora | None]:
    """`full`, `lora`, or `lora(rank: 16, alpha: 32, dropout: 0.05)`; alpha is twice the rank where it is not given."""
    line = settings.one("method")
    if line is None:
        return "full", None
    call = line.value if isinstance(line.value, ast.Call) else None
    word = call.function if call else line.value
    text = word.text if isinstance(word, ast.Name) else ""
    if text not in _METHODS:
        given = meant(_written(word), _METHODS, word.span)
        notes.error("MIX0302", "`method` is one of `full`, `lora`", word.span, "not one of them", **given)
        return "full", None
    if text == "full":
        if call:
            edit = Edit(call.span, "full")
            notes.error("MIX0302", "`full` takes no arguments", call.span, "not here", help="write `method full`", edits=(edit,))
        return "full", None
    return "lora", _lora(call.arguments if call else (), notes)


def _lora(arguments: tuple[ast.Argument, ...], notes: Diagnostics) -> Lora:
    names = ("rank", "alpha", "dropout")
    given: dict[str, ast.Argument] = {}
    for at, argument in enumerate(arguments):
        name = argument.name.text if argument.name else names[at] if at < len(names) else ""
        if name not in names:
            place = argument.name.span if argument.name else None
            near = meant(name, names, place, f"it takes {', '.join(f'`{n}`' for n in names)}", fits=True)
            said = f"`lora` has no argument `{name}`" if name else "`lora` takes 3 arguments"
            notes.error("MIX0302", said, argument.span, "not known" if name else "one too many", **near)
        elif name in given:
            first = Label(given[name].span, "first here")
            notes.error("MIX0202", f"`{name}` is given twice", argument.span, "again here", secondary=(first,))
        else:
            given[name] = argument
    rank = number(notes, "rank", given["rank"].value, None, whole=True, least=1) if "rank" in given else None
    alpha = number(notes, "alpha", given["alpha"].value, None) if "alpha" in given else None
    dropout = number(notes, "dropout", given["dropout"].value, None, least=0) if "dropout" in given else None
    if alpha is not None and alpha <= 0:
        notes.error("MIX0306", "`alpha` must be above 0", given["alpha"].value.span, "too small")
    if dropout is not None and dropout >= 1:
        notes.error("MIX0306", "`dropout` is a share below 1", given["dropout"].value.span, "nothing would be left")
    size = 16 if rank is None else int(rank)
    return Lora(rank=size, alpha=2 * size if alpha is None else alpha, dropout=0 if dropout is None else dropout)


def _report(settings: Settings, notes: Diagnostics) -> tuple[str, ...]:
    """`report wandb`, or a list; `report none` is the same as leaving it out."""
    line = settings.one("report")
    if line is None or isinstance(line.value, ast.Nothing):
        return ()
    asked = line.value.items if isinstance(line.value, ast.List) else (line.value,)
    named = {item.text for item in asked if isinstance(item, ast.Name)}
    found: list[str] = []
    for item in asked:
        text = item.text if isinstance(item, ast.Name) else ""
        if text not in _TRACKERS:
            listed = ", ".join(f"`{t}`" for t in _TRACKERS)
            written = _written(item)
            given = meant(written, _TRACKERS, None if suggest(written, _TRACKERS) in named else item.span)
            notes.error("MIX0302", f"`report` tells {listed}, or a list of them", item.span, "not one of them", **given)
        elif text in found:
            notes.error("MIX0202", f"`{text}` stands twice", item.span, "again here")
        else:
            found.append(text)
    return tuple(found)


def _written(value: ast.Value) -> str:
    """A word as it stands, though in quotes."""
    return value.text if isinstance(value, ast.Name) else value.value if isinstance(value, ast.String) else ""


def _weight(settings: Settings, scores: Mapping[str, Declared], notes: Diagnostics) -> str | None:
    line = settings.one("weight")
    if line is None:
        return None
    name = line.value.text if isinstance(line.value, ast.Name) else ""
    if name not in scores:
        given = meant(_written(line.value), scores, line.value.span, "declare it: `score NAME = column(COLUMN)`")
        said = f"no score named `{name}`" if name else "`weight` takes the name of a score"
        notes.error("MIX0201" if name else "MIX0301", said, line.value.span, "not declared" if name else "no name", **given)
        return None
    if scores[name].type.kind not in ("number", "unknown"):
        declared = Label(scores[name].span, f"this is {scores[name].type}")
        notes.error("MIX0304", "a weight is a number", line.value.span, "not a number", secondary=(declared,))
        return None
    return name
