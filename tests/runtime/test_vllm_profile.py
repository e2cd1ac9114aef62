"""Rollouts by the real vLLM: the greedy answers of transformers, the same counts, and draws that come back as they were."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from mixc.runtime.context import Context
from mixc.runtime.engines.choice import Choice
from mixc.runtime.engines.students import Students
from mixc.runtime.measured import profile_data
from mixc.runtime.profile import asking, profile
from mixc.runtime.responses import LocalModel, Question, responses
from mixc.runtime.store import Store
from mixc.tests.runtime.test_profile import LETTERS, run, sampled, stage
from mixc.tests.runtime.tiny import make_tiny_student

pytestmark = [pytest.mark.vllm, pytest.mark.slow]


def test_a_student_is_measured_by_vllm_as_it_is_by_transformers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
    asked = stage(make_tiny_student(tmp_path / "wide", arch="wide"), sample=6, max_tokens=24, grade=LETTERS)
    theirs = Context(store=Store(tmp_path / "vllm"), students=Students(tmp_path / "vllm", choice=Choice("vllm")))
    ours = run(tmp_path / "transformers")
    try:
        first, second = profile(asked, sampled(asked), theirs), profile(asked, sampled(asked), ours)
        assert profile_data(first) == profile_data(second)
        prompts = [Question(f"{one}?") for one in sampled(asked).prompts["prompt_id"][:6]]
        said = [responses(asking(asked), prompts, LocalModel(asked.model, context), context) for context in (theirs, ours)]
        assert [set(each["engine"]) for each in said] == [{"vllm"}, {"transformers"}]
        assert said[0].drop("engine").equals(said[1].drop("engine")) and said[0]["text"].n_unique() > 1

        drawn = replace(asked, attempts=3, temperature=0.9)
        counted = profile(drawn, sampled(drawn), theirs)
        assert counted.measured is not None and counted.measured.responses == 3 * counted.measured.prompts
        again = Context(store=Store(tmp_path / "again"), students=theirs.students)
        assert profile_data(profile(drawn, sampled(drawn), again)) == profile_data(counted)
        texts = [responses(asking(drawn), prompts, LocalModel(drawn.model, context), context)["text"] for context in (theirs, again)]
        assert texts[0].equals(texts[1]) and pl.Series(texts[0]).n_unique() > 6
    finally:
        theirs.students.release(asked.model)
