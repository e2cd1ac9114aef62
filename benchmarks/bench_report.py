"""How long a report of a build takes, how large the page is, and how both grow with the candidates; beside it the same plots as one Altair page.

`python benchmarks/bench_report.py [--rows 100000,1000000] [--chosen N] [--data FOLDER] [--limit-seconds 10] [--limit-megabytes 5]`. A corpus as of
`bench_build.py` (5 rows a prompt, 118 skills, 5 teachers) is built once in FOLDER with a selection of N rows. Two pages are made of it in the same run, each in
a process of its own, and the imports count:

report: `mixc report`, all of its sections. altair: the two histograms by teacher and the histogram of tokens that the report has among others, from the
ledger's columns, the rows embedded as Altair does where nobody aggregates for it; without the library that its page fetches from the network.

It fails where the report of the first size is over the limits.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import gettempdir

from bench_build import HEAD, corpus

SELECT = """\
select {{
  where    length <= 400 tokens
  where    naturalness >= p10 within teacher
  keep     best 3 per prompt by naturalness
  quota    teacher "teacher-1" <= 25%
  quota    skill "skill 117" >= 2%
  budget   {chosen} examples
  maximize naturalness
}}
"""
ALTAIR = """
import sys
from pathlib import Path
import altair as alt
import polars as pl

alt.data_transformers.disable_max_rows()
rows = pl.read_parquet(Path(sys.argv[1]) / "ledger.parquet", columns=["teacher", "naturalness", "length", "tokens", "status"])
base = alt.Chart(rows).properties(width=300, height=60)
ridges = [base.mark_area().encode(x=alt.X(name, bin=alt.Bin(maxbins=32)), y="count()", color="status", row="teacher") for name in ("naturalness", "length")]
lengths = base.mark_bar().encode(x=alt.X("tokens", bin=alt.Bin(maxbins=40)), y="count()", color="status")
alt.hconcat(*ridges, lengths).save(sys.argv[2])
"""
MIXC = "import runpy; runpy.run_module('mixc.cli.main', run_name='__main__')"


def timed(code: str, *words: str) -> float:
    """Seconds of a Python of its own."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", code, *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return time.monotonic() - began


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="100000", type=lambda text: [int(each) for each in text.split(",")])
    parser.add_argument("--chosen", default=5_000, type=int)
    parser.add_argument("--data", default=Path(gettempdir()) / "mixc-bench-report", type=Path)
    parser.add_argument("--limit-seconds", default=10.0, type=float)
    parser.add_argument("--limit-megabytes", default=5.0, type=float)
    asked = parser.parse_args()
    over = False
    for number, rows in enumerate(asked.rows):
        folder = corpus(asked.data, rows)
        (folder / "bench.mix").write_text(HEAD + SELECT.format(chosen=asked.chosen))
        built = folder / "build" / "bench"
        os.environ["MIXC_HOME"] = str(folder / "store")
        os.chdir(folder)
        timed(MIXC, "build", "bench.mix", "-q")
        found = {}
        for name, code, words, page in (("report", MIXC, ("report", str(built), "-q"), built / "report.html"), ("altair", ALTAIR, (str(built), "altair.html"), folder / "altair.html")):
            seconds = timed(code, *words)
            found[name] = seconds, page.stat().st_size / 1e6
            print(f"{rows:>11,} candidates  {name:<7} {seconds:6.2f} s  {found[name][1]:8.3f} MB", flush=True)
        (ours, size), (theirs, other) = found["report"], found["altair"]
        print(f"{rows:>11,} candidates  the report takes {ours / theirs:.2f} of the time and {size / other:.4f} of the size")
        over |= number == 0 and (ours > asked.limit_seconds or size > asked.limit_megabytes)
    return int(over)


if __name__ == "__main__":
    raise SystemExit(main())
