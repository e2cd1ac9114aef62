"""A tree of skills, `{"name": …, "children": [{"name": …, "description": …, "children": […]}, …]}`: its text to each node's chain, or to what is
wrong with which node. The root's own name is in no chain."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..diagnostics import Diagnostics, Label
from ..paths import beside
from ..source import Source, Span
from ..suggest import suggest
from ..syntax import ast
from .placed_json import Placed, read_placed

ARROW = "->"
DEEPEST = 100
"""Levels below the root: what lies deeper was not meant."""
KEYS = ("name", "children", "description")
FORM = 'a node is `{"name": "Algebra", "children": [{"name": "Equations"}]}`, a leaf has no `children`'
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Tree:
    """`chains`: each node's name and its chain from the root's child, in the order of the file, a node before those below it. `descriptions`: by name,
    of the nodes that have one."""

    chains: tuple[tuple[str, str], ...]
    descriptions: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class _Reading:
    """What is known of a file that is being read: whose clause names it, its text, where each name was seen first, and how many faults were told."""

    path: ast.String
    source: Source
    notes: Diagnostics
    seen: dict[str, tuple[str, Placed]] = field(default_factory=dict)
    faults: int = 0

    def fault(self, message: str, at: Placed, says: str, help: str, *, also: tuple[Label, ...] = (), warning: bool = False) -> None:
        """Report at the clause, with the place in the file beside it."""
        if not warning:
            self.faults += 1
        if self.faults > _SHOWN:
            return
        report = self.notes.warning if warning else self.notes.error
        where = "{}:{}".format(*self.source.position(at.start))
        report("MIX0431", f"`{self.path.value}`, {where}: {message}", self.path.span, "this tree", secondary=(self.label(at, says), *also), help=help)

    def label(self, at: Placed, says: str) -> Label:
        """A place in the file. Of what is long, its first character."""
        end = at.end if "\n" not in self.source.text[at.start : at.end] else at.start + 1
        return Label(Span(self.source.path, at.start, end), says)


def read_tree(path: ast.String, text: str, notes: Diagnostics) -> Tree | None:
    """The tree in a file's text; None, and each fault reported (MIX0431), where some node is not sound. A node that says it has no children is a leaf,
    and is warned of."""
    file = beside(path.value, path.span.path)
    try:
        root = read_placed(text)
    except json.JSONDecodeError as fault:
        place = f" (line {fault.lineno}, column {fault.colno})"
        notes.error("MIX0431", f"`{path.value}` is not JSON: {fault.msg}{place}", path.span, "this tree", help=FORM)
        return None
    except RecursionError:
        notes.error("MIX0431", f"`{path.value}` is nested too deeply", path.span, "this tree", help=f"a tree has at most {DEEPEST} levels")
        return None
    reading = _Reading(path, Source(file, text), notes)
    nodes = list(_nodes(root, reading))
    if reading.faults > _SHOWN:
        notes.error("MIX0431", f"`{path.value}` has {reading.faults - _SHOWN:,} more faults", path.span, "this tree", help="mend these first")
    if reading.faults:
        return None
    return Tree(tuple((name, chain) for name, chain, _ in nodes), tuple((name, said) for name, _, said in nodes if said is not None))


def _nodes(root: Placed, reading: _Reading) -> Iterator[tuple[str, str, str | None]]:
    """Name, chain and description of each node below the root that has a name."""
    if not isinstance(root.value, tuple):
        kind = "a list" if isinstance(root.value, list) else "one value"
        reading.fault(f"the root is {kind}, not a node", root, "the root", f'put it below one root: `{{"name": "skills", "children": […]}}`; {FORM}')
        return
    _known_keys(root, "the root", reading)
    children = _children(root, "the root", reading)
    if children is None and not reading.faults:
        first = root.pairs[0][0] if root.pairs else root
        reading.fault("the root has no children, so there are no skills", first, "the root", 'write the skills below it: `"children": [{"name": "Algebra"}]`')
    pending = [(child, "", 1) for child in reversed(children or [])]
    while pending:
        node, above, depth = pending.pop()
        name = _name(node, above, reading)
        chain = f"{above}{ARROW}{name}" if above else name or ""
        if depth > DEEPEST:
            said = f"`{name or 'a node'}` lies {depth} levels below the root"
            reading.fault(said, node, "too deep", f"a tree has at most {DEEPEST} levels; its chain begins `{ARROW.join(chain.split(ARROW)[:4])}`")
            continue
        if name is not None:
            yield name, chain, _description(node, chain, reading)
        if name is not None or isinstance(node.value, tuple):
            below = _children(node, f"`{chain}`" if chain else _place(above), reading)
            pending.extend((child, chain, depth + 1) for child in reversed(below or []))


def _place(above: str) -> str:
    return f"a node below `{above}`" if above else "a node below the root"


def _name(node: Placed, above: str, reading: _Reading) -> str | None:
    """The node's name, which no other has; None, and reported, where it has none that can be used."""
    where = _place(above)
    if not isinstance(node.value, tuple):
        help = f'write `{{"name": {json.dumps(node.value, ensure_ascii=False)}}}`' if isinstance(node.value, str) else FORM
        reading.fault(f"{where} is no object", node, "not a node", help)
        return None
    given = node.get("name")
    named = given is not None and isinstance(given.value, str) and given.value.strip()
    misspelt = _known_keys(node, f"`{given.value}`" if named and given else where, reading)
    if given is None and "name" in misspelt:
        return None
    if given is None:
        referred = node.get("$ref") or node.get("ref") or node.get("id")
        help = "write the node out: a tree has no references" if referred else f"give it one; {FORM}"
        reading.fault(f"{where} has no name", node.pairs[0][0] if node.pairs else node, "which skill?", help)
        return None
    name = given.value
    if not isinstance(name, str) or not name.strip() or any("\ud800" <= c <= "\udfff" for c in name):
        reading.fault(f"the name of {where} is {'empty' if isinstance(name, str) and not name.strip() else 'no text'}", given, "not a name", 'a name is a text: `"name": "Algebra"`')
        return None
    chain = f"{above}{ARROW}{name}" if above else name
    if ARROW in name:
        reading.fault(f"the name of `{chain}` has `{ARROW}` in it, which joins the names of a chain", given, f"`{ARROW}`", "put a node for each part, one below the other")
        return None
    if name != name.strip() or any(c in name for c in "\r\n"):
        reading.fault(f"the name `{' '.join(name.split())}` of {where} has {'a line break in it' if name == name.strip() else 'white space around it'}", given, "not as it reads", f"write `{json.dumps(' '.join(name.split()), ensure_ascii=False)}`")
        return None
    return name if _is_new(name, chain, given, reading) else None


def _is_new(name: str, chain: str, given: Placed, reading: _Reading) -> bool:
    if name not in reading.seen:
        reading.seen[name] = (chain, given)
        return True
    first, place = reading.seen[name]
    label = reading.label(place, "first here")
    if name in chain.split(ARROW)[:-1]:
        round_ = ARROW.join(chain.split(ARROW)[chain.split(ARROW).index(name) :])
        help = "end the branch above it, or give the node below a name of its own"
        reading.fault(f"a cycle: `{name}` lies below itself, `{round_}`", given, "again below itself", help, also=(label,))
    else:
        help = f"a skill is known by its name alone: write for example `{name} ({(chain.split(ARROW)[:-1] or ['2'])[-1]})`"
        reading.fault(f"two nodes have the name `{name}`: `{first}` and `{chain}`", given, "again here", help, also=(label,))
    return False


def _description(node: Placed, chain: str, reading: _Reading) -> str | None:
    given = node.get("description")
    if given is None or given.value is None:
        return None
    if not isinstance(given.value, str) or not given.value.strip():
        reading.fault(f"the description of `{chain}` is {'empty' if isinstance(given.value, str) else 'no text'}", given, "not a text", "write a sentence or two, or leave it out")
        return None
    return given.value.strip()


def _children(node: Placed, who: str, reading: _Reading) -> list[Placed] | None:
    """The nodes below; None for a leaf, and where they are none (reported)."""
    given = node.get("children")
    if given is None or given.value is None:
        return None
    if not isinstance(given.value, list):
        reading.fault(f"the children of {who} are no list", given, "not a list", FORM)
        return None
    if not given.value and who != "the root":
        reading.fault(f"{who} has an empty list of children", given, "empty", "leave `children` out: it is a leaf", warning=True)
    return given.value or None


def _known_keys(node: Placed, who: str, reading: _Reading) -> set[str]:
    """Report keys that stand twice, and those that are nearly one of ours, which are given back; what else a node carries is nobody's business."""
    keys = [key for key, _ in node.pairs]
    meant: set[str] = set()
    for at, key in enumerate(keys):
        name = str(key.value)
        if name in KEYS and any(other.value == name for other in keys[:at]):
            reading.fault(f"`{name}` stands twice in {who}", key, "again here", "JSON would take the last and forget the others: keep one")
        elif name not in KEYS and (near := "children" if name.lower().startswith("child") else suggest(name, KEYS)):
            meant.add(near)
            reading.fault(f"{who} has a key `{name}`", key, "not known", f"did you mean `{near}`?")
    return meant
