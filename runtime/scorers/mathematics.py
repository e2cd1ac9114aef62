"""Whether a response's final answer equals a reference, as math-verify judges it. Knows no rows and no time limits.

`judge` may hang or exhaust its memory: it runs in worker processes only. `surely_equal` is cheap and needs no package.
"""

import logging
import re
from functools import cache
from typing import Any

_PLAIN = r"-?(?:[1-9]\d{0,2}(?:,\d{3})+|\d+)(?:\.\d+)?"
_PLAIN_NUMBER = re.compile(_PLAIN)
# `18 dollars`, `$18`, `3 square feet`: in LaTeX the letters of a word are factors, and `18 dollars` a product.
_AMOUNT = re.compile(rf"(?:\\?[$€£¥])?\s*(?P<number>{_PLAIN})(?P<words>(?:\s+[A-Za-z]{{3,}})*)\.?")
_FUNCTIONS = frozenset(["and", "cos", "cot", "csc", "exp", "log", "max", "min", "mod", "sec", "sin", "sqrt", "tan"])
_BOX = "\\boxed{"
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_PERCENT = re.compile(r"[\s$.)\]}\\]*(?:%|percent|pct)", re.IGNORECASE)
# Signs that LaTeX writes otherwise: math-verify stops reading at one, and would take `25√2` for 25.
_SIGNS = {
    "−": "-", "–": "-", "×": r"\times ", "·": r"\cdot ", "÷": r"\div ", "π": r"\pi ", "∞": r"\infty ", "°": r"^\circ ",
    "²": "^2", "³": "^3", "½": r"\frac{1}{2}", "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "±": r"\pm ",
}  # fmt: skip
_ROOT = re.compile(r"√\s*(?:\((?P<inner>[^()]*)\)|(?P<plain>\d+|[A-Za-z]))")
_LAST_LINE = re.compile(r"\n####[ \t]*(?P<answer>\S[^\n]*)\s*$")


def surely_equal(response: str, reference: str) -> bool:
    """Whether the response has one box and it holds the plain number that the reference is. False says nothing."""
    if response.count("\\boxed") != 1 or "i hope" in response.lower():
        return False
    _, box, after = response.partition(_BOX)
    content, closed, after = after.partition("}")
    content, reference = content.strip(), reference.strip()
    if not (box and closed) or _PERCENT.match(after):
        return False
    both_plain = _PLAIN_NUMBER.fullmatch(content) and _PLAIN_NUMBER.fullmatch(reference)
    return bool(both_plain) and content.replace(",", "") == reference.replace(",", "")


def judge(pair: tuple[str, str]) -> bool | None:
    """Whether the response's answer (its last box, else a last line `#### answer`, else any) equals the reference.

    None where the reference holds nothing to compare with. A response without an answer is false.
    """
    from sympy.core.random import seed

    # Some of sympy's tests of equality draw random points.
    seed(0)
    response, reference = pair
    golds = _parse(_boxed(reference))
    if not golds:
        return None
    return _any_equal(golds, _parse(_final(response)))


def _boxed(text: str) -> str:
    """A bare answer in a box; one that is in a box already stays in it, one in dollars leaves them."""
    text = text.strip()
    if _BOX in text:
        return _final(text)
    if len(text) > 2 and text[0] == text[-1] == "$":
        text = text.strip("$").strip()
    return f"{_BOX}{_legible(text)}}}"


def _final(response: str) -> str:
    """What math-verify is to read: the last whole box, else the last line `#### answer` in a box, else the response."""
    start = response.rfind(_BOX)
    while start >= 0:
        end = _closing(response, start + len(_BOX))
        if end is not None:
            percent = r"\%" if _PERCENT.match(response[end + 1 :]) else ""
            return f"{_BOX}{_legible(response[start + len(_BOX) : end])}{percent}}}"
        start = response.rfind(_BOX, 0, start)
    last = _LAST_LINE.search("\n" + response)
    return _boxed(last["answer"]) if last else response


def _closing(text: str, start: int) -> int | None:
    """Where the brace that is open at `start` is closed."""
    depth = 1
    for brace in _BRACE.finditer(text, start):
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if depth == 0:
            return brace.start()
    return None


def _legible(answer: str) -> str:
    answer = _ROOT.sub(lambda root: rf"\sqrt{{{root['inner'] or root['plain']}}}", answer)
    for sign, latex in _SIGNS.items():
        answer = answer.replace(sign, latex)
    amount = _AMOUNT.fullmatch(answer.strip())
    words = amount["words"].lower().split() if amount else []
    if not amount or _FUNCTIONS.intersection(words):
        return answer
    return amount["number"].replace(",", "") + ("\\%" if words[:1] == ["percent"] else "")


def _parse(text: str) -> list[Any]:
    from math_verify import parse

    return parse(text, _targets(), parsing_timeout=None, raise_on_error=True)  # type: ignore[arg-type]


@cache
def _targets() -> list[Any]:
    from math_verify import ExprExtractionConfig, LatexExtractionConfig

    logging.disable(logging.CRITICAL)
    return [LatexExtractionConfig(boxed_match_priority=0), ExprExtractionConfig()]


def _any_equal(golds: list[Any], answers: list[Any]) -> bool:
    from math_verify import verify

    fault = None
    for gold in golds:
        for answer in answers:
            try:
                if verify(gold, answer, timeout_seconds=None, raise_on_error=True):
                    return True
            except Exception as error:
                fault = error
    if fault is not None:
        raise fault
    return False
