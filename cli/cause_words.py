"""Why rows moved between two builds, in a line for people. It decides nothing."""

from ..runtime.looks import shown
from ..runtime.moves.found import Cause

OTHERS = 2
"""So many of the ways by which something came about are named."""


def cause_words(cause: Cause, names: tuple[str, str]) -> str:
    """One cause in words; a changed clause stands as before and after."""
    came = cause.move == "added"
    out, inn = names if came else names[::-1]
    match cause.kind, cause.origin:
        case "unread", "data":
            return f"{'new' if came else 'gone'} data: `{out}` has not read them"
        case "unread", _:
            return f"not read in `{out}`: {cause.clause}"
        case "teachers" | "heldout" | "scan", origin:
            why = {"teachers": "of no declared teacher, or without a whole answer", "heldout": "of a prompt that is held out", "scan": "without a prompt or a response"}[cause.kind]
            return f"{why} in `{out}`" + ("" if origin == "recipe" else ": the data is another")
        case "draw", _:
            return f"{cause.clause}: rows are drawn, and it is another draw"
        case "dedup", "rival":
            return f"{cause.clause}: in `{out}` another of the copies stands first"
        case "decontaminate", "data":
            return f"{cause.clause}: {'a file that it reads is another' if cause.through else 'the prompts are others'}"
    said = _clause(cause, inn, out)
    return "; ".join(part for part in (said, _origin(cause), _price(cause), _through(cause)) if part)


def _clause(cause: Cause, inn: str, out: str) -> str:
    if cause.clause == cause.counterpart:
        return cause.clause or cause.kind
    if cause.clause is None:
        return f"{cause.counterpart}, which `{out}` has not"
    if cause.counterpart is None:
        return f"{cause.clause}, which `{inn}` has not"
    before, after = (cause.clause, cause.counterpart) if cause.move == "added" else (cause.counterpart, cause.clause)
    return f"{before} -> {_rest(before, after)}"


def _rest(before: str, after: str) -> str:
    """The later clause without the words with which both begin."""
    old, new = before.split(), after.split()
    same = next((n for n, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), min(len(old), len(new)))
    return " ".join(new[same:]) if 0 < same < len(new) else after


def _origin(cause: Cause) -> str:
    return {
        "value": "the value of the row itself is another",
        "threshold": "what it is held against moved",
        "labels": "its teacher, skills or tokens are others",
        "rival": "another row of the prompt stands in its place",
        "data": "what it reads of the corpus is another",
        "none": "a tie by the prices",
    }.get(cause.origin, "")


def _price(cause: Cause) -> str:
    price = cause.price
    if price is None or (not price.before and not price.after):
        return ""
    unit = f"{'an' if price.unit == 'example' else 'a'} {price.unit}"
    before, after = ("none" if each is None else _short(each) for each in (price.before, price.after))
    return f"price {before} -> {after} {unit}"


def _short(value: float) -> str:
    return shown(float(f"{value:.3g}"))


def _through(cause: Cause) -> str:
    if not cause.through:
        return ""
    told = ", ".join(f"{name} ({rows:,})" for name, rows in cause.through[:OTHERS])
    more = f" and {len(cause.through) - OTHERS} more" if len(cause.through) > OTHERS else ""
    match cause.origin, cause.move:
        case "displaced" | "none", "added":
            return f"in place of rows that went by {told}{more}"
        case "displaced" | "none", _:
            return f"displaced by rows that came by {told}{more}"
        case "rival", "added":
            return f"what took that row away: {told}{more}"
        case "rival", _:
            return f"what brought that row: {told}{more}"
        case _:
            return ""
