"""The lock beside a spec: where it lies, what is in it, and holding a recipe against it. Every fault of the file itself is MIX0535."""

from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from ..compiler.diagnostics import Diagnostic, Fault
from ..compiler.plan.lock import SUFFIX, Broken, Lock, from_json
from ..compiler.plan.stages import Plan
from .revisions import revision

CODE = "MIX0535"


def lock_path(spec: str) -> Path:
    """`NAME.mix.lock`, beside the spec."""
    return Path(spec + SUFFIX)


def lock_at(name: str) -> Lock:
    """The lock in a file, or `REV:path` in git. Faults as `read_lock`, and MIX0208 where git has it not."""
    help = "`mixc lock SPEC` writes `NAME.mix.lock`, and a build folder holds a `mix.lock`"
    if ":" not in name or Path(name).exists():
        return read_lock(Path(name), help)
    at, inside = revision(name)
    return read_lock(Path(name), help, lambda: at.read(inside).text)


def read_lock(path: Path, help: str, read: Callable[[], str] | None = None) -> Lock:
    """The lock in a file, or in what `read` gives. Fault MIX0535 where there is none, or none that can be read; `help` says how to come by one."""
    try:
        return from_json(path.read_text(encoding="utf-8") if read is None else read())
    except FileNotFoundError:
        raise Fault(Diagnostic(CODE, f"there is no lock `{path}`", help=help)) from None
    except UnicodeDecodeError:
        raise Fault(Diagnostic(CODE, f"the lock `{path}` cannot be read: it is not UTF-8 text", help=help)) from None
    except Broken as error:
        raise Fault(Diagnostic(CODE, f"the lock `{path}` cannot be read: {error}", help=help)) from None
    except OSError as error:
        raise Fault(Diagnostic(CODE, f"the lock `{path}` cannot be read: {(error.strerror or str(error)).lower()}", help=help)) from None


def hold(plan: Plan, arguments: Namespace, *, fetch: bool = True) -> None:
    """Hold the recipe, and each of its variants, against the lock beside the spec. Fault MIX0535, or MIX0534 of what drifted.

    Corpora are read and models looked at, those of the hub fetched where `fetch` allows it; nothing is computed.
    """
    from ..runtime.context import Context
    from ..runtime.refuse_drift import Against, refuse_drift
    from ..runtime.store import Store
    from .engine import chosen_students
    from .progress import Watcher
    from .run import store_root

    path, spec = lock_path(arguments.spec), arguments.spec
    sets = "".join(f" --set {each}" for each in arguments.set)
    lock = read_lock(path, f"`mixc lock {spec}{sets}` writes it")
    root = store_root()
    with Watcher(arguments.terminal) as watch:
        context = Context(store=Store(root, lenient=not fetch), students=chosen_students(arguments, root, fetch=fetch), watch=watch)
        refuse_drift(plan, Against(lock, str(path), spec), context, arguments.params)
        for each in arguments.variants:
            if each.name not in lock.variants:
                message = f"the variant `{each.name}` is not what `{path}` pins: it is new"
                raise Fault(Diagnostic("MIX0534", message, help=f"`mixc lock {spec}{sets}` pins it as it is now"))
            refuse_drift(each.plan, Against(lock.variants[each.name], str(path), spec, each.name), context, each.params)
