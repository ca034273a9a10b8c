"""How often one may try to sign in: so often from one place, so often for one name."""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

WINDOW_S = 300.0
MOST_FROM_HERE, MOST_FOR_NAME, MOST_FROM_ADDRESS = 5, 50, 30  # failures within the window
MOST_KEPT = 10_000  # names and addresses; the ones longest unused are forgotten


class SignInLimit:
    """Counts failures by name and address; in memory, as one process answers."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def wait_s(self, name: str, address: str) -> float:
        """Seconds until the next try; 0: at once."""
        with self._lock:
            return max(self._left(kind, most) for kind, most in _kinds(name, address))

    def failed(self, name: str, address: str) -> None:
        with self._lock:
            for kind, most in _kinds(name, address):
                self._failures.setdefault(kind, deque(maxlen=most)).append(self._clock())
                self._failures.move_to_end(kind)
            while len(self._failures) > MOST_KEPT:
                self._failures.popitem(last=False)

    def succeeded(self, name: str, address: str) -> None:
        """Forget the failures of this name from here; those of the address stay."""
        with self._lock:
            self._failures.pop((name, address), None)

    def _left(self, kind: tuple[str, str], most: int) -> float:
        """How long until the oldest of the last `most` failures has left the window."""
        failures = self._failures.get(kind)
        if failures is None or len(failures) < most:
            return 0.0
        return max(0.0, failures[0] + WINDOW_S - self._clock())


def _kinds(name: str, address: str) -> tuple[tuple[tuple[str, str], int], ...]:
    return ((name, address), MOST_FROM_HERE), ((name, ""), MOST_FOR_NAME), (("", address), MOST_FROM_ADDRESS)
