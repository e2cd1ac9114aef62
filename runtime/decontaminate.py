"""The decontaminate stage: drops prompts that share an n-gram of words with a benchmark. Knows rows and files, nothing of models;
what words are, and what sharing is, say `words` and `overlap`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import PurePath

import polars as pl

from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.plan.stages import Decontaminate
from . import records
from .events import Notice, Watch
from .identity import digest
from .overlap import Known, Shared, know, overlaps
from .read_texts import places, read_texts
from .texts import Texts

_FIELDS = ("problem", "prompt", "question")


def decontaminate(stage: Decontaminate, rows: pl.DataFrame, texts: Texts, watch: Watch) -> tuple[pl.DataFrame, dict[str, object]]:
    """Set `reason`, with the evidence, on every row of a prompt that a benchmark contaminates; rows with a reason keep theirs.

    Also what was found, in numbers: prompts and rows that drop, and by benchmark file the texts that overlap first with it.
    Only rows without a reason are looked at; their ids and where they were read are enough: `texts` reads the texts, of prompts one for each id.
    Fault MIX0511 for a benchmark file that is missing, unreadable or empty, or has no text; others as `Texts.add`.
    """
    if stage.because is not None or stage.words is None:
        return rows, {}
    known, lines = _read(stage, stage.words)
    owner = "prompt_id" if stage.of == "prompt" else "row_id"
    live = places(rows, stage.of)
    looked = live.unique(owner, keep="first", maintain_order=True)
    found = pl.concat([_NONE, *(_shared(part, stage.of, owner, known, lines) for part in read_texts(looked, stage.of, texts))])
    own = live.select("row_id", "prompt_id").join(found.select(pl.col("owner").alias(owner), "own"), on=owner).sort("row_id")
    prompts = own.group_by("prompt_id").agg(pl.col("row_id").first().alias("by"), pl.col("own").first().alias("shared"))
    marked = rows.join(own.select("row_id", "own"), on="row_id", how="left").join(prompts, on="prompt_id", how="left")
    mine = pl.concat_str(pl.lit(f"{stage.text}: "), "own")
    other = pl.concat_str(pl.lit(f"{stage.text}: row "), "by", pl.lit(" of this prompt "), "shared")
    result = marked.with_columns(pl.coalesce("reason", mine, other).alias("reason")).select(rows.columns).sort("row_id")
    dropped = result["reason"].count() - rows["reason"].count()
    if prompts.height:
        watch(Notice(stage.id, f"{prompts.height:,} of {live['prompt_id'].n_unique():,} prompts contaminated: {dropped:,} rows dropped"))
    unique = found.unique("same")
    files = Counter(lines[number].rpartition(":")[0] for number in unique["line"])
    return result, {"prompts": prompts.height, "rows": dropped, "texts": unique.height, "against": dict(sorted(files.items()))}


_NONE = pl.DataFrame(schema={"owner": pl.String, "same": pl.String, "own": pl.String, "line": pl.Int64})


def _shared(part: pl.DataFrame, of: str, owner: str, known: Known, lines: list[str]) -> pl.DataFrame:
    """Of the texts of some prompts or rows those that overlap: whose each is, its digest, what it shares, and the number of the known text."""
    unique = part[of].drop_nulls().unique()
    found = overlaps(unique, known)
    shared = pl.DataFrame(
        {of: unique.gather([each.text for each in found]), "own": [_evidence(each, lines) for each in found], "line": [each.known for each in found]},
        schema={of: pl.String, "own": pl.String, "line": pl.Int64},
    )
    return part.join(shared, on=of).select(pl.col(owner).alias("owner"), digest(of).alias("same"), "own", "line")


def _evidence(shared: Shared, places: list[str]) -> str:
    where = places[shared.known]
    return f'has the same words as {where}: "{shared.words}"' if shared.whole else f'shares "{shared.words}" with {where}'


def _read(stage: Decontaminate, size: int) -> tuple[Known, list[str]]:
    """What the benchmarks know, and the file and line of each of their texts."""
    texts: list[str] = []
    places: list[str] = []
    try:
        for pattern in stage.against:
            for path in records.find(pattern):
                before, name = len(texts), PurePath(path).name
                for number, text in _texts(path, stage.field):
                    texts.append(text)
                    places.append(f"{name}:{number}")
                if len(texts) == before:
                    raise records.Unreadable(f"the benchmark file `{path}` is empty")
    except records.Unreadable as error:
        label = Label(stage.span, "nothing can be said clean of it")
        raise Fault(Diagnostic("MIX0511", str(error), label, help=error.help)) from error
    return know(texts, size), places


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
