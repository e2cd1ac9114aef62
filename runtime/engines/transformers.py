"""The engine that runs a student in this process with transformers, on the GPU if there is one. It knows no scores and no steps."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ...compiler.diagnostics import Diagnostic, Fault, Label
from .base import ENTROPY, LOGPROB, RANK, Generated, Reading, Window
from .load import device_name, load_model, longest
from .model_files import ModelFiles
from .tokenizer import ChatTokenizer

LOGITS = 2**25  # how many logits are held at once in float32


class TransformersEngine:
    """A loaded causal model and its tokenizer. `budget` bounds the tokens of a batch, padding included."""

    name = "transformers"
    tells = frozenset({LOGPROB, RANK, ENTROPY})

    def __init__(self, model: Any, tokenizer: ChatTokenizer, budget: int | None = None) -> None:
        from transformers import GenerationConfig

        self.model = model.eval()
        self.tokenizer = tokenizer
        self.device = device_name(model.device)
        self.context: int | None = longest(model.config)
        self.budget = budget or (16_384 if model.device.type == "cuda" else 1_024)
        self.model.generation_config = GenerationConfig()  # the model's own may sample, penalise or force tokens
        self._cap: float | None = getattr(model.config.get_text_config(), "final_logit_softcapping", None)
        self._split = self._can_split()

    def read(self, windows: Sequence[Window], also: frozenset[str] = frozenset()) -> Iterator[tuple[int, Reading]]:
        """See Engine: the longest windows first, in batches of like lengths. Fault MIX0506 if one alone does not fit in memory."""
        highest = max((max(*window.prompt, *window.tokens, 0) for window in windows), default=0)
        if highest >= self.model.get_input_embeddings().weight.shape[0]:
            raise Fault(self._fault(f"its tokenizer has a token {highest} that its weights do not have"))
        order = sorted(range(len(windows)), key=lambda i: (-windows[i].length, i))
        batches: deque[list[int]] = deque()
        for i in order:
            last = batches[-1] if batches else None
            if last and (len(last) + 1) * windows[last[0]].length <= self.budget:
                last.append(i)
            else:
                batches.append([i])
        while batches:
            batch = batches.popleft()
            try:
                found = self._read([windows[i] for i in batch], also)
            except RuntimeError as error:
                if not self._out_of_memory(error):
                    raise
                if len(batch) == 1:
                    length = windows[batch[0]].length
                    raise Fault(self._fault(f"a sequence of {length:,} tokens does not fit in memory")) from None
                half = (len(batch) + 1) // 2
                batches.extendleft([batch[half:], batch[:half]])
                continue
            yield from zip(batch, found, strict=True)

    def generate(
        self, prompts: Sequence[Sequence[int]], max_tokens: int, done: Callable[[int], None] | None = None
    ) -> list[Generated]:
        """See Engine. An answer ends at the template's end of turn, at `max_tokens`, or where the context is full."""
        stops = self.tokenizer.stops()
        room = [max_tokens if self.context is None else min(max_tokens, self.context - len(p)) for p in prompts]
        found: dict[int, Generated] = {i: Generated("", 0, False) for i in range(len(prompts)) if room[i] < 1}
        order = sorted((i for i in range(len(prompts)) if i not in found), key=lambda i: (-room[i], -len(prompts[i]), i))
        batches: deque[list[int]] = deque()
        for i in order:
            last = batches[-1] if batches else None
            whole = (len(prompts[last[0]]) + max_tokens) * (len(last) + 1) if last else 0
            if last and room[last[0]] == room[i] and whole <= 16 * self.budget and len(last) < 64:
                last.append(i)
            else:
                batches.append([i])
        while batches:
            batch = batches.popleft()
            try:
                answers = self._continue([prompts[i] for i in batch], room[batch[0]], stops)
            except RuntimeError as error:
                if not self._out_of_memory(error):
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

    def _read(self, windows: Sequence[Window], also: frozenset[str]) -> list[Reading]:
        """What is asked of one batch. Padding stands on the right, where causal attention never looks: no mask is needed."""
        import torch

        with torch.inference_mode():
            ids = torch.zeros((len(windows), max(w.length for w in windows) - 1), dtype=torch.long)
            for row, window in enumerate(windows):  # the last token is only predicted, never read
                ids[row, : window.length - 1] = torch.tensor((*window.prompt, *window.tokens)[:-1])
            rows = torch.tensor([row for row, w in enumerate(windows) for _ in range(w.scored)])
            columns = torch.tensor([t - 1 for w in windows for t in range(len(w.prompt) + w.start, w.length)])
            targets = torch.tensor([token for w in windows for token in w.tokens[w.start :]])
            device = self.model.device
            ids, rows, columns, targets = (one.to(device) for one in (ids, rows, columns, targets))
            if self._split:
                states = self.model.base_model(input_ids=ids, use_cache=False).last_hidden_state[rows, columns]
                head = self._head
            else:
                states = self.model(input_ids=ids, use_cache=False).logits[rows, columns]
                head = torch.nn.Identity()
            size = max(LOGITS // self.model.get_output_embeddings().weight.shape[0], 1)
            parts = [
                _tell(head(part).float(), wanted, also)
                for part, wanted in zip(states.split(size), targets.split(size), strict=True)
            ]
        cuts = np.cumsum([w.scored for w in windows])[:-1]
        told = {name: np.split(np.concatenate([part[name] for part in parts]), cuts) for name in parts[0]}
        return [Reading(**{name: values[i] for name, values in told.items()}) for i in range(len(windows))]

    def _continue(self, prompts: Sequence[Sequence[int]], limit: int, stops: tuple[int, ...]) -> list[Generated]:
        import torch

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
                do_sample=False, num_beams=1, eos_token_id=list(stops) or None, pad_token_id=pad, use_cache=True,
            )  # fmt: skip
        answers = []
        for row in output[:, width:].tolist():
            end = next((i for i, token in enumerate(row) if token in stops), None)
            answers.append(Generated(self.tokenizer.text(row[:end]), len(row[:end]), end is not None))
        return answers

    def _head(self, states: Any) -> Any:
        """Hidden states to logits, Gemma's cap included."""
        logits = self.model.get_output_embeddings()(states)
        return logits if self._cap is None else (logits / self._cap).tanh() * self._cap

    def _can_split(self) -> bool:
        """Whether this architecture is its base model, then `_head`: if not, all logits of a batch must be made at once."""
        import torch

        ids = torch.arange(1, 9, device=self.model.device)[None, :]
        with torch.inference_mode():
            whole = self.model(input_ids=ids, use_cache=False).logits
            states = getattr(self.model.base_model(input_ids=ids, use_cache=False), "last_hidden_state", None)
            return states is not None and torch.equal(self._head(states), whole)

    def _out_of_memory(self, error: RuntimeError) -> bool:
        import torch

        text = str(error)
        if not isinstance(error, torch.OutOfMemoryError) and "allocate memory" not in text and "enough memory" not in text:
            return False
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return True

    def _fault(self, what: str) -> Diagnostic:
        files = self.tokenizer.files
        message = f"student `{files.student}` cannot be run: {what}"
        return Diagnostic("MIX0506", message, Label(files.span, "this model"), help="take another model or machine")


def _tell(logits: Any, targets: Any, also: frozenset[str]) -> dict[str, np.ndarray]:
    """Of `logits` [tokens, vocabulary] in float32 what is asked of the tokens `targets`."""
    own = logits.gather(1, targets[:, None])
    whole = logits.logsumexp(1)
    told = {LOGPROB: own[:, 0] - whole}
    if RANK in also:
        told[RANK] = (logits > own).sum(1).int() + 1
    if ENTROPY in also:
        told[ENTROPY] = whole - (logits.sub(whole[:, None]).exp_() * logits).sum(1)
    return {name: values.cpu().numpy() for name, values in told.items()}


def load(files: ModelFiles, dtype: str, tokenizer: ChatTokenizer) -> TransformersEngine:
    """The engine for a student's files, on the GPU if there is one. Fault MIX0506, MIX0509."""
    import torch

    model = load_model(files, dtype)
    return TransformersEngine(model.to("cuda" if torch.cuda.is_available() else "cpu"), tokenizer)
