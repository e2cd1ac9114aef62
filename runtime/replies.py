"""What an OpenAI-compatible server answers to one question: a response, or why there is none and whether to ask again. Knows no network."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .responses import Said

_SHOWN = 200
_AGAIN = frozenset({408, 429})
_BARRED = {
    401: "it wants a key, or takes this one for none",
    403: "it does not let this key in",
    404: "it knows no such model, or no such address",
}


@dataclass(frozen=True, slots=True)
class Failed:
    """No response. `kind` is the same of failures that are alike, `why` is for people.

    `again`: another try may go better. `final`: none will, of this question nor of any other. `own`: the question itself was declined.
    """

    kind: str
    why: str
    again: bool = False
    final: bool = False
    own: bool = False


def reply(status: int, body: str, schema: str | None, key: str | None) -> Said | Failed:
    """What the body of a reply says; `schema` is what the response must satisfy. Neither answer holds the `key`."""
    if status in _BARRED:
        return Failed(str(status), f"{status}: {_BARRED[status]}", final=True)
    if status != 200:
        again = status in _AGAIN or status >= 500
        return Failed(str(status), f"{status}: {_complaint(body, key) or 'it says nothing more'}", again=again)
    if key and key in body:
        return Failed("key", "its reply holds the key that it was sent")
    try:
        value = json.loads(body)
    except ValueError:
        return Failed("garbage", f"its reply is no JSON: {_quoted(body, key)}" if body.strip() else "its reply is empty", again=True)
    except RecursionError:
        return Failed("garbage", "its reply is nested too deep to be read")
    said = _said(value, schema)
    if key and isinstance(said, Said) and key in (said.text or ""):  # written with escapes
        return Failed("key", "its reply holds the key that it was sent")
    return said


def _said(value: Any, schema: str | None) -> Said | Failed:
    choices = value.get("choices") if isinstance(value, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        return Failed("garbage", "its reply has no `choices` with a `message`", again=True)
    ended, tokens = choice.get("finish_reason"), _tokens(value)
    if message.get("refusal") or ended == "content_filter":
        return Failed("refusal", "the model refused to answer" if ended != "content_filter" else "its filter left the answer out", own=True)
    text, cut = message.get("content"), ended == "length"
    if text is None and cut:
        return Said("", tokens)  # all its tokens went into thoughts that are not told
    if not isinstance(text, str):
        return Failed("no content", f"its reply has no content, and ended with `{_plain(ended)}`", again=True)
    if not text.isascii():  # half a pair of surrogates is JSON, and is no text
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if schema is not None and not cut and not _fits(text, schema):
        return Failed("schema", "its answer is not of the form that was asked for", again=True)
    return Said(text, tokens, finished=not cut)


def _tokens(value: Mapping[str, Any]) -> int:
    """What it says it wrote; 0 where it does not say."""
    usage = value.get("usage")
    written = usage.get("completion_tokens") if isinstance(usage, dict) else None
    return written if isinstance(written, int) and 0 <= written < 2**40 else 0


def _fits(text: str, schema: str) -> bool:
    from jsonschema import Draft202012Validator

    try:
        return Draft202012Validator(json.loads(schema)).is_valid(json.loads(text))
    except (ValueError, RecursionError):
        return False


def _complaint(body: str, key: str | None) -> str:
    """What a server says is wrong: the message of its error, or the beginning of the body."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return _quoted(body, key)
    error = value.get("error", value) if isinstance(value, dict) else value
    message = error.get("message", error.get("detail")) if isinstance(error, dict) else error
    return _quoted(message if isinstance(message, str) else body, key)


def _quoted(text: str, key: str | None) -> str:
    text = _plain(text.replace(key, "***") if key else text)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _plain(value: object) -> str:
    return " ".join("".join(c if c.isprintable() or c.isspace() else "?" for c in str(value)).split())
