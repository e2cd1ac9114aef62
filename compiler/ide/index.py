"""The names of one file: which stands where, and what it means there. Reads the tree alone, so half a file has an index too."""

from collections.abc import Collection
from dataclasses import dataclass

from ..semantics.catalogue import SCORERS
from ..source import Span
from ..syntax import ast

NAMED = ("student", "corpus", "teacher", "skills", "score", "param")
"""Kinds of symbols that a spec declares by name."""
GROUPS = ("teacher", "prompt", "skill", "corpus")
_ROLES = ("prompt", "response", "reference", "teacher", "id")
_FILES = {("corpus", "scan"), ("skills", "tree"), ("profile", "from"), ("student", "template"), ("student", "model"), ("test", "given")}


@dataclass(frozen=True, slots=True)
class Symbol:
    """`kind`: one of `NAMED`, or role column scorer argument skill label benchmark file word code."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A symbol at a place; `whole` is the clause or declaration that declares it, None where it is only used."""

    symbol: Symbol
    span: Span
    whole: Span | None = None


def index(spec: ast.Spec, scores: Collection[str], roles: Collection[str]) -> tuple[Occurrence, ...]:
    """Every name of the file in its order; `scores` and `roles` are those that its parents and it declare."""
    walk = _Walk(frozenset(scores), frozenset(roles), [])
    for declaration in spec.declarations:
        walk.declaration(declaration)
    return tuple(sorted(walk.found, key=lambda o: (o.span.start, o.span.end)))


def declared_names(specs: Collection[ast.Spec]) -> tuple[frozenset[str], frozenset[str]]:
    """The scores and the roles that a spec and its parents declare."""
    scores = {d.name.text for spec in specs for d in spec.declarations if isinstance(d, ast.Score)}
    roles = {"teacher", "id", "skill"}
    for spec in specs:
        for block in spec.declarations:
            if isinstance(block, ast.Block) and block.kind == "corpus":
                roles |= {line.keyword.text for line in block.lines if isinstance(line, ast.Setting)} & set(_ROLES)
    return frozenset(scores), frozenset(roles)


@dataclass(frozen=True, slots=True)
class _Walk:
    scores: frozenset[str]
    roles: frozenset[str]
    found: list[Occurrence]

    def put(self, kind: str, node: ast.Name | ast.String | None, whole: Span | None = None) -> None:
        if node is not None:
            name = node.text if isinstance(node, ast.Name) else node.value
            self.found.append(Occurrence(Symbol(kind, name), node.span, whole))

    def declaration(self, node: ast.Declaration) -> None:
        match node:
            case ast.Extends(path=path):
                self.put("file", path)
            case ast.ParamDeclaration(name=name, value=value):
                self.put("param", name, node.span)
                self.expression(value, False)
            case ast.Teacher(name=name, corpus=corpus, condition=condition):
                self.put("teacher", name, node.span)
                self.put("corpus", corpus)
                if condition:
                    self.expression(condition, False)
            case ast.Score(name=name, call=call):
                self.put("score", name, node.span)
                self.call(call)
            case ast.Decontaminate(against=against, of=of):
                for path in against:
                    self.put("file", path)
                self.put("role", of)
            case ast.Dedup(method=method, arguments=arguments, of=of):
                self.put("word", method)
                self.arguments(method.text, arguments)
                self.put("role", of)
            case ast.Sweep(param=param, values=values):
                self.put("param", param)
                self.expression(values, False)
            case ast.Ablate(pattern=pattern):
                self.pattern(pattern)
            case ast.RemoveDeclaration(kind=kind, name=ast.Name() as name):
                self.put({"train": "student", "profile": "student", "sweep": "param"}.get(kind.text, kind.text), name)
            case ast.Block():
                self.block(node)
            case _:
                pass

    def block(self, block: ast.Block) -> None:
        if isinstance(block.name, ast.Name):
            kind = {"generate": "teacher", "train": "student", "profile": "student"}.get(block.kind, block.kind)
            self.put(kind, block.name, block.span if block.kind not in ("train", "profile") else None)
        for line in block.lines:
            match line:
                case ast.Setting():
                    self.setting(block.kind, line)
                case ast.RemoveSetting():
                    pass
                case ast.Replace(pattern=pattern, clause=clause):
                    self.pattern(pattern)
                    self.clause(clause)
                case ast.RemoveClause(pattern=pattern):
                    self.pattern(pattern)
                case ast.Add(clause=clause, pattern=pattern):
                    self.clause(clause)
                    self.pattern(pattern)
                case _:
                    self.clause(line)

    def setting(self, kind: str, line: ast.Setting) -> None:
        keyword = line.keyword.text
        if kind == "corpus" and keyword in _ROLES:
            self.put("role", line.keyword, line.span)
        match kind, keyword, line.value:
            case ("corpus" | "generate"), "where", value:
                self.expression(value, False)  # type: ignore[arg-type]
            case "corpus", ("prompt" | "response" | "reference" | "teacher" | "id"), (ast.Name() | ast.String()) as column:
                self.put("column", column)
            case "corpus", "license", ast.Name() as column:
                self.put("column", column)
            case "generate", "prompts", ast.Name() as corpus:
                self.put("corpus", corpus)
            case "skills", "tag", ast.TagBy(method=method, value=value):
                self.put("word", method)
                if method.text == "column" and isinstance(value, (ast.Name, ast.String)):
                    self.put("column", value)
                elif isinstance(value, ast.String):
                    self.put("file", value)
            case "profile", "grade", ast.Call() as call:
                self.call(call)
            case "evaluate", "benchmark", ast.Benchmark(name=name, path=path):
                self.put("benchmark", name, line.span)
                self.put("file", path)
                self.amounts(line.value.samples, line.value.limit)  # type: ignore[union-attr]
                if isinstance(line.value.grade, ast.Call):  # type: ignore[union-attr]
                    self.call(line.value.grade)  # type: ignore[union-attr]
                elif line.value.grade is not None:  # type: ignore[union-attr]
                    self.put("scorer", line.value.grade)  # type: ignore[union-attr]
            case "evaluate", "heldout", ast.Heldout(corpus=corpus, where=where):
                self.put("corpus", corpus)
                self.expression(where, False)
            case "evaluate", "baseline", ast.Name(text=text) as name:
                self.put("word" if text == "random" else "score", name)
            case "test", "expect", ast.Expect(subject=subject, amount=amount):
                if isinstance(subject, ast.Group):
                    self.group(subject)
                if isinstance(amount, ast.Name):
                    self.put("code", amount)
                else:
                    self.amounts(amount)
            case kind, keyword, ast.String() as path if (kind, keyword) in _FILES:
                self.put("file", path)
            case _, _, ast.Name() as word:
                self.put("word", word)
            case _, _, ast.PerSkill(amount=amount):
                self.amounts(*((amount.low, amount.high) if isinstance(amount, ast.Bound) else (amount,)))
            case _, _, value:
                self.expression(value, False)  # type: ignore[arg-type]

    def clause(self, clause: ast.Clause) -> None:
        match clause:
            case ast.Where(condition=condition):
                self.expression(condition, True)
            case ast.Keep(count=count, by=by):
                self.amounts(count)
                if by:
                    self.expression(by, True)
            case ast.Quota(group=group, bound=bound):
                self.group(group)
                self.amounts(bound.low, bound.high if bound.high is not bound.low else None)
            case ast.SoftQuota(shape=shape, arguments=arguments):
                self.put("word", shape)
                self.arguments(shape.text, arguments)
            case ast.Budget(amount=amount):
                self.amounts(amount)
            case ast.Maximize(by=ast.Name(text="random") as word):
                self.put("word", word)
            case ast.Maximize(by=by):
                self.expression(by, True)
            case ast.CountTokens(score=score):
                self.put("score", score)
            case ast.Solver(method=method):
                self.put("word", method)

    def pattern(self, pattern: ast.Pattern | None) -> None:
        match pattern and pattern.detail:
            case ast.Group() as group:
                self.group(group)
            case ast.Name() as word if pattern and pattern.keyword in ("quota", "budget"):
                self.put("word", word)
            case None:
                pass
            case detail:
                self.expression(detail, True)

    def group(self, group: ast.Group) -> None:
        self.put("column", group.column)
        if group.kind == "skill":
            self.put("skill", group.value)
        else:
            self.put("teacher" if isinstance(group.value, ast.Name) else "label", group.value)

    def call(self, call: ast.Call) -> None:
        """A call of a scorer: what its arguments mean is said by its signature."""
        self.put("scorer", call.function)
        signature = SCORERS.get(call.function.text)
        parameters = {p.name: p for p in signature.parameters} if signature else {}
        for position, argument in enumerate(call.arguments):
            if argument.name is not None:
                parameter = parameters.get(argument.name.text)
                name = f"{call.function.text}.{argument.name.text}"
                self.found.append(Occurrence(Symbol("argument", name), argument.name.span))
            else:
                parameter = list(parameters.values())[position] if position < len(parameters) else None
            match parameter.kind if parameter else "", argument.value:
                case "student", ast.Name() as name:
                    self.put("student", name)
                case "value", ast.Name(text="reference") as name:
                    self.put("role", name)
                case ("value" | "column"), (ast.Name() | ast.String()) as name:
                    self.put("column", name)
                case ("word" | "split" | "unit"), ast.Name() as name:
                    self.put("word", name)
                case "split", ast.Call(function=function, arguments=arguments):
                    self.put("word", function)
                    for inner in arguments:
                        if isinstance(inner.value, (ast.Name, ast.String)):
                            self.put("column", inner.value)
                case _, value:
                    self.expression(value, False)

    def arguments(self, function: str, arguments: tuple[ast.Argument, ...]) -> None:
        for argument in arguments:
            if argument.name:
                self.found.append(Occurrence(Symbol("argument", f"{function}.{argument.name.text}"), argument.name.span))
            self.expression(argument.value, False)

    def amounts(self, *values: ast.Expr | None) -> None:
        for value in values:
            if value is not None:
                self.expression(value, False)

    def expression(self, node: ast.Expr, scores: bool) -> None:
        """`scores`: whether a name may be a score here."""
        match node:
            case ast.Name(text=text):
                self.put("score" if scores and text in self.scores else "role" if text in self.roles else "column", node)
            case ast.Param(name=name, span=span):
                self.found.append(Occurrence(Symbol("param", name), Span(span.path, span.start + 1, span.start + 1 + len(name))))
            case ast.Unary(operand=operand):
                self.expression(operand, scores)
            case ast.Binary(left=left, right=right):
                self.expression(left, scores)
                self.expression(right, scores)
            case ast.Rank(operand=operand, within=within):
                self.expression(operand, scores)
                self.within(within)
            case ast.Quantile(within=within):
                self.within(within)
            case ast.List(items=items):
                self.amounts(*items)
            case ast.Call(function=function, arguments=arguments):
                self.put("word", function)
                self.arguments(function.text, arguments)
            case _:
                pass

    def within(self, group: ast.Name | None) -> None:
        if group is not None:
            self.put("word" if group.text in GROUPS else "column", group)
