"""What is nearest, in the words of a spec."""

from .stages import Nearest


def nearness(nearest: Nearest) -> str:
    """`(model: "org/name", top: 2)`: the model and the arguments that are not as unset."""
    given = [f'model: "{nearest.model.model}"']
    given += [f'revision: "{nearest.model.revision}"'] if nearest.model.revision else []
    given += [f"top: {nearest.top}"] if nearest.top not in (None, 1) else []
    given += [f"{name}: {value:g}" for name, value in (("margin", nearest.margin), ("least", nearest.least)) if value is not None]
    return f"({', '.join(given)})"
