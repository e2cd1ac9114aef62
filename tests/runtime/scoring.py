"""What the tests of likelihoods share: a tiny student, stages, rows, and an ear at the engine. Imported as `mixc.tests.runtime.scoring`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl
from mixc.compiler.plan.stages import Model, Score
from mixc.compiler.source import Span
from mixc.runtime.context import Context
from mixc.runtime.engines.base import Reading, Window
from mixc.runtime.engines.students import Students
from mixc.runtime.events import Event, Passed
from mixc.runtime.identity import row_ids
from mixc.runtime.score import Scored
from mixc.runtime.store import Store
from mixc.tests.runtime.frames import score
from mixc.tests.runtime.tiny import make_tiny_student

SPAN = Span("a.mix", 0, 1)
PIECES = ("We take 48 first. ", "Then we add 24 to it! ", "Is that 72? ", "It is so.\n", "Let x be 5.\n\n", "Naïve 日本 😀 text. ", "Done here now. ")


@dataclass(slots=True)
class World:
    """A store, a student, and what its engine was asked to read."""

    context: Context
    model: Model
    heard: list[Event] = field(default_factory=list)
    asked: list[tuple[list[Window], frozenset[str]]] = field(default_factory=list)

    @property
    def windows(self) -> list[Window]:
        """All windows that were read."""
        return [window for windows, _ in self.asked for window in windows]

    @property
    def tokens(self) -> int:
        """What the events say was read."""
        return sum(event.tokens for event in self.heard if isinstance(event, Passed))

    def fresh(self, root: Path) -> "World":
        """The same student, an empty store and an empty memory."""
        return make_world(root, self.model, self.context.students)

    def forget(self) -> None:
        """Forget what was read so far."""
        self.asked.clear()
        self.heard.clear()


def make_world(root: Path, model: Model | None = None, students: Students | None = None, **tiny: Any) -> World:
    """A world at `root`, with a tiny student of its own if no model is given."""
    if model is None:
        make_tiny_student(root / "student", **tiny)
        model = Model(student="tiny", model="student", folder=str(root), dtype="fp32", span=SPAN)
    world = World(Context(Store(root / "store"), students or Students()), model)
    world.context = replace(world.context, watch=world.heard.append)
    engine = world.context.students.engine(model)
    plain = type(engine).read

    def read(windows: Sequence[Window], also: frozenset[str] = frozenset()) -> Iterator[tuple[int, Reading]]:
        world.asked.append((list(windows), also))
        return plain(engine, windows, also)

    engine.read = read  # type: ignore[method-assign]
    return world


def stage(model: Model, scorer: str, **settings: Any) -> Score:
    """A stage; what is no field of it is an argument of the scorer."""
    own = {name: settings.pop(name) for name in ("name", "reads", "tells", "shares", "passes") if name in settings}
    given = {"window_steps": 4, "split": "sentence", "debias": "none"} if scorer == "local_logprob" else {}
    if "window_percent" in settings:
        del given["window_steps"]
    name = own.pop("name", "n")
    return Score(
        id=f"score:{name}", inputs=(), name=name, scorer=scorer, version=1, arguments=tuple({**given, **settings}.items()), model=model,
        type="number", span=SPAN, **own,
    )  # fmt: skip


def rows(prompts: int = 3, teachers: int = 2, longest: int = 9, **more: Sequence[object]) -> pl.DataFrame:
    """`prompts` times `teachers` responses of one to `longest` sentences, all different."""
    made = [
        (f"How many clips? ({p})", "".join(PIECES[(p + t + i) % len(PIECES)] for i in range(1 + (p * teachers + t) % longest)) + f"So {p}.{t}")
        for p in range(prompts)
        for t in range(teachers)
    ]
    return table(made, **more)


def table(made: Sequence[tuple[str, str]], **more: Sequence[object]) -> pl.DataFrame:
    """Rows of these prompts and responses, as a run has them."""
    frame = pl.DataFrame(made, schema={"prompt": pl.String, "response": pl.String}, orient="row")
    frame = frame.with_columns(teacher_value=pl.lit("t"), reason=pl.lit(None, pl.String), **{n: pl.Series(v) for n, v in more.items()})
    return frame.with_columns(row_ids(frame))


def run(world: World, asked: Score, frame: pl.DataFrame) -> Scored:
    """The stage, run on the rows."""
    return score(asked, frame, world.context)


def values(world: World, asked: Score, frame: pl.DataFrame) -> list[float | None]:
    """The scores of the rows."""
    return run(world, asked, frame).rows[f"score:{asked.name}"].to_list()
