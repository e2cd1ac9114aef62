"""Types and units of expressions. A unit is part of the type: tokens, nats and bare numbers are not one another."""

from dataclasses import dataclass

UNITS = ("examples", "prompts", "tokens", "steps", "epochs", "nats", "%", "% of tokens")


@dataclass(frozen=True, slots=True)
class Type:
    """`kind` is bool, number, text, list or unknown (a column nobody could look at yet); `unit` only for numbers, None where dimensionless."""

    kind: str
    unit: str | None = None

    def __str__(self) -> str:
        if self.kind == "number" and self.unit:
            return f"a number of {self.unit}" if self.unit != "nats" else "a log-probability in nats"
        return {
            "bool": "true or false",
            "number": "a number without a unit",
            "text": "a text",
            "list": "a list",
            "unknown": "of unknown type",
        }[self.kind]


BOOL = Type("bool")
NUMBER = Type("number")
TEXT = Type("text")
LIST = Type("list")
UNKNOWN = Type("unknown")


OPAQUE = "opaque"
"""What the file says of a column whose values have no type here: dates, structures."""


def of_column(kind: str) -> Type:
    """The type of a corpus column, from what its file says of it."""
    return Type(kind) if kind in ("bool", "number", "text", "list") else UNKNOWN
