"""Many senders at once, and what breaks under them: nobody is answered with success for nothing."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from tests.factories import a_dataset, as_part10, some_pixels
from tests.receive.reception import Reception, a_reception, refusal_of
from xray_ai.domain.received import Repeat
from xray_ai.receive.intake import IntakeRefusalCode
from xray_ai.records import retention
from xray_ai.records.database import reading, writing

OTHER_PIXELS = some_pixels()[::-1].copy()


@pytest.fixture
def reception(tmp_path: Path) -> Iterator[Reception]:
    with a_reception(tmp_path) as reception:
        yield reception


def test_two_threads_that_send_the_same_object_get_one_new_and_one_repeat(reception: Reception) -> None:
    with ThreadPoolExecutor(2) as threads:
        receipts = list(threads.map(reception.send, [a_dataset(), a_dataset()]))

    assert sorted(receipt.repeat for receipt in receipts) == [Repeat.NEW, Repeat.SAME_BYTES]
    assert len(reception.enqueued()) == 1


def test_two_threads_that_send_other_pixels_under_one_uid_get_one_new_and_one_conflict(reception: Reception) -> None:
    with ThreadPoolExecutor(2) as threads:
        receipts = list(threads.map(reception.send, [a_dataset(), a_dataset(OTHER_PIXELS)]))

    assert sorted(receipt.repeat for receipt in receipts) == [Repeat.CONFLICT, Repeat.NEW]


def test_many_senders_share_transactions_and_none_is_lost(reception: Reception) -> None:
    images = [as_part10(a_dataset(SOPInstanceUID=f"1.2.3.{number}")) for number in range(40)]
    commits: list[object] = []
    event.listen(reception.engine, "commit", commits.append)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(reception.send, images))

    assert len(reception.enqueued()) == len(reception.kept()) == 40
    assert len(commits) < 40


def test_a_commit_that_fails_answers_nobody_with_success(reception: Reception) -> None:
    def fail(_connection: object) -> None:
        raise OperationalError("COMMIT", None, Exception("disk I/O error"))

    event.listen(reception.engine, "commit", fail)
    with ThreadPoolExecutor(4) as threads:
        images = [a_dataset(SOPInstanceUID=f"1.2.3.{number}") for number in range(8)]
        codes = set(threads.map(lambda image: refusal_of(lambda: reception.send(image)), images))
    event.remove(reception.engine, "commit", fail)

    assert codes == {IntakeRefusalCode.OUT_OF_RESOURCES}
    assert reception.enqueued() == []
    assert reception.leftovers() == []


def test_after_a_failed_commit_the_next_object_is_taken(reception: Reception) -> None:
    def fail(_connection: object) -> None:
        event.remove(reception.engine, "begin", fail)
        raise OperationalError("BEGIN", None, Exception("database is locked"))

    event.listen(reception.engine, "begin", fail)
    assert refusal_of(lambda: reception.send(a_dataset())) is IntakeRefusalCode.OUT_OF_RESOURCES

    assert reception.send(a_dataset()).repeat is Repeat.NEW


def test_an_error_of_the_enqueuer_is_the_callers_and_leaves_no_row(reception: Reception) -> None:
    with writing(reception.engine) as connection:
        connection.exec_driver_sql("DROP TABLE enqueued")

    assert refusal_of(lambda: reception.send(a_dataset())) is IntakeRefusalCode.OUT_OF_RESOURCES

    assert reception.versions() == ()


def test_a_power_cut_between_bytes_and_row_leaves_a_leftover_that_sweep_removes(reception: Reception) -> None:
    incoming = reception.intake.open()
    incoming.write(as_part10(a_dataset()))
    reception.objects.keep(incoming)
    os.close(incoming._file)  # noqa: SLF001 - as its process dies: the name stays

    with reading(reception.engine) as connection:
        swept = reception.objects.sweep(lambda digest: retention.is_recorded(connection, digest))

    assert swept == 1
    assert reception.kept() == set()
    assert reception.leftovers() == []
