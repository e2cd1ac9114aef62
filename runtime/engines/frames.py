"""Messages between an engine's process and ours: a header in JSON and flat arrays of numbers, length first. Nothing is pickled."""

import json
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np

from .base import Generated, Reading, Request, Window

_NUMBERS = ("int32", "float32")
_LONGEST_HEADER = 1 << 28  # bytes: more than that is no header, but something else that was printed into the pipe


def write_frame(stream: BinaryIO, header: dict, arrays: Sequence[np.ndarray] = ()) -> None:
    """Write one message and flush. The arrays are flat, of int32 or float32."""
    text = json.dumps({**header, "arrays": [[str(one.dtype), one.size] for one in arrays]}).encode()
    stream.write(len(text).to_bytes(4, "big") + text)
    for one in arrays:
        stream.write(np.ascontiguousarray(one).tobytes())
    stream.flush()


def read_frame(stream: BinaryIO) -> tuple[dict, list[np.ndarray]] | None:
    """The next message; None where the stream has ended, also in the middle of one."""
    length = _exactly(stream, 4)
    if length is None or int.from_bytes(length, "big") > _LONGEST_HEADER:
        return None
    text = _exactly(stream, int.from_bytes(length, "big"))
    if text is None:
        return None
    header = json.loads(text)
    arrays = []
    for kind, size in header.pop("arrays"):
        if kind not in _NUMBERS:
            raise ValueError(f"an array of {kind} is not sent between engines")
        data = _exactly(stream, np.dtype(kind).itemsize * size)
        if data is None:
            return None
        arrays.append(np.frombuffer(data, dtype=kind))
    return header, arrays


def pack_windows(windows: Sequence[Window]) -> tuple[dict, list[np.ndarray]]:
    """Windows as a message, each distinct prompt once."""
    prompts = {prompt: place for place, prompt in enumerate(dict.fromkeys(window.prompt for window in windows))}
    header = {
        "prompts": [len(prompt) for prompt in prompts],
        "windows": [[prompts[window.prompt], len(window.tokens), window.start] for window in windows],
    }
    return header, [_flat(prompts), _flat([window.tokens for window in windows])]


def unpack_windows(header: dict, arrays: Sequence[np.ndarray]) -> list[Window]:
    """The windows of a message, sharing the tuples of their prompts."""
    prompts = split_ids(arrays[0], header["prompts"])
    tokens = split_ids(arrays[1], [size for _, size, _ in header["windows"]])
    return [Window(prompts[place], ids, start) for (place, _, start), ids in zip(header["windows"], tokens, strict=True)]


def pack_requests(requests: Sequence[Request]) -> tuple[dict, list[np.ndarray]]:
    """Requests as a message, each distinct schema once."""
    schemas = {schema: place for place, schema in enumerate(dict.fromkeys(one.schema for one in requests))}
    header = {
        "schemas": list(schemas),
        "requests": [[len(one.prompt), one.max_tokens, one.temperature, one.seed, schemas[one.schema]] for one in requests],
    }
    return header, [_flat([one.prompt for one in requests])]


def unpack_requests(header: dict, arrays: Sequence[np.ndarray]) -> list[Request]:
    """The requests of a message."""
    prompts = split_ids(arrays[0], [size for size, *_ in header["requests"]])
    return [
        Request(ids, most, temperature, seed, header["schemas"][place])
        for ids, (_, most, temperature, seed, place) in zip(prompts, header["requests"], strict=True)
    ]


def pack_generated(made: Sequence[Generated]) -> tuple[dict, list[np.ndarray]]:
    """Continuations as a message."""
    return {"texts": [[one.text, one.tokens, one.finished] for one in made]}, [_flat([one.ids for one in made])]


def unpack_generated(header: dict, arrays: Sequence[np.ndarray]) -> list[Generated]:
    """The continuations of a message."""
    ids = split_ids(arrays[0], [size for _, size, _ in header["texts"]])
    return [Generated(text, own, finished) for (text, _, finished), own in zip(header["texts"], ids, strict=True)]


def split_ids(ids: np.ndarray, sizes: Sequence[int]) -> list[tuple[int, ...]]:
    """Sequences of these lengths out of all their ids."""
    return [tuple(one.tolist()) for one in np.split(ids, np.cumsum(sizes)[:-1])] if len(sizes) else []


def pack_reading(reading: Reading) -> tuple[list[str], list[np.ndarray]]:
    """What a reading tells, by name, and its arrays."""
    named = {name: getattr(reading, name) for name in Reading.__dataclass_fields__}
    told = {name: values for name, values in named.items() if values is not None}
    return list(told), list(told.values())


def _flat(sequences: object) -> np.ndarray:
    return np.array([token for one in sequences for token in one], dtype=np.int32)  # type: ignore[attr-defined]


def _exactly(stream: BinaryIO, size: int) -> bytes | None:
    found = b""
    while len(found) < size:
        more = stream.read(size - len(found))
        if not more:
            return None
        found += more
    return found
