"""What a configuration of another trainer comes to, before it is a spec: values, in mixc's words."""

from dataclasses import dataclass

from ...compiler.source import Span
from ...runtime.conversations import Shape


@dataclass(frozen=True, slots=True)
class Dataset:
    """One dataset as the other trainer names it. `paths` are files or folders, or a place in a bucket (`remote`); `hub` is the pattern of its files where it may
    be one on the hub, if no such folder is here.

    `shape` None: its rows cannot be read as questions and answers, and `remarks` say why. `span`: where it is described. `bases`: folders that its paths may be
    relative to, the likeliest first.
    """

    name: str
    paths: tuple[str, ...]
    shape: Shape | None
    span: Span
    bases: tuple[str, ...] = ()
    remote: bool = False
    remarks: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    hub: str | None = None


@dataclass(frozen=True, slots=True)
class Student:
    """`model` is a hub id, or a path."""

    model: str
    revision: str | None = None
    dtype: str = "bf16"
    template: str | None = None


@dataclass(frozen=True, slots=True)
class Clause:
    """One line of a block, and what is to be known of it."""

    keyword: str
    text: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """`left`: keys without a counterpart, as `key: value`. `train` is empty where the file says nothing of training."""

    trainer: str
    file: str
    datasets: tuple[Dataset, ...]
    student: Student | None = None
    train: tuple[Clause, ...] = ()
    seed: int = 42
    left: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
