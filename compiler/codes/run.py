"""MIX05xx: what only a run can show."""

from .entry import Code

CODES: dict[str, Code] = {
    "MIX0501": Code(
        "a file cannot be read",
        "A file that the spec names is there, but what is in it cannot be read: it is cut off, damaged, of another "
        "format than its name says, or you may not open it. The message names the file. Nothing was skipped: a "
        "corpus with a hole in it is another corpus. Fetch the file again, or leave it out of the glob.",
        "a Parquet file of which only the first half was downloaded", "the whole file",
    ),
    "MIX0502": Code(
        "a column does not hold what the spec needs",
        "Reading the data showed values that the clause cannot use: text where a number is needed, a fraction where "
        "tokens are counted, an empty prompt or response. The message names the column and shows a value. Name "
        "another column, or leave those rows out with the corpus's `where`.",
        "score length = column(lp, unit: tokens)\nbudget 40 tokens",
        "score length = column(token_count, unit: tokens)\nbudget 40 tokens",
    ),
    "MIX0503": Code(
        "no rows",
        "Nothing is left to go on with: the files hold no row, or the clauses so far dropped every one. The message "
        "names the first stage that left nothing. Loosen its clause, or look at what the files hold.",
        "corpus traces {\n"
        '  scan      "traces.jsonl"\n'
        "  prompt    question\n"
        "  response  solution\n"
        "  reference answer\n"
        "  teacher   model\n"
        '  where     split == "trian"\n'
        "}",
        "corpus traces {\n"
        '  scan      "traces.jsonl"\n'
        "  prompt    question\n"
        "  response  solution\n"
        "  reference answer\n"
        "  teacher   model\n"
        '  where     split == "train"\n'
        "}",
    ),
    "MIX0504": Code(
        "the data contradicts itself",
        "One prompt id stands beside two different prompts, or two rows with the same prompt, response and teacher "
        "differ in a column that the spec uses. mixc does not choose one of the two, since the choice would change "
        "the mixture unseen. Mend the data, or leave out `id` so that prompts are told apart by their text.",
        "corpus traces {\n"
        '  scan      "traces.jsonl"\n'
        "  prompt    question\n"
        "  response  solution\n"
        "  reference answer\n"
        "  teacher   model\n"
        "  id        subject\n"
        "}",
        "corpus traces {\n"
        '  scan      "traces.jsonl"\n'
        "  prompt    question\n"
        "  response  solution\n"
        "  reference answer\n"
        "  teacher   model\n"
        "}",
    ),
    "MIX0505": Code(
        "a row of two teachers",
        "Two `teacher` declarations both claim the row, so a quota on either could not be counted. Make their "
        "conditions exclude one another.",
        'teacher strong from traces where model == "gpt-4o"\nteacher any    from traces where model in ["gpt-4o", "small"]',
        'teacher strong from traces where model == "gpt-4o"\nteacher weak   from traces where model == "small"',
    ),
    "MIX0506": Code(
        "a model cannot be found or loaded",
        "The student's `model` is a hub id, a local folder or a `.gguf` file. Paths are relative to the spec. mixc "
        "found nothing there, could not reach the hub, or found files that the installed transformers cannot load.",
        'model "models/SmolLM2.ggfu"', 'model "models/SmolLM2.gguf"',
    ),
    "MIX0507": Code(
        "a model lacks what is needed",
        "Scoring and training write the prompt through the model's chat template and need its fast tokenizer, which "
        "knows where each token begins in the text. Choose a model that has both, or give the student a `template`.",
        "a base model without a chat template", 'template "chat.jinja"',
    ),
    "MIX0508": Code(
        "a file cannot be written",
        "The disk is full, a limit on file sizes or a quota is reached, or you may not write there. No half file is "
        "left behind, and what was finished before is kept: after making room, the same command goes on where this "
        "one stopped.",
        "a build onto a full disk", "the same build with room on the disk, or `--out` on another disk",
    ),
    "MIX0509": Code(
        "a package is missing",
        "Checking, planning and selecting need only the core of mixc. Scoring with a model, grading, training and "
        "the language server need more packages, which come as extras. The message names the one to install.",
        "mixc build SPEC, after `pip install mixc`", 'pip install "mixc[train]"',
    ),
    "MIX0510": Code(
        "training failed",
        "There was nothing to train on after tokenising (no row selected, or no token left within `max_length`), or "
        "the loss stopped being a number. The message says which. The selection is finished and stays.",
        "max_length 8 tokens", "max_length 2k tokens",
    ),
    "MIX0511": Code(
        "a benchmark is not usable",
        "A benchmark is a file of JSON lines, Parquet or Arrow with one problem a row: its text in `problem`, else `prompt`, else "
        "`question`, and for an accuracy the `answer`, else `reference`; `(problem: text, answer: target)` after the path says other names. "
        "The file is missing a field, holds a line that is not JSON, or no row at all.",
        'decontaminate against "traces.jsonl" by 8-grams of prompt field: text',
        'decontaminate against "traces.jsonl" by 8-grams of prompt field: notes',
    ),
    "MIX0512": Code(
        "the output folder or the store is in use or unusable",
        "Another build is writing the same folder, or the folder of the build or of the store (`.mixc`, or "
        "MIXC_HOME) is a file or cannot be opened. Wait for the other build, or choose another folder.",
        "MIXC_HOME=notes.txt mixc build SPEC", "MIXC_HOME=~/.mixc mixc build SPEC",
    ),
    "MIX0513": Code(
        "a promise of the spec is broken in trained tokens",
        "Quotas and budgets hold for the rows that are selected. Then the chat template is written around them and they are cut to what the student is trained on: a long response loses its end, and a "
        "row whose prompt alone fills `max_length` is left out. Every quota and budget is counted once more over what is left, before anything is trained, and here one no longer holds: a teacher has "
        "fewer tokens than were asked for, or fewer examples are trained on than the budget says. What the template itself adds (the end of a turn, the `Skills:` lines) breaks no promise and is only "
        "told. Write a larger `max_length`, or select rows that fit.",
        'quota teacher strong >= 40% of tokens\n# in `train`, where the strong teacher writes long responses\nmax_length 512 tokens',
        'quota teacher strong >= 40% of tokens\nwhere length <= 400 tokens\n# in `train`\nmax_length 512 tokens',
    ),
    "MIX0514": Code(
        "a worker process died",
        "Graders and engines work in processes of their own, so that one that hangs or is killed takes nothing else "
        "with it. A single item whose process dies is tried twice and then counted as unknown; this fault means "
        "that the processes could not start, or that most of them died, mostly for lack of memory. What was "
        "finished is kept: free some memory and run again.",
        "a machine whose memory is full", "the same command with memory free",
    ),
    "MIX0515": Code(
        "a scorer of a package that cannot be run",
        "An installed package says what its scorer is (`mixc.signatures`), so that specs can name it, but the code for a run (`mixc.scorers`) is missing, cannot "
        "be loaded, or fails at its work. Install the package whole, or ask its authors.",
        '[project.entry-points."mixc.signatures"]\nsurprise = "surprise:SIGNATURE"',
        '[project.entry-points."mixc.signatures"]\nsurprise = "surprise:SIGNATURE"\n\n[project.entry-points."mixc.scorers"]\nsurprise = "surprise:Surprise"',
    ),
    "MIX0516": Code(
        "a shard of the store is damaged",
        "The store keeps scores in files that are named by the digest of their bytes. This one is not what its name says (a disk or a copy went wrong, or something "
        "wrote into it), or it holds other columns than the files beside it. Nothing wrong is ever read from it: a build that meets it sets it aside as `*.corrupt`, says so, and "
        "computes its rows again. `mixc cache verify --repair` does the setting aside now, and `mixc cache gc --yes` removes what was set aside. The weights of a `.gguf` student that were "
        "unpacked into the store are held against the digests that were written with them; damaged ones `--repair` removes, and the next run that loads the student unpacks it again.",
        "mixc cache verify", "mixc cache verify --repair",
    ),
    "MIX0517": Code(
        "scores that are not what their folder says",
        "Each folder of scores is named by the fingerprint of all that they depend on, which `identity.json` in it tells in words. Here the two do not agree, so the folder was renamed, or "
        "filled by hand with the scores of another model or scorer: a build would take them for its own. Move it back to where it came from, or let `mixc cache verify --repair` set its scores "
        "aside. Where `identity.json` is only missing or unreadable, the scores are used as before and the next build that adds to them writes it again.",
        "cp -r .mixc/scores/1f0c… .mixc/scores/77ab…", "cp -r .mixc/scores/1f0c… backup/scores/1f0c…",
    ),
    "MIX0520": Code(
        "two engines do not agree",
        "Before the values of another engine enter the store, it and transformers read a sample of the same windows. Their "
        "mean log-probabilities differed by more than rounding explains, so one of them does not run this model as it is "
        "meant: an architecture with a detail left out, other weights, a cache that is stale. Nothing was stored. Score "
        "with transformers, or take another version of the engine.",
        "mixc build SPEC --engine vllm, and the two are 0.4 nats apart", "mixc build SPEC --engine transformers",
    ),
    "MIX0521": Code(
        "vLLM cannot be started, or cannot do what is asked",
        "vLLM runs in a process of its own. It is not installed, it does not know the student's architecture, or the "
        "model and its cache do not fit into the memory there is. What it said last is quoted. Everything that it does "
        "transformers does too, and values of both are kept under one fingerprint.",
        "mixc build SPEC --engine vllm, after `pip install mixc`", 'pip install "mixc[vllm]"',
    ),
    "MIX0522": Code(
        "no such engine, or not so many devices",
        "MIXC_ENGINE names the engine that reads for log-probabilities, `transformers` or `vllm`; MIXC_DEVICES and "
        "`--devices` say on how many devices, a process on each. Without them it is transformers, on every CUDA device "
        "where there are several.",
        "MIXC_ENGINE=vlm mixc build SPEC", "MIXC_ENGINE=vllm mixc build SPEC",
    ),
    "MIX0523": Code(
        "training cannot be laid out so",
        "How the examples of a step lie in memory, and how many processes share them, changes no example and no weight beyond rounding. Here the layout "
        "that was asked for would: the student reads the examples of a pack as one text (state-space layers, positions that are counted from the start "
        "of the row), so that `packing` would train each of them behind others; or `mixc` itself was started several times over by a launcher, or the "
        "configuration of `accelerate` cannot be used. mixc is one process, and starts those of a training itself.",
        "train tiny {\n  steps   40\n  packing true\n}", "train tiny {\n  steps   40\n}",
    ),
    "MIX0524": Code(
        "no build to ask",
        "`mixc why` reads a finished build, `mixc compare` one or several, `mixc log` a folder of them: the folder with `plan.json`, `manifest.json` and `ledger.parquet` that `mixc build` writes, or "
        "the spec whose build lies in `build/NAME/`. There is none at that place, it stopped before its selection, it holds several builds, "
        "or a version wrote it that kept less about its rows. A spec with a `sweep` or an `ablate` has a folder for each of its variants, "
        "`build/NAME/window=4/` or `build/NAME/without-1/`, and one of them is what to name; `compare` takes the folder of them all. Where there is no build, build it: scores that "
        "are in the store are not computed again.",
        "mixc why build 3f2a9c", "mixc why build/recipe 3f2a9c",
    ),
    "MIX0525": Code(
        "no such row or prompt",
        "Rows are named by `row_id`, prompts by `prompt_id`, as the build's `ledger.parquet` and `selected.parquet` have them; the beginning "
        "of an id is enough if it has six digits or more. The ledger has every row that was read, dropped ones too, so a row that is not "
        "there is not in the corpus files, or was left out by the `where` or `sample` of its corpus.",
        "mixc why build/recipe 3f2", "mixc why build/recipe 3f2a9c",
    ),
    "MIX0526": Code(
        "the beginning of several ids",
        "What was given is the beginning of the ids of more than one row or prompt. The message names some of them. Give more digits.",
        "mixc why build/recipe 3f2a9c, where two ids begin so", "mixc why build/recipe 3f2a9c04",
    ),
    "MIX0527": Code(
        "a weight that cannot be used",
        "`weight SCORE` in `train` multiplies the loss of each selected row by its score. A weight is a finite number, 0 or more: a row without one, or with one below 0 "
        "(a log-probability, mostly), would be trained on in a way that nobody asked for, and where all weights are 0 nothing is learnt. The message names some of the rows. Weigh by "
        "another score, or leave those rows out of the selection.",
        "score trust = column(lp, unit: nats)\ntrain smollm2 {\n  epochs 1\n  weight trust\n}",
        "score trust = column(token_count)\ntrain smollm2 {\n  epochs 1\n  weight trust\n}",
    ),
    "MIX0529": Code(
        "a file changed while it was read",
        "A run reads a file of a corpus more than once: its ids and columns first, and texts whenever a stage asks for them, those of the chosen rows at the "
        "end. Between two of these the file was written to, or another took its place, so that the texts would no longer be those that were judged. Nothing was "
        "built of the two halves. Run the same command again when nothing writes to the file any more; scores that were computed are in the store.",
        "rsync of a corpus beside `mixc build SPEC`", "rsync of a corpus, then `mixc build SPEC`",
    ),
    "MIX0530": Code(
        "a profile that cannot be measured",
        "A profile is measured on prompts of the candidates: they need a leaf of the skills, and a value in the column that the grader reads. Here no prompt has "
        "both, or none of the student's answers could be graded, so that nothing would be known of any skill and every one would look the same.",
        "profile smollm2 { grade verify_math(reference) }, where the column of the reference is empty",
        "profile smollm2 { grade verify_math(answer) }, where `answer` has what is right",
    ),
    "MIX0531": Code(
        "an endpoint does not answer",
        "A model behind an OpenAI-compatible server was to answer, and the server cannot be reached, wants another key, knows no such model, or answers nothing that is of use. "
        "What may pass is waited out first: a question is asked up to six times, with growing waits between, and after a `Retry-After` when the server says when. A single question that it cannot answer has "
        "no response and is counted; this error means that nothing was answered. The message quotes the server, never the key. What "
        "was answered before is in the store, and the next run goes on from there.",
        "mixc build SPEC, and OPENAI_API_KEY is not set", "OPENAI_API_KEY=… mixc build SPEC",
    ),
    "MIX0533": Code(
        "a model that tags has no room for a question",
        "`tag by llm` asks a model, at each skill of the tree, which of the skills below it a text involves. The question lists them all, and with the answer (`max_tokens`) it must fit into "
        "what the model reads at once, with some room for the text itself. A long text is cut, and counted; a question that leaves no room for any text is an error, "
        "before anything is asked. Lower `max_tokens`, put skills into groups so that fewer stand below one, or take a model that reads more.",
        """skills maths {
  tree "tree.json"
  tag  by llm(model: "reads-2048-tokens", max_tokens: 2k tokens)
}""",
        """skills maths {
  tree "tree.json"
  tag  by llm(model: "reads-2048-tokens", max_tokens: 256 tokens)
}""",
    ),
}  # fmt: skip
