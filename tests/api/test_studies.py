"""Where is my study?"""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from tests.api.edge import of
from tests.records.rows import (
    IMAGE,
    KEY,
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
from xray_ai.api.problems import MEDIA_TYPE
from xray_ai.domain.received import Repeat
from xray_ai.log import key_of
from xray_ai.records import deliveries, evidence, hops, readings
from xray_ai.records.database import writing
from xray_ai.records.deliveries import PlannedDelivery
from xray_ai.records.evidence import EvidenceKey
from xray_ai.records.hops import Hop
from xray_ai.records.readings import RecordedReading
from xray_ai.records.words import HopKind


def read(engine: Engine, made: RecordedReading) -> None:
    with writing(engine) as connection:
        readings.record(connection, made)


def reported(engine: Engine, *destinations: str) -> None:
    """A study that was read and reported; deliveries have the numbers 1, 2 and so on."""
    receive(engine)
    read(engine, a_reading())
    report(engine)
    with writing(engine) as connection:
        for destination in destinations:
            deliveries.plan(connection, PlannedDelivery(KEY, "sr", destination, STUDY), NOW)


def whereabouts(edge: TestClient) -> str:
    told: str = of(edge.get(f"/api/studies/{STUDY}"))["whereabouts"]
    return told


def test_a_study_tells_its_way_with_times_and_reasons(engine: Engine, edge: TestClient) -> None:
    receive(engine)
    with writing(engine) as connection:
        hops.add(connection, Hop(STUDY, NOW, HopKind.RECEIVED, "A new image; by C-STORE from MODALITY.", IMAGE))
        hops.add(connection, Hop(STUDY, after(20), HopKind.REPORTED, "Revision 1."))

    way = of(edge.get(f"/api/studies/{STUDY}"))["way"]

    assert way == [
        {
            "at": "2026-11-23T08:00:00Z",
            "what": "received",
            "reason": "A new image; by C-STORE from MODALITY.",
            "sop_instance_uid": IMAGE,
        },
        {"at": "2026-11-23T08:00:20Z", "what": "reported", "reason": "Revision 1.", "sop_instance_uid": None},
    ]


def test_every_version_that_came_is_shown_and_from_whom(engine: Engine, edge: TestClient) -> None:
    receive(engine, an_instance(), an_instance(number=2, repeat=Repeat.CONFLICT))

    images = of(edge.get(f"/api/studies/{STUDY}"))["images"]

    assert [(image["digest"], image["repeat"]) for image in images] == [(a_digest(1), "new"), (a_digest(2), "conflict")]
    assert (images[0]["calling_ae_title"], images[0]["host"], images[0]["via"]) == ("MODALITY", "10.0.0.5", "C-STORE")


def test_scores_and_reasons_of_each_image_are_told(engine: Engine, edge: TestClient) -> None:
    receive(engine)
    read(engine, a_reading())

    (told,) = of(edge.get(f"/api/studies/{STUDY}"))["readings"]

    assert told["scores"] == [
        {"finding": "pneumothorax", "probability": 0.9, "operating_point": 0.5, "rule_out_point": 0.1}
    ]
    assert (told["status"], told["priority"], told["because"]) == ("read", "ROUTINE", ["pneumothorax"])
    assert told["detail"] == {"notes": ["Übersicht"], "scope": None}


def test_an_image_that_was_not_read_tells_the_code_and_the_words(engine: Engine, edge: TestClient) -> None:
    receive(engine)
    read(engine, a_refusal())

    (told,) = of(edge.get(f"/api/studies/{STUDY}"))["readings"]

    assert (told["status"], told["priority"]) == ("not_read", None)
    assert (told["reason_code"], told["reason_text"]) == ("view_position", "This is a lateral view.")


def test_each_report_names_the_one_that_it_revises(engine: Engine, edge: TestClient) -> None:
    reported(engine)
    with writing(engine) as connection:
        evidence.record(connection, EvidenceKey("key-2"), STUDY, after(60), [an_evidence_object(2)])

    told = of(edge.get(f"/api/studies/{STUDY}"))["evidence"]

    assert [(one["revision"], one["predecessor"]) for one in told] == [(1, None), (2, KEY)]
    assert told[0]["objects"][0]["sop_instance_uid"] == "2.25.1"


def test_each_delivery_is_told(engine: Engine, edge: TestClient) -> None:
    reported(engine, "PACS")
    with writing(engine) as connection:
        deliveries.mark_failed(connection, 1, "PACS refused the connection.", after(30))

    (told,) = of(edge.get(f"/api/studies/{STUDY}"))["deliveries"]

    assert (told["destination"], told["status"], told["attempts"]) == ("PACS", "pending", 1)
    assert (told["last_error"], told["next_try_at"]) == ("PACS refused the connection.", "2026-11-23T08:00:30Z")


def test_the_study_is_found_in_the_log_by_its_key(engine: Engine, edge: TestClient) -> None:
    receive(engine)

    assert of(edge.get(f"/api/studies/{STUDY}"))["key"] == key_of(STUDY)


# ---- in one sentence


def test_a_study_that_came_waits_to_be_read(engine: Engine, edge: TestClient) -> None:
    receive(engine)

    assert whereabouts(edge) == "Received, and waits to be read."


def test_a_study_that_was_refused_says_why_in_the_sentence(engine: Engine, edge: TestClient) -> None:
    receive(engine)
    read(engine, a_refusal())

    assert whereabouts(edge).startswith("Not read by AI: This is a lateral view; the report waits")


def test_a_study_that_was_reported_and_got_another_image_waits_for_the_next_report(
    engine: Engine, edge: TestClient
) -> None:
    reported(engine, "PACS")
    with writing(engine) as connection:
        for what in (HopKind.REPORTED, HopKind.READ):
            hops.add(connection, Hop(STUDY, NOW, what, "Told."))

    assert whereabouts(edge) == "Read; the report waits until no more images come."


def test_a_report_that_failed_is_told(engine: Engine, edge: TestClient) -> None:
    receive(engine)
    read(engine, a_reading())
    with writing(engine) as connection:
        hops.add(connection, Hop(STUDY, NOW, HopKind.REPORT_FAILED, "It could not be composed."))

    assert whereabouts(edge) == "Read; its report failed: see its way and the log."


def test_a_study_whose_results_nobody_wants_says_so(engine: Engine, edge: TestClient) -> None:
    reported(engine)

    assert whereabouts(edge) == "Read; reported (revision 1); no destination wants its results."


def test_a_study_on_its_way_names_the_destinations(engine: Engine, edge: TestClient) -> None:
    reported(engine, "RIS", "PACS")

    assert whereabouts(edge).endswith("on its way to PACS, RIS.")


def test_a_study_that_was_delivered_names_the_destinations(engine: Engine, edge: TestClient) -> None:
    reported(engine, "PACS")
    with writing(engine) as connection:
        deliveries.mark_delivered(connection, 1, an_evidence_object().sop_instance_uid, after(25))

    assert whereabouts(edge).endswith("delivered to PACS.")


def test_a_dead_letter_is_the_first_thing_that_is_told(engine: Engine, edge: TestClient) -> None:
    reported(engine, "PACS", "RIS")
    with writing(engine) as connection:
        deliveries.mark_dead(connection, 1, "PACS rejected the association.")

    assert whereabouts(edge).endswith("given up for PACS: see its deliveries.")


# ---- what is not there


def test_an_unknown_study_is_a_problem(edge: TestClient) -> None:
    answer = edge.get("/api/studies/1.2.3.4.5")

    assert (answer.status_code, answer.headers["content-type"]) == (404, MEDIA_TYPE)
    assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize("uid", ["DOE^JOHN", "1.2.%00", "%F0%9F%A9%BB", "1" * 65, "1.2'--", "..%2f..%2fetc%2fpasswd"])
def test_what_is_no_uid_is_refused_and_not_repeated(edge: TestClient, uid: str) -> None:
    answer = edge.get(f"/api/studies/{uid}")

    assert answer.status_code in {404, 422}
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert "DOE" not in answer.text
    assert "Traceback" not in answer.text
