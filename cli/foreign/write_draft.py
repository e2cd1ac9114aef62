"""A draft and its corpora as the text of a spec, in canonical form. Knows the language's words; reads no file."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from textwrap import wrap

from ...compiler.diagnostics import Diagnostics, Fault
from ...compiler.source import Source
from ...compiler.syntax.arrange import arrange
from .draft import Dataset, Draft
from .find_data import seen_from
from .settle import Corpus

WIDTH = 108
RESERVED = frozenset(("and", "or", "not", "in", "matches", "contains", "within", "rank", "true", "false", "none"))
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def write_draft(draft: Draft, corpora: Sequence[Corpus], out_of: Sequence[Dataset], spec: Path, command: str) -> str:
    """The spec that is to be at `spec`; `out_of` are the datasets that are no corpora."""
    lines = [
        *_comment(f"Made by `{command}`."),
        *_comment(f"A starting point, not a recipe yet: `mixc check {spec.name}` says what is missing."),
        *(line for said in draft.remarks for line in _comment(_sentence(said))),
        f"mix {_text(_title(spec))} {{ seed {draft.seed} }}",
        "",
    ]
    student = _student(draft, corpora, spec, lines)
    for dataset in out_of:
        lines += [*_comment(f"Left out: dataset `{dataset.name}`. {'; '.join(_sentence(each) for each in dataset.remarks)}"), *_left(f"Of dataset `{dataset.name}`", dataset.left), ""]
    by_name = {corpus.name: corpus for corpus in corpora}
    for dataset, corpus in zip((each for each in draft.datasets if each not in out_of), by_name.values(), strict=True):
        lines += _corpus(dataset, corpus)
    lines += [
        *_comment("Whose questions the student must not have seen: name your benchmarks, as in"),
        '#   decontaminate against "bench/*.jsonl" by 8-grams of prompt',
        f'decontaminate none because "imported from {draft.trainer}, where no benchmark is named"',
        "",
        *_comment("Which rows, and how many: without a budget every one. `where`, `keep`, `quota`, `budget` and `maximize` go here."),
        "select {",
        "  maximize random",
        "}",
    ]
    if student is not None:
        lines += ["", *_left("Without a counterpart here", draft.left), f"train {student} {{"]
        for clause in draft.train:
            lines += [*(f"  {line}" for line in (_comment(f"{clause.keyword}: {clause.why}") if clause.why else [])), f"  {clause.keyword} {clause.text}"]
        lines.append("}")
    elif draft.left:
        lines += ["", *_left("Without a counterpart here", draft.left)]
    notes = Diagnostics()
    arranged = arrange(Source(str(spec), "\n".join(lines) + "\n"), notes)
    if arranged is None:
        raise Fault(*notes)
    return arranged


def named(wanted: str, taken: set[str], otherwise: str) -> str:
    """A plain name that is not taken yet."""
    name = re.sub(r"\W+", "_", wanted, flags=re.ASCII).strip("_").lower()
    name = name if _NAME.fullmatch(name) and name not in RESERVED and not re.fullmatch(r"p\d+", name) else f"{otherwise}_{name}".rstrip("_")
    unique, n = name, 2
    while unique in taken:
        unique, n = f"{name}_{n}", n + 1
    taken.add(unique)
    return unique


def _student(draft: Draft, corpora: Sequence[Corpus], spec: Path, lines: list[str]) -> str | None:
    if draft.student is None:
        return None
    model = draft.student.model
    name = named(Path(model.rstrip("/")).name.removesuffix(".gguf"), {corpus.name for corpus in corpora}, "student")
    path = next((base / model for base in (Path(draft.file).parent, Path()) if (base / Path(model).expanduser()).exists()), None)
    where = seen_from(path, spec.parent) if path else model
    # A folder here has to be told from a name on the hub.
    where = f"./{where}" if path and not where.startswith((".", "/")) else where
    lines += [f"student {name} {{", f"  model {_text(where)}"]
    lines += [f"  revision {_text(draft.student.revision)}"] if draft.student.revision else []
    lines += [f"  dtype {draft.student.dtype}"]
    if draft.student.template:
        lines.append(f"  template {_text(seen_from(Path(draft.file).parent / draft.student.template, spec.parent))}")
    lines += ["}", ""]
    return name


def _corpus(dataset: Dataset, corpus: Corpus) -> list[str]:
    return [
        *(line for said in corpus.remarks for line in _comment(_sentence(said))),
        *_left(f"Of dataset `{dataset.name}`, without a counterpart here", dataset.left),
        f"corpus {corpus.name} {{",
        f"  scan {_text(corpus.scan)}",
        f"  prompt {_column(corpus.prompt)}",
        f"  response {_column(corpus.response)}",
        "}",
        "",
    ]


def _left(head: str, left: Iterable[str]) -> list[str]:
    """One key a line, so that each can be found."""
    found = [_visible(f"#   {each}") for each in left]
    return [_visible(f"# {head}:"), *found] if found else []


def _comment(said: str) -> list[str]:
    return [f"# {line}" for line in wrap(_visible(said), WIDTH, break_long_words=False, break_on_hyphens=False)]


def _visible(text: str) -> str:
    """Without line ends and other characters that nobody sees."""
    return "".join(char if char.isprintable() else " " for char in text)


def _sentence(said: str) -> str:
    return f"{said[:1].upper()}{said[1:]}."


def _title(spec: Path) -> str:
    return spec.stem or "imported"


def _column(name: str) -> str:
    return name if _NAME.fullmatch(name) and name not in RESERVED else _text(name)


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_visible(escaped)}"'
