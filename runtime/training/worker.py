"""The other side of `processes`: one of several processes that train together, started by `accelerate`. The first writes what is made."""

import json
import os
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...compiler.diagnostics import Fault
from ..engines.tokenizer import load_tokenizer
from ..files import write_atomic
from .fit import Diverged, NotApart, fit
from .job import read_job
from .layout import world

JOB, TOLD, FAILED, MADE = "job.json", "told.jsonl", "failed", "made"
_WATCH_SECONDS = 0.5


def serve(parent: int, folder: str) -> None:
    """Train the job in `folder`. There the first process tells of its steps, line by line, and writes what is made; any tells why it failed."""
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    os.dup2(2, 1)
    here, first = Path(folder), world().rank == 0
    try:
        job = read_job(here / JOB)
        with (here / TOLD).open("a", encoding="utf-8") as told:

            def tell(said: Mapping[str, Any]) -> None:
                if first:
                    told.write(json.dumps(said) + "\n")
                    told.flush()

            done = fit(job, load_tokenizer(job.files).hf, tell)
            if first:
                done.write(here / MADE)
                tell({"done": True, "tokens": done.tokens, "seconds": done.seconds, "device": done.device})
    except BaseException as error:
        write_atomic(here / f"{FAILED}-{world().rank:05}.json", json.dumps(_told(error)).encode())
        import traceback

        traceback.print_exception(error)
        sys.stderr.flush()
        os._exit(1)
    sys.stderr.flush()
    os._exit(0)


def _told(error: BaseException) -> dict[str, Any]:
    if isinstance(error, Diverged):
        return {"kind": "diverged", "name": error.name, "value": repr(error.value), "step": error.step}
    if isinstance(error, NotApart):
        return {"kind": "not apart"}
    if isinstance(error, Fault):
        first = error.diagnostics[0]
        return {"kind": "fault", "code": first.code, "message": first.message, "notes": list(first.notes), "help": first.help}
    if isinstance(error, OSError) and error.errno is not None:
        return {"kind": "disk", "errno": error.errno, "text": error.strerror or str(error), "path": str(error.filename or "")}
    return {"kind": "other", "type": type(error).__name__, "text": str(error)[:4000]}


def _end_with(parent: int) -> None:
    """End when the build does or the launcher, however it does: nobody else would stop a training that nobody waits for."""
    launcher = os.getppid()
    while True:
        try:
            os.kill(parent, 0)
        except ProcessLookupError:
            os._exit(1)
        except PermissionError:
            pass
        if os.getppid() != launcher:
            os._exit(1)
        time.sleep(_WATCH_SECONDS)
