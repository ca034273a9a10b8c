"""What a radiologist's program gets when it asks for the worklist."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from tests.api.edge import LATER_S, of
from tests.records.rows import IMAGE, STUDY, a_reading, a_refusal, after, an_arrival, receive
from xray_ai.api.problems import MEDIA_TYPE
from xray_ai.domain.priority import Priority
from xray_ai.records import readings, studies
from xray_ai.records.database import writing
from xray_ai.records.readings import RecordedReading


def read(engine: Engine, made: RecordedReading) -> None:
    with writing(engine) as connection:
        readings.record(connection, made)


def five_studies(engine: Engine) -> None:
    """1.2.0 to 1.2.4, of which 1.2.3 is STAT and each came a second after the one before."""
    with writing(engine) as connection:
        for number in range(5):
            priority = Priority.STAT if number == 3 else Priority.ROUTINE
            arrival = an_arrival(f"1.2.{number}", at=after(number), ordered_priority=priority)
            studies.receive(connection, arrival, is_to_be_read=True)


def listed(edge: TestClient, **asked: str | int) -> list[str]:
    return [item["study_instance_uid"] for item in of(edge.get("/api/worklist", params=asked))["items"]]


def test_an_empty_worklist_is_no_error(edge: TestClient) -> None:
    assert of(edge.get("/api/worklist")) == {"total": 0, "items": []}


def test_a_study_that_was_read_shows_its_patient_and_why_it_stands_where_it_does(
    engine: Engine, edge: TestClient
) -> None:
    receive(engine)
    read(engine, a_reading(priority=Priority.STAT))

    (item,) = of(edge.get("/api/worklist"))["items"]

    assert (item["study_instance_uid"], item["patient_name"], item["patient_id"]) == (STUDY, "Zzyzx^Quimby", "XRAY-1")
    assert (item["study_date"], item["accession_number"]) == ("20261123", "A1")
    assert (item["status"], item["reason"], item["abnormality"]) == ("read", None, 0.9)
    assert (item["priority"], item["ordered_priority"], item["because"]) == ("STAT", "ROUTINE", ["pneumothorax"])
    assert (item["received_at"], item["read_at"]) == ("2026-11-23T08:00:00Z", "2026-11-23T08:00:01Z")


def test_a_study_that_was_not_read_says_why(engine: Engine, edge: TestClient) -> None:
    receive(engine)
    read(engine, a_refusal(IMAGE))

    (item,) = of(edge.get("/api/worklist"))["items"]

    assert (item["status"], item["reason"], item["abnormality"]) == ("not_read", "This is a lateral view.", None)


def test_a_study_says_how_long_it_waits(engine: Engine, edge: TestClient) -> None:
    receive(engine)

    (item,) = of(edge.get("/api/worklist"))["items"]

    assert (item["waiting_s"], item["read_at"]) == (LATER_S, None)


def test_a_clock_that_was_put_back_makes_no_one_wait_less_than_nothing(engine: Engine, edge: TestClient) -> None:
    receive(engine, at=after(LATER_S + 3600))

    assert of(edge.get("/api/worklist"))["items"][0]["waiting_s"] == 0


def test_the_most_urgent_come_first_then_the_longest_waiting(engine: Engine, edge: TestClient) -> None:
    five_studies(engine)

    assert listed(edge) == ["1.2.3", "1.2.0", "1.2.1", "1.2.2", "1.2.4"]


def test_the_worklist_may_be_sorted_by_arrival(engine: Engine, edge: TestClient) -> None:
    five_studies(engine)

    assert listed(edge, sort="newest", limit=2) == ["1.2.4", "1.2.3"]


def test_the_worklist_is_paged(engine: Engine, edge: TestClient) -> None:
    five_studies(engine)

    page = of(edge.get("/api/worklist", params={"limit": 2, "offset": 2}))

    assert page["total"] == 5
    assert [item["study_instance_uid"] for item in page["items"]] == ["1.2.1", "1.2.2"]


def test_a_page_behind_the_end_is_empty(engine: Engine, edge: TestClient) -> None:
    five_studies(engine)

    assert listed(edge, offset=10**9) == []


def test_the_worklist_may_be_narrowed_to_a_status(engine: Engine, edge: TestClient) -> None:
    five_studies(engine)
    receive(engine)
    read(engine, a_reading())

    assert listed(edge, status="read") == [STUDY]
    assert len(listed(edge, status="received")) == 5


@pytest.mark.parametrize(
    "asked", ["limit=0", "limit=201", "limit=many", "offset=-1", "offset=99999999999999999999", "sort=name", "status=x"]
)
def test_a_wrong_request_is_a_problem_that_names_the_parameter(edge: TestClient, asked: str) -> None:
    answer = edge.get(f"/api/worklist?{asked}")

    assert (answer.status_code, answer.headers["content-type"]) == (422, MEDIA_TYPE)
    assert answer.json()["code"] == "wrong_request"
    assert f"query.{asked.split('=', maxsplit=1)[0]}" in answer.json()["detail"]


def test_nobody_between_may_keep_the_worklist(edge: TestClient) -> None:
    assert edge.get("/api/worklist").headers["cache-control"] == "no-store"
