"""A teacher that has yet to answer: the prompts of its corpus to rows like any other, with what became of every answer.

The answers come from the store or are asked for (`responses`). They are put into a file of the run, so that their texts are read as those of a corpus are.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import polars as pl

from ..compiler.backends.polars import expression
from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.plan.stages import GeneratedTeacher, Model, Roles, Scan, Teachers
from .context import Context
from .contradictions import has_prompt
from .datasets import narrow
from .events import Notice, ignore
from .identity import row_ids
from .licensed import refused
from .respondents import respondent
from .responses import FOUND, Asking, Question, Respondent, are_stored, responses
from .rows import Rows, write
from .scratch import Scratch
from .texts import REFERENCE

UNANSWERED = "teachers: no answer"
CUT = "teachers: cut at max_tokens"
_OWN = {"prompt": "mixc:prompt", "response": "mixc:response", "reference": "mixc:reference", "teacher": "mixc:teacher", "id": "mixc:id"}


@dataclass(frozen=True, slots=True)
class Answers:
    """What one teacher wrote. `rows` have the columns of its corpus and `teacher`, None where there is no answer; `facts` are counts, for the manifest.

    `lacking`: how many answers the store does not have and nobody was asked for.
    """

    scan: Scan
    rows: Rows | None
    facts: dict[str, object]
    lacking: int = 0


def generate(
    stage: Teachers, teacher: GeneratedTeacher, scan: Scan, rows: Rows, needed: Collection[str], context: Context, *, ask: bool = True
) -> Answers:
    """The answers of `teacher` to the prompts of `rows`, which `scan` gave; without `ask` those that the store has to whole prompts.

    A row has its prompt's id and reference, and of the corpus's other columns those in `teacher.columns`, where all rows of the prompt agree on them.
    Equal answers to a prompt are one row. Fault MIX0503 where there is no prompt, and those of the respondent.
    """
    prompts = to_ask(teacher, rows, context)
    who, asked = respondent(model_of(teacher), teacher.endpoint, context), asking(stage, teacher)
    questions = [Question(text) for text in prompts["prompt"]]
    here = ask or is_here(teacher, context)
    stored = are_stored(asked, questions, who, context) if here else pl.Series([False] * len(questions), dtype=pl.Boolean)
    each = asked.samples if asked.temperature else 1
    if not ask:
        prompts = prompts.filter(stored)
        questions = [Question(text) for text in prompts["prompt"]]
    found = _answers(asked, questions, who, context) if here else pl.DataFrame(schema=FOUND)
    lacking = 0 if ask else each * int((~stored).sum())
    made, facts = _judged(found, prompts)
    facts = {"prompts": len(stored), "answers": found.height, "from_the_store": each * int(stored.sum()), **facts}
    if ask:
        _tell(stage, teacher, facts, context)
        if teacher.endpoint is None:
            context.students.release(model_of(teacher))
    own = scan if made.is_empty() else _scan(teacher, scan, made, context)
    return Answers(own, None if made.is_empty() else _rows(teacher, own, made, needed, context), facts, lacking)


def to_ask(teacher: GeneratedTeacher, rows: Rows, context: Context) -> pl.DataFrame:
    """The prompts that a teacher answers, by their ids: `prompt_id`, `prompt`, and what an answer takes over from the prompt's rows.

    Those of all rows that have one, also where they have no response; rows under a licence that is not allowed give none. A text that has several ids is asked under the first. Fault MIX0503 without any.
    """
    found = pl.concat([_of_part(teacher, part) for part in rows.each()], how="vertical_relaxed").sort("prompt_id")
    if found.is_empty():
        said = f" with `{teacher.where.text}`" if teacher.where else ""
        message = f"the corpus `{teacher.corpus}` has no prompt{said}"
        span = teacher.where.span if teacher.where else teacher.span
        raise Fault(Diagnostic("MIX0503", message, Label(span, f"nothing for `{teacher.name}` to answer"), help="correct the condition, or the corpus"))
    names = ["prompt", "reference"] if REFERENCE in found.columns else ["prompt"]
    texts = context.texts.add(found.drop(n for n in names if n in found.columns), names)
    if REFERENCE in texts.columns:
        texts = texts.with_columns(pl.when("mixc:one").then("reference").alias("reference"))
    return texts.unique("prompt", keep="first", maintain_order=True)


def asking(stage: Teachers, teacher: GeneratedTeacher) -> Asking:
    """How a teacher is asked."""
    return Asking(
        stage=stage.id, of=teacher.name, max_tokens=teacher.max_tokens, samples=teacher.samples, temperature=teacher.temperature, seed=teacher.seed
    )


def model_of(teacher: GeneratedTeacher) -> Model:
    """The teacher's model, as the engines know models."""
    return Model(student=teacher.name, model=teacher.model, folder=teacher.folder, revision=teacher.revision, dtype=teacher.dtype, span=teacher.span)


def is_here(teacher: GeneratedTeacher, context: Context) -> bool:
    """Whether it can be told what the store has of its answers: of a model that is yet to be fetched it cannot."""
    return teacher.endpoint is not None or context.students.is_here(model_of(teacher))


def _of_part(teacher: GeneratedTeacher, part: pl.DataFrame) -> pl.DataFrame:
    """One row of each prompt, with the columns that are taken over; null where the prompt's rows do not agree."""
    asked = part.filter(has_prompt() & ~refused())
    if teacher.where is not None:
        asked = asked.filter(expression(teacher.where.condition, asked.schema).fill_null(value=False))
    first = asked.unique("prompt_id", keep="first", maintain_order=True)
    shared = [n for n in asked.columns if n.startswith("column:") and n.removeprefix("column:") in teacher.columns]
    told = [*shared, *([REFERENCE] if REFERENCE in asked.columns else [])]
    both = asked.select("prompt_id", *told).join(first.select("prompt_id", pl.col(told).name.suffix("\n")), on="prompt_id", how="left")
    agree = both.group_by("prompt_id").agg(pl.col(n).eq_missing(pl.col(f"{n}\n")).all().alias(f"{n}\n") for n in told)
    marked = first.join(agree, on="prompt_id", how="left", maintain_order="left")
    kept = [pl.when(pl.col(f"{n}\n")).then(pl.col(n)).otherwise(None).alias(n) for n in shared]
    one = [pl.col(f"{REFERENCE}\n").alias("mixc:one")] if REFERENCE in told else []
    dropped = [n for n in marked.columns if n.startswith("column:") and n not in shared]
    return marked.with_columns(*kept, *one).drop(*dropped, *(f"{n}\n" for n in told))


def _answers(asked: Asking, questions: Sequence[Question], who: Respondent, context: Context) -> pl.DataFrame:
    return responses(asked, questions, who, context) if questions else pl.DataFrame(schema=FOUND)


def _judged(found: pl.DataFrame, prompts: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, object]]:
    """One row of each prompt and text, with `reason` for those that nothing may be learnt from, and the counts."""
    lacking = Counter(found.filter(pl.col("text").is_null())["why"].fill_null("no answer").to_list())
    reason = pl.when(pl.col("text").is_null()).then(pl.lit(UNANSWERED)).when(~pl.col("finished")).then(pl.lit(CUT))
    named = found.with_columns(reason=reason).join(
        prompts.with_row_index("question").with_columns(pl.col("question").cast(pl.UInt32)), on="question", how="left", maintain_order="left"
    )
    made = named.sort("question", "reason", "sample", nulls_last=False).unique(["question", "text"], keep="first", maintain_order=True)
    facts: dict[str, object] = {
        "alike": named["text"].count() - made["text"].count(),
        "cut": int((found["text"].is_not_null() & ~found["finished"].fill_null(value=True)).sum()),
        "unanswered": dict(sorted(lacking.items())),
    }
    return made, facts


def _tell(stage: Teachers, teacher: GeneratedTeacher, facts: dict[str, object], context: Context) -> None:
    """What the user should know of the answers: those that are lost, and what the others take over."""
    unanswered: dict[str, int] = facts["unanswered"]  # type: ignore[assignment]
    for why, number in sorted(unanswered.items(), key=lambda one: (-one[1], one[0]))[:5]:
        context.watch(Notice(stage.id, f"`{teacher.name}` gave no answer {number:,} time{'s' * (number != 1)}: {why}"))
    if cut := int(str(facts["cut"])):
        said = f"{cut:,} answer{'s' * (cut != 1)} of `{teacher.name}` cut at {teacher.max_tokens:,} tokens: dropped"
        context.watch(Notice(stage.id, said))
    if teacher.columns:
        listed = ", ".join(f"`{name}`" for name in teacher.columns)
        context.watch(Notice(stage.id, f"the answers of `{teacher.name}` take over {listed} from the rows of their prompts"))


def _scan(teacher: GeneratedTeacher, scan: Scan, made: pl.DataFrame, context: Context) -> Scan:
    """The answers in a file of this run, and how it is read."""
    columns = {f"column:{name}": name for name in scan.columns}
    frame = made.select(
        pl.col("prompt").alias(_OWN["prompt"]),
        pl.col("text").alias(_OWN["response"]),
        *([pl.col("reference").alias(_OWN["reference"])] if scan.roles.reference else []),
        pl.lit(teacher.name).alias(_OWN["teacher"]),
        pl.col("prompt_id").alias(_OWN["id"]),
        *((pl.col(held) if held in made.columns else pl.lit(None)).alias(name) for held, name in columns.items()),
    )
    scratch = Scratch(context.store.root)
    path = scratch.new(f"{teacher.name}.parquet")
    write(frame, path)
    context.texts.hold(scratch)
    given = {role: name for role, name in _OWN.items() if name in frame.columns}
    return replace(scan, id=f"teachers:{teacher.name}", path=str(path), roles=Roles(**given), license=None, require=None, where=None, sample=None, span=teacher.span)


def _rows(teacher: GeneratedTeacher, scan: Scan, made: pl.DataFrame, needed: Collection[str], context: Context) -> Rows:
    frame = narrow(scan, needed, context.texts, ignore)
    ids = row_ids(made.select("prompt", response="text", teacher_value=pl.lit(teacher.name)))
    why = made.select(ids.alias("row_id"), pl.col("reason").alias("why")).unique("row_id", keep="first", maintain_order=True)
    told = frame.join(why, on="row_id", how="left", maintain_order="left")
    return Rows.of(told.with_columns(reason=pl.coalesce("why", "reason"), teacher=pl.lit(teacher.name)).drop("why"))
