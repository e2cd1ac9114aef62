"""An Axolotl configuration as a draft of a spec: `datasets:`, the base model, the hyper-parameters."""

import posixpath
import re
from pathlib import Path

from ...compiler.paths import is_remote
from ...compiler.semantics.placed_json import Placed
from ...compiler.source import Span
from ...runtime.conversations import Pairs, Shape, Turns
from .draft import Clause, Dataset, Draft
from .find_data import hub
from .section import Section
from .training import AXOLOTL, clauses, lora, seed, student

PAIRS = {
    "alpaca": Pairs("instruction", "output", "input"),
    "alpaca_chat": Pairs("instruction", "response", "input"),
    "alpaca_chat.load_concise": Pairs("instruction", "response", "input"),
    "alpaca_chat.load_qa": Pairs("question", "answer"),
    "alpaca_chat.load_camel_ai": Pairs("message_1", "message_2"),
    "alpaca_w_system": Pairs("instruction", "output", "input", system="system"),
    "alpaca_w_system.load_open_orca": Pairs("question", "response", system="system_prompt"),
    "gpteacher": Pairs("instruction", "response", "input"),
    "oasst": Pairs("INSTRUCTION", "RESPONSE"),
    "jeopardy": Pairs("question", "answer"),
    "summarizetldr": Pairs("article", "summary"),
    "metharme": Pairs("prompt", "generation"),
}
"""The columns of its instruction formats, by their documentation."""
BUILDERS = frozenset(("json", "csv", "parquet", "arrow"))
"""What stands in the place of a path where `data_files` says it all, as for `datasets.load_dataset`."""
GENERIC = frozenset(("train", "data", "dataset", "rows"))
"""Names of files that say less than that of their folder."""
ROLES = {"user": "users", "assistant": "assistants", "system": "systems"}


def from_axolotl(section: Section, bases: tuple[str, ...]) -> Draft:
    """What the file says, and what of it has no counterpart. Fault MIX0541 and MIX0542."""
    if section.take("rl") is not None:
        section.leave("rl")
    listed = section.take("datasets")
    if listed is None or not isinstance(listed.value, list) or not listed.value:
        raise section.fault("MIX0542", f"{section.what} lists no `datasets:`", listed, help="an Axolotl configuration has `datasets:` with a `path:` and a `type:` each")
    datasets = tuple(_dataset(Section(section.source, each, f"`datasets[{i}]`"), i, bases) for i, each in enumerate(listed.value))
    model = student(section, AXOLOTL, _template(section))
    train = tuple(clauses(section, AXOLOTL, _method(section))) if model else ()
    return Draft("Axolotl", section.source.path, datasets, model, train, seed(section), tuple(section.left()))


def _method(section: Section) -> Clause:
    adapter = section.text("adapter")
    if adapter not in ("lora", "qlora"):
        if adapter is not None:
            section.leave("adapter")
        return Clause("method", "full", f"`{adapter}` there, which mixc does not have: all weights move here" if adapter else "")
    if not section.flag("lora_target_linear"):
        section.leave("lora_target_linear")
    return lora(section, AXOLOTL, "`qlora` there: mixc's adapters stand beside weights that are not quantised" if adapter == "qlora" else "")


def _template(section: Section) -> str | None:
    """A file of a template; names of Axolotl's own templates and templates in the text itself are left over."""
    if section.text("chat_template") not in (None, "tokenizer_default", "jinja"):
        section.leave("chat_template")
    found = section.text("chat_template_jinja")
    if found is not None and not re.fullmatch(r"[\w./~-]+\.(jinja2?|j2)", found):
        section.leave("chat_template_jinja")
        return None
    return found


def _dataset(section: Section, number: int, bases: tuple[str, ...]) -> Dataset:
    path = section.text("path")
    if path is None:
        raise section.fault("MIX0542", f"{section.what} has no `path:`", None, help="name the file, the folder or the dataset on the hub")
    section.take("ds_type")
    remarks: list[str] = []
    shape = _shape(section, remarks)
    files = _files(section)
    built = path in BUILDERS and bool(files)
    local = bool(re.search(r"\.(jsonl?|ndjson|parquet|arrow|csv)(\.gz|\.zst)?$", path)) or path.startswith((".", "/", "~")) or built or any(Path(base, path).exists() for base in bases)
    remote = is_remote(path)
    paths = (path,) if remote else tuple(each if built else posixpath.join(path, each) for each in files) or (path,)
    remotely = None if remote or local else hub(path, files, section.text("name"), section.text("split"), section.text("revision"), remarks)
    if remote or local:
        split = section.text("split")
        if split not in (None, "train"):
            section.leave("split")
    whole = posixpath.normpath(paths[0] if built else path).split("/")
    name = whole[-1].split(".")[0]
    name = whole[-2] if (name in GENERIC or "*" in name) and len(whole) > 1 and whole[-2] not in ("..", "") else name or f"dataset{number}"
    span = Span(section.source.path, section.placed.start, section.placed.end)
    return Dataset(name, paths, shape, span, bases, remote, tuple(remarks), tuple(section.left()), remotely)


def _files(section: Section) -> list[str]:
    found = section.take("data_files")
    if found is None:
        return []
    values: list[Placed] = found.value if isinstance(found.value, list) else [found]
    if not all(isinstance(each.value, str) for each in values):
        raise section.fault("MIX0542", "`data_files` is a file or a list of files", found)
    return [each.value for each in values]


def _shape(section: Section, remarks: list[str]) -> Shape | None:
    found = section.take("type")
    if found is not None and isinstance(found.value, tuple):
        own = section.section("type")
        assert own is not None
        return Pairs(
            own.text("field_instruction") or "instruction", own.text("field_output") or "output", own.text("field_input") or "input", system=own.text("field_system"),
        )  # fmt: skip
    kind = section.text("type")
    if kind is None:
        remarks.append("it has no `type:`, so that which columns ask and answer is not known")
        return None
    base = kind.split(":")[0]
    if base in ("chat_template", "sharegpt"):
        return _turns(section, old=base == "sharegpt")
    if base in PAIRS:
        if base.startswith("alpaca"):
            remarks.append("Axolotl writes the preamble of its prompt style around each prompt; mixc writes the student's chat template")
        return PAIRS[base]
    remarks.append(f"its type `{kind}` is none of questions and answers that mixc knows")
    section.leave("type")
    return None


def _turns(section: Section, *, old: bool) -> Turns:
    keys = section.section("message_property_mappings")
    role = (keys.text("role") if keys else None) or section.text("message_field_role") or ("from" if old else "role")
    content = (keys.text("content") if keys else None) or section.text("message_field_content") or ("value" if old else "content")
    shape = Turns(section.text("field_messages") or ("conversations" if old else "messages"), role, content)
    named = section.section("roles")
    groups = {attribute: named.take(ours) for ours, attribute in ROLES.items()} if named else {}
    own = {attribute: frozenset(str(each.value) for each in found.value) for attribute, found in groups.items() if found and isinstance(found.value, list)}
    trained = section.take("roles_to_train")
    if trained is not None and not (isinstance(trained.value, list) and [each.value for each in trained.value] in (["assistant"], ["gpt"])):
        section.leave("roles_to_train")
    if section.text("train_on_eos") not in (None, "turn", "last"):
        section.leave("train_on_eos")
    if section.text("chat_template") not in (None, "tokenizer_default"):
        section.leave("chat_template")
    return Turns(shape.messages, role, content, **{**{a: getattr(shape, a) for a in ROLES.values()}, **own})
