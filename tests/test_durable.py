"""What is enqueued is done once it is committed: most urgent first, whichever process dies."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from xray_ai import durable
from xray_ai.domain.priority import Priority
from xray_ai.durable import Job, Jobs, Queue, Workflow
from xray_ai.records.database import open_database

WORKER = """
import os, sys, time
from pathlib import Path
from tests.test_durable import an_engine
from xray_ai import durable
from xray_ai.durable import Executor, Queue, Workflow

def read(uid):
    with open("done", "a") as done:
        done.write(uid + "\\n")
    if Path("fail").exists():
        raise RuntimeError
    if Path("hang").exists():
        Path("hanging").touch()
        time.sleep(600)

def failed(job, failure):
    raise failure

durable.PATH_VERSION = sys.argv[2]
durable.PACES[Queue.READ] = durable.Pace(1, 1, float(sys.argv[3]), 0.05)  # one at a time, so that the order can be seen
executor = Executor(an_engine(Path(".")), sys.argv[1])
executor.perform(Workflow.READ_RADIOGRAPH, read, failed)
executor.launch([Queue.READ])
time.sleep(600)
"""


def an_engine(folder: Path) -> Engine:
    return open_database(f"sqlite:///{folder / 'records.sqlite'}")


def a_job(uid: str, priority: Priority = Priority.ROUTINE) -> Job:
    return Job(Workflow.READ_RADIOGRAPH, (uid,), f"read:{uid}", priority)


class Hospital:
    """A database and worker processes on it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.engine = folder, an_engine(folder)
        durable.prepare(self.engine)
        self.jobs = Jobs(self.engine)
        self.workers: list[subprocess.Popen[bytes]] = []

    def worker(
        self, executor_id: str = "reader", path_version: str = durable.PATH_VERSION, poll_s: float = 0.05
    ) -> subprocess.Popen[bytes]:
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
        command = [sys.executable, "-c", WORKER, executor_id, path_version, str(poll_s)]
        self.workers.append(subprocess.Popen(command, cwd=self.folder, env=environment))
        return self.workers[-1]

    def one_dies_at_work(self, path_version: str = durable.PATH_VERSION) -> None:
        """A worker that begins a job, and is killed before the job ends."""
        (self.folder / "hang").touch()
        worker = self.worker(path_version=path_version)
        until((self.folder / "hanging").exists)
        worker.kill()
        worker.wait()
        (self.folder / "hang").unlink()

    def done(self) -> list[str]:
        file = self.folder / "done"
        return file.read_text("utf-8").split() if file.exists() else []


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass within a minute"
        time.sleep(0.02)


@pytest.fixture
def hospital(tmp_path: Path) -> Iterator[Hospital]:
    here = Hospital(tmp_path)
    yield here
    for worker in here.workers:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    here.jobs.close()
    here.engine.dispose()


def test_the_most_urgent_goes_first_and_each_once(hospital: Hospital) -> None:
    for job in (a_job("1.1"), a_job("1.2", Priority.HIGH), a_job("1.3", Priority.STAT), a_job("1.1", Priority.STAT)):
        hospital.jobs.enqueue(job)

    hospital.worker()

    until(lambda: len(hospital.done()) == 3 and hospital.jobs.waiting(Queue.READ) == 0)
    assert hospital.done() == ["1.3", "1.2", "1.1"]


def test_a_worker_that_hardly_ever_looks_hears_the_bell(hospital: Hospital) -> None:
    hospital.worker(poll_s=3600.0)

    def ring() -> bool:
        hospital.jobs.ring()
        return hospital.done() == ["1.1"]

    hospital.jobs.enqueue(a_job("1.1"))
    until(ring)


def test_what_was_rolled_back_is_never_done(hospital: Hospital) -> None:
    with hospital.engine.connect() as connection:
        hospital.jobs.enqueue_in(connection, a_job("1.1"))
        connection.rollback()
    with hospital.engine.begin() as connection:
        hospital.jobs.enqueue_in(connection, a_job("1.2"))

    hospital.worker()

    until(lambda: hospital.done() == ["1.2"] and hospital.jobs.waiting(Queue.READ) == 0)


def test_a_process_that_comes_back_ends_what_it_had_begun(hospital: Hospital) -> None:
    hospital.jobs.enqueue(a_job("1.1"))
    hospital.one_dies_at_work()

    hospital.worker()

    until(lambda: hospital.done() == ["1.1", "1.1"] and hospital.jobs.waiting(Queue.READ) == 0)


def test_another_process_takes_over_where_one_never_comes_back(hospital: Hospital) -> None:
    hospital.jobs.enqueue(a_job("1.1"))
    hospital.one_dies_at_work()
    hospital.worker("another")

    taken = hospital.jobs.take_over(["reader"])

    assert taken == ["read:1.1"]
    until(lambda: hospital.done() == ["1.1", "1.1"] and hospital.jobs.waiting(Queue.READ) == 0)


def test_what_an_older_path_had_begun_is_begun_anew(hospital: Hospital) -> None:
    hospital.jobs.enqueue(a_job("1.1"))
    hospital.one_dies_at_work(path_version="0")
    hospital.worker()

    assert hospital.jobs.begin_anew() == ["read:1.1"]
    until(lambda: hospital.done() == ["1.1", "1.1"] and hospital.jobs.waiting(Queue.READ) == 0)


def test_what_an_older_path_had_put_back_is_begun_anew_in_its_turn(hospital: Hospital) -> None:
    hospital.jobs.enqueue(a_job("1.1"))
    hospital.one_dies_at_work(path_version="0")
    hospital.jobs.take_over(["reader"])
    hospital.jobs.enqueue(a_job("1.2", Priority.HIGH))

    assert hospital.jobs.begin_anew() == ["read:1.1"]

    hospital.worker()
    until(lambda: hospital.jobs.waiting(Queue.READ) == 0)
    assert hospital.done() == ["1.1", "1.2", "1.1"]


def test_after_a_return_to_an_older_path_work_goes_on(hospital: Hospital) -> None:
    hospital.jobs.enqueue(a_job("1.1"))
    hospital.one_dies_at_work(path_version="newer")
    hospital.jobs.enqueue(a_job("1.2"))

    hospital.jobs.begin_anew()

    hospital.worker()
    until(lambda: sorted(hospital.done()) == ["1.1", "1.1", "1.2"] and hospital.jobs.waiting(Queue.READ) == 0)


def test_delayed_work_goes_on_when_the_clock_is_set_back(hospital: Hospital) -> None:
    for uid in ("1.1", "1.2"):
        hospital.jobs.enqueue(a_job(uid).again(timedelta(hours=1)))
    hospital.worker()

    assert hospital.jobs.hurry_after_a_clock_set_back(datetime.now(UTC)) == 0
    assert hospital.jobs.hurry_after_a_clock_set_back(datetime.now(UTC) - timedelta(hours=1)) == 2
    until(lambda: sorted(hospital.done()) == ["1.1", "1.2"])


def test_ten_thousand_that_wait_are_counted_without_being_listed(hospital: Hospital) -> None:
    began = time.monotonic()
    with hospital.engine.begin() as connection:
        for number in range(10_000):
            hospital.jobs.enqueue_in(connection, a_job(f"1.{number}"))
    enqueued = time.monotonic()
    hospital.jobs.enqueue(a_job("2.1").again(timedelta(hours=1)))

    assert hospital.jobs.waiting(Queue.READ) == 10_001
    assert hospital.jobs.waiting(Queue.REPORT) == 0
    assert time.monotonic() - enqueued < (enqueued - began) / 10


def test_what_kills_each_process_is_given_up_and_named(hospital: Hospital) -> None:
    hospital.jobs.enqueue(a_job("1.1"))
    for _ in range(durable.MOST_ATTEMPTS + 1):
        (hospital.folder / "hanging").unlink(missing_ok=True)
        hospital.one_dies_at_work()

    hospital.worker()

    until(lambda: [job.arguments for job in hospital.jobs.given_up()] == [("1.1",)])


def test_a_failure_that_nobody_notes_is_named_until_it_is_forgotten(hospital: Hospital) -> None:
    (hospital.folder / "fail").touch()
    hospital.jobs.enqueue(a_job("1.1", Priority.STAT))
    hospital.worker()
    until(lambda: len(hospital.jobs.given_up()) == 1)
    (job,) = hospital.jobs.given_up()

    hospital.jobs.forget(job)

    assert (job.workflow, job.arguments, job.priority) == (Workflow.READ_RADIOGRAPH, ("1.1",), Priority.STAT)
    assert hospital.jobs.given_up() == []
