"""The path of a study: read at once, reported when it is quiet, delivered until each destination has it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import Comprehensive3DSRStorage, ComprehensiveSRStorage

from tests.deliver.peers import EVERYTHING, a_destination, a_storage_scp, free_port
from tests.factories import a_dataset, some_pixels
from tests.hospitals import MODALITY, Hospital, a_hospital
from tests.receive.reception import NOW
from xray_ai import outbox
from xray_ai.deliver.destinations import Destination
from xray_ai.domain.delivery import ResultKind
from xray_ai.domain.priority import Priority
from xray_ai.domain.received import Repeat
from xray_ai.durable import Job, Workflow
from xray_ai.errors import OperatorNeeded
from xray_ai.records import deliveries
from xray_ai.records.database import writing
from xray_ai.records.words import DeliveryStatus, HopKind, StudyStatus
from xray_ai.setbacks import MOST_DEATHS, take_up_again, take_up_what_was_left

READ, REPORT, DELIVER = Workflow.READ_RADIOGRAPH, Workflow.REPORT_STUDY, Workflow.DELIVER_EVIDENCE
SR_ALONE = frozenset({ResultKind.SR})
IMAGE = "1.2.826.0.1.3680043.10.1"


@pytest.fixture
def hospital(tmp_path: Path) -> Iterator[Hospital]:
    with a_hospital(tmp_path) as hospital:
        yield hospital


def another_image(**attributes: object) -> Dataset:
    """A second image of the same study."""
    return a_dataset(some_pixels(200, 300), SOPInstanceUID="1.2.826.0.1.3680043.10.9", **attributes)  # type: ignore[arg-type]  # any attribute


def the_report(hospital: Hospital, revision: int = 1) -> Dataset:
    return dcmread(hospital.object(hospital.evidence()[revision - 1]))


def kinds(hospital: Hospital) -> list[HopKind]:
    return [hop.what for hop in hospital.way()]


def test_a_radiograph_is_flagged_before_its_study_is_quiet(hospital: Hospital) -> None:
    hospital.receive(a_dataset())

    assert hospital.study().status is StudyStatus.RECEIVED
    assert hospital.work(most=1) == [READ]
    study = hospital.study()
    assert (study.status, study.priority, study.because) == (StudyStatus.READ, Priority.HIGH, ("mass",))
    assert hospital.evidence() == ()


def test_a_quiet_study_is_reported_once(hospital: Hospital) -> None:
    hospital.receive(a_dataset())

    assert hospital.work() == [READ, REPORT]

    (made,) = hospital.evidence()
    assert sorted(one.item.split()[0] for one in made.objects) == ["sc", "sr"]
    assert kinds(hospital) == [HopKind.RECEIVED, HopKind.READ, HopKind.REPORTED]
    assert hospital.study().read_at is not None
    assert hospital.clock.now.timestamp() - NOW.timestamp() == 10


def test_images_of_one_study_share_a_report(hospital: Hospital) -> None:
    hospital.receive(a_dataset())
    hospital.receive(another_image())

    hospital.work()

    (made,) = hospital.evidence()
    assert len(made.images) == 2
    assert the_report(hospital).get("PredecessorDocumentsSequence") is None


def test_no_report_is_made_while_an_image_waits_to_be_read(hospital: Hospital) -> None:
    hospital.receive(a_dataset())
    hospital.work(most=1)
    hospital.receive(another_image())
    waiting, _ = hospital.jobs.take_first() or pytest.fail("nothing is enqueued")

    assert hospital.work() == [REPORT]

    assert hospital.evidence() == ()
    hospital.run(waiting)
    hospital.work()
    assert len(hospital.evidence()) == 1


def test_a_late_image_makes_a_revised_report_that_names_its_predecessor(hospital: Hospital) -> None:
    hospital.receive(a_dataset())
    hospital.work()
    hospital.receive(another_image())
    hospital.work()

    first, second = hospital.evidence()
    assert second.predecessor == first.evidence_key
    (before,) = the_report(hospital, 2).PredecessorDocumentsSequence
    named = before.ReferencedSeriesSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID
    assert named == the_report(hospital, 1).SOPInstanceUID


def test_every_step_may_run_twice(hospital: Hospital) -> None:
    hospital.receive(a_dataset())
    while first := hospital.jobs.take_first():
        hospital.run(first[0])
        hospital.run(first[0])

    assert len(hospital.evidence()) == 1
    assert hospital.study().status is StudyStatus.READ


def test_what_a_radiograph_was_ordered_as_is_kept(hospital: Hospital) -> None:
    hospital.receive(a_dataset(), replace(MODALITY, ordered_priority=Priority.STAT))

    hospital.work()

    assert hospital.study().priority is Priority.STAT


def test_a_refused_chest_image_is_listed_with_its_reason_and_reported_as_not_read(hospital: Hospital) -> None:
    hospital.receive(a_dataset(ViewPosition="LL"))

    hospital.work()

    assert hospital.study().status is StudyStatus.NOT_READ
    assert "lateral" in str(hospital.study().reason)
    assert "Not read" in str(the_report(hospital))


def test_of_what_nobody_calls_a_chest_nothing_is_written(hospital: Hospital) -> None:
    hospital.receive(a_dataset(BodyPartExamined="KNEE"))

    hospital.work()

    assert hospital.study().status is StudyStatus.NOT_READ
    assert hospital.evidence()[0].objects == ()
    assert hospital.way()[-1].reason.startswith("Nothing was read")


def test_the_report_carries_the_corrected_name(hospital: Hospital) -> None:
    hospital.receive(a_dataset())
    hospital.work(most=1)
    assert hospital.receive(a_dataset(PatientName="Corrected^Name")).repeat is Repeat.NEW_HEADER

    hospital.work()

    assert str(the_report(hospital).PatientName) == "Corrected^Name"


def test_our_own_results_that_come_back_are_not_read(hospital: Hospital) -> None:
    hospital.receive(a_dataset())
    hospital.work()
    (made,) = hospital.evidence()

    receipts = [hospital.receive(hospital.object(made, item).read_bytes()) for item in ("sr", "sc")]

    assert [receipt.repeat for receipt in receipts] == [Repeat.OWN_RESULT] * 2
    assert hospital.work() == []
    assert len(hospital.evidence()) == 1


# ---- deliveries


def test_every_destination_gets_the_results_that_it_wants(tmp_path: Path) -> None:
    with a_storage_scp() as pacs, a_storage_scp() as ris:
        wishes = called("PACS", a_destination(pacs.port)), called("RIS", a_destination(ris.port, results=SR_ALONE))
        with a_hospital(tmp_path, wishes) as hospital:
            hospital.receive(a_dataset())
            hospital.work()

            assert {one.status for one in hospital.deliveries()} == {DeliveryStatus.DELIVERED}
    assert (len(pacs.datasets), len(ris.datasets)) == (2, 1)


def called(name: str, destination: Destination) -> Destination:
    return replace(destination, peer=replace(destination.peer, name=name))


def test_a_destination_that_does_not_want_the_study_gets_nothing(tmp_path: Path) -> None:
    wish = a_destination(free_port(), least_priority=Priority.STAT)
    with a_hospital(tmp_path, [wish]) as hospital:
        hospital.receive(a_dataset())

        assert hospital.work() == [READ, REPORT]
        assert hospital.deliveries() == ()


def test_a_destination_gets_the_form_that_it_takes_and_its_revision_names_the_same_form(tmp_path: Path) -> None:
    old = {sop_class: syntaxes for sop_class, syntaxes in EVERYTHING.items() if sop_class != Comprehensive3DSRStorage}
    with a_storage_scp(old) as pacs, a_hospital(tmp_path, [a_destination(pacs.port)]) as hospital:
        hospital.receive(a_dataset())
        hospital.work()
        hospital.receive(another_image())
        hospital.work()
        sent = {one.delivered_uid: one.item for one in hospital.deliveries() if one.item == "sr"}
        second = next(one for one in hospital.evidence()[1].objects if one.sop_instance_uid in sent)
        report = dcmread(hospital.site.objects.path(second.digest))

    assert report.SOPClassUID == ComprehensiveSRStorage
    (before,) = report.PredecessorDocumentsSequence
    assert before.ReferencedSeriesSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID in sent


def test_without_localisation_a_destination_gets_the_report_alone(tmp_path: Path) -> None:
    with a_storage_scp() as pacs, a_hospital(tmp_path, [a_destination(pacs.port, localisation=False)]) as hospital:
        hospital.receive(a_dataset())
        hospital.work()

        assert [one.item for one in hospital.deliveries()] == ["sr"]
    assert len(pacs.datasets) == 1


def test_a_destination_that_is_away_is_tried_until_it_is_back(tmp_path: Path) -> None:
    port = free_port()
    with a_hospital(tmp_path, [a_destination(port)]) as hospital:
        hospital.receive(a_dataset())
        hospital.work(most=5)
        assert {(one.status, one.attempts) for one in hospital.deliveries()} == {(DeliveryStatus.PENDING, 3)}
        with a_storage_scp() as pacs:
            away = hospital.site.destinations["PACS1"]
            back = replace(away, peer=replace(away.peer, port=pacs.port))
            hospital.site = replace(hospital.site, destinations={"PACS1": back})
            hospital.work()

        assert {one.status for one in hospital.deliveries()} == {DeliveryStatus.DELIVERED}
        assert kinds(hospital).count(HopKind.DELIVERY_FAILED) == 2  # the first failure of each
    assert len(pacs.datasets) == 2


def test_what_a_destination_refuses_is_a_dead_letter_until_a_person_retries_it(tmp_path: Path) -> None:
    with (
        a_storage_scp(statuses=[0xA900, 0xA900, 0x0000]) as pacs,
        a_hospital(tmp_path, [a_destination(pacs.port)]) as hospital,
    ):
        hospital.receive(a_dataset())
        hospital.work()
        assert {one.status for one in hospital.deliveries()} == {DeliveryStatus.DEAD}

        retry(hospital)

        assert hospital.work() == [DELIVER]
        assert {one.status for one in hospital.deliveries()} == {DeliveryStatus.DELIVERED}


def retry(hospital: Hospital) -> None:
    with writing(hospital.site.engine) as connection:
        again = deliveries.retry(connection, hospital.clock.now)
        hospital.jobs.enqueue_in(connection, outbox.deliver_job(again[0], Priority.HIGH))


def test_a_destination_that_is_no_longer_configured_leaves_dead_letters(tmp_path: Path) -> None:
    with a_hospital(tmp_path, [a_destination(free_port())]) as hospital:
        hospital.receive(a_dataset())
        hospital.work(most=2)
        hospital.site = replace(hospital.site, destinations={})

        hospital.work()

        assert {one.status for one in hospital.deliveries()} == {DeliveryStatus.DEAD}
        assert "has changed" in str(hospital.deliveries()[0].last_error)


# ---- setbacks


def test_a_defect_is_tried_again_and_then_listed_as_not_read(hospital: Hospital) -> None:
    hospital.receive(a_dataset())
    job, _ = hospital.jobs.take_first() or pytest.fail("nothing is enqueued")
    for _ in range(5):
        take_up_again(hospital.site, job, ZeroDivisionError())
        job = (hospital.jobs.take_first() or (job, NOW))[0]

    assert hospital.study().status is StudyStatus.NOT_READ
    assert "failed again and again (ZeroDivisionError)" in str(hospital.study().reason)
    hospital.run(job)
    assert len(hospital.evidence()) == 1


def test_what_may_pass_is_tried_for_days(hospital: Hospital) -> None:
    job = Job(READ, (IMAGE,), attempt=100)

    take_up_again(hospital.site, job, OperatorNeeded("The disk is full.", remedy=""))

    again, due = hospital.jobs.take_first() or pytest.fail("nothing is enqueued")
    assert again.attempt == 101
    assert (due - NOW).total_seconds() == 900


def test_a_radiograph_under_which_processes_die_is_given_up(hospital: Hospital) -> None:
    hospital.receive(a_dataset())
    job, _ = hospital.jobs.take_first() or pytest.fail("nothing is enqueued")
    hospital.jobs.left = [replace(job, attempt=MOST_DEATHS)]

    take_up_what_was_left(hospital.site)

    assert hospital.jobs.left == []
    assert hospital.study().status is StudyStatus.NOT_READ


def test_a_report_that_cannot_be_composed_is_told(hospital: Hospital) -> None:
    hospital.receive(a_dataset())
    hospital.work(most=1)

    take_up_again(hospital.site, Job(REPORT, (hospital.study().study_instance_uid, 2), attempt=5), ZeroDivisionError())

    assert kinds(hospital)[-1] is HopKind.REPORT_FAILED
