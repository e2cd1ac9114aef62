"""What may be typed at a cursor: keywords from the grammar, names from what the spec declares and its files hold."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..codes.all import CODES
from ..semantics.catalogue import SCORERS, Parameter, Signature
from ..semantics.types import BOOL, of_column
from ..semantics.words import in_words
from ..source import Span
from ..syntax.automaton import load
from ..syntax.format import format_expression
from .cursor import Cursor, cursor
from .facts import Facts
from .index import GROUPS
from .project import Project
from .slots import Slot, slot
from .snippets import CLAUSES, DECLARATIONS
from .words import CHOICES, ROLES, sentence

_REPEATABLE = {
    "where", "keep", "quota", "budget", "replace", "remove", "add", "benchmark", "baseline", "expect",
}  # fmt: skip
UNITS = ("examples", "prompts", "tokens", "steps", "epochs", "nats")
_COUNTED = {
    "budget": ("examples", "tokens"), "quota": ("examples", "tokens"), "expect": ("examples", "prompts", "tokens"), "sample": ("prompts",),
    "where": ("tokens", "steps", "nats"),
}  # fmt: skip
"""The units of the clauses that take several numbers, by the word that they begin with."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`kind`: keyword score role column student corpus teacher param scorer argument skill word unit code path label.

    `insert` is what takes the place of `span`, in snippet notation where `snippet`; lower `rank` stands first.
    """

    label: str
    kind: str
    span: Span
    detail: str = ""
    story: str = ""
    insert: str = ""
    snippet: bool = False
    rank: int = 1


@dataclass(frozen=True, slots=True)
class _Item:
    label: str
    kind: str
    detail: str = ""
    story: str = ""
    insert: str = ""
    snippet: bool = False
    rank: int = 1


@dataclass(frozen=True, slots=True)
class Completion:
    """`paths`: where files are wanted, the folder to list as the spec writes it (empty: its own); else None."""

    suggestions: tuple[Suggestion, ...]
    paths: str | None = None
    span: Span | None = None


def complete(project: Project, offset: int) -> Completion:
    """Everything that may stand at `offset`; filtering by what is typed already is the editor's work."""
    at = cursor(project.source, offset)
    span = Span(project.source.path, at.start, _end(project.source.text, at))
    if at.comment is not None:
        items = _allow(at.comment)
        return Completion(tuple(_placed(i, Span(span.path, offset, offset)) for i in items))
    where = slot(at)
    if where.kind == "path":
        folder, slash, _ = at.prefix.rpartition("/")
        return Completion((), folder + slash, Span(span.path, at.start + len(folder + slash), span.end))
    found = [*_named(where, at, project), *([] if at.quoted else _keywords(at, where))]
    unique = {(i.label, i.kind): i for i in reversed(found)}
    return Completion(tuple(_placed(i, span) for i in sorted(unique.values(), key=lambda i: (i.rank, i.label))), span=span)


def _placed(item: _Item, span: Span) -> Suggestion:
    return Suggestion(item.label, item.kind, span, item.detail, item.story, item.insert or item.label, item.snippet, item.rank)


def _end(text: str, at: Cursor) -> int:
    """The end of what a suggestion replaces: the rest of the word, or of the string."""
    end = at.offset
    if at.quoted:
        while end < len(text) and text[end] not in '"\r\n':
            end += 1
        return end if text[end : end + 1] == '"' else at.offset
    while end < len(text) and (text[end].isalnum() or text[end] == "_") and text[end].isascii():
        end += 1
    return end


def _keywords(at: Cursor, where: Slot) -> Iterator[_Item]:
    table = load()
    words = at.accepted & table.words
    if "NAME" in words | at.accepted:
        words -= table.accepted(table.after(("param",)))  # keywords that may be names: taken in where a name is
    if where.kind in ("names", "row"):
        words -= {"none"}
    elif where.kind:
        words -= {"true", "false", "none", "not", "rank"}
    for word in words:
        story = sentence(word, at.kind) or ""
        if at.clause:
            if word in UNITS and word not in next((_COUNTED[w] for w in at.words if w in _COUNTED), UNITS):
                continue
            yield _Item(word, "unit" if word in UNITS and at.clause[-1].kind == "NUMBER" else "keyword", "", story, rank=4)
            continue
        if at.kind and word in at.used and word not in _REPEATABLE and word != at.prefix:
            continue
        snippet = (CLAUSES.get((at.kind, word)) if at.kind else DECLARATIONS.get(word)) or ""
        yield _Item(word, "keyword", "clause" if at.kind else "declaration", story, snippet, bool(snippet), rank=1)
    if {"PARAM"} & at.accepted and at.prefix.startswith("$"):
        return
    if "QUANTILE" in at.accepted and at.clause and at.clause[-1].text in (">=", ">", "<=", "<"):
        yield _Item("p20 within teacher", "keyword", "a quantile", "", "p${1:20} within ${2:teacher}", True, 3)


def _named(where: Slot, at: Cursor, project: Project) -> Iterator[_Item]:
    facts = project.facts
    if "PARAM" in at.accepted and not at.quoted:
        yield from _params(facts)
    if at.prefix.startswith("$") or not (at.quoted or "NAME" in at.accepted or not at.accepted):
        return
    match where.kind:
        case "names":
            yield from (_Item(w, "word", "", CHOICES[w], rank=2) for w in where.of)
            yield from _scores(facts)
            yield from _roles(facts, skills=True)
            yield from (i for i in _columns(facts, "", 3) if i.label not in facts.scores and i.label not in facts.roles and i.label[0] != '"')
        case "row":
            yield from _roles(facts)
            yield from (i for i in _columns(facts, where.of[0], 1) if i.label not in facts.roles and i.label[0] != '"')
        case "column":
            corpus, *more = where.of or ("",)
            yield from (_Item(role, "role", "a role of the corpus", ROLES[role], rank=0) for role in more if role in facts.roles)
            yield from _columns(facts, corpus, 1, quoted=at.quoted)
        case "score":
            if where.of == ("random",):
                yield _Item("random", "word", "", CHOICES["random"])
            yield from (i for i in _scores(facts) if where.of != ("tokens",) or facts.scores[i.label].type.unit == "tokens")
        case "student":
            yield from (_Item(name, "student", "a student", rank=0) for name in facts.students)
        case "corpus":
            yield from (_Item(name, "corpus", "a corpus", rank=0) for name in facts.corpora)
        case "teacher":
            yield from (_Item(name, "teacher", "a teacher", rank=0) for name in facts.teachers)
        case "skills":
            yield from (_Item(name, "skill", "a taxonomy", rank=0) for name in facts.taxonomies)
        case "param":
            yield from (_Item(name, "param", "a param", rank=0) for name in facts.params)
        case "group":
            yield from (_Item(name, "word", "a group", rank=0) for name in GROUPS)
            yield from _columns(facts, "", 2)
        case "scorer":
            yield from (_Item(s.name, "scorer", in_words(s.type), s.says, _call(s), True, 0) for s in SCORERS.values() if where.of != ("grader",) or s.type == BOOL)
        case "argument":
            yield from _arguments(where.of[0], where.of[1:], facts)
        case "words":
            yield from (_Item(w, "word", "", CHOICES.get(w, "") or sentence(w, at.kind) or "", _worded(w), "(" in _worded(w), 0) for w in where.of)
            if at.clause and at.clause[-1].text == "skill":
                yield from (_Item(f'"{name}"', "skill", chain, rank=0) for name, chain in facts.skills.items())
        case "unit":
            yield from (_Item(u, "unit", "", sentence(u, "") or "", rank=0) for u in UNITS)
        case "skill":
            yield from (_Item(name, "skill", chain, rank=0) for name, chain in facts.skills.items())
            yield from _written(project, "skill")
        case "label":
            yield from _written(project, "label")
        case "code":
            yield from (_Item(code, "code", entry.title, entry.story) for code, entry in CODES.items())
        case _:
            pass


def _written(project: Project, kind: str) -> Iterator[_Item]:
    """Texts of a kind that the specs name already, for want of a list of all there are."""
    for file in project.chain:
        line = {o.symbol.name: file.source.position(o.span.start)[0] for o in file.names if o.symbol.kind == kind}
        yield from (_Item(name, "skill", f"named on line {at}", rank=1) for name, at in line.items() if name not in project.facts.skills)


def _scores(facts: Facts) -> Iterator[_Item]:
    for name, score in facts.scores.items():
        yield _Item(name, "score", in_words(score.type), score.signature.says if score.signature else "", rank=0)


def _roles(facts: Facts, *, skills: bool = False) -> Iterator[_Item]:
    given = {*facts.roles, *(("teacher", "id") if facts.corpora else ()), *(("skill",) if skills and facts.taxonomies else ())}
    yield from (_Item(role, "role", f"a text: {says}", rank=2) for role, says in ROLES.items() if role in given)


def _columns(facts: Facts, corpus: str, rank: int, *, quoted: bool = False) -> Iterator[_Item]:
    for name, columns in facts.columns.items():
        mine = [c for c in columns if not corpus or c.corpus == corpus]
        if mine:
            plain = name.isascii() and name.isidentifier()
            label = name if plain or quoted else f'"{name}"'
            kind = in_words(of_column(mine[0].kind)) if mine[0].kind not in ("other", "opaque") else "of another type"
            yield _Item(label, "column", f"column, {kind}", f"of the files of {', '.join(f'`{c.corpus}`' for c in mine)}", rank=rank)


def _params(facts: Facts) -> Iterator[_Item]:
    for name, param in facts.params.items():
        value = param.given.partition("=")[2] if param.given and "=" in param.given else param.given
        yield _Item(f"${name}", "param", value or format_expression(param.declaration.value), f"${name}", f"${name}", rank=3)


def _call(signature: Signature) -> str:
    """A call in snippet notation: what is required, and for the first model the student."""
    needed = [p for p in signature.parameters if p.default is None or p.kind in ("student", "window", "split")]
    parts = [_filled(p, number) for number, p in enumerate(needed, 1)]
    return f"{signature.name}({', '.join(parts)})"


def _filled(parameter: Parameter, number: int) -> str:
    match parameter.kind:
        case "value" | "column":
            return f"${{{number}:{'reference' if parameter.kind == 'value' else 'column'}}}"
        case "split" | "word":
            return f"{parameter.name}: ${{{number}|{','.join(parameter.choices)}|}}"
        case _:
            return f"{parameter.name}: ${{{number}:{parameter.default or parameter.name}}}"


def _arguments(function: str, names: tuple[str, ...], facts: Facts) -> Iterator[_Item]:
    signature = SCORERS.get(function)
    parameters = {p.name: p for p in signature.parameters} if signature else {}
    for name in names:
        parameter = parameters.get(name)
        if parameter is not None and parameter.kind in ("value", "column"):
            yield from (_Item(role, "role", ROLES[role], rank=0) for role in ("reference",) if parameter.kind == "value" and role in facts.roles)
            yield from _columns(facts, "", 1)
            continue
        default = f"{parameter.default} unless set" if parameter and parameter.default not in (None, "") else ""
        insert = "paper" if name == "paper" else _filled(parameter, 1) if parameter else f"{name}: $0"
        yield _Item(name, "argument", default, CHOICES.get(name, ""), insert, True, 0)


def _worded(word: str) -> str:
    """Words that take arguments are written with their brackets."""
    return {"given": "given(${1:column})", "minhash": "minhash(threshold: ${1:0.8})", "embedding": 'embedding(model: "$0")', "llm": 'llm(model: "$0")'}.get(
        word, word
    )


def _allow(comment: str) -> list[_Item]:
    """In `# mixc: allow`: the codes of lints."""
    words = comment[1:].split()
    if words[:1] != ["mixc:"]:
        return []
    if len(words) == 1 or (len(words) == 2 and not comment.endswith(" ")):
        return [_Item("allow", "keyword", "silences one lint at the next clause", insert='allow ${1:MIX0612} because "$0"', snippet=True)]
    lints = ((code, entry) for code, entry in CODES.items() if code.startswith("MIX06") and code not in ("MIX0601", "MIX0610"))  # no comment silences these
    return [_Item(code, "code", entry.title, entry.story, f'{code} because "$0"', True) for code, entry in lints]
