"""What the planner takes for the same score has the same shelf in the store, and the other way round: asked of real scorers and a real tokenizer."""

from dataclasses import replace
from pathlib import Path

import pytest
from mixc.cli.inputs import compile_source
from mixc.compiler.plan.normalize import normalize
from mixc.compiler.plan.passes import TAKES
from mixc.compiler.plan.rescore import computes
from mixc.compiler.plan.stages import Score
from mixc.compiler.source import Source
from mixc.runtime.context import Context
from mixc.runtime.engines.students import Students
from mixc.runtime.scorers.registry import scorer
from mixc.runtime.store import Store, fingerprint
from mixc.tests.project import make_project
from mixc.tests.runtime.tiny import make_tiny_student

pytest.importorskip("torch")

CALLS = (
    "local_logprob(student: one, window: 2 steps)",
    "local_logprob(student: one, window: 2 steps, debias: drop_first)",
    "local_logprob(student: one, window: 3 steps)",
    "local_logprob(student: one, window: 50%)",
    "local_logprob(student: one, window: 2 steps, split: newline)",
    "local_logprob(student: half, window: 2 steps)",
    "global_logprob(student: one)",
    "global_logprob(student: half)",
    "perplexity(student: one)",
    "entropy(student: one)",
    "rank_surprisal(student: one)",
    "ifd(student: one)",
    "tokens(student: one)",
    "tokens(student: half)",
    "verify_math(reference)",
)


def test_what_the_plan_takes_for_one_score_lies_on_one_shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(make_project(tmp_path))
    make_tiny_student(tmp_path / "tiny")
    spec = (tmp_path / "scored.mix").read_text().replace("score correct = column(good)\n", "score correct = column(good)\n{scores}")
    students = "".join(f'student {name} {{\n  model "./tiny"\n  dtype {dtype}\n}}\n' for name, dtype in (("one", "fp32"), ("half", "bf16")))
    scores = "".join(f"score s{number} = {call}\n" for number, call in enumerate(CALLS))
    spec = students + spec.replace("{scores}", scores).replace("select {", "select {\n  count tokens by length")
    outcome = compile_source(Source("spec.mix", spec))
    assert outcome.plan is not None, list(outcome.notes)
    context = Context(store=Store(tmp_path / ".mixc"), students=Students(tmp_path / ".mixc"))
    stages = {s.name: s for s in outcome.plan.stages if isinstance(s, Score) and s.scorer != "column"}
    plain = {s.name: s for s in normalize(outcome.plan.stages) if isinstance(s, Score)}
    shelves = {name: fingerprint(scorer(stage).identity(stage, context)) for name, stage in stages.items()}
    assert len(shelves) == len(CALLS)
    for one in shelves:
        for other in shelves:
            same = computes(replace(plain[one], name="")) == computes(replace(plain[other], name=""))
            tells = {TAKES.get(stages[name].scorer) for name in (one, other)}
            assert same == (shelves[one] == shelves[other] and len(tells) == 1), (one, other)
    assert len(set(shelves.values())) == len(CALLS) - 2 - 3  # what one pass tells lies on one shelf
