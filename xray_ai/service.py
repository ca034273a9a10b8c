"""The processes of the service: what each does from its start to SIGTERM, and the tree in which they run."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

from xray_ai import durable, log
from xray_ai.app import (
    DEFAULT_POLICY,
    default_pack,
    destinations_of,
    load_policy,
    open_intake,
    open_jobs,
    open_objects,
    open_records,
    open_site,
    scope_pack,
    storage_scp_settings,
    utc_now,
)
from xray_ai.config import Settings
from xray_ai.domain.received import ObjectDigest
from xray_ai.durable import Executor, Queue, Workflow
from xray_ai.housekeeping import Chore, Keeping, beat, heed_the_clock, keeping_house, take_over, tidy
from xray_ai.http_server import answer
from xray_ai.one_core import let_others_go_first
from xray_ai.pipeline import Site, deliver_evidence, read_radiograph, report_study
from xray_ai.process_tree import (
    LOCK_VARIABLE,
    STOPPING,
    Member,
    ProcessTree,
    in_a_process,
    only_service,
    stop_with_parent,
)
from xray_ai.receive.application_entity import listening
from xray_ai.records import retention
from xray_ai.records.database import reading, upgrade
from xray_ai.setbacks import take_up_again
from xray_ai.terminal import exit_code_of

SPARE_S = 5.0  # beyond engine.drain_s, in which a process closes what it has open
PATH: dict[Workflow, Callable[..., None]] = {
    Workflow.READ_RADIOGRAPH: read_radiograph,
    Workflow.REPORT_STUDY: report_study,
    Workflow.DELIVER_EVIDENCE: deliver_evidence,
}


def serve(settings: Settings) -> None:
    """Run the whole service until SIGTERM. Raises AlreadyServing and what else needs an operator."""
    check(settings)
    with only_service(settings.storage.root) as lock:
        in_a_process(partial(exit_code_of, partial(prepare, settings)))
        members = [Member(name, partial(_be, name, run, settings)) for name, run in MEMBERS.items()]
        ProcessTree(members, lock, settings.engine.drain_s + SPARE_S).run()


def alone(run: Callable[[Settings], None], settings: Settings) -> None:
    """Run one process of the service, on a machine of its own perhaps, until SIGTERM."""
    in_a_process(partial(exit_code_of, partial(prepare, settings)))
    run(settings)


def _be(name: str, run: Callable[[Settings], None], settings: Settings) -> int:
    """Be one process of the service; the exit code."""
    log.configure(settings.log.level or "INFO", name)
    return exit_code_of(partial(run, settings))


def check(settings: Settings) -> None:
    """Look at what the configuration names before anything is started. Raises OperatorNeeded."""
    destinations_of(settings)
    default_pack(settings)
    scope_pack(settings)
    load_policy(settings.triage.policy or DEFAULT_POLICY)


def prepare(settings: Settings) -> None:
    """Bring all tables up to date and remove what dead processes left; before anything else works on the storage."""
    with open_records(settings) as engine, open_objects(settings) as objects:
        upgrade(engine)
        durable.prepare(engine)
        with open_jobs(engine) as jobs:
            jobs.begin_anew()

        def is_recorded(digest: ObjectDigest) -> bool:
            with reading(engine) as connection:
                return retention.is_recorded(connection, digest)

        log.event("storage.prepared", leftovers=objects.sweep(is_recorded))


def receive(settings: Settings) -> None:
    """Receive by C-STORE until SIGTERM."""
    stop = _told_to_stop()
    with (
        open_records(settings) as engine,
        open_jobs(engine) as jobs,
        open_objects(settings) as objects,
        open_intake(settings, engine, objects, jobs) as intake,
        listening(storage_scp_settings(settings), intake, settings.engine.drain_s),
        keeping_house([beat(engine, _worker("receiver"), "receiver")], utc_now, stop),
    ):
        stop.wait()


def work(settings: Settings, queues: Sequence[Queue]) -> None:
    """Do what waits in these queues until SIGTERM."""
    stop = _told_to_stop()
    if Queue.READ not in queues:
        let_others_go_first()
    worker = _worker("-".join(queues))
    with open_site(settings) as site, keeping_house(_chores(settings, site, queues, worker), utc_now, stop):
        executor = Executor(site.engine, worker)
        for workflow, function in PATH.items():
            executor.perform(workflow, partial(function, site), partial(take_up_again, site))
        executor.launch(queues)
        log.event("worker.started", worker=worker)
        stop.wait()
        executor.stop(round(settings.engine.drain_s))


def api(settings: Settings) -> None:
    """Answer over HTTP until SIGTERM."""
    stop = _told_to_stop()
    with (
        open_records(settings) as engine,
        open_jobs(engine) as jobs,
        keeping_house([beat(engine, _worker("api"), "api")], utc_now, stop),
    ):
        answer(settings, engine, jobs, stop)


def role_of(queues: Sequence[Queue]) -> str:
    """What the process that works on these queues is called."""
    return "reader" if Queue.READ in queues else "reporter"


def _chores(settings: Settings, site: Site, queues: Sequence[Queue], worker: str) -> list[Chore]:
    chores = [beat(site.engine, worker, role_of(queues))]
    if Queue.REPORT in queues:
        chores += [take_over(site), heed_the_clock(site), tidy(site, _keeping(settings))]
    return chores


def _keeping(settings: Settings) -> Keeping:
    days = settings.storage.keep_days
    return Keeping(None if days is None else timedelta(days=days), timedelta(days=settings.engine.keep_days))


def _worker(name: str) -> str:
    """The same name after each restart, so that a process takes up its own work again."""
    return f"{name}@{socket.gethostname()}"


def _told_to_stop() -> threading.Event:
    """An event that is set by SIGTERM, by SIGINT and by the end of the process that started this one."""
    stop = threading.Event()
    for number in STOPPING:
        signal.signal(number, lambda *_: stop.set())
    if LOCK_VARIABLE in os.environ:
        stop_with_parent(stop.set)
    return stop


MEMBERS: dict[str, Callable[[Settings], None]] = {  # by name, in the order in which they are asked to stop
    "receiver": receive,
    "reader": partial(work, queues=[Queue.READ]),
    "reporter": partial(work, queues=[Queue.REPORT, Queue.DELIVER]),
    "api": api,
}
