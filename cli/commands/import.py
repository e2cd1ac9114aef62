"""`mixc import`: a configuration of LLaMA-Factory or Axolotl as a spec to start from."""

import json
import shlex
import shutil
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from ...compiler.diagnostics import Diagnostic, Fault, Label
from ..arguments import Usage
from ..exit import FINE

if TYPE_CHECKING:
    from ..foreign.draft import Draft

TRAINERS = ("llama-factory", "axolotl")
USAGE = "usage: mixc import TRAINER FILE [--name DATASET…] [--out NAME.mix] [--force]"


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("trainer", metavar="TRAINER", choices=TRAINERS, help="llama-factory or axolotl")
    parser.add_argument("file", metavar="FILE", help="dataset_info.json, or the YAML file of a training")
    parser.add_argument("--name", action="append", default=[], metavar="DATASET", help="of llama-factory: which dataset (may repeat)")
    parser.add_argument("--out", metavar="NAME.mix", help="where the spec is written (default: FILE's own name, here)")
    parser.add_argument("--force", action="store_true", help="overwrite a spec that is there")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text (default) or json: what was written")


def run(arguments: Namespace) -> int:
    """Write the spec, and beside it the rows that no corpus could read as they stand. What could not be carried over stands in it as comments."""
    from ...runtime.files import write_atomic
    from ..foreign.settle import rows_of, settle
    from ..foreign.write_draft import named, write_draft

    spec = _spec(arguments)
    draft = _draft(arguments)
    usable = [each for each in draft.datasets if each.shape is not None]
    left_out = [each for each in draft.datasets if each.shape is None]
    if not usable:
        raise Fault(*(Diagnostic("MIX0542", f"dataset `{each.name}` cannot be imported: {'; '.join(each.remarks)}", Label(each.span, "this one")) for each in left_out))
    taken: set[str] = set()
    try:
        corpora = [settle(dataset, named(dataset.name, taken, "data"), spec) for dataset in usable]
    except Fault:
        shutil.rmtree(rows_of(spec), ignore_errors=True)  # of an import that comes to nothing nothing is left; another's rows were refused before
        raise
    told = shlex.join(["mixc", "import", arguments.trainer, arguments.file, *(word for name in arguments.name for word in ("--name", name))])
    write_atomic(spec, write_draft(draft, corpora, left_out, spec, told).encode())
    notices = [*draft.remarks, *(f"dataset `{each.name}` is left out: {'; '.join(each.remarks)}" for each in left_out)]
    notices += [notice for corpus in corpora for notice in corpus.notices]
    left = [*draft.left, *(f"{each.name}: {key}" for each in draft.datasets for key in each.left)]
    terminal = arguments.terminal
    if arguments.format == "json":
        data = {
            "trainer": arguments.trainer, "spec": str(spec), "rows": [str(corpus.rows) for corpus in corpora if corpus.rows],
            "corpora": [corpus.name for corpus in corpora], "notices": notices, "left": left,
        }  # fmt: skip
        terminal.result(json.dumps(data, indent=2, ensure_ascii=False))
        return FINE
    for path in (*(corpus.rows for corpus in corpora if corpus.rows), spec):
        terminal.result(f"wrote {path}")
    for notice in notices:
        terminal.say(f"note: {notice}")
    if left:
        terminal.say(f"note: {len(left)} {'key has' if len(left) == 1 else 'keys have'} no counterpart; they stand in the spec as comments")
    terminal.say(f"next: mixc check {spec}")
    return FINE


def _spec(arguments: Namespace) -> Path:
    """Where the spec goes; Usage where another is there."""
    from ..foreign.settle import rows_of

    if arguments.name and arguments.trainer != "llama-factory":
        raise Usage("`--name` chooses among the datasets of a `dataset_info.json`", USAGE)
    stem = arguments.name[0] if len(arguments.name) == 1 else Path(arguments.file).name.split(".")[0] or "imported"
    spec = Path(arguments.out or f"{stem.replace('/', '_')}.mix")
    if spec.suffix != ".mix":
        raise Usage(f"`{spec}` is no name for a spec", USAGE, f"specs end in .mix: `--out {spec.with_suffix('.mix')}`")
    for path in (spec, rows_of(spec)):
        if path.exists() and (not arguments.force or path.is_dir() != (path != spec)):
            raise Usage(f"`{path}` is there already, and nothing is overwritten", USAGE, "name another file with `--out`, or overwrite it with `--force`")
    return spec


def _draft(arguments: Namespace) -> "Draft":
    from ..foreign.from_axolotl import from_axolotl
    from ..foreign.from_llama_factory import from_llama_factory
    from ..foreign.read_config import read_config

    section = read_config(arguments.file, arguments.sources)
    bases = (str(Path(arguments.file).parent), ".")
    if arguments.trainer == "axolotl":
        return from_axolotl(section, bases)
    return from_llama_factory(section, arguments.name, bases, arguments.sources)
