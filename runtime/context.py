"""What every stage of one run shares."""

from dataclasses import dataclass, field

from .engines.students import Students
from .events import Watch, ignore
from .store import Store
from .texts import Texts


@dataclass(frozen=True, slots=True)
class Context:
    """The store, the models of this run (loaded when first asked), who watches, and who reads the texts of its rows."""

    store: Store
    students: Students
    watch: Watch = ignore
    texts: Texts = field(default_factory=Texts)
