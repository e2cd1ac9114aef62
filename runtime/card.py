"""What the cards of models and of datasets are written with: YAML that the hub reads, tables and words that Markdown leaves as they are. Pure text."""

import json
import re
from collections.abc import Iterator, Sequence

from ..compiler.plan.stages import Plan, Scan

LICENCES = frozenset(
    ["afl-3.0", "agpl-3.0", "apache-2.0", "artistic-2.0", "bigcode-openrail-m", "bsd", "bsd-2-clause", "bsd-3-clause", "bsl-1.0", "cc", "cc-by-2.0", "cc-by-3.0", "cc-by-4.0", "cc-by-nc-4.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-4.0", "cc-by-nd-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc0-1.0", "creativeml-openrail-m", "gemma", "gpl", "gpl-2.0", "gpl-3.0", "isc", "lgpl", "lgpl-2.1", "lgpl-3.0", "llama2", "llama3", "llama3.1", "llama3.2", "llama3.3", "mit", "mpl-2.0", "odbl", "openrail", "openrail++", "pddl", "unlicense", "wtfpl", "zlib"]
)
"""Licences that the hub knows by these names; another one is `other`, and named."""


def licence_lines(stated: str) -> Iterator[str]:
    """The lines of front matter that tell the hub one licence."""
    known = stated.strip().lower()
    yield f"license: {known}\n" if known in LICENCES else f"license: other\nlicense_name: {yaml_text(re.sub(r'[^a-z0-9.+]+', '-', known).strip('-') or 'other')}\n"


def hub_datasets(plan: Plan) -> list[str]:
    """The ids of the corpora that are read from the hub."""
    paths = [s.path for s in plan.stages if isinstance(s, Scan)]
    return sorted({found[1] for path in paths if (found := re.match(r"hf://datasets/([\w.-]+/[\w.-]+)", path))})


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table of Markdown; what stands in a cell is no markup."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell(str(value)) for value in line)} |" for line in lines)


def cell(text: str) -> str:
    """A text on one line that is neither a column's end nor markup."""
    return re.sub(r"([\\|<>*_`\[\]])", r"\\\1", " ".join(text.split()))


def code(text: str) -> str:
    """What may stand between backticks, on one line."""
    return " ".join(text.split()).replace("`", "'")


def yaml_text(value: str) -> str:
    """A JSON string, which YAML reads as it is."""
    return json.dumps("".join(c for c in value if c.isprintable()), ensure_ascii=False)
