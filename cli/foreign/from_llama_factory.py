"""LLaMA-Factory's `dataset_info.json`, alone or beside a configuration of a training, as a draft of a spec."""

from collections.abc import Sequence
from pathlib import Path

from ...compiler.paths import is_remote
from ...compiler.source import Source, Span
from ...compiler.suggest import suggest
from ...runtime.conversations import Pairs, Shape, Turns
from .draft import Clause, Dataset, Draft
from .find_data import hub
from .read_config import read_config
from .section import Section
from .training import LLAMA_FACTORY, clauses, lora, seed, student

REGISTER = "dataset_info.json"
SHOWN = 12
_HUBS = ("ms_hub_url", "om_hub_url", "script_url", "cloud_file_name")


def from_llama_factory(section: Section, names: Sequence[str], bases: tuple[str, ...], sources: dict[str, Source]) -> Draft:
    """What the file says: a list of datasets, of which `names` are wanted (the only one, unless named), or a training, which names its own. Fault MIX0541, MIX0542."""
    if section.source.path.lower().endswith(".json"):
        chosen = _chosen(section, names)
        others = len(section.placed.pairs) - len(chosen)
        remarks = (f"{others:,} more {'datasets are' if others > 1 else 'dataset is'} described in `{section.source.path}`, and not imported",) if others else ()
        return Draft("LLaMA-Factory", section.source.path, tuple(_dataset(section, name, bases) for name in chosen), remarks=remarks)
    return _training(section, names, bases, sources)


def _training(section: Section, names: Sequence[str], bases: tuple[str, ...], sources: dict[str, Source]) -> Draft:
    stage = section.text("stage")
    if stage not in (None, "sft"):
        raise section.fault("MIX0542", f"`stage: {stage}` is no supervised fine-tuning, which is what mixc trains", section.take("stage"), help="import its datasets alone: name the `dataset_info.json`")
    section.take("do_train")
    asked = section.take("dataset")
    folder = section.text("dataset_dir") or "data"
    places = [Path(base) / folder for base in bases]
    register = next((place for place in places if (place / REGISTER).is_file()), None)
    if register is None:
        raise section.fault("MIX0542", f"there is no `{REGISTER}` in `{folder}`", section.take("dataset_dir") or asked, "where its datasets are described", "the folder is looked for beside the file, then here")
    listed = read_config(str(register / REGISTER), sources)
    wanted = list(names) or _names(section, asked)
    datasets = tuple(_dataset(listed, _known(listed, name, None if names else section, asked), (str(register),)) for name in wanted)
    model = student(section, LLAMA_FACTORY)
    train = tuple(clauses(section, LLAMA_FACTORY, _method(section))) if model else ()
    return Draft("LLaMA-Factory", section.source.path, datasets, model, train, seed(section), tuple(section.left()))


def _names(section: Section, asked: object) -> list[str]:
    value = getattr(asked, "value", None)
    found = [str(each.value) for each in value] if isinstance(value, list) else str(value).split(",") if isinstance(value, str) else []
    found = [name.strip() for name in found if name.strip()]
    if not found:
        raise section.fault("MIX0542", f"{section.what} names no `dataset:`", None, help="a training of LLaMA-Factory has `dataset: NAME`, described in its `dataset_info.json`")
    return list(dict.fromkeys(found))


def _method(section: Section) -> Clause:
    kind = section.text("finetuning_type") or "lora"
    if kind != "lora":
        if kind != "full":
            section.leave("finetuning_type")
        return Clause("method", "full", "" if kind == "full" else f"`{kind}` there, which mixc does not have: all weights move here")
    target = section.take("lora_target")
    if target is not None and target.value != "all":
        section.leave("lora_target")
    return lora(section, LLAMA_FACTORY)


def _chosen(section: Section, names: Sequence[str]) -> list[str]:
    there = [str(key.value) for key, _ in section.placed.pairs]
    if names:
        return [_known(section, name, None, None) for name in dict.fromkeys(names)]
    if len(there) == 1:
        return there
    shown = ", ".join(f"`{name}`" for name in there[:SHOWN]) + (f" and {len(there) - SHOWN:,} more" if len(there) > SHOWN else "")
    said = f"describes {len(there):,} datasets" if there else "describes no dataset"
    raise section.fault("MIX0542", f"{section.what} {said}", None, "which ones?" if there else "", f"choose with `--name`: {shown}" if there else None)


def _known(listed: Section, name: str, asking: Section | None, asked: object) -> str:
    if name in listed:
        return name
    there = [str(key.value) for key, _ in listed.placed.pairs]
    near = suggest(name, there)
    help = f"did you mean `{near}`?" if near else f"it describes {', '.join(f'`{each}`' for each in there[:SHOWN])}" if there else "it describes none"
    place = asked if asking is not None else None
    raise (asking or listed).fault("MIX0542", f"`{listed.source.path}` describes no dataset `{name}`", place, "named here" if place else "", help)  # type: ignore[arg-type]


def _dataset(listed: Section, name: str, bases: tuple[str, ...]) -> Dataset:
    found = listed.take(name)
    assert found is not None
    section = Section(listed.source, found, f"dataset `{name}`")
    remarks: list[str] = []
    shape = _shape(section, remarks)
    file, id = section.text("file_name"), section.text("hf_hub_url")
    if id is None and file is None:
        other = next((key for key in _HUBS if key in section), None)
        if other is None:
            raise section.fault("MIX0542", f"dataset `{name}` says neither `file_name` nor `hf_hub_url`", None)
        remarks.append(f"it is had by `{other}`, which mixc does not fetch: download its files and name them after `scan`")
        section.leave(other)
        file = f"{name}.jsonl"
    remotely = None
    if id is not None:
        section.leave("file_name")
        remotely = hub(id, [], section.text("subset"), section.text("split"), section.text("revision"), remarks, bare=True)
    elif section.text("split") not in (None, "train"):
        section.leave("split")
    path = file or name
    span = Span(section.source.path, found.start, found.end)
    return Dataset(name, (path,), shape, span, bases, is_remote(path) and id is None, tuple(remarks), tuple(section.left()), remotely)


def _shape(section: Section, remarks: list[str]) -> Shape | None:
    formatting = section.text("formatting") or "alpaca"
    columns = section.section("columns")
    if section.flag("ranking"):
        section.leave("ranking")
        remarks.append("its rows rank a better answer over a worse one, which supervised fine-tuning does not read")
        return None
    if formatting not in ("alpaca", "sharegpt", "openai"):
        raise section.fault("MIX0542", f"`formatting: {formatting}` is none that LLaMA-Factory has", section.take("formatting"), help="it is `alpaca`, `sharegpt` or `openai`")
    return _columns(columns, remarks) if formatting == "alpaca" else _turns(section, columns)


def _columns(columns: Section | None, remarks: list[str]) -> Pairs | None:
    """Where `columns` stands, a column that it does not name is none; where it does not stand, the names are Alpaca's."""
    if columns is None:
        return Pairs("instruction", "output", "input")
    prompt, query, response = columns.text("prompt"), columns.text("query"), columns.text("response")
    history, system = columns.text("history"), columns.text("system")
    if not (prompt or query) or not response:
        remarks.append("it names no column of answers: such rows are for pre-training" if not response else "it names no column of questions")
        return None
    return Pairs(prompt or query or "", response, query if prompt else None, history, system)


def _turns(section: Section, columns: Section | None) -> Turns:
    tags = section.section("tags")

    def tag(name: str, usual: str) -> str:
        return (tags.text(name) if tags else None) or usual

    return Turns(
        (columns.text("messages") if columns else None) or "conversations",
        tag("role_tag", "from"),
        tag("content_tag", "value"),
        frozenset((tag("user_tag", "human"),)),
        frozenset((tag("assistant_tag", "gpt"),)),
        frozenset((tag("system_tag", "system"),)),
        columns.text("system") if columns else None,
    )
