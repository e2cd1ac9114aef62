"""What is known of each name that a spec may use, also where the spec has errors. Reports nothing."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from ..paths import beside
from ..semantics.catalogue import SCORERS, Signature
from ..semantics.inputs import Inputs
from ..semantics.resolve import Resolved
from ..semantics.types import UNKNOWN, Type, of_column
from ..syntax import ast


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a corpus: `kind` is text number bool list opaque other."""

    name: str
    kind: str
    corpus: str


@dataclass(frozen=True, slots=True)
class Scored:
    """A declared score: its type as far as it can be told, and its scorer where there is such a one."""

    declaration: ast.Score
    type: Type
    signature: Signature | None


@dataclass(frozen=True, slots=True)
class Valued:
    """A param and the value it has; `given` is the text of `--set`, where it was set."""

    declaration: ast.ParamDeclaration
    given: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """By name. `roles` holds the columns that play a role, with their corpora; `skills` the chains of the tree."""

    columns: Mapping[str, tuple[Column, ...]]
    roles: Mapping[str, tuple[Column, ...]]
    scores: Mapping[str, Scored]
    params: Mapping[str, Valued]
    students: Mapping[str, ast.Block]
    corpora: Mapping[str, ast.Block]
    teachers: Mapping[str, ast.Teacher | ast.Block]
    taxonomies: Mapping[str, ast.Block]
    skills: Mapping[str, str]

    def type_of(self, name: str) -> Type:
        """The type of a name in an expression of `select`."""
        if name in self.scores:
            return self.scores[name].type
        if name in self.roles:
            return Type("text")
        return of_column(self.columns[name][0].kind) if name in self.columns else UNKNOWN


def facts(resolved: Resolved, specs: tuple[ast.Spec, ...], inputs: Inputs) -> Facts:
    """`specs` are the spec and its parents, the top one last."""
    corpora = _blocks(resolved, "corpus")
    columns, roles = _columns(corpora, inputs)
    given = dict(inputs.overrides)
    params = {
        d.name.text: Valued(d, given.get(d.name.text))
        for spec in reversed(specs)
        for d in spec.declarations
        if isinstance(d, ast.ParamDeclaration)
    }
    teachers: dict[str, ast.Teacher | ast.Block] = {t.name.text: t for t in resolved.of(ast.Teacher)}
    taxonomies = _blocks(resolved, "skills")
    return Facts(
        columns=columns,
        roles=roles,
        scores={s.name.text: _scored(s, columns) for s in resolved.of(ast.Score)},
        params=params,
        students=_blocks(resolved, "student"),
        corpora=corpora,
        teachers=teachers | _blocks(resolved, "generate"),
        taxonomies=taxonomies,
        skills=_skills(taxonomies, inputs),
    )


def setting(block: ast.Block, keyword: str) -> ast.Value | None:
    """The value of a setting; None where the block has none."""
    return next((line.value for line in block.lines if isinstance(line, ast.Setting) and line.keyword.text == keyword), None)


def _blocks(resolved: Resolved, kind: str) -> dict[str, ast.Block]:
    return {b.name.text: b for b in resolved.blocks(kind) if isinstance(b.name, ast.Name)}


def _columns(corpora: Mapping[str, ast.Block], inputs: Inputs) -> tuple[dict[str, tuple[Column, ...]], dict[str, tuple[Column, ...]]]:
    columns: dict[str, tuple[Column, ...]] = {}
    roles: dict[str, tuple[Column, ...]] = {}
    for name, block in corpora.items():
        scan = setting(block, "scan")
        found = inputs.columns.get(beside(scan.value, scan.span.path)) if isinstance(scan, ast.String) else None
        kinds = found if isinstance(found, Mapping) else {}
        for column, kind in kinds.items():
            columns[column] = (*columns.get(column, ()), Column(column, kind, name))
        for role in ("prompt", "response", "reference", "teacher", "id"):
            value = setting(block, role)
            if isinstance(value, (ast.Name, ast.String)):
                column = value.text if isinstance(value, ast.Name) else value.value
                roles[role] = (*roles.get(role, ()), Column(column, kinds.get(column, "other"), name))
    return columns, roles


def _scored(node: ast.Score, columns: Mapping[str, tuple[Column, ...]]) -> Scored:
    signature = SCORERS.get(node.call.function.text)
    if signature is None:
        return Scored(node, UNKNOWN, None)
    if signature.name != "column":
        return Scored(node, signature.type, signature)
    type_ = UNKNOWN
    for argument in node.call.arguments:
        name = argument.value.text if isinstance(argument.value, ast.Name) else getattr(argument.value, "value", "")
        if argument.name is not None and argument.name.text == "unit":
            type_ = Type("number", str(name))
        elif name in columns:
            type_ = of_column(columns[str(name)][0].kind)
    return Scored(node, type_, signature)


def _skills(taxonomies: Mapping[str, ast.Block], inputs: Inputs) -> dict[str, str]:
    """Name to chain, in the order of the trees."""
    chains: dict[str, str] = {}
    for block in taxonomies.values():
        path = setting(block, "tree")
        text = inputs.texts.get(beside(path.value, path.span.path)) if isinstance(path, ast.String) else None
        try:
            pending = [(node, "") for node in reversed(json.loads(text or "")["children"])]
            while pending:
                node, above = pending.pop()
                name = str(node["name"])
                chains.setdefault(name, f"{above}->{name}" if above else name)
                pending.extend((child, chains[name]) for child in reversed(node.get("children", [])))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue  # `check` says what is wrong with the file
    return chains
