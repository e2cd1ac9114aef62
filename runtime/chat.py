"""A row as the messages that the student is trained on. Knows the formats of a spec; knows no tokenizer and no template."""

from collections.abc import Iterable

Message = dict[str, str]


def messages(prompt: str, response: str, skills: Iterable[str] | None, format: str) -> list[Message]:
    """The user and assistant turns of one row; with `skill_aware` the answer begins with the row's skills, if any."""
    return [*question(prompt), {"role": "assistant", "content": answer(response, skills, format)}]


def question(prompt: str) -> list[Message]:
    """The turns before an answer: the same in training, scoring and evaluation."""
    return [{"role": "user", "content": prompt}]


def answer(response: str, skills: Iterable[str] | None, format: str) -> str:
    """The assistant's text; `skill_aware` is `Skills:`, a chain a line (sorted, each once), then the response (2601.10109)."""
    if format == "plain":
        return response
    if format != "skill_aware":
        raise ValueError(f"no such format: {format}")
    lines = chains(skills)
    return "\n".join(["Skills:", *lines, response]) if lines else response


def chains(skills: Iterable[str] | None) -> list[str]:
    """A row's chains as its answer names them: sorted, each once and on one line, none that is blank."""
    return sorted({line for chain in skills or () if (line := " ".join(chain.split()))})
