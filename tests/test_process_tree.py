"""The processes of a service start together, come back when they die, and go when they are asked to."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from xray_ai.process_tree import FIRST_STARTS, LONGEST_WAIT_S, AlreadyServing, only_service, wait_before_restart

PARENT = """
import os, sys
from functools import partial
from pathlib import Path
from xray_ai.process_tree import Member, ProcessTree, only_service
child = partial(os.execv, sys.executable, (sys.executable, "-c", Path(sys.argv[2]).read_text()))
with only_service(Path(sys.argv[1])) as lock:
    ProcessTree([Member("first", child), Member("second", child)], lock, drain_s=float(sys.argv[3])).run()
"""
CHILD = """
import os, signal, sys, threading
from pathlib import Path
from xray_ai.process_tree import stop_with_parent
Path(f"{os.getpid()}.pid").touch()
done = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: done.set())
stop_with_parent(done.set)
done.wait()
Path(f"{os.getpid()}.drained").touch()
"""
DEAF_CHILD = """
import os, signal, time
from pathlib import Path
signal.signal(signal.SIGTERM, signal.SIG_IGN)
Path(f"{os.getpid()}.pid").touch()
time.sleep(600)
"""
BREAKABLE_CHILD = """
import os, sys, time
from pathlib import Path
Path(f"{os.getpid()}.pid").touch()
if Path("broken").exists():
    sys.exit(2)
time.sleep(600)
"""


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass within 30 s"
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


class Service:
    """A process tree of two children, in a process of its own."""

    def __init__(self, folder: Path, child: str = CHILD, drain_s: float = 10.0) -> None:
        self.folder = folder
        (folder / "child.py").write_text(child, "utf-8")
        command = [sys.executable, "-c", PARENT, str(folder / "storage"), "child.py", str(drain_s)]
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
        self.parent = subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.DEVNULL)

    def starts(self) -> int:
        return len(list(self.folder.glob("*.pid")))

    def children(self) -> list[int]:
        return [pid for pid in (int(file.stem) for file in self.folder.glob("*.pid")) if not is_gone(pid)]

    def stop(self) -> None:
        self.parent.kill()
        self.parent.wait()
        for pid in self.children():
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def service(tmp_path: Path) -> Iterator["Service"]:
    running = Service(tmp_path)
    until(lambda: len(running.children()) == 2)
    yield running
    running.stop()


def test_a_child_that_dies_comes_back(service: Service) -> None:
    killed = service.children()[0]

    os.kill(killed, signal.SIGKILL)

    until(lambda: is_gone(killed) and len(service.children()) == 2)


def test_the_service_ends_where_a_child_never_comes_up_without_a_person(tmp_path: Path) -> None:
    (tmp_path / "broken").touch()

    service = Service(tmp_path, BREAKABLE_CHILD)

    assert service.parent.wait(30) != 0
    assert service.starts() <= 2 * FIRST_STARTS
    assert not service.children()


def test_a_child_that_was_up_and_needs_a_person_is_started_until_it_is_mended(tmp_path: Path) -> None:
    service = Service(tmp_path, BREAKABLE_CHILD)
    until(lambda: len(service.children()) == 2)
    (tmp_path / "broken").touch()

    for child in service.children():
        os.kill(child, signal.SIGKILL)

    until(lambda: service.starts() > 2 + 2 * FIRST_STARTS)
    (tmp_path / "broken").unlink()
    until(lambda: len(service.children()) == 2)
    service.stop()


def test_all_drain_when_the_service_is_asked_to_stop(service: Service) -> None:
    children = service.children()

    service.parent.terminate()

    assert service.parent.wait(30) == 0
    assert {int(file.stem) for file in service.folder.glob("*.drained")} == set(children)


def test_no_child_outlives_a_killed_parent(service: Service) -> None:
    children = service.children()

    service.parent.kill()
    service.parent.wait()

    until(lambda: all(is_gone(pid) for pid in children))


def test_a_child_that_does_not_drain_is_ended_at_the_deadline(tmp_path: Path) -> None:
    service = Service(tmp_path, DEAF_CHILD, drain_s=0.2)
    until(lambda: len(service.children()) == 2)

    service.parent.terminate()
    service.parent.wait(30)

    assert not service.children()


def test_a_second_service_on_the_same_storage_is_refused(service: Service) -> None:
    with pytest.raises(AlreadyServing, match="Another service works on"), only_service(service.folder / "storage"):
        pass


def test_a_storage_is_held_until_the_last_child_is_gone(tmp_path: Path) -> None:
    service = Service(tmp_path, DEAF_CHILD)
    until(lambda: len(service.children()) == 2)

    service.parent.kill()
    service.parent.wait()

    with pytest.raises(AlreadyServing), only_service(tmp_path / "storage"):
        pass
    service.stop()


def test_a_child_that_keeps_dying_is_started_ever_more_rarely() -> None:
    waits = [wait_before_restart(failures, draw=(failures % 7) / 7) for failures in range(40)]

    assert waits[0] == 0.0
    assert 0.1 <= waits[1] <= 0.2
    assert all(LONGEST_WAIT_S / 2 <= wait <= LONGEST_WAIT_S for wait in waits[10:])
