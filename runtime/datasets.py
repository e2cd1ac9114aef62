"""A corpus as a frame of rows with identities, checked on the way in. Knows roles and the corpus's own `where`; nothing of later stages.

Whatever the order of files and rows, and however many threads read them, the frame is the same: it is sorted by row id.
"""

from collections.abc import Sequence

import polars as pl

from ..compiler.backends.polars import apply_where, expression, in_words, refuse
from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.expressions import columns, is_barrier
from ..compiler.plan.stages import Heldout, Scan
from ..compiler.source import Span
from . import records
from .contradictions import collapse, place, refuse_two_prompts
from .events import Notice, Watch
from .identity import prompt_ids, row_ids, seeded_hash
from .lazy import collect

_KEPT = ("row_id", "prompt_id", "corpus", "prompt", "response", "reference", "teacher_value")


def read(scan: Scan, watch: Watch) -> pl.DataFrame:
    """The rows of a corpus that its `where` and `sample` keep, sorted by row id.

    Columns: row_id, prompt_id, corpus, prompt, response, reference, teacher_value, license if it has that role, a
    `column:NAME` for each of `scan.columns`, and `reason` (why the row is no candidate: no prompt or no response).
    Fault MIX0501 unreadable, MIX0502 a column of the wrong type, MIX0503 no rows, MIX0504 contradictions.
    """
    rows = _identified(_files(scan), scan)
    used = ["reference", *(["license"] if scan.roles.license else []), *(f"column:{name}" for name in scan.columns)]
    refuse_two_prompts(rows, scan.span)
    rows, doubled = collapse(rows, used, scan.span)
    if doubled:
        watch(Notice(scan.id, f"{_count(doubled, 'row')} of `{scan.corpus}` the same as another: counted once"))
    if scan.where and is_barrier(scan.where.condition):
        rows = _passing(rows, scan)
    if scan.sample is not None:
        rows = _sample(rows, scan.sample, scan.seed)
    _report_blank(rows, scan, watch)
    return rows.select(*_KEPT, *used[1:], "reason").sort("row_id")


def read_heldout(heldout: Heldout, watch: Watch) -> pl.DataFrame:
    """The rows set aside to measure on, as `read` gives them."""
    return read(heldout.scan, watch)


def union(frames: Sequence[pl.DataFrame], scans: Sequence[Scan], watch: Watch) -> pl.DataFrame:
    """The rows of several corpora as one frame: equal rows collapse, contradictions between corpora are MIX0504."""
    if len(frames) == 1:
        return frames[0]
    rows = pl.concat(_of_one_type(frames, scans), how="diagonal")
    refuse_two_prompts(rows, scans[-1].span)
    live = rows.filter(pl.col("reason").is_null())
    _refuse_two_teachers(live, scans[-1].span)
    rows = rows.filter(pl.col("reason").is_null() | ~pl.col("row_id").is_in(live["row_id"].unique().to_list()))
    used = [name for name in rows.columns if name not in (*_KEPT, "reason", "teacher")]
    rows, doubled = collapse(rows.sort("corpus"), ["reference", *used], scans[-1].span)
    if doubled:
        watch(Notice(scans[-1].id, f"{_count(doubled, 'row')} that stand in two corpora counted once"))
    return rows.sort("row_id")


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


def _files(scan: Scan) -> pl.DataFrame:
    """The needed columns of all files under the frame's names, with `file` and `row` to say where each row is from."""
    names = _columns_of(scan)
    try:
        paths = records.find(scan.path)
        needed = sorted(set(names.values()))
        lazies = [records.scan(path, needed) for path in paths]
        lazies = [lazy.select(*(pl.col(c).alias(n) for n, c in names.items()), "row") for lazy in lazies]
        schema = _one_schema([lazy.collect_schema() for lazy in lazies], paths, names)
        _check_roles(schema, scan)
        cast = [pl.col(name).cast(dtype) for name, dtype in schema.items()]
        files = list(zip(paths, lazies, strict=True))
        frames = [lazy.with_columns(cast).with_columns(_added(scan, path, schema)) for path, lazy in files]
        if scan.where and not is_barrier(scan.where.condition):
            schema_of_all = frames[0].collect_schema()
            refuse(scan.where.condition, schema_of_all, scan.where.span)
            frames = [frame.filter(expression(scan.where.condition, schema_of_all)) for frame in frames]
        return pl.concat([records.collect(frame, path) for path, frame in zip(paths, frames, strict=True)])
    except records.Unreadable as error:
        code = "MIX0502" if error.type else "MIX0501"
        raise Fault(Diagnostic(code, str(error), Label(scan.span, f"read by `{scan.corpus}`"), help=error.help)) from error


def _columns_of(scan: Scan) -> dict[str, str]:
    """The frame's names of the columns that are read, and theirs in the files."""
    roles = scan.roles
    given = {
        "prompt": roles.prompt, "response": roles.response, "reference": roles.reference, "prompt_id": roles.id,
        "teacher_value": roles.teacher, "license": roles.license,
    }  # fmt: skip
    read = {name: column for name, column in given.items() if column is not None}
    where = columns(scan.where.condition) if scan.where else ()
    own = sorted({*scan.columns, *(c.name for c in where if c.source == "column")})
    return read | {f"column:{name}": name for name in own}


def _one_schema(schemas: list[pl.Schema], paths: list[str], names: dict[str, str]) -> dict[str, pl.DataType]:
    """The type of each column over all files: nulls take any, integers become numbers; other differences are faults."""
    whole: dict[str, pl.DataType] = dict.fromkeys(names, pl.Null())
    first: dict[str, str] = {}
    for schema, path in zip(schemas, paths, strict=True):
        for name in names:
            a, b = whole[name], schema[name]
            if b == pl.Null or a == b:
                continue
            if a == pl.Null:
                whole[name], first[name] = b, path
            elif a.is_numeric() and b.is_numeric():
                whole[name] = pl.Float64()
            else:
                message = f"column `{names[name]}` holds {in_words(a)} in `{first[name]}` and {in_words(b)} in `{path}`"
                raise records.Unreadable(message, "give the column one type in all files", type=True)
    return {name: pl.String() if dtype == pl.Null else dtype for name, dtype in whole.items()}


def _check_roles(schema: dict[str, pl.DataType], scan: Scan) -> None:
    for role, name, allowed in (
        ("prompt", "prompt", "texts"), ("response", "response", "texts"), ("teacher", "teacher_value", "texts"),
        ("license", "license", "texts"), ("id", "prompt_id", "texts or integers"), ("reference", "reference", "texts or numbers"),
    ):  # fmt: skip
        dtype = schema.get(name)
        numeric = (role == "id" and dtype.is_integer()) or (role == "reference" and dtype.is_numeric()) if dtype else False
        fits = dtype is None or dtype == pl.String or numeric
        if not fits:
            assert dtype is not None
            help = "lists of messages are not read: give prompt and response a column each" if isinstance(dtype, pl.List) else None
            message = f"column `{getattr(scan.roles, role)}` holds {in_words(dtype)}, but `{role}` must hold {allowed}"
            raise records.Unreadable(message, help, type=True)


def _added(scan: Scan, path: str, schema: dict[str, pl.DataType]) -> list[pl.Expr]:
    """What a file does not hold, and numbers as texts where a role is a text."""
    added = [pl.lit(scan.corpus).alias("corpus"), pl.lit(path).alias("file")]
    if scan.roles.teacher is None:
        added.append(pl.lit(scan.corpus).alias("teacher_value"))
    if scan.roles.id is not None:
        added.append(pl.col("prompt_id").cast(pl.String))
    if scan.roles.reference is None:
        added.append(pl.lit(None, dtype=pl.String).alias("reference"))
    elif schema["reference"].is_numeric():
        added.append(_decimal(pl.col("reference"), schema["reference"]))
    return added


def _decimal(number: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A number as text: `43` for 43 and 43.0 alike, else the fewest digits that give the number back."""
    if dtype.is_integer():
        return number.cast(pl.String)
    whole = (number == number.round(0)) & (number.abs() < 2**53)
    return pl.when(whole).then(number.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(number.cast(pl.String))


def _identified(rows: pl.DataFrame, scan: Scan) -> pl.DataFrame:
    """Row ids, prompt ids and `reason`. Fault MIX0503 without any row, MIX0502 for a row without the id it should have."""
    if not rows.height:
        raise _nothing(scan, "has no rows" if scan.where is None else f"has no row left by its `{scan.where.text}`")
    rows = rows.with_columns(row_ids(rows))
    if scan.roles.id is None:
        rows = rows.with_columns(prompt_ids(rows))
    elif rows["prompt_id"].null_count():
        bad = rows.filter(pl.col("prompt_id").is_null()).sort("file", "row")
        message = f"{_count(bad.height, 'row')} of `{scan.corpus}` without an id in column `{scan.roles.id}`"
        label = Label(scan.span, f"the first is {place(bad.row(0, named=True))}")
        help = "give each row its prompt's id, or remove the `id` clause: ids are then taken from the prompts"
        raise Fault(Diagnostic("MIX0502", message, label, help=help))
    return rows.with_columns(pl.coalesce(_blank("prompt"), _blank("response")).alias("reason"))


def _blank(role: str) -> pl.Expr:
    text = pl.col(role)
    empty = pl.when(text.str.strip_chars() == "").then(pl.lit(f"scan: the {role} is empty"))
    return pl.when(text.is_null()).then(pl.lit(f"scan: the {role} is null")).otherwise(empty)


def _passing(rows: pl.DataFrame, scan: Scan) -> pl.DataFrame:
    """The rows that pass a `where` that looks at other rows."""
    assert scan.where is not None
    tie = pl.Series("tie", seeded_hash(scan.seed, rows["row_id"]))
    frame = rows.with_columns(tie, pl.col("teacher_value").alias("teacher"), pl.col("reason").alias("kept"))
    judged = apply_where(frame.with_columns(pl.lit(None, dtype=pl.String).alias("reason")).lazy(), scan.where, "tie")
    passing = judged.filter(pl.col("reason").is_null()).with_columns(pl.col("kept").alias("reason"))
    passing = collect(passing, scan.where.text)
    if not passing.height:
        raise _nothing(scan, f"has no row left by its `{scan.where.text}`")
    return passing


def _sample(rows: pl.DataFrame, size: int, seed: int) -> pl.DataFrame:
    """The rows of the `size` prompts with the smallest seeded hash of the prompt id; prompts without a text are none."""
    prompts = rows.filter(_blank("prompt").is_null()).select(pl.col("prompt_id").unique())
    hashed = prompts.with_columns(pl.Series("hash", seeded_hash(seed, prompts["prompt_id"])))
    chosen = hashed.sort("hash", "prompt_id").head(size)
    return rows.join(chosen, on="prompt_id", how="semi")


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
