"""A bell between the processes of one machine: who rings need not know whether anyone listens."""

import os
import select
from contextlib import suppress
from pathlib import Path
from threading import Event

LOOK_UP_MS = 1000  # how late a listener may hear that it is to stop, where another one took its ring
DRAINED_AT_ONCE = 4096


class Doorbell(Event):
    """An event whose `wait` also ends when the bell is rung; it is not set by that, and no time limit ends it."""

    def __init__(self, place: Path) -> None:
        super().__init__()
        with suppress(FileExistsError):
            os.mkfifo(place)
        self._place = place
        self._pipe = os.open(place, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)  # for writing too: it never ends
        self._listening = select.poll()
        self._listening.register(self._pipe, select.POLLIN)

    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - of an Event
        """Wait for a ring; whether the event is set."""
        while not self.is_set():
            if self._listening.poll(LOOK_UP_MS):
                with suppress(BlockingIOError):  # another listener was quicker
                    os.read(self._pipe, DRAINED_AT_ONCE)
                break
        return self.is_set()

    def set(self) -> None:
        super().set()
        ring(self._place)

    def close(self) -> None:
        os.close(self._pipe)


def ring(place: Path) -> None:
    """Ring; where nobody listens, or more rings wait than are needed, nothing happens."""
    with suppress(OSError):
        bell = os.open(place, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            os.write(bell, b"\0")
        finally:
            os.close(bell)
