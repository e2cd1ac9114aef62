"""Times the exact selection solver on the real teachers' responses: floors and caps on every skill, teacher caps, two
budgets.

Each case says its rows and clauses, the seconds to a proof and the gap that is left, and beside it the same problem given to HiGHS as it stands, one
binary column a row, with a limit of COMPETITOR_SECONDS.

Usage: python benchmarks/bench_solve.py [DATA_FOLDER [PART_OF_A_CASE'S_NAME]]; the folder holds teachers.parquet (default: $MIXC_SHARED, or
../shared/data).
"""

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import highspy
import numpy as np
import polars as pl
from mixc.compiler.plan.stages import AtMost, Budget, Group, Quota
from mixc.compiler.source import Span
from mixc.runtime.selection.exact import solve
from mixc.runtime.selection.matrix import NONE, stacked
from mixc.runtime.selection.problem import Infeasible, Problem
from mixc.runtime.selection.rows import rows

HERE = Span("bench_solve.mix", 0, 0)
EXAMPLES, TOKENS = 5000, 700_000
COMPETITOR_SECONDS = 45


def quota(kind: str, value: str, low: float | None, high: float | None, unit: str) -> Quota:
    text = f'quota {kind} "{value}" {low}..{high} {unit}'
    return Quota(text=text, group=Group(kind=kind, value=value), low=low, high=high, unit=unit, span=HERE)


def budget(amount: int, unit: str, up_to: bool = False) -> Budget:
    return Budget(text=f"budget {amount} {unit}", amount=amount, unit=unit, up_to=up_to, span=HERE)


def problem(folder: Path) -> Problem:
    """Every row a candidate, valued by a continuous score made from its length and a seeded normal number."""
    rows = pl.read_parquet(folder / "teachers.parquet").sort("prompt_id", "teacher", "response")
    rng = np.random.default_rng(7)
    quotas, members = [], []
    for skill in sorted(rows["skill"].unique().drop_nulls()):
        inside = (rows["skill"] == skill).fill_null(False).to_numpy()
        share = EXAMPLES * inside.mean()
        quotas.append(quota("skill", skill, float(int(0.8 * share)), float(int(1.1 * share) + 1), "examples"))
        members.append(inside)
    for teacher in sorted(rows["teacher"].unique()):
        quotas.append(quota("teacher", teacher, None, 12.0, "% of tokens"))
        members.append((rows["teacher"] == teacher).to_numpy())
    tokens = rows["student_tokens"].to_numpy()
    return Problem(
        prompt=np.unique(rows["prompt_id"].to_numpy().astype(str), return_inverse=True)[1],
        tokens=tokens,
        objective=-np.abs(rng.normal(1, 0.3, rows.height)) - tokens / 5000,
        tie=rng.integers(0, 2**64, rows.height, dtype=np.uint64),
        at_most=AtMost(text="keep at most 1 per prompt", count=1, span=HERE),
        quotas=tuple(quotas),
        members=tuple(members),
        budgets=(budget(EXAMPLES, "examples"), budget(TOKENS, "tokens")),
    )


def cases(base: Problem, folder: Path) -> dict[str, Problem]:
    rows = pl.read_parquet(folder / "teachers.parquet").sort("prompt_id", "teacher", "response")
    both = base.budgets
    correct = rows["correct"].fill_null(False).to_numpy()
    return {
        "continuous score": base,
        "at most 3 per prompt": replace(base, at_most=replace(base.at_most, count=3)),
        "random": replace(base, objective=base.tie / 2.0**64),
        "correct, many ties": replace(base, objective=correct.astype(float)),
        "pass rate, 4 decimals": replace(base, objective=np.round(rows["pass_rate_all"].fill_null(0.0).to_numpy(), 4)),
        "up to 6000 examples": replace(base, budgets=(budget(6000, "examples", True), both[1])),
        "tokens alone": replace(base, budgets=both[1:]),
        "tight: 300,000 tokens": replace(base, budgets=(both[0], budget(300_000, "tokens"))),
        "infeasible: 200,000 tokens": replace(base, budgets=(budget(EXAMPLES, "examples"), budget(200_000, "tokens"))),
        "infeasible: floors 30 % higher": replace(
            base, quotas=tuple(replace(q, low=q.low * 1.3, high=None) if q.low else q for q in base.quotas)
        ),
        "infeasible: teachers under 5 %": replace(base, quotas=tuple(replace(q, high=5.0) if "%" in q.unit else q for q in base.quotas)),
    }


def plain(case: Problem) -> str:
    """The case as one MILP, solved by HiGHS alone: what it came to within the limit. A budget `up to` is a mere cap here."""
    made = rows(case)
    matrix = stacked(made, case.size)
    weight = case.tokens if case.fills_tokens else np.ones(case.size)
    order = np.lexsort((matrix.row, matrix.column))
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = case.size, matrix.height
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = -case.objective * weight, np.zeros(case.size), np.ones(case.size)
    lp.row_lower_ = np.where(matrix.low == -NONE, -highspy.kHighsInf, matrix.low)
    lp.row_upper_ = np.where(matrix.high == NONE, highspy.kHighsInf, matrix.high)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = np.searchsorted(matrix.column[order], np.arange(case.size + 1)).astype(np.int32)
    lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.row[order].astype(np.int32), matrix.value[order].astype(float)
    lp.integrality_ = [highspy.HighsVarType.kInteger] * case.size
    solver = highspy.Highs()
    for name, value in {"output_flag": False, "threads": 1, "random_seed": 0, "time_limit": float(COMPETITOR_SECONDS), "mip_rel_gap": 0.0}.items():
        solver.setOptionValue(name, value)
    solver.passModel(lp)
    start = time.perf_counter()
    solver.run()
    seconds, info = time.perf_counter() - start, solver.getInfo()
    status = solver.modelStatusToString(solver.getModelStatus()).lower()
    found = f"objective {-info.objective_function_value:.6f}, gap {info.mip_gap:.1e}" if info.primal_solution_status == 2 else "no selection"
    return f"HiGHS alone, limit {COMPETITOR_SECONDS} s: {seconds:.2f} s, {status}, {found}"


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("MIXC_SHARED", "../shared/data"))
    base = problem(folder)
    print(f"{base.size:,} candidates, {len(base.clauses)} clauses")
    wanted = sys.argv[2] if len(sys.argv) > 2 else ""
    for name, case in cases(base, folder).items():
        if wanted not in name:
            continue
        start, busy = time.perf_counter(), time.process_time()
        answer = solve(case)
        seconds, busy = time.perf_counter() - start, time.process_time() - busy
        if isinstance(answer, Infeasible):
            what = "conflict: " + "; ".join(m.clause.text for m in answer.conflict.members)
            what += " | " + "; ".join(c.changed.text for c in answer.conflict.changes) + f" | {answer.conflict.unsearched} clauses not searched"
        else:
            binding = sum(o.binding for o in answer.outcomes)
            what = f"{answer.chosen.sum():,} rows, objective {answer.objective:.6f}, gap {answer.gap}, {binding} clauses bind"
        print(f"{name:32} {case.size:,} rows, {len(case.clauses)} clauses: {seconds:.2f} s, {busy:.2f} s of CPU  {what}", flush=True)
        print(f"{'':32} {plain(case)}", flush=True)


if __name__ == "__main__":
    main()
