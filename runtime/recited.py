"""The recipe of a plan as clauses that may be published: what chose the rows, without a path of a machine or the address of a server."""

from collections.abc import Iterator

from ..compiler.plan.explain import words
from ..compiler.plan.express import express
from ..compiler.plan.stages import Decontaminate, Dedup, Filter, Materialise, Plan, Profile, Scan, Score, Select, Tag, Teachers


def recited(plan: Plan) -> Iterator[tuple[str, str]]:
    """The kind of each stage that has a hand in the rows, and its clauses one by one."""
    yield "seed", str(plan.seed)
    for stage in plan.stages:
        match stage:
            case Scan():
                yield "corpus", stage.corpus
                yield from (("", said) for said in (*([stage.where.text] if stage.where else []), *([f"sample {stage.sample:,} prompts"] if stage.sample else [])))
            case Teachers():
                for teacher in stage.teachers:
                    yield "teacher", f"{teacher.name} from {teacher.corpus}" + (f" where {express(teacher.condition)}" if teacher.condition else "")
                for teacher in stage.generated:
                    yield "teacher", f"{teacher.name} answers the prompts of {teacher.corpus}, {teacher.samples:,} each, temperature {teacher.temperature:g}"
            case Decontaminate(because=str(why)):
                yield "decontaminate", f"none, because {why}"
            case Decontaminate():
                yield "decontaminate", f"against {len(stage.against):,} benchmark{'' if len(stage.against) == 1 else 's'}, by {stage.words}-grams of {stage.of}"
            case Tag():
                yield "skills", f"{stage.taxonomy} by {stage.method}" + (f" {stage.column}" if stage.column else "")
            case Profile():
                yield "profile", stage.model.student
            case Score() | Dedup() | Filter() | Select():
                passes = 1 if isinstance(stage, Score) and stage.shares else 0  # the line about who reads for whom
                first, *more = (said.strip() for said in list(words(stage))[: -passes or None])
                yield "where" if isinstance(stage, Filter) else stage.id.partition(":")[0], first.removeprefix("where ") if isinstance(stage, Filter) else first
                yield from (("", said) for said in more)
            case Materialise():
                yield "format", stage.format + (f", weight {stage.weight}" if stage.weight else "")
            case _:
                pass
