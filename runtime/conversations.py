"""Where a prompt and its response stand in the rows of other trainers, and one row read so. Knows no files."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NOT_ONE = "not one question and one answer"
NO_TEXT = "no text where one should be"


@dataclass(frozen=True, slots=True)
class Pairs:
    """A column each. `query` is joined to the prompt on a line of its own where it has a text; a row whose `history` has turns is more than one pair."""

    prompt: str
    response: str
    query: str | None = None
    history: str | None = None
    system: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read."""
        return tuple(name for name in (self.prompt, self.response, self.query, self.history, self.system) if name)


@dataclass(frozen=True, slots=True)
class Turns:
    """One column, a list of messages: `role` and `content` are the keys of each, `users` and so on the roles by their names there."""

    messages: str
    role: str = "role"
    content: str = "content"
    users: frozenset[str] = frozenset(("user", "human"))
    assistants: frozenset[str] = frozenset(("assistant", "gpt"))
    systems: frozenset[str] = frozenset(("system",))
    system: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read."""
        return tuple(name for name in (self.messages, self.system) if name)


Shape = Pairs | Turns


def pair(row: Mapping[str, Any], shape: Shape) -> tuple[str, str, str] | str:
    """Prompt, response and system text (empty where there is none) of a row, or why it has none: NOT_ONE or NO_TEXT."""
    system = row.get(shape.system) if shape.system else ""
    match shape:
        case Pairs():
            if shape.history and row.get(shape.history):
                return NOT_ONE
            asked, answer = [row.get(shape.prompt), row.get(shape.query) if shape.query else ""], row.get(shape.response)
            if not all(text is None or isinstance(text, str) for text in asked):
                return NO_TEXT
            prompt: Any = "\n".join(text for text in asked if text)
        case Turns():
            messages = row.get(shape.messages)
            if not isinstance(messages, list) or not all(isinstance(each, Mapping) for each in messages):
                return NO_TEXT
            turns = [(each.get(shape.role), each.get(shape.content)) for each in messages]
            if turns and turns[0][0] in shape.systems:
                system = turns[0][1]
                turns = turns[1:]
            if len(turns) != 2 or turns[0][0] not in shape.users or turns[1][0] not in shape.assistants:
                return NOT_ONE
            prompt, answer = turns[0][1], turns[1][1]
    if not isinstance(prompt, str) or not prompt or not isinstance(answer, str) or not answer:
        return NO_TEXT
    return prompt, answer, system if isinstance(system, str) else ""


def stands_alone(row: Mapping[str, Any], shape: Pairs) -> bool:
    """Whether prompt and response of a row can be read in their columns, just as they are."""
    return not any(row.get(name) for name in (shape.query, shape.history) if name)
