"""A student's tokenizer and chat template: prompts and responses as token ids. It knows no weights and no scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ...compiler.diagnostics import Diagnostic, Fault, Label
from ..chat import messages, question
from .load import loading
from .model_files import ModelFiles

# Some templates print today's date. Scores must not depend on the day, so for them it is always this one.
TODAY = datetime(2024, 7, 26)
_PROBE = "  A first step. Then 3.5 more!\n\nNaïve 日本 😀\tx_1 = {2}  end "
_MARK = "mixc-mark"


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids of a text, and the index of the first character of each token's untrimmed text.

    Where a character is cut into several tokens, all of them start at it.
    """

    ids: tuple[int, ...]
    starts: tuple[int, ...]


class ChatTokenizer:
    """`hf` is the transformers tokenizer, with the student's own template where it has one."""

    def __init__(self, files: ModelFiles, hf: Any) -> None:
        from tokenizers import Tokenizer

        self.files = files
        self.hf = hf
        if not hf.is_fast:
            raise Fault(_lacks(files, "a fast tokenizer", "use a model whose folder holds a `tokenizer.json`"))
        if files.template is not None:
            hf.chat_template = files.template
        self._plain = Tokenizer.from_str(hf.backend_tokenizer.to_str())
        self._plain.post_processor = None  # ByteLevel's would trim the spaces off the offsets
        self._plain.no_truncation()
        self._plain.no_padding()
        if list(self.response(_PROBE).ids) != hf(_PROBE, add_special_tokens=False)["input_ids"]:
            raise Fault(_lacks(files, "a tokenizer whose offsets can be read", "use another student"))

    def prompt(self, text: str) -> tuple[int, ...]:
        """The ids of a question with the template's call for an answer. Fault MIX0507 without a usable template."""
        ids = self.hf(self.render(question(text), True), add_special_tokens=False)["input_ids"]
        if not ids:
            raise Fault(_lacks(self.files, "a chat template that says anything", "name another one with `template`"))
        return tuple(ids)

    def response(self, text: str) -> Encoded:
        """The ids of a response alone, without special tokens: what the tokenizer itself gives, untrimmed offsets beside."""
        return self.responses([text])[0]

    def responses(self, texts: Sequence[str]) -> list[Encoded]:
        """`response` of each text, on all cores."""
        found = self._plain.encode_batch(list(texts), add_special_tokens=False)
        return [Encoded(tuple(one.ids), tuple(start for start, _ in one.offsets)) for one in found]

    def stops(self) -> tuple[int, ...]:
        """The ids that end an answer: end of text, and what the template writes after an assistant's turn."""
        ids = {self.hf.eos_token_id} - {None}
        turns = messages("?", _MARK, None, "plain")
        after = self.render(turns, False).rpartition(_MARK)[2]
        first = self.hf(after, add_special_tokens=False)["input_ids"][:1] if after else []
        return tuple(sorted(ids.union(set(first) & set(self.hf.all_special_ids) | set(first) & self._added())))

    def text(self, ids: Sequence[int]) -> str:
        """The text of ids, special tokens left out."""
        return self.hf.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False)

    def _added(self) -> set[int]:
        return {number for number, token in self.hf.added_tokens_decoder.items() if token.special}

    def render(self, turns: list[dict[str, str]], ask: bool) -> str:
        import jinja2

        if self.hf.chat_template is None:
            raise Fault(
                _lacks(self.files, "a chat template", "name a Jinja file: `template \"chat.jinja\"` in the student's block")
            )
        try:
            return self.hf.apply_chat_template(
                turns, tokenize=False, add_generation_prompt=ask, strftime_now=TODAY.strftime
            )
        except (jinja2.TemplateError, TypeError, ValueError) as error:
            where = "a chat template that works"
            raise Fault(_lacks(self.files, where, "mend the template, or name another one with `template`", error)) from None


def load_tokenizer(files: ModelFiles) -> ChatTokenizer:
    """The tokenizer of a student's files. Fault MIX0506 if it cannot be loaded, MIX0507 if it is not usable."""
    with loading(files):
        from transformers import AutoTokenizer

        extra = {"gguf_file": files.gguf} if files.gguf else {}
        hf = AutoTokenizer.from_pretrained(str(files.path), trust_remote_code=False, local_files_only=True, **extra)
    return ChatTokenizer(files, hf)


def _lacks(files: ModelFiles, what: str, help: str, error: Exception | None = None) -> Diagnostic:
    message = f"student `{files.student}` lacks {what}"
    notes = (str(error).strip().splitlines()[0],) if error and str(error).strip() else ()
    return Diagnostic("MIX0507", message, Label(files.span, "this model"), notes=notes, help=help)
