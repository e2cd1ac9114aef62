"""The whole page of a report: head, contents, sections, and what there is none of. Pure; the same report gives the same bytes."""

from importlib.resources import files

from ..plot import style
from ..report.values import Report
from .composed import composed
from .evidence import contaminated, origin, rights
from .figures import DASH, count, plural, real, share
from .markup import Html, html, tag
from .models import evaluated, trained
from .recipe import recipe
from .rows import examples, funnel
from .spread import confounds, lengths, spread

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""The browser itself is told to fetch nothing and to run nothing."""
SECTIONS = (
    ("recipe", "Recipe", recipe, "the build kept no texts"),
    ("funnel", "Funnel", funnel, "the build counted no rows"),
    ("composition", "Composition", composed, "nothing was selected"),
    ("scores", "Scores", spread, "the recipe has no score"),
    ("audit", "Confounding", confounds, "no score of the recipe is cut into steps of tokens, so there is nothing to hold it against"),
    ("length", "Length and truncation", lengths, "no score counts tokens, and nothing was trained"),
    ("decontamination", "Decontamination", contaminated, "the recipe has no `decontaminate`"),
    ("examples", "Examples", examples, "nothing was selected"),
    ("training", "Training", trained, "nothing was trained in this build"),
    ("evaluation", "Evaluation", evaluated, "nothing was measured in this build"),
    ("provenance", "Provenance", origin, "the build has no record of its inputs"),
    ("licences", "Licences", rights, "the build has no record of licences"),
)
"""What a page shows, in its order; the last words are why it is not there, where the report has no better ones."""


def page_bytes(report: Report) -> bytes:
    """The page as it is written to a file."""
    return f"{page(report).rstrip()}\n".encode()


def page(report: Report) -> str:
    """The page as text."""
    found = [(name, title, draw(report), why) for name, title, draw, why in SECTIONS]
    here = [(name, title, body) for name, title, body, _ in found if body is not None]
    missing = [(title, report.lacks.get(name, why)) for name, title, body, why in found if body is None]
    body = html(
        _head(report),
        tag("nav", *(tag("a", title, href=f"#{name}") for name, title, _ in here), aria_label="Contents"),
        tag("main", *(tag("section", tag("h2", title), body, id=name) for name, title, body in here), _missing(missing)),
        tag("footer", tag("p", f"mixc {report.mixc} made this of a build folder; nothing in it is fetched from anywhere.")),
    )
    css = files(__package__ or "").joinpath("page.css").read_text(encoding="utf-8")
    head = html(
        Html('<meta charset="utf-8">'), Html(f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'),
        Html('<meta name="viewport" content="width=device-width, initial-scale=1">'), Html('<meta name="color-scheme" content="light dark">'),
        tag("title", f"{report.name} · mixc report"), Html(f"<style>{style()}{css}</style>"),
    )  # fmt: skip
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>{body}</body></html>\n'


def _head(report: Report) -> Html:
    kept = report.selected / report.rows if report.rows else 0.0
    facts = [
        ("selected", count(report.selected), f"of {plural(report.rows, 'row')}, {share(kept)}"),
        ("prompts", count(report.prompts), "one row each" if report.selected == report.prompts else f"{report.selected / max(1, report.prompts):.3g} rows each"),
        ("tokens", count(report.tokens), f"{count(report.tokens / max(1, report.selected))} a row" if report.tokens else "not counted"),
        ("teachers", _some(report), f"of {len(report.teachers) + report.teachers_left_out} that came to the selection"),
        *_objective(report),
        *_accuracy(report),
    ]
    tiles = [tag("div", tag("dt", name), tag("dd", figure), tag("dd", more, class_="more")) for name, figure, more in facts]
    made = [f"seed {report.seed}", f"plan {report.plan[:12]}", f"built {report.built}", f"mixc {report.mixc}"]
    return tag(
        "header", tag("p", "training data, as it was built", class_="kicker"), tag("h1", report.name),
        tag("p", report.description, class_="lead") if report.description else None, tag("p", " · ".join(made), class_="made"), tag("dl", *tiles, class_="tiles"),
    )  # fmt: skip


def _some(report: Report) -> str:
    """How many teachers have rows; of more than are shown, at least so many."""
    known = sum(g.rows > 0 for g in report.teachers)
    return f"{known} or more" if report.teachers_left_out and known == len(report.teachers) else str(known)


def _objective(report: Report) -> list[tuple[str, str, str]]:
    """What was maximised, a row; nothing where it was chance."""
    if report.objective is None or report.objective_text == "random" or report.method == "paper":
        return []
    proof = "every candidate is in" if report.method == "all" else "proven to be the best" if not report.gap else f"within {report.gap:.1g} of the best"
    unit = f"{report.unit}, " if report.unit else ""
    if report.weighted:
        return [(f"mean {report.objective_text}, by tokens", real(report.objective / report.tokens), f"{unit}{proof}")] if report.tokens else []
    return [(f"mean {report.objective_text}", real(report.objective / max(1, report.selected)), f"{unit}{proof}")]


def _accuracy(report: Report) -> list[tuple[str, str, str]]:
    """Of the first benchmark, before and after."""
    shares = [r for r in report.results if r.low is not None]
    if not shares:
        return []
    here = [r for r in shares if r.benchmark == shares[0].benchmark]
    before, after = next((r for r in here if r.recipe is None), None), next((r for r in here if r.recipe == "recipe"), None)
    figure = after or before
    more = f"before training {share(before.value)}" if before and after else "before training" if before else DASH
    return [] if figure is None else [(shares[0].benchmark, share(figure.value), more)]


def _missing(found: list[tuple[str, str]]) -> Html | None:
    if not found:
        return None
    return tag("section", tag("h2", "Not in this report"), tag("ul", *(tag("li", tag("b", title), f": {why}.") for title, why in found), class_="lacks"), id="lacks")
