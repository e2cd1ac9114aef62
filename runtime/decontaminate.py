"""The decontaminate stage: drops prompts that share an n-gram of words with a benchmark. Knows texts and files, nothing of models.

Words are the lower-cased runs of letters and digits after NFKC. A text with fewer than n words, on either side, only
contaminates or is contaminated by a text of the very same words; a text without any word is neither.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePath

import polars as pl

from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.plan.stages import Decontaminate
from . import records
from .events import Notice, Watch

_FIELDS = ("problem", "prompt", "question")
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Benchmarks:
    """Where each n-gram of the benchmarks first stands, and each text shorter than n words; both as words joined by spaces."""

    words: int
    grams: dict[str, str] = field(default_factory=dict)
    short: dict[str, str] = field(default_factory=dict)
    vocabulary: set[str] = field(default_factory=set)

    def add(self, text: str, place: str) -> None:
        words = words_of(text)
        if not words:
            return
        if len(words) < self.words:
            self.short.setdefault(" ".join(words), place)
            return
        self.vocabulary.update(words)
        for gram in _grams(words, self.words):
            self.grams.setdefault(gram, place)

    def evidence(self, text: str) -> str | None:
        """What the text shares with a benchmark and where that stands; None if it is clean."""
        words = words_of(text)
        if len(words) < self.words:
            place = self.short.get(" ".join(words))
            return place and f'has the same words as {place}: "{" ".join(words)}"'
        for run in _known_runs(words, self.vocabulary, self.words):
            for gram in _grams(run, self.words):
                if gram in self.grams:
                    return f'shares "{gram}" with {self.grams[gram]}'
        return None


def words_of(text: str) -> list[str]:
    """The words of a text: lower-cased runs of letters and digits after NFKC."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).lower())


def decontaminate(stage: Decontaminate, rows: pl.DataFrame, watch: Watch) -> pl.DataFrame:
    """Set `reason`, with the evidence, on every row of a prompt that a benchmark contaminates; rows with a reason keep theirs.

    Only rows without a reason are looked at. Fault MIX0511 for a benchmark file that is missing, unreadable or empty, or has no text.
    """
    if stage.because is not None or stage.words is None:
        return rows
    benchmarks = _read(stage, stage.words)
    texts = rows.filter(pl.col("reason").is_null()).select("row_id", "prompt_id", stage.of).drop_nulls(stage.of)
    unique = texts[stage.of].unique().to_list()
    found = [(text, evidence) for text in unique if (evidence := benchmarks.evidence(text)) is not None]
    table = pl.DataFrame(found, schema={stage.of: pl.String, "own": pl.String}, orient="row")
    own = texts.join(table, on=stage.of).select("row_id", "prompt_id", "own").sort("row_id")
    prompts = own.group_by("prompt_id").agg(pl.col("row_id").first().alias("by"), pl.col("own").first().alias("shared"))
    marked = rows.join(own.select("row_id", "own"), on="row_id", how="left").join(prompts, on="prompt_id", how="left")
    mine = pl.concat_str(pl.lit(f"{stage.text}: "), "own")
    other = pl.concat_str(pl.lit(f"{stage.text}: row "), "by", pl.lit(" of this prompt "), "shared")
    result = marked.with_columns(pl.coalesce("reason", mine, other).alias("reason")).select(rows.columns).sort("row_id")
    if prompts.height:
        dropped = result["reason"].count() - rows["reason"].count()
        watch(Notice(stage.id, f"{prompts.height:,} of {texts['prompt_id'].n_unique():,} prompts contaminated: {dropped:,} rows dropped"))
    return result


def _known_runs(words: list[str], vocabulary: set[str], size: int) -> Iterator[list[str]]:
    """The longest stretches of words that benchmarks know: no n-gram that counts goes beyond one."""
    start = 0
    for i, word in enumerate(words):
        if word not in vocabulary:
            if i - start >= size:
                yield words[start:i]
            start = i + 1
    if len(words) - start >= size:
        yield words[start:]


def _grams(words: list[str], size: int) -> Iterator[str]:
    return (" ".join(words[i : i + size]) for i in range(len(words) - size + 1))


def _read(stage: Decontaminate, size: int) -> Benchmarks:
    benchmarks = Benchmarks(size)
    try:
        for pattern in stage.against:
            for path in records.find(pattern):
                empty = True
                for number, text in _texts(path, stage.field):
                    benchmarks.add(text, f"{PurePath(path).name}:{number}")
                    empty = False
                if empty:
                    raise records.Unreadable(f"the benchmark file `{path}` is empty")
    except records.Unreadable as error:
        label = Label(stage.span, "nothing can be said clean of it")
        raise Fault(Diagnostic("MIX0511", str(error), label, help=error.help)) from error
    return benchmarks


def _texts(path: str, named: str | None) -> Iterator[tuple[int, str]]:
    """The benchmark's texts with their line or row numbers: the named field, else the first of the usual ones that is there."""
    fields = (named,) if named else _FIELDS
    for number, record in _rows(path, fields):
        value = next((record[name] for name in fields if record.get(name) is not None), None)
        if not isinstance(value, str):
            wanted = ", else ".join(f"`{name}`" for name in fields)
            what = "has no text" if value is None else "has something else than a text"
            raise records.Unreadable(
                f"`{path}`:{number} {what} in {wanted}",
                "name the field that holds the benchmark's text: `… of prompt field: NAME`",
            )
        yield number, value


def _rows(path: str, fields: Iterable[str]) -> Iterator[tuple[int, dict[str, object]]]:
    if records.is_lines(path):
        yield from records.records(path)
        return
    known = records.column_names(path)
    present = [name for name in fields if name in known]
    frame = records.collect(records.scan(path, present), path) if present else pl.DataFrame({"row": [1]})
    for row in frame.iter_rows(named=True):
        yield row["row"], row
