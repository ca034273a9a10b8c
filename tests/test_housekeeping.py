"""While the service runs it shows that it lives, takes over from the dead, and lets go of what is done."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.deliver.peers import a_destination, free_port
from tests.factories import a_dataset
from tests.hospitals import Hospital, a_hospital
from tests.receive.reception import NOW
from xray_ai.housekeeping import SILENT_S, beat, expire, keeping_house, take_over
from xray_ai.records import workers
from xray_ai.records.database import reading, writing
from xray_ai.records.words import StudyStatus

LATER = NOW + timedelta(days=30)
SILENCE = timedelta(seconds=SILENT_S)


@pytest.fixture
def hospital(tmp_path: Path) -> Iterator[Hospital]:
    with a_hospital(tmp_path) as hospital:
        yield hospital


def kept(folder: Path) -> list[Path]:
    return [path for path in (folder / "objects").rglob("*") if path.is_file()]


def test_a_process_shows_that_it_lives(hospital: Hospital) -> None:
    beat(hospital.site.engine, "reader@here", "reader")(NOW)

    with reading(hospital.site.engine) as connection:
        assert workers.alive(connection, NOW, SILENCE) == {"reader@here": "reader"}


def test_a_process_that_fell_silent_is_taken_over_once(hospital: Hospital) -> None:
    with writing(hospital.site.engine) as connection:
        workers.beat(connection, "dead@there", "reader", NOW - SILENCE - timedelta(seconds=1))
        workers.beat(connection, "alive@here", "reader", NOW)

    take_over(hospital.site)(NOW)

    assert hospital.jobs.taken_over == ["dead@there"]
    with reading(hospital.site.engine) as connection:
        assert set(workers.alive(connection, NOW, SILENCE)) == {"alive@here"}


def test_who_was_heard_of_later_than_now_died_before_the_clock_was_set_back(hospital: Hospital) -> None:
    beat(hospital.site.engine, "dead@there", "reader")(NOW + timedelta(hours=1))

    take_over(hospital.site)(NOW)

    assert hospital.jobs.taken_over == ["dead@there"]


def test_a_reported_study_expires_with_all_its_objects(hospital: Hospital, tmp_path: Path) -> None:
    hospital.receive(a_dataset())
    hospital.work()
    assert kept(tmp_path)

    assert expire(hospital.site.engine, hospital.site.objects, LATER) == 1

    assert kept(tmp_path) == []
    assert hospital.way() == ()


def test_a_study_that_came_lately_stays(hospital: Hospital) -> None:
    hospital.receive(a_dataset())
    hospital.work()

    assert expire(hospital.site.engine, hospital.site.objects, NOW) == 0
    assert hospital.study().status is StudyStatus.READ


def test_a_study_whose_results_are_on_their_way_is_never_let_go(tmp_path: Path) -> None:
    with a_hospital(tmp_path, [a_destination(free_port())]) as hospital:
        hospital.receive(a_dataset())
        hospital.work(most=4)

        assert expire(hospital.site.engine, hospital.site.objects, LATER) == 0


def test_work_on_a_study_that_has_expired_does_nothing(hospital: Hospital) -> None:
    hospital.receive(a_dataset())
    read, _ = hospital.jobs.take_first() or pytest.fail("nothing is enqueued")
    hospital.run(read)
    report, _ = hospital.jobs.take_first() or pytest.fail("nothing is enqueued")
    hospital.run(report)
    expire(hospital.site.engine, hospital.site.objects, LATER)

    for job in (read, report):
        hospital.run(replace(job, attempt=1))

    assert hospital.work() == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_chore_that_meets_a_defect_ends_the_process() -> None:
    stop = threading.Event()

    def defect(_now: datetime) -> None:
        raise ZeroDivisionError

    with keeping_house([defect], lambda: NOW, stop):
        assert stop.wait(30)


def test_a_chore_that_fails_for_now_is_done_again() -> None:
    stop, tries = threading.Event(), threading.Event()

    def away(_now: datetime) -> None:
        tries.set()
        raise OSError

    with keeping_house([away], lambda: NOW, stop):
        assert tries.wait(30)
        assert not stop.is_set()
