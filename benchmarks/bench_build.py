"""Times what a build does besides scoring and solving, by the number of rows: ids, candidates, ledger and the texts of the chosen rows, apart.

Usage: python benchmarks/bench_build.py [--rows 1000000,3000000] [--chosen 100000] [--data FOLDER] [--plot docs/images/build.svg]

The corpora (short texts, 5 teachers, 5 rows a prompt, 118 skills, many files) are made once in FOLDER. Each part runs in a process of its own, whose
peak memory is told less what it had before it began; `candidates` is run with the ids kept, as every build after the first. FOLDER/results.json keeps
the figures of every run, and the plot is of all sizes in it.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import time
from math import ceil, floor, log10
from pathlib import Path
from tempfile import gettempdir

import polars as pl
from mixc.compiler.expressions import Column, Constant, Operation
from mixc.compiler.plan.stages import Filter, Keep, Plan, Roles, Scan, Score, Select, Tag, Teachers, Where
from mixc.compiler.source import Span
from mixc.runtime.context import Context
from mixc.runtime.corpus_files import open_files
from mixc.runtime.engines.students import Students
from mixc.runtime.materialise import ledger, parquet
from mixc.runtime.materialise import selected as chosen
from mixc.runtime.needs import needs
from mixc.runtime.select import select
from mixc.runtime.store import Store
from mixc.runtime.texts import Texts
from mixc.runtime.walk import Walk, advance

HERE = Span("bench_build.mix", 0, 0)
FILE_ROWS, A_PROMPT, SKILLS, TEACHERS = 1_000_000, 5, 118, 5
PARTS = ("ids", "candidates", "ledger", "texts")
CORRECT, LENGTH = Column("score", "correct"), Column("score", "length")
LEVEL = Column("column", "level")


def corpus(folder: Path, rows: int) -> None:
    """`rows` rows in files of a million. Every value follows from the row's number."""
    target = folder / f"rows-{rows}"
    if target.exists():
        return
    fresh = folder / f"rows-{rows}.part"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for start in range(0, rows, FILE_ROWS):
        i = pl.int_range(start, min(rows, start + FILE_ROWS), eager=True).alias("i")
        hashed, prompt = pl.col("i").hash(7), pl.col("i") // A_PROMPT
        i.to_frame().select(
            question=pl.format("In a field of {} rows, how many does a walker of step {} count?", prompt, prompt.hash(3) % 97),
            answer=pl.format("Every step covers {} of them, so that after {} steps all are counted. The answer is {}.", hashed % 89, hashed % 1009, hashed % 7919),
            model=pl.format("teacher-{}", pl.col("i") % TEACHERS),
            skill=pl.format("skill {}", prompt.hash(5) % SKILLS),
            correct=hashed % 3 != 0,
            tokens=(hashed % 400 + 20).cast(pl.Int64),
            level=(prompt.hash(11) % 5).cast(pl.Int64),
        ).write_parquet(fresh / f"{start // FILE_ROWS:03}.parquet", row_group_size=100_000)
    fresh.rename(target)


def plan(folder: Path, rows: int) -> Plan:
    """Column scores, three filters and the best of each prompt; nothing to solve."""
    def where(text: str, e: Operation) -> Where:
        return Where(text=f"where {text}", condition=e, span=HERE)

    def column(name: str, of: str, type: str, unit: str | None = None) -> Score:
        return Score(id=f"score:{name}", inputs=(), name=name, scorer="column", version=1, reads=(f"column:{of}",), type=type, unit=unit, span=HERE)

    roles = Roles(prompt="question", response="answer", teacher="model")
    wheres = (where("correct", Operation("==", (CORRECT, Constant(True)))), where("length <= 300 tokens", Operation("<=", (LENGTH, Constant(300)))),
              where("level >= 1", Operation(">=", (LEVEL, Constant(1)))))  # fmt: skip
    best = Keep(text="keep best 1 per prompt by -length", count=1, by=Operation("negate", (LENGTH,)), span=HERE)
    return Plan(
        name="bench", seed=3,
        stages=(
            Scan(id="scan:c", corpus="c", path=str(folder / f"rows-{rows}" / "*.parquet"), roles=roles, columns=("correct", "level", "skill", "tokens"), seed=3, span=HERE),
            Teachers(id="teachers", inputs=(), span=HERE),
            Tag(id="tag", inputs=(), taxonomy="s", method="column", column="skill", span=HERE),
            column("correct", "correct", "bool"), column("length", "tokens", "number", "tokens"),
            Filter(id="filter", inputs=(), wheres=wheres, seed=3, span=HERE),
            Select(id="select", inputs=(), steps=(best,), tokens="length", seed=3, span=HERE),
        ),
    )  # fmt: skip


def part(name: str, folder: Path, rows: int, count: int) -> dict[str, float]:
    """Run one part here: its seconds, the most megabytes that it added, and the rows that it was about."""
    made = plan(folder, rows)
    context = Context(store=Store(folder / "store"), students=Students())
    before = peak()
    began = time.perf_counter()
    if name == "ids":
        shutil.rmtree(folder / "store", ignore_errors=True)
        began = time.perf_counter()
        open_files(made.stages[0], Texts(), context.store)  # type: ignore[arg-type]
        return figures(began, before, rows)
    walk = Walk(needed=needs(made.stages))
    for stage in made.stages[:-1]:
        advance(stage, walk, context)
    done = select(made.stages[-1], walk.rows)  # type: ignore[arg-type]
    walk.rows = done.rows
    if name == "candidates":
        return figures(began, before, done.funnel[-1].rows)
    began = time.perf_counter()
    if name == "ledger":
        (folder / "ledger.parquet").write_bytes(parquet(ledger(made, walk.rows)))
        return figures(began, before, rows)
    few = walk.rows.filter(pl.col("reason").is_null()).head(count)
    began = time.perf_counter()
    return figures(began, before, chosen(made, few, context.texts).height)


def peak() -> float:
    """The most memory that this process has had, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def figures(began: float, before: float, rows: int) -> dict[str, float]:
    return {"seconds": round(time.perf_counter() - began, 2), "megabytes": round(peak() - before), "rows": rows}


def svg(results: dict[str, dict[str, dict[str, float]]]) -> str:
    """Seconds and megabytes of every part over the rows, both axes in powers of ten, side by side."""
    sizes = sorted(map(int, results))
    colours = dict(zip(PARTS, ("#4c78a8", "#f58518", "#54a24b", "#b279a2"), strict=True))
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
    parser.add_argument("--rows", default="1000000,3000000")
    parser.add_argument("--chosen", type=int, default=100_000)
    parser.add_argument("--data", type=Path, default=Path(gettempdir()) / "mixc-bench-build")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.part:
        print(json.dumps(part(asked.part, asked.data, int(asked.rows), asked.chosen)))
        return
    kept = asked.data / "results.json"
    results: dict[str, dict[str, dict[str, float]]] = json.loads(kept.read_text()) if kept.exists() else {}
    for rows in map(int, asked.rows.split(",")):
        corpus(asked.data, rows)
        time.sleep(2.1)  # what is kept of a file is kept when the file has been left alone for so long
        print(f"{rows:,} rows")
        for name in PARTS:
            command = [sys.executable, __file__, "--part", name, "--rows", str(rows), "--chosen", str(asked.chosen), "--data", str(asked.data)]
            found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            results.setdefault(str(rows), {})[name] = found
            print(f"  {name:10}  {found['seconds']:8.2f} s  {found['megabytes']:8,.0f} MB  {found['rows']:12,.0f} rows", flush=True)
    kept.write_text(json.dumps(results, indent=2) + "\n")
    if asked.plot:
        asked.plot.write_text(svg(results))


if __name__ == "__main__":
    main()
