"""Gives each row its skills, as chains from the root's child to the node. Knows which method is whose, and no method."""

from ..compiler.plan.stages import Tag
from .by_column import by_column
from .by_embedding import by_embedding
from .by_keywords import by_keywords
from .context import Context
from .rows import Rows


def tag(stage: Tag, rows: Rows, context: Context) -> Rows:
    """The rows with `skills`, List(String), sorted and without repeats; the candidates without a skill are counted.

    Faults are those of the method: MIX0502 of a column, MIX0311 of a keyword, MIX0430 and MIX0506 of an embedding model.
    """
    match stage.method:
        case "column":
            return by_column(stage, rows, context.watch)
        case "keywords":
            return by_keywords(stage, rows, context.watch)
        case "embedding":
            return by_embedding(stage, rows, context)
        case _:
            raise ValueError(f"no way to tag by {stage.method}")
