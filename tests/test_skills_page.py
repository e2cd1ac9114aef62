"""docs/skills.md: its clauses are the language, in canonical form, and the first is that of the spec that is shipped."""

import re
from pathlib import Path

from mixc.compiler.diagnostics import Diagnostics
from mixc.compiler.plan.stages import Tag
from mixc.compiler.source import Source
from mixc.compiler.syntax.arrange import arrange
from mixc.tests.compiling import compile_in, drawn

ROOT = Path(__file__).parents[1]
CLAUSES = re.findall(r"```mix\n(.*?)```", (ROOT / "docs" / "skills.md").read_text(encoding="utf-8"), re.S)
REST = """
mix "page" { seed 1 }

corpus rows {
  scan     "rows.jsonl"
  prompt   question
  response answer
}

decontaminate none because "an example"

select {
  budget up to 10 examples
}
"""


def test_the_clauses_of_the_page_make_plans(tmp_path: Path) -> None:
    assert len(CLAUSES) == 2
    (tmp_path / "skills").mkdir()
    (tmp_path / "skills" / "maths.json").write_text((ROOT / "specs" / "skills" / "maths.json").read_text(encoding="utf-8"))
    (tmp_path / "rows.jsonl").write_text('{"question": "2 + 2?", "answer": "4"}\n')
    found = []
    for number, clause in enumerate(CLAUSES):
        assert arrange(Source("page.mix", clause), Diagnostics()) == clause
        (tmp_path / f"{number}.mix").write_text(clause + REST)
        outcome = compile_in(tmp_path, f"{number}.mix")
        assert outcome.plan is not None and not any(d.severity == "error" for d in outcome.notes), drawn(outcome.notes, outcome.sources)
        (stage,) = (s for s in outcome.plan.stages if isinstance(s, Tag))
        assert stage.attribution is not None and not outcome.plan.pending
        found.append(stage.attribution)
    plain, paper = found
    assert (plain.reads, plain.temperature, plain.max_tokens, plain.endpoint, plain.depth) == ("prompt", 0, 256, None, None)
    assert (paper.reads, paper.temperature, paper.max_tokens, paper.endpoint and paper.endpoint.url) == ("response", 0.3, 2048, "http://localhost:8000/v1")


def test_the_first_is_that_of_the_spec_that_is_shipped() -> None:
    line = next(line.strip() for line in CLAUSES[0].splitlines() if "by llm" in line)
    assert re.sub(" +", " ", line) in re.sub(" +", " ", (ROOT / "specs" / "skills-llm.mix").read_text(encoding="utf-8"))
