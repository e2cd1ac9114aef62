"""Times soft targets over 118 leaves: the real teachers' responses by both solvers and by HiGHS alone, tables of any size by prices.

Each case says the seconds, what the targets miss and what every selection misses at least, the objective and its proven gap. Beside the smaller
ones the same problem is given to HiGHS as it stands, one column a row and one a leaf, in two runs: the shortfall, then the objective.

Usage: python benchmarks/bench_soft.py [--data FOLDER] [--shared FOLDER] [--rows N ...] [--kinds plain hard] [--plain SECONDS]
       [--parts tokens teachers tables]
FOLDER holds the made tables (default /tmp/mixc-bench) or teachers.parquet (default $MIXC_SHARED, or ../shared/data); SECONDS is HiGHS's limit a run.
"""

import argparse
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import highspy
import numpy as np
import polars as pl
from candidates import candidates
from mixc.compiler.plan.stages import AtMost, Budget, Group, Quota, SoftQuota
from mixc.compiler.source import Span
from mixc.runtime.selection.exact import solve
from mixc.runtime.selection.matrix import NONE, stacked
from mixc.runtime.selection.problem import Infeasible, Problem, Soft, Solution
from mixc.runtime.selection.rows import Row, rows
from mixc.runtime.selection.soft.solve_soft import solve_soft
from mixc.runtime.selection.targets import shares
from mixc.runtime.tie_share import tie_share

HERE = Span("bench_soft.mix", 0, 0)
LEAVES = 118


def budget(amount: int, unit: str) -> Budget:
    return Budget(text=f"budget {amount} {unit}", amount=amount, unit=unit, span=HERE)


def quota(kind: str, value: str, low: float | None, high: float | None, unit: str) -> Quota:
    return Quota(text=f"quota {kind} {value}", group=Group(kind=kind, value=value), low=low, high=high, unit=unit, span=HERE)


def weakness(leaf: np.ndarray, amount: int, unit: str) -> Soft[np.ndarray]:
    """Targets by weights from 1 to 20 as a student has them that is good at most leaves and poor at a few: they are what the corpus has least of."""
    weight = {f"{i:03}": Fraction(min(20.0, 1 / acc)) for i, acc in enumerate(np.random.default_rng(3).beta(1.2, 1.0, LEAVES) + 1e-3)}
    found = shares(weight, amount)
    clause = SoftQuota(text="quota skill weakness(max_weight: 20)", shape="weakness", span=HERE)
    return Soft(clause=clause, leaves=tuple(found), targets=tuple(found.values()), members=tuple(np.flatnonzero(leaf == i) for i in range(LEAVES)), unit=unit)


def problem(columns: dict[str, np.ndarray], count: int, tokens: int) -> Problem:
    """At most one response a prompt, five teachers held to shares of the tokens, a budget of examples and one of tokens."""
    teachers = np.unique(columns["teacher"])
    return Problem(
        prompt=columns["prompt"], tokens=columns["tokens"], objective=columns["objective"], tie=columns["tie"],
        at_most=AtMost(text="keep at most 1 per prompt", count=1, span=HERE),
        quotas=tuple(quota("teacher", str(t), None, round(160 / len(teachers), 1), "% of tokens") for t in teachers),
        members=tuple(columns["teacher"] == t for t in teachers), budgets=(budget(count, "examples"), budget(tokens, "tokens")),
        soft=weakness(columns["leaf"], count, "examples"),
    )  # fmt: skip


def real(folder: Path) -> Problem:
    found = pl.read_parquet(folder / "teachers.parquet").sort("prompt_id", "teacher", "response")
    rng, tokens = np.random.default_rng(7), found["student_tokens"].to_numpy()
    named = np.unique(found["skill"].fill_null("").to_numpy().astype(str), return_inverse=True)[1]
    prompt = np.unique(found["prompt_id"].to_numpy().astype(str), return_inverse=True)[1]
    # The skills of the corpus, each cut into leaves by prompt, until there are as many as a profile has.
    parts = LEAVES // (named.max() + 1)
    return problem(
        {
            "prompt": prompt, "tokens": tokens, "objective": -np.abs(rng.normal(1, 0.3, found.height)) - tokens / 5000,
            "tie": rng.integers(0, 2**64, found.height, dtype=np.uint64), "leaf": np.minimum(named * parts + prompt % parts, LEAVES - 1),
            "teacher": found["teacher"].to_numpy().astype(str),
        },
        5000, 900_000,
    )  # fmt: skip


def made(folder: Path, kind: str, size: int) -> Problem:
    found = pl.read_parquet(candidates(folder, kind, size) / "*.parquet").sort("row")
    names = {"prompt": "prompt", "tokens": "tokens", "objective": "objective", "tie": "tie", "teacher": "teacher", "leaf": "skill"}
    return problem({mine: found[theirs].to_numpy() for mine, theirs in names.items()}, size // 40, size // 40 * 260)


def token_cases() -> Iterator[tuple[str, Problem]]:
    """Targets in tokens, where tokens alone are the budget."""
    for size, leaves in ((2_000, 10), (60_000, 100)):
        rng = np.random.default_rng(1)
        leaf, tokens = rng.integers(0, leaves, size), rng.integers(20, 900, size)
        amount = int(tokens.sum()) // 5
        base = Problem(
            prompt=np.arange(size) // 2, tokens=tokens, objective=rng.normal(size=size), tie=rng.integers(0, 2**64, size, dtype=np.uint64),
            at_most=AtMost(text="keep at most 1 per prompt", count=1, span=HERE), budgets=(budget(amount, "tokens"),),
        )  # fmt: skip
        clause = SoftQuota(text="quota skill uniform", shape="uniform", span=HERE)
        names = tuple(f"{i:03}" for i in range(leaves))
        members = tuple(np.flatnonzero(leaf == i) for i in range(leaves))
        yield f"tokens alone, {leaves} leaves", replace(base, soft=Soft(clause=clause, leaves=names, targets=(amount // leaves,) * leaves, members=members, unit="tokens"))


def plain(case: Problem, limit: float) -> str:
    """The case as one MILP, solved by HiGHS alone in two runs: the least shortfall, then the highest objective that misses no more."""
    soft, wide = case.soft, case.size
    assert soft is not None
    weight = case.tokens if soft.unit == "tokens" else np.ones(wide, np.int64)
    aimed = [Row(np.append(m, wide + i), np.append(weight[m], 1), t, None) for i, (m, t) in enumerate(zip(soft.members, soft.targets, strict=True))]
    cost = np.r_[case.objective * (case.tokens if case.fills_tokens else 1), np.zeros(len(aimed))]
    upper = np.r_[np.ones(wide), np.array(soft.targets, float)]
    lacking = np.r_[np.zeros(wide), np.ones(len(aimed))]
    start = time.perf_counter()
    first = _run([*rows(case), *aimed], -lacking, upper, limit)
    if first is None:
        return f"HiGHS alone: no selection in {limit:.0f} s"
    least, shown = round(-first[0]), f"missed {round(-first[0]):,} ({first[2]})"
    between = time.perf_counter() - start
    held = Row(np.flatnonzero(lacking), np.ones(len(aimed), np.int64), None, least)
    second = _run([*rows(case), *aimed, held], cost, upper, limit)
    told = "no selection" if second is None else f"objective {second[0]:.6f}, gap {second[1]:.1e} ({second[2]})"
    return f"HiGHS alone: {time.perf_counter() - start:.2f} s, {between:.2f} of them for the shortfall: {shown}, {told}"


def _run(made: list[Row], cost: np.ndarray, upper: np.ndarray, limit: float) -> tuple[float, float, str] | None:
    matrix, lp = stacked(made, len(cost)), highspy.HighsLp()
    order = np.lexsort((matrix.row, matrix.column))
    lp.num_col_, lp.num_row_ = len(cost), matrix.height
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = -cost, np.zeros(len(cost)), upper
    lp.row_lower_ = np.where(matrix.low == -NONE, -highspy.kHighsInf, matrix.low)
    lp.row_upper_ = np.where(matrix.high == NONE, highspy.kHighsInf, matrix.high)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = np.searchsorted(matrix.column[order], np.arange(len(cost) + 1)).astype(np.int32)
    lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.row[order].astype(np.int32), matrix.value[order].astype(float)
    lp.integrality_ = [highspy.HighsVarType.kInteger] * len(cost)
    solver = highspy.Highs()
    for name, value in {"output_flag": False, "threads": 1, "random_seed": 0, "time_limit": limit, "mip_rel_gap": 0.0}.items():
        solver.setOptionValue(name, value)
    solver.passModel(lp)
    solver.run()
    info = solver.getInfo()
    if info.primal_solution_status != 2:
        return None
    return -info.objective_function_value, info.mip_gap, solver.modelStatusToString(solver.getModelStatus()).lower()


def told(answer: Solution | Infeasible) -> str:
    if isinstance(answer, Infeasible) or answer.soft is None:
        return "conflict"
    short = sum(t.shortfall > 0 for t in answer.soft.targets)
    gap = f"objective {answer.objective:.6f}, gap {answer.gap:.1e}"
    return f"missed {answer.soft.shortfall:,} {answer.soft.unit} in {short} leaves, at least {answer.soft.least:,}; {gap}"


def shown(name: str, case: Problem, *, exactly: bool, limit: float) -> None:
    assert case.soft is not None
    # As a build does it: where most rows tie, the seeded hash is a small part of what they are worth.
    worth = case.objective + tie_share(pl.Series(case.objective)) * (1 - case.tie / 2.0**64)
    by = {"by prices": lambda: solve_soft(case, case.soft, worth)} | ({"exactly": lambda: solve(case)} if exactly else {})  # pyright: ignore[reportArgumentType]
    for how, work in by.items():
        start, busy = time.perf_counter(), time.process_time()
        answer = work()
        print(f"{name}, {case.size:,} rows, {how}: {time.perf_counter() - start:.2f} s, {time.process_time() - busy:.2f} of CPU  {told(answer)}", flush=True)
    if limit:
        print(f"{name}: {plain(case, limit)}", flush=True)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--data", type=Path, default=Path("/tmp/mixc-bench"))
    asked.add_argument("--shared", type=Path, default=Path(os.environ.get("MIXC_SHARED", "../shared/data")))
    asked.add_argument("--rows", type=int, nargs="*", default=[500_000, 2_000_000])
    asked.add_argument("--kinds", nargs="*", default=["plain", "hard"])
    asked.add_argument("--plain", type=float, default=60.0)
    asked.add_argument("--parts", nargs="*", default=["tokens", "teachers", "tables"])
    given = asked.parse_args()
    for name, case in token_cases() if "tokens" in given.parts else ():
        shown(name, case, exactly=False, limit=given.plain if case.size <= 2_000 else 0)
    if "teachers" in given.parts and (given.shared / "teachers.parquet").exists():
        shown("teachers", real(given.shared), exactly=True, limit=given.plain)
    for size in given.rows if "tables" in given.parts else ():
        for kind in given.kinds:
            shown(kind, made(given.data, kind, size), exactly=False, limit=0)


if __name__ == "__main__":
    main()
