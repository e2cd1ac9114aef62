"""Passes on what engines have told while a stage ran: how far one agrees with another, and what one could not tell."""

from dataclasses import asdict

from .context import Context
from .events import Agreed, Notice


def tell_agreed(stage: str, context: Context) -> float:
    """Tell the watcher of the stage with this id; the seconds that the engines' comparing took."""
    seconds = 0.0
    for news in context.students.heard():
        if not isinstance(news, str):
            seconds += news.seconds
            context.watch(Agreed(stage, asdict(news)))
        context.watch(Notice(stage, str(news)))
    return seconds
