"""What a model that tags has yet to answer: counted as far as stored answers tell, below that estimated. It asks nobody and loads no weights."""

from collections.abc import Sequence

from ..compiler.plan.stages import Tag
from .attribute import Branches, Skills
from .by_embedding import untagged
from .context import Context
from .costs import Cost, Pricing
from .figure import Figure
from .llm_tag import asking_of, attribution_of, respondent_of, room_of, with_skills
from .responses import LocalModel, Question, Respondent, Said, are_stored, responses
from .room import Room
from .rows import Rows

PICKED = 2
"""Children that an answer is taken to name, where too few are stored to tell."""
ENOUGH = 30
"""So many answers of a level tell how many questions follow from one."""


def tagging(stage: Tag, rows: Rows, pricing: Pricing) -> tuple[Rows, Cost]:
    """The rows with `skills` where all answers are in the store; else as `untagged` leaves them. Fault MIX0533 as a run."""
    asked, context = attribution_of(stage), pricing.context
    who = respondent_of(asked, context)
    here = not isinstance(who, LocalModel) or context.students.is_here(asked.model)

    def known(questions: Sequence[Question], level: int) -> list[Said | None]:
        return _stored(stage, who, context, questions, level) if here else [None] * len(questions)

    tagged, tally = with_skills(stage, rows, known, room_of(stage, who) if here else Room(), context)
    left, guessed = _to_ask(tally, Skills.of(stage))
    if left:
        tagged = untagged(tagged)
    what = {"prompt": "prompts", "response": "responses"}[asked.reads]
    below = f", {guessed}" if guessed else ""
    return tagged, Cost(
        stage=stage.id, what="generate", student=asked.model.model.rstrip("/").rpartition("/")[2], dtype=asked.model.dtype, rows=Figure(value=left, exact=not guessed),
        cached=Figure(value=sum(tally.known.values())), tokens=Figure(value=left * asked.max_tokens, exact=not guessed, most=True),
        detail=f"{tally.texts:,} {what}{below}", **(pricing.rate(asked.model, "write") if isinstance(who, LocalModel) else {}),  # type: ignore[arg-type]
    )  # fmt: skip


def _stored(stage: Tag, who: Respondent, context: Context, questions: Sequence[Question], level: int) -> list[Said | None]:
    asking = asking_of(stage, level)
    there = are_stored(asking, questions, who, context).to_list() if questions else []
    found = responses(asking, [q for q, known in zip(questions, there, strict=True) if known], who, context)
    said = iter(Said(*row) for row in found.select("text", "tokens", "finished", "why").rows())
    return [next(said) if known else None for known in there]


def _to_ask(tally: Branches, skills: Skills) -> tuple[int, str]:
    """Questions that are left, and on what an estimate of them rests; empty where they are counted."""
    every, level_open, rests = 0, 0.0, ""
    for level in range(1, skills.levels + 1):
        every += round(now := tally.open[level] + level_open)
        if not now or level == skills.levels:
            level_open = 0.0
            continue
        measured = tally.known[level] >= ENOUGH
        rests = rests if rests and measured else "as the stored answers go on below" if measured else f"{PICKED} skills an answer assumed below"
        level_open = now * (tally.further[level] / tally.known[level] if measured else _follow(skills, level))
    return every, rests


def _follow(skills: Skills, level: int) -> float:
    """Questions that follow from one of a level where it names PICKED of the children, any of them as likely."""
    asked = [(chain, names) for chain, names in skills.children.items() if (chain.count("->") + 1 if chain else 0) == level - 1]
    inner = [sum((f"{chain}->{name}" if chain else name) in skills.children for name in names) / len(names) for chain, names in asked]
    picked = [min(PICKED, len(names)) for _, names in asked]
    return sum(p * share for p, share in zip(picked, inner, strict=True)) / max(1, len(asked))
