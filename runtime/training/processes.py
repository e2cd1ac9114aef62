"""A job by several processes on this machine, which `accelerate launch` starts and ends; the build stays one. It knows no stage."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from ...compiler.diagnostics import Diagnostic, Fault
from ..boot import command
from ..engines.choice import Choice, check_devices
from ..engines.devices import cuda_devices, environments
from ..files import write_atomic
from .fit import Diverged, Fitted, NotApart, Tell
from .job import Job, write_job
from .worker import FAILED, JOB, MADE, TOLD

RUN = "run"
VARIABLE = "MIXC_ACCELERATE"
_POLL_SECONDS = 0.05
_END_SECONDS = 10.0
_LAST_LINES = 8


def config_file(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The configuration of `accelerate` that MIXC_ACCELERATE names. Fault MIX0523 where it is none, or of several machines."""
    name = environment.get(VARIABLE, "").strip()
    if not name:
        return None
    path = Path(name).absolute()
    from accelerate.commands.config.config_args import load_config_from_file

    try:
        found = load_config_from_file(str(path))
        machines = getattr(found, "num_machines", 1)
    except Exception as error:  # its reader raises what YAML, JSON and its own checks do
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise Fault(_unusable(f"`{path.name}` is no configuration of accelerate that can be used", (first,))) from error
    if machines > 1:
        raise Fault(_unusable(f"`{path.name}` is for {machines} machines, and a build starts processes on this one alone", ()))
    return path


def count_of(choice: Choice, batch: int, config: Path | None) -> int:
    """How many processes train: `--devices`, else those of the configuration, else a process on each CUDA device; never more than examples in a batch.

    Fault MIX0522 for more than there are.
    """
    if choice.devices is None and config is not None:
        from accelerate.commands.config.config_args import load_config_from_file

        choice = Choice(choice.engine, max(1, int(getattr(load_config_from_file(str(config)), "num_processes", None) or 1)))
    return min(check_devices(choice, len(cuda_devices())), batch)


def refuse_launcher(environment: Mapping[str, str] = os.environ) -> None:
    """Fault MIX0523 where this process is one of several that a launcher started: each would run the whole build."""
    if int(environment.get("WORLD_SIZE") or 1) > 1:
        message = f"`mixc` was started {environment['WORLD_SIZE']} times over by a launcher"
        help = f"start it once, without `accelerate launch` or `torchrun`: it starts the processes of a training itself, as `--devices` or {VARIABLE} says"
        raise Fault(Diagnostic("MIX0523", message, help=help))


def fit_apart(job: Job, count: int, config: Path | None, tell: Tell) -> Fitted:
    """`fit` by `count` processes. Raises what it raises, and Fault MIX0514 where a process died without a word."""
    folder = job.checkpoints / RUN
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_job(job, folder / JOB)
    if config is None:
        config = folder / "accelerate.json"
        write_atomic(config, json.dumps(_copies(count)).encode())
    words = [
        *(sys.executable, "-m", "accelerate.commands.launch", "--config_file", str(config), "--num_processes", str(count)),
        *("--main_process_port", str(_free_port()), "--no_python"),
        *command(f"{__package__}.worker", [os.getpid(), str(folder)]),
    ]
    with tempfile.TemporaryFile() as said:
        # Ctrl-C at a terminal goes to us alone, and we then end our children.
        child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=_environment(count), process_group=0)
        try:
            done = _listen(child, folder / TOLD, tell)
        finally:
            _end(child)
        if done is None:
            raise _failure(folder, child.returncode, said)

    def write(target: Path) -> None:
        for path in sorted((folder / MADE).iterdir()):
            shutil.move(path, target / path.name)

    return Fitted(write, done["tokens"], done["seconds"], done["device"])


def _listen(child: subprocess.Popen[bytes], told: Path, tell: Tell) -> dict[str, Any] | None:
    """Pass on what is told until the processes end; the last word, or None where there was none."""
    done, read = None, 0
    while True:
        over = child.poll() is not None
        if told.exists():
            with told.open("rb") as file:
                file.seek(read)
                whole, end, _ = file.read().rpartition(b"\n")
            read += len(whole) + len(end)
            for line in whole.splitlines():
                said = json.loads(line)
                if "done" in said:
                    done = said
                else:
                    tell(said)
        if over:
            return done if child.returncode == 0 else None
        time.sleep(_POLL_SECONDS)


def _end(child: subprocess.Popen[bytes]) -> None:
    """Have the launcher end its processes, which have sessions of their own; kill it where it does not."""
    if child.poll() is None:
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_END_SECONDS)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _failure(folder: Path, status: int, said: IO[bytes]) -> BaseException:
    """What the first process to say so failed of."""
    lines: list[str] = []
    for path in sorted(folder.glob(f"{FAILED}-*.json")):
        told = json.loads(path.read_text(encoding="utf-8"))
        match told["kind"]:
            case "diverged":
                return Diverged(told["name"], float(told["value"]), told["step"])
            case "not apart":
                return NotApart()
            case "fault":
                return Fault(Diagnostic(told["code"], told["message"], notes=tuple(told["notes"]), help=told["help"]))
            case "disk":
                return OSError(told["errno"], told["text"], told["path"] or None)
            case _ if told["type"] in ("RuntimeError", "OutOfMemoryError"):
                return RuntimeError(told["text"])
            case _:
                lines = lines or [": ".join([told["type"], *told["text"].strip().splitlines()[:1]])]
    if not lines:
        said.seek(0)
        lines = [line for line in said.read().decode(errors="replace").splitlines() if line.strip()][-_LAST_LINES:]
    message = f"the processes of the training ended with status {status}"
    return Fault(Diagnostic("MIX0514", message, notes=tuple(lines), help="free some memory, and run again: it goes on from the last checkpoint"))


def _copies(count: int) -> dict[str, object]:
    """A copy of the student in each process, as in specs/accelerate/ddp.yaml."""
    return {
        "compute_environment": "LOCAL_MACHINE", "distributed_type": "MULTI_GPU", "num_machines": 1, "num_processes": count, "machine_rank": 0,
        "gpu_ids": "all", "mixed_precision": "no", "use_cpu": False,
    }  # fmt: skip


def _environment(count: int) -> dict[str, str]:
    shared = {} if cuda_devices() else environments(count)[0]
    return {**os.environ, "PYTHONHASHSEED": "0", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", **shared}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _unusable(message: str, notes: tuple[str, ...]) -> Diagnostic:
    return Diagnostic("MIX0523", message, notes=notes, help=f"{VARIABLE} names a file such as those in specs/accelerate, or leave it out")
