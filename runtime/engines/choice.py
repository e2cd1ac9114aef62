"""Which engine scores, and on how many devices: `--engine` and `--devices`, else MIXC_ENGINE and MIXC_DEVICES, else transformers on what is there."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from ...compiler.diagnostics import Diagnostic, Fault

TRANSFORMERS, VLLM = "transformers", "vllm"
ENGINES = (TRANSFORMERS, VLLM)


@dataclass(frozen=True, slots=True)
class Choice:
    """`devices` None: every CUDA device where there are several, else one, in this process if the engine can."""

    engine: str = TRANSFORMERS
    devices: int | None = None


def choose(engine: str | None = None, devices: int | None = None, environment: Mapping[str, str] = os.environ) -> Choice:
    """What was asked for on the command line, else in the environment. Fault MIX0522 for what is none."""
    engine = engine or environment.get("MIXC_ENGINE") or TRANSFORMERS
    if engine not in ENGINES:
        raise Fault(Diagnostic("MIX0522", f"there is no engine `{engine}`", help="MIXC_ENGINE is `transformers` or `vllm`"))
    told = environment.get("MIXC_DEVICES", "").strip()
    if devices is None and told:
        if not told.isdecimal():
            raise Fault(Diagnostic("MIX0522", f"`{told}` is not a number of devices", help="MIXC_DEVICES is a whole number: 1 or more"))
        devices = int(told)
    if devices is not None and devices < 1:
        raise Fault(Diagnostic("MIX0522", f"a model cannot run on {devices} devices", help="write `--devices 1`, or leave it out"))
    return Choice(engine, devices)


def check_devices(choice: Choice, cuda: int) -> int:
    """How many processes: as many as asked for, if the machine has so many CUDA devices or none at all. Fault MIX0522."""
    if choice.devices is None:
        return max(cuda, 1)
    if cuda and choice.devices > cuda:
        message = f"{choice.devices} devices are asked for, and CUDA shows {cuda}"
        raise Fault(Diagnostic("MIX0522", message, help=f"write `--devices {cuda}`, or look at CUDA_VISIBLE_DEVICES"))
    return choice.devices
