"""MIX04xx: plans that cannot be carried out."""

from .entry import Code

CODES: dict[str, Code] = {
    "MIX0401": Code(
        "clauses of `select` that cannot be satisfied together",
        "Quotas, budgets and `keep at most` act together on the candidates that the filters leave, and no selection satisfies them all. "
        "mixc never returns less than was asked for. The clauses named are a minimal set in conflict: leave any of them out and the others "
        "can be satisfied. The notes say what there is for each and which earlier clause took the rows away. The help lists up to three changes of "
        "one clause, the nearest first, each of them with a selection found for it: the clause as it would stand, or that it must go where "
        "nothing less than that helps. `not enough alone` stands at a change that ends this conflict while another remains. Exit code 3.",
        'quota  skill "Geometry" >= 3 examples   # there are 2\nbudget 4 examples',
        'quota  skill "Geometry" >= 2 examples\nbudget 4 examples',
    ),
    "MIX0402": Code(
        "quotas that cannot hold whatever the data",
        "A floor above its own cap or above that of a skill that contains it, floors on groups without a row in common that add up to more "
        "than 100 % or than the budget, caps on all teachers that add up to less: these can be seen to be impossible before any row is read. "
        "All quotas that take part are shown, and the note does the sum. Shares of an examples budget are compared with quotas in examples. "
        "Lower a floor, raise a cap, or change the budget.",
        'quota teacher "tutor" 150..100 examples',
        'quota teacher "tutor" 100..150 examples',
    ),
    "MIX0403": Code(
        "a cap on a group that has no row",
        "A cap that no row can reach changes nothing, and is most often a misspelt value. Skills of a tree and declared teachers are checked "
        "as names; without a tree, and for values of a column, only the rows can tell. A floor on such a group is infeasible (MIX0401).",
        'skills maths { tag by column subject }\nquota skill "Algerba" <= 50%',
        'skills maths { tag by column subject }\nquota skill "Algebra" <= 80%',
    ),
    "MIX0404": Code(
        "a share with more decimals than can be solved exactly",
        "Shares are taken as the decimals that were written and solved in whole numbers. With some ten decimals on a large table these numbers "
        "no longer fit into 64 bits. Write fewer decimals; no selection can tell the difference.",
        'quota  teacher "gpt-4o" >= 0.0333333333333333333%\nbudget up to 4 examples',
        'quota  teacher "gpt-4o" >= 0.0333%\nbudget up to 4 examples',
    ),
    "MIX0405": Code(
        "clauses that cannot stand beside one another",
        "The published sampler `quota skill weakness(paper)` takes the place of the whole optimisation, so a quota, an objective or a cap beside it would be "
        "promised and not kept; and a profile from a file is not measured, so how to measure it says nothing. Keep one of the two.",
        """profile smollm2 from "profile.json"

select {
  quota    skill weakness(paper)
  budget   1000 examples
  maximize naturalness
}""",
        """profile smollm2 from "profile.json"

select {
  keep     best 1 per prompt by naturalness
  quota    skill weakness(paper)
  budget   1000 examples
}""",
    ),
    "MIX0406": Code(
        "a corpus under a licence that is not allowed",
        "`require license in [...]` names the licences that the data may have. A corpus says its own with `license \"MIT\"`, which is judged when the spec is "
        "checked, or names a column of licences with `license COLUMN`, and then each row is judged: one that is not allowed is dropped. Licences are compared as "
        "they are written, `MIT` is not `mit`; a name that differs from an allowed one in its spelling alone is pointed out, and never taken for it.",
        """require license in ["MIT", "Apache-2.0"]

corpus traces {
  scan     "traces.jsonl"
  prompt   question
  response solution
  teacher  model
  license  "CC-BY-NC-4.0"
}""",
        """require license in ["MIT", "Apache-2.0", "CC-BY-NC-4.0"]

corpus traces {
  scan     "traces.jsonl"
  prompt   question
  response solution
  teacher  model
  license  "CC-BY-NC-4.0"
}""",
    ),
    "MIX0407": Code(
        "a condition that no row can pass",
        "Conditions hold together: the corpus's own `where`, that of the row's teacher, and every `where` of `select`. If they exclude one "
        "another, or one is never true, nothing is left to select from, and that can be seen before any row is read. What a scorer promises "
        "counts too: a log-probability is never above 0, a rank never below 1. A `heldout` that takes all that its corpus keeps is the same "
        "mistake, because prompts that are held out are no candidates.",
        """select {
  where length <= 100 tokens
  where length >= 200 tokens
}""",
        """select {
  where length >= 100 tokens
  where length <= 200 tokens
}""",
    ),
    "MIX0408": Code(
        "a budget that the sampled prompts cannot fill",
        "`sample 5 prompts` leaves five prompts, and `keep best 1 per prompt` one row of each: five examples at most, whatever they are. "
        "An exact budget above that can never be met. Lower it, write `budget up to`, or sample more prompts.",
        """corpus traces {
  scan     "traces.jsonl"
  prompt   question
  response solution
  teacher  model
  sample   5 prompts
}

select {
  keep   best 1 per prompt by length
  budget 10 examples
}""",
        """corpus traces {
  scan     "traces.jsonl"
  prompt   question
  response solution
  teacher  model
  sample   10 prompts
}

select {
  keep   best 1 per prompt by length
  budget 10 examples
}""",
    ),
    "MIX0410": Code(
        "a clause that the runtime does not do yet",
        "The language has this clause, and it is checked and planned, but this version of the runtime cannot carry it out. `check` and `plan` "
        "warn, and name the stage that is missing; `build` stops before it starts, unless `--until` names a stage before the one that would need the clause.",
        """corpus traces {
  scan      "traces.jsonl"
  prompt    question
  response  solution
  reference answer
  teacher   model
}
student larger { model "HuggingFaceTB/SmolLM2-360M-Instruct" }
train smollm2 { epochs 5 }
train larger  { epochs 5 }    # two trainings in one recipe""",
        """corpus traces {
  scan      "traces.jsonl"
  prompt    question
  response  solution
  reference answer
  teacher   model
}
train smollm2 { epochs 5 }""",
    ),
    "MIX0412": Code(
        "not an endpoint, or a secret in the spec",
        "An endpoint is an OpenAI-compatible server, named by the url that the paths of its API stand behind, without `/chat/completions`: "
        "`https://api.openai.com/v1`, or `http://localhost:8000/v1` for a server of vLLM on this machine. A spec is a file that is shared, so no secret may stand in "
        "it: no name and password in the url, and no key. `key` is the name of the environment variable that holds the key, `OPENAI_API_KEY` "
        "where it is left out; it is sent to that server and written nowhere. A server without a key is asked without one. The same holds of the address of a corpus or a benchmark: who may "
        "read `s3://`, `gs://` and `hf://` is said by the environment.",
        """teacher tutor generate {
  model    "Qwen/Qwen2.5-7B-Instruct"
  prompts  from traces
  endpoint "https://me:secret@models.example.org/v1"
}""",
        """teacher tutor generate {
  model    "Qwen/Qwen2.5-7B-Instruct"
  prompts  from traces
  endpoint "https://models.example.org/v1"
  key      "MODELS_KEY"
}""",
    ),
    "MIX0411": Code(
        "attempts that cannot differ",
        "At temperature 0 the student writes its likeliest answer, the same one however often it is asked. Several attempts would be counted as if each said "
        "something more of the student, and its accuracy would look better known than it is. Ask once, or draw the answers at a temperature above 0.",
        """profile smollm2 {
  attempts 4 per prompt
  grade    verify_math(reference)
}""",
        """profile smollm2 {
  attempts    4 per prompt
  temperature 0.6
  grade       verify_math(reference)
}""",
    ),
    "MIX0420": Code(
        "an expectation of a test does not hold",
        "`mixc test` runs the recipe on the rows of the test's fixture, as far as `select`, and holds what came out against every `expect`. "
        "The message says what was expected and what was seen, and shows some of the rows that count: those selected, and those dropped "
        "with their reasons. Either the recipe no longer does what it was meant to do, or the expectation is out of date. Exit code 1.",
        """test "wrong answers never enter" {
  given  "fixtures/wrong.jsonl"    # two rows, one of them wrong
  expect selected == 2 examples
}""",
        """test "wrong answers never enter" {
  given  "fixtures/wrong.jsonl"
  expect selected == 1 examples
}""",
    ),
    "MIX0421": Code(
        "expectations that exclude one another",
        "A run ends with an error or with a selection, never with both, and with one error alone. A test that expects more than one of "
        "these can never pass; write a test for each.",
        """test "too few" {
  given  "fixtures/few.jsonl"
  expect error MIX0401
  expect selected == 0 examples
}""",
        """test "too few" {
  given  "fixtures/few.jsonl"
  expect error MIX0401
}""",
    ),
    "MIX0430": Code(
        "a sentence-embedding model that cannot be used",
        "`tag by embedding` reads the folders that sentence-transformers writes: `modules.json` says how the states of a text's tokens become one vector. "
        "mixc reads them without that package: a transformer with safetensors weights, one pooling (cls, max, mean, weightedmean, lasttoken, or several), "
        "dense layers, layer norms, normalising, and the default prompt. What a model asks for beyond that would change its vectors, so it is refused.",
        'skills maths {\n  tree "maths.json"\n  tag  by embedding(model: "traces.jsonl")\n}',
        'skills maths {\n  tree "maths.json"\n  tag  by embedding(model: "sentence-transformers/all-MiniLM-L6-v2")\n}',
    ),
    "MIX0431": Code(
        "a tree of skills that is none",
        "A tree is JSON: a root with `children`, each `{\"name\": …}` with `children` of its own or none, and where it helps a `description`. A skill "
        "is known by its name alone, so no two nodes share one, and a node that has itself above it would be a cycle. Names are joined by `->` in a "
        "chain, so they have none in them, and no line breaks. The message names the node by its chain, and where it stands in the file.",
        'skills maths {\n  tree "twice.json"\n  tag  by column subject\n}',
        'skills maths {\n  tree "maths.json"\n  tag  by column subject\n}',
    ),
    "MIX0432": Code(
        "a licence that is doubtful",
        "What the recipe says of licences and what its data says do not agree. `mix { license }` is the licence of what comes out; a corpus under another one, one "
        "that states none, or answers that a model is yet to write, go into it all the same. Or rows have a licence that is written almost like one that `require license` allows: it is "
        "not taken for it, so these rows are dropped. mixc compares names and counts rows; which licence may be passed on under which it does not know. Where you do, "
        "`require license in [...]` names the licences that the recipe takes on purpose, and a comment, `# mixc: allow MIX0432 because \"…\"`, says why it is right.",
        """mix "sums" {
  seed    1
  license "MIT"
}
corpus traces {
  scan     "traces.jsonl"
  prompt   question
  response solution
  teacher  model
  license  "CC-BY-SA-4.0"
}""",
        """mix "sums" {
  seed    1
  license "CC-BY-SA-4.0"
}
corpus traces {
  scan     "traces.jsonl"
  prompt   question
  response solution
  teacher  model
  license  "CC-BY-SA-4.0"
}""",
    ),
    "MIX0433": Code(
        "several samples where there is one answer",
        "`samples 4` answers every problem of a benchmark four times: the accuracy is the mean share of right answers (Avg@4), and pass@k the chance "
        "that one of k is right. At `temperature 0`, which is the default, a model says the same each time, so three of four answers would tell "
        "nothing, and each problem is answered once. Give `evaluate` a temperature, or ask once.",
        "evaluate {\n  benchmark sums \"bench.jsonl\" samples 4\n}",
        "evaluate {\n  benchmark sums \"bench.jsonl\" samples 4\n  temperature 0.6\n}",
    ),
    "MIX0434": Code(
        "a baseline of another size",
        "A baseline selects from the candidates of the recipe with the recipe's budgets, but without its quotas and without the filters that read a "
        "log-probability. Without a budget, or with `budget up to`, it may then train on more examples than the recipe, and a difference "
        "between the two is one of size as well. With `budget N examples` or `budget N tokens` all arms are of one size.",
        "quota teacher strong <= 40%\ntrain smollm2 { steps 4 }\nevaluate {\n  benchmark sums \"bench.jsonl\"\n  baseline  random\n}",
        "quota teacher strong <= 40%\nbudget 100 examples\ntrain smollm2 { steps 4 }\nevaluate {\n  benchmark sums \"bench.jsonl\"\n  baseline  random\n}",
    ),
}
