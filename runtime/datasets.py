"""A corpus as a frame of rows with identities, checked on the way in. Knows roles and the corpus's own `where`; nothing of later stages.

Whatever the order of files and rows, and however many threads read them, the frame is the same: it is sorted by row id.
"""

from collections.abc import Collection, Sequence

import polars as pl

from ..compiler.backends.polars import apply_where, in_words
from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.expressions import is_barrier
from ..compiler.plan.stages import Heldout, Scan
from ..compiler.source import Span
from . import records
from .contradictions import collapse, has_prompt, place, refuse_two_prompts
from .corpus_files import BLANK, open_files, rows_of
from .events import Notice, Watch
from .identity import by_row_id, seeded_hash
from .lazy import collect
from .needs import ALL
from .store import Store
from .texts import CHARACTERS, FILE, PROMPT, REFERENCE, ROW, TEXTS, Texts, with_prompts

_KEPT = ("row_id", "prompt_id", "corpus", "prompt", "response", "reference", "teacher_value")


def read(scan: Scan, watch: Watch) -> pl.DataFrame:
    """The rows of a corpus that its `where` and `sample` keep, sorted by row id, with their texts.

    Columns: row_id, prompt_id, corpus, prompt, response, reference, teacher_value, license if it has that role, a
    `column:NAME` for each of `scan.columns`, and `reason` (why the row is no candidate: no prompt or no response).
    Fault MIX0501 unreadable, MIX0502 a column of the wrong type, MIX0503 no rows, MIX0504 contradictions, MIX0529 changed meanwhile.
    """
    rows = narrow(scan, ALL, Texts(), watch)
    return rows.select(*_KEPT, *(["license"] if scan.roles.license else []), *(f"column:{name}" for name in scan.columns), "reason")


def narrow(scan: Scan, needed: Collection[str], texts: Texts, watch: Watch, store: Store | None = None) -> pl.DataFrame:
    """The rows of `read` without texts but those `needed`; `texts` reads them for whoever asks. What is worked out of a file is kept in `store`.

    In the place of the texts stand the columns that `texts.OWN` names, `mixc:prompt` only where it is needed. Faults as `read`.
    """
    try:
        rows = rows_of(open_files(scan, texts, store), scan, needed)
    except records.Unreadable as error:
        code = "MIX0502" if error.type else "MIX0501"
        raise Fault(Diagnostic(code, str(error), Label(scan.span, f"read by `{scan.corpus}`"), help=error.help)) from error
    rows = _identified(rows, scan, texts)
    if scan.roles.id is not None:
        refuse_two_prompts(rows, scan.span, texts)
    used = [name for name in (REFERENCE, "license") if name in rows.columns]
    rows, doubled = collapse(rows, [*used, *(f"column:{name}" for name in scan.columns)], scan.span, texts)
    if doubled:
        watch(Notice(scan.id, f"{_count(doubled, 'row')} of `{scan.corpus}` the same as another: counted once"))
    if scan.where and is_barrier(scan.where.condition):
        rows = _passing(rows, scan)
    if scan.sample is not None:
        rows = _sample(rows, scan.sample, scan.seed)
    _report_blank(rows, scan, watch)
    own = {f"column:{name}" for name in scan.columns}
    left_out = [n for n in rows.columns if (n in (*TEXTS[:3], PROMPT) and n not in needed) or (n.startswith("column:") and n not in own)]
    rows = rows.drop(left_out)
    return rows.with_columns(pl.col("prompt_id").alias(PROMPT)) if PROMPT in needed and PROMPT not in rows.columns else rows


def read_heldout(heldout: Heldout, watch: Watch) -> pl.DataFrame:
    """The rows set aside to measure on, as `read` gives them."""
    return read(heldout.scan, watch)


def union(frames: Sequence[pl.DataFrame], scans: Sequence[Scan], watch: Watch, texts: Texts | None = None) -> pl.DataFrame:
    """The rows of several corpora as one frame: equal rows collapse, contradictions between corpora are MIX0504."""
    if len(frames) == 1:
        return frames[0]
    rows = by_row_id(pl.concat([with_prompts(rows) for rows in _of_one_type(frames, scans)], how="diagonal"))
    texts = texts or Texts()
    refuse_two_prompts(rows, scans[-1].span, texts, places=False)
    live = rows.filter(pl.col("reason").is_null())
    _refuse_two_teachers(live, scans[-1].span)
    rows = rows.filter(pl.col("reason").is_null() | ~pl.col("row_id").is_in(live["row_id"].unique().implode()))
    told = REFERENCE if REFERENCE in rows.columns else "reference"
    used = [name for name in rows.columns if name == told]
    used += [name for name in rows.columns if name == "license" or name.startswith("column:")]
    rows, doubled = collapse(rows, used, scans[-1].span, texts, places=False)
    if doubled:
        watch(Notice(scans[-1].id, f"{_count(doubled, 'row')} that stand in two corpora counted once"))
    return rows if PROMPT in frames[0].columns else rows.drop(PROMPT)


def _of_one_type(frames: Sequence[pl.DataFrame], scans: Sequence[Scan]) -> list[pl.DataFrame]:
    """The frames with each column of one type: a column without a value takes the others' type, whole and broken numbers meet as broken ones.

    Fault MIX0502 where two corpora hold different kinds of values under one name.
    """
    wanted: dict[str, tuple[pl.DataType, str]] = {}
    for frame, scan in zip(frames, scans, strict=True):
        for name, dtype in frame.schema.items():
            if frame[name].null_count() == frame.height:
                continue
            known, corpus = wanted.get(name, (dtype, scan.corpus))
            if known != dtype and not (known.is_numeric() and dtype.is_numeric()):
                held = f"{in_words(known)} in corpus `{corpus}` and {in_words(dtype)} in corpus `{scan.corpus}`"
                message = f"column `{name.removeprefix('column:')}` holds {held}"
                raise Fault(Diagnostic("MIX0502", message, Label(scan.span, "these files"), help="give both corpora columns of one type"))
            wanted[name] = (known if known == dtype else pl.Float64(), corpus)
    return [f.with_columns(pl.col(n).cast(wanted[n][0]) for n in f.columns if n in wanted) for f in frames]


def _refuse_two_teachers(live: pl.DataFrame, span: Span) -> None:
    if "teacher" not in live.columns:
        return
    several = live.group_by("row_id").agg(pl.col("teacher").unique().sort()).filter(pl.col("teacher").list.len() > 1).sort("row_id")
    if several.height:
        row_id, teachers = several.row(0)
        named = " and ".join(f"`{teacher}`" for teacher in teachers)
        message = f"{_count(several.height, 'row')} that stand in two corpora are of two teachers, {named} for one"
        raise Fault(Diagnostic("MIX0505", message, Label(span, "and these files"), notes=(f"one of them: row {row_id}",), help="let the teachers' conditions exclude one another"))


def _identified(rows: pl.DataFrame, scan: Scan, texts: Texts) -> pl.DataFrame:
    """Sorted by row id, with prompt ids and `reason`. Fault MIX0503 without any row, MIX0502 for a row without the id it should have."""
    if not rows.height:
        raise _nothing(scan, "has no rows" if scan.where is None else f"has no row left by its `{scan.where.text}`")
    if scan.roles.id is None:
        rows = rows.rename({PROMPT: "prompt_id"})
    elif rows["prompt_id"].null_count():
        bad = rows.filter(pl.col("prompt_id").is_null()).sort(FILE, ROW)
        message = f"{_count(bad.height, 'row')} of `{scan.corpus}` without an id in column `{scan.roles.id}`"
        label = Label(scan.span, f"the first is {place(texts.placed(bad.head(1)).row(0, named=True))}")
        help = "give each row its prompt's id, or remove the `id` clause: ids are then taken from the prompts"
        raise Fault(Diagnostic("MIX0502", message, label, help=help))
    first = ["row_id", "prompt_id"]
    reason = pl.coalesce(_blank("prompt"), _blank("response")).alias("reason")
    return by_row_id(rows.select(*first, pl.all().exclude(*first, *BLANK.values()), reason))


def _blank(role: str) -> pl.Expr:
    empty = pl.when(pl.col(BLANK[role])).then(pl.lit(f"scan: the {role} is empty"))
    return pl.when(pl.col(CHARACTERS[role]).is_null()).then(pl.lit(f"scan: the {role} is null")).otherwise(empty)


def _passing(rows: pl.DataFrame, scan: Scan) -> pl.DataFrame:
    """The rows that pass a `where` that looks at other rows."""
    assert scan.where is not None
    tie = pl.Series("tie", seeded_hash(scan.seed, rows["row_id"]))
    frame = rows.with_columns(tie, pl.col("teacher_value").alias("teacher"), pl.col("reason").alias("kept"))
    judged = apply_where(frame.with_columns(pl.lit(None, dtype=pl.String).alias("reason")).lazy(), scan.where, "tie")
    passing = judged.filter(pl.col("reason").is_null()).with_columns(pl.col("kept").alias("reason"))
    passing = by_row_id(collect(passing, scan.where.text).select(rows.columns))
    if not passing.height:
        raise _nothing(scan, f"has no row left by its `{scan.where.text}`")
    return passing


def _sample(rows: pl.DataFrame, size: int, seed: int) -> pl.DataFrame:
    """The rows of the `size` prompts with the smallest seeded hash of the prompt id; prompts without a text are none."""
    prompts = rows.filter(has_prompt()).select(pl.col("prompt_id").unique())
    hashed = prompts.with_columns(pl.Series("hash", seeded_hash(seed, prompts["prompt_id"])))
    chosen = hashed.sort("hash", "prompt_id").head(size)
    return rows.join(chosen, on="prompt_id", how="semi", maintain_order="left")


def _report_blank(rows: pl.DataFrame, scan: Scan, watch: Watch) -> None:
    """Tell how many rows lack a text. Fault MIX0503 if all do."""
    dropped = rows["reason"].drop_nulls().value_counts(sort=True).sort("reason")
    for reason, number in dropped.iter_rows():
        watch(Notice(scan.id, f"{_count(number, 'row')} of `{scan.corpus}` dropped: {reason.removeprefix('scan: ')}"))
    if rows["reason"].null_count() == 0:
        raise _nothing(scan, "has no row with both a prompt and a response")


def _nothing(scan: Scan, what: str) -> Fault:
    span = scan.where.span if scan.where else scan.span
    return Fault(Diagnostic("MIX0503", f"the corpus `{scan.corpus}` {what}", Label(span, f"read from `{scan.path}`")))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
