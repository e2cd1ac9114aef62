"""The other side of `process`: runs in a process of its own, builds one engine, and answers what it is asked until its input ends."""

import os
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from ...compiler.diagnostics import Fault
from ...compiler.source import Span
from .base import Engine
from .frames import pack_generated, pack_reading, read_frame, unpack_requests, unpack_windows, write_frame
from .model_files import ModelFiles

_WATCH_SECONDS = 0.5


def serve(parent: int, settings: Mapping[str, Any]) -> None:
    """Build the engine of `settings` (`engine`, `files`, `dtype`, and what that engine takes) and answer on standard output."""
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    # What a library prints must not land among the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        engine = _engine(settings)
    except BaseException as error:
        _refuse(answers, error)
        os._exit(1)
    write_frame(answers, {"device": engine.device, "remarks": list(getattr(engine, "remarks", ()))})
    while (frame := read_frame(sys.stdin.buffer)) is not None:
        header, arrays = frame
        before = engine.tokens
        try:
            if header["do"] == "read":
                for index, reading in engine.read(unpack_windows(header, arrays), frozenset(header["also"])):
                    told, numbers = pack_reading(reading)
                    write_frame(answers, {"index": index, "told": told}, numbers)
            else:
                made = engine.generate(unpack_requests(header, arrays), lambda finished: write_frame(answers, {"finished": finished}))
                write_frame(answers, *pack_generated(made))
            write_frame(answers, {"done": True, "tokens": engine.tokens - before})
        except Exception as error:
            _refuse(answers, error)
    os._exit(0)


def _engine(settings: Mapping[str, Any]) -> Engine:
    from .tokenizer import load_tokenizer

    told = settings["files"]
    files = ModelFiles(**{**told, "path": Path(told["path"]), "span": Span(*told["span"])})
    tokenizer = load_tokenizer(files)
    if settings["engine"] == "vllm":
        from .vllm import VllmEngine

        return VllmEngine(settings["weights"], files, settings["dtype"], tokenizer, settings["room"])
    from .transformers import load

    weights = replace(files, path=Path(settings["weights"]), gguf=None) if settings["weights"] else files
    return load(weights, settings["dtype"], tokenizer)


def _refuse(answers: BinaryIO, error: BaseException) -> None:
    """Say what was raised: a diagnostic as it is, anything else by its name and first line; the whole goes to standard error."""
    if isinstance(error, Fault):
        first = error.diagnostics[0]
        write_frame(answers, {"fault": [first.code, first.message, list(first.notes), first.help]})
        return
    import traceback

    traceback.print_exception(error)
    sys.stderr.flush()
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    write_frame(answers, {"problem": ": ".join([type(error).__name__, *lines[:1]])})


def _end_with(parent: int) -> None:
    """End at once when the parent has ended, also when it was killed while we work."""
    while os.getppid() == parent:
        time.sleep(_WATCH_SECONDS)
    os._exit(1)
