"""How the worklist is narrowed, sorted and kept moving, on both databases."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.records.rows import MASS, NOW, PNEUMOTHORAX, STUDY, a_reading, a_refusal, after, an_arrival, receive
from xray_ai.domain.priority import Priority
from xray_ai.domain.uid import StudyInstanceUID
from xray_ai.domain.waiting import DEFAULT_CAPS
from xray_ai.records import claims, readings, studies, worklist
from xray_ai.records.database import reading, writing
from xray_ai.records.studies import Study
from xray_ai.records.worklist import ReaderState, Scope, WorklistFilter, WorklistQuery, WorklistSort

HOUR = 3600


def come(engine: Engine, uid: str, *, at: float = 0, urgency: Priority = Priority.ROUTINE, **said: str) -> None:
    """Let a study come; what is said goes into its header."""
    arrival = an_arrival(uid, at=after(at), ordered_priority=urgency)
    arrival = replace(arrival, demographics=replace(arrival.demographics, **said))
    with writing(engine) as connection:
        studies.receive(connection, arrival, is_to_be_read=True)


def listed(
    engine: Engine,
    sort: WorklistSort = WorklistSort.URGENCY,
    *,
    turned: bool = False,
    **only: Any,  # noqa: ANN401 - any filter
) -> list[str]:
    with reading(engine) as connection:
        page = worklist.page(connection, WorklistQuery(50, 0, sort, turned, WorklistFilter(**only)))
    assert page.total == len(page.items)
    return [study.study_instance_uid for study in page.items]


def one(engine: Engine, uid: str = STUDY) -> Study:
    with reading(engine) as connection:
        (found,) = worklist.these(connection, [StudyInstanceUID(uid)])
    return found


def lift(engine: Engine, seconds: float) -> int:
    with writing(engine) as connection:
        return worklist.let_rise(connection, DEFAULT_CAPS, after(seconds))


@pytest.fixture
def ward(engine: Engine) -> Engine:
    come(
        engine,
        "1.1",
        at=0,
        patient_name="Nguyễn^Văn Đức",
        patient_id="VN-1",
        accession_number="B2",
        station_name="ER-1",
    )
    come(engine, "1.2", at=1, patient_name="Ångström^Åsa", accession_number="A1", study_date="20261101")
    come(engine, "1.3", at=2, patient_name="doe^jane", accession_number="C3", urgency=Priority.STAT)
    return engine


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("nguyen", ["1.1"]),
        ("NGUYỄN", ["1.1"]),
        ("duc van", ["1.1"]),
        ("đức", ["1.1"]),
        ("angstrom", ["1.2"]),
        ("vn-1", ["1.1"]),
        ("c3", ["1.3"]),
        ("%", []),
        ("_", []),
        ("nguyen jane", []),
    ],
)
def test_people_are_found_with_and_without_the_marks_of_their_names(ward: Engine, text: str, found: list[str]) -> None:
    assert listed(ward, text=text) == found


@pytest.mark.parametrize(
    ("only", "found"),
    [
        ({"station": "er"}, ["1.1"]),
        ({"date_to": "20261110"}, ["1.2"]),
        ({"date_from": "20261110"}, ["1.3", "1.1"]),
        ({"priority": Priority.STAT}, ["1.3"]),
        ({"state": ReaderState.WAITING}, ["1.3", "1.1", "1.2"]),
        ({"state": ReaderState.CLAIMED}, []),
    ],
)
def test_the_worklist_is_narrowed(ward: Engine, only: Mapping[str, Any], found: list[str]) -> None:
    assert listed(ward, **only) == found


@pytest.mark.parametrize(
    ("sort", "found"),
    [
        (WorklistSort.URGENCY, ["1.3", "1.1", "1.2"]),
        (WorklistSort.WAITING, ["1.1", "1.2", "1.3"]),
        (WorklistSort.NEWEST, ["1.3", "1.2", "1.1"]),
        (WorklistSort.STUDY_TIME, ["1.2", "1.1", "1.3"]),
        (WorklistSort.PATIENT_NAME, ["1.2", "1.3", "1.1"]),
        (WorklistSort.ACCESSION, ["1.2", "1.1", "1.3"]),
    ],
)
def test_the_worklist_is_sorted_either_way(ward: Engine, sort: WorklistSort, found: list[str]) -> None:
    assert listed(ward, sort) == found
    assert listed(ward, sort, turned=True) == found[::-1]


def test_a_study_is_found_by_a_finding_that_lifted_it(engine: Engine) -> None:
    receive(engine)
    with writing(engine) as connection:
        readings.record(connection, a_reading(priority=Priority.STAT))

    assert (listed(engine, finding=PNEUMOTHORAX), listed(engine, finding=MASS)) == ([STUDY], [])


def test_what_is_no_chest_sits_behind_a_filter_and_a_chest_that_was_not_read_does_not(engine: Engine) -> None:
    receive(engine)
    come(engine, "1.9")
    with writing(engine) as connection:
        readings.record(connection, a_refusal())
    assert listed(engine, scope=Scope.CHEST) == [STUDY, "1.9"]

    with writing(engine) as connection:
        readings.record(connection, replace(a_refusal(), reason_code="not_frontal_chest"))
    assert (listed(engine, scope=Scope.CHEST), listed(engine, scope=Scope.OTHER)) == (["1.9"], [STUDY])
    assert one(engine).reason_code == "not_frontal_chest"


# ---- waiting


@pytest.mark.parametrize(
    ("urgency", "hours", "stands"),
    [
        (Priority.ROUTINE, 23, Priority.ROUTINE),
        (Priority.ROUTINE, 25, Priority.HIGH),
        (Priority.ROUTINE, 27, Priority.STAT),
        (Priority.HIGH, 1, Priority.HIGH),
        (Priority.HIGH, 3, Priority.STAT),
        (Priority.STAT, 99, Priority.STAT),
    ],
)
def test_a_study_that_waits_past_its_cap_rises(engine: Engine, urgency: Priority, hours: int, stands: Priority) -> None:
    come(engine, STUDY, urgency=urgency)

    lift(engine, hours * HOUR)

    assert (one(engine).effective_priority, one(engine).priority) == (stands, urgency)


def test_what_has_risen_is_ahead_of_what_came_later(engine: Engine) -> None:
    come(engine, "1.1")
    come(engine, "1.2", at=25 * HOUR, urgency=Priority.HIGH)

    lift(engine, 25 * HOUR)

    assert listed(engine) == ["1.1", "1.2"]


def test_what_has_risen_stays_so_when_a_later_reading_finds_nothing(engine: Engine) -> None:
    receive(engine)
    lift(engine, 25 * HOUR)

    with writing(engine) as connection:
        readings.record(connection, a_reading(priority=Priority.ROUTINE))

    assert one(engine).effective_priority is Priority.HIGH


def test_nothing_rises_twice_and_nothing_that_is_finished(engine: Engine) -> None:
    come(engine, "1.1")
    come(engine, "1.2")
    with writing(engine) as connection:
        claims.claim(connection, StudyInstanceUID("1.2"), "maria", NOW)
        claims.finish(connection, StudyInstanceUID("1.2"), "maria", NOW)

    assert [lift(engine, 25 * HOUR), lift(engine, 25 * HOUR)] == [1, 0]


# ---- readers


def test_two_readers_never_get_the_same_study(engine: Engine) -> None:
    receive(engine)

    def claim(name: str) -> bool:
        with writing(engine) as connection:
            return claims.claim(connection, STUDY, name, NOW)

    with ThreadPoolExecutor(4) as readers:
        got = list(readers.map(claim, ["ann", "bob", "cho", "dan"]))

    assert sorted(got) == [False, False, False, True]


def test_a_finished_study_is_last_and_waits_again_when_a_further_image_comes(engine: Engine) -> None:
    come(engine, "1.1", urgency=Priority.STAT)
    come(engine, "1.2")
    with writing(engine) as connection:
        claims.claim(connection, StudyInstanceUID("1.1"), "maria", NOW)
        assert claims.finish(connection, StudyInstanceUID("1.1"), "maria", NOW)
    assert listed(engine) == ["1.2", "1.1"]

    come(engine, "1.1")
    assert listed(engine) == ["1.1", "1.2"]
    assert one(engine, "1.1").reader is None


def test_only_whoever_has_a_study_can_finish_or_release_it(engine: Engine) -> None:
    receive(engine)
    with writing(engine) as connection:
        claims.claim(connection, STUDY, "ann", NOW)
        assert not claims.finish(connection, STUDY, "bob", NOW)
        assert not claims.release(connection, STUDY, "bob")
        assert claims.release(connection, STUDY, None)

    assert one(engine).reader is None


# ---- changes


def test_each_change_of_a_study_gives_it_the_newest_version(engine: Engine) -> None:
    come(engine, "1.1")
    come(engine, "1.2")
    before = one(engine, "1.2").version

    with writing(engine) as connection:
        claims.claim(connection, StudyInstanceUID("1.1"), "maria", NOW)

    with reading(engine) as connection:
        marks = worklist.marks_since(connection, before, 10)
        assert worklist.newest_version(connection) == before + 1
    assert [mark.uid for mark in marks] == ["1.1"]
