"""A model that labels rows, in the words of a spec."""

from .stages import Attribution

_UNSET = Attribution.__dataclass_fields__


def attributed(asked: Attribution) -> str:
    """`(model: "org/name", depth: 2)`: the model and the arguments that are not as unset."""
    given = [f'model: "{asked.model.model}"']
    given += [f'revision: "{asked.model.revision}"'] if asked.model.revision else []
    given += [f'endpoint: "{asked.endpoint.url}"'] if asked.endpoint is not None else []
    given += [f"reads: {asked.reads}"] if asked.reads != _UNSET["reads"].default else []
    given += [f"depth: {asked.depth}"] if asked.depth is not None else []
    given += [f"temperature: {asked.temperature:g}"] if asked.temperature != _UNSET["temperature"].default else []
    given += [f"max_tokens: {asked.max_tokens} tokens"] if asked.max_tokens != _UNSET["max_tokens"].default else []
    return f"({', '.join(given)})"
