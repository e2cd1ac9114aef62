"""Selection from large tables: best-per-prompt with a cap a group against DuckDB, and the whole problem with prices, in reads.

Usage: python benchmarks/bench_selection.py [--data FOLDER] [--rows N ...] [--kinds plain hard] [--parts a b m] [--selected N ...]

A *read* is the median of five streaming sums over all columns, in the same process, before the work. Each case runs in a process of its
own; its memory is the peak less what the interpreter held when everything was imported. Needs `duckdb` for part a.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
from candidates import candidates

SQL = {
    "windows": """SELECT row FROM (SELECT row, skill, objective, tie FROM t WHERE correct AND tokens <= 1000
        QUALIFY row_number() OVER (PARTITION BY prompt ORDER BY objective DESC, tie) = 1)
        QUALIFY row_number() OVER (PARTITION BY skill ORDER BY objective DESC, tie) <= 1000""",
    "arg_max": """SELECT b.row FROM (SELECT arg_max({'row': row, 'skill': skill, 'objective': objective, 'tie': tie},
        {'objective': objective, 'untie': 18446744073709551615 - tie}) AS b FROM t WHERE correct AND tokens <= 1000 GROUP BY prompt)
        QUALIFY row_number() OVER (PARTITION BY b.skill ORDER BY b.objective DESC, b.tie) <= 1000""",
}


def read(frame: pl.LazyFrame) -> float:
    return statistics.median(timed(lambda: frame.select(pl.all().sum()).collect(engine="streaming"))[0] for _ in range(5))


def timed(work: Callable) -> tuple[float, object]:
    start = time.perf_counter()
    done = work()
    return time.perf_counter() - start, done


def thrice(work: Callable) -> tuple[float, object]:
    """The median of three runs, and what the last one gave."""
    runs = [timed(work) for _ in range(3)]
    return statistics.median(seconds for seconds, _ in runs), runs[-1][1]


def capped(folder: Path) -> dict:
    """Filter, best per prompt, at most 1,000 a skill: the rows that pass the filters of a spec, and the same rows by DuckDB; medians of three."""
    import duckdb
    from mixc.compiler.backends.polars_passing import passing
    from mixc.runtime.candidates import TIE
    from mixture import filters, named

    frame = pl.scan_parquet(folder / "*.parquet")
    done: dict = {"read": read(frame)}
    table, steps = named(frame, TIE), filters(1000)
    done["mixc"], rows = thrice(lambda: passing(table, steps, TIE))
    base = duckdb.connect()
    base.execute(f"SET threads = {pl.thread_pool_size()}; CREATE VIEW t AS SELECT * FROM read_parquet('{folder}/*.parquet')")
    for name, sql in SQL.items():
        done[f"duckdb, {name}"], found = thrice(lambda sql=sql: pl.Series(base.execute(sql).fetchnumpy()["row"], dtype=rows.dtype).sort())
        assert found.equals(rows), name
    best = min(seconds for name, seconds in done.items() if name.startswith("duckdb"))
    return {**done, "times faster than duckdb": best / done["mixc"], "reads": done["mixc"] / done["read"], "rows": rows.len()}


def marked(folder: Path) -> dict:
    """The same filters over the same table, with the reason of every row that does not pass."""
    from mixc.compiler.backends.polars_passing import passing
    from mixc.runtime.candidates import TIE
    from mixc.runtime.select import one_step
    from mixture import filters, named

    table, steps = named(pl.scan_parquet(folder / "*.parquet"), TIE), filters(1000)
    rows, done = table.collect(engine="streaming"), {}
    for step in steps:
        done[step.text], rows = thrice(lambda rows=rows, step=step: one_step(rows, step).collect(engine="streaming"))
    assert rows.filter(pl.col("reason").is_null())["row_id"].sort().equals(passing(table, steps, TIE))
    return done


def priced(folder: Path, selected: int) -> dict:
    """The whole problem."""
    from mixc.runtime.selection.prices.solve_table import solve_table
    from mixc.runtime.selection.table import Selected
    from mixture import mixture

    frame = pl.scan_parquet(folder / "*.parquet")
    start = peak()
    each = read(frame)
    before = peak()
    table = mixture(frame, selected)
    seconds, answer = timed(lambda: solve_table(table))
    assert isinstance(answer, Selected), answer
    return {
        "read": each,
        "seconds": seconds,
        "reads": seconds / each,
        "passes": answer.passes,
        "gap": answer.gap,
        "rows": len(answer.rows),
        "bound by": sum(o.binding for o in answer.outcomes),
        "clauses": len(answer.outcomes),
        "MB beside the interpreter": peak() - start,
        "of which a read takes": before - start,
        "digest": int(answer.rows.hash().sum() or 0),
    }


def peak() -> int:
    """The most memory this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=Path("build/bench-selection"))
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000_000])
    parser.add_argument("--kinds", nargs="+", default=["plain", "hard"])
    parser.add_argument("--parts", nargs="+", default=["a", "b", "m"], help="a: capped groups, w: with reasons, b: 1/200 of the rows selected, m: 1/20 of them")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        part, folder = given.one[0], Path(given.one[1])
        rows = int(folder.name.split("-")[1])
        work = {"a": capped, "w": marked, "b": lambda f: priced(f, rows // 200), "m": lambda f: priced(f, rows // 20)}
        done = work[part](folder)
        print(json.dumps(done))
        return
    for rows in given.rows:
        for kind in given.kinds:
            folder = candidates(given.data, kind, rows)
            for part in given.parts:
                command = [sys.executable, __file__, "--one", part, str(folder)]
                found = subprocess.run(command, capture_output=True, text=True, check=False)
                print(f"{kind}, {rows:,} rows, part {part}", flush=True)
                if found.returncode:
                    print(found.stderr[-2000:], flush=True)
                    continue
                for name, value in json.loads(found.stdout).items():
                    print(f"    {name:34} {value:.3g}" if isinstance(value, float) else f"    {name:34} {value:,}", flush=True)


if __name__ == "__main__":
    main()
