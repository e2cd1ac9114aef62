"""What `mixc explain` tells of a code."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """`story`: why it is wrong and what to do, in a few sentences. `wrong` and `right`: a spec each (or, for what only a run can show, a few words)."""

    title: str
    story: str
    wrong: str = ""
    right: str = ""
