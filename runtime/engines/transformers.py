"""The engine that runs a student in this process with transformers, on the GPU if there is one. It knows no scores and no steps."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ...compiler.diagnostics import Diagnostic, Fault, Label
from .base import ENTROPY, LOGPROB, RANK, Generated, Reading, Request, Window
from .batches import BUDGET, read_batches
from .drawing import Drawing, bounds
from .linear import pack_weights
from .load import device_name, load_model, longest
from .memory import give_back_freed_memory, is_out_of_memory, keep_few_kernels, reuse_freed_memory
from .model_files import ModelFiles
from .rows import TooLong, capacity, read_rows, why_not
from .stretch import apart, relax, stretched_from
from .tokenizer import ChatTokenizer


class _Meter:
    """Counts the tokens that a model has read. It does not know the engine, which would otherwise hold itself through its model."""

    def __init__(self) -> None:
        self.tokens = 0

    def __call__(self, module: Any, given: tuple[Any, ...], named: dict[str, Any], _: Any) -> None:
        self.tokens += (named["input_ids"] if "input_ids" in named else given[0]).numel()


class TransformersEngine:
    """A loaded causal model and its tokenizer. `budget` bounds the tokens of a batch, padding included.

    `remarks` say what the user should know of how this model is read.
    """

    name = "transformers"
    tells = frozenset({LOGPROB, RANK, ENTROPY})

    def __init__(self, model: Any, tokenizer: ChatTokenizer, budget: int | None = None) -> None:
        from transformers import GenerationConfig

        self.model = model.eval()
        self.tokenizer = tokenizer
        self.device = device_name(model.device)
        self.context: int | None = longest(model.config)
        self.budget = budget or (16_384 if model.device.type == "cuda" else BUDGET)
        self.model.generation_config = GenerationConfig()  # the model's own may sample, penalise or force tokens
        config = model.config.get_text_config()
        self._cap: float | None = getattr(config, "final_logit_softcapping", None)
        self._scale = getattr(config, "logit_scale", None) or 1 / (getattr(config, "logits_scaling", None) or 1)
        self._capacity: int | None = None
        self._bounds: Any = None  # the tokenizer as schemas see it
        self._stretched_from = stretched_from(model.config)
        self._split = self._can_split()
        problem = "its logits are not its last hidden states through one layer"
        self._flex = self._split and model.device.type == "cuda" and why_not(model, flex=True) is None
        if self._split:
            problem = None if self._flex else why_not(model)
        self.packs = problem is None
        self._meter = _Meter()  # after the trials, which nobody asked for
        model.base_model.register_forward_hook(self._meter, with_kwargs=True)
        self.remarks = () if self.packs else (f"`{tokenizer.files.student}` is read in padded batches, which is slower: {problem}",)

    @property
    def tokens(self) -> int:
        """See Engine."""
        return self._meter.tokens

    def read(self, windows: Sequence[Window], also: frozenset[str] = frozenset()) -> Iterator[tuple[int, Reading]]:
        """See Engine: in packed rows, or in padded batches if the architecture cannot. Fault MIX0506 if one window alone does not fit in memory."""
        highest = max((max(*window.prompt, *window.tokens, 0) for window in windows), default=0)
        if highest >= self.model.get_input_embeddings().weight.shape[0]:
            raise Fault(self._fault(f"its tokenizer has a token {highest} that its weights do not have"))
        try:
            for part in apart(windows, self._stretched_from):
                if self._stretched_from is not None:
                    relax(self.model)
                for place, reading in self._read([windows[i] for i in part], also):
                    yield part[place], reading
        except TooLong as length:
            raise Fault(self._fault(f"a sequence of {length.args[0]:,} tokens does not fit in memory")) from None
        finally:
            give_back_freed_memory()

    def _read(self, windows: Sequence[Window], also: frozenset[str]) -> Iterator[tuple[int, Reading]]:
        if self.packs:
            if self._capacity is None:  # once: what is free later tells of memory that is kept for rows already
                self._capacity = capacity(self.model)
            return read_rows(self.model, self._head, windows, also, self._capacity, self._flex)
        return read_batches(self.model, self._head if self._split else None, windows, also, self.budget)

    def generate(self, requests: Sequence[Request], done: Callable[[int], None] | None = None) -> list[Generated]:
        """See Engine. An answer ends at the template's end of turn, at `max_tokens`, or where the context is full."""
        stops = self.tokenizer.stops()
        prompts = [request.prompt for request in requests]
        room = [r.max_tokens if self.context is None else min(r.max_tokens, self.context - len(r.prompt)) for r in requests]
        found: dict[int, Generated] = {i: Generated("", (), False) for i in range(len(prompts)) if room[i] < 1}
        order = sorted((i for i in range(len(prompts)) if i not in found), key=lambda i: (-room[i], -len(prompts[i]), i))
        batches: deque[list[int]] = deque()
        for i in order:
            last = batches[-1] if batches else None
            whole = (len(prompts[last[0]]) + room[i]) * (len(last) + 1) if last else 0
            if last and room[last[0]] == room[i] and whole <= 16 * self.budget and len(last) < 64:
                last.append(i)
            else:
                batches.append([i])
        while batches:
            batch = batches.popleft()
            try:
                answers = self._continue([requests[i] for i in batch], room[batch[0]], stops)
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                if len(batch) == 1:
                    raise Fault(self._fault("there is not enough memory to generate an answer")) from None
                half = (len(batch) + 1) // 2
                batches.extendleft([batch[half:], batch[:half]])
                continue
            found.update(zip(batch, answers, strict=True))
            if done is not None:
                done(len(found))
        return [found[i] for i in range(len(prompts))]

    def _continue(self, requests: Sequence[Request], limit: int, stops: tuple[int, ...]) -> list[Generated]:
        import torch

        prompts = [request.prompt for request in requests]
        width = max(len(prompt) for prompt in prompts)
        pad = stops[0] if stops else 0
        ids = torch.full((len(prompts), width), pad, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, prompt in enumerate(prompts):
            ids[row, width - len(prompt) :] = torch.tensor(list(prompt))
            mask[row, width - len(prompt) :] = 1
        with torch.inference_mode():
            output = self.model.generate(
                ids.to(self.model.device), attention_mask=mask.to(self.model.device), max_new_tokens=limit,
                do_sample=False, num_beams=1, logits_processor=self._drawing(requests, width), eos_token_id=list(stops) or None, pad_token_id=pad, use_cache=True,
            )  # fmt: skip
        answers = []
        for row in output[:, width:].tolist():
            end = next((i for i, token in enumerate(row) if token in stops), None)
            answers.append(Generated(self.tokenizer.text(row[:end]), tuple(row[:end]), end is not None))
        return answers

    def _drawing(self, requests: Sequence[Request], width: int) -> list[Any] | None:
        """What turns the most probable token into the one that each request asks for; None where that is the same."""
        if any(request.schema for request in requests) and self._bounds is None:
            self._bounds = bounds(self.tokenizer.hf, self.model.get_output_embeddings().weight.shape[0])
        if not any(request.temperature or request.schema for request in requests):
            return None
        return [Drawing(requests, width, self._bounds, self.model.device)]

    def end(self) -> None:
        """See Engine."""
        del self.model
        give_back_freed_memory()

    def _head(self, states: Any) -> Any:
        """Hidden states to logits, with the cap of Gemma and the scale of Granite and Cohere."""
        logits = self.model.get_output_embeddings()(states)
        if self._scale != 1:
            logits = logits * self._scale
        return logits if self._cap is None else (logits / self._cap).tanh() * self._cap

    def _can_split(self) -> bool:
        """Whether this architecture is its base model, then `_head`: if not, all logits of a batch must be made at once."""
        import torch

        ids = torch.arange(1, 9, device=self.model.device)[None, :]
        with torch.inference_mode():
            whole = self.model(input_ids=ids, use_cache=False).logits
            states = getattr(self.model.base_model(input_ids=ids, use_cache=False), "last_hidden_state", None)
            return states is not None and torch.equal(self._head(states), whole)

    def _fault(self, what: str) -> Diagnostic:
        files = self.tokenizer.files
        message = f"student `{files.student}` cannot be run: {what}"
        return Diagnostic("MIX0506", message, Label(files.span, "this model"), help="take another model or machine")


def load(files: ModelFiles, dtype: str, tokenizer: ChatTokenizer) -> TransformersEngine:
    """The engine for a student's files, on the GPU if there is one. Fault MIX0506, MIX0509."""
    import torch

    keep_few_kernels()
    model = load_model(files, dtype).to("cuda" if torch.cuda.is_available() else "cpu")
    if model.device.type == "cpu":
        reuse_freed_memory()
        pack_weights(model)
    return TransformersEngine(model, tokenizer)
