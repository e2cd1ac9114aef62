"""The licence that a mix says it is under, held against those of its corpora and of the teachers that answer for it (MIX0432). It counts no rows."""

from ..clauses import Require
from ..diagnostics import Diagnostics, Label
from ..licences import respelt
from ..syntax import ast
from . import ir


def under(
    license_: ast.String, corpora: tuple[tuple[ir.Corpus, ast.Block], ...], required: Require | None, writers: tuple[ast.Block, ...], notes: Diagnostics
) -> None:
    """Warn once, at the licence of the mix, of all that is not under it. A licence that `require` names is one that the recipe takes on purpose.

    A corpus with a column of licences is looked at row by row, in a plan or a run.
    """
    taken = {license_.value, *(required.allowed if required else ())}
    labels: list[Label] = []
    others: list[str] = []
    silent = 0
    for corpus, block in corpora:
        said = next((s for s in block.lines if isinstance(s, ast.Setting) and s.keyword.text == "license"), None)
        if corpus.roles.license is not None or (corpus.license is None and (said or block.may_have("license"))):
            continue
        if corpus.license is None:
            silent += 1
            labels.append(Label(block.head, "does not say under which licence it is"))
        elif corpus.license not in taken:
            others.append(corpus.license)
            labels.append(Label(said.span if said else block.head, f'under "{corpus.license}"'))
    labels += [Label(writer.head, "what a model writes has no stated licence") for writer in writers]
    if not labels:
        return
    near = [other for other in others if respelt(other, [license_.value])]
    ways = [f'write `license "{license_.value}"` in place of "{near[0]}" if it is the same licence' if near else ""]
    if far := [other for other in others if other not in near]:
        listed = ", ".join(f'"{name}"' for name in dict.fromkeys((license_.value, *(required.allowed if required else ()), *far)))
        ways.append(f"write `require license in [{listed}]` if what is under these may be passed on under that")
    ways.append("give each corpus its `license`" if silent else "")
    allow = '`# mixc: allow MIX0432 because "…"` says why it is right all the same'
    notes.warning(
        "MIX0432",
        f'the mix says that it is under "{license_.value}", and not all that goes into it is',
        license_.span,
        "the licence of what comes out",
        secondary=tuple(labels),
        help="; ".join(way for way in (*ways, allow) if way),
    )
