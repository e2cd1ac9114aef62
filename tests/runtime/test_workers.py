"""Worker processes: one item can neither hang, kill nor confuse the others, and nothing outlives the caller.

`eval` stands for a judge here: an item is the Python text of what happens to it.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mixc.compiler.diagnostics import Fault
from mixc.runtime.workers import DIED, FAILED, TIMED_OUT, Answer, work
from mixc.tests.compiling import RUN, drawn

ROOT = Path(__file__).parents[2]
HANG = "__import__('time').sleep(1e6)"
LONG_C_CALL = "9 ** 9 ** 9 % 7"
DIE = "__import__('os')._exit(3)"


def answers(items: list[object], **settings: object) -> list[Answer]:
    found = dict(work(eval, items, **({"timeout": 1.0, "processes": 2, "batch": 4} | settings)))  # type: ignore[arg-type]
    return [found[i] for i in range(len(items))]


def stat(pid: int | str) -> tuple[str, int]:
    """State and parent of a process; `Z` for one that is gone."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return "Z", 0
    return state, int(parent)


def children() -> list[str]:
    """Processes that this one started and that still run."""
    pids = [entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if stat(pid)[1] == os.getpid() and stat(pid)[0] != "Z"]


def test_every_item_is_answered_in_its_place() -> None:
    assert [a.value for a in answers([f"{i} * {i}" for i in range(100)])] == [i * i for i in range(100)]


def test_nothing_to_do_starts_nothing() -> None:
    assert list(work(eval, [], timeout=1.0)) == []


@pytest.mark.parametrize("hanging", [HANG, LONG_C_CALL])
def test_a_hanging_item_is_killed_and_the_others_are_answered(hanging: str) -> None:
    items: list[object] = [hanging if i in (3, 11) else str(i) for i in range(16)]
    start = time.monotonic()
    found = answers(items)
    assert [a.failure for a in found] == [TIMED_OUT if i in (3, 11) else None for i in range(16)]
    assert [a.value for a in found] == [None if i in (3, 11) else i for i in range(16)]
    assert time.monotonic() - start < 10
    assert children() == []


def test_an_item_that_kills_its_process_twice_is_lost_and_the_others_are_answered() -> None:
    found = answers([DIE if i == 5 else str(i) for i in range(12)])
    assert [a.failure for a in found] == [DIED if i == 5 else None for i in range(12)]


def test_an_item_whose_process_dies_once_is_tried_again(tmp_path: Path) -> None:
    mark = repr(str(tmp_path / "mark"))
    once = f"1 if __import__('os').path.exists({mark}) else (open({mark}, 'w').close(), {DIE})"
    assert [a.value for a in answers(["0", once, "2"])] == [0, 1, 2]


def test_an_item_that_raises_fails_alone_and_says_what() -> None:
    found = answers(["1", "1 / 0", "3"])
    assert found[1] == Answer(None, FAILED, "ZeroDivisionError: division by zero")
    assert (found[0].value, found[2].value) == (1, 3)


def test_an_item_that_wants_all_the_memory_fails_alone() -> None:
    found = answers(["bytearray(8 << 30) and 1", "2"], memory=1 << 30, timeout=30.0)
    assert (found[0].failure, found[0].error.split(":")[0], found[1].value) == (FAILED, "MemoryError", 2)


def test_what_a_library_prints_is_no_answer() -> None:
    assert [a.value for a in answers(["print('noise') or 1", "__import__('os').write(1, b'[7]') and 2"])] == [1, 2]


def test_sets_are_ordered_alike_in_every_process() -> None:
    items: list[object] = ["repr({'a', 'b', 'c', 'd', 'e'})"] * 8
    assert len({a.value for a in answers(items, batch=1)}) == 1
    assert answers(items[:1]) == answers(items[:1])


def test_processes_that_all_die_are_a_fault(golden) -> None:
    with pytest.raises(Fault) as raised:
        answers([DIE] * 40)
    assert raised.value.diagnostics[0].code == "MIX0514"
    golden(RUN / "MIX0514.txt", drawn(raised.value.diagnostics, ()))
    assert children() == []


def test_a_function_that_cannot_be_imported_is_a_fault_at_once() -> None:
    def local(item: object) -> object:
        return item

    with pytest.raises(Fault) as raised:
        list(work(local, ["1"], timeout=1.0))
    assert raised.value.diagnostics[0].code == "MIX0514"


def test_leaving_the_loop_ends_the_processes() -> None:
    found = work(eval, ["1", HANG, HANG, HANG], timeout=60.0, processes=2, batch=1)
    assert next(found)[1].value == 1
    assert children()
    found.close()  # type: ignore[attr-defined]
    assert children() == []


CALLER = f"""
import importlib.util, sys, os
root = {str(ROOT)!r}
spec = importlib.util.spec_from_file_location("mixc", root + "/__init__.py", submodule_search_locations=[root])
sys.modules["mixc"] = importlib.util.module_from_spec(spec)
from mixc.runtime.workers import work
pid = "__import__('os').getpid()"
items = [pid, "1" if sys.argv[1] == "idle" else "__import__('time').sleep(1e6)"]
for index, answer in work(eval, items, timeout=float(sys.argv[2]), processes=1, batch=1):
    print(answer.value, flush=True)
    while index == 0 and sys.argv[1] == "idle":
        pass
"""


@pytest.mark.parametrize(
    ("state", "timeout", "blow", "patience"),
    [("busy", 60, signal.SIGINT, 5), ("idle", 60, signal.SIGKILL, 5), ("busy", 1, signal.SIGKILL, 10)],
)
def test_no_worker_outlives_its_caller(state: str, timeout: int, blow: signal.Signals, patience: float) -> None:
    caller = subprocess.Popen(
        [sys.executable, "-c", CALLER, state, str(timeout)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert caller.stdout is not None
    worker = int(caller.stdout.readline())
    caller.send_signal(blow)
    caller.wait(10)
    deadline = time.monotonic() + patience
    while stat(worker)[0] != "Z" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert stat(worker)[0] == "Z"
