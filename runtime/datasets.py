"""A corpus as a frame of rows with identities, checked on the way in. Knows roles and the corpus's own `where`; nothing of later stages.

Whatever the order of files and rows, and however many threads read them, the frame is the same: it is sorted by row id.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

import polars as pl

from ..compiler.backends.polars import in_words
from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.plan.stages import Heldout, Scan
from ..compiler.source import Span
from . import records
from .context import Context
from .contradictions import collapse, has_prompt, place, refuse_two_prompts
from .corpus_files import BLANK, height, open_files, parts_of, rows_of
from .events import Notice, Watch
from .identity import by_row_id, seeded_hash
from .needs import ALL
from .rows import Rows, parts_for, split, stored
from .scratch import Scratch
from .texts import CHARACTERS, FILE, PROMPT, REFERENCE, ROW, TEXTS, Texts, with_prompts

_KEPT = ("row_id", "prompt_id", "corpus", "prompt", "response", "reference", "teacher_value")


def read(scan: Scan, watch: Watch) -> pl.DataFrame:
    """The rows of a corpus that its `where` and `sample` keep, sorted by row id, with their texts.

    Columns: row_id, prompt_id, corpus, prompt, response, reference, teacher_value, license if it has that role, a
    `column:NAME` for each of `scan.columns`, and `reason` (why the row is no candidate: no prompt or no response).
    Fault MIX0501 unreadable, MIX0502 a column of the wrong type, MIX0503 no rows, MIX0504 contradictions, MIX0529 changed meanwhile.
    """
    rows = narrow(scan, ALL, Texts(), watch)
    refuse_mute(Rows.of(rows), scan)
    return rows.select(*_KEPT, *(["license"] if scan.roles.license else []), *(f"column:{name}" for name in scan.columns), "reason")


def narrow(scan: Scan, needed: Collection[str], texts: Texts, watch: Watch) -> pl.DataFrame:
    """The rows of `read` without texts but those `needed`, in memory; `texts` reads them for whoever asks.

    In the place of the texts stand the columns that `texts.OWN` names, `mixc:prompt` only where it is needed. Faults as `read`.
    """
    with _unreadable(scan):
        rows = Rows.of(_named(rows_of(open_files(scan, texts, None), scan, needed), scan))
    return by_row_id(_checked(rows, scan, needed, texts, watch).frame())


def scanned(scan: Scan, needed: Collection[str], context: Context) -> Rows:
    """As `narrow`, in parts where they are too many for memory. What is worked out of a file is kept in the context's store."""
    with _unreadable(scan):
        opened = open_files(scan, context.texts, context.store)
        parts = parts_for(height(opened))
        if parts == 1:
            rows = Rows.of(_named(rows_of(opened, scan, needed), scan))
        else:
            scratch = Scratch(context.store.root)
            rows = Rows(tuple(stored(_named(part, scan), scratch) for part in parts_of(opened, scan, needed, parts, scratch)), scratch)
    return _checked(rows, scan, needed, context.texts, context.watch)


def _checked(rows: Rows, scan: Scan, needed: Collection[str], texts: Texts, watch: Watch) -> Rows:
    _refuse_nameless(rows, scan, texts)
    if scan.roles.id is not None:
        for part in rows.each():
            refuse_two_prompts(part, scan.span, texts)
    used = [name for name in (REFERENCE, "license") if name in rows.columns]
    rows, doubled = _collapsed(rows, [*used, *(f"column:{name}" for name in scan.columns)], scan.span, texts)
    if doubled:
        watch(Notice(scan.id, f"{_count(doubled, 'row')} of `{scan.corpus}` the same as another: counted once"))
    if scan.sample is not None:
        rows = _sample(rows, scan.sample, scan.seed)
    _report_blank(rows, scan, watch)
    own = {f"column:{name}" for name in scan.columns}
    left_out = [n for n in rows.columns if (n in (*TEXTS[:3], PROMPT) and n not in needed) or (n.startswith("column:") and n not in own)]
    prompts = [pl.col("prompt_id").alias(PROMPT)] if PROMPT in needed and PROMPT not in rows.columns else []
    return rows.map(lambda part: part.drop(left_out).with_columns(prompts))


@contextmanager
def _unreadable(scan: Scan) -> Iterator[None]:
    try:
        yield
    except records.Unreadable as error:
        code = "MIX0502" if error.type else "MIX0501"
        raise Fault(Diagnostic(code, str(error), Label(scan.span, f"read by `{scan.corpus}`"), help=error.help)) from error


def read_heldout(heldout: Heldout, watch: Watch) -> pl.DataFrame:
    """The rows set aside to measure on, as `read` gives them."""
    return read(heldout.scan, watch)


def union(corpora: Sequence[Rows], scans: Sequence[Scan], context: Context) -> Rows:
    """The rows of several corpora as one: equal rows collapse, contradictions between corpora are MIX0504."""
    if len(corpora) == 1:
        return corpora[0]
    parts = max(parts_for(sum(rows.height for rows in corpora)), *(len(rows.parts) for rows in corpora))
    scratch = _scratch(corpora, context) if parts > 1 else None
    if scratch is not None:
        corpora = [split(rows, parts, scratch) for rows in corpora]
    casts = _of_one_type(corpora, scans)
    several = zip(*(rows.each() for rows in corpora), strict=True)
    frames = ([with_prompts(f).with_columns(cast) for f, cast in zip(part, casts, strict=True)] for part in several)
    whole = (by_row_id(pl.concat(part, how="diagonal")) for part in frames)
    rows = Rows(tuple(whole)) if scratch is None else Rows(tuple(stored(part, scratch) for part in whole), scratch)
    told = REFERENCE if REFERENCE in rows.columns else "reference"
    used = [name for name in rows.columns if name == told or name == "license" or name.startswith("column:")]
    used.sort(key=lambda name: name != told)
    for part in rows.each():
        refuse_two_prompts(part, scans[-1].span, context.texts, places=False)
        _refuse_two_teachers(part.filter(pl.col("reason").is_null()), scans[-1].span)
    rows, doubled = _collapsed(rows, used, scans[-1].span, context.texts, places=False)
    if doubled:
        context.watch(Notice(scans[-1].id, f"{_count(doubled, 'row')} that stand in two corpora counted once"))
    return rows if PROMPT in corpora[0].columns else rows.map(lambda part: part.drop(PROMPT))


def _scratch(corpora: Sequence[Rows], context: Context) -> Scratch:
    return next((rows.scratch for rows in corpora if rows.scratch is not None), None) or Scratch(context.store.root)


def _collapsed(rows: Rows, used: Sequence[str], span: Span, texts: Texts, *, places: bool = True) -> tuple[Rows, int]:
    """One row of each row id, and how many went. Faults of `collapse`."""
    across = _in_two_parts(rows)
    if across.height:
        collapse(across, used, span, texts, places=places)
    counts: list[int] = []

    def one(part: pl.DataFrame) -> pl.DataFrame:
        if not places:  # a row that is in one corpus, and has no reason there, is in
            live = part.filter(pl.col("reason").is_null())
            part = part.filter(pl.col("reason").is_null() | ~pl.col("row_id").is_in(live["row_id"].unique().implode()))
        left, gone = collapse(part, used, span, texts, places=places)
        counts.append(gone)
        return left

    return rows.fewer(one), sum(counts)


def _in_two_parts(rows: Rows) -> pl.DataFrame:
    """The rows of an id that several parts have, so that it has several prompt ids, sorted by it."""
    if len(rows.parts) == 1:
        return pl.DataFrame()
    first = pl.col("row_id").str.head(16).str.decode("hex").bin.reinterpret(dtype=pl.UInt64, endianness="big")
    numbers = pl.concat([part.select(first.unique()) for part in rows.each(["row_id"])]).to_series()
    doubled = numbers.filter(numbers.is_duplicated())
    if doubled.is_empty():
        return pl.DataFrame()
    alike = pl.concat([part.filter(first.is_in(doubled.implode())) for part in rows.each()])
    return by_row_id(alike.filter(pl.col("row_id").is_duplicated()))


def _of_one_type(corpora: Sequence[Rows], scans: Sequence[Scan]) -> list[list[pl.Expr]]:
    """What gives each column one type in all corpora: one without a value takes the others' type, whole and broken numbers meet as broken ones.

    Fault MIX0502 where two corpora hold different kinds of values under one name.
    """
    wanted: dict[str, tuple[pl.DataType, str]] = {}
    for rows, scan in zip(corpora, scans, strict=True):
        for name, dtype in rows.schema.items():
            if all(part[name].null_count() == part.height for part in rows.each([name])):
                continue
            known, corpus = wanted.get(name, (dtype, scan.corpus))
            if known != dtype and not (known.is_numeric() and dtype.is_numeric()):
                held = f"{in_words(known)} in corpus `{corpus}` and {in_words(dtype)} in corpus `{scan.corpus}`"
                message = f"column `{name.removeprefix('column:')}` holds {held}"
                raise Fault(Diagnostic("MIX0502", message, Label(scan.span, "these files"), help="give both corpora columns of one type"))
            wanted[name] = (known if known == dtype else pl.Float64(), corpus)
    return [[pl.col(name).cast(wanted[name][0]) for name in rows.columns if name in wanted] for rows in corpora]


def _refuse_two_teachers(live: pl.DataFrame, span: Span) -> None:
    if "teacher" not in live.columns:
        return
    several = live.group_by("row_id").agg(pl.col("teacher").unique().sort()).filter(pl.col("teacher").list.len() > 1).sort("row_id")
    if several.height:
        row_id, teachers = several.row(0)
        named = " and ".join(f"`{teacher}`" for teacher in teachers)
        message = f"{_count(several.height, 'row')} that stand in two corpora are of two teachers, {named} for one"
        raise Fault(Diagnostic("MIX0505", message, Label(span, "and these files"), notes=(f"one of them: row {row_id}",), help="let the teachers' conditions exclude one another"))


def _named(rows: pl.DataFrame, scan: Scan) -> pl.DataFrame:
    """Sorted by row id, with prompt ids and `reason`."""
    if scan.roles.id is None:
        rows = rows.rename({PROMPT: "prompt_id"})
    first = ["row_id", "prompt_id"]
    reason = pl.coalesce(_blank("prompt"), _blank("response")).alias("reason")
    return by_row_id(rows.select(*first, pl.all().exclude(*first, *BLANK.values()), reason))


def _refuse_nameless(rows: Rows, scan: Scan, texts: Texts) -> None:
    """Fault MIX0503 without any row, MIX0502 for a row without the id it should have."""
    if not rows.height:
        raise _nothing(scan, "has no rows" if scan.where is None else f"has no row left by its `{scan.where.text}`")
    if scan.roles.id is None:
        return
    bad = pl.concat([part.filter(pl.col("prompt_id").is_null()) for part in rows.each(["prompt_id", FILE, ROW])]).sort(FILE, ROW)
    if bad.height:
        message = f"{_count(bad.height, 'row')} of `{scan.corpus}` without an id in column `{scan.roles.id}`"
        label = Label(scan.span, f"the first is {place(texts.placed(bad.head(1)).row(0, named=True))}")
        help = "give each row its prompt's id, or remove the `id` clause: ids are then taken from the prompts"
        raise Fault(Diagnostic("MIX0502", message, label, help=help))


def _blank(role: str) -> pl.Expr:
    empty = pl.when(pl.col(BLANK[role])).then(pl.lit(f"scan: the {role} is empty"))
    return pl.when(pl.col(CHARACTERS[role]).is_null()).then(pl.lit(f"scan: the {role} is null")).otherwise(empty)


def _sample(rows: Rows, size: int, seed: int) -> Rows:
    """The rows of the `size` prompts with the smallest seeded hash of the prompt id; prompts without a text are none."""

    def first(part: pl.DataFrame) -> pl.DataFrame:
        prompts = part.filter(has_prompt()).select(pl.col("prompt_id").unique())
        return prompts.with_columns(pl.Series("hash", seeded_hash(seed, prompts["prompt_id"]))).sort("hash", "prompt_id").head(size)

    chosen = pl.concat([first(part) for part in rows.each(["prompt_id", "reason"])]).sort("hash", "prompt_id").head(size)
    return rows.fewer(lambda part: part.join(chosen, on="prompt_id", how="semi", maintain_order="left"))


def _report_blank(rows: Rows, scan: Scan, watch: Watch) -> None:
    """Tell how many rows lack a text."""
    dropped: Counter[str] = Counter()
    for part in rows.each(["reason"]):
        dropped.update(dict(part["reason"].drop_nulls().value_counts().iter_rows()))
    for reason, number in sorted(dropped.items()):
        watch(Notice(scan.id, f"{_count(number, 'row')} of `{scan.corpus}` dropped: {reason.removeprefix('scan: ')}"))


def refuse_mute(rows: Rows, scan: Scan) -> None:
    """Fault MIX0503 if every row of a corpus lacks a text."""
    if not rows.alive:
        raise _nothing(scan, "has no row with both a prompt and a response")


def _nothing(scan: Scan, what: str) -> Fault:
    span = scan.where.span if scan.where else scan.span
    return Fault(Diagnostic("MIX0503", f"the corpus `{scan.corpus}` {what}", Label(span, f"read from `{scan.path}`")))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
