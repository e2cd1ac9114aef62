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
    if gains[best] <= NOISE:
        return _at_bound(out, inn, out_build, in_build)
    if best == "objective":
        return "objective", out_build["path"][-1]["clause"]
    return ("budget" if best == "budget" else "quota"), sides[0].get(best, (0.0, None))[1]


def _at_bound(out: Row, inn: Row, out_build: Row, in_build: Row) -> tuple[str, str | None]:
    """The first clause that is written otherwise, counts the row, and is just met: from above where the row is out, from below where it is in."""
    sides = [_charges(row, build) for row, build in ((out, out_build), (inn, in_build))]
    told = [{each["clause"]: each for each in build["selection"]["clauses"]} for build in (out_build, in_build)]
    for key in dict.fromkeys((*sides[0], *sides[1])):
        texts = [side[key][1] if key in side else None for side in sides]
        for row, text, clauses, bound in ((out, texts[0], told[0], "high"), (inn, texts[1], told[1], "low")):
            if texts[0] != texts[1] and text is not None and _inside(row, key) and clauses[text][bound] is not None and clauses[text]["slack"] == 0:
                return ("budget" if key == "budget" else "quota"), texts[0]
    return "ties", None


def _inside(row: Row, key: Any) -> bool:
    if key == "budget":
        return True
    kind, name = key
    return row["teacher"] == name if kind == "teacher" else any(name in chain.split("->") for chain in row["skills"])


def _charges(row: Row, build: Row) -> dict[object, tuple[float, str]]:
    """What each clause adds to the advantage of a row, by what it is about."""
    found: dict[object, tuple[float, str]] = {}
    for told in build["selection"]["clauses"]:
        text, price = told["clause"], told["price"] if told["side"] == "low" else -told["price"]
        if text.startswith("budget"):
            found["budget"] = (price, text)
            continue
        kind, name = re.match(r'quota\s+(teacher|skill)\s+"?([^"]+?)"?\s+(?:<=|>=|=|\d)', text).groups()  # type: ignore[union-attr]
        assert "tokens" not in text or not told["price"], "no price here is by the token"
        found[kind, name] = (price * _inside(row, (kind, name)), text)
    return found
