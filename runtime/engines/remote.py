"""An engine that works in a process of its own, behind the interface of one that works here. Started when it is first asked."""

import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from ...compiler.diagnostics import Diagnostic, Fault, Label
from .base import ENTROPY, LOGPROB, RANK, Generated, Reading, Request, Window
from .choice import VLLM
from .frames import pack_requests, pack_windows, unpack_generated
from .model_files import ModelFiles
from .process import START_SECONDS, Lost, Process, Refused
from .vllm import tells

ROOM = 4_096  # the shortest bound on a sequence that vLLM is started with: it keeps memory for one of that length
_LOCAL = {"HF_HUB_OFFLINE": "1"}  # whatever was to be fetched is here by now
ELSEWHERE = "score with `--engine transformers`, or mend what it says and run the same command again: what was finished is kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a process needs to know to build its engine; `environment` names its device.

    `weights` is the folder of the weights, where that is not the one of `files`; vLLM is always told.
    """

    engine: str
    files: ModelFiles
    dtype: str
    context: int | None = None
    weights: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    seconds: float = START_SECONDS

    def for_process(self, room: int) -> dict[str, object]:
        """As JSON."""
        files = asdict(self.files)
        span = files["span"]
        files |= {"path": str(self.files.path), "span": [span["path"], span["start"], span["end"]]}
        return {"engine": self.engine, "files": files, "dtype": self.dtype, "weights": self.weights, "room": room}


def require_vllm(files: ModelFiles) -> None:
    """Fault MIX0521 where vLLM is not installed."""
    if importlib.util.find_spec("vllm") is None:
        message = f"student `{files.student}` is to be read by vLLM, which is not installed"
        help = 'run `pip install "mixc[vllm]"`, or score with `--engine transformers`'
        raise Fault(Diagnostic("MIX0521", message, Label(files.span, "this model"), help=help))


class Remote:
    """See Engine. `device` is known once the process is up, `cpu` before. A vLLM that was started for shorter sequences is started anew for longer ones."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.name = settings.engine
        self.device = "cpu"
        self.remarks: tuple[str, ...] = ()
        self.context = settings.context
        self.tokens = 0
        self.tells = tells(settings.dtype) if settings.engine == VLLM else frozenset({LOGPROB, RANK, ENTROPY})
        self._process: Process | None = None
        self._room = 0

    def read(self, windows: Sequence[Window], also: frozenset[str] = frozenset()) -> Iterator[tuple[int, Reading]]:
        """See Engine. Fault MIX0506 as the engine itself, MIX0521 where it cannot be started, MIX0514 where its process dies."""
        if not windows:
            return
        header, arrays = pack_windows(windows)
        for answer, numbers in self._ask({"do": "read", "also": sorted(also), **header}, arrays, max(one.length for one in windows)):
            yield answer["index"], Reading(**dict(zip(answer["told"], numbers, strict=True)))

    def generate(self, requests: Sequence[Request], done: Callable[[int], None] | None = None) -> list[Generated]:
        """See Engine. Faults as those of `read`."""
        made: list[Generated] = []
        longest = max((len(one.prompt) + one.max_tokens for one in requests), default=0)
        header, arrays = pack_requests(requests)
        for answer, numbers in self._ask({"do": "generate", **header}, arrays, longest):
            if "texts" in answer:
                made = unpack_generated(answer, numbers)
            elif done is not None:
                done(answer["finished"])
        return made

    def start(self, longest: int = 0) -> Process:
        """The process, up and able to read a sequence of `longest` tokens. Faults as those of `read`."""
        if self._process is not None and (self.name != VLLM or self._room >= longest):
            return self._process
        self.end()
        self._room = self._fitting(longest)
        try:
            self._process = Process(self.settings.for_process(self._room + 1), {**_LOCAL, **self.settings.environment}, self.settings.seconds)
        except (Lost, Refused) as why:
            raise self._fault(why, starting=True) from None
        except OSError as error:
            raise self._fault(Lost(f"it could not be started: {error.strerror}"), starting=True) from error
        self.device, self.remarks = self._process.ready["device"], tuple(self._process.ready["remarks"])
        return self._process

    def kill(self) -> None:
        """Kill the process under whoever waits for its answer, for whom that is a Fault."""
        if self._process is not None:
            self._process.kill()

    def end(self) -> None:
        """End the process; the next question starts another."""
        if self._process is not None:
            self._process.end()
            self._process = None

    def _ask(self, header: dict, arrays: Sequence, longest: int) -> Iterator[tuple[dict, list]]:
        process = self.start(longest if self.context is None else min(longest, self.context))
        whole = False
        try:
            through = yield from process.ask(header, arrays)
            self.tokens += through
            whole = True
        except (Lost, Refused) as why:
            raise self._fault(why, starting=False) from None
        finally:
            if not whole:  # answers that nobody waits for would be taken for those of the next question
                self.end()

    def _fitting(self, longest: int) -> int:
        room = ROOM
        while room < longest:
            room *= 2
        return room if self.context is None else max(min(room, self.context), longest)

    def _fault(self, why: Lost | Refused, *, starting: bool) -> Fault:
        files = self.settings.files
        label = Label(files.span, "this model")
        told = why.header if isinstance(why, Refused) else {}
        lines = tuple(told.get("lines", ())) if isinstance(why, Refused) else why.lines
        if "fault" in told:
            code, message, notes, help = told["fault"]
            return Fault(Diagnostic(code, message, label, notes=tuple(notes), help=help))
        if self.name == VLLM:
            what = "cannot be started with" if starting else "cannot be read by"
            message = f"student `{files.student}` {what} vLLM: {why}"
            code = "MIX0521" if starting or isinstance(why, Refused) else "MIX0514"
            return Fault(Diagnostic(code, message, label, notes=lines, help=ELSEWHERE))
        message = f"the process that runs student `{files.student}` died: {why}"
        help = "free some memory and run the same command again: what was finished is kept"
        return Fault(Diagnostic("MIX0514", message, label, notes=lines, help=help))
