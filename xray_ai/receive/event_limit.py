"""Keeps a flood of connections from becoming a flood of log lines: few a second are told whole, the rest as a count."""

import time
from collections import Counter
from collections.abc import Callable
from threading import Lock

from xray_ai import log

MOST_A_SECOND = 10  # of one reason and host
MOST_KINDS = 100  # pairs of reason and host a second; the rest is counted as one
OTHERS = ("further reasons", "further hosts")


class EventLimit:
    """Logs one kind of event; of those with the same reason and host only so many within a second."""

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._name, self._clock = name, clock
        self._counts: Counter[tuple[str, str]] = Counter()
        self._since = clock()
        self._lock = Lock()

    def tell(self, reason: str, host: str, calling_ae_title: str | None = None) -> None:
        """Log it now, or count it for `tell_counted`."""
        with self._lock:
            kind = (reason, host)
            if kind not in self._counts and len(self._counts) >= MOST_KINDS:
                kind = OTHERS
            self._counts[kind] += 1
            is_told = kind != OTHERS and self._counts[kind] <= MOST_A_SECOND
        if is_told:
            log.event(self._name, reason=reason, calling_ae_title=calling_ae_title, host=host)

    def tell_counted(self, *, at_once: bool = False) -> None:
        """Once a second, log how many were not told; called again and again."""
        now = self._clock()
        with self._lock:
            if not at_once and now - self._since < 1.0:
                return
            counts, self._counts, self._since = self._counts, Counter(), now
        for (reason, host), count in counts.items():
            untold = count if (reason, host) == OTHERS else count - MOST_A_SECOND
            if untold > 0:
                log.event(self._name, reason=reason, host=host, times=untold)
