"""One command serves a hospital: what dcmtk and Orthanc push is read, and their archives hold the results."""

import subprocess
from pathlib import Path

import pytest
from pydicom.uid import Comprehensive3DSRStorage, SecondaryCaptureImageStorage

from tests.deliver.peers import a_program, free_port
from tests.e2e.serving import (
    LOG_FILE,
    Service,
    held_by,
    is_listening,
    process_of,
    serving,
    started,
    storescp,
    storescp_at,
    studies_on_disk,
    study_uid,
    until,
)
from tests.factories import MARKED_NAME, a_demo_file
from tests.orthanc import running_orthanc
from tests.packs import a_pack, absent, present
from tests.records.databases import a_postgres_database, running_postgres
from tests.scope_packs import a_scope_pack
from xray_ai.domain.priority import Priority
from xray_ai.records.words import StudyStatus

pytestmark = pytest.mark.e2e

PATIENT = (*MARKED_NAME.split("^"), "XRAY-0001")
RESULTS = {Comprehensive3DSRStorage, SecondaryCaptureImageStorage}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Packs that read fast and see a mass in everything."""
    a_pack(tmp_path / "packs", (present("mass"), absent("pneumothorax")))
    a_scope_pack(tmp_path / "packs")
    return tmp_path / "packs"


def in_explicit_vr(name: str, folder: Path) -> Path:
    """A real radiograph as storescu sends it without further options."""
    file = folder / f"{name}.dcm"
    subprocess.run(["dcmconv", "+te", a_demo_file(name), file], check=True)
    return file


def test_a_chest_is_read_a_tibia_refused_and_the_archive_holds_report_and_capture(tmp_path: Path) -> None:
    chest, tibia = (in_explicit_vr(name, tmp_path) for name in ("RG1_UNCR", "RG3_UNCR"))
    with a_program(storescp(tmp_path), tmp_path) as port, serving(tmp_path, {"pacs": port}) as service:
        assert service.push(chest, tibia) == [True, True]
        until(lambda: service.is_done(2), "both are judged and the results delivered")
        by_status = {study.status: study for study in service.studies()}

    assert by_status[StudyStatus.READ].priority is Priority.HIGH
    assert "body part" in str(by_status[StudyStatus.NOT_READ].reason).lower()
    held = held_by(tmp_path)
    assert {one.SOPClassUID for one in held} == RESULTS
    assert {one.StudyInstanceUID for one in held} == {by_status[StudyStatus.READ].study_instance_uid}


@pytest.mark.orthanc
def test_orthanc_holds_the_results_and_sends_them_back_in_vain(tmp_path: Path, models: Path) -> None:
    (tmp_path / "orthanc").mkdir()
    with (
        running_orthanc(tmp_path / "orthanc") as orthanc,
        serving(tmp_path, {"orthanc": orthanc.dicom_port}, models=models) as service,
    ):
        service.push(*studies_on_disk(tmp_path / "sent", 1))
        until(lambda: service.is_done(1), "the study is read and its results delivered")
        held = orthanc.objects()
        (capture,) = (one for one in held if one.SOPClassUID == SecondaryCaptureImageStorage)
        capture.save_as(tmp_path / "back.dcm")
        assert service.call("dcmsend", "--decompress-never", str(tmp_path / "back.dcm")).returncode == 0

        assert capture.SOPInstanceUID in service.received()
        assert [study.status for study in service.studies()] == [StudyStatus.READ]
        assert len(service.deliveries()) == len(held) == len(RESULTS)
    assert {one.SOPClassUID for one in held} == RESULTS


def test_results_wait_for_a_destination_that_is_away(tmp_path: Path, models: Path) -> None:
    port = free_port()
    with serving(tmp_path, {"pacs": port}, models=models) as service:
        service.push(*studies_on_disk(tmp_path / "sent", 2))
        until(lambda: len(service.deliveries()) == 4, "deliveries are planned")
        until(lambda: any(one.attempts for one in service.deliveries()), "it was tried in vain")
        with storescp_at(port, tmp_path):
            until(lambda: service.is_done(2), "all is delivered")

    assert len(held_by(tmp_path)) == 4


def test_the_api_tells_when_the_service_is_ready_and_where_a_study_is(tmp_path: Path, models: Path) -> None:
    with serving(tmp_path, models=models) as service:
        until(lambda: service.ask("/readyz")[0] == 200, "the service is ready")
        service.push(*studies_on_disk(tmp_path / "sent", 1))
        until(lambda: bool(service.ask("/api/worklist")[1]["items"]), "the study is listed")
        until(lambda: "reported" in way_of_the_study(service), "the study is reported")

        assert way_of_the_study(service) == ["received", "read", "reported"]
        assert service.ask("/api/worklist?status=read")[1]["total"] == 1
        assert service.ask("/api/studies/1.2.3")[0] == 404


def way_of_the_study(service: Service) -> list[str]:
    status, study = service.ask(f"/api/studies/{study_uid(0)}")
    assert status == 200
    return [hop["what"] for hop in study["way"]]


def test_only_the_table_of_studies_holds_words_of_patients(tmp_path: Path, models: Path) -> None:
    with a_program(storescp(tmp_path), tmp_path) as port, serving(tmp_path, {"pacs": port}, models=models) as service:
        service.push(*studies_on_disk(tmp_path / "sent", 1))
        until(lambda: service.is_done(1), "the study is read and its results delivered")
        tables = service.everything_recorded()

    assert {"studies", "workflow_status"} <= tables.keys()
    told = [name for name, rows in tables.items() if any(word in rows for word in PATIENT)]
    assert told == ["studies"]


@pytest.mark.postgres
def test_postgresql_keeps_the_records_as_well(tmp_path: Path, models: Path) -> None:
    with (
        running_postgres() as cluster,
        a_postgres_database(cluster, "service") as url,
        a_program(storescp(tmp_path), tmp_path) as port,
        serving(tmp_path, {"pacs": port}, models=models, records_url=url) as service,
    ):
        service.push(*studies_on_disk(tmp_path / "sent", 3))
        until(lambda: service.is_done(3), "all is read and delivered")

    assert len(held_by(tmp_path)) == 3 * len(RESULTS)


def test_a_second_service_on_the_same_storage_is_refused(tmp_path: Path, models: Path) -> None:
    with serving(tmp_path, models=models) as service:
        second = started(tmp_path, service.port, models)

        assert second.process.wait(120) == 2
        assert "Another service works on" in second.log_file.read_text("utf-8")


def test_a_service_whose_port_is_taken_ends_and_says_so(tmp_path: Path, models: Path) -> None:
    with serving(tmp_path, models=models) as first:
        (tmp_path / "second").mkdir()
        settings = (tmp_path / "xray-ai.toml").read_text("utf-8").replace(f"{tmp_path}/storage", "storage")
        settings = settings.replace(f"port = {first.http_port}", f"port = {free_port()}")
        (tmp_path / "second" / "xray-ai.toml").write_text(settings, "utf-8")
        second = process_of(tmp_path / "second", models, "serve")

        assert second.wait(120) == 2
    assert f"port {first.port} " in (tmp_path / "second" / LOG_FILE).read_text("utf-8")


def test_the_service_drains_when_it_is_asked_to_stop_and_takes_up_what_was_left(tmp_path: Path, models: Path) -> None:
    with serving(tmp_path, models=models) as service:
        service.push(*studies_on_disk(tmp_path / "sent", 3))
        assert service.stop() == 0
    again = started(tmp_path, service.port, models)
    until(lambda: is_listening(again), "the receiver listens")
    until(lambda: {study.status for study in again.studies()} == {StudyStatus.READ}, "all are read")

    assert again.stop() == 0
    assert len(again.studies()) == 3


def test_its_processes_run_apart_as_well(tmp_path: Path, models: Path) -> None:
    with a_program(storescp(tmp_path), tmp_path) as port, serving(tmp_path, {"pacs": port}, models=models) as service:
        service.stop()
        commands = ("receive",), ("work", "--queue", "read"), ("work", "--queue", "report", "--queue", "deliver")
        apart = [process_of(tmp_path, models, *command) for command in commands]
        until(lambda: service.call("echoscu").returncode == 0, "the receiver listens")
        service.push(*studies_on_disk(tmp_path / "sent", 2))
        until(lambda: service.is_done(2), "all is read and delivered")
        for process in apart:
            process.terminate()

        assert [process.wait(60) for process in apart] == [0, 0, 0]
    assert len(held_by(tmp_path)) == 2 * len(RESULTS)


def test_one_key_follows_a_study_through_all_processes_and_no_patient_is_logged(tmp_path: Path, models: Path) -> None:
    with a_program(storescp(tmp_path), tmp_path) as port, serving(tmp_path, {"pacs": port}, models=models) as service:
        service.push(*studies_on_disk(tmp_path / "sent", 1))
        until(lambda: service.is_done(1), "the study is read and its results delivered")
        steps = [(line["process"], line["event"], line["study"]) for line in service.log() if "study" in line]

    assert [step[:2] for step in steps] == [
        ("receiver", "object.received"),
        ("reader", "radiograph.judged"),
        ("reporter", "study.reported"),
        ("reporter", "evidence.sent"),
    ]
    assert len({key for _, _, key in steps}) == 1
    everything = service.log_file.read_text("utf-8")
    assert not [word for word in (*PATIENT, "1.2.826.0.1") if word in everything]
