"""What those who run the service ask: is it up, is it ready, how much, how fast."""

from dataclasses import replace
from pathlib import Path

from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine

from tests.api.edge import LATER_S, an_edge, of
from tests.records.rows import (
    KEY,
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
from xray_ai.records import deliveries, hops, readings, received_instances
from xray_ai.records.database import writing
from xray_ai.records.deliveries import PlannedDelivery
from xray_ai.records.hops import Hop
from xray_ai.records.words import HopKind

Samples = dict[tuple[str, str], float]


def scraped(edge: TestClient) -> Samples:
    """Each sample by its name and its label's value, as Prometheus itself parses them."""
    answer = edge.get("/metrics")
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.text)
    return {
        (sample.name, ",".join(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
    }


def a_day(engine: Engine) -> None:
    """Two images, one read and one refused, of which the second came twice; a report, delivered and given up."""
    receive(engine, an_instance(), an_instance("1.2.3.1.2", 2))
    report(engine)
    with writing(engine) as connection:
        received_instances.count_again(connection, an_instance("1.2.3.1.2").sop_instance_uid, a_digest(2), after(3))
        readings.record(connection, a_reading())
        readings.record(connection, replace(a_refusal("1.2.3.1.2"), source_digest=a_digest(2)))
        hops.add(connection, Hop(STUDY, after(20), HopKind.REPORTED, "Revision 1."))
        for destination in ("PACS", "RIS"):
            deliveries.plan(connection, PlannedDelivery(KEY, "sr", destination, STUDY), after(20))
        deliveries.mark_delivered(connection, 1, an_evidence_object().sop_instance_uid, after(22))
        deliveries.mark_dead(connection, 2, "RIS does not take Comprehensive 3D SR Storage.")


def test_a_process_that_answers_is_up(edge: TestClient) -> None:
    assert of(edge.get("/healthz")) == {"status": "up"}


def test_a_service_of_which_nothing_is_missing_is_ready(edge: TestClient) -> None:
    assert of(edge.get("/readyz")) == {"ready": True, "not_ready": []}


def test_a_service_that_is_not_ready_says_what_is_missing(engine: Engine, tmp_path: Path) -> None:
    answer = an_edge(engine, tmp_path, not_ready=["No process reads."]).get("/readyz")

    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "not_ready": ["No process reads."]}


def test_what_came_is_counted_by_what_it_was(engine: Engine, edge: TestClient) -> None:
    a_day(engine)

    samples = scraped(edge)

    assert samples["xray_ai_images_received_total", "new"] == 2
    assert samples["xray_ai_images_received_total", "same_bytes"] == 1
    assert samples["xray_ai_images_received_total", "conflict"] == 0


def test_what_was_read_and_refused_and_delivered_is_counted(engine: Engine, edge: TestClient) -> None:
    a_day(engine)

    samples = scraped(edge)

    assert samples["xray_ai_radiographs_read_total", ""] == 1
    assert samples["xray_ai_radiographs_refused_total", "view_position"] == 1
    assert samples["xray_ai_results_delivered_total", "PACS"] == 1
    assert (samples["xray_ai_dead_letters", ""], samples["xray_ai_deliveries_pending", ""]) == (1, 0)
    assert samples["xray_ai_studies", "read"] == 1


def test_each_stage_is_timed_as_a_histogram(engine: Engine, edge: TestClient) -> None:
    a_day(engine)

    samples = scraped(edge)

    assert samples["xray_ai_stage_seconds_count", "receive_to_read"] == 2  # a second each
    assert samples["xray_ai_stage_seconds_bucket", "0.5,receive_to_read"] == 0
    assert samples["xray_ai_stage_seconds_bucket", "2.5,receive_to_read"] == 2
    assert samples["xray_ai_stage_seconds_bucket", "0.05,read"] == 2
    assert samples["xray_ai_stage_seconds_bucket", "10.0,read_to_report"] == 0
    assert samples["xray_ai_stage_seconds_bucket", "30.0,read_to_report"] == 1
    assert samples["xray_ai_stage_seconds_bucket", "2.5,report_to_delivery"] == 1


def test_the_oldest_that_waits_says_how_long(engine: Engine, edge: TestClient) -> None:
    receive(engine)

    samples = scraped(edge)

    assert samples["xray_ai_oldest_waiting_seconds", "read"] == LATER_S
    assert samples["xray_ai_oldest_waiting_seconds", "deliver"] == 0


def test_queues_device_and_disk_are_told(engine: Engine, tmp_path: Path) -> None:
    samples = scraped(
        an_edge(engine, tmp_path, queues={"read": 3, "deliver": 0}, not_ready=["The model is not loaded."])
    )

    assert (samples["xray_ai_queue_depth", "read"], samples["xray_ai_queue_depth", "deliver"]) == (3, 0)
    assert samples["xray_ai_device_in_use", "cpu"] == 1
    assert samples["xray_ai_not_ready", ""] == 1
    assert 0 < samples["xray_ai_disk_free_bytes", ""] <= samples["xray_ai_disk_size_bytes", ""]


def test_no_number_names_a_patient_or_a_study(engine: Engine, edge: TestClient) -> None:
    a_day(engine)

    text = edge.get("/metrics").text

    assert [mark for mark in ("Zzyzx", "XRAY-1", STUDY, "A1", "MODALITY", "10.0.0.5") if mark in text] == []


def test_a_database_that_is_gone_is_a_problem_that_may_pass(engine: Engine, edge: TestClient) -> None:
    with writing(engine) as connection:
        connection.exec_driver_sql("DROP TABLE studies")

    answer = edge.get("/api/worklist")

    assert (answer.status_code, answer.json()["code"]) == (503, "records_unavailable")


def test_the_description_is_read_without_anything_from_outside(edge: TestClient) -> None:
    page = edge.get("/docs").text

    assert "GET /api/worklist" in page
    assert "<script" not in page
    assert "https://" not in page
