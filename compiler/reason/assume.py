"""Conditions against facts: can this be true here, must it be? Logic is three-valued; what is not understood may be anything."""

from ..expressions import Column, Constant, Constants, Expression, Operation, Quantile, Rank, is_barrier
from .domain import Domain, always_below, compared, is_empty, kind_of, meet
from .facts import Facts

SKILL = Column("role", "skill")
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_MIRRORED = {"==": "==", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
_PLACES = Domain("number", low=1, whole=True)


def assume(e: Expression, facts: Facts, scope: int, *, truth: bool = True) -> bool:
    """Take down in `facts` what follows from `e` being true (or false) of a row; False where it cannot be."""
    match e:
        case Constant(value):
            return value is truth
        case Column():
            return _is(_term(e, facts), facts, truth)
        case Operation("not", (inner,)):
            return assume(inner, facts, scope, truth=not truth)
        case Operation("and" | "or" as operator, sides):
            if (operator == "and") is truth:
                return all(assume(side, facts, scope, truth=truth) for side in sides)
            return _either(sides, facts, scope, truth)
        case Operation(operator, (left, right)) if operator in COMPARISONS:
            return _compare(operator if truth else _OPPOSITE[operator], left, right, facts, scope)
        case Operation("in", (left, Constants(values))):
            return _member(left, values, facts, truth)
        case Operation("contains", (left, Constant(str(text)))) if left != SKILL:
            return _contains(e, left, text, facts, truth)
        case Operation():
            return _is(e, facts, truth) if not is_barrier(e) else True
        case _:
            return True


def is_certain(e: Expression, facts: Facts, scope: int) -> bool:
    """Whether `e` is true of every row that these facts describe: neither false nor null."""
    match e:
        case Operation("and", sides):
            return all(is_certain(side, facts, scope) for side in sides)
        case Operation("or", sides) if any(is_certain(side, facts, scope) for side in sides):
            return True
        case _:
            return _never_null(e, facts) and never_false(e, facts, scope)


def never_false(e: Expression, facts: Facts, scope: int) -> bool:
    """Whether `e` is true of every row that these facts describe and that has the values that it reads."""
    return not assume(e, facts.layer(), scope, truth=False)


def _either(sides: tuple[Expression, ...], facts: Facts, scope: int, truth: bool) -> bool:
    layers = [layer for side in sides if assume(side, layer := facts.layer(), scope, truth=truth)]
    match layers:
        case []:
            return False
        case [only]:
            facts.write_down(only)
        case [a, b]:
            facts.write_down_either(a, b)
    return True


def _term(e: Expression, facts: Facts) -> Expression:
    return facts.alias.get(e, e)


def _is(term: Expression, facts: Facts, truth: bool) -> bool:
    _know(term, facts)
    return facts.restrict(term, Domain("bool", allowed=frozenset((truth,))))


def _know(e: Expression, facts: Facts) -> None:
    """A comparison, a sum or a search that has a value says that all it reads has one."""
    if isinstance(e, Column | Operation) and not is_barrier(e):
        facts.known.add(_term(e, facts))
    if isinstance(e, Operation) and e.operator not in ("and", "or", "not"):
        for argument in e.arguments:
            _know(argument, facts)


def _never_null(e: Expression, facts: Facts) -> bool:
    match e:
        case Constant() | Constants():
            return True
        case Operation("in", (_, Constants(()))):
            return True
        case Operation("+" | "-" | "*" | "/" | "negate") | Column():
            return facts.is_known(_term(e, facts))
        case Operation(_, arguments):
            return not is_barrier(e) and all(_never_null(a, facts) for a in arguments)
        case _:
            return False


def _compare(operator: str, left: Expression, right: Expression, facts: Facts, scope: int) -> bool:
    if isinstance(right, Quantile):
        _know(left, facts)
        return (operator, right.percent) not in (("<", 0), (">", 100))
    if left == SKILL and isinstance(right, Constant) and operator in ("==", "!="):
        # A row has several skills, so that it may be of two at once: each is a question of its own.
        return facts.restrict(Operation("==", (left, right)), Domain("bool", allowed=frozenset((operator == "==",))))
    if SKILL in (left, right):
        return True
    if isinstance(left, Constant) and isinstance(right, Constant):
        return _constants(operator, left, right)
    if isinstance(left, Constant):
        operator, left, right = _MIRRORED[operator], right, left
    if isinstance(right, Constant):
        return _against(operator, left, right, facts, scope)
    _know(left, facts)
    _know(right, facts)
    return True if is_barrier(left) or is_barrier(right) else _terms(operator, _term(left, facts), _term(right, facts), facts)


def _constants(operator: str, left: Constant, right: Constant) -> bool:
    if kind_of(left.value) != kind_of(right.value):
        return True
    there, found = compared(_MIRRORED[operator], left.value), compared("==", right.value)
    return there is None or found is None or not is_empty(meet(there, found))


def _against(operator: str, left: Expression, right: Constant, facts: Facts, scope: int) -> bool:
    """A term against a constant."""
    _know(left, facts)
    while isinstance(left, Operation) and left.operator == "negate" and kind_of(right.value) == "number":
        operator, left, right = _MIRRORED[operator], left.arguments[0], Constant(-right.value)  # type: ignore[operator]
    domain = compared(operator, right.value)
    if domain is None:
        return True
    if isinstance(left, Rank):
        if left.group == SKILL:  # the comparison holds in one skill, another one in another
            return not is_empty(meet(_PLACES, domain))
        here = Operation("rank", (Constant(scope), left))
        return facts.restrict(here, _PLACES) and facts.restrict(here, domain)
    return True if is_barrier(left) else facts.restrict(_term(left, facts), domain)


def _terms(operator: str, left: Expression, right: Expression, facts: Facts) -> bool:
    """A term against a term: the same one, ranges that do not meet, or a proposition that holds or not."""
    if left == right:
        return operator in ("==", "<=", ">=")
    a, b = facts.domain(left), facts.domain(right)
    if operator in (">", ">="):
        operator, left, right, a, b = _MIRRORED[operator], right, left, b, a
    if a is not None and b is not None and a.kind == b.kind != "any":
        if operator in ("<", "<=") and always_below(b, a, strictly=operator == "<="):
            return False
        if operator == "==" and is_empty(meet(a, b)):
            return False
    if operator == "<=":
        return facts.restrict(Operation("<", (right, left)), Domain("bool", allowed=frozenset((False,))))
    if operator == "<":
        return facts.restrict(Operation("<", (left, right)), Domain("bool", allowed=frozenset((True,))))
    first, second = sorted((left, right), key=repr)
    return facts.restrict(Operation("==", (first, second)), Domain("bool", allowed=frozenset((operator == "==",))))


def _member(left: Expression, values: tuple, facts: Facts, truth: bool) -> bool:
    if not values:
        return not truth
    if left == SKILL:
        named = tuple(Operation("==", (left, Constant(v))) for v in values)
        return _any_of(named, facts) if truth else all(assume(n, facts, 0, truth=False) for n in named)
    if isinstance(left, Constant):
        found = [kind_of(v) == kind_of(left.value) and v == left.value for v in values]
        return any(found) is truth
    _know(left, facts)
    kinds = {kind_of(v) for v in values}
    kind = kinds.pop()
    if kinds or kind is None or is_barrier(left):
        return True
    given = frozenset(values)
    return facts.restrict(_term(left, facts), Domain(kind, allowed=given) if truth else Domain(kind, excluded=given))


def _any_of(named: tuple[Expression, ...], facts: Facts) -> bool:
    """One of several propositions holds: only where one alone can is anything known."""
    open_ = [n for n in named if assume(n, facts.layer(), 0)]
    return assume(open_[0], facts, 0) if len(open_) == 1 else bool(open_)


def _contains(e: Expression, left: Expression, text: str, facts: Facts, truth: bool) -> bool:
    term = _term(left, facts)
    domain = facts.domain(term)
    if domain is not None and domain.kind == "text" and domain.allowed is not None:
        _know(left, facts)
        return facts.restrict(term, Domain("text", allowed=frozenset(v for v in domain.allowed if (text in v) is truth)))
    return _is(e, facts, truth)
