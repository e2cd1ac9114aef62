"""The card of a build's data: what they are, from whom, why these, under which licences and how to have them again, as `README.md` for the hub.

Pure text of the folder alone: no paths of a machine, no time of day.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from ..compiler.plan.digest import digest
from ..compiler.plan.stages import Plan, Score
from .card import cell, code, hub_datasets, licence_lines, table, yaml_text
from .finished import Finished, finished
from .recited import recited
from .stated import stated
from .sums import Sum

MOST_SKILLS = 20
_SIZES = (("n<1K", 10**3), ("1K<n<10K", 10**4), ("10K<n<100K", 10**5), ("100K<n<1M", 10**6), ("1M<n<10M", 10**7), ("10M<n<100M", 10**8), ("100M<n<1B", 10**9))


def dataset_card(folder: Path) -> str:
    """The card of the build in `folder`, as its `README.md` has it. Fault MIX0524 where there is none, or none that selected; MIX0501 where it cannot be read."""
    return card_of(finished(folder))


def card_of(build: Finished) -> str:
    """The whole text: front matter that the hub and `datasets` read, then the same and more for people."""
    plan, selected = build.plan, _read(build)
    name = cell(plan.name)
    parts = [f"---\n{''.join(_front_matter(build))}---", f"# {name}", *([plan.description.strip()] if plan.description else [])]
    whole = build.manifest["counts"]["rows"]
    parts.append(f"{_counted(selected.height, 'example')} that the recipe `{code(plan.name)}` selected from {_counted(whole, 'row')}, made with mixc {build.version}.")
    parts += ["## Files", table(("file", "what it holds", "rows"), list(_files(build))), _loaded(build)]
    for title, column, head in (("Teachers", "teacher", "teacher"), ("Skills", "skills", "skill")):
        if rows := _composition(selected, column):
            rest = len(rows) - MOST_SKILLS if column == "skills" else 0
            parts += [f"## {title}", table((head, "examples", "share", "tokens"), rows[:MOST_SKILLS] if rest > 0 else rows), *([f"And {rest:,} more."] if rest > 0 else [])]
    parts += ["## Selection", "Rows left after each clause:", table(("clause", "rows"), [(step["clause"], f"{step['rows']:,}") for step in build.manifest["counts"]["funnel"]])]
    if clauses := _solved(build.manifest):
        parts += ["What acted together on the last of them:", table(("clause", "got", "price"), clauses)]
    if scores := list(_scores(plan, selected)):
        parts += ["## Scores", "Of the examples here, where they are known:", table(("score", "known", "lowest", "mean", "highest"), scores)]
    parts += ["## Licences", *_licences(build)]
    parts += ["## Recipe", table(("", ""), list(recited(plan)))]
    parts += ["## Made again", *_again(build)]
    parts += ["## Provenance", table(("", ""), list(_provenance(build)))]
    return "\n\n".join(parts) + "\n"


def _front_matter(build: Finished) -> Iterator[str]:
    """Lines of YAML; every text as a JSON string, which YAML reads as it is."""
    plan = build.plan
    yield f"pretty_name: {yaml_text(plan.name)}\n"
    licences = stated(build).dataset
    if len(licences) == 1:
        yield from licence_lines(licences[0])
    elif licences:
        lines = [next(iter(licence_lines(each))).removeprefix("license: ").strip() for each in licences]
        yield f"license: {json.dumps(sorted(set(lines)))}\n"
    yield f'size_categories: ["{next((name for name, most in _SIZES if build.selected.rows < most), "n>1B")}"]\n'
    yield 'task_categories: ["text-generation"]\n'
    yield 'tags: ["mixc", "distillation", "sft"]\n'
    if sources := hub_datasets(plan):
        yield f"source_datasets: {json.dumps(sources)}\n"
    # `datasets` reads all that a card names in the format of the first file, so one file is named: what a student is trained on.
    first = build.train or build.selected
    features = json.dumps([_feature(name, dtype) for name, dtype in first.columns.items()], ensure_ascii=False)
    yield f"configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: {first.name}\n"
    yield f"dataset_info:\n- config_name: default\n  features: {features}\n"


def _feature(name: str, dtype: object) -> dict[str, object]:
    match dtype:
        case pl.List(inner=pl.Struct(fields=parts)):
            return {"name": name, "list": [_feature(part.name, part.dtype) for part in parts]}
        case pl.List(inner=inner):
            return {"name": name, "list": _dtype(inner)}
        case _:
            return {"name": name, "dtype": _dtype(dtype)}


def _dtype(dtype: object) -> str:
    """The name of a type as Arrow has it. Texts are large ones in the Parquet files that Polars writes, and plain ones to whoever reads them."""
    return {pl.String(): "string", pl.Boolean(): "bool"}.get(dtype, str(dtype).lower())  # type: ignore[call-overload]


def _read(build: Finished) -> pl.DataFrame:
    """The columns that are counted: no texts."""
    counted = [name for name, dtype in build.selected.columns.items() if name in ("teacher", "skills", "tokens") or dtype.is_numeric() or dtype == pl.Boolean()]
    return pl.read_parquet(build.folder / build.selected.name, columns=counted)


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def _files(build: Finished) -> Iterator[tuple[str, str, str]]:
    what = {
        "train.jsonl": "what a student is trained on: messages, as chat templates take them",
        "selected.parquet": "the same examples with their teachers, skills and scores",
        "ledger.parquet": "every row that was looked at, and why it is in or not",
    }
    yield from ((each.name, what[each.name], f"{each.rows:,}") for each in build.tables)


def _loaded(build: Finished) -> str:
    lines = [*(['train = load_dataset("FOLDER", split="train")'] if build.train else []), 'selected = load_dataset("parquet", data_files="FOLDER/selected.parquet", split="train")']
    return "\n".join(["```python", "from datasets import load_dataset", "", *lines, "```"])


def _composition(selected: pl.DataFrame, column: str) -> list[tuple[str, ...]]:
    """Examples and tokens of each value, most first. An example of several skills counts in each."""
    known = selected["tokens"].null_count() == 0
    frame = selected.select(column, "tokens")
    if column == "skills":
        frame = frame.explode("skills", empty_as_null=True).drop_nulls("skills")
    counts = frame.group_by(column).agg(pl.len().alias("n"), pl.col("tokens").sum()).sort(["n", column], descending=[True, False])
    return [
        (name or "no teacher", f"{n:,}", f"{100 * n / selected.height:.1f} %", f"{tokens:,}" if known else "")
        for name, n, tokens in counts.select(column, "n", "tokens").iter_rows()
    ]


def _solved(manifest: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The clauses that were solved together: what each got, and what one more unit of it would gain."""
    found = manifest.get("selection") or {}
    unit = found.get("unit") or ""
    rows = []
    for each in found.get("clauses", ()):
        got = f"{each['share']:.1f} %" if each.get("share") is not None else f"{each['amount']:,} {each['unit']}"
        rows.append((each["clause"], got, f"{each['price']:.4g} {unit}".strip() if each.get("binding") and each.get("price") else ""))
    return rows


def _scores(plan: Plan, selected: pl.DataFrame) -> Iterator[tuple[str, ...]]:
    """Means by exact sums: the same digits on every machine."""
    for name, unit in ((s.name, s.unit) for s in plan.stages if isinstance(s, Score) and s.name in selected.columns):
        values = selected[name].drop_nulls().cast(pl.Float64)
        finite = values.filter(values.is_finite())
        if finite.is_empty():
            continue
        total = Sum()
        total.add(finite.to_numpy())
        yield f"{name}, {unit}" if unit else name, f"{values.len():,}", *(f"{number:.6g}" for number in (finite.min(), total.mean, finite.max()))


def _licences(build: Finished) -> Iterator[str]:
    found = stated(build)
    if build.plan.license is not None:
        yield f"The recipe states `{code(build.plan.license)}` for the whole."
    yield table(("of", "licence"), found.rows)
    yield "Licences are those that the recipe states for its corpora, or their rows for themselves. What they ask of whoever passes the data on, or a model trained on them, is for that person to find out."


def _again(build: Finished) -> Iterator[str]:
    locked = (build.folder / "mix.lock").is_file()
    lines = ["mixc build RECIPE.mix" + (" --locked" if locked else ""), *(["mixc verify BUILD"] if locked else [])]
    asked = "; a score that a model has to compute again may differ in its last digits" if build.manifest.get("models") else ", to the byte"
    yield f"From the recipe, its corpora and the same versions the same rows come out on any machine{asked}:"
    yield "```sh\n" + "\n".join(lines) + "\n```"
    yield f"`manifest.json` of what comes out names the same plan, `{digest(build.plan)}`, and its files have the digests below. `mixc why BUILD ROW` says of any row why it is in, or why not."


def _provenance(build: Finished) -> Iterator[tuple[str, str]]:
    yield "mixc", build.version
    yield "plan", digest(build.plan)
    yield "data", build.content
    yield from ((f"SHA-256 of {each.name}", each.sha256) for each in build.tables)
    for entry in build.manifest["inputs"]:
        yield f"corpus {entry['corpus']}", f"{_counted(entry['rows'], 'row')}, digest {entry.get('content') or entry['digest']}"
    for name, model in build.manifest.get("models", {}).items():
        digests = [f"{what} {value}" for what, value in model.items() if what not in ("model", "dtype", "endpoint")]
        yield f"model {name}", ", ".join([str(model.get("dtype", "")), *digests]).strip(", ")
    yield "packages", ", ".join(f"{name} {version}" for name, version in _packages(build.manifest))


def _packages(manifest: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    return sorted(manifest["versions"].items())
