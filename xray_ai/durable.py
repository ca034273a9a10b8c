"""The durable engine: what was enqueued is done, whichever process dies; the only file that names DBOS.

Workflows take identifiers alone, so that no word of a patient reaches the engine's tables. Each may run twice.
"""

import logging
import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from threading import BoundedSemaphore, Thread
from uuid import uuid4

from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer, EnqueueOptions
from dbos import Queue as EngineQueue
from dbos._queue import queue_worker_thread
from sqlalchemy import Connection, Engine, column, create_engine, event, func, literal_column, select, table
from sqlalchemy.pool import ConnectionPoolEntry

from xray_ai import log
from xray_ai.domain.priority import Priority
from xray_ai.doorbell import Doorbell, ring

PATH_VERSION = "1"  # of the steps of the path: raised when they change, and unfinished work is then begun anew
APPLICATION = "xray-ai"
MOST_ATTEMPTS = 5  # of a workflow whose process died under it
LONGEST_WARNING = 200  # characters
MOST_AT_ONCE = 1000  # workflows that are listed
MOST_SKEW = timedelta(minutes=1)  # by which two clocks may differ before one counts as set back
FIRST_PRIORITY = {Priority.STAT: 1, Priority.HIGH: 2, Priority.ROUTINE: 3}  # the lower goes first; 0 would pass all


class Queue(StrEnum):
    """What waits to be done, by the process that does it."""

    READ = "read"
    REPORT = "report"
    DELIVER = "deliver"


@dataclass(frozen=True, slots=True)
class Pace:
    """How many workflows of a queue a process claims and how many it runs at once, and how often it looks.

    A look takes some 3 ms of CPU (docs/decisions/0029), and claims no more than there is room for: so a process
    claims more than it runs where it looks seldom, and a queue with a bell is looked at when that is rung.
    """

    claimed: int
    at_once: int
    poll_s: float
    poll_without_bell_s: float


CORES = os.cpu_count() or 1
PACES = {
    Queue.READ: Pace(4, min(4, CORES), 0.1, 0.05),
    Queue.REPORT: Pace(8, 1, 1.0, 1.0),  # composing holds the interpreter
    Queue.DELIVER: Pace(8, 8, 1.0, 1.0),  # sending waits for peers
}
RUNG = Queue.READ


class Synchronous(StrEnum):
    """What of a committed transaction a power cut may take; both keep the database whole (PRAGMA synchronous)."""

    FULL = "FULL"  # nothing: what is enqueued stays
    NORMAL = "NORMAL"  # the last ones: that a workflow was begun or has ended, so that it is begun again


class Workflow(StrEnum):
    """The functions of the path that survive a crash, by name."""

    READ_RADIOGRAPH = "read_radiograph"
    REPORT_STUDY = "report_study"
    DELIVER_EVIDENCE = "deliver_evidence"

    @property
    def queue(self) -> Queue:
        return QUEUE_OF[self]


QUEUE_OF = {
    Workflow.READ_RADIOGRAPH: Queue.READ,
    Workflow.REPORT_STUDY: Queue.REPORT,
    Workflow.DELIVER_EVIDENCE: Queue.DELIVER,
}


@dataclass(frozen=True, slots=True)
class Job:
    """One workflow to be run; the same identity is run once, however often it is enqueued."""

    workflow: Workflow
    arguments: tuple[str | int, ...]  # identifiers
    identity: str = field(default_factory=lambda: uuid4().hex)
    priority: Priority = Priority.ROUTINE
    delay: timedelta = timedelta(0)
    attempt: int = 1

    def again(self, delay: timedelta) -> "Job":
        """The same work once more, later."""
        return replace(self, identity=uuid4().hex, delay=delay, attempt=self.attempt + 1)


Failed = Callable[[Job, Exception], None]


class ProcessesDied(Exception):
    """Each process that ran a workflow died under it."""


class Jobs:
    """Where any process enqueues; `prepare` has made the tables."""

    def __init__(self, records: Engine) -> None:
        self._engine = _engine_beside(records, Synchronous.FULL)
        self._bell = _place_of_bell(records)
        self._client = DBOSClient(
            system_database_engine=self._engine, serializer=DBOSPortableJSONSerializer(), application_name=APPLICATION
        )

    def enqueue_in(self, transaction: Connection, job: Job) -> None:
        """Enqueue when, and only when, the caller's transaction is committed."""
        self._client.enqueue_in_transaction(transaction, _options(job), *_input(job))

    def enqueue(self, job: Job) -> None:
        self._client.enqueue(_options(job), *_input(job))

    def ring(self) -> None:
        """Say that something was committed to the read queue; nothing depends on it but how soon it is read."""
        if self._bell is not None:
            ring(self._bell)

    def waiting(self, queue: Queue) -> int:
        """How many workflows wait in a queue, or run; counted in the database, by the engine's own indexes."""
        schema = "dbos" if self._engine.dialect.name == "postgresql" else None
        workflows = table("workflow_status", column("queue_name"), column("status"), schema=schema)
        # Words and not parameters: only so does SQLite see that a partial index holds them all.
        begun = workflows.c.status.in_([literal_column("'ENQUEUED'"), literal_column("'PENDING'")])
        parts = begun, workflows.c.status == literal_column("'DELAYED'")
        counts = [select(func.count()).where(workflows.c.queue_name == queue.value, part) for part in parts]
        with self._engine.connect() as connection:
            return sum(connection.execute(count).scalar_one() for count in counts)

    def take_over(self, dead_executors: Iterable[str]) -> list[str]:
        """Put back what processes that are gone had begun; returns the identities."""
        taken = []
        for executor in dead_executors:
            for status in self._client.list_workflows(status="PENDING", executor_id=executor, load_input=False):
                self._client.resume_workflow(status.workflow_id, queue_name=status.queue_name)
                taken.append(status.workflow_id)
        return taken

    def given_up(self) -> list[Job]:
        """Workflows under which processes died too often, or whose failure could not be noted."""
        ended = ["MAX_RECOVERY_ATTEMPTS_EXCEEDED", "ERROR"]
        statuses = self._client.list_workflows(status=ended, limit=MOST_AT_ONCE)
        return [
            _job(Workflow(status.name), status.workflow_id, tuple(status.input["args"]))
            for status in statuses
            if status.input
        ]

    def forget(self, job: Job) -> None:
        """Delete a workflow that was given up, once that is noted elsewhere."""
        self._client.delete_workflows([job.identity])

    def begin_anew(self) -> list[str]:
        """Begin anew what another version of the path had begun, earlier or later; returns the identities.

        What no version has begun yet is done by the version that the engine calls the latest. It goes by the clock
        when it was first seen: after a return to an earlier version, nobody would do it. So ours is made the latest.
        """
        known = [one["version_name"] for one in self._client.list_application_versions()]
        others = [version for version in known if version != PATH_VERSION]
        if not others:
            return []
        if PATH_VERSION not in known:
            _make_version_known(self._engine)
        for version in (*others, PATH_VERSION):  # the others too: the clock may have been set back
            self._client.set_latest_application_version(version)
        while self._client.get_latest_application_version()["version_name"] != PATH_VERSION:  # the same millisecond
            self._client.set_latest_application_version(PATH_VERSION)
        begun = []
        # It runs, or was put back by who came after.
        for status in self._client.list_workflows(status=["PENDING", "ENQUEUED"], app_version=others):
            if status.input:
                job = _job(Workflow(status.name), status.workflow_id, tuple(status.input["args"]))
                self.enqueue(replace(job, identity=uuid4().hex))  # first, so that it is never lost
                self._client.cancel_workflow(status.workflow_id)
                begun.append(status.workflow_id)
        return begun

    def hurry_after_a_clock_set_back(self, now: datetime) -> int:
        """Let what was delayed later than now go ahead, lest it wait for that time to come again; how many."""
        later = (now + MOST_SKEW).isoformat()
        late = self._client.list_workflows(status="DELAYED", start_time=later, limit=MOST_AT_ONCE, load_input=False)
        for status in late:
            self._client.set_workflow_delay(status.workflow_id, delay_seconds=0)
        return len(late)

    def purge(self, finished_before: datetime) -> int:
        """Delete workflows that ended long ago, up to a thousand of them; returns how many."""
        ended = self._client.list_workflows(
            status=["SUCCESS", "CANCELLED"],
            end_time=finished_before.isoformat(),
            limit=MOST_AT_ONCE,
            load_input=False,
            load_output=False,
        )
        if ended:
            self._client.delete_workflows([status.workflow_id for status in ended])
        return len(ended)

    def close(self) -> None:
        self._client.destroy()
        self._engine.dispose()


class Executor:
    """Runs workflows of some queues in this process; one executor a process."""

    def __init__(self, records: Engine, executor_id: str) -> None:
        self._engine = _engine_beside(records, Synchronous.NORMAL)
        self._bell_at = _place_of_bell(records)
        self._bells: list[tuple[Doorbell, Thread]] = []
        config: DBOSConfig = {
            "name": APPLICATION,
            "system_database_engine": self._engine,
            "executor_id": executor_id,
            "application_version": PATH_VERSION,
            "serializer": DBOSPortableJSONSerializer(),
            "use_listen_notify": False,
            "console_log_level": "WARNING",
        }
        self._dbos = DBOS(config=config)
        _hear_warnings()

    def perform(self, workflow: Workflow, function: Callable[..., None], failed: Failed) -> None:
        """Name the function that is the workflow, and what to do when it fails; before `launch`."""
        room = BoundedSemaphore(PACES[workflow.queue].at_once)

        def run(*given: str | int) -> None:
            job = _job(workflow, "", given)
            try:
                with room:
                    function(*job.arguments)
            except Exception as failure:  # noqa: BLE001 - the worker's loop: no step that fails may be lost
                failed(job, failure)

        run.__qualname__ = run.__name__ = workflow.value
        DBOS.workflow(name=workflow.value, max_recovery_attempts=MOST_ATTEMPTS)(run)

    def launch(self, queues: Sequence[Queue]) -> None:
        """Begin to work, first on what this executor had begun when it died."""
        DBOS.listen_queues([queue.value for queue in queues])
        DBOS.launch()
        for queue in queues:
            pace = PACES[queue]
            bell = self._bell_at if queue is RUNG else None
            registered = DBOS.register_queue(
                queue.value,
                worker_concurrency=pace.claimed,
                polling_interval_sec=pace.poll_s if bell else pace.poll_without_bell_s,
                on_conflict="always_update",
            )
            if bell is not None:
                self._listen(Doorbell(bell), registered)

    def stop(self, drain_s: int) -> None:
        """Take no new work, and give what runs so long to end."""
        for bell, thread in self._bells:
            bell.set()
            thread.join()
            bell.close()
        DBOS.destroy(workflow_completion_timeout_sec=drain_s)
        self._engine.dispose()

    def _listen(self, bell: Doorbell, queue: EngineQueue) -> None:
        """Look at a queue once more, beside the engine's own looks, whenever the bell is rung.

        The engine offers no such call: this is its own loop, which waits for our event where it would wait for a time.
        """
        thread = Thread(target=queue_worker_thread, args=(bell, self._dbos, queue), name="doorbell", daemon=True)
        thread.start()
        self._bells.append((bell, thread))


class _EngineWarnings(logging.Handler):
    """What worries the engine, as events of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        told = record.getMessage().partition("\n")[0][:LONGEST_WARNING]
        log.warning("engine.warned", told=told, where=f"{record.filename}:{record.lineno}")


def _hear_warnings() -> None:
    logger = logging.getLogger("dbos")
    logger.handlers[:] = [_EngineWarnings(logging.WARNING)]


def prepare(records: Engine) -> None:
    """Make or renew the engine's tables."""
    _hear_warnings()
    DBOS.migrate(records.url.render_as_string(hide_password=False))


def _make_version_known(records: Engine) -> None:
    """Have the engine list our version of the path, which only a launch does, and takes a second."""
    executor = Executor(records, "prepare")
    DBOS.listen_queues([])  # else it would begin what waits
    DBOS.launch()
    executor.stop(drain_s=0)


def _place_of_bell(records: Engine) -> Path | None:
    """Beside the records, where they are one machine's."""
    if records.dialect.name != "sqlite" or not records.url.database:
        return None
    return Path(records.url.database).with_suffix(".bell")


def _engine_beside(records: Engine, synchronous: Synchronous) -> Engine:
    """Connections to the same database as DBOS wants them: on SQLite it begins its transactions itself."""
    engine = create_engine(records.url, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", partial(_prepare_sqlite, synchronous))
    return engine


def _prepare_sqlite(synchronous: Synchronous, connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = "IMMEDIATE"
    for pragma in ("journal_mode=WAL", f"synchronous={synchronous}", "busy_timeout=30000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _input(job: Job) -> tuple[str | int, ...]:
    return (*job.arguments, int(job.priority), job.attempt)


def _job(workflow: Workflow, identity: str, given: Sequence[str | int]) -> Job:
    """Take the job back from the input of its workflow."""
    *arguments, priority, attempt = given
    return Job(workflow, tuple(arguments), identity, Priority(int(priority)), attempt=int(attempt))


def _options(job: Job) -> EnqueueOptions:
    options: EnqueueOptions = {
        "workflow_name": job.workflow.value,
        "queue_name": job.workflow.queue.value,
        "workflow_id": job.identity,
        "priority": FIRST_PRIORITY[job.priority],
    }
    if job.delay:
        options["delay_seconds"] = job.delay.total_seconds()
    return options
