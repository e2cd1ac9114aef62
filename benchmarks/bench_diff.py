"""How long `mixc diff` of two builds takes, a million candidate rows in each, against what anyone would write first: an outer join of the two ledgers.

`python benchmarks/bench_diff.py [--rows 1000000] [--chosen 100000] [--runs 3] [--data FOLDER]`. The two builds are real ones (`bench_build.py` has the corpus: short texts, 5 rows
a prompt, 118 skills, 5 teachers; all of its clauses bind), made once in FOLDER. The second one reads other data in a hundredth of the rows, has one quota otherwise and a filter that
is tighter, so that rows move for every kind of reason. The whole command is timed, with the start of Python, in text and in JSON; so are the others: DuckDB and pandas join the ledgers
(row id, teacher, skills, status and the two scores, of the selected rows their skills alone), and count rows added, removed and kept, by teacher and by skill, and the scores
that differ. They name no cause: what else `mixc diff` does is why each row moved. Their counts must be those of `mixc diff`. Medians of RUNS, one after the other.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import gettempdir

import polars as pl
from bench_build import HEAD, SKILLS, TEACHERS, file

ONE_IN = 100
MIXC = [sys.executable, "-m", "mixc.cli.main"]
SQL = """
select a.status = 'selected' as was, b.status = 'selected' as is_in, coalesce(b.teacher, a.teacher) as teacher,
       coalesce(b.skills, a.skills) as skills, a.naturalness != b.naturalness as moved, a.length != b.length as longer
from read_parquet('{}/ledger.parquet') a full join read_parquet('{}/ledger.parquet') b using (row_id)
"""


def spec(chosen: int, corpus: str, cap: int, longest: int) -> str:
    """Hard skills have floors above what they would get, easy ones caps below, two budgets leave short rows only."""
    fair = chosen / SKILLS
    floors = [f'  quota skill "skill {SKILLS - 1 - i}" >= {int(0.9 * fair)} examples' for i in range(45)]
    caps = [f'  quota skill "skill {i}" <= {int(1.05 * fair)} examples' for i in range(21)]
    shares = [f'  quota teacher "teacher-{i}" {f"<= {cap if i == 0 else 22}%" if i % 3 == 0 else ">= 18%"} of tokens' for i in range(TEACHERS)]
    budgets = [f"  budget {chosen} examples", f"  budget {chosen * 180} tokens"]
    filters = [f"  where length <= {longest} tokens", "  keep best 4 per prompt by naturalness", "  keep at most 1 per prompt"]
    head = HEAD.replace("rows/*.parquet", f"{corpus}/*.parquet")
    return head + "select {\n" + "\n".join([*filters, *floors, *caps, *shares, *budgets, "  maximize naturalness", "  count tokens by length"]) + "\n}\n"


def builds(folder: Path, rows: int, chosen: int) -> None:
    """The folders `before` and `after`, unless they are there."""
    folder.mkdir(parents=True, exist_ok=True)
    few = rows // ONE_IN
    for name, start, cap, longest in (("before", 0, 22, 410), ("after", few, 20, 390)):
        if (folder / name / "manifest.json").exists():
            continue
        (folder / f"rows-{name}").mkdir(exist_ok=True)
        made = file(start, rows)
        if name == "after":  # a score that moved in a hundredth of the rows
            made = made.with_columns(value=pl.when(made["tokens"] % ONE_IN == 7).then(pl.col("value") + 0.05).otherwise("value"))
        made.write_parquet(folder / f"rows-{name}" / "rows.parquet", row_group_size=100_000)
        (folder / f"{name}.mix").write_text(spec(chosen, f"rows-{name}", cap, longest))
        began = time.perf_counter()
        subprocess.run([*MIXC, "build", f"{name}.mix", "--out", name, "-q"], cwd=folder, check=True, stdout=subprocess.DEVNULL, env=os.environ | {"MIXC_HOME": "store"})
        print(f"built `{name}` in {time.perf_counter() - began:.0f} s", flush=True)


def by_duckdb(before: str, after: str) -> dict[str, object]:
    """The counts by one full join in DuckDB."""
    import duckdb

    base = duckdb.connect()
    base.execute(f"create temp table t as {SQL.format(before, after)}")
    moved = "(was is distinct from true and is_in, was and is_in is distinct from true)"
    whole = base.execute("select count_if(was and is_in), count_if(is_in and was is distinct from true), count_if(was and is_in is distinct from true), count_if(moved), count_if(longer) from t").fetchone()
    where = "where (was is distinct from true and is_in) or (was and is_in is distinct from true)"
    teachers = base.execute(f"select teacher, {moved}, count(*) from t {where} group by all").fetchall()
    skills = base.execute(f"select unnest(skills) as skill, {moved}, count(*) from t {where} group by all").fetchall()
    return {"counts": whole, "teachers": len(teachers), "skills": len(skills)}


def by_pandas(before: str, after: str) -> dict[str, object]:
    """The same by an outer merge in pandas."""
    import pandas as pd

    names = ["row_id", "teacher", "skills", "status", "naturalness", "length"]
    first, second = (pd.read_parquet(f"{each}/ledger.parquet", columns=names) for each in (before, after))
    both = first.merge(second, on="row_id", how="outer", suffixes=("_a", "_b"))
    was, now = both["status_a"] == "selected", both["status_b"] == "selected"
    apart = [(both[f"{name}_a"] != both[f"{name}_b"]) & both[f"{name}_a"].notna() & both[f"{name}_b"].notna() for name in ("naturalness", "length")]
    moved = both[was != now]
    teachers = moved["teacher_b"].fillna(moved["teacher_a"]).groupby([was[moved.index]]).value_counts()
    skills = moved["skills_b"].where(moved["skills_b"].notna(), moved["skills_a"]).explode().groupby([was[moved.index].repeat(1)]).value_counts()
    return {"counts": tuple(int(n.sum()) for n in (was & now, now & ~was, was & ~now, *apart)), "teachers": len(teachers), "skills": len(skills)}


def timed(command: list[str], folder: Path, runs: int) -> tuple[float, str]:
    """The median seconds of a whole process, and what it printed last."""
    seconds, said = [], ""
    for _ in range(runs):
        began = time.perf_counter()
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=False)
        seconds.append(time.perf_counter() - began)
        said = done.stdout
        if done.returncode not in (0, 2):
            raise SystemExit(f"{command}: {done.returncode}")
    return median(seconds), said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--chosen", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--data", type=Path, default=Path(gettempdir()) / "mixc-bench-diff")
    parser.add_argument("--here", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.here:
        print(json.dumps({"duckdb": by_duckdb, "pandas": by_pandas}[asked.here]("before", "after")))
        return
    folder = asked.data / f"{asked.rows}-{asked.chosen}"
    builds(folder, asked.rows, asked.chosen)
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    text, _ = timed([*MIXC, "diff", "before", "after"], folder, asked.runs)
    whole, said = timed([*MIXC, "diff", "before", "after", "--format", "json"], folder, asked.runs)
    found = json.loads(said)["builds"]["dataset"]
    rows, scores = found["rows"], {each["name"]: each["changed"] for each in found["scores"]}
    counts = [rows["kept"], rows["added"], rows["removed"], scores["naturalness"], scores["length"]]
    print(f"{found['read']['both']:,} rows in both; kept {counts[0]:,}, added {counts[1]:,}, removed {counts[2]:,}; {len(found['causes'])} causes")
    print(f"mixc diff            {text:6.2f} s\nmixc diff, all rows  {whole:6.2f} s  (JSON, {len(said) / 1e6:.0f} MB)")
    for name in ("duckdb", "pandas"):
        seconds, told = timed([sys.executable, str(Path(__file__).resolve()), "--here", name], folder, asked.runs)
        same = list(json.loads(told)["counts"]) == counts
        print(f"{name:<19}  {seconds:6.2f} s  {seconds / text:.2f} times as long, {'the same counts' if same else f'OTHER COUNTS: {told}'}, no causes", flush=True)


if __name__ == "__main__":
    main()
