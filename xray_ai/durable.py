"""The durable engine: what was enqueued is done, whichever process dies; the only file that names DBOS.

Workflows take identifiers alone, so that no word of a patient reaches the engine's tables. Each may run twice.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from threading import Thread
from uuid import uuid4

from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer, EnqueueOptions
from dbos import Queue as EngineQueue
from dbos._queue import queue_worker_thread
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from xray_ai import log
from xray_ai.domain.priority import Priority
from xray_ai.doorbell import Doorbell, ring

PATH_VERSION = "1"  # of the steps of the path: raised when they change, and unfinished work is then begun anew
APPLICATION = "xray-ai"
MOST_ATTEMPTS = 5  # of a workflow whose process died under it
LONGEST_WARNING = 200  # characters
MOST_AT_ONCE = 1000  # workflows that are listed
FIRST_PRIORITY = {Priority.STAT: 1, Priority.HIGH: 2, Priority.ROUTINE: 3}  # the lower goes first; 0 would pass all


class Queue(StrEnum):
    """What waits to be done, by the process that does it."""

    READ = "read"
    REPORT = "report"
    DELIVER = "deliver"


@dataclass(frozen=True, slots=True)
class Pace:
    """How many workflows of a queue run at once, and how often the queue is looked at.

    A look takes some 3 ms of CPU (docs/decisions/0029): a queue with a bell is looked at when it is rung.
    """

    concurrency: int
    poll_s: float
    poll_without_bell_s: float


PACES = {Queue.READ: Pace(4, 0.5, 0.05), Queue.REPORT: Pace(2, 1.0, 1.0), Queue.DELIVER: Pace(8, 1.0, 1.0)}
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
        """How many workflows wait in a queue, or run."""
        statuses = ["ENQUEUED", "DELAYED", "PENDING"]
        return len(self._client.list_workflows(queue_name=queue.value, status=statuses, load_input=False))

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
        """Begin anew what an earlier version of the path had begun; returns the identities."""
        begun = []
        for status in self._client.list_workflows(status="PENDING", load_input=False):
            if status.app_version not in {None, PATH_VERSION}:
                self._client.cancel_workflow(status.workflow_id)
                self._client.fork_workflow(
                    status.workflow_id, 0, application_version=PATH_VERSION, queue_name=status.queue_name
                )
                begun.append(status.workflow_id)
        return begun

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

        def run(*given: str | int) -> None:
            job = _job(workflow, "", given)
            try:
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
                worker_concurrency=pace.concurrency,
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
