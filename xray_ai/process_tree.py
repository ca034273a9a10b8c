"""The processes of one service: started together, restarted when one dies, drained when asked to stop."""

import fcntl
import gc
import math
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from xray_ai import log
from xray_ai.errors import OperatorNeeded

FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 30.0
STEADY_S = 60.0  # a child that lived so long starts again without waiting
OPERATOR_NEEDED = 2  # the exit code of a process that only a person can help
FIRST_STARTS = 3  # a process that ends so at each of these was never up, and the service ends with it
FAILED = 70  # a process that could not even say why
LOOK_AGAIN_S = 0.02
LOCK_FILE = "service.lock"
LOCK_VARIABLE = "XRAY_AI_LOCK_FD"  # what keeps the lock as long as any child lives
STOPPING = (signal.SIGTERM, signal.SIGINT)


class AlreadyServing(OperatorNeeded):
    """Two services on one storage would read each study twice."""

    def __init__(self, root: Path) -> None:
        super().__init__(
            f"Another service works on {root}, or one that was stopped has not ended yet.",
            remedy="Stop it, or give this one a storage.root of its own.",
        )


class ProcessFailed(OperatorNeeded):
    """A process that was started ended badly; it has said why."""

    def __init__(self, code: int, name: str = "A process of the service") -> None:
        super().__init__(f"{name} ended with code {code}.", remedy="What it printed says why.")


@contextmanager
def only_service(root: Path) -> Iterator[int]:
    """Hold the storage for this service and all its children. Raises AlreadyServing."""
    root.mkdir(parents=True, exist_ok=True)
    lock = os.open(root / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    os.set_inheritable(lock, True)  # noqa: FBT003 - the library's signature
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise AlreadyServing(root) from error
    try:
        yield lock
    finally:
        os.close(lock)


@dataclass(frozen=True, slots=True)
class Member:
    """One process of the tree, by what it is called in logs and what it does."""

    name: str
    run: Callable[[], int]  # answers with the exit code


@dataclass(slots=True)
class _Child:
    """A process that was forked, and its exit code once it has ended."""

    pid: int
    code: int | None = None

    def poll(self) -> int | None:
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.code = os.waitstatus_to_exitcode(status) if pid else None
        return self.code

    def ends_by(self, deadline: float) -> bool:
        """Wait for its end, up to a moment of the monotonic clock."""
        while self.poll() is None:
            if time.monotonic() > deadline:
                return False
            time.sleep(LOOK_AGAIN_S)
        return True

    def send(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


@dataclass(slots=True)
class _Running:
    member: Member
    process: _Child
    started_at: float
    failures: int = 0


@dataclass(slots=True)
class ProcessTree:
    """Tends its members until it is told to stop.

    They are forked, so that each starts at once and all share the memory of what is imported; this process must have
    no other thread. Each child holds the end of a pipe as its standard input: when this process dies, however it dies,
    the child reads the end of it and stops (`stop_with_parent`).
    """

    members: Sequence[Member]
    lock: int
    drain_s: float
    draw: random.Random = field(default_factory=random.Random)  # noqa: S311 - it spreads restarts, it guards nothing
    _running: dict[str, _Running] = field(default_factory=dict)
    _restarts: dict[str, tuple[float, int]] = field(default_factory=dict)  # name -> when, failures so far
    _been_up: set[str] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)
    _pipe: tuple[int, int] = field(default_factory=os.pipe)

    def run(self) -> None:
        """Start all members and tend them; returns when SIGTERM or SIGINT came and all have ended.

        Raises ProcessFailed, when a member needs an operator and never was up.
        """
        earlier = {number: signal.signal(number, self._asked_to_stop) for number in STOPPING}
        gc.freeze()  # what was imported stays shared
        try:
            for member in self.members:
                self._start(member, failures=0)
            while not self._stop.wait(0.1):
                self._tend(time.monotonic())
        finally:
            self._drain()
            for number, handler in earlier.items():
                signal.signal(number, handler)

    def _asked_to_stop(self, _signal: int, _frame: object) -> None:
        self._stop.set()

    def _start(self, member: Member, failures: int) -> None:
        pid = os.fork()
        if pid == 0:
            self._become(member)  # and never come back
        self._running[member.name] = _Running(member, _Child(pid), time.monotonic(), failures)
        log.event("process.started", process=member.name, pid=pid)

    def _become(self, member: Member) -> NoReturn:
        """Be this member from here on, in a session of its own: a terminal's Ctrl-C reaches the parent alone."""
        os.setsid()
        for number in STOPPING:
            signal.signal(number, signal.SIG_DFL)
        os.dup2(self._pipe[0], sys.stdin.fileno())
        os.close(self._pipe[1])
        os.environ[LOCK_VARIABLE] = str(self.lock)
        _end_with(member.run)

    def _tend(self, now: float) -> None:
        for running in list(self._running.values()):
            code = running.process.poll()
            if code is None:
                continue
            name = running.member.name
            failures = 0 if now - running.started_at > STEADY_S else running.failures + 1
            self._judge(name, code, failures)
            wait_s = wait_before_restart(failures, self.draw.random())
            log.warning("process.ended", process=name, code=code, restart_in_s=round(wait_s, 2))
            del self._running[name]
            self._restarts[name] = (now + wait_s, failures)
        for member in self.members:
            due = self._restarts.get(member.name)
            if due is not None and due[0] <= now:
                del self._restarts[member.name]
                self._start(member, due[1])

    def _judge(self, name: str, code: int, failures: int) -> None:
        """Tell a start that cannot succeed from a fault in service, in which the others go on. Raises ProcessFailed."""
        if code != OPERATOR_NEEDED or failures == 0:
            self._been_up.add(name)
        elif name not in self._been_up and failures == FIRST_STARTS:
            raise ProcessFailed(code, f"The {name}")

    def _drain(self) -> None:
        """Ask each member to stop, in their order, and end what has not stopped by the deadline."""
        for running in self._running.values():
            running.process.send(signal.SIGTERM)
        deadline = time.monotonic() + self.drain_s
        for running in self._running.values():
            if not running.process.ends_by(deadline):
                log.warning("process.killed", process=running.member.name, drain_s=self.drain_s)
                running.process.send(signal.SIGKILL)
                running.process.ends_by(math.inf)


def in_a_process(run: Callable[[], int]) -> None:
    """Do something in a process of its own, so that no thread of it stays. Raises ProcessFailed."""
    pid = os.fork()
    if pid == 0:
        _end_with(run)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code != 0:
        raise ProcessFailed(code)


def _end_with(run: Callable[[], int]) -> NoReturn:
    """Run, and end this forked process at once: libraries would look for threads that stayed in the parent."""
    code = FAILED
    try:
        code = run()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def wait_before_restart(failures: int, draw: float) -> float:
    """Seconds to wait: none at first, then doubling up to a limit, each with jitter of a half (draw: 0.0 to 1.0)."""
    if failures == 0:
        return 0.0
    return min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(failures - 1, 16)) * (0.5 + draw / 2)


def stop_with_parent(stop: Callable[[], None]) -> None:
    """Call `stop` when the process that started this one is gone; returns at once."""

    def wait_for_the_end() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        stop()

    threading.Thread(target=wait_for_the_end, name="stop-with-parent", daemon=True).start()
