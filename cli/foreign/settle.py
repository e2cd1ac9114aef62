"""The datasets of a draft as corpora: found, and where a corpus cannot read their rows as they stand, to be written anew as prompt and response."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ...compiler.diagnostics import Diagnostic, Fault, Label
from ...runtime.conversations import NO_TEXT, NOT_ONE, Pairs, Turns
from .draft import Dataset
from .find_data import find_data, seen_from


@dataclass(frozen=True, slots=True)
class Corpus:
    """`remarks` are for the spec, `notices` for whoever imports. `rows`: the file that was written for it."""

    name: str
    scan: str
    prompt: str
    response: str
    remarks: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    rows: Path | None = None


def settle(dataset: Dataset, name: str, spec: Path) -> Corpus:
    """The corpus `name` of a spec that will be at `spec`; where rows have to be written, they are, beside it. Fault MIX0501, MIX0508, MIX0542."""
    shape = dataset.shape
    if shape is None:
        raise ValueError("a dataset without questions and answers is no corpus")
    place = find_data(dataset)
    target = rows_of(spec) / f"{name}.jsonl"
    if not place.files:
        return _absent(dataset, name, place.pattern, spec, target, remote=place.remote)
    from ...runtime.convert import convert, readable
    from ...runtime.records import Unreadable

    try:
        if isinstance(shape, Pairs) and readable(place.files, shape):
            return Corpus(name, seen_from(place.files[0], spec.parent), shape.prompt, shape.response, dataset.remarks, _system(shape))
        done = convert(place.files, shape, target)
    except (Unreadable, UnicodeDecodeError, ValueError) as error:
        help = error.help if isinstance(error, Unreadable) else None
        raise Fault(Diagnostic("MIX0501", f"the rows of `{dataset.name}` cannot be read: {error}", Label(dataset.span, "described here"), help=help)) from None
    if not done.kept:
        said = ", ".join(f"{count:,} have {why}" if why == NO_TEXT else f"{count:,} are {why}" for why, count in done.left.items()) or "there is none"
        message = f"no row of `{dataset.name}` is one question and one answer: {said}"
        raise Fault(Diagnostic("MIX0542", message, Label(dataset.span, f"read as {_read_as(shape)}"), help="see that the columns and roles are called so in the file"))
    wrote = f"its rows were written anew, a `prompt` and a `response` each, from {_listed(str(file.name) for file in place.files)}"
    reasons = ((NOT_ONE, "more than one question and one answer, which is what mixc trains on"), (NO_TEXT, "without a text"))
    told = [f"left out: {_rows(done.left[why])}, {said}" for why, said in reasons if done.left[why]]
    if done.systems:
        told.append(f"a system text in {_rows(done.systems)}, which mixc does not show to the student: it stands in the column `system`")
    if done.dropped:
        told.append(f"columns of lists or objects are not copied: {_listed(sorted(done.dropped))}")
    head = f"`{dataset.name}`: {done.kept:,} rows of {_listed(os.path.normpath(file) for file in place.files)} are written to `{target}` as prompt and response"
    return Corpus(name, seen_from(target, spec.parent), "prompt", "response", (*dataset.remarks, wrote, *told), (head, *told), target)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def rows_of(spec: Path) -> Path:
    """The folder of the rows that are written for a spec."""
    return spec.with_suffix(".rows")


def _absent(dataset: Dataset, name: str, pattern: str, spec: Path, target: Path, *, remote: bool) -> Corpus:
    """A corpus of rows that are not here: the check will say so, and how they are to be had stands in the spec."""
    shape = dataset.shape
    if isinstance(shape, Turns):
        again = f"its rows are conversations in `{shape.messages}`; mixc reads a prompt and a response. {'Download them' if remote else 'Put the file there'} and import again: they are then written to the file that `scan` names"
        return Corpus(name, seen_from(target, spec.parent), "prompt", "response", (*dataset.remarks, f"not read from `{pattern}`: {again}"), (f"`{dataset.name}` is not here (`{pattern}`): {again}",))
    assert isinstance(shape, Pairs)
    scan = pattern if remote else seen_from(pattern, spec.parent)
    joined = [f"the text of `{shape.query}` is joined to the prompt there; import again where the file is, or see that it is empty"] if shape.query and shape.query != shape.prompt else []
    turns = [f"rows with turns in `{shape.history}` are more than one question and one answer: leave them out"] if shape.history else []
    where = f"`{dataset.name}` is on the hub or in a bucket and was not looked at" if remote else f"`{dataset.name}` is not at `{pattern}`: put it there, or correct `scan`"
    return Corpus(name, scan, shape.prompt, shape.response, (*dataset.remarks, *joined, *turns, *_system(shape)), (where, *joined))


def _system(shape: Pairs) -> tuple[str, ...]:
    return (f"the system texts in `{shape.system}` are not shown to the student",) if shape.system else ()


def _read_as(shape: Pairs | Turns) -> str:
    if isinstance(shape, Pairs):
        return f"`{shape.prompt}` and `{shape.response}`"
    return f"messages in `{shape.messages}`, {'/'.join(sorted(shape.users))} then {'/'.join(sorted(shape.assistants))} in `{shape.role}`"


def _listed(words: Iterable[str], most: int = 4) -> str:
    each = list(words)
    return ", ".join(f"`{word}`" for word in each[:most]) + (f" and {len(each) - most:,} more" if len(each) > most else "")
