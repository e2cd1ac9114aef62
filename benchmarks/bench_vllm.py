"""Times the windows of real responses through vLLM in a process of its own, and tells how far its log-probabilities are from transformers'.

Usage: python benchmarks/bench_vllm.py [DTYPE [PROMPTS]]: bf16 (default) or fp32, and how many gsm8k prompts (default 5, with all their teachers' responses).
Responses come from $MIXC_SHARED or ../shared/data, the student from models/. `vllm_engine` and `seconds_to_read` are there for other benchmarks.
"""

import os
import sys
import time
from pathlib import Path

import polars as pl
from mixc.compiler.plan.stages import Model
from mixc.compiler.source import Span
from mixc.runtime.engines.base import Engine, Window
from mixc.runtime.engines.parity import compare
from mixc.runtime.engines.remote import Remote, Settings
from mixc.runtime.engines.students import Students
from mixc.runtime.engines.tokenizer import ChatTokenizer
from mixc.runtime.engines.weights import weights_folder
from mixc.runtime.steps import split
from mixc.runtime.windows import Reach, answer, windows

ROOT = Path(__file__).parents[1]
STUDENT = ROOT / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"
HERE = Span("bench_vllm.mix", 0, 0)


def vllm_engine(students: Students, model: Model, store: Path | None = None) -> Remote:
    """The model of a student in vLLM, not yet started; its weights are written into `store`, or for this run."""
    files = students.files(model)
    weights = weights_folder(files, model.dtype, store, students)
    return Remote(Settings(engine="vllm", files=files, dtype=model.dtype, context=students.context(model), weights=str(weights)))


def seconds_to_read(engine: Engine, asked: list[Window]) -> float:
    """Wall time of reading every window once; a first one is read before, so that loading and compiling are left out."""
    list(engine.read(sorted(asked, key=lambda one: -one.length)[:1]))
    began = time.perf_counter()
    list(engine.read(asked))
    return time.perf_counter() - began


def real_windows(tokenizer: ChatTokenizer, prompts: int, corpus: str = "gsm8k", steps: int = 4) -> list[Window]:
    """The windows of `local_logprob(window: steps, split: sentence)` over all responses to the first prompts of a corpus."""
    folder = Path(os.environ.get("MIXC_SHARED") or ROOT.parent / "shared" / "data")
    rows = pl.scan_parquet(folder / "teachers.parquet").filter(pl.col("corpus") == corpus).sort("prompt_id", "teacher", "response").collect()
    chosen = rows.filter(pl.col("prompt_id").is_in(rows["prompt_id"].unique().sort()[:prompts].implode()))
    coded = tokenizer.responses(chosen["response"].to_list())
    answers = [
        answer(tokenizer.prompt(prompt), one.ids, one.starts, split(text, "sentence"))
        for prompt, text, one in zip(chosen["prompt"], chosen["response"], coded, strict=True)
    ]
    return windows(answers, Reach(steps=steps))[0]


def main() -> None:
    """Print the pace of vLLM, and its distance from transformers."""
    dtype = sys.argv[1] if len(sys.argv) > 1 else "bf16"
    model = Model(student="smollm2", model=str(STUDENT), dtype=dtype, span=HERE)
    students = Students()
    asked = real_windows(students.tokenizer(model), int(sys.argv[2]) if len(sys.argv) > 2 else 5)
    tokens = sum(one.length for one in asked)
    engine = vllm_engine(students, model)
    engine.start(max(one.length for one in asked))
    seconds = seconds_to_read(engine, asked)
    print(f"vllm, {dtype}, {engine.device}: {len(asked):,} windows, {tokens:,} tokens in {seconds:.1f} s, {tokens / seconds:,.0f} tokens/s", flush=True)
    found, expected = dict(engine.read(asked)), dict(students.engine(model).read(asked))
    engine.end()
    apart = compare(asked, found, expected, ("vllm", "transformers"), students.files(model), dtype)
    print(f"a step is at most {apart.step:.2g} nats from transformers, all together {apart.score:.2g}, a single token at most {apart.token:.2g}")


if __name__ == "__main__":
    main()
