"""What the answers of a teacher that generates would cost: the prompts, how many answers the store has, and the tokens of the others. Asks nobody."""

from ..compiler.plan.stages import GeneratedTeacher, Teachers
from .costs import Cost, Pricing
from .engines.characters import CHARACTERS, TEMPLATE
from .figure import Figure
from .generate import asking, is_here, model_of, to_ask
from .respondents import respondent
from .responses import Question, are_stored
from .rows import Rows


def generating(stage: Teachers, teacher: GeneratedTeacher, rows: Rows, pricing: Pricing) -> Cost:
    """`rows` are those of its corpus. Tokens are those written, at most; the detail says how many are read, which is what an endpoint bills too."""
    context, asked = pricing.context, asking(stage, teacher)
    prompts = to_ask(teacher, rows, context)
    each = asked.samples if asked.temperature else 1
    done = 0
    if is_here(teacher, context):
        who = respondent(model_of(teacher), teacher.endpoint, context)
        stored = are_stored(asked, [Question(text) for text in prompts["prompt"]], who, context)
        done, prompts_left = int(stored.sum()) * each, prompts.filter(~stored)
    else:
        prompts_left = prompts
    due = prompts_left.height * each
    read = each * int((prompts_left["prompt"].str.len_chars() // CHARACTERS + TEMPLATE).sum())
    rate = {} if teacher.endpoint else pricing.rate(model_of(teacher), "write")
    return Cost(
        stage=stage.id, what="generate", student=teacher.name, dtype=teacher.endpoint.url if teacher.endpoint else teacher.dtype,
        rows=Figure(value=due), cached=Figure(value=done), tokens=Figure(value=due * teacher.max_tokens, most=True),
        detail=f"{prompts.height:,} prompts x {each:,}" + (f", {done:,} in the store" if done else "") + f", ~{read:,} tokens read",
        **rate,  # type: ignore[arg-type]
    )  # fmt: skip
