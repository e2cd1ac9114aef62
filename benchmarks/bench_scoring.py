"""Local naturalness of real responses: mixc's engine against the obvious loop and against vLLM, all in one run, each in a process of its own.

    python benchmarks/bench_scoring.py [--data ../shared/data] [--sets short,long] [--dtypes bf16,fp32] [--runs 3] [--no-vllm] [--memory]

`short` is 40 responses to 5 gsm8k prompts, `long` 12 long ones to math_l5 and mmlu_pro prompts; k = 4, sentence steps. The loop reads one
step's window in one forward pass of transformers and makes all its logits. Utilisation: the floating-point operations that cannot be
avoided (the body over each prompt once, each first-k+1 window and each later window once; the head on scored tokens) over the time, as a
share of the matrix-product rate measured beside it (the best of the model's own shapes). Peak: what the process took at most beyond what
it had when the model was loaded. vLLM (bf16; prefix caching off, loading left out) reads the loop's windows, one a step, and then those that
mixc reads, where the first k+1 steps of a response are one and equal ones are read once. `--memory` scores 150, 600 and 1,200 responses through the
scorer and the store, each in a process of its own, and prints what each took at most.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from mixc.compiler.plan.stages import Model
from mixc.compiler.source import Span

if TYPE_CHECKING:
    from mixc.runtime.engines.tokenizer import ChatTokenizer

ROOT = Path(__file__).resolve().parents[1]
STUDENT = "models/SmolLM2-135M-Instruct.Q4_1.gguf"
K = 4
STEP = {"fp32": 1e-4, "bf16": 0.1}
SCORE = {"fp32": 5e-5, "bf16": 0.02}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=str(ROOT / "../shared/data"))
    parser.add_argument("--sets", default="short,long")
    parser.add_argument("--dtypes", default="bf16,fp32")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--no-vllm", action="store_true")
    parser.add_argument("--memory", action="store_true", help="the peak for 150, 600 and 1,200 responses, and nothing else")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        print(json.dumps(SIDES[given.side](given.sets, given.dtypes, given.runs, Path(given.data))))
        return
    if given.memory:
        for count in (150, 600, 1200):
            told = _run("scored", str(count), "bf16", given)
            print(f"{told['responses']:5d} responses  {told['tokens']:9,} tokens  {told['seconds']:6.1f} s  peak {told['peak'] + told['model']:,.0f} MB, {told['model']:,.0f} MB of it to load the student", flush=True)
        return
    for dtype in given.dtypes.split(","):
        for name in given.sets.split(","):
            _compare(name, dtype, given)


def _compare(name: str, dtype: str, given: argparse.Namespace) -> None:
    ours, loop = _run("packed", name, dtype, given), _run("loop", name, dtype, given)
    size = f"{ours['responses']} responses, {ours['steps']:,} steps, {ours['windows']:,} windows, {ours['scored']:,} scored tokens"
    print(f"{name} {dtype}: {size}")
    rate, share = ours["operations"] / ours["seconds"] / 1e9, ours["operations"] / ours["seconds"] / ours["product"]
    print(f"  mixc {ours['seconds']:8.2f} s  {ours['windows'] / ours['seconds']:7.1f} windows/s  {rate:5.0f} GFLOP/s = {share:.0%} of {ours['product'] / 1e9:.0f}"
          f"  peak +{ours['peak']:.0f} MB beside {ours['model']:.0f} MB of weights")  # fmt: skip
    step, score = _apart(ours["logprobs"], loop["logprobs"])
    verdict = "ok" if step <= STEP[dtype] and score <= SCORE[dtype] else "TOO FAR"
    print(f"  loop {loop['seconds']:8.2f} s  mixc is {loop['seconds'] / ours['seconds']:.2f} times faster; apart by at most {step:.2g} nats a step, {score:.2g} a score: {verdict}")
    if not given.no_vllm and dtype == "bf16":
        other = _run("vllm", name, dtype, given)
        step, score = _apart(ours["logprobs"], other["logprobs"])
        print(f"  vLLM {other['seconds']:8.2f} s  mixc is {other['seconds'] / ours['seconds']:.2f} times faster (one window a step; apart by at most {step:.2g} nats a step, {score:.2g} a score)")
        print(f"       {other['shared']:8.2f} s  mixc is {other['shared'] / ours['seconds']:.2f} times faster (the windows that mixc reads)")
    sys.stdout.flush()


def _run(side: str, name: str, dtype: str, given: argparse.Namespace) -> dict:
    command = [sys.executable, __file__, "--side", side, "--sets", name, "--dtypes", dtype, "--runs", str(given.runs), "--data", given.data]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{side} {name} {dtype} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def _apart(one: Sequence[Sequence[float]], other: Sequence[Sequence[float]]) -> tuple[float, float]:
    """The largest difference of a step, and of a response's mean over steps."""
    steps = max(abs(a - b) for x, y in zip(one, other, strict=True) for a, b in zip(x, y, strict=True))
    return steps, max(abs(sum(x) / len(x) - sum(y) / len(y)) for x, y in zip(one, other, strict=True))


def responses(name: str, data: Path) -> list[tuple[str, str]]:
    """The fixed set: prompts and responses, responses of one prompt together."""
    import polars as pl

    every = pl.scan_parquet(data / "teachers.parquet").select("corpus", "prompt_id", "prompt", "teacher", "response", "student_tokens")
    if name == "short":
        rows = every.filter(pl.col("corpus") == "gsm8k").collect().sort("prompt_id", "teacher")
        each, prompts = 8, [rows.group_by("prompt_id", maintain_order=True).len().filter(pl.col("len") >= 8).head(5)]
    else:
        long = pl.col("student_tokens").is_between(600, 1500)
        rows = every.filter(pl.col("corpus").is_in(["math_l5", "mmlu_pro"]) & long).collect().sort("prompt_id", "teacher")
        counts = rows.group_by("corpus", "prompt_id", maintain_order=True).len().filter(pl.col("len") >= 3)
        each, prompts = 3, [counts.filter(pl.col("corpus") == corpus).head(2) for corpus in ("math_l5", "mmlu_pro")]
    few = rows.join(pl.concat(prompts).select("prompt_id"), on="prompt_id", how="semi", maintain_order="left")
    few = few.group_by("prompt_id", maintain_order=True).head(each)
    return few.select("prompt", "response").rows()


def answers(name: str, data: Path, tokenizer: "ChatTokenizer") -> list:
    from mixc.runtime.steps import split
    from mixc.runtime.windows import answer

    pairs = responses(name, data)
    encoded = tokenizer.responses([text for _, text in pairs])
    prompts = {prompt: tokenizer.prompt(prompt) for prompt, _ in pairs}
    return [answer(prompts[p], e.ids, e.starts, split(text, "sentence")) for (p, text), e in zip(pairs, encoded, strict=True)]


def windows(asked: list, shared: bool = True) -> dict:
    """The different windows, each with the (response, first token, end) that it scores; not `shared`: a window for every step, twice where it comes twice."""
    from mixc.runtime.engines.base import Window
    from mixc.runtime.windows import Pass, Reach, passes

    found: dict = {}
    for number, one in enumerate(asked):
        ends = (0, *one.ends)
        steps = [Pass(one.prompt, ends[max(0, i - K)], ends[i], ends[i + 1]) for i in range(len(one.ends))]
        for each in passes(one, Reach(steps=K)) if shared else steps:
            window = each.window(one)
            if not shared:  # equal ones stay apart
                window = Window(window.prompt, window.tokens, window.start)
                found[number, each.start] = window, [(number, each.start, each.high)]
            else:
                found.setdefault(window, []).append((number, each.start, each.high))
    return found


def _means(asked: list, few: dict, readings: dict) -> list[list[float]]:
    """The mean log-probability of each step of each response, from the readings of its windows by number."""
    import numpy as np

    tokens = [np.empty(len(one.response)) for one in asked]
    for number, parts in enumerate(few.values()):
        for response, low, high in parts if isinstance(parts, list) else parts[1]:
            tokens[response][low:high] = readings[number].logprob
    return [
        [float(values[low:high].mean()) for low, high in zip((0, *one.ends), one.ends, strict=False)]
        for one, values in zip(asked, tokens, strict=True)
    ]


def student(dtype: str) -> Model:
    return Model(student="smollm2", model=STUDENT, folder=str(ROOT), dtype=dtype, span=Span(str(ROOT / "benchmark.mix"), 0, 0))


def packed(name: str, dtype: str, runs: int, data: Path) -> dict:
    """mixc: the windows in packed rows."""
    from mixc.runtime.engines.students import Students
    from mixc.runtime.engines.transformers import TransformersEngine

    students = Students()
    engine = students.engine(student(dtype))
    assert isinstance(engine, TransformersEngine)
    model = engine.model
    asked = answers(name, data, students.tokenizer(student(dtype)))
    before = _memory()
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        few = windows(asked)
        readings = {}
        for index, reading in engine.read(list(few)):
            readings[index] = reading
        found = _means(asked, few, readings)
        times.append(time.perf_counter() - began)
    peak = _memory() - before
    config = model.config
    head = 2 * config.vocab_size * config.hidden_size
    body = 2 * config.num_hidden_layers * _weights(config)
    read = sum(len(p) for p in {w.prompt for w in few}) + sum(len(w.tokens) - 1 for w in few)
    scored = sum(w.scored for w in few)
    return {
        "seconds": median(times), "logprobs": found, "responses": len(asked), "steps": sum(len(a.ends) for a in asked), "windows": len(few),
        "scored": scored, "operations": body * read + head * scored, "product": _product(model), "peak": peak,
        "model": (config.num_hidden_layers * _weights(config) + config.vocab_size * config.hidden_size) * model.dtype.itemsize / 1e6,
    }  # fmt: skip


def _weights(c: Any) -> int:
    """Of one layer's matrices, of a model of configuration `c`: query, key, value, output, gate, up, down."""
    heads, kinds = c.num_attention_heads, c.num_key_value_heads
    size = c.hidden_size // heads
    return c.hidden_size * size * (2 * heads + 2 * kinds) + 3 * c.hidden_size * c.intermediate_size


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _product(model: Any) -> float:
    """Floating-point operations a second of the fastest matrix product of the model's shapes that torch offers here, in the model's dtype."""
    import torch

    config, dtype = model.config, model.dtype
    best = 0.0
    for tokens in (512, 4096):
        for inner, outer in ((config.hidden_size, config.intermediate_size), (config.intermediate_size, config.hidden_size)):
            x, weight = torch.randn(tokens, inner, dtype=dtype), torch.randn(outer, inner, dtype=dtype)
            with torch.inference_mode():
                ways = [lambda x=x, weight=weight: torch.nn.functional.linear(x, weight)]
                if torch.backends.mkldnn.is_available():
                    ready = torch.ops.mkldnn._reorder_linear_weight(weight, None)
                    ways.append(lambda x=x, ready=ready: torch.ops.mkldnn._linear_pointwise(x, ready, None, "none", [], ""))
                for way in ways:
                    times = []
                    for _ in range(12):
                        began = time.perf_counter()
                        way()
                        times.append(time.perf_counter() - began)
                    best = max(best, 2 * tokens * inner * outer / median(times[2:]))
    return best


def loop(name: str, dtype: str, runs: int, data: Path) -> dict:
    """What one writes first: for each step one forward pass over prompt, window and step, and the log-softmax of its logits."""
    import torch
    from mixc.runtime.engines.load import load_model
    from mixc.runtime.engines.students import Students
    students = Students()
    asked = answers(name, data, students.tokenizer(student(dtype)))
    model = load_model(students.files(student(dtype)), dtype)
    times = []
    for _ in range(min(runs, 2)):
        began = time.perf_counter()
        found = []
        with torch.inference_mode():
            for one in asked:
                ends, values = (0, *one.ends), []
                for step in range(len(one.ends)):
                    context = [*one.prompt, *one.response[ends[max(0, step - K)] : ends[step]].tolist()]
                    own = one.response[ends[step] : ends[step + 1]].tolist()
                    logits = model(torch.tensor([context + own]), use_cache=False).logits[0, len(context) - 1 : -1]
                    table = torch.log_softmax(logits.float(), -1)
                    values.append(table.gather(1, torch.tensor(own)[:, None]).double().mean().item())
                found.append(values)
        times.append(time.perf_counter() - began)
    return {"seconds": median(times), "logprobs": found}


def vllm(name: str, dtype: str, runs: int, data: Path) -> dict:
    """vLLM's prompt log-probabilities of the same windows, all given at once, prefix caching off; loading left out."""
    import tempfile

    from mixc.runtime.engines.remote import Remote, Settings
    from mixc.runtime.engines.students import Students
    from mixc.runtime.engines.weights import weights_folder

    students, given = Students(), student(dtype)
    asked = answers(name, data, students.tokenizer(given))
    shared, each = windows(asked), windows(asked, shared=False)
    with tempfile.TemporaryDirectory() as folder:
        weights = weights_folder(students.files(given), Path(folder), students)
        engine = Remote(
            Settings(engine="vllm", files=students.files(given), dtype=dtype, context=students.context(given), weights=str(weights))
        )
        engine.start(max(w.length for w in shared))
        list(engine.read(list(shared)[:4]))
        times = []
        for few in ([w for w, _ in each.values()], list(shared)):
            began = time.perf_counter()
            readings = dict(engine.read(few))
            times.append(time.perf_counter() - began)
        engine.end()
    return {"seconds": times[0], "shared": times[1], "logprobs": _means(asked, shared, readings)}


def scored(count: str, dtype: str, runs: int, data: Path) -> dict:
    """What a build takes at most to score so many gsm8k responses, the student loaded before."""
    import tempfile

    import polars as pl
    from mixc.compiler.plan.stages import Score
    from mixc.runtime.context import Context
    from mixc.runtime.engines.students import Students
    from mixc.runtime.events import Passed
    from mixc.runtime.score import score
    from mixc.runtime.store import Store

    given = student(dtype)
    rows = pl.scan_parquet(data / "teachers.parquet").filter(pl.col("corpus") == "gsm8k").select("prompt", "response", "teacher").collect()
    rows = rows.sort("prompt", "teacher", "response").head(int(count)).with_row_index("row_id").cast({"row_id": pl.String})
    rows = rows.with_columns(reason=pl.lit(None, pl.String))
    arguments = (("window_steps", K), ("split", "sentence"), ("debias", "none"))
    stage = Score(id="score:local", inputs=(), name="local", scorer="local_logprob", version=1, arguments=arguments, model=given, type="number", unit="nats", span=given.span)
    passed: list[Passed] = []
    with tempfile.TemporaryDirectory() as folder:
        students = Students(Path(folder))
        students.engine(given)
        before = _memory()
        context = Context(store=Store(Path(folder)), students=students, watch=lambda event: passed.append(event) if isinstance(event, Passed) else None)
        began = time.perf_counter()
        score(stage, rows, context)
        seconds = time.perf_counter() - began
    return {"responses": rows.height, "tokens": passed[0].tokens, "seconds": seconds, "peak": _memory() - before, "model": before}


SIDES = {"scored": scored, "packed": packed, "loop": loop, "vllm": vllm}

if __name__ == "__main__":
    main()
