"""How long `mixc diff` of two builds takes, a million candidate rows in each, against what anyone would write first: an outer join of the two ledgers.

`python benchmarks/bench_diff.py [--rows 1000000] [--chosen 100000] [--runs 3] [--data FOLDER]`. A build of 3,000 rows is made for real; its plan, its manifest and the columns of its
ledger are those of the two folders that are timed, whose rows follow from their numbers. The second has other data in a hundredth of the rows, a score that moved in another
hundredth, a tighter filter and a quota otherwise, with other prices, so that tens of thousands of rows move for every kind of reason.

The whole command is timed, with the start of Python, in text and in JSON; so are the others, each in a process of its own: DuckDB and pandas join the ledgers by row id
and count rows kept, added and removed, these by teacher and by skill, and scores that differ. They name no cause: why each row moved is what else `mixc diff` does. Their counts must be its own.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from tempfile import gettempdir

import polars as pl

MIXC = [sys.executable, "-m", "mixc.cli.main"]
TEACHERS, SKILLS, A_PROMPT, ONE_IN, SMALL = 5, 118, 5, 100, 3_000
SPEC = """\
mix "bench" { seed 3 }

corpus traces {
  scan     "rows.parquet"
  prompt   question
  response answer
  teacher  model
}

skills topics { tag by column skill }

score naturalness = column(value)
score length      = column(tokens, unit: tokens)

decontaminate none because "the texts are made up"

select {
  where    length <= LONGEST tokens
  keep     best 4 per prompt by naturalness
  quota    teacher "teacher-0" <= CAP%
  quota    teacher "teacher-1" >= 21%
  quota    skill "skill 7" >= 2%
  budget   CHOSEN examples
  maximize naturalness
}
"""
SIDES = {"before": (0, 410, 20, (0.02, 0.05, 0.3, 0.9)), "after": (1, 390, 10, (0.11, 0.05, 0.32, 0.88))}
"""Of each build: the hundredths of the rows at which it starts, its filter, its cap, the prices of its three quotas and its budget."""
SQL = """
create temp table t as
select coalesce(a.status = 'selected', false) as was, coalesce(b.status = 'selected', false) as now, coalesce(b.teacher, a.teacher) as teacher, coalesce(b.skills, a.skills) as skills,
       a.naturalness != b.naturalness as moved, a.length != b.length as longer
from read_parquet('before/ledger.parquet') a full join read_parquet('after/ledger.parquet') b using (row_id)
"""


def corpus(start: int, rows: int, after: bool) -> pl.DataFrame:
    """Rows by number, five to a prompt: what a corpus has of them but texts."""
    number = pl.col("i")
    noise = sum((number.hash(seed) % 65_536 for seed in (21, 22, 23)), pl.lit(0)).cast(pl.Float64) / 98_304
    frame = pl.int_range(start, start + rows, eager=True).alias("i").to_frame()
    made = frame.select(
        "i", prompt=number // A_PROMPT, teacher=pl.format("teacher-{}", number % TEACHERS),
        skill=pl.format("skill {}", ((number // A_PROMPT).hash(5) % SKILLS).cast(pl.Int64)), length=(number.hash(7) % 400 + 20).cast(pl.Int64), naturalness=noise - 0.05 * (number % 3),
    )  # fmt: skip
    return made.with_columns(naturalness=pl.when(after & (number % ONE_IN == 7)).then(pl.col("naturalness") + 0.05).otherwise("naturalness"))


def small(folder: Path, name: str, rows: int) -> Path:
    """A real build of a few of these rows."""
    _, longest, cap, _ = SIDES[name]
    text = {"question": pl.format("How many are there in field {}?", "prompt"), "answer": pl.format("After {} steps there are {}.", "length", "i")}
    corpus(0, rows, name == "after").select(**text, model="teacher", skill="skill", tokens="length", value="naturalness").write_parquet(folder / "rows.parquet")
    spec = SPEC.replace("LONGEST", str(longest)).replace("CAP", str(cap)).replace("CHOSEN", str(rows // 10))
    (folder / f"{name}.mix").write_text(spec)
    subprocess.run([*MIXC, "build", f"{name}.mix", "--out", f"small-{name}", "-q"], cwd=folder, check=True, stdout=subprocess.DEVNULL, env=os.environ | {"MIXC_HOME": "store"})
    return folder / f"small-{name}"


def large(folder: Path, name: str, rows: int, chosen: int, like: Path) -> None:
    """The build `name` of many rows, by the prices that stand above: the rows with the highest advantage are selected."""
    start, longest, _, prices = SIDES[name]
    manifest = json.loads((like / "manifest.json").read_text())
    for told, price, side in zip(manifest["selection"]["clauses"], prices, ("high", "low", "low", "high"), strict=True):
        told |= {"price": price, "side": side, "binding": True}
    cap, floor, skill, budget = prices
    charge = -budget - cap * (pl.col("teacher") == "teacher-0") + floor * (pl.col("teacher") == "teacher-1") + skill * (pl.col("skill") == "skill 7")
    frame = corpus(start * rows // ONE_IN, rows, name == "after").with_columns(
        row_id=pl.format("{}{}", *(number_in_hex(seed) for seed in (41, 42))), prompt_id=pl.format("{}{}", *(pl.col("prompt").hash(seed).cast(pl.String) for seed in (43, 44))),
        tie=pl.col("i").hash(3), whole=pl.col("naturalness") + charge,
    )  # fmt: skip
    frame = frame.with_columns(step=pl.when(pl.col("length") > longest).then(1)).with_columns(
        place=pl.when(pl.col("step").is_null()).then(pl.col("naturalness")).rank("ordinal", descending=True).over("prompt").cast(pl.Int64)
    )
    last = [pl.col(name).filter(pl.col("place") == 4).first().over("prompt") for name in ("row_id", "naturalness")]
    frame = frame.with_columns(rival=last[0], margin=pl.col("naturalness") - last[1], step=pl.when(pl.col("place") > 4).then(2).otherwise("step"))
    best = pl.when(pl.col("step").is_null()).then("whole").rank("ordinal", descending=True) <= chosen
    frame = frame.with_columns(step=pl.coalesce("step", pl.when(~best).then(3)))
    under = "select: not among the best by `maximize naturalness` under " + ", ".join(f"`{told['clause']}`" for told in manifest["selection"]["clauses"])
    reasons = {1: pl.format("where length <= {} tokens: false ({} > {})", pl.lit(longest), "length", pl.lit(longest)), 2: pl.format("keep best 4 per prompt by naturalness: beaten by {}", "rival")}
    reason = pl.when(pl.col("step") == 1).then(reasons[1]).when(pl.col("step") == 2).then(reasons[2]).when(pl.col("step") == 3).then(pl.lit(under))
    schema = pl.read_parquet_schema(like / "ledger.parquet")
    known = {
        "skills": pl.concat_list("skill"), "tokens": pl.col("length"), "reason": reason, "status": pl.when(pl.col("step").is_null()).then(pl.lit("selected")).otherwise(pl.lit("dropped")),
        "2: place": pl.col("place"), "2: rival": pl.col("rival"), "2: margin": pl.col("margin"), "objective": pl.col("naturalness"),
        "advantage": pl.when(pl.col("step").is_null() | (pl.col("step") == 3)).then("whole"),
    }  # fmt: skip
    ledger = frame.sort("row_id").select(*(known.get(column, pl.col(column) if column in frame.columns else pl.lit(None)).cast(dtype).alias(column) for column, dtype in schema.items()))
    target = folder / name
    target.mkdir()
    ledger.write_parquet(target / "ledger.parquet", compression="zstd", compression_level=3, row_group_size=65_536)
    columns = pl.read_parquet_schema(like / "selected.parquet")
    texts = {"prompt": pl.lit("How many are there?"), "response": pl.format("There are {}.", "tokens"), "weight": pl.lit(1.0)}
    rows_in = ledger.filter(pl.col("status") == "selected")
    rows_in.select(*(texts.get(column, pl.col(column) if column in ledger.columns else pl.lit(None)).cast(dtype).alias(column) for column, dtype in columns.items())).write_parquet(target / "selected.parquet")
    shutil.copy(like / "plan.json", target / "plan.json")
    (target / "manifest.json").write_text(json.dumps(manifest))


def number_in_hex(seed: int) -> pl.Expr:
    """A hash of the row's number as sixteen digits."""
    return pl.col("i").hash(seed).map_batches(lambda numbers: pl.Series([f"{n:016x}" for n in numbers]), return_dtype=pl.String)


def by_duckdb() -> list[int]:
    """Kept, added, removed, and values that moved, by one full join in DuckDB; moved rows by teacher and by skill."""
    import duckdb

    base = duckdb.connect()
    base.execute(SQL)
    base.execute("select teacher, now, count(*) from t where was != now group by all").fetchall()
    base.execute("select skill, now, count(*) from (select unnest(skills) as skill, now from t where was != now) group by all").fetchall()
    found = base.execute("select count_if(was and now), count_if(now and not was), count_if(was and not now), count_if(moved), count_if(longer) from t").fetchone()
    return list(found or ())


def by_pandas() -> list[int]:
    """The same by an outer merge in pandas."""
    import pandas as pd

    names = ["row_id", "teacher", "skills", "status", "naturalness", "length"]
    first, second = (pd.read_parquet(f"{each}/ledger.parquet", columns=names) for each in ("before", "after"))
    both = first.merge(second, on="row_id", how="outer", suffixes=("_a", "_b"))
    was, now = both["status_a"] == "selected", both["status_b"] == "selected"
    apart = [(both[f"{name}_a"] != both[f"{name}_b"]) & both[f"{name}_a"].notna() & both[f"{name}_b"].notna() for name in ("naturalness", "length")]
    moved = both[was != now].assign(now=now[was != now])
    moved["teacher_b"].fillna(moved["teacher_a"]).groupby(moved["now"]).value_counts()
    moved.assign(skills=moved["skills_b"].where(moved["skills_b"].notna(), moved["skills_a"])).explode("skills").groupby("now")["skills"].value_counts()
    return [int(n.sum()) for n in (was & now, now & ~was, was & ~now, *apart)]


def timed(command: list[str], folder: Path, runs: int) -> tuple[float, float, str]:
    """The median seconds of a whole process on the clock and on processors, and what it printed."""
    clock, busy, said = [], [], ""
    for _ in range(runs):
        began, before = time.perf_counter(), getrusage(RUSAGE_CHILDREN)
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=False)
        clock.append(time.perf_counter() - began)
        after = getrusage(RUSAGE_CHILDREN)
        busy.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
        said = done.stdout
        if done.returncode not in (0, 2):
            raise SystemExit(f"{' '.join(command)}: exit code {done.returncode}")
    return median(clock), median(busy), said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--chosen", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--data", type=Path, default=Path(gettempdir()) / "mixc-bench-diff")
    parser.add_argument("--here", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.here:
        print(json.dumps({"duckdb": by_duckdb, "pandas": by_pandas}[asked.here]()))
        return
    folder = asked.data
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in SIDES:
        large(folder, name, asked.rows, asked.chosen, small(folder, name, SMALL))
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors", flush=True)
    text, work, _ = timed([*MIXC, "diff", "before", "after"], folder, asked.runs)
    whole, more, said = timed([*MIXC, "diff", "before", "after", "--format", "json"], folder, asked.runs)
    found = json.loads(said)["builds"]["dataset"]
    rows, scores = found["rows"], {each["name"]: each["changed"] for each in found["scores"]}
    counts = [rows["kept"], rows["added"], rows["removed"], scores["naturalness"], scores["length"]]
    print(f"{found['read']['both']:,} rows in both; kept {counts[0]:,}, added {counts[1]:,}, removed {counts[2]:,}, {len(found['causes'])} causes; {counts[3]:,} scores moved")
    print(f"mixc diff            {text:6.2f} s, {work:6.2f} s of processors\nmixc diff, all rows  {whole:6.2f} s, {more:6.2f} s of processors  (JSON of {len(said) / 1e6:.0f} MB)", flush=True)
    for name in ("duckdb", "pandas"):
        seconds, worked, told = timed([sys.executable, str(Path(__file__).resolve()), "--here", name], folder, asked.runs)
        same = "the same counts" if json.loads(told) == counts else f"OTHER COUNTS: {told.strip()}"
        print(f"{name:<19}  {seconds:6.2f} s, {worked:6.2f} s of processors: {seconds / text:.2f} and {worked / work:.2f} times those of mixc diff; {same}, no causes", flush=True)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
