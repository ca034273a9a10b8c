"""Numbers that only grow, on both databases."""

from dataclasses import replace

from sqlalchemy import Engine

from tests.records.rows import KEY, LATERAL, STUDY, a_digest, a_reading, a_refusal, after, an_instance, receive, report
from xray_ai.domain.received import Repeat
from xray_ai.domain.uid import SOPInstanceUID
from xray_ai.records import deliveries, hops, readings, received_instances, retention
from xray_ai.records.database import reading, writing
from xray_ai.records.deliveries import PlannedDelivery
from xray_ai.records.hops import Hop
from xray_ai.records.totals import BOUNDS_S, Counted, Durations, Stage, Totals, totals
from xray_ai.records.words import HopKind


def counted(engine: Engine) -> Totals:
    with reading(engine) as connection:
        return totals(connection)


def a_study(engine: Engine) -> None:
    """Two images, the second twice; one read, one refused; reported after 20 s and delivered to the PACS after 22."""
    receive(engine, an_instance(), an_instance(LATERAL, 2))
    report(engine)
    with writing(engine) as connection:
        received_instances.count_again(connection, LATERAL, a_digest(2), after(60))
        readings.record(connection, a_reading())
        readings.record(connection, replace(a_refusal(LATERAL), source_digest=a_digest(2)))
        hops.add(connection, Hop(STUDY, after(20), HopKind.REPORTED, "Revision 1."))
        deliveries.plan(connection, PlannedDelivery(KEY, "sr", "PACS", STUDY), after(20))
        (planned,) = deliveries.of_study(connection, STUDY)
        deliveries.mark_delivered(connection, planned.number, SOPInstanceUID("2.25.1"), after(22))


def least_bound(durations: Durations) -> float:
    """The least bound that holds all."""
    return next(bound for bound, count in zip(BOUNDS_S, durations.at_most, strict=True) if count == durations.count)


def test_of_nothing_there_is_none(engine: Engine) -> None:
    grown = counted(engine)

    assert [grown.of(one) for one in Counted] == [{}] * len(Counted)
    assert {grown.durations(stage).count for stage in Stage} == {0}


def test_each_is_counted_by_its_label(engine: Engine) -> None:
    a_study(engine)

    grown = counted(engine)

    assert grown.of(Counted.RECEIVED) == {Repeat.NEW: 2}
    assert sum(grown.of(Counted.RECEIVED_AGAIN).values()) == 1
    assert sum(grown.of(Counted.READ).values()) == 1
    assert grown.of(Counted.REFUSED) == {"view_position": 1}
    assert grown.of(Counted.DELIVERED) == {"PACS": 1}


def test_each_stage_has_its_seconds(engine: Engine) -> None:
    a_study(engine)

    took = {stage: counted(engine).durations(stage) for stage in Stage}

    assert {stage: durations.count for stage, durations in took.items()} == {
        Stage.RECEIVE_TO_READ: 2,
        Stage.READ: 2,
        Stage.READ_TO_REPORT: 1,
        Stage.REPORT_TO_DELIVERY: 1,
    }
    assert [round(took[stage].sum_s, 3) for stage in Stage] == [2.0, 0.05, 19.0, 2.0]
    assert [least_bound(took[stage]) for stage in (Stage.READ, Stage.READ_TO_REPORT)] == [0.05, 30.0]


def test_what_took_longer_than_the_last_bound_is_counted(engine: Engine) -> None:
    receive(engine)
    with writing(engine) as connection:
        readings.record(connection, a_reading(read_at=after(2 * BOUNDS_S[-1])))

    took = counted(engine).durations(Stage.RECEIVE_TO_READ)

    assert (took.count, took.at_most[-1]) == (1, 0)


def test_a_clock_that_was_put_back_counts_as_no_time(engine: Engine) -> None:
    receive(engine)
    with writing(engine) as connection:
        readings.record(connection, a_reading(read_at=after(-3600)))

    took = counted(engine).durations(Stage.RECEIVE_TO_READ)

    assert (took.count, took.at_most[0], took.sum_s) == (1, 1, 0.0)


def test_a_model_in_shadow_counts_for_nothing(engine: Engine) -> None:
    receive(engine)
    with writing(engine) as connection:
        readings.record(connection, a_reading(is_listed=False))

    assert counted(engine).of(Counted.READ) == {}


def test_what_retention_deletes_still_counts(engine: Engine) -> None:
    a_study(engine)
    before = counted(engine)

    with writing(engine) as connection:
        retention.forget_study(connection, STUDY)

    assert counted(engine) == before


def test_numbers_go_on_growing_after_retention(engine: Engine) -> None:
    for _ in range(3):
        a_study(engine)
        with writing(engine) as connection:
            retention.forget_study(connection, STUDY)
    a_study(engine)

    grown = counted(engine)

    assert grown.of(Counted.RECEIVED) == {Repeat.NEW: 8}
    assert grown.durations(Stage.REPORT_TO_DELIVERY).count == 4


def test_another_studys_numbers_are_not_carried_twice(engine: Engine) -> None:
    a_study(engine)
    receive(engine, an_instance("1.2.9", 9, study_instance_uid="1.2.3.9"))

    with writing(engine) as connection:
        retention.forget_study(connection, STUDY)

    assert counted(engine).of(Counted.RECEIVED) == {Repeat.NEW: 3}
