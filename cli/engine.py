"""`--engine` and `--devices`: what the verbs that score with a model share."""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from ..runtime.engines.choice import ENGINES, choose

if TYPE_CHECKING:
    from ..runtime.engines.students import Students


def configure_engine(parser: ArgumentParser) -> None:
    """The options of every verb that has a model read."""
    parser.add_argument("--engine", choices=ENGINES, help="what reads for log-probabilities: transformers (default) or vllm (MIXC_ENGINE does the same)")
    parser.add_argument("--devices", type=int, metavar="N", help="on how many devices, a process each (default: every CUDA device, else one; MIXC_DEVICES)")


def chosen_students(arguments: Namespace, store_root: Path, *, fetch: bool = True) -> "Students":
    """The models of a run, by the engine and on the devices that were asked for; without `fetch` nothing comes over the network. Fault MIX0522."""
    from ..runtime.engines.students import Students

    return Students(store_root, fetch=fetch, choice=choose(arguments.engine, arguments.devices))
