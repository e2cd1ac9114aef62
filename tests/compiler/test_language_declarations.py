"""The rules of declarations, one line each: a spec, and the codes of its errors (none: it is legal)."""

from typing import TypeVar

import pytest
from mixc.compiler.plan.stages import Dedup, Evaluate, Materialise, Profile, Scan, Score, Tag, Teachers, Train
from mixc.tests.compiler.rules import CORPUS, HEAD, SCORED, errors, plan

T = TypeVar("T")
CLEAN = SCORED + 'decontaminate none because "x"\n'
KEYWORDS = '{"Algebra": ["equation"], "Lines": ["slope", "intercept"]}'
COUNTS = '{"skills": {"Algebra": {"attempts": 20, "correct": 11}}}'
TEXTS = {"keywords.json": KEYWORDS, "profile.json": COUNTS, "broken.json": "{", "odd.json": '{"skills": {"Algebre": {"attempts": 2, "correct": 3}}}'}


def corpus(line: str) -> str:
    return HEAD.replace("  teacher   model\n", f"  teacher   model\n  {line}\n")


def block(head: str, *lines: str, base: str = SCORED) -> str:
    return f"{base}{head} {{\n" + "".join(f"  {line}\n" for line in lines) + "}\n"


def tagged(line: str, tree: bool = True) -> str:
    return block("skills topics", *(['tree "tree.json"'] if tree else []), line, base=HEAD)


def train(*lines: str) -> str:
    return block("train tiny", *lines, base=CLEAN)


def evaluate(*lines: str) -> str:
    return block("evaluate", *lines, base=CLEAN)


def generate(*lines: str) -> str:
    return block("teacher writer generate", 'model "hub/large"', *lines)


RULES: dict[str, tuple[str, list[str]]] = {
    "one `mix`": (HEAD + 'mix "n" { seed 1 }\n', ["MIX0202"]),
    "at least one": (CORPUS, ["MIX0207"]),
    "a seed is whole": (HEAD.replace("seed 1", "seed 1.5"), ["MIX0306"]),
    "and not negative": (HEAD.replace("seed 1", "seed -1"), ["MIX0306"]),
    "and of 32 bits": (HEAD.replace("seed 1", "seed 5B"), ["MIX0306"]),
    "a mix may have no seed": (HEAD.replace("seed 1", 'description "d"'), []),
    "a description and a licence are texts": (HEAD.replace("seed 1", "license MIT"), ["MIX0301"]),
    "a student needs a model": (HEAD + 'student s { revision "a" }\n', ["MIX0207"]),
    "dtype is bf16 or fp32": (HEAD + 'student s {\n  model "a/b"\n  dtype int8\n}\n', ["MIX0302"]),
    "at least one corpus": ('mix "m" { seed 1 }\n', ["MIX0207"]),
    "a corpus needs its files": (HEAD.replace('  scan      "rows.jsonl"\n', ""), ["MIX0207"]),
    "its prompt": (HEAD.replace("  prompt    question\n", ""), ["MIX0207"]),
    "its response": (HEAD.replace("  response  answer\n", ""), ["MIX0207"]),
    "columns that are there": (HEAD.replace("question", "questoin"), ["MIX0209"]),
    "columns of texts": (HEAD.replace("question", "count"), ["MIX0305"]),
    "s3": (HEAD.replace("rows.jsonl", "s3://bucket/rows/*.parquet"), []),
    "gs": (HEAD.replace("rows.jsonl", "gs://bucket/rows.parquet"), []),
    "hf": (HEAD.replace("rows.jsonl", "hf://datasets/a/b/rows.parquet"), []),
    "a sample of prompts": (corpus("sample 150 prompts"), []),
    "of nothing else": (corpus("sample 150 examples"), ["MIX0303"]),
    "a licence of each row": (corpus("license license"), []),
    "of the whole corpus": (corpus('license "MIT"'), []),
    "a column of licences is a text": (corpus("license count"), ["MIX0305"]),
    "a setting stands once": (corpus("sample 1 prompts\n  sample 2 prompts"), ["MIX0202"]),
    "a teacher of a declared corpus": (HEAD + "teacher t from row\n", ["MIX0201"]),
    "a teacher without a condition": (HEAD + "teacher t from rows\n", []),
    "two of one name": (HEAD + 'teacher t from rows\nteacher t from rows where model == "a"\n', ["MIX0202"]),
    "a quota names a teacher that generates": (generate("prompts from rows") + "select { quota teacher writer >= 1 examples }\n", []),
    "it needs prompts": (generate(), ["MIX0207"]),
    "of a declared corpus": (generate("prompts from row"), ["MIX0201"]),
    "a model": (block("teacher writer generate", "prompts from rows"), ["MIX0207"]),
    "samples": (generate("prompts from rows", "samples 0"), ["MIX0306"]),
    "a temperature": (generate("prompts from rows", "temperature 2.5"), ["MIX0306"]),
    "a length": (generate("prompts from rows", "max_tokens 2k"), ["MIX0309"]),
    "tags by a column": (tagged("tag by column topic"), []),
    "by a column of lists": (tagged("tag by column parts"), []),
    "not by numbers": (tagged("tag by column count"), ["MIX0305"]),
    "by words": (tagged('tag by keywords "keywords.json"'), []),
    "by words that are there": (tagged('tag by keywords "nothing.json"'), ["MIX0208"]),
    "that are on this machine": (tagged('tag by keywords "s3://bucket/keywords.json"'), ["MIX0301"]),
    "that are lists": (tagged('tag by keywords "profile.json"'), ["MIX0301"]),
    "by embedding": (tagged('tag by embedding(model: "hub/e5")'), []),
    "by some of its nearest": (tagged('tag by embedding(model: "hub/e5", top: 2, margin: 0.05, least: -0.2, revision: "main")'), []),
    "its model without a name": (tagged('tag by embedding("hub/e5")'), []),
    "of a text": (tagged("tag by embedding(model: e5)"), ["MIX0301"]),
    "that is no .gguf file": (tagged('tag by embedding(model: "e5.gguf")'), ["MIX0302"]),
    "at least one leaf": (tagged('tag by embedding(model: "hub/e5", top: 0)'), ["MIX0306"]),
    "a whole number of them": (tagged('tag by embedding(model: "hub/e5", top: 1.5)'), ["MIX0306"]),
    "a cosine": (tagged('tag by embedding(model: "hub/e5", least: 1.5)'), ["MIX0306"]),
    "a difference of two": (tagged('tag by embedding(model: "hub/e5", margin: -0.1)'), ["MIX0306"]),
    "each argument once": (tagged('tag by embedding(model: "hub/e5", top: 1, top: 2)'), ["MIX0202"]),
    "no other argument": (tagged('tag by embedding(model: "hub/e5", least_similarity: 0.2)'), ["MIX0302"]),
    "not without a tree either": (tagged('tag by embedding(model: "hub/e5")', tree=False), ["MIX0207"]),
    "by a model that labels": (tagged('tag by llm(model: "hub/large")'), []),
    "not without a model": (tagged("tag by llm(modle: 3)"), ["MIX0302"]),
    "with all that may be said": (tagged('tag by llm("hub/large", revision: "abc", reads: response, depth: 2, temperature: 0.3, max_tokens: 2k tokens)'), []),
    "twice": (tagged('tag by llm("hub/large", model: "hub/small")'), ["MIX0202"]),
    "a text to read": (tagged('tag by llm("hub/large", reads: thought)'), ["MIX0302"]),
    "a depth of one at least": (tagged('tag by llm("hub/large", depth: 0)'), ["MIX0306"]),
    "tokens in tokens": (tagged('tag by llm("hub/large", max_tokens: 512)'), ["MIX0309"]),
    "a model as text": (tagged("tag by llm(model: large)"), ["MIX0301"]),
    "nor as a name alone": (tagged("tag by llm large"), ["MIX0207"]),
    "not without a tree": (tagged('tag by llm(model: "hub/large")', tree=False), ["MIX0207"]),
    "by nothing else": (tagged('tag by hand "x"'), ["MIX0302"]),
    "a tag": (block("skills topics", 'tree "tree.json"', base=HEAD), ["MIX0207"]),
    "a profile from a file": (SCORED + 'profile tiny from "profile.json"\n', []),
    "that is there": (SCORED + 'profile tiny from "nothing.json"\n', ["MIX0208"]),
    "that is one": (SCORED + 'profile tiny from "broken.json"\n', ["MIX0312"]),
    "whose counts can be": (SCORED + 'profile tiny from "odd.json"\n', ["MIX0312"]),
    "a measured one": (block("profile tiny", "attempts 2 per prompt", "temperature 1", "sample 20 prompts per skill", "grade verify_math(reference)"), []),
    "whose attempts can differ": (block("profile tiny", "attempts 2 per prompt", "grade verify_math(reference)"), ["MIX0411"]),
    "at a temperature that is not 0": (block("profile tiny", "attempts 2 per prompt", "temperature 0", "grade verify_math(reference)"), ["MIX0411"]),
    "until it is known well enough": (block("profile tiny", "sample 20..50 prompts per skill", "width 10%", "grade verify_math(reference)"), []),
    "which says when it is": (block("profile tiny", "sample 20..50 prompts per skill", "grade verify_math(reference)"), ["MIX0207"]),
    "of a sample that may grow": (block("profile tiny", "sample 20 prompts per skill", "width 10%", "grade verify_math(reference)"), ["MIX0405"]),
    "and is not all there is": (block("profile tiny", "width 10%", "grade verify_math(reference)"), ["MIX0405"]),
    "to a width": (block("profile tiny", "sample 20..50 prompts per skill", "width 0%", "grade verify_math(reference)"), ["MIX0306"]),
    "in percent": (block("profile tiny", "sample 20..50 prompts per skill", "width 10", "grade verify_math(reference)"), ["MIX0309"]),
    "from less to more": (block("profile tiny", "sample 50..20 prompts per skill", "width 10%", "grade verify_math(reference)"), ["MIX0306"]),
    "of prompts": (block("profile tiny", "sample 20..50 per skill", "width 10%", "grade verify_math(reference)"), ["MIX0309"]),
    "per skill": (block("profile tiny", "sample 20..50 prompts per prompt", "width 10%", "grade verify_math(reference)"), ["MIX0302"]),
    "with one number of attempts": (block("profile tiny", "attempts 1..2 per prompt", "temperature 1", "grade verify_math(reference)"), ["MIX0301"]),
    "needs a grader": (block("profile tiny", "attempts 1 per prompt"), ["MIX0207"]),
    "one that grades": (block("profile tiny", "grade tokens()"), ["MIX0302"]),
    "as a call": (block("profile tiny", "grade verify_math"), ["MIX0301"]),
    "of a student": (block("profile tinny", "grade verify_math(reference)"), ["MIX0201"]),
    "with skills": ('mix "m" { seed 1 }\n' + CORPUS + 'student tiny { model "a/b" }\nprofile tiny from "profile.json"\n', ["MIX0207"]),
    "once": (SCORED + 'profile tiny from "profile.json"\n' * 2, ["MIX0202"]),
    "n-grams of prompts": (HEAD + 'decontaminate against "b.jsonl" by 8-grams of prompt\n', []),
    "or responses, of a field": (HEAD + 'decontaminate against ["b.jsonl", "c.jsonl"] by 13-grams of response field: text\n', []),
    "of nothing else there": (HEAD + 'decontaminate against "b.jsonl" by 8-grams of teacher\n', ["MIX0302"]),
    "a waiver says why": (HEAD + 'decontaminate none because " "\n', ["MIX0301"]),
    "training without either": (block("train tiny", "steps 3"), ["MIX0601"]),
    "evaluating without either": (block("evaluate", 'benchmark b "b.jsonl"'), ["MIX0601"]),
    "dedup by exact": (HEAD + "dedup by exact of prompt\n", []),
    "by minhash": (HEAD + "dedup by minhash of response\n", []),
    "at a similarity": (HEAD + "dedup by minhash(threshold: 0.9) of response\n", []),
    "of at most 1": (HEAD + "dedup by minhash(threshold: 1.5) of response\n", ["MIX0306"]),
    "above 0": (HEAD + "dedup by minhash(threshold: 0) of response\n", ["MIX0306"]),
    "given once": (HEAD + "dedup by minhash(threshold: 0.5, threshold: 0.6) of response\n", ["MIX0202"]),
    "exact has none": (HEAD + "dedup by exact(threshold: 0.5) of response\n", ["MIX0302"]),
    "of prompt or response": (HEAD + "dedup by exact of teacher\n", ["MIX0302"]),
    "training has a length": (train("format plain"), ["MIX0207"]),
    "one": (train("epochs 1", "steps 3"), ["MIX0202"]),
    "a rate": (train("steps 3", "learning_rate -1"), ["MIX0306"]),
    "a batch of examples": (train("steps 3", "batch 8"), ["MIX0309"]),
    "a length of tokens": (train("steps 3", "max_length 8k examples"), ["MIX0303"]),
    "a format": (train("steps 3", "format skills"), ["MIX0302"]),
    "a method": (train("steps 3", "method qlora"), ["MIX0302"]),
    "one with arguments": (train("steps 3", "method lora(rank: 8, alpha: 16, dropout: 0.1)"), []),
    "full has none": (train("steps 3", "method full(rank: 8)"), ["MIX0302"]),
    "a rank": (train("steps 3", "method lora(rank: 0)"), ["MIX0306"]),
    "a dropout below 1": (train("steps 3", "method lora(dropout: 1)"), ["MIX0306"]),
    "a warm-up in % or steps": (train("steps 3", "warmup 2 epochs"), ["MIX0303"]),
    "never bare": (train("steps 3", "warmup 3"), ["MIX0309"]),
    "a schedule": (train("steps 3", "schedule sine"), ["MIX0302"]),
    "switches": (train("steps 3", "packing true", "gradient_checkpointing false"), []),
    "that are true or false": (train("steps 3", "gradient_checkpointing 1"), ["MIX0301"]),
    "trackers": (train("steps 3", "report [trackio, wandb, tensorboard]"), []),
    "that are known": (train("steps 3", "report mlflow"), ["MIX0302"]),
    "checkpoints": (train("steps 3", "save 1 epochs"), []),
    "checkpoints within an epoch": (train("steps 3", "save 0.5 epochs"), []),
    "no part of a step": (train("steps 3", "save 1.5 steps"), ["MIX0306"]),
    "never": (train("steps 3", "save 0 epochs"), ["MIX0306"]),
    "in steps or epochs": (train("steps 3", "save 10%"), ["MIX0303"]),
    "a weight that is a score": (train("steps 3", "weight ratio"), []),
    "a declared one": (train("steps 3", "weight ration"), ["MIX0201"]),
    "of numbers": (train("steps 3", "weight good_one"), ["MIX0304"]),
    "one seed": (train("steps 3", "seed 4") + "evaluate { seeds [1] }\n", ["MIX0202"]),
    "benchmarks": (evaluate('benchmark a "a.jsonl"', 'benchmark b "b.jsonl" samples 4 limit 50 prompts'), []),
    "of different names": (evaluate('benchmark a "a.jsonl"', 'benchmark a "b.jsonl"'), ["MIX0202"]),
    "with samples": (evaluate('benchmark a "a.jsonl" samples 0'), ["MIX0306"]),
    "a limit of prompts": (evaluate('benchmark a "a.jsonl" limit 50'), ["MIX0309"]),
    "held-out rows": (evaluate('heldout rows where split == "test"'), []),
    "of a corpus": (evaluate('heldout row where split == "test"'), ["MIX0201"]),
    "baselines": (evaluate("baseline random", "baseline ratio"), []),
    "that are scores": (evaluate("baseline ration"), ["MIX0201"]),
    "that order": (evaluate("baseline good_one"), ["MIX0304"]),
    "seeds": (evaluate("seeds [0, 1, 2]"), []),
    "each once": (evaluate("seeds [0, 1, 0]"), ["MIX0202"]),
    "in a list": (evaluate("seeds 3"), ["MIX0301"]),
    "licences": (corpus('license "MIT"') + 'require license in ["MIT", "Apache-2.0"]\n', []),
    "that are allowed": (corpus('license "GPL"') + 'require license in ["MIT"]\n', ["MIX0406"]),
    "that are given": (HEAD + 'require license in ["MIT"]\n', ["MIX0207"]),
    "of rows": (corpus("license license") + 'require license in ["MIT"]\n', []),
    "as texts": (corpus('license "MIT"') + "require license in [MIT]\n", ["MIX0301"]),
    "and nothing else": (HEAD + 'require author in ["x"]\n', ["MIX0302"]),
}


@pytest.mark.parametrize("rule", RULES)
def test_rule(rule: str) -> None:
    text, codes = RULES[rule]
    assert errors(text, TEXTS) == codes


def stage(kind: type[T], text: str) -> T:
    return next(s for s in plan(text, TEXTS).stages if isinstance(s, kind))


def test_a_mix_without_a_seed_has_the_seed_0_in_its_plan() -> None:
    made = plan(HEAD.replace("seed 1", 'description "d"\n  license "MIT"'))
    assert (made.seed, made.description, made.license) == (0, "d", "MIT")
    assert stage(Scan, HEAD.replace("seed 1", 'license "MIT"')).seed == 0


def test_defaults_of_a_teacher_that_generates() -> None:
    text = generate("prompts from rows", 'where split == "train"')
    (writer,) = stage(Teachers, text).generated
    assert (writer.corpus, writer.samples, writer.temperature, writer.max_tokens, writer.seed) == ("rows", 1, 0.6, 2000, 1)
    assert writer.where is not None and writer.where.text == 'where split == "train"'
    assert "split" in stage(Scan, text).columns


def test_how_skills_are_tagged_is_in_the_plan() -> None:
    assert stage(Tag, tagged('tag by keywords "keywords.json"')).keywords == (("Algebra", ("equation",)), ("Lines", ("slope", "intercept")))
    asked = stage(Tag, tagged('tag by llm(model: "hub/large")')).attribution
    assert asked is not None and (asked.model.model, asked.model.dtype, asked.reads, asked.max_tokens, asked.temperature, asked.depth) == ("hub/large", "bf16", "prompt", 512, 0, None)
    more = stage(Tag, tagged('tag by llm("hub/large", revision: "abc", reads: response, depth: 2, temperature: 0.3, max_tokens: 2k tokens)')).attribution
    assert more is not None and (more.model.revision, more.reads, more.max_tokens, more.temperature, more.depth) == ("abc", "response", 2000, 0.3, 2)
    near = [stage(Tag, tagged(f'tag by embedding(model: "hub/e5"{more})')).nearest for more in ("", ", top: 3", ", margin: 0.1", ', top: 2, margin: 0, least: 0.3, revision: "main"')]
    assert [n and (n.top, n.margin, n.least, n.model.revision) for n in near] == [(1, None, None, None), (3, None, None, None), (None, 0.1, None, None), (2, 0, 0.3, "main")]
    assert near[0] is not None and (near[0].model.model, near[0].model.dtype) == ("hub/e5", "fp32")


def test_profiles() -> None:
    read = stage(Profile, SCORED + 'profile tiny from "profile.json"\n')
    assert read.file == "profile.json" and read.tallies is not None and read.grade is None
    assert [(n, t.attempts, t.correct) for n, t in read.tallies] == [("Algebra", 20, 11)]
    measured = stage(Profile, block("profile tiny", "sample 20 prompts per skill", "max_tokens 1k tokens", "grade exact_match(gold)"))
    assert (measured.attempts, measured.sample, measured.temperature, measured.max_tokens) == (1, 20, 0, 1000)
    assert (measured.least, measured.width) == (None, None)
    grown = stage(Profile, block("profile tiny", "sample 20..50 prompts per skill", "width 12.5%", "grade verify_math(reference)"))
    assert (grown.least, grown.sample, grown.width) == (20, 50, 12.5)
    assert measured.grade and (measured.grade.scorer, measured.grade.reads) == ("exact_match", ("column:gold",))


def test_similarity_has_a_default() -> None:
    assert stage(Dedup, HEAD + "dedup by minhash of response\n").threshold == 0.8
    assert stage(Dedup, HEAD + "dedup by exact of response\n").threshold is None


def test_training_with_its_defaults_and_with_all_it_takes() -> None:
    plain = stage(Train, train("steps 3"))
    assert (plain.lora, plain.weight, plain.schedule, plain.packing, plain.report, plain.save) == (None, None, "cosine", False, (), None)
    assert (plain.warmup.value, plain.warmup.unit, plain.gradient_checkpointing, plain.seed) == (10, "%", False, 1)
    text = train("steps 3", "method lora(8)", "weight ratio", "warmup 4 steps", "schedule constant", "seed 9", "packing true", "save 2 steps", "report wandb")
    full = stage(Train, text)
    assert full.lora and (full.lora.rank, full.lora.alpha, full.lora.dropout) == (8, 16, 0)
    assert full.save and (full.warmup.value, full.warmup.unit, full.save.value, full.save.unit) == (4, "steps", 2, "steps")
    assert (full.weight, full.schedule, full.seed, full.packing, full.report) == ("ratio", "constant", 9, True, ("wandb",))
    made = stage(Materialise, text)
    assert made.weight == "ratio" and "score:ratio" in made.inputs
    assert next(s for s in plan(text).stages if isinstance(s, Score) and s.name == "ratio").rows == "selected"


def test_who_is_told_and_how_often_is_saved_trains_nothing_anew() -> None:
    one, two = (dict(plan(train("steps 3", more)).fingerprints)["train"] for more in ("report wandb", "save 2 steps"))
    assert one == two == dict(plan(train("steps 3")).fingerprints)["train"]
    assert one != dict(plan(train("steps 3", "warmup 3%")).fingerprints)["train"]


def test_an_evaluation_with_all_it_takes() -> None:
    text = evaluate('benchmark a "a.jsonl" samples 4', "baseline random", "baseline ratio", "seeds [3, 4]", "temperature 0.6", "max_tokens 100 tokens")
    found = stage(Evaluate, text)
    assert (found.baselines, found.seeds, found.temperature, found.max_tokens) == (("random", "ratio"), (3, 4), 0.6, 100)
    assert found.benchmarks[0].samples == 4


def test_required_licences_are_in_every_scan() -> None:
    found = stage(Scan, corpus("license license") + 'require license in ["MIT", "Apache-2.0"]\n')
    assert found.require and found.require.allowed == ("MIT", "Apache-2.0") and found.roles.license == "license"
