"""What every stage of one run shares."""

from dataclasses import dataclass, field
from pathlib import Path

from .engines.students import Students
from .events import Watch, ignore
from .store import Store


@dataclass(frozen=True, slots=True)
class Context:
    """The store, the models of this run (loaded when first asked), and who watches."""

    store: Store
    students: Students
    watch: Watch = ignore
    scratch: Path = field(default_factory=Path.cwd)
