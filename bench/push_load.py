"""Radiographs pushed by C-STORE as they come in a hospital: at moments by chance, on several associations."""

import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.raw_scu import (
    EXPLICIT,
    P_DATA,
    RawAssociation,
    Template,
    longest_pdu,
    status_of,
    uid_of,
)

SOP_INSTANCE, STUDY = 0, 1  # kinds of UIDs of a copy


@dataclass(frozen=True, slots=True)
class Load:
    """What is pushed: how many, how often, on how many associations."""

    images: int
    images_per_s: float
    associations: int = 4
    seed: int = 1
    first_number: int = 0  # copies have UIDs by their numbers

    def moments(self) -> list[float]:
        """Seconds after the start at which the images come: a Poisson process."""
        draw = random.Random(self.seed)  # noqa: S311 - it guards nothing
        moments, moment = [], 0.0
        for _ in range(self.images):
            moment += draw.expovariate(self.images_per_s)
            moments.append(moment)
        return moments


@dataclass(frozen=True, slots=True)
class Pushed:
    """One copy that a receiver was given."""

    sop_instance_uid: str
    study_instance_uid: str
    last_byte_at: float  # of the clock, in seconds
    answered_at: float
    is_stored: bool  # False: refused, or the association was lost before the answer


class Pusher:
    """Pushes a load; what became of each copy can be looked at while it runs."""

    def __init__(self, port: int, template: Template, load: Load, called: str = "XRAY_AI") -> None:
        self._port, self._template, self._load, self._called = port, template, load, called
        self._waiting = list(
            zip(load.moments(), range(load.first_number, load.first_number + load.images), strict=True)
        )
        self._waiting.reverse()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._association) for _ in range(load.associations)]
        self.pushed: list[Pushed] = []
        self.started_at = 0.0

    def start(self) -> None:
        self.started_at = time.time()
        for thread in self._threads:
            thread.start()

    def is_over(self) -> bool:
        return not any(thread.is_alive() for thread in self._threads)

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _association(self) -> None:
        """Take what comes next, whichever association is free; a lost one is asked for again."""
        while self._waiting:
            try:
                with RawAssociation(self._port) as association:
                    accepted = association.associate([(1, self._template.sop_class, [EXPLICIT])], self._called)
                    self._push_on(association, longest_pdu(accepted))
                    association.release()
            except OSError:
                time.sleep(0.2)  # the receiver is being restarted

    def _push_on(self, association: RawAssociation, longest: int) -> None:
        while (following := self._next()) is not None:
            moment, number = following
            time.sleep(max(0.0, self.started_at + moment - time.time()))
            ((start, rest),) = self._template.messages(longest, [number])
            last_byte_at, status = 0.0, None
            try:
                association.send(start)
                association.send(rest)
                last_byte_at = time.time()
                kind, content = association.answer()
                if kind != P_DATA:
                    raise ConnectionAbortedError
                status = status_of(content)
            finally:
                self.pushed.append(
                    Pushed(uid_of(SOP_INSTANCE, number), uid_of(STUDY, number), last_byte_at, time.time(), status == 0)
                )

    def _next(self) -> tuple[float, int] | None:
        with self._lock:
            return self._waiting.pop() if self._waiting else None


def share(values: Sequence[float], part: float) -> float:
    """The value below which this part of all lies."""
    ordered = sorted(values)
    return ordered[min(int(part * len(ordered)), len(ordered) - 1)]
