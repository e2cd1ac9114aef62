"""The card of a trained model: what it was made from and how, as `README.md` for the hub. Pure text; no paths of a machine, no time of day."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import PurePath
from statistics import fmean
from typing import Any

from .. import __version__
from ..compiler.clauses import Amount, Lora
from ..compiler.plan.digest import digest
from ..compiler.plan.stages import Plan, Train
from .card import cell, code, hub_datasets, licence_lines, table, yaml_text
from .licensed import UNSTATED

MOST_SKILLS = 20
_NOT_ARGUMENTS = ("id", "inputs", "model", "report", "save", "span")


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a card says of one training. `hub`: the commit of a student that came from the hub; `digests`: of its weights, tokenizer and template.

    `report` is that of tokenising as JSON values, `metrics` a line a step, `licences` those of each teacher's rows. `arm`: None of the recipe's own;
    `baseline`: what chose the rows of an arm that are not the recipe's.
    """

    plan: Plan
    stage: Train
    hub: str | None
    digests: Mapping[str, str]
    report: Mapping[str, Any]
    metrics: Sequence[Mapping[str, float]]
    licences: Mapping[str, Sequence[str]] = field(default_factory=dict)
    arm: str | None = None
    baseline: str | None = None
    library: str = "transformers"


def model_card(made: Made) -> str:
    """The whole text: front matter that the hub reads, then the same and more for people."""
    plan, stage = made.plan, made.stage
    title = plan.name if made.arm is None else f"{plan.name}, {made.arm}"
    parts = [f"---\n{''.join(_front_matter(made))}---", f"# {cell(title)}", *([plan.description.strip()] if plan.description else [])]
    chose = f"the recipe `{code(plan.name)}`" if made.baseline is None else f"the baseline `{code(made.baseline)}` of the recipe `{code(plan.name)}`"
    parts.append(f"`{code(stage.model.student)}`, trained on responses that {chose} selected, with mixc {__version__}.")
    if stage.format == "skill_aware":
        parts.append("Its answers begin with `Skills:` and a chain of skills a line; the prompt names none.")
    for name, rows in (
        ("Recipe", [("recipe", plan.name), ("arm", made.arm), ("plan", digest(plan)), ("seed of the recipe", plan.seed)]),
        ("Student", list(_student(made))),
        ("Training", [*_arguments(stage), *_examples(made.report)]),
    ):
        parts += [f"## {name}", table(("", ""), [(key, value) for key, value in rows if value is not None])]
    if losses := [line["loss"] for line in made.metrics if "loss" in line]:
        last = losses[-max(1, len(losses) // 10) :]
        rows = [("first step", losses[0]), ("last step", losses[-1]), ("lowest", min(losses)), *([(f"mean of the last {len(last)} of {len(losses):,}", fmean(last))] if len(last) > 1 else [])]
        parts += ["## Loss", "![The loss at each step](loss.svg)", table(("nats a token", ""), [(name, f"{value:.4f}") for name, value in rows])]
    parts += ["## Teachers", table(("teacher", "licence", "examples", "tokens trained on"), list(_teachers(made)))]
    parts.append("Licences are those that the recipe states for its corpora, or their rows for themselves. What they ask of a model trained on them is for whoever passes it on to find out.")
    if skills := made.report.get("skills"):
        rest = len(skills) - MOST_SKILLS
        rows = [(p["name"], f"{p['rows'] - p['dropped']:,}", f"{p['trained']:,}") for p in skills[:MOST_SKILLS]]
        parts += ["## Skills", table(("skill", "examples", "tokens trained on"), rows), *([f"And {rest:,} more."] if rest > 0 else [])]
    return "\n\n".join(parts) + "\n"


def _front_matter(made: Made) -> Iterator[str]:
    """Lines of YAML; every text as a JSON string, which YAML reads as it is."""
    plan = made.plan
    if made.hub is not None:
        yield f"base_model: {yaml_text(made.stage.model.model)}\n"
    if found := hub_datasets(plan):
        yield f"datasets: {json.dumps(found)}\n"
    yield f"library_name: {made.library}\n"
    if plan.license is not None:
        yield from licence_lines(plan.license)
    yield f"model_name: {yaml_text(plan.name)}\n"
    yield "pipeline_tag: text-generation\n"
    yield 'tags: ["mixc", "sft", "trl"]\n'


def _student(made: Made) -> Iterator[tuple[str, object]]:
    model = made.stage.model
    yield "model", model.model if made.hub is not None else f"{PurePath(model.model).name}, a local {'file' if model.model.endswith('.gguf') else 'folder'}"
    yield "revision", made.hub or model.revision
    yield from ((f"digest of the {name}", value) for name, value in made.digests.items())
    yield "template", "its own" if model.template is None else "given by the recipe"


def _arguments(stage: Train) -> Iterator[tuple[str, object]]:
    """The settings of `train` that say something."""
    yield "dtype", stage.model.dtype
    for each in fields(stage):
        value = getattr(stage, each.name)
        if each.name not in _NOT_ARGUMENTS and value is not None and value is not False and value != ():
            yield each.name.replace("_", " "), _said(value)


def _said(value: object) -> str:
    match value:
        case Amount():
            return f"{value.value:g} {value.unit}"
        case Lora():
            return f"rank {value.rank}, alpha {value.alpha:g}, dropout {value.dropout:g}"
        case True:
            return "yes"
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def _examples(report: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    yield "examples", f"{report['examples']:,}"
    yield "tokens that carry loss in an epoch", f"{report['tokens']:,}"
    yield "responses cut", f"{len(report['truncated']):,}, {report['lost_tokens']:,} tokens lost" if report["truncated"] else None
    yield "rows left out, whose prompt is too long", f"{len(report['dropped']):,}" if report["dropped"] else None
    yield "examples without skills", f"{report['without_skills']:,}" if report.get("without_skills") else None


def _teachers(made: Made) -> Iterator[tuple[object, ...]]:
    for p in made.report["teachers"]:
        stated = ", ".join(made.licences.get(p["name"], ())) or UNSTATED
        yield p["name"] or "no teacher", stated, f"{p['rows'] - p['dropped']:,}", f"{p['trained']:,}"
