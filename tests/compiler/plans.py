"""A plan with every kind of stage, and hypothesis strategies for plans of any shape the dataclasses allow."""

from dataclasses import fields, is_dataclass
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from hypothesis import strategies as st
from mixc.compiler.expressions import Column, Constant, Constants, Expression, Operation, Quantile, Rank
from mixc.compiler.plan.digest import fingerprints
from mixc.compiler.plan.schema import schema
from mixc.compiler.plan.serialize import NAMES, _choices, _pairs
from mixc.compiler.plan.stages import (
    AtMost,
    Benchmark,
    Budget,
    Decontaminate,
    Dedup,
    Evaluate,
    Filter,
    GeneratedTeacher,
    Grade,
    Group,
    Heldout,
    Keep,
    Materialise,
    Model,
    NamedTeacher,
    Pending,
    Plan,
    Profile,
    Quota,
    Roles,
    Scan,
    Score,
    Select,
    SoftQuota,
    Stage,
    Tag,
    Teachers,
    Train,
    Where,
)
from mixc.compiler.source import Span

HERE = Span("specs/a.mix", 10, 20)
MODEL = Model(
    student="smollm2", model="HuggingFaceTB/SmolLM2-135M-Instruct", folder="specs", revision="12fd", span=HERE
)
CORRECT = Column("score", "correct")
LENGTH = Column("score", "length")
NATURAL = Column("score", "naturalness")
TEACHER = Column("role", "teacher")
SPLIT = Column("column", "split")


def where(text: str, condition: Expression) -> Where:
    return Where(text=text, condition=condition, span=HERE)


def scan(path: str = "data/traces/*.parquet", split: str = "train", id: str = "scan:traces") -> Scan:
    return Scan(
        id=id,
        corpus="traces",
        path=path,
        roles=Roles(prompt="question", response="solution", reference="answer", teacher="model"),
        where=where(f'where split == "{split}"', Operation("==", (SPLIT, Constant(split)))),
        sample=150,
        columns=("model", "subject"),
        seed=17,
        span=HERE,
    )


def score(name: str, scorer: str, type: str, unit: str | None, inputs: tuple[str, ...], **more: Any) -> Score:
    return Score(
        id=f"score:{name}", inputs=inputs, name=name, scorer=scorer, version=1, type=type, unit=unit, span=HERE, **more
    )


def whole(path: str = "data/traces/*.parquet") -> Plan:
    """Every kind of stage and of clause, in a plan that is sound."""
    model = Column("column", "model")
    stages: list[Stage] = [
        scan(path),
        Teachers(
            id="teachers",
            inputs=("scan:traces",),
            teachers=(
                NamedTeacher(
                    name="strong",
                    corpus="traces",
                    condition=Operation("in", (model, Constants(("gpt-4o", "claude")))),
                    span=HERE,
                ),
                NamedTeacher(name="rest", corpus="traces", span=HERE),
            ),
            generated=(GeneratedTeacher(name="writer", model="hub/large", corpus="traces", samples=4, seed=17, span=HERE),),
            span=HERE,
        ),
        Heldout(id="heldout", inputs=("teachers",), scan=scan(path, "test", "scan:traces:heldout"), span=HERE),
        Decontaminate(
            id="decontaminate",
            inputs=("teachers", "heldout"),
            against=("bench/*.jsonl",),
            words=8,
            text="decontaminate …",
            span=HERE,
        ),
        Dedup(
            id="dedup",
            inputs=("decontaminate",),
            method="minhash",
            of="response",
            threshold=0.8,
            text="dedup …",
            span=HERE,
        ),
        Tag(
            id="tag",
            inputs=("dedup",),
            taxonomy="maths",
            method="column",
            column="subject",
            tree=(("Geometry", "Geometry"), ("id", "Geometry->id")),
            span=HERE,
        ),
        score("correct", "verify_math", "bool", None, ("tag",), reads=("reference",)),
        Filter(id="filter:1", inputs=("score:correct",), wheres=(where("where correct", CORRECT),), seed=17, span=HERE),
        score("length", "tokens", "number", "tokens", ("filter:1",), model=MODEL),
        score(
            "naturalness",
            "local_logprob",
            "number",
            "nats",
            ("score:length",),
            arguments=(("window", "15%"), ("span", 4), ("debias", None), ("exact", True)),
            model=MODEL,
        ),
        Profile(
            id="profile:smollm2",
            inputs=("score:naturalness",),
            model=MODEL,
            sample=200,
            temperature=0.6,
            grade=Grade(scorer="verify_math", version=1, reads=("reference",)),
            seed=17,
            span=HERE,
        ),
        Select(
            id="select",
            inputs=("profile:smollm2", "score:naturalness"),
            steps=(
                where(
                    "where naturalness >= p20 within teacher",
                    Operation(">=", (NATURAL, Quantile(NATURAL, 20, TEACHER))),
                ),
                where(
                    "where rank(length) within prompt <= 3",
                    Operation("<=", (Rank(LENGTH, Column("role", "prompt")), Constant(3))),
                ),
                Keep(text="keep best 1 per prompt by -length", count=1, by=Operation("negate", (LENGTH,)), span=HERE),
            ),
            at_most=AtMost(text="keep at most 1 per prompt", count=1, span=HERE),
            quotas=(
                Quota(
                    text='quota skill "Geometry" >= 15%',
                    group=Group(kind="skill", value="Geometry"),
                    low=15,
                    unit="%",
                    span=HERE,
                ),
                Quota(
                    text='quota column subject "x" 1..2 examples',
                    group=Group(kind="column", value="x", column="subject"),
                    low=1,
                    high=2,
                    unit="examples",
                    span=HERE,
                ),
                Quota(
                    text="quota teacher strong <= 40% of tokens",
                    group=Group(kind="teacher", value="strong"),
                    high=40.5,
                    unit="% of tokens",
                    span=HERE,
                ),
            ),
            budgets=(
                Budget(text="budget up to 1000 examples", amount=1000, unit="examples", up_to=True, span=HERE),
                Budget(text="budget 2M tokens", amount=2_000_000, unit="tokens", span=HERE),
            ),
            objective=NATURAL,
            objective_text="naturalness",
            tokens="length",
            soft=SoftQuota(
                text="quota skill weakness(max_weight: 20)",
                shape="weakness",
                student="smollm2",
                max_weight=20,
                alpha=1,
                beta=1,
                min_support=0,
                span=HERE,
            ),
            seed=17,
            span=HERE,
        ),
        score("fluency", "global_logprob", "number", "nats", ("select",), model=MODEL, rows="selected"),
        Materialise(id="materialise", inputs=("select", "score:fluency"), format="skill_aware", span=HERE),
        Train(
            id="train",
            inputs=("materialise",),
            model=MODEL,
            format="skill_aware",
            epochs=5,
            max_length=8000,
            seed=0,
            span=HERE,
        ),
        Evaluate(
            id="evaluate",
            inputs=("train", "heldout"),
            model=MODEL,
            benchmarks=(Benchmark(name="gsm8k", path="bench/gsm8k.jsonl", limit=50, span=HERE),),
            heldout="heldout",
            seeds=(0, 1, 2),
            baselines=("random",),
            seed=0,
            span=HERE,
        ),
    ]
    return Plan(
        name="gsm-distill",
        seed=17,
        stages=tuple(stages),
        pending=(Pending(what="`quota skill weakness`", stage="select", span=HERE),),
        description="d",
        fingerprints=fingerprints(stages),
    )


_SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(st.characters(codec="utf-8"), max_size=8),
    int: st.integers(1, 2**40),
    float: st.one_of(st.integers(1, 99), st.floats(0.01, 0.99)),
    bool: st.booleans(),
    NoneType: st.none(),
}
_NAME = st.text("abc_", min_size=1, max_size=5)


def anything(hint: Any, depth: int = 2) -> st.SearchStrategy[Any]:
    """Values of a field's type; expressions no deeper than `depth`."""
    if (values := _pairs(hint)) is not None:
        pairs = st.dictionaries(_NAME, anything(values), max_size=3).map(lambda d: tuple(d.items()))
        return st.one_of(pairs, st.none()) if NoneType in _choices(hint) else pairs
    choices = _choices(hint)
    if depth <= 0 and Operation in choices:
        choices = tuple(c for c in choices if c not in (Operation, Quantile, Rank))
    return st.one_of(*(_one(choice, depth) for choice in choices))


def _one(choice: Any, depth: int) -> st.SearchStrategy[Any]:
    if choice in _SCALARS:
        return _SCALARS[choice]
    if get_origin(choice) is tuple:
        return st.lists(anything(get_args(choice)[0], depth), max_size=2).map(tuple)
    if is_dataclass(choice):
        return _object(choice, depth - (choice in get_args(Expression)))
    return st.sampled_from(get_args(choice))


def _object(cls: Any, depth: int) -> st.SearchStrategy[Any]:
    """An instance of a class, its words taken from the schema where that allows only some."""
    hints = get_type_hints(cls)
    allowed = schema()["$defs"].get(cls.__name__, {}).get("properties", {})
    parts = {}
    for f in fields(cls):
        words = allowed.get(f.name, {}).get("enum")
        if listed := allowed.get(f.name, {}).get("items", {}).get("enum"):
            parts[f.name] = st.lists(st.sampled_from(listed), max_size=2).map(tuple)
        elif words:
            parts[f.name] = st.sampled_from(words)
        elif f.name == "fingerprints":
            parts[f.name] = st.just(())
        elif f.name in ("id", "name", "inputs", "percent", "threshold", "dropout"):
            special: dict[str, st.SearchStrategy[Any]] = {"threshold": st.none() | st.floats(0, 1), "dropout": st.floats(0, 0.9)}
            special |= {"inputs": st.lists(_NAME, max_size=2).map(tuple), "percent": st.integers(0, 100)}
            parts[f.name] = special.get(f.name, _NAME)
        else:
            parts[f.name] = anything(hints[f.name], depth)
    return st.builds(cls, **parts)


def plans() -> st.SearchStrategy[Plan]:
    """Plans of any stages in any order: they can be written and read, whether or not they are sound."""
    assert NAMES
    return _object(Plan, 2)
