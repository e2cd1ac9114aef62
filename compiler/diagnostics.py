"""Diagnostics as values. Passes report them here; nothing in this file knows how they are drawn."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from .source import Span


class Severity(Enum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Label:
    """A place and the few words that belong beside it."""

    span: Span
    text: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the text of `span` by `text`: a fix a machine may apply."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing a user should know. `primary` is None only where no file is at fault (a bad command line)."""

    code: str
    message: str
    primary: Label | None = None
    secondary: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None
    edits: tuple[Edit, ...] = ()
    severity: Severity = Severity.ERROR


class Fault(Exception):
    """A fault of the user found where going on makes no sense (a run, mostly): carries its diagnostics."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__("; ".join(d.message for d in diagnostics))
        self.diagnostics = diagnostics


class TooMany(Exception):
    """More was reported than anybody reads: what has been is in the sink."""


@dataclass(slots=True)
class Diagnostics:
    """The sink that every pass reports to. With `most`, that many are taken: one more is TooMany."""

    reported: list[Diagnostic] = field(default_factory=list)
    most: int | None = None
    seen: set[Diagnostic] = field(default_factory=set, repr=False, compare=False)

    def report(self, diagnostic: Diagnostic) -> None:
        if diagnostic in self.seen:
            return
        if self.most is not None and len(self.reported) >= self.most:
            raise TooMany
        self.seen.add(diagnostic)
        self.reported.append(diagnostic)

    def error(
        self,
        code: str,
        message: str,
        span: Span | None,
        label: str = "",
        *,
        secondary: tuple[Label, ...] = (),
        notes: tuple[str, ...] = (),
        help: str | None = None,
        edits: tuple[Edit, ...] = (),
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Report an error at `span`; `label` are the few words drawn beside it."""
        primary = Label(span, label) if span else None
        self.report(Diagnostic(code, message, primary, secondary, notes, help, edits, severity))

    def warning(
        self,
        code: str,
        message: str,
        span: Span | None,
        label: str = "",
        *,
        secondary: tuple[Label, ...] = (),
        notes: tuple[str, ...] = (),
        help: str | None = None,
        edits: tuple[Edit, ...] = (),
    ) -> None:
        """Report a warning at `span`."""
        self.error(code, message, span, label, secondary=secondary, notes=notes, help=help, edits=edits, severity=Severity.WARNING)

    @property
    def has_errors(self) -> bool:
        return any(d.severity is Severity.ERROR for d in self.reported)

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(
            sorted(self.reported, key=lambda d: (d.primary is None, d.primary and (d.primary.span.path, d.primary.span.start), d.code))
        )
