"""Studies, their images and readings, and where these put a study, on both databases."""

from datetime import timedelta, timezone

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError, StatementError

from tests.records.rows import (
    IMAGE,
    LATERAL,
    MASS,
    NOW,
    PNEUMOTHORAX,
    STUDY,
    a_digest,
    a_reading,
    a_refusal,
    after,
    an_arrival,
    an_instance,
    receive,
)
from xray_ai.domain.priority import Priority
from xray_ai.domain.received import Repeat
from xray_ai.records import hops, readings, received_instances, studies, worklist
from xray_ai.records.database import reading, writing
from xray_ai.records.hops import Hop
from xray_ai.records.readings import RecordedReading
from xray_ai.records.studies import Study
from xray_ai.records.words import HopKind, StudyStatus
from xray_ai.records.worklist import WorklistFilter, WorklistQuery, WorklistSort


def the_study(engine: Engine) -> Study:
    with reading(engine) as connection:
        study = studies.find(connection, STUDY)
    assert study is not None
    return study


def read(engine: Engine, *made: RecordedReading) -> Study:
    with writing(engine) as connection:
        for one in made:
            readings.record(connection, one)
    return the_study(engine)


def listed(engine: Engine, query: WorklistQuery) -> list[str]:
    with reading(engine) as connection:
        return [study.study_instance_uid for study in worklist.page(connection, query).items]


# ---- received instances


def test_a_version_is_found_as_it_was_recorded(engine: Engine) -> None:
    receive(engine, an_instance())

    with reading(engine) as connection:
        assert received_instances.versions_of(connection, IMAGE) == (an_instance(),)


def test_the_same_bytes_have_one_row(engine: Engine) -> None:
    receive(engine, an_instance())

    with pytest.raises(IntegrityError):
        receive(engine, an_instance())


def test_the_same_bytes_again_are_counted(engine: Engine) -> None:
    receive(engine, an_instance())

    with writing(engine) as connection:
        received_instances.count_again(connection, IMAGE, a_digest(1), after(60))
        (version,) = received_instances.versions_of(connection, IMAGE)

    assert (version.times_received, version.first_received_at, version.last_received_at) == (2, NOW, after(60))


def test_the_version_to_read_is_the_newest_that_is_no_conflict(engine: Engine) -> None:
    receive(engine, an_instance(), an_instance(number=2, repeat=Repeat.NEW_HEADER))
    receive(engine, an_instance(number=3, repeat=Repeat.CONFLICT))

    with reading(engine) as connection:
        newest = received_instances.newest_version(connection, IMAGE)

    assert newest is not None
    assert newest.digest == a_digest(2)


def test_a_study_has_the_newest_version_of_each_of_its_images(engine: Engine) -> None:
    receive(engine, an_instance(), an_instance(LATERAL, 2), an_instance(number=3, repeat=Repeat.NEW_SYNTAX))
    receive(engine, an_instance("1.2.9", 4, study_instance_uid="1.2.3.9"))

    with reading(engine) as connection:
        digests = [one.digest for one in received_instances.instances_of_study(connection, STUDY)]

    assert digests == [a_digest(3), a_digest(2)]


def test_an_image_that_moved_belongs_to_its_new_study_alone(engine: Engine) -> None:
    receive(engine, an_instance(), an_instance(number=2, repeat=Repeat.NEW_HEADER, study_instance_uid="1.2.3.9"))

    with reading(engine) as connection:
        assert received_instances.instances_of_study(connection, STUDY) == ()


# ---- studies


def test_a_study_shows_its_newest_demographics_and_its_first_arrival(engine: Engine) -> None:
    receive(engine, an_instance())
    later = an_arrival(at=after(60))

    with writing(engine) as connection:
        studies.receive(connection, later, is_to_be_read=False)

    study = the_study(engine)
    assert study.demographics == later.demographics
    assert (study.received_at, study.last_received_at) == (NOW, after(60))


def test_an_ordered_priority_is_never_lowered(engine: Engine) -> None:
    with writing(engine) as connection:
        studies.receive(connection, an_arrival(ordered_priority=Priority.HIGH), is_to_be_read=True)
        answered = studies.receive(connection, an_arrival(ordered_priority=Priority.ROUTINE), is_to_be_read=True)

    assert answered is Priority.HIGH
    assert the_study(engine).priority is Priority.HIGH


def test_demographics_do_not_print_themselves(engine: Engine) -> None:
    receive(engine)

    assert "Zzyzx" not in repr(the_study(engine))


def test_moments_come_back_in_utc(engine: Engine) -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=9)))

    receive(engine, an_instance(first_received_at=elsewhere), at=elsewhere)

    assert the_study(engine).received_at == NOW
    assert the_study(engine).received_at.utcoffset() == timedelta(0)


def test_a_moment_without_a_time_zone_is_refused(engine: Engine) -> None:
    with pytest.raises(StatementError):
        receive(engine, an_instance(first_received_at=NOW.replace(tzinfo=None)))


def test_an_error_does_not_quote_a_patient(engine: Engine) -> None:
    with pytest.raises(StatementError) as error:
        receive(engine, at=NOW.replace(tzinfo=None))

    assert "Zzyzx" not in str(error.value)


# ---- readings place the study


def test_a_reading_is_found_as_it_was_recorded(engine: Engine) -> None:
    receive(engine)

    read(engine, a_reading())

    with reading(engine) as connection:
        assert readings.of_study(connection, STUDY) == (a_reading(),)
        assert readings.find(connection, IMAGE, a_reading().model_digest) == a_reading()


def test_a_reading_puts_its_study_where_it_belongs(engine: Engine) -> None:
    receive(engine)

    study = read(engine, a_reading(priority=Priority.STAT))

    assert (study.status, study.priority, study.because) == (StudyStatus.READ, Priority.STAT, (PNEUMOTHORAX,))
    assert (study.abnormality, study.read_at) == (0.9, after(1))


def test_the_most_urgent_image_decides_and_its_reasons_come_first(engine: Engine) -> None:
    receive(engine, an_instance(), an_instance(LATERAL, 2))

    study = read(engine, a_reading(LATERAL, Priority.HIGH, because=(MASS,)), a_reading(priority=Priority.STAT))

    assert (study.priority, study.because) == (Priority.STAT, (PNEUMOTHORAX, MASS))


def test_a_reading_never_sinks_a_study_below_its_order(engine: Engine) -> None:
    receive(engine, ordered_priority=Priority.STAT)

    assert read(engine, a_reading(priority=Priority.ROUTINE)).priority is Priority.STAT


def test_the_same_radiograph_read_twice_counts_once(engine: Engine) -> None:
    receive(engine)

    read(engine, a_reading(), a_reading(read_at=after(5)))

    with reading(engine) as connection:
        assert len(readings.of_study(connection, STUDY)) == 1


def test_a_study_waits_until_all_its_images_were_refused(engine: Engine) -> None:
    receive(engine, an_instance(), an_instance(LATERAL, 2))

    waiting = read(engine, a_refusal(LATERAL))
    refused = read(engine, a_refusal())

    assert (waiting.status, waiting.reason) == (StudyStatus.RECEIVED, None)
    assert (refused.status, refused.reason) == (StudyStatus.NOT_READ, "This is a lateral view.")


def test_one_image_that_was_read_makes_the_study_read(engine: Engine) -> None:
    receive(engine, an_instance(), an_instance(LATERAL, 2))

    assert read(engine, a_refusal(LATERAL), a_reading()).status is StudyStatus.READ


def test_a_late_image_makes_a_refused_study_wait_again(engine: Engine) -> None:
    receive(engine)
    read(engine, a_refusal())

    receive(engine, an_instance(LATERAL, 2))

    assert (the_study(engine).status, the_study(engine).reason) == (StudyStatus.RECEIVED, None)


def test_a_model_in_shadow_is_recorded_and_not_listed(engine: Engine) -> None:
    receive(engine)

    study = read(engine, a_reading(priority=Priority.STAT, model_digest="cd" * 32, is_listed=False))

    assert (study.status, study.priority) == (StudyStatus.RECEIVED, Priority.ROUTINE)


@pytest.mark.parametrize(("made", "expected"), [((a_refusal(),), True), ((a_reading(),), False), ((), False)])
def test_an_image_was_refused_if_it_was_judged_and_not_read(
    engine: Engine, made: tuple[RecordedReading, ...], *, expected: bool
) -> None:
    receive(engine)
    read(engine, *made)

    with reading(engine) as connection:
        assert readings.was_refused(connection, IMAGE) is expected


# ---- the worklist


@pytest.fixture
def three_studies(engine: Engine) -> Engine:
    with writing(engine) as connection:
        for number, priority in enumerate((Priority.ROUTINE, Priority.STAT, Priority.ROUTINE)):
            arrival = an_arrival(f"1.2.{number}", at=after(-number), ordered_priority=priority)
            studies.receive(connection, arrival, is_to_be_read=True)
    return engine


def test_the_most_urgent_come_first_then_the_longest_waiting(three_studies: Engine) -> None:
    assert listed(three_studies, WorklistQuery(10)) == ["1.2.1", "1.2.2", "1.2.0"]


def test_the_worklist_is_paged_by_the_database(three_studies: Engine) -> None:
    with reading(three_studies) as connection:
        page = worklist.page(connection, WorklistQuery(limit=1, offset=1))

    assert page.total == 3
    assert [study.study_instance_uid for study in page.items] == ["1.2.2"]


def test_the_worklist_may_be_sorted_by_arrival(three_studies: Engine) -> None:
    assert listed(three_studies, WorklistQuery(10, sort=WorklistSort.NEWEST)) == ["1.2.0", "1.2.1", "1.2.2"]


def test_the_worklist_may_be_narrowed_to_a_status(three_studies: Engine) -> None:
    assert listed(three_studies, WorklistQuery(10, only=WorklistFilter(status=StudyStatus.READ))) == []


# ---- the way


def test_a_studys_way_is_told_in_order_whatever_the_clock_said(engine: Engine) -> None:
    way = (
        Hop(STUDY, after(10), HopKind.RECEIVED, "A new image.", IMAGE),
        Hop(STUDY, after(-3600), HopKind.REPORTED, "Composed."),
    )

    with writing(engine) as connection:
        for hop in way:
            hops.add(connection, hop)
        assert hops.way_of(connection, STUDY) == way
