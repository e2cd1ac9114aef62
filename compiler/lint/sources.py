"""Lints of what is read: a benchmark that is also a corpus (MIX0605), a model that may change under its name (MIX0606)."""

import re

from ..diagnostics import Diagnostics, Label
from ..paths import beside
from ..semantics import ir
from ..source import Span
from ..syntax import ast
from .patterns import overlap
from .subject import Rule, Subject

_PINNED = re.compile(r"[0-9a-f]{40}\Z")
_MOST_PAIRS = 20_000
"""Pairs of patterns that are compared; a spec with more names each file out, and equal names are found without comparing."""


def benchmark_is_corpus(subject: Subject, notes: Diagnostics) -> None:
    """MIX0605."""
    mixture = subject.mixture
    for benchmark in mixture.evaluate.benchmarks if mixture.evaluate else ():
        for corpus in _read_by(benchmark.path, mixture, mixture.evaluate):
            notes.warning(
                "MIX0605",
                f"the benchmark `{benchmark.name}` is also read as corpus `{corpus.name}`",
                benchmark.span,
                "measured on",
                secondary=(Label(corpus.span, "and selected from"),),
                notes=("a model that is trained on the questions of its exam scores well and has learnt nothing",),
                help="keep the two in different files, or let the pattern of `scan` leave the benchmark out",
            )
    for node in subject.spec.of(ast.Decontaminate):
        for against in node.against:
            for corpus in _read_by(beside(against.value, against.span.path), mixture, mixture.decontaminate):
                notes.warning(
                    "MIX0605",
                    f"corpus `{corpus.name}` is checked against itself",
                    against.span,
                    "the benchmark",
                    secondary=(Label(corpus.span, "and the corpus"),),
                    notes=("each of its prompts shares all its words with itself, so that every row of it is dropped as contaminated",),
                    help="name the benchmark's file after `against`",
                )


def _read_by(path: str, mixture: ir.Mixture, owner: ir.Evaluate | ir.Decontaminate | None) -> list[ir.Corpus]:
    others = 1 if owner is None else len(owner.benchmarks) if isinstance(owner, ir.Evaluate) else len(owner.against)
    few = others * len(mixture.corpora) <= _MOST_PAIRS
    return [c for c in mixture.corpora if (overlap(path, c.path) if few else path == c.path)]


def unpinned_revision(subject: Subject, notes: Diagnostics) -> None:
    """MIX0606."""
    named: list[tuple[str, str | None, Span]] = []
    for block in (*subject.spec.blocks("student"), *subject.spec.blocks("generate")):
        settings = {line.keyword.text: line for line in block.lines if isinstance(line, ast.Setting)}
        if "endpoint" in settings:  # a server tells no more than the name
            continue
        model, revision = settings.get("model"), settings.get("revision")
        if model is not None and isinstance(model.value, ast.String):
            written = revision.value.value if revision and isinstance(revision.value, ast.String) else None
            named.append((model.value.value, written, model.span if revision is None else revision.span))
    if subject.mixture.skills and (near := subject.mixture.skills.nearest):
        named.append((near.model.model, near.model.revision, near.model.span))
    if subject.mixture.skills and (asked := subject.mixture.skills.attribution) and asked.endpoint is None:
        named.append((asked.model.model, asked.model.revision, asked.model.span))
    for name, written, span in named:
        if _is_local(name) or (written is not None and _PINNED.match(written)):
            continue
        notes.warning(
            "MIX0606",
            f"`{name}` is not pinned to a revision" if written is None else f"`{written}` is a name that can move, not a revision",
            span,
            "whatever is newest that day" if written is None else "a branch or a tag",
            notes=("the weights behind a name can be replaced; every stored score and every build would then be of another model",),
            help='name the commit by its 40 digits: `revision "12fd25f77366fa6b3b4b768ec3050bf629380bac"` (the model\'s page lists them)',
        )


def _is_local(model: str) -> bool:
    return model.endswith(".gguf") or model.startswith(("./", "../", "/"))


RULES: tuple[Rule, ...] = (benchmark_is_corpus, unpinned_revision)
