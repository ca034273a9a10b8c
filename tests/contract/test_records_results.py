"""Evidence, deliveries, workers, numbers and retention, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from tests.records.rows import (
    IMAGE,
    KEY,
    LATERAL,
    NOW,
    STUDY,
    a_digest,
    a_reading,
    a_refusal,
    after,
    an_evidence_object,
    an_instance,
    receive,
    report,
)
from xray_ai.domain.priority import Priority
from xray_ai.domain.received import Repeat
from xray_ai.domain.uid import SOPInstanceUID
from xray_ai.records import counts, deliveries, evidence, readings, received_instances, retention, studies, workers
from xray_ai.records.database import reading, writing
from xray_ai.records.deliveries import Delivery, PlannedDelivery
from xray_ai.records.evidence import EvidenceKey
from xray_ai.records.words import DeliveryStatus, ReadingStatus, StudyStatus

SR = SOPInstanceUID("2.25.1")
SILENCE = timedelta(seconds=30)


@pytest.fixture
def planned(engine: Engine) -> Engine:
    """A study that was read and reported, and whose SR is to go to one PACS."""
    receive(engine)
    report(engine)
    with writing(engine) as connection:
        readings.record(connection, a_reading())
        deliveries.plan(connection, PlannedDelivery(KEY, "sr", "PACS", STUDY), NOW)
    return engine


def the_delivery(engine: Engine) -> Delivery:
    with reading(engine) as connection:
        (delivery,) = deliveries.of_study(connection, STUDY)
    return delivery


# ---- evidence


def test_a_revision_names_its_predecessor(engine: Engine) -> None:
    report(engine)

    with writing(engine) as connection:
        revised = evidence.record(connection, EvidenceKey("key-2"), STUDY, after(60), [an_evidence_object(2)])
        assert evidence.newest(connection, STUDY) == revised

    assert (revised.revision, revised.predecessor) == (2, KEY)


def test_evidence_recorded_twice_stays_as_it_was(engine: Engine) -> None:
    report(engine)

    with writing(engine) as connection:
        again = evidence.record(connection, KEY, STUDY, after(99), [])

    assert again.objects == (an_evidence_object(),)
    assert (again.revision, again.composed_at) == (1, after(20))


def test_evidence_may_have_an_item_in_several_forms_or_none(engine: Engine) -> None:
    forms = (an_evidence_object(1), an_evidence_object(2, form="comprehensive"))

    with writing(engine) as connection:
        assert evidence.record(connection, KEY, STUDY, NOW, forms).objects == forms
        assert evidence.record(connection, EvidenceKey("empty"), STUDY, NOW, ()).objects == ()


def test_our_own_objects_are_known_by_their_identifiers(engine: Engine) -> None:
    report(engine)

    with reading(engine) as connection:
        assert evidence.is_ours(connection, SR)
        assert not evidence.is_ours(connection, IMAGE)


# ---- deliveries


def test_a_delivery_planned_twice_is_one(planned: Engine) -> None:
    with writing(planned) as connection:
        deliveries.plan(connection, PlannedDelivery(KEY, "sr", "PACS", STUDY), after(60))

    assert (the_delivery(planned).status, the_delivery(planned).planned_at) == (DeliveryStatus.PENDING, NOW)


def test_what_was_delivered_is_no_longer_due(planned: Engine) -> None:
    with writing(planned) as connection:
        (due,) = deliveries.due(connection, after(1), limit=10)
        deliveries.mark_delivered(connection, due.number, SR, after(1))
        assert deliveries.due(connection, after(1), limit=10) == ()

    delivery = the_delivery(planned)
    assert (delivery.status, delivery.delivered_uid, delivery.delivered_at) == (DeliveryStatus.DELIVERED, SR, after(1))


def test_a_failed_delivery_waits_with_its_error(planned: Engine) -> None:
    number = the_delivery(planned).number

    with writing(planned) as connection:
        deliveries.mark_failed(connection, number, "The connection was refused.", after(30))
        assert deliveries.due(connection, after(29), limit=10) == ()
        assert len(deliveries.due(connection, after(30), limit=10)) == 1

    assert (the_delivery(planned).attempts, the_delivery(planned).last_error) == (1, "The connection was refused.")


def test_a_dead_delivery_is_kept_until_a_person_retries_it(planned: Engine) -> None:
    number = the_delivery(planned).number

    with writing(planned) as connection:
        deliveries.mark_dead(connection, number, "The context was refused.")
        assert deliveries.due(connection, after(9999), limit=10) == ()
        retried = deliveries.retry(connection, after(60))

    assert [one.number for one in retried] == [number]
    assert (the_delivery(planned).status, the_delivery(planned).next_try_at) == (DeliveryStatus.PENDING, after(60))


def test_a_delivery_that_waits_may_be_retried_at_once_and_a_delivered_one_not(planned: Engine) -> None:
    number = the_delivery(planned).number

    with writing(planned) as connection:
        deliveries.mark_failed(connection, number, "Timeout.", after(3600))
        assert len(deliveries.retry(connection, after(1), [number])) == 1
        deliveries.mark_delivered(connection, number, SR, after(2))
        assert deliveries.retry(connection, after(3), [number]) == ()


def test_a_late_failure_does_not_undo_a_delivery(planned: Engine) -> None:
    number = the_delivery(planned).number

    with writing(planned) as connection:
        deliveries.mark_delivered(connection, number, SR, after(1))
        deliveries.mark_failed(connection, number, "Timeout of a second worker.", after(60))

    assert the_delivery(planned).status is DeliveryStatus.DELIVERED


def test_deliveries_are_listed_by_status_and_found_by_destination(planned: Engine) -> None:
    with reading(planned) as connection:
        page = deliveries.page(connection, limit=10, status=DeliveryStatus.PENDING)
        assert (page.total, [one.item for one in page.items]) == (1, ["sr"])
        assert deliveries.page(connection, limit=10, status=DeliveryStatus.DEAD).total == 0
        assert deliveries.pending_at(connection, KEY, "PACS") == page.items
        assert deliveries.pending_at(connection, KEY, "RIS") == ()
        assert deliveries.find(connection, page.items[0].number) == page.items[0]


# ---- workers


def test_a_worker_that_falls_silent_is_noticed(engine: Engine) -> None:
    with writing(engine) as connection:
        workers.beat(connection, "reader-1", "read", NOW)
        workers.beat(connection, "reporter-1", "report", NOW)
        workers.beat(connection, "reader-1", "read", after(60))

        assert workers.silent(connection, after(60), SILENCE) == ("reporter-1",)
        assert workers.alive(connection, after(60), SILENCE) == {"reader-1": "read"}


def test_a_worker_that_was_last_heard_of_in_the_future_counts_as_silent(engine: Engine) -> None:
    with writing(engine) as connection:
        workers.beat(connection, "reader-1", "read", after(3600))

        assert workers.silent(connection, NOW, SILENCE) == ("reader-1",)
        assert workers.alive(connection, NOW, SILENCE) == {}


def test_a_worker_that_was_taken_over_is_forgotten(engine: Engine) -> None:
    with writing(engine) as connection:
        workers.beat(connection, "reader-1", "read", NOW)
        workers.forget(connection, "reader-1")

        assert workers.silent(connection, after(60), SILENCE) == ()


# ---- numbers


def test_everything_is_counted(planned: Engine) -> None:
    receive(planned, an_instance(LATERAL, 2, study_instance_uid="1.2.3.9"))
    with writing(planned) as connection:
        received_instances.count_again(connection, IMAGE, a_digest(1), after(5))
        readings.record(connection, a_refusal(LATERAL))

    with reading(planned) as connection:
        assert counts.received_by_repeat(connection) == {Repeat.NEW: 2, Repeat.SAME_BYTES: 1}
        assert counts.readings_by_status(connection) == {ReadingStatus.READ: 1, ReadingStatus.NOT_READ: 1}
        assert counts.refusals_by_reason(connection) == {"view_position": 1}
        assert counts.studies_by_status(connection) == {StudyStatus.READ: 1, StudyStatus.RECEIVED: 1}
        assert counts.studies_by_priority(connection) == {Priority.ROUTINE: 2}
        assert counts.deliveries_by_status(connection) == {DeliveryStatus.PENDING: 1}
        assert counts.oldest_unread(connection) == counts.oldest_undelivered(connection) == NOW


def test_where_nothing_waits_there_is_no_oldest(engine: Engine) -> None:
    with reading(engine) as connection:
        assert counts.oldest_unread(connection) is None
        assert counts.oldest_undelivered(connection) is None
        assert counts.received_by_repeat(connection) == {Repeat.SAME_BYTES: 0}


# ---- retention


def test_a_study_expires_once_its_results_are_delivered(planned: Engine) -> None:
    number = the_delivery(planned).number

    with writing(planned) as connection:
        assert retention.expired_studies(connection, after(9999), limit=10) == ()
        deliveries.mark_dead(connection, number, "The context was refused.")
        assert retention.expired_studies(connection, after(9999), limit=10) == ()
        deliveries.mark_delivered(connection, number, SR, after(60))
        assert retention.expired_studies(connection, after(9999), limit=10) == (STUDY,)
        assert retention.expired_studies(connection, NOW, limit=10) == ()


def test_a_study_that_waits_to_be_read_or_reported_does_not_expire(engine: Engine) -> None:
    receive(engine)

    with writing(engine) as connection:
        assert retention.expired_studies(connection, after(9999), limit=10) == ()
        readings.record(connection, a_reading())
        assert retention.expired_studies(connection, after(9999), limit=10) == ()


def test_a_forgotten_study_leaves_no_row_and_names_what_may_be_deleted(planned: Engine) -> None:
    with writing(planned) as connection:
        forgotten = retention.forget_study(connection, STUDY)
        assert studies.find(connection, STUDY) is None
        assert evidence.find(connection, KEY) is None

    assert set(forgotten) == {a_digest(1), a_digest(9), a_digest(101)}


def test_an_object_that_another_study_needs_is_not_deleted(planned: Engine) -> None:
    receive(planned, an_instance(LATERAL, 1, study_instance_uid="1.2.3.9"))

    with writing(planned) as connection:
        assert a_digest(1) not in retention.forget_study(connection, STUDY)
        assert retention.is_recorded(connection, a_digest(1))


def test_our_results_that_came_back_alone_expire_too(engine: Engine) -> None:
    with writing(engine) as connection:
        received_instances.add(connection, an_instance(repeat=Repeat.OWN_RESULT))

        assert retention.expired_strays(connection, after(60), limit=10) == (STUDY,)
        assert retention.expired_strays(connection, NOW, limit=10) == ()


def test_all_objects_that_rows_name_are_told_once(planned: Engine) -> None:
    receive(planned, an_instance(LATERAL, 1), an_instance("1.2.3.1.3", 2))

    with reading(planned) as connection:
        named = retention.recorded_objects(connection)

    assert sorted(named) == sorted({a_digest(1), a_digest(2), a_digest(9), a_digest(101)})
