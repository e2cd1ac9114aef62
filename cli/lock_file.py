"""The lock beside a spec: where it lies, what is in it, and holding a recipe against it. Every fault of the file itself is MIX0535."""

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from ..compiler.diagnostics import Diagnostic, Fault
from ..compiler.plan.lock import SUFFIX, Broken, Lock, from_json
from ..compiler.plan.stages import Plan

if TYPE_CHECKING:
    from ..runtime.context import Context

CODE = "MIX0535"


def lock_path(spec: str) -> Path:
    """`NAME.mix.lock`, beside the spec."""
    return Path(spec + SUFFIX)


def read_lock(path: Path, help: str) -> Lock:
    """The lock in a file. Fault MIX0535 where there is none, or none that can be read; `help` says how to come by one."""
    try:
        return from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Fault(Diagnostic(CODE, f"there is no lock `{path}`", help=help)) from None
    except UnicodeDecodeError:
        raise Fault(Diagnostic(CODE, f"the lock `{path}` cannot be read: it is not UTF-8 text", help=help)) from None
    except Broken as error:
        raise Fault(Diagnostic(CODE, f"the lock `{path}` cannot be read: {error}", help=help)) from None
    except OSError as error:
        raise Fault(Diagnostic(CODE, f"the lock `{path}` cannot be read: {(error.strerror or str(error)).lower()}", help=help)) from None


def hold(plan: Plan, arguments: Namespace, context: "Context") -> None:
    """Hold the recipe, and each of its variants, against the lock beside the spec. Fault MIX0535, or MIX0534 of what drifted."""
    from ..runtime.refuse_drift import Against, refuse_drift

    path, spec = lock_path(arguments.spec), arguments.spec
    sets = "".join(f" --set {each}" for each in arguments.set)
    lock = read_lock(path, f"`mixc lock {spec}{sets}` writes it")
    refuse_drift(plan, Against(lock, str(path), spec), context, arguments.params)
    for each in arguments.variants:
        if each.name not in lock.variants:
            message = f"the variant `{each.name}` is not what `{path}` pins: it is new"
            raise Fault(Diagnostic("MIX0534", message, help=f"`mixc lock {spec}{sets}` pins it as it is now"))
        refuse_drift(each.plan, Against(lock.variants[each.name], str(path), spec, each.name), context, each.params)
