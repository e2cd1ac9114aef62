"""Says in words which terminals could have come next."""

from .automaton import load
from .tokens import NEWLINE

NAMED = {
    "STRING": "a string",
    "NUMBER": "a number",
    "PERCENT": "a percentage",
    NEWLINE: "the end of the line",
    "QUANTILE": "a quantile",
}
COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">="))
SIGNS = frozenset(("+", "-", "*", "/"))
LINKS = frozenset(("and", "or", "in", "not", "matches", "contains"))
AMOUNT = frozenset(("NUMBER", "PERCENT", "PARAM", "PARAM_PERCENT"))
UNITS = frozenset(("examples", "prompts", "tokens", "steps", "epochs", "nats"))


def expectation(accepted: frozenset[str]) -> str:
    """`a name`, `per`, `a number or a string`: what may stand where none of it stands."""
    left = set(accepted)
    said: list[str] = []
    if "NAME" in left:
        left -= _soft()
    if {"NAME", "NUMBER", "(", "not"} <= left:
        said.append("an expression")
        left -= AMOUNT | {"STRING", "NAME", "(", "[", "-", "not", "rank", "true", "false", "none", "QUANTILE"}
    elif {"NAME", "NUMBER", "("} <= left:
        said.append("a value or a score")
        left -= AMOUNT | {"STRING", "NAME", "(", "[", "-", "rank", "true", "false", "none", "QUANTILE"}
    elif {"NAME", "NUMBER", "STRING"} <= left:
        said.append("a value")
        left -= AMOUNT | {"STRING", "NAME", "[", "-", "true", "false", "none"}
    elif {"NUMBER", "PERCENT"} <= left:
        said.append("a number")
        left -= AMOUNT | {"-"}
    elif {"corpus", "sweep"} <= left:
        return "the keyword of a declaration"
    if left >= UNITS:
        said.append("a unit")
        left -= UNITS
    if "NAME" in left:
        said.append("a name")
        left.discard("NAME")
    if "and" in left or left >= SIGNS:
        said.append("an operator")
        left -= COMPARISONS | SIGNS | LINKS
    elif left >= COMPARISONS:
        said.append("a comparison")
        left -= COMPARISONS
    left -= {"PARAM", "PARAM_PERCENT"} if "NUMBER" in left or not left - {"PARAM", "PARAM_PERCENT"} else set()
    if "of" in left and (said or len(left) > 1):
        left.discard("of")
    if ".." in left and (said or len(left) > 1):
        left.discard("..")
    said += [NAMED.get(t, f"`{t}`") for t in sorted(left, key=lambda t: (t == NEWLINE, t))]
    if not said:
        return "something else"
    return said[0] if len(said) == 1 else ", ".join(said[:-1]) + " or " + said[-1]


def _soft() -> frozenset[str]:
    """The keywords that may be names: taken in where a name is."""
    table = load()
    names = table.accepted(table.after(("param",)))
    return names - {"NAME"}
