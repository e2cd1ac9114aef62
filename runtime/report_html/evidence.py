"""What the build is made of and under which licences, and what its decontamination found."""

from ..report.values import Contamination, Report
from .figures import DASH, count, plural
from .markup import Html, code, html, note, table, tag


def contaminated(report: Report) -> Html | None:
    """Each `decontaminate` with its evidence."""
    if not report.contamination:
        return None
    return html(*(_contaminated(each) for each in report.contamination))


def _contaminated(found: Contamination) -> Html:
    if found.waived is not None:
        return tag("p", code(found.clause), f": waived, “{found.waived}”.")
    looked = ", ".join(found.looked_at)
    if not found.prompts:
        return tag("p", code(found.clause), f": no prompt of the candidates shares such a run of words with {looked or 'the benchmarks'}.")
    parts: list[Html | None] = [tag("p", code(found.clause), f": {plural(found.prompts, 'prompt')} found in the benchmarks, {plural(found.rows, 'row')} dropped.")]
    if found.against:
        parts.append(table(("benchmark file", "texts that are known there"), [(name, count(texts)) for name, texts in found.against], frozenset({1})))
    if found.evidence:
        parts.append(html(tag("h3", "Evidence"), tag("ul", *(tag("li", code(prompt), " ", said) for prompt, said in found.evidence), class_="plain evidence")))
        more = found.prompts - len(found.evidence)
        parts.append(note(f"{plural(more, 'more prompt')}; the ledger has the evidence of each row.") if more > 0 else None)
    return html(*parts)


def origin(report: Report) -> Html | None:
    """Corpora, files, models, versions and stages."""
    parts: list[Html | None] = []
    if report.inputs:
        words = "Digests are of the rows, whatever their order: of their ids (prompt, response, teacher), and of all that the build read of them."
        rows: list[tuple[object, ...]] = [(i.corpus, code(i.path), count(i.rows), _digest(i.digest), _digest(i.content)) for i in report.inputs]
        parts.append(html(tag("h3", "Corpora"), note(words), table(("corpus", "files", "rows", "of the ids", "of the content"), rows, frozenset({2}))))
    if report.files:
        parts.append(html(tag("h3", "Other files"), table(("file", "SHA-256"), [(code(name), _digest(value)) for name, value in report.files])))
    if report.models:
        rows = [(name, html(*(tag("div", tag("i", f"{what} "), _digest(value)) for what, value in told))) for name, told in report.models]
        parts.append(html(tag("h3", "Models"), table(("model", "what it is"), rows)))
    if report.ran:
        rows = [(code(s.stage), s.summary, s.engines, f"{s.seconds:,.1f}") for s in report.ran]
        total = sum(s.seconds for s in report.ran)
        parts.append(html(tag("h3", "Stages"), table(("stage", "what it did", "where", "seconds"), [*rows, ("all", "", "", f"{total:,.1f}")], frozenset({3}))))
    versions = tag("ul", *(tag("li", tag("b", name), f" {version}") for name, version in (("mixc", report.mixc), *report.versions)), class_="versions")
    parts.append(html(tag("h3", "Versions"), versions))
    return html(*parts)


def _digest(value: str | None) -> Html:
    return tag("code", value or DASH, class_="digest")


def rights(report: Report) -> Html | None:
    """Licences of corpora and teachers; a dash where none is stated."""
    if not report.licences:
        return None
    rows = [(each.kind, each.name, each.licence or DASH, count(each.rows)) for each in report.licences]
    beside = note("A dash: the recipe states no licence there.") if any(each.licence is None for each in report.licences) else None
    return html(table(("of", "name", "licence", "selected rows"), rows, frozenset({3})), beside)
