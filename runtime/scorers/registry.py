"""Which scorer answers to which name in a plan. A scorer's module is imported when it is first asked for."""

from functools import cache
from importlib import import_module

from .base import Scorer

SCORERS = {
    "global_logprob": ("likelihood", "GlobalLogprob"),
    "local_logprob": ("likelihood", "LocalLogprob"),
    "tokens": ("tokens", "Tokens"),
    "verify_math": ("graders", "VerifyMath"),
}


@cache
def scorer(name: str) -> Scorer:
    """The scorer of that name, one a process. KeyError for a name that we have not."""
    module, attribute = SCORERS[name]
    return getattr(import_module(f".{module}", __package__), attribute)()
