"""How a worker process starts: the command that runs one module of this package in a fresh interpreter, never the caller's main program."""

import json
import sys
from collections.abc import Sequence

_BOOT = """
import importlib, importlib.util, json, sys
path, package, root, module, arguments = json.loads(sys.argv[1])
sys.path[:] = path
spec = importlib.util.spec_from_file_location(package, root + "/__init__.py", submodule_search_locations=[root])
sys.modules[package] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules[package])
importlib.import_module(module).serve(*arguments)
"""


def command(module: str, arguments: Sequence[object]) -> list[str]:
    """The words that run `module.serve(*arguments)` (JSON) with this interpreter and its search path; `module` is one of this package."""
    package = __name__.partition(".")[0]
    return [sys.executable, "-c", _BOOT, json.dumps([sys.path, package, sys.modules[package].__path__[0], module, list(arguments)])]
