"""Tags real prompts by embedding: texts a second, and how the area of the nearest leaf agrees with the subject that the data names, beside tagging by keywords.

Usage: python benchmarks/bench_embedding.py [--prompts N] [--model FOLDER] [DATA_FOLDER]; the folder holds teachers.parquet (default: $MIXC_SHARED,
or ../shared/data), the model is models/all-MiniLM-L6-v2 (make embedder). The store is a temporary one.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import polars as pl
from mixc.cli.inputs import compile_file
from mixc.compiler.plan.stages import Tag
from mixc.runtime.context import Context
from mixc.runtime.engines.students import Students
from mixc.runtime.rows import Rows
from mixc.runtime.store import Store
from mixc.runtime.tag import tag

ROOT = Path(__file__).resolve().parents[1]
AREAS = {
    "Algebra": {"Algebra"}, "Intermediate Algebra": {"Algebra", "Calculus and analysis"}, "Prealgebra": {"Arithmetic", "Algebra", "Number theory"},
    "Geometry": {"Geometry"}, "Number Theory": {"Number theory"}, "Counting & Probability": {"Counting and probability", "Discrete mathematics"},
    "Precalculus": {"Geometry", "Algebra", "Calculus and analysis", "Linear and abstract algebra"},
}  # fmt: skip
"""Where in specs/skills/maths.json the problems of a subject belong."""


def main() -> None:
    """Print the speed, cold and from the store, and a line a subject."""
    asked = argparse.ArgumentParser()
    asked.add_argument("folder", nargs="?", type=Path, default=Path(os.environ.get("MIXC_SHARED", "../shared/data")))
    asked.add_argument("--model", type=Path, default=ROOT / "models" / "all-MiniLM-L6-v2")
    asked.add_argument("--prompts", type=int, default=800)
    arguments = asked.parse_args()
    data = arguments.folder / "teachers.parquet"
    if not data.exists() or not (arguments.model / "modules.json").exists():
        print("needs teachers.parquet and the embedding model (make embedder)")
        return
    prompts = pl.scan_parquet(data).filter(pl.col("corpus") == "math_l5").select("prompt", "skill").unique("prompt", maintain_order=True).head(arguments.prompts).collect()
    rows = Rows.of(prompts.with_columns(pl.lit(None, pl.String).alias("reason")).rename({"skill": "subject"}))
    with tempfile.TemporaryDirectory() as scratch:
        context = Context(Store(Path(scratch) / "store"), Students(Path(scratch) / "store"))
        found = {}
        near = f'embedding(model: "{arguments.model.resolve()}")'
        for name, by in {"embedding": near, "from the store": near, "keywords": f'keywords "{ROOT}/specs/skills/maths-keywords.json"'}.items():
            stage = _stage(Path(scratch), data.resolve(), by)
            began = time.perf_counter()
            tagged = tag(stage, rows, context).frame(["subject", "skills"])
            seconds = time.perf_counter() - began
            print(f"{name}: {tagged.height:,} prompts in {seconds:.1f} s, {tagged.height / seconds:,.0f} a second")
            found[name] = tagged
    for name in ("embedding", "keywords"):
        agrees = [_share(row["skills"], AREAS[row["subject"]]) for row in found[name].iter_rows(named=True)]
        table = found[name].with_columns(pl.Series("agrees", agrees))
        tagged = table.filter(pl.col("agrees").is_not_null())
        print(f"{name}: {tagged.height / table.height:.0%} of the prompts have a skill; of their skills {tagged['agrees'].mean():.0%} are in an area of their subject")
        for subject, part in sorted(tagged.group_by("subject"), key=lambda one: str(one[0][0])):
            print(f"  {subject[0]}: {part['agrees'].mean():.0%} of {part.height:,}")


def _stage(folder: Path, data: Path, by: str) -> Tag:
    spec = folder / "bench.mix"
    spec.write_text(
        f'mix "b" {{ seed 1 }}\ncorpus c {{\n  scan "{data}"\n  prompt prompt\n  response response\n}}\n'
        f'skills maths {{\n  tree "{ROOT}/specs/skills/maths.json"\n  tag by {by}\n}}\nselect {{ budget 1 examples }}\n'
    )
    outcome = compile_file(str(spec))
    if outcome.plan is None:
        raise SystemExit("\n".join(d.message for d in outcome.notes))
    return next(stage for stage in outcome.plan.stages if isinstance(stage, Tag))


def _share(skills: list[str], areas: set[str]) -> float | None:
    """The share of a row's skills that lie in one of the areas; None without a skill."""
    return sum(skill.partition("->")[0] in areas for skill in skills) / len(skills) if skills else None


if __name__ == "__main__":
    main()
