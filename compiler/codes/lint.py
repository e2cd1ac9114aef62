"""MIX06xx: legal but unwise."""

from .entry import Code

CODES: dict[str, Code] = {
    "MIX0601": Code(
        "no decontamination",
        "A model trained on its own exam scores well and has learnt nothing. A spec that trains or evaluates says which benchmarks its prompts are checked against, "
        "or says why it needs no check.",
        "train smollm2 { epochs 1 }",
        'decontaminate against "bench/*.jsonl" by 8-grams of prompt\ntrain smollm2 { epochs 1 }',
    ),
    "MIX0602": Code(
        "a fixed threshold on what a model says of a text",
        "Log-probabilities depend on the student, its tokenizer and the teacher's style. A number that was right for one student keeps all rows or none for "
        "the next, and with several teachers it mostly chooses between teachers. A quantile within teacher keeps the same share whatever the scale.",
        "where naturalness >= -1.5 nats",
        "where naturalness >= p20 within teacher",
    ),
    "MIX0603": Code(
        "a window that sees nearly the whole response",
        "A local score reads each step after the last few; with a window of 90 % or of 50 steps nearly every step is read after all that went before it. The score then "
        "says what `global_logprob` says, for many times the passes through the model.",
        "score naturalness = local_logprob(student: smollm2, window: 100%)",
        "score naturalness = local_logprob(student: smollm2, window: 4 steps)",
    ),
    "MIX0604": Code(
        "no teacher has a cap",
        "Whatever is maximised has a favourite among the teachers, and without a cap the favourite may fill the budget. A student that hears one teacher learns its habits "
        "with its reasoning, and a comparison of teachers says nothing.",
        "select {\n  budget 100 examples\n}",
        "select {\n  quota  teacher strong <= 40%\n  budget 100 examples\n}",
    ),
    "MIX0605": Code(
        "a benchmark whose file is also a corpus",
        "The file that a student is measured on is also one that its training data is selected from, or the corpus is decontaminated against itself. Patterns are compared as "
        "text: `data/*.jsonl` takes in `data/bench.jsonl`.",
        'evaluate {\n  benchmark exam "traces.jsonl"   # which a corpus scans\n}',
        'evaluate {\n  benchmark exam "exam.jsonl"\n}',
    ),
    "MIX0606": Code(
        "a model that is not pinned to a revision",
        "The weights behind a hub id, a branch or a tag can be replaced. A revision of 40 hex digits names one commit for ever, and stored scores stay those of the model that "
        "gave them. Local folders and `.gguf` files are known by their content and need none.",
        'student smollm2 { model "HuggingFaceTB/SmolLM2-135M-Instruct" }',
        'student smollm2 {\n  model    "HuggingFaceTB/SmolLM2-135M-Instruct"\n  revision "12fd25f77366fa6b3b4b768ec3050bf629380bac"\n}',
    ),
    "MIX0607": Code(
        "the published sampler over skills that were never solved",
        "`weakness(paper)` weighs a skill by 1/accuracy, at most 1000. A skill that was tried and never solved gets 1000 where one that is solved half of the time gets 2, so "
        "a handful of them take nearly all draws, whether the student is weak there or the few attempts were unlucky. The bounded, smoothed form does not.",
        'profile smollm2 from "unsolved.json"\n\nselect {\n  quota  skill weakness(paper)\n  budget 100 examples\n}',
        'profile smollm2 from "unsolved.json"\n\nselect {\n  quota  skill weakness(max_weight: 20, prior: beta(1, 1))\n  budget 100 examples\n}',
    ),
    "MIX0608": Code(
        "a declaration that nothing uses",
        "A param, a student, a taxonomy, a profile or a corpus that no other line needs is most often a misspelt name elsewhere, or what is left of an experiment. Scores are "
        "left out: an unused one is computed for the selected rows, to be looked at.",
        "param window = 4\nscore naturalness = local_logprob(student: smollm2, window: 8 steps)",
        "param window = 4\nscore naturalness = local_logprob(student: smollm2, window: $window steps)",
    ),
    "MIX0609": Code(
        "a clause that changes nothing",
        "Another clause has seen to it already, or it is true of every row: a looser bound after a tighter one, a cap of 100 %, `keep best 3` after `keep best 2`. It is there "
        "because somebody believed that it did something.",
        "where length <= 4k tokens\nwhere length <= 8k tokens",
        "where length <= 4k tokens",
    ),
    "MIX0610": Code(
        "a comment that cannot silence a lint",
        "`# mixc: allow CODE because \"…\"` silences one lint at the clause that follows it, or at the clause on whose line it stands. It must say why, name a lint, and have "
        "something to silence. A missing decontamination (MIX0601) is an error and is waived by `decontaminate none because \"…\"` alone.",
        "# mixc: allow MIX0604\nselect { budget 100 examples }",
        '# mixc: allow MIX0604 because "the teachers are compared, one at a time"\nselect { budget 100 examples }',
    ),
    "MIX0611": Code(
        "responses that training will cut",
        "`max_length` cuts an example, prompt and response together, and a `where` lets longer responses pass. The end of a response holds its answer.",
        "select {\n  where length <= 4k tokens\n}\n\ntrain smollm2 {\n  epochs     1\n  max_length 2k tokens\n}",
        "select {\n  where length <= 1500 tokens\n}\n\ntrain smollm2 {\n  epochs     1\n  max_length 2k tokens\n}",
    ),
    "MIX0612": Code(
        "a quantile of the rows that have won",
        "Filters apply in their order. After `keep best 1 per prompt by naturalness` only winners are left, so `naturalness >= p20` drops a fifth of the winners, and with "
        "them whole prompts, instead of the least natural fifth of all rows.",
        "keep  best 1 per prompt by naturalness\nwhere naturalness >= p20 within teacher",
        "where naturalness >= p20 within teacher\nkeep  best 1 per prompt by naturalness",
    ),
    "MIX0613": Code(
        "training without a test of the answers",
        "The corpus has a `reference`, so a grader can tell right answers from wrong ones, and no `where` asks. A student learns wrong reasoning as easily as right.",
        "select {\n  budget 100 examples\n}\n\ntrain smollm2 { epochs 1 }",
        "select {\n  where  correct\n  budget 100 examples\n}\n\ntrain smollm2 { epochs 1 }",
    ),
    "MIX0614": Code(
        "a score that goes with length, or with the teacher",
        "The first token of a step is its least likely one, and the more tokens follow it the less it counts: a mean log-probability can prefer long steps to natural ones "
        "(step-length confounding, 2604.06834). A score can also go with the length of the whole response, or tell little but which teacher answered. `mixc plan`, where the "
        "values are in the store, and every build measure it over the rows that have a value: the rank correlation of the score with the mean tokens of a step and with the tokens "
        "of the response, and the share of its variance within prompts that the teacher explains. From 0.5 on, with at least 30 rows (and 10 for each teacher), this is said of a score "
        "that the selection reads. `check` sees no data and says nothing. The manifest has the numbers in any case.",
        "score naturalness = local_logprob(student: smollm2, window: 4 steps)\n\nselect {\n  budget   100 examples\n  maximize naturalness\n}",
        "score naturalness = local_logprob(student: smollm2, window: 4 steps, debias: drop_first)\n\nselect {\n  budget   100 examples\n  maximize naturalness\n}",
    ),
}
