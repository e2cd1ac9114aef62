"""The texts of rows, read from their files when they are asked for, and of no other rows. Knows where a row was read, nothing of stages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import polars as pl

from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.source import Span
from . import records
from .file_state import FileState, file_state
from .identity import ROW as NAMING
from .identity import digest
from .kept_rows import Table
from .scratch import Scratch

T = TypeVar("T")

FILE, ROW = "mixc:file", "mixc:row"
"""Where a row of a narrow frame was read: the number of its file among a run's, and its row or line in it."""
PROMPT, REFERENCE = "mixc:prompt", "mixc:reference"
"""What stands for a text of a narrow frame: the digest of the prompt, a short one of the reference."""
CHARACTERS = {"prompt": "mixc:prompt:characters", "response": "mixc:response:characters"}
OWN = (FILE, ROW, PROMPT, REFERENCE, *CHARACTERS.values())
TEXTS = ("prompt", "response", "reference", "license")

_REMEMBERED = 200_000


@dataclass(frozen=True, slots=True)
class File:
    """One file of a corpus; `typed` makes of its columns a lazy frame with its texts, `teacher_value` and `row`. `state` is None of a remote one."""

    path: str
    corpus: str
    span: Span
    table: Table
    typed: Callable[[pl.LazyFrame], pl.LazyFrame]
    state: FileState | None

    def read(self, run: Callable[[pl.LazyFrame], T]) -> T:
        """What `run` makes of the typed rows. Raises as `Table.read`."""
        return self.table.read(lambda columns: run(self.typed(columns)))

    def refuse_changed(self) -> None:
        """Fault MIX0529 if it is no longer the file that was opened."""
        if self.state is not None and file_state(self.path) != self.state:
            raise self.changed()

    def changed(self) -> Fault:
        """What is said of a file that is not the same all through a run."""
        message = f"`{self.path}` changed while it was read"
        help = "run this again when nothing writes to it any more"
        return Fault(Diagnostic("MIX0529", message, Label(self.span, f"read by `{self.corpus}`"), help=help))


@dataclass(slots=True)
class Texts:
    """The files of one run, by number, and the texts that were read last."""

    files: list[File] = field(default_factory=list)
    last: pl.DataFrame = field(default_factory=pl.DataFrame, repr=False)
    held: list[Scratch] = field(default_factory=list, repr=False)

    def open(self, file: File) -> int:
        """The number of a file, from now on."""
        self.files.append(file)
        return len(self.files) - 1

    def hold(self, scratch: Scratch) -> None:
        """Keep a folder with a file of the run for as long as its texts may be asked for."""
        self.held.append(scratch)

    def add(self, rows: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
        """The rows, in their order, with those of the columns `names` (prompt, response, reference, license) that they lack.

        Fault MIX0501 if a file cannot be read any more, MIX0529 if it has changed.
        """
        lacking = [name for name in names if name not in rows.columns]
        if not lacking:
            return rows
        wanted = rows.select(FILE, ROW, "row_id").unique([FILE, ROW])
        found = self._remembered(wanted, lacking)
        if found is None:
            found = self._read(wanted, lacking)
            if found.height <= _REMEMBERED:
                self.last = found
        return rows.join(found.select(FILE, ROW, *lacking), on=[FILE, ROW], how="left", maintain_order="left")

    def path(self, number: int) -> str:
        """The file of that number."""
        return self.files[number].path

    def placed(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows with `file`, its path, and `row`, as messages name a place."""
        if FILE not in rows.columns:
            return rows
        paths = pl.Series(rows[FILE].map_elements(self.path, return_dtype=pl.String))
        return rows.with_columns(paths.alias("file"), pl.col(ROW).alias("row"))

    def _remembered(self, wanted: pl.DataFrame, names: list[str]) -> pl.DataFrame | None:
        if not set(names) <= set(self.last.columns):
            return None
        found = self.last.join(wanted, on=[FILE, ROW], how="semi")
        return found if found.height == wanted.height else None

    def _read(self, wanted: pl.DataFrame, names: list[str]) -> pl.DataFrame:
        schema = {FILE: pl.UInt32(), ROW: pl.Int64(), **dict.fromkeys(names, pl.String())}
        parts = [self._of_file(int(number), part, names) for (number,), part in wanted.partition_by(FILE, as_dict=True).items()]  # type: ignore[arg-type]
        return pl.concat([pl.DataFrame(schema=schema), *parts])

    def _of_file(self, number: int, wanted: pl.DataFrame, names: list[str]) -> pl.DataFrame:
        file = self.files[number]
        file.refuse_changed()
        checked = [digest(*NAMING).alias("mixc:found")] if {"prompt", "response"} <= set(names) else []
        rows = wanted.lazy().select(pl.col(ROW).alias("row"), "row_id")
        near = pl.col("row").is_between(*wanted.select(pl.min(ROW), pl.max(ROW).alias("last")).row(0))  # what lies beside it in the file is not read

        def same(frame: pl.LazyFrame) -> pl.DataFrame:
            found = frame.filter(near).join(rows, on="row", how="inner").select("row", "row_id", *names, *checked).collect(engine="streaming")
            if found.height != wanted.height or (checked and found.filter(pl.col("mixc:found") != pl.col("row_id")).height):
                raise file.changed()
            return found

        try:
            found = file.read(same)
        except records.Unreadable as error:
            raise Fault(Diagnostic("MIX0501", str(error), Label(file.span, f"read by `{file.corpus}`"), help=error.help)) from error
        file.refuse_changed()
        return found.select(pl.lit(number, pl.UInt32).alias(FILE), pl.col("row").alias(ROW), *names)


def characters(role: str, rows: pl.DataFrame) -> pl.Expr:
    """The characters of prompt or response of each row, null where it has none: counted before, or counted now where the rows have the text."""
    return pl.col(CHARACTERS[role]) if CHARACTERS[role] in rows.columns else pl.col(role).str.len_chars()


def with_prompts(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the digest of their prompt, `mixc:prompt`: of their text where they have it, else the prompt id, which it is without an `id`."""
    if PROMPT in rows.columns:
        return rows
    return rows.with_columns((digest("prompt") if "prompt" in rows.columns else pl.col("prompt_id")).alias(PROMPT))
