"""How long a build takes, and how much memory, as its candidates grow from a million to a hundred million.

`python benchmarks/bench_build.py [--rows 1000000,3000000,...] [--chosen N] [--data FOLDER] [--plot FILE]`. A corpus (short texts, 5 rows a prompt, 118
skills, 5 teachers, files of a million rows) is made once in FOLDER, and every row of it is a candidate of a selection with 45 floors, 21 caps, a share
of tokens for each teacher and two budgets, all of them binding. Each size runs in a process of its own, on an empty store; the parts of the build are timed apart, each
with the most memory that the process had meanwhile:

ids: row and prompt ids, worked out once per file. rows: the narrow rows, scanned, put in their parts, tagged and scored from columns. solving: the selection.
ledger: every row with what became of it and why, as Parquet. texts: those of the chosen rows, read from their files, and `train.jsonl`.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil, floor, log10
from pathlib import Path
from tempfile import gettempdir

import polars as pl
from mixc.cli.inputs import compile_file
from mixc.compiler.plan.stages import Materialise, Plan, Select
from mixc.runtime.context import Context
from mixc.runtime.corpus_files import open_files
from mixc.runtime.engines.students import Students
from mixc.runtime.ledger import write_ledger
from mixc.runtime.materialise import parquet, selected, train_lines
from mixc.runtime.needs import needs
from mixc.runtime.store import Store
from mixc.runtime.teacher_table import teacher_table
from mixc.runtime.texts import Texts
from mixc.runtime.trace import trace
from mixc.runtime.walk import Walk, advance

FILE_ROWS, A_PROMPT, SKILLS, TEACHERS = 1_000_000, 5, 118, 5
PARTS = ("ids", "rows", "solving", "ledger", "texts")
COLOURS = ("#4c78a8", "#f58518", "#e45756", "#54a24b", "#b279a2")
HEAD = """\
mix "bench" { seed 3 }

corpus traces {
  scan     "rows/*.parquet"
  prompt   question
  response answer
  teacher  model
}

skills topics { tag by column skill }

score naturalness = column(value)
score length      = column(tokens, unit: tokens)

decontaminate none because "the texts are made up"

"""


def corpus(folder: Path, rows: int) -> Path:
    """A folder with `rows` rows of a corpus in files of a million, below one in which a spec may stand. Every value follows from the row's number."""
    everything, mine = folder / "all", folder / f"{rows}" / "rows"
    everything.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(mine.parent, ignore_errors=True)
    mine.mkdir(parents=True)
    for start in range(0, rows, FILE_ROWS):
        name = f"{start // FILE_ROWS:03}.parquet"
        size = min(rows - start, FILE_ROWS)
        if size < FILE_ROWS or not (everything / name).exists():
            target = mine / name if size < FILE_ROWS else everything / name
            file(start, size).write_parquet(target.with_suffix(".part"), row_group_size=100_000)
            target.with_suffix(".part").rename(target)
        if size == FILE_ROWS:
            (mine / name).symlink_to(everything / name)
    return mine.parent


def file(start: int, size: int) -> pl.DataFrame:
    hashed, prompt = pl.col("i").hash(7), pl.col("i") // A_PROMPT
    skill, teacher, tokens = (prompt.hash(5) % SKILLS).cast(pl.Int64), pl.col("i") % TEACHERS, (hashed % 400 + 20).cast(pl.Int64)
    noise = sum((pl.col("i").hash(seed) % 65_536 for seed in (21, 22, 23)), pl.lit(0)).cast(pl.Float64) / 98_304 - 1.0
    return pl.int_range(start, start + size, eager=True).alias("i").to_frame().select(
        question=pl.format("In a field of {} rows, how many does a walker of step {} count?", prompt, prompt.hash(3) % 97),
        answer=pl.format("Every step covers {} of them, so that after {} steps all are counted. The answer is {}.", hashed % 89, hashed % 1009, hashed % 7919),
        model=pl.format("teacher-{}", teacher),
        skill=pl.format("skill {}", skill),
        tokens=tokens,
        value=noise - 0.004 * skill - 0.05 * (teacher % 3) - 2e-5 * tokens,
    )  # fmt: skip


def spec(chosen: int) -> str:
    """Hard skills have floors above what they would get, easy ones caps below, two budgets leave short rows only."""
    fair = chosen / SKILLS
    floors = [f'  quota skill "skill {SKILLS - 1 - i}" >= {int(0.9 * fair)} examples' for i in range(45)]
    caps = [f'  quota skill "skill {i}" <= {int(1.05 * fair)} examples' for i in range(21)]
    shares = [f'  quota teacher "teacher-{i}" {"<= 22%" if i % 3 == 0 else ">= 18%"} of tokens' for i in range(TEACHERS)]
    budgets = [f"  budget {chosen} examples", f"  budget {chosen * 180} tokens"]
    clauses = ["  keep at most 1 per prompt", *floors, *caps, *shares, *budgets, "  maximize naturalness", "  count tokens by length"]
    return HEAD + "select {\n" + "\n".join(clauses) + "\n}\n"


def compiled(folder: Path, chosen: int) -> Plan:
    (folder / "bench.mix").write_text(spec(chosen))
    os.chdir(folder)
    outcome = compile_file("bench.mix", [])
    if outcome.plan is None:
        raise SystemExit("\n".join(f"{d.code}: {d.message}" for d in outcome.notes))
    return outcome.plan


def run(folder: Path, chosen: int) -> dict[str, dict[str, float]]:
    """The parts of one build here, as `build` goes through them: seconds, megabytes at most."""
    plan = compiled(folder, chosen)
    context = Context(store=Store(folder / "store"), students=Students())
    found: dict[str, dict[str, float]] = {}
    with measured("ids", found):
        open_files(plan.stages[0], Texts(), context.store)  # type: ignore[arg-type]
    walk = Walk(needed=needs(plan.stages))
    select = next(i for i, stage in enumerate(plan.stages) if isinstance(stage, Select))
    with measured("rows", found):
        for stage in plan.stages[:select]:
            advance(stage, walk, context)
    found["rows"]["candidates"] = walk.rows.alive
    with measured("solving", found):
        advance(plan.stages[select], walk, context)
    assert walk.solution is not None
    found["solving"] |= {"gap": walk.solution.gap, "chosen": walk.rows.alive}
    with measured("ledger", found):
        traced = trace(plan, walk.rows)
        write_ledger(plan, walk.rows, traced.columns, folder / "ledger.parquet")
        teacher_table(plan, walk.rows)
    with measured("texts", found):
        rows = selected(plan, walk.rows, context.texts)
        (folder / "selected.parquet").write_bytes(parquet(rows))
        train = next(stage for stage in plan.stages if isinstance(stage, Materialise))
        (folder / "train.jsonl").write_bytes(train_lines(train, rows))
    return found


@contextmanager
def measured(name: str, found: dict[str, dict[str, float]]) -> Iterator[None]:
    """Note the seconds, and the most memory that the process had in that time (its peak is reset: Linux)."""
    Path("/proc/self/clear_refs").write_text("5")
    began = time.perf_counter()
    yield
    seconds = time.perf_counter() - began
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    found[name] = {"seconds": round(seconds, 2), "megabytes": round(int(peak.split()[1]) / 1024)}


def svg(results: dict[str, dict[str, dict[str, float]]]) -> str:
    """Seconds and megabytes of every part over the rows, both axes in powers of ten, side by side."""
    sizes = sorted(map(int, results))
    colours = dict(zip(PARTS, COLOURS, strict=True))
    drawn = [panel(results, sizes, colours, "seconds", 0), panel(results, sizes, colours, "megabytes", 420)]
    legend = [f'<text x="{60 + 100 * i}" y="288" fill="{colour}">{name}</text>' for i, (name, colour) in enumerate(colours.items())]
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="860" height="300" font-family="sans-serif" font-size="12">{"".join([*drawn, *legend])}</svg>\n'


def panel(results: dict[str, dict[str, dict[str, float]]], sizes: list[int], colours: dict[str, str], what: str, left: int) -> str:
    values = [max(results[str(n)][p][what], 0.01) for n in sizes for p in PARTS]
    low, high = floor(log10(min(values))), ceil(log10(max(values)))
    first, last = log10(sizes[0]), max(log10(sizes[-1]), log10(sizes[0]) + 0.01)

    def place(n: int, value: float) -> tuple[float, float]:
        return left + 60 + 320 * (log10(n) - first) / (last - first), 250 - 220 * (log10(max(value, 0.01)) - low) / max(high - low, 1)

    parts = [f'<text x="{left + 60}" y="18" font-weight="bold">{what}</text>']
    for power in range(low, high + 1):
        y = place(sizes[0], 10.0**power)[1]
        parts.append(f'<line x1="{left + 60}" x2="{left + 380}" y1="{y:.0f}" y2="{y:.0f}" stroke="#ddd"/><text x="{left + 52}" y="{y + 4:.0f}" text-anchor="end">{10.0**power:,g}</text>')
    parts += [f'<text x="{place(n, 1)[0]:.0f}" y="268" text-anchor="middle">{n / 1e6:g} M</text>' for n in sizes]
    for name, colour in colours.items():
        points = [place(n, results[str(n)][name][what]) for n in sizes]
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
    return "".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="1000000,3000000,10000000,30000000,100000000")
    parser.add_argument("--chosen", type=int, default=100_000)
    parser.add_argument("--data", type=Path, default=Path(gettempdir()) / "mixc-bench-build")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.here:
        print(json.dumps(run(asked.data, asked.chosen)))
        return
    kept = asked.data / "results.json"
    results: dict[str, dict[str, dict[str, float]]] = json.loads(kept.read_text()) if kept.exists() else {}
    for rows in map(int, asked.rows.split(",")):
        folder = corpus(asked.data, rows)
        time.sleep(2.1)  # what is kept of a file is kept when the file has been left alone for so long
        command = [sys.executable, __file__, "--here", "--chosen", str(asked.chosen), "--data", str(folder)]
        found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        results[str(rows)] = found
        whole, most = (f(found[part][of] for part in PARTS) for f, of in ((sum, "seconds"), (max, "megabytes")))
        print(f"{found['rows']['candidates']:,} candidates, {found['solving']['chosen']:,} chosen, gap {found['solving']['gap']:.1e}: {whole:.1f} s, {most:,.0f} MB")
        for part in PARTS:
            print(f"  {part:10}  {found[part]['seconds']:8.2f} s  {found[part]['megabytes']:8,.0f} MB", flush=True)
        shutil.rmtree(folder)
        kept.write_text(json.dumps(dict(sorted(results.items(), key=lambda each: int(each[0]))), indent=2) + "\n")
    if asked.plot:
        asked.plot.write_text(svg(results))


if __name__ == "__main__":
    main()
