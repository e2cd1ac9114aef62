"""What moved between two builds and why, worked out once more in plain Python from their files alone, for selections of quotas by teacher or skill and a budget of examples.

Tests import this file as `mixc.tests.moved`. It reads `selected.parquet`, `ledger.parquet` and `manifest.json`, and nothing of the program.
"""

import json
import re
from pathlib import Path
from typing import Any

import polars as pl

Row = dict[str, Any]
NOISE = 1e-9


def moved(before: Path, after: Path) -> dict[str, tuple[str, str, str | None]]:
    """By row id: which way it moved, the kind of its cause, and the clause that left it out (of `ties` and `unread` None)."""
    chosen = [set(pl.read_parquet(folder / "selected.parquet")["row_id"]) for folder in (before, after)]
    ledgers = [{row["row_id"]: row for row in pl.read_parquet(folder / "ledger.parquet").to_dicts()} for folder in (before, after)]
    manifests = [json.loads((folder / "manifest.json").read_text()) for folder in (before, after)]
    found = {}
    for move, out, inn in (("added", 0, 1), ("removed", 1, 0)):
        for row_id in chosen[inn] - chosen[out]:
            found[row_id] = (move, *_why(ledgers[out].get(row_id), ledgers[inn][row_id], manifests[out], manifests[inn]))
    return found


def _why(out: Row | None, inn: Row, out_build: Row, in_build: Row) -> tuple[str, str | None]:
    if out is None:
        return "unread", None
    filters = {each["number"]: each for each in out_build["path"] if each["kind"] != "maximize"}
    if out["step"] in filters:
        clause = filters[out["step"]]
        assert out["reason"].startswith(f"{clause['clause']}: ")
        return ("keep best" if clause["kind"] == "keep best" else "filter"), clause["clause"]
    assert out["step"] == len(filters) + 1
    sides = [_charges(row, build) for row, build in ((out, out_build), (inn, in_build))]
    gains = {key: sides[1].get(key, (0.0, None))[0] - sides[0].get(key, (0.0, None))[0] for key in (*sides[0], *sides[1])}
    gains["objective"] = inn["objective"] - out["objective"]
    assert abs(sum(gains.values()) - (inn["advantage"] - out["advantage"])) < 1e-6, "the parts are the whole"
    best = max(gains, key=lambda key: gains[key])
    if sum(gains.values()) <= NOISE or gains[best] <= NOISE:
        return "ties", None
    if best == "objective":
        return "objective", out_build["path"][-1]["clause"]
    return ("budget" if best == "budget" else "quota"), sides[0].get(best, (0.0, None))[1]


def _charges(row: Row, build: Row) -> dict[object, tuple[float, str]]:
    """What each clause adds to the advantage of a row, by what it is about."""
    found: dict[object, tuple[float, str]] = {}
    for told in build["selection"]["clauses"]:
        text, price = told["clause"], told["price"] if told["side"] == "low" else -told["price"]
        if text.startswith("budget"):
            found["budget"] = (price, text)
            continue
        kind, name = re.match(r'quota\s+(teacher|skill)\s+"?([^"]+?)"?\s+(?:<=|>=|=|\d)', text).groups()  # type: ignore[union-attr]
        inside = row["teacher"] == name if kind == "teacher" else any(name in chain.split("->") for chain in row["skills"])
        assert "tokens" not in text or not told["price"], "no price here is by the token"
        found[kind, name] = (price * inside, text)
    return found
