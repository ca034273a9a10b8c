"""A flood of connections is told in few lines, and counted in full."""

from tests.receive.dimse_peers import logged
from xray_ai.receive.event_limit import MOST_A_SECOND, MOST_KINDS, EventLimit


def test_of_like_events_few_are_told_whole_and_the_rest_as_a_count() -> None:
    seconds = iter((0.0, 1.5))
    limit = EventLimit("association.ended", lambda: next(seconds))

    with logged() as events:
        for _ in range(1000):
            limit.tell("invalid PDU", "10.0.0.9", "SCANNER")
        limit.tell_counted()

    assert len(events) == MOST_A_SECOND + 1
    assert events[0]["calling_ae_title"] == "SCANNER"
    assert events[-1]["times"] == 1000 - MOST_A_SECOND


def test_a_flood_from_very_many_hosts_is_bounded_too() -> None:
    limit = EventLimit("association.ended")

    with logged() as events:
        for number in range(10 * MOST_KINDS):
            limit.tell("invalid PDU", f"10.0.{number // 256}.{number % 256}")
        limit.tell_counted(at_once=True)

    assert len(events) == MOST_KINDS + 1
    assert events[-1]["times"] == 9 * MOST_KINDS


def test_what_happens_seldom_is_told_as_it_happens() -> None:
    limit = EventLimit("association.ended")

    with logged() as events:
        limit.tell("released", "10.0.0.9", "PACS")
        limit.tell_counted(at_once=True)

    assert [event["reason"] for event in events] == ["released"]
