"""Signatures of the scorers: names, arguments, result, cost. Data, not code; the runtime's registry answers to the same names."""

from dataclasses import dataclass

from .types import BOOL, NUMBER, UNKNOWN, Type

FREE, CHEAP, MODERATE, DEAR, DEARER = range(5)
NATS = Type("number", "nats")
TOKENS = Type("number", "tokens")


@dataclass(frozen=True, slots=True)
class Parameter:
    """`kind`: student, window, split, word (one of `choices`), number (bare), text, value (a role or a column), column, unit. `default` None: required.

    `of`: the types that the column may have, empty for any.
    """

    name: str
    kind: str
    default: str | int | float | None = None
    choices: tuple[str, ...] = ()
    of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Signature:
    """`cost` orders scores: free (a column), cheap (a tokenizer), moderate (a grader), dear (a model that reads a response), dearer (and each of its steps again). `ready`: the runtime has it.

    `package` is the distribution that brings it, with its version (`steps==1.2`); None for ours.
    `range`: the least and the greatest value, and whether all are whole; None where the scorer promises nothing.
    """

    name: str
    says: str
    parameters: tuple[Parameter, ...]
    type: Type
    cost: int
    version: int = 1
    ready: bool = True
    package: str | None = None
    range: tuple[float | None, float | None, bool] | None = None


_NEGATIVE, _POSITIVE, _COUNT, _SHARE = (None, 0, False), (0, None, False), (0, None, True), (0, 1, False)
_STUDENT = Parameter("student", "student", "")
_REFERENCE = Parameter("reference", "value")
_DEBIAS = Parameter("debias", "word", "none", ("none", "drop_first", "length"))
_WINDOW = Parameter("window", "window", "4 steps")
_SPLIT = Parameter("split", "split", "sentence", ("sentence", "newline", "paragraph"))

SCORERS: dict[str, Signature] = {
    s.name: s
    for s in (
        Signature(
            "local_logprob",
            "mean over steps of the step's mean log-probability within a window (LALP)",
            (_STUDENT, _WINDOW, _SPLIT, _DEBIAS),
            NATS,
            DEARER,
            range=_NEGATIVE,
        ),
        Signature("global_logprob", "mean log-probability of a token of the response, given the prompt (GALP)", (_STUDENT,), NATS, DEAR, range=_NEGATIVE),
        Signature("verify_math", "whether the response's final answer equals the reference", (_REFERENCE,), BOOL, MODERATE),
        Signature("tokens", "tokens of the response under the student's tokenizer", (_STUDENT,), TOKENS, CHEAP, range=_COUNT),
        Signature("column", "a column of the corpus", (Parameter("column", "column", of=("bool", "number", "text")), Parameter("unit", "unit", "")), UNKNOWN, FREE),
        Signature("rank_surprisal", "ranks over surprisals of the response's tokens, the lower the better (RSR)", (_STUDENT,), NUMBER, DEAR, range=_POSITIVE),
        Signature("perplexity", "exp of the mean negative log-probability of a token of the response, given the prompt", (_STUDENT,), NUMBER, DEAR, range=(1, None, False)),
        Signature("entropy", "mean entropy of the student's next-token distribution", (_STUDENT,), NATS, DEAR, range=_POSITIVE),
        Signature("ifd", "perplexity of the response given the prompt over that without it (instruction-following difficulty, IFD)", (_STUDENT,), NUMBER, DEAR, range=_POSITIVE),
        Signature("exact_match", "whether the response's final answer is the reference, letter for letter", (_REFERENCE,), BOOL, MODERATE),
        Signature("choice", "whether the response chooses the reference's letter", (_REFERENCE,), BOOL, MODERATE),
        Signature(
            "pass_rate",
            "share of the attempts at the prompt that were right: as a column says, else by `verify_math` of the reference",
            (Parameter("column", "column", "", of=("bool", "number")),),
            NUMBER,
            MODERATE,
            range=_SHARE,
        ),
    )
}

ROLES = ("prompt", "response", "reference", "teacher", "id", "skill")
FIXED = ("row_id", "prompt_id", "prompt", "response", "reference", "teacher", "skills", "tokens", "weight", "license", "status", "reason")
RESERVED = ("and", "or", "not", "in", "matches", "contains", "within", "rank", "true", "false", "none")
