"""Texts to their skills by a model: level by level down a tree, all texts together, it is asked which of a node's children a text involves.

Skill-aware data selection (arXiv 2601.10109), attribution; but a branch whose answer is of no use keeps the node that it has come to. Knows no rows.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from ..compiler.plan.stages import Tag
from .responses import Question, Said
from .room import LONGEST, Frame, Room
from .which_skills import chosen, question

ARROW = "->"
Ask = Callable[[Sequence[Question], int], Sequence[Said | None]]
"""Questions of one level (from 1) to what is said to each; None where that is not known yet."""


@dataclass(frozen=True, slots=True)
class Skills:
    """A tree to be asked about. `children`: the names below each inner node, by its chain (empty: the root), sorted, so that the order of a file does
    not matter. `levels`: so many questions deep. `descriptions` by name."""

    children: Mapping[str, tuple[str, ...]]
    levels: int
    descriptions: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def of(stage: Tag) -> "Skills":
        """The tree of a stage, as deep as it asks."""
        depth = stage.attribution.depth if stage.attribution is not None else None
        below: dict[str, list[str]] = {}
        for name, chain in stage.tree or ():
            above = chain.rpartition(ARROW)[0]
            if depth is None or len(_names(chain)) <= depth:
                below.setdefault(above, []).append(name)
        return Skills({chain: tuple(sorted(names)) for chain, names in below.items()}, max((len(_names(chain)) + 1 for chain in below), default=0), dict(stage.descriptions or ()))

    def frame(self, chain: str) -> Frame:
        """What puts a text into the question below `chain`."""
        return partial(self._question, chain)

    def _question(self, chain: str, text: str) -> Question:
        return question(text, chain, self.children[chain], self.descriptions)


@dataclass(slots=True)
class Branches:
    """What became of the branches (a text at a node): answered, or not, and why not. `shortened` texts were too long to be read whole, `unsolved` ones are
    responses that are a thought alone. By level: `known` answers, the inner nodes that they chose (`further`), and the `open` ones that no one knows yet."""

    texts: int = 0
    branches: int = 0
    none: int = 0
    cut: int = 0
    silent: int = 0
    invalid: int = 0
    shortened: int = 0
    unsolved: int = 0
    whys: Counter[str] = field(default_factory=Counter)
    known: Counter[int] = field(default_factory=Counter)
    further: Counter[int] = field(default_factory=Counter)
    open: Counter[int] = field(default_factory=Counter)

    @property
    def failed(self) -> int:
        """Branches that keep their parent for want of a usable answer."""
        return self.cut + self.silent + self.invalid

    def to_data(self) -> dict[str, object]:
        """What a manifest has of it."""
        failed = {"cut": self.cut, "no_response": self.silent, "not_valid": self.invalid}
        return {
            "texts": self.texts, "branches": self.branches, "no_child_fits": self.none, "failed": failed, "reasons": dict(self.whys.most_common()),
            "shortened": self.shortened, "thought_alone": self.unsolved,
        }  # fmt: skip


def attribute(texts: Sequence[str], skills: Skills, ask: Ask, room: Room, tally: Branches) -> list[list[str] | None]:
    """The chains of each text, sorted: to leaves, to the depth that is asked, or to where a branch ended; None where an answer is not known yet.

    A branch ends where the answer is an empty list, which says that no child fits, and where it is of no use; it then keeps the chain so far, of the
    root none. `tally` is added to.
    """
    found: list[list[str] | None] = [[] for _ in texts]
    shortened: set[int] = {number for number, text in enumerate(texts) if len(text) > LONGEST}
    branches = [(number, "") for number in range(len(texts))] if "" in skills.children else []
    level = 1
    while branches:
        questions = []
        for number, chain in branches:
            frame = skills.frame(chain)
            fitting = room.fit(texts[number], frame)
            if len(fitting) < len(texts[number]):
                shortened.add(number)
            questions.append(frame(fitting))
        below: list[tuple[int, str]] = []
        for (number, chain), said in zip(branches, ask(questions, level), strict=True):
            if said is None:
                found[number] = None
                tally.open[level] += 1
                continue
            names = _heard(said, skills.children[chain], tally)
            reached = [f"{chain}{ARROW}{name}" if chain else name for name in names]
            inner = [one for one in reached if one in skills.children]
            below += [(number, one) for one in inner]
            tally.known[level] += 1
            tally.further[level] += len(inner)
            if (mine := found[number]) is not None:
                mine += [one for one in reached if one not in skills.children] if names else [chain] if chain else []
        branches, level = below, level + 1
    tally.texts += len(texts)
    tally.shortened += len(shortened)
    return [None if chains is None else sorted(chains) for chains in found]


def _heard(said: Said, children: Sequence[str], tally: Branches) -> tuple[str, ...]:
    """The children that an answer names; none where it names none or is of no use, which is counted."""
    tally.branches += 1
    names = None if said.text is None else chosen(said.text, children)
    if names is not None:
        tally.none += not names
        return names
    if said.text is None:
        tally.silent += 1
        tally.whys[said.why or "no response"] += 1
    elif not said.finished:
        tally.cut += 1
    else:
        tally.invalid += 1
    return ()


def _names(chain: str) -> list[str]:
    return chain.split(ARROW) if chain else []
