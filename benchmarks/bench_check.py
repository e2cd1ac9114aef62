"""How long `mixc check` takes: of a spec of 60 lines against `import lark`, of one of 5,000 lines, and what it has imported then.

Usage: python benchmarks/bench_check.py [RUNS]; the runs of the two programs alternate, and medians are printed (default: 15).
Processor time is user and system time of the child; it is the figure to trust on a machine that does other things too.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

CHECK = "import sys; from mixc.cli.main import main; code = main(); "
EXIT = "sys.exit(code)"
HEAVY = "assert not {'polars', 'torch', 'numpy', 'transformers'} & set(sys.modules), 'something heavy was imported'; "
SPEC = """\
# A spec as people write them: {lines} lines, the columns of which are read from the footer of a Parquet file.
mix "bench" {{
  seed        17
  description "correct responses, most natural to the student, under a cap per teacher and skill quotas"
}}

param window = 4

student smollm2 {{
  model    "HuggingFaceTB/SmolLM2-135M-Instruct"
  revision "12fd25f77366fa6b3b4b768ec3050bf629380bac"
  dtype    bf16
}}

corpus traces {{
  scan      "rows.parquet"
  id        prompt_id
  prompt    prompt
  response  response
  reference answer
  teacher   teacher
  where     split == "train"
}}

{teachers}
skills operations {{
  tag by column skill
}}

{scores}
decontaminate against "bench.jsonl" by 8-grams of prompt

select {{
{wheres}  keep     best 1 per prompt by naturalness
  quota    skill "add" <= 20%
  quota    teacher t1 <= 40% of tokens
  budget   60 examples
  maximize naturalness
}}

train smollm2 {{
  format        plain
  epochs        1
  learning_rate 1e-5
  batch         8 examples
}}

evaluate {{
  heldout  traces where split == "test"
  baseline random
}}
"""


def spec(size: int) -> str:
    """A spec that checks without an error: `size` teachers, scores and conditions."""
    names = ["naturalness = local_logprob(student: smollm2, window: $window steps)", "correct     = verify_math(reference)"]
    names += [f"length{i} = tokens(student: smollm2)" for i in range(1, size)]
    teachers = "".join(f'teacher t{i} from traces where teacher == "{i}"\n' for i in range(1, size + 1))
    wheres = "  where    correct\n" + "".join(f"  where    length{i} <= {i + 100} tokens\n" for i in range(1, size))
    text = SPEC.format(teachers=teachers, scores="".join(f"score {name}\n" for name in names), wheres=wheres, lines="N")
    return text.replace("N lines", f"{text.count(chr(10)):,} lines")


ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""As an installed program runs: compiled once, which the first run sees to."""


def timed(*words: str, folder: str) -> tuple[float, float]:
    """Wall and processor seconds of a Python process; CalledProcessError if it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", *words], cwd=folder, check=True, capture_output=True, env=ENVIRONMENT)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def medians(runs: list[tuple[float, float]]) -> tuple[float, float]:
    wall, cpu = (statistics.median(run[i] for run in runs) for i in (0, 1))
    return wall, cpu


def main() -> None:
    """Print a line for each measurement."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    with tempfile.TemporaryDirectory() as folder:
        columns = ("prompt_id", "prompt", "response", "answer", "teacher", "split", "skill")
        pl.DataFrame({name: [f"{name} {i}" for i in range(1000)] for name in columns}).write_parquet(Path(folder) / "rows.parquet")
        (Path(folder) / "bench.jsonl").write_text('{"problem": "one"}\n', encoding="utf-8")
        small, large = spec(3), spec(1650)
        (Path(folder) / "small.mix").write_text(small, encoding="utf-8")
        (Path(folder) / "large.mix").write_text(large, encoding="utf-8")
        timed(CHECK + HEAVY + EXIT, "check", "small.mix", folder=folder)
        timed("import lark", folder=folder)
        ours, theirs = [], []
        for _ in range(runs):
            ours.append(timed(CHECK + EXIT, "check", "small.mix", folder=folder))
            theirs.append(timed("import lark", folder=folder))
        (wall, cpu), (lark_wall, lark_cpu) = medians(ours), medians(theirs)
        print(f"mixc check, {small.count(chr(10))} lines: {wall:.3f} s, processor {cpu:.3f} s (start, footer of a Parquet file, plan, drawing)")
        print(f"python -c 'import lark':  {lark_wall:.3f} s, processor {lark_cpu:.3f} s")
        print(f"ratio: {wall / lark_wall:.2f}, of processor time {cpu / lark_cpu:.2f} (at most 4 is asked for)")
        wall, cpu = medians([timed(CHECK + HEAVY + EXIT, "check", "large.mix", folder=folder) for _ in range(max(runs // 5, 1))])
        print(f"mixc check, {large.count(chr(10)):,} lines: {wall:.3f} s, processor {cpu:.3f} s (under 2 s is asked for)")
        print("imported by neither: polars, torch, numpy, transformers")


if __name__ == "__main__":
    main()
