"""The typed mixture to the logical plan: stages in the language's order, cheap filters before dear scores."""

from collections.abc import Iterable
from dataclasses import replace

from ..clauses import Keep, Model, Where
from ..expressions import Expression, columns
from ..semantics import ir
from ..semantics.catalogue import CHEAP, DEARER, SCORERS
from .arms import arms, likelihoods
from .digest import fingerprints
from .share import share
from .sift import sift
from .stages import (
    Decontaminate,
    Dedup,
    Evaluate,
    Filter,
    Heldout,
    Materialise,
    Pending,
    Plan,
    Profile,
    Scan,
    Score,
    Select,
    Stage,
    Tag,
    Teachers,
    Train,
)
from .used import columns_in, columns_of_prompts, columns_used


def lower(mixture: ir.Mixture) -> Plan:
    """The plan of a mixture. Filters move before dearer scores only where no quantile, rank or `keep best` stands before them."""
    stages: list[Stage] = []
    for corpus in mixture.corpora:
        stages.append(_scan(corpus, mixture))
    stages.append(
        Teachers(
            id="teachers",
            inputs=tuple(s.id for s in stages),
            teachers=mixture.teachers,
            generated=tuple(replace(g, columns=tuple(sorted(columns_of_prompts(mixture, g.corpus)))) for g in mixture.generated),
            span=next((t.span for t in (*mixture.teachers, *mixture.generated)), mixture.corpora[0].span),
        )
    )
    heldout = _heldout(mixture, stages)
    _guard(mixture, stages)
    # Before the filters: a prompt whose responses are all wrong is one that says something of the student.
    stages += [_profile(profile, mixture, _last(stages)) for profile in mixture.profiles]
    steps = _score_and_filter(mixture, stages)
    _select(mixture, stages, steps)
    stages = share(stages)
    _train(mixture, stages, heldout)
    pending = tuple(Pending(what=m.what, stage=m.stage, span=m.span) for m in mixture.missing)
    return Plan(
        name=mixture.name,
        seed=mixture.seed,
        stages=tuple(stages),
        pending=pending,
        description=mixture.description,
        license=mixture.license,
        fingerprints=fingerprints(stages),
    )


def _last(stages: list[Stage]) -> tuple[str, ...]:
    """The stage that the next relational one reads: the last that passes rows on."""
    return (next(s.id for s in reversed(stages) if not isinstance(s, Profile)),)


def _scan(corpus: ir.Corpus, mixture: ir.Mixture) -> Scan:
    return Scan(
        id=f"scan:{corpus.name}",
        corpus=corpus.name,
        path=corpus.path,
        roles=corpus.roles,
        where=corpus.where,
        sample=corpus.sample,
        license=corpus.license,
        require=mixture.require,
        columns=tuple(sorted(columns_used(mixture, corpus.name) | columns_in(corpus.where))),
        seed=mixture.seed,
        span=corpus.span,
    )


def _heldout(mixture: ir.Mixture, stages: list[Stage]) -> str | None:
    if not mixture.evaluate or not mixture.evaluate.heldout:
        return None
    name, where = mixture.evaluate.heldout
    corpus = next(c for c in mixture.corpora if c.name == name)
    scan = replace(
        _scan(corpus, mixture),
        id=f"scan:{name}:heldout",
        where=where,
        columns=tuple(sorted(columns_used(mixture, name) | columns_in(where))),
        span=where.span,
    )
    stages.append(Heldout(id="heldout", inputs=("teachers",), scan=scan, span=where.span))
    return "heldout"


def _guard(mixture: ir.Mixture, stages: list[Stage]) -> None:
    if mixture.decontaminate:
        d = mixture.decontaminate
        stages.append(
            Decontaminate(
                id="decontaminate",
                inputs=_last(stages),
                against=d.against,
                words=d.words,
                of=d.of,
                field=d.field,
                because=d.because,
                text=d.text,
                span=d.span,
            )
        )
    if mixture.dedup:
        d = mixture.dedup
        stages.append(Dedup(id="dedup", inputs=_last(stages), method=d.method, of=d.of, threshold=d.threshold, text=d.text, span=d.span))
    if mixture.skills:
        t = mixture.skills
        stages.append(
            Tag(
                id="tag",
                inputs=_last(stages),
                taxonomy=t.name,
                method=t.method,
                column=t.column,
                keywords=t.keywords,
                attribution=t.attribution,
                nearest=t.nearest,
                tree=t.tree,
                descriptions=t.descriptions,
                span=t.span,
            )
        )


def _score_and_filter(mixture: ir.Mixture, stages: list[Stage]) -> tuple[Where | Keep, ...]:
    """Scores and movable filters, dearer scores later; the filters that stay become the steps of `select`."""
    scores = _all_scores(mixture)
    held = likelihoods(mixture) if mixture.evaluate and mixture.evaluate.baselines else frozenset()
    sifted = sift(mixture.selection.steps, scores, _needed(mixture), held)
    by_name = {score.name: score for score in scores}
    for each in sifted.rounds:
        stages += _each(each.scores, by_name, mixture, stages)
        number = len([s for s in stages if isinstance(s, Filter)]) + 1
        stages.append(Filter(id=f"filter:{number}", inputs=_last(stages), wheres=each.wheres, seed=mixture.seed, span=each.wheres[0].span))
    stages += _each(sifted.last, by_name, mixture, stages)
    return sifted.steps


def _each(names: Iterable[str], scores: dict[str, ir.Score], mixture: ir.Mixture, stages: list[Stage]) -> list[Stage]:
    found: list[Stage] = []
    for name in names:
        found.append(_score(scores[name], mixture, _last([*stages, *found]), "candidates"))
    return found


def _all_scores(mixture: ir.Mixture) -> list[ir.Score]:
    """The declared scores, and the token count that bounds in tokens fall back on."""
    students = [m.student for m in mixture.students]
    asked = [mixture.train.student] if mixture.train else students
    if mixture.selection.tokens or len(asked) != 1:
        return list(mixture.scores)
    (student,) = asked
    span = next(m.span for m in mixture.students if m.student == student)
    signature = SCORERS["tokens"]
    implicit = ir.Score(
        name="tokens",
        scorer="tokens",
        version=signature.version,
        arguments=(),
        student=student,
        reads=(),
        type=signature.type,
        cost=CHEAP,
        span=span,
    )
    return [*mixture.scores, implicit]


def _tokens(mixture: ir.Mixture) -> str | None:
    if mixture.selection.tokens:
        return mixture.selection.tokens
    return "tokens" if any(s.name == "tokens" for s in _all_scores(mixture)) else None


def _needed(mixture: ir.Mixture) -> list[str]:
    """Scores that some clause of `select` reads."""
    selection = mixture.selection
    names: set[str] = set()
    for step in selection.steps:
        names |= _scores(step.condition if isinstance(step, Where) else step.by)
    if selection.objective:
        names |= _scores(selection.objective)
    if mixture.evaluate:
        names |= {b.by for b in mixture.evaluate.baselines} & {s.name for s in mixture.scores}
    bounded = any(c.unit in ("tokens", "% of tokens") for c in (*selection.quotas, *selection.budgets))
    if tokens := _tokens(mixture):
        declared = selection.tokens is not None
        if bounded or declared:
            names.add(tokens)
    return list(names)


def _select(mixture: ir.Mixture, stages: list[Stage], steps: tuple[Where | Keep, ...]) -> None:
    selection = mixture.selection
    scored = {s.name for s in stages if isinstance(s, Score)}
    tokens = _tokens(mixture)
    stages.append(
        Select(
            id="select",
            inputs=(*_last(stages), *([f"profile:{selection.soft.student}"] if selection.soft and selection.soft.student else [])),
            steps=steps,
            at_most=selection.at_most,
            quotas=selection.quotas,
            budgets=selection.budgets,
            objective=selection.objective,
            objective_text=selection.objective_text,
            tokens=tokens if tokens in scored else None,
            soft=selection.soft,
            tallies=next((p.tallies for p in mixture.profiles if selection.soft and p.student == selection.soft.student), None),
            tree=mixture.skills.tree if selection.soft and mixture.skills else None,
            solver=selection.solver,
            seed=mixture.seed,
            span=selection.span,
        )
    )
    for score in sorted(_all_scores(mixture), key=lambda score: score.cost == DEARER):
        if score.name not in scored:
            stages.append(_score(score, mixture, ("select",), "selected"))
    before = tuple(s.id for s in stages if isinstance(s, Select) or (isinstance(s, Score) and s.rows == "selected"))
    t = mixture.train
    stages.append(
        Materialise(
            id="materialise",
            inputs=before,
            format=t.format if t else "plain",
            weight=t.weight if t else None,
            span=selection.span,
        )
    )


def _profile(profile: ir.Profile, mixture: ir.Mixture, inputs: tuple[str, ...]) -> Profile:
    return Profile(
        id=f"profile:{profile.student}",
        inputs=inputs,
        model=_model(mixture, profile.student),
        file=profile.file,
        tallies=profile.tallies,
        attempts=profile.attempts,
        least=profile.least,
        sample=profile.sample,
        width=profile.width,
        temperature=profile.temperature,
        max_tokens=profile.max_tokens,
        grade=profile.grade,
        seed=mixture.seed,
        span=profile.span,
    )


def _train(mixture: ir.Mixture, stages: list[Stage], heldout: str | None) -> None:
    t, e = mixture.train, mixture.evaluate
    seed = e.seeds[0] if e and e.seeds else t.seed if t and t.seed is not None else mixture.seed
    if t:
        stages.append(
            Train(
                id="train",
                inputs=("materialise",),
                model=_model(mixture, t.student),
                format=t.format,
                method=t.method,
                lora=t.lora,
                epochs=t.epochs,
                steps=t.steps,
                learning_rate=t.learning_rate,
                batch=t.batch,
                max_length=t.max_length,
                weight=t.weight,
                warmup=t.warmup,
                schedule=t.schedule,
                gradient_checkpointing=t.gradient_checkpointing,
                packing=t.packing,
                report=t.report,
                report_span=t.report_span,
                save=t.save,
                seed=seed,
                span=t.span,
            )
        )
    if e:
        student = t.student if t else mixture.students[0].student if mixture.students else None
        select = next(s for s in stages if isinstance(s, Select))
        trained = arms(mixture, select, seed)
        inputs = [*(("train",) if t else ("materialise",)), *((heldout,) if heldout else ())]
        inputs += [name for name in select.inputs[:1] if any(arm.select for arm in trained)]
        stages.append(
            Evaluate(
                id="evaluate",
                inputs=tuple(inputs),
                model=_model(mixture, student) if student else None,
                benchmarks=e.benchmarks,
                heldout=heldout,
                max_tokens=e.max_tokens,
                temperature=e.temperature,
                seeds=e.seeds,
                baselines=tuple(b.by for b in e.baselines),
                arms=trained,
                seed=seed,
                span=e.span,
            )
        )


def _score(score: ir.Score, mixture: ir.Mixture, inputs: tuple[str, ...], rows: str) -> Score:
    model = _model(mixture, score.student) if score.student else None
    return Score(
        id=f"score:{score.name}",
        inputs=inputs,
        name=score.name,
        scorer=score.scorer,
        version=score.version,
        arguments=score.arguments,
        model=model,
        reads=score.reads,
        package=score.package,
        type=score.type.kind,
        unit=score.type.unit,
        rows=rows,
        span=score.span,
    )


def _model(mixture: ir.Mixture, student: str) -> Model:
    return next(m for m in mixture.students if m.student == student)


def _scores(expression: Expression) -> set[str]:
    return {c.name for c in columns(expression) if c.source == "score"}
