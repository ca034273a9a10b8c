"""What an administrator sees of results on their way."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from tests.api.edge import of
from tests.records.rows import KEY, NOW, STUDY, after, receive, report
from xray_ai.api.problems import MEDIA_TYPE
from xray_ai.domain.uid import SOPInstanceUID
from xray_ai.records import deliveries
from xray_ai.records.database import writing
from xray_ai.records.deliveries import PlannedDelivery


@pytest.fixture
def three_deliveries(engine: Engine) -> None:
    """Number 1 pending, 2 delivered, 3 dead."""
    receive(engine)
    report(engine)
    with writing(engine) as connection:
        for destination in ("A", "B", "C"):
            deliveries.plan(connection, PlannedDelivery(KEY, "sr", destination, STUDY), NOW)
        deliveries.mark_delivered(connection, 2, SOPInstanceUID("2.25.1"), after(25))
        deliveries.mark_dead(connection, 3, "C rejected the association: no application there is called C.")


def numbers(edge: TestClient, **asked: str | int) -> list[int]:
    return [item["number"] for item in of(edge.get("/api/deliveries", params=asked))["items"]]


@pytest.mark.usefixtures("three_deliveries")
def test_deliveries_are_listed_the_newest_first(edge: TestClient) -> None:
    assert numbers(edge) == [3, 2, 1]


@pytest.mark.usefixtures("three_deliveries")
def test_deliveries_are_paged(edge: TestClient) -> None:
    assert of(edge.get("/api/deliveries?limit=1&offset=1"))["total"] == 3
    assert numbers(edge, limit=1, offset=1) == [2]


@pytest.mark.parametrize(("status", "expected"), [("pending", [1]), ("delivered", [2]), ("dead", [3])])
@pytest.mark.usefixtures("three_deliveries")
def test_deliveries_may_be_narrowed_to_a_status(edge: TestClient, status: str, expected: list[int]) -> None:
    assert numbers(edge, status=status) == expected


@pytest.mark.usefixtures("three_deliveries")
def test_a_dead_letter_says_why_and_is_not_tried_by_itself(edge: TestClient) -> None:
    (dead,) = of(edge.get("/api/deliveries?status=dead"))["items"]

    assert (dead["destination"], dead["attempts"], dead["next_try_at"]) == ("C", 1, None)
    assert "no application there is called C" in dead["last_error"]


def test_an_unknown_status_is_a_problem(edge: TestClient) -> None:
    answer = edge.get("/api/deliveries?status=lost")

    assert (answer.status_code, answer.headers["content-type"]) == (422, MEDIA_TYPE)
