"""A resolved spec to the typed mixture: every name found, every unit settled, or a diagnostic at the place that is wrong."""

from collections.abc import Mapping

from ..clauses import Model
from ..diagnostics import Diagnostics, Label
from ..source import Source
from ..syntax import ast
from . import ir
from .balance import balance, kinship
from .calls import Known
from .catalogue import FIXED, RESERVED
from .emptiness import bare, emptiness, held_out, origins, ranges
from .evaluation import LARGEST_SEED, equal_size, evaluate
from .generation import generate
from .guards import decontaminate, dedup, obligation, require
from .infer import Declared, Names
from .inputs import Inputs
from .pending import waiting
from .profiles import profile
from .resolve import Resolved
from .scores import score
from .selection import Groups, selection
from .settings import Settings
from .shared import in_common
from .soft import Profiles
from .sources import corpus, roles_of, student, teacher
from .tagging import taxonomy
from .training import train
from .trials import trial
from .types import UNKNOWN
from .under import under
from .unsecret import unsecret

Corpora = dict[str, tuple[ir.Corpus, Names]]


def check(spec: Resolved, inputs: Inputs, notes: Diagnostics) -> ir.Mixture | None:
    """The mixture that a spec means; None where errors leave too little of it to go on."""
    missing: list[ir.Missing] = []
    for declaration in spec.declarations:
        _name_allowed(declaration, notes)
    unsecret(spec, notes)
    mix = next(iter(spec.blocks("mix")), None)
    if mix is None and not spec.wanted:
        notes.error("MIX0207", "the spec has no `mix`", spec.end, "at the end of the file", help='begin with `mix "NAME" { seed 1 }`')
    settings = Settings(mix, notes) if mix else None
    seed = settings.number("seed", None, whole=True, least=0, most=LARGEST_SEED) if settings else None
    description, license_ = (settings.text("description"), settings.text("license")) if settings else (None, None)
    students = {m.student: m for b in spec.blocks("student") if (m := student(b, inputs, notes))}
    corpora = _corpora(spec, inputs, notes)
    shared, roles = in_common({name: names.columns for name, (_, names) in corpora.items()}), _roles(corpora)
    teachers = [t for node in spec.of(ast.Teacher) if (t := teacher(node, corpora, notes))]
    named = tuple(b.name.text for b in spec.blocks("corpus") if isinstance(b.name, ast.Name))
    generated = [g for b in spec.blocks("generate") if (g := generate(b, corpora, named, int(seed or 0), inputs, notes))]
    skills = None
    for number, block in enumerate(spec.blocks("skills")):
        if number:
            notes.error("MIX0202", "a spec has one taxonomy", block.head, "a second one")
        else:
            skills = taxonomy(block, inputs, shared, notes)
    known = Known(students, roles, shared, inputs.scorers)
    scores = [s for node in spec.of(ast.Score) if (s := score(node, known, notes, missing))]
    names = Names(_declared(spec, scores), tuple(r for r in roles if r != "skill" or spec.blocks("skills")), shared)
    trained = next(iter(spec.blocks("train")), None)
    for extra in spec.blocks("train")[1:]:
        missing.append(ir.Missing(what="a second `train`", stage="train", span=extra.head))
    groups = _groups(spec, teachers, skills, scores, corpora, shared, students, trained)
    chosen = next(iter(spec.blocks("select")), None)
    picked = selection(chosen, names, groups, notes) if chosen else None
    training = train(trained, students, names.scores, notes) if trained else None
    measured = next(iter(spec.blocks("evaluate")), None)
    evaluation = evaluate(measured, corpora, names.scores, inputs, trained is not None, notes) if measured else None
    if evaluation and trained and (picked is not None or not chosen):
        equal_size(evaluation, picked, scores, notes)
    if measured and not trained and len(students) > 1:
        notes.error(
            "MIX0207", "which of the students is evaluated?", measured.head, "none is trained", help="leave one student, or train one"
        )
    if measured and not students and not spec.blocks("student"):
        notes.error(
            "MIX0207", "`evaluate` needs a student", measured.head, "which model?", help='declare one: `student NAME { model "…" }`'
        )
    _one_seed(trained, measured, notes)
    tagged = bool(spec.blocks("skills"))
    profiled = [p for b in spec.blocks("profile") if (p := profile(b, known, skills, tagged, inputs, notes))]
    clean = [decontaminate(d, inputs, _text(d), notes) for d in spec.of(ast.Decontaminate)]
    copies = [dedup(d, _text(d), notes) for d in spec.of(ast.Dedup)]
    tokens = picked.tokens if picked else groups.tokens[0] if len(groups.tokens) == 1 else None
    trials = [t for block in spec.blocks("test") if (t := trial(block, groups, tokens, notes))]
    every_corpus = tuple(c for c, _ in corpora.values())
    with_blocks = tuple((c, next(b for b in spec.blocks("corpus") if Settings(b, notes).title == f"corpus {c.name}")) for c in every_corpus)
    required = next((require(node, with_blocks, notes) for node in spec.of(ast.Require)), None)
    if license_:
        under(license_, with_blocks, required, tuple(spec.blocks("generate")), notes)
    _provable(spec, corpora, teachers, skills, scores, shared, groups, picked, evaluation, notes)
    uses = trained or measured
    obligation(uses.head if uses and not spec.wanted else None, bool(spec.of(ast.Decontaminate)), notes)
    waiting(missing, _stages(spec, scores), notes)
    if mix is None or notes.has_errors:
        return None
    return ir.Mixture(
        name=mix.name.value if isinstance(mix.name, ast.String) else "",
        seed=int(seed or 0),
        description=description.value if description else None,
        license=license_.value if license_ else None,
        students=tuple(students.values()),
        corpora=every_corpus,
        teachers=tuple(teachers),
        generated=tuple(generated),
        skills=skills,
        scores=tuple(scores),
        profiles=tuple(profiled),
        require=required,
        decontaminate=clean[0] if clean else None,
        dedup=copies[0] if copies else None,
        selection=picked or ir.Selection(span=mix.head),
        train=training,
        evaluate=evaluation,
        missing=tuple(missing),
        trials=tuple(trials),
        span=mix.head,
    )


def _provable(
    spec: Resolved,
    corpora: Corpora,
    teachers: list,
    skills: ir.Taxonomy | None,
    scores: list[ir.Score],
    shared: Mapping[str, str] | None,
    groups: Groups,
    picked: ir.Selection | None,
    evaluation: ir.Evaluate | None,
    notes: Diagnostics,
) -> None:
    """What no rows can satisfy. Only where all teachers could be read is it known where rows come from."""
    generated = bool(spec.blocks("generate"))
    made = {name: corpus for name, (corpus, _) in corpora.items()}
    columns, promised = {name: names.columns for name, (_, names) in corpora.items()}, ranges(scores)
    whole = spec.whole and len(teachers) == len(spec.of(ast.Teacher)) and len(made) == len(spec.blocks("corpus"))
    steps = picked.steps if picked else ()
    found = origins(
        made, teachers if whole else [], columns, promised, generated=generated or not whole, conditions=len(steps), notes=notes
    )
    if picked is not None:
        emptiness(steps, found, notes)
        related = kinship(groups.teachers if spec.whole else (), skills, shared)
        balance(picked, related, () if generated or not whole else tuple(made.values()), notes)
    if evaluation is not None and evaluation.heldout is not None:
        name, where = evaluation.heldout
        held_out(made[name], where, bare(made[name], columns[name], promised), notes)


def _corpora(spec: Resolved, inputs: Inputs, notes: Diagnostics) -> Corpora:
    found: Corpora = {}
    blocks = spec.blocks("corpus")
    if not blocks and not spec.wanted:
        notes.error(
            "MIX0207", "the spec has no corpus", spec.end, "at the end of the file", help='declare one: `corpus NAME { scan "…" … }`'
        )
    for block in blocks:
        made = corpus(block, inputs, notes)
        if made is not None:
            columns = inputs.columns.get(made.path)
            roles = roles_of({r: getattr(made.roles, r, None) for r in ("prompt", "response", "reference", "teacher", "id")})
            found[made.name] = (
                made,
                Names(roles=tuple(r for r in roles if r != "skill"), columns=None if isinstance(columns, str) else columns),
            )
    return found


def _roles(corpora: Corpora) -> tuple[str, ...]:
    tables = [names.roles for _, names in corpora.values()]
    return (*(r for r in tables[0] if all(r in t for t in tables)), "skill") if tables else ("skill",)


def _declared(spec: Resolved, scores: list[ir.Score]) -> dict[str, Declared]:
    sources: dict[str, Source] = {s.path: s for s in spec.sources}
    broken = {n.name.text: Declared(UNKNOWN, n.span) for n in spec.of(ast.Score)}
    return broken | {
        s.name: Declared(s.type, s.span, sources[s.span.path].position(s.span.start)[0] if s.span.path in sources else 0) for s in scores
    }


def _groups(
    spec: Resolved,
    teachers: list,
    skills: ir.Taxonomy | None,
    scores: list[ir.Score],
    corpora: Corpora,
    shared: Mapping[str, str] | None,
    students: Mapping[str, Model],
    trained: ast.Block | None,
) -> Groups:
    declared = [t.name.text for t in spec.of(ast.Teacher)] + [b.name.text for b in spec.blocks("generate") if isinstance(b.name, ast.Name)]
    return Groups(
        teachers=tuple(declared),
        tree=None if skills is None or skills.tree is None else tuple(n for n, _ in skills.tree),
        columns=shared,
        tagged=bool(spec.blocks("skills")),
        has_teacher=all(c.roles.teacher for c, _ in corpora.values()),
        tokens=tuple(s.name for s in scores if s.type.unit == "tokens"),
        students=1 if trained or len(students) == 1 or len(scores) < len(spec.of(ast.Score)) else 0,
        corpora=tuple(corpora),
        profiles=_profiles(spec, students, trained),
    )


def _profiles(spec: Resolved, students: Mapping[str, Model], trained: ast.Block | None) -> Profiles:
    named = tuple(b.name.text for b in spec.blocks("profile") if isinstance(b.name, ast.Name))
    only = next(iter(students)) if len(students) == 1 else None
    meant = trained.name.text if trained and isinstance(trained.name, ast.Name) else only
    return Profiles(named, meant, bool(spec.blocks("skills")))


def _one_seed(trained: ast.Block | None, measured: ast.Block | None, notes: Diagnostics) -> None:
    """`seeds` of `evaluate` seed the training too, so `train` cannot have another."""
    seed, seeds = (next((s for s in (b.lines if b else ()) if _is_setting(s, word)), None) for b, word in ((trained, "seed"), (measured, "seeds")))
    if seed and seeds:
        notes.error(
            "MIX0202",
            "`seeds` in `evaluate` seed the training, and `train` has a `seed` of its own",
            seed.span,
            "another seed",
            secondary=(Label(seeds.span, "these seed the training"),),
            help="remove one of the two",
        )


def _is_setting(line: ast.Line, keyword: str) -> bool:
    return isinstance(line, ast.Setting) and line.keyword.text == keyword


def _stages(spec: Resolved, scores: list[ir.Score]) -> frozenset[str]:
    """The kinds of stage that the spec's plan has."""
    kinds = {"scan", "teachers", "select", "materialise"}
    kinds |= {kind for kind in ("profile", "train", "evaluate") if spec.blocks(kind)}
    kinds |= {"tag"} if spec.blocks("skills") else set()
    kinds |= {"decontaminate"} if spec.of(ast.Decontaminate) else set()
    kinds |= {"dedup"} if spec.of(ast.Dedup) else set()
    return frozenset(kinds | ({"score"} if scores else set()))


def _name_allowed(declaration: ast.Declaration, notes: Diagnostics) -> None:
    name = getattr(declaration, "name", None)
    if not isinstance(name, ast.Name) or isinstance(declaration, ast.ParamDeclaration):
        return
    taken = (
        "a reserved word"
        if name.text in RESERVED or _is_quantile(name.text)
        else "a column of every output"
        if name.text in FIXED
        else None
    )
    if taken:
        notes.error(
            "MIX0210",
            f"`{name.text}` cannot be declared: it is {taken}",
            name.span,
            "taken",
            help=f"choose another name, such as `my_{name.text}`",
        )


def _is_quantile(text: str) -> bool:
    return text[:1] == "p" and text[1:].isdigit()


def _text(node: ast.Decontaminate | ast.Dedup) -> str:
    if isinstance(node, ast.Dedup):
        return f"dedup by {node.method.text} of {node.of.text}"
    if node.because is not None:
        return "decontaminate none"
    return f"decontaminate by {node.words}-grams of {node.of.text if node.of else 'prompt'}"

