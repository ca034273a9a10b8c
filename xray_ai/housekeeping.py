"""What must be done now and then while the service runs: show that we live, take over from the dead, let go."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from xray_ai import log
from xray_ai.domain.uid import StudyInstanceUID
from xray_ai.durable import MOST_AT_ONCE
from xray_ai.errors import XrayAiError
from xray_ai.objects import LocalObjects
from xray_ai.pipeline import Site
from xray_ai.records import retention, workers
from xray_ai.records.database import reading, writing
from xray_ai.setbacks import take_up_what_was_left

BEAT_S = 5.0
# After so long a worker counts as dead; were it alive, its work would be done twice, which does no harm.
SILENT_S = 30.0
TIDY_S = 600.0
MOST_STUDIES = 100  # forgotten at once

Chore = Callable[[datetime], None]


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long things are kept."""

    studies: timedelta | None  # None: for ever
    finished_work: timedelta


def beat(engine: Engine, worker: str, role: str) -> Chore:
    """Say that this process lives."""

    def chore(now: datetime) -> None:
        with writing(engine) as connection:
            workers.beat(connection, worker, role, now)

    return chore


def take_over(site: Site) -> Chore:
    """Have done again what dead processes had begun, and what ended without a word."""

    def chore(now: datetime) -> None:
        with reading(site.engine) as connection:
            silent = workers.silent(connection, now, timedelta(seconds=SILENT_S))
        for worker in silent:
            taken = site.jobs.take_over([worker])
            with writing(site.engine) as connection:
                workers.forget(connection, worker)
            log.warning("worker.fell_silent", worker=worker, taken_over=len(taken))
        take_up_what_was_left(site)

    return chore


def heed_the_clock(site: Site) -> Chore:
    """When the clock was set back, keep no report and no delivery waiting until it is that time again."""

    def chore(now: datetime) -> None:
        hurried = site.jobs.hurry_after_a_clock_set_back(now)
        if hurried:
            log.warning("clock.set_back", hurried=hurried)

    return chore


def tidy(site: Site, keeping: Keeping) -> Chore:
    """Let go of what is kept no longer, every ten minutes."""
    last: list[datetime] = []

    def chore(now: datetime) -> None:
        if last and abs((now - last[0]).total_seconds()) < TIDY_S:
            return
        last[:] = [now]
        while site.jobs.purge(now - keeping.finished_work) == MOST_AT_ONCE:
            pass
        if keeping.studies is not None:
            expired = expire(site.engine, site.objects, now - keeping.studies)
            log.event("studies.expired", studies=expired)

    return chore


def expire(engine: Engine, objects: LocalObjects, received_before: datetime) -> int:
    """Forget studies that came before and wait for nothing, with all their objects; how many."""
    expired = 0
    while old := _expired(engine, received_before):
        for study in old:
            _forget(engine, objects, study)
        expired += len(old)
    return expired


def _expired(engine: Engine, received_before: datetime) -> tuple[StudyInstanceUID, ...]:
    with reading(engine) as connection:
        listed = retention.expired_studies(connection, received_before, MOST_STUDIES)
        return listed + retention.expired_strays(connection, received_before, MOST_STUDIES)


def _forget(engine: Engine, objects: LocalObjects, study: StudyInstanceUID) -> None:
    with writing(engine) as connection:
        for digest in retention.forget_study(connection, study):
            objects.delete(digest)  # before the transaction ends: intake waits for it


@contextmanager
def keeping_house(chores: list[Chore], clock: Callable[[], datetime], stop: threading.Event) -> Iterator[None]:
    """Do these chores every few seconds in a thread; when one meets a defect, `stop` is set, and the process ends."""
    done = threading.Event()

    def run() -> None:
        try:
            while not done.is_set():
                _do(chores, clock())
                done.wait(BEAT_S)
        finally:
            stop.set()

    thread = threading.Thread(target=run, name="housekeeping", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _do(chores: list[Chore], now: datetime) -> None:
    for chore in chores:
        try:
            chore(now)
        except (SQLAlchemyError, OSError, XrayAiError) as failure:  # it may pass; the next round comes soon
            log.warning("chore.failed", error=type(failure).__name__)
