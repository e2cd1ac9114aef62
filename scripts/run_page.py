"""Writes a build as a page of tables: `python scripts/run_page.py build/gsm8k "mixc build specs/gsm8k.mix" > docs/runs/gsm8k.md`."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path


def table(head: list[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *([str(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def accuracy(arm: dict) -> str:
    low, high = arm["interval"]
    return f"{arm['correct']} of {arm['n']} ({arm['accuracy']:.0%}; 95 % interval {low:.0%} to {high:.0%})"


def page(folder: Path, command: str) -> str:
    """The manifest and the evaluation of a build, as Markdown."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    teachers = json.loads((folder / "teachers.json").read_text(encoding="utf-8"))["teachers"]
    parts = [f"# A run of `{command}`\n", f"Made by `scripts/run_page.py` from `{folder}`: plan {manifest['plan']}, seed {manifest['seed']}.\n"]
    parts.append("Versions: " + ", ".join(f"{name} {version}" for name, version in manifest["versions"].items()) + ".\n")
    parts.append("## Stages\n\n" + table(["stage", "what", "seconds"], ([s["stage"], s["summary"].replace("|", "\\|"), f"{s['seconds']:.1f}"] for s in manifest["stages"])))
    parts.append("## What each clause left\n\n" + table(["clause", "rows"], ([f"`{s['clause']}`", f"{s['rows']:,}"] for s in manifest["counts"]["funnel"])))
    means = sorted({key for t in teachers for key in t if key.startswith("mean ")})
    rows = ([t["teacher"], t["rows"], t["selected"], t["selected tokens"], *(f"{t[m]:.3f}" if t[m] is not None else "" for m in means)] for t in teachers)
    parts.append("## Teachers\n\n" + table(["teacher", "rows", "selected", "tokens selected", *means], rows))
    clauses = manifest["selection"]["clauses"]
    rows = ([f"`{c['clause']}`", f"{c['amount']:,} {c['unit'] if c['amount'] != 1 else c['unit'].removesuffix('s')}", "yes" if c["binding"] else "", f"{c['price']:.4g}" if c["price"] else ""] for c in clauses)
    parts.append("## The selection\n\n" + table(["clause", "reached", "binding", "price"], rows))
    parts.append(f"Solved by `{manifest['selection']['method']}`: objective {manifest['selection']['objective']:.4f}, gap {manifest['selection']['gap']:g}.\n")
    if (folder / "eval.json").exists():
        found = json.loads((folder / "eval.json").read_text(encoding="utf-8"))
        rows = [[f"{name}, greedy accuracy", *(accuracy(arms[arm]) if arm in arms else "" for arm in ("before", "after"))] for name, arms in found["benchmarks"].items()]
        if held := found.get("heldout"):
            rows.append([f"held-out NLL, nats a token ({held['rows']} rows)", *(f"{held[arm]:.4f}" if arm in held else "" for arm in ("before", "after"))])
        parts.append("## Before and after\n\n" + table(["", "before", "after"], rows))
    return "\n".join(parts)


if __name__ == "__main__":
    print(page(Path(sys.argv[1]), sys.argv[2]), end="")
