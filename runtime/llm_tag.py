"""`tag by llm`: gives each row the skills that a model sees in its prompt, or in its prompt and solution. Each text is asked about once, whoever has it."""

from collections.abc import Sequence
from functools import partial

import polars as pl

from ..compiler.plan.stages import Attribution, Tag
from .attribute import Ask, Branches, Skills, attribute
from .context import Context
from .events import Notice
from .respondents import respondent
from .responses import Asking, LocalModel, Question, Respondent, Said, responses
from .room import LONGEST, Room
from .rows import Rows
from .texts import FILE, PROMPT, ROW, with_prompts
from .which_skills import THOUGHT, after_thought, problem

TOGETHER = 20_000
"""So many texts go down the tree together: batches are full, and no more texts are held."""
EMPTY = pl.lit([], dtype=pl.List(pl.String))


def tag_by_llm(stage: Tag, rows: Rows, context: Context) -> tuple[Rows, Branches]:
    """The rows with `skills`, List(String), sorted, and what became of the branches. Rows that have dropped out have none, and nothing is asked of them.

    Faults as those of the respondent, and MIX0533 where the model has no room for the questions.
    """
    asked = attribution_of(stage)
    who = respondent_of(asked, context)
    try:
        done, tally = with_skills(stage, rows, partial(_ask, stage, who, context), room_of(stage, who), context)
    finally:
        if isinstance(who, LocalModel):
            context.students.release(asked.model)
    for said in _remarks(asked, who, tally, done):
        context.watch(Notice(stage.id, said))
    return done, tally


def attribution_of(stage: Tag) -> Attribution:
    """How a stage that tags by a model asks it."""
    if stage.attribution is None:
        raise ValueError(f"{stage.id} asks no model")
    return stage.attribution


def respondent_of(asked: Attribution, context: Context) -> Respondent:
    """Who is asked."""
    return respondent(asked.model, asked.endpoint, context)


def asking_of(stage: Tag, level: int) -> Asking:
    """How the questions of a level are asked. The seed is always the same: the skills of a text are no matter of the recipe."""
    asked = attribution_of(stage)
    return Asking(stage=stage.id, of=f"level {level} of {Skills.of(stage).levels}", max_tokens=asked.max_tokens, temperature=asked.temperature)


def room_of(stage: Tag, who: Respondent) -> Room:
    """How much of a text a question carries. Fault MIX0533."""
    skills, most = Skills.of(stage), attribution_of(stage).max_tokens
    room = Room.of(who, most)
    room.refuse_full([(chain, skills.frame(chain)) for chain in skills.children], who, most)
    return room


def with_skills(stage: Tag, rows: Rows, ask: Ask, room: Room, context: Context) -> tuple[Rows, Branches]:
    """The rows with `skills` as far as `ask` tells: null where an answer is not known yet."""
    asked, skills, tally = attribution_of(stage), Skills.of(stage), Branches()
    key = PROMPT if asked.reads == "prompt" else "row_id"

    def tagged(part: pl.DataFrame) -> pl.DataFrame:
        keyed = with_prompts(part) if key == PROMPT else part
        firsts = keyed.filter(pl.col("reason").is_null()).unique(key, keep="first", maintain_order=True)
        ordered = firsts.sort(FILE, ROW) if {FILE, ROW} <= set(firsts.columns) else firsts
        known = [pl.DataFrame(schema={key: pl.String, "skills": pl.List(pl.String)})]
        for piece in ordered.iter_slices(TOGETHER):
            found = attribute(_texts(piece, asked, context, tally), skills, ask, room, tally)
            known.append(pl.DataFrame({key: piece[key], "skills": pl.Series(found, dtype=pl.List(pl.String))}))
        joined = keyed.join(pl.concat(known), on=key, how="left", maintain_order="left")
        kept = joined.with_columns(skills=pl.when(pl.col("reason").is_null()).then("skills").otherwise(EMPTY))
        return kept.select(*part.columns, "skills")

    return rows.map(tagged), tally


def _texts(piece: pl.DataFrame, asked: Attribution, context: Context, tally: Branches) -> list[str]:
    if asked.reads == "prompt":
        return [problem(prompt, None) for prompt in context.texts.add(piece, ("prompt",))["prompt"]]
    both = context.texts.add(piece, ("prompt", "response")).select("prompt", "response").rows()
    tally.unsolved += sum(not after_thought(response) and THOUGHT[0] in response for _, response in both)
    return [problem(prompt, response) for prompt, response in both]


def _ask(stage: Tag, who: Respondent, context: Context, questions: Sequence[Question], level: int) -> list[Said | None]:
    found = responses(asking_of(stage, level), questions, who, context)
    return [Said(*row) for row in found.select("text", "tokens", "finished", "why").rows()]


def _remarks(asked: Attribution, who: Respondent, tally: Branches, rows: Rows) -> list[str]:
    """What changes what the user gets, in numbers."""
    said = []
    if tally.failed:
        why = "; ".join(one for one, _ in tally.whys.most_common(2))
        kinds = [
            f"{tally.cut:,} cut at {asked.max_tokens:,} tokens" if tally.cut else "",
            f"{tally.silent:,} without a response ({why})" if tally.silent else "",
            f"{tally.invalid:,} not of the form that was asked for" if tally.invalid else "",
        ]
        said.append(f"{tally.failed:,} of {tally.branches:,} branches have no usable answer and keep the skill above: {', '.join(k for k in kinds if k)}")
    if tally.none:
        said.append(f"{tally.none:,} of {tally.branches:,} branches keep the skill above: by the model none of its children is involved")
    if tally.shortened:
        what = "prompts" if asked.reads == "prompt" else "prompts with their solution"
        least = f"{LONGEST:,} characters" if Room.of(who, asked.max_tokens).limit is None else f"{LONGEST:,} characters or the model's context"
        said.append(f"{tally.shortened:,} of {tally.texts:,} {what} are longer than {least}: their beginning alone is read")
    if tally.unsolved:
        said.append(f"{tally.unsolved:,} of {tally.texts:,} responses are a thought without a solution after it: their prompt alone is read")
    if without := sum(int((part["skills"].list.len() == 0).sum()) for part in rows.live(["skills"])):
        said.append(f"{without:,} of {rows.alive:,} rows have no skill")
    return said
