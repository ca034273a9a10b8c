"""The commands of those who run the service."""

import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydicom import uid
from sqlalchemy import Engine

from tests.command import Command, a_file
from tests.deliver.peers import Contexts, a_storage_scp, free_port
from tests.house.shape import ROOT as SOURCE
from tests.records.rows import KEY, NOW, STUDY, after, an_evidence_object, an_instance, receive
from xray_ai.domain.uid import SOPInstanceUID
from xray_ai.durable import Jobs, Queue
from xray_ai.objects import LocalObjects
from xray_ai.records import deliveries, evidence, hops
from xray_ai.records.database import open_database, reading, writing
from xray_ai.records.deliveries import PlannedDelivery
from xray_ai.records.evidence import EvidenceObject
from xray_ai.records.words import HopKind

ROOT = Path("xray-ai-data")
DESTINATION = """
[[destinations]]
name = "PACS"
ae_title = "PACS1"
host = "127.0.0.1"
port = {port}
least_priority = "HIGH"
"""


PREPARE = """
import sys
from xray_ai import durable
from xray_ai.records.database import open_database, upgrade
engine = open_database(sys.argv[1])
upgrade(engine)
durable.prepare(engine)
"""


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records with the tables of a service that has run; made elsewhere, as the durable engine lives once a process."""
    file = tmp_path_factory.mktemp("prepared") / "records.sqlite"
    subprocess.run([sys.executable, "-c", PREPARE, f"sqlite:///{file}"], cwd=SOURCE, check=True)
    return file


@pytest.fixture
def three_deliveries(xray_ai: Command, prepared: Path) -> None:  # noqa: ARG001 - it chooses the folder
    """Number 1 is pending, 2 delivered, 3 dead."""
    ROOT.mkdir()
    shutil.copy(prepared, ROOT)
    engine = open_database(f"sqlite:///{ROOT}/records.sqlite")
    receive(engine, an_instance(digest=LocalObjects(ROOT).put(b"an image")))
    deliver_to_three(engine, replace(an_evidence_object(), digest=LocalObjects(ROOT).put(b"a report")))
    engine.dispose()


def deliver_to_three(engine: Engine, report: EvidenceObject) -> None:
    with writing(engine) as connection:
        evidence.record(connection, KEY, STUDY, after(20), [report])
        for destination in ("A", "B", "C"):
            deliveries.plan(connection, PlannedDelivery(KEY, "sr", destination, STUDY), NOW)
        deliveries.mark_delivered(connection, 2, SOPInstanceUID("2.25.1"), after(25))
        deliveries.mark_dead(connection, 3, "C does not know us.")


def configure(port: int) -> None:
    Path("xray-ai.toml").write_text(DESTINATION.format(port=port), "utf-8")


# ---- deliveries


@pytest.mark.usefixtures("three_deliveries")
def test_deliveries_are_listed_with_what_was_said(xray_ai: Command) -> None:
    ended = xray_ai("deliveries", "list")

    assert (ended.code, ended.err) == (0, "")
    assert "3 of 3 deliveries." in ended.out
    assert "C does not know us." in ended.out


@pytest.mark.usefixtures("three_deliveries")
def test_deliveries_may_be_narrowed_to_those_that_were_given_up(xray_ai: Command) -> None:
    ended = xray_ai("deliveries", "list", "--status", "dead")

    assert "1 of 1 deliveries." in ended.out
    assert "delivered" not in ended.out


def enqueued() -> int:
    engine = open_database(f"sqlite:///{ROOT}/records.sqlite")
    jobs = Jobs(engine)
    waiting = jobs.waiting(Queue.DELIVER)
    jobs.close()
    engine.dispose()
    return waiting


def way() -> list[HopKind]:
    engine = open_database(f"sqlite:///{ROOT}/records.sqlite")
    with reading(engine) as connection:
        steps = hops.way_of(connection, STUDY)
    engine.dispose()
    return [step.what for step in steps]


@pytest.mark.usefixtures("three_deliveries")
def test_what_was_given_up_is_tried_again_and_that_is_a_step_of_its_study(xray_ai: Command) -> None:
    ended = xray_ai("deliveries", "retry")

    assert ended.code == 0
    assert "3: SR to C is tried again." in ended.out
    assert enqueued() == 1
    assert way() == [HopKind.DELIVERY_RETRIED]


@pytest.mark.usefixtures("three_deliveries")
def test_what_waits_is_tried_at_once_when_it_is_named(xray_ai: Command) -> None:
    ended = xray_ai("deliveries", "retry", "1")

    assert (ended.code, enqueued()) == (0, 1)


@pytest.mark.usefixtures("three_deliveries")
def test_what_is_delivered_or_unknown_is_not_tried_again(xray_ai: Command) -> None:
    ended = xray_ai("deliveries", "retry", "2", "99", "3")

    assert ended.code == 1
    assert "Delivered already, or unknown: 2, 99." in ended.err
    assert enqueued() == 1


@pytest.mark.parametrize("command", [("deliveries", "list"), ("deliveries", "retry"), ("backup", "copy")])
def test_before_the_first_start_there_is_nothing_to_look_at(xray_ai: Command, command: tuple[str, ...]) -> None:
    ended = xray_ai(*command)

    assert ended.code == 2
    assert "No service has run on xray-ai-data yet." in ended.err
    assert not ROOT.exists()


# ---- destinations


def test_destinations_are_listed_with_what_each_gets(xray_ai: Command) -> None:
    configure(104)

    ended = xray_ai("destinations", "list")

    assert ended.code == 0
    for word in ("PACS1", "127.0.0.1", "104", "sc, sr", "from HIGH", "XRAY_AI"):
        assert word in ended.out


def test_a_destination_that_takes_everything_is_ready(xray_ai: Command) -> None:
    with a_storage_scp() as pacs:
        configure(pacs.port)
        ended = xray_ai("destinations", "echo")

    assert ended.code == 0
    assert "accepts associations of XRAY_AI and answers C-ECHO." in ended.out


def test_a_destination_that_takes_no_result_needs_a_person(xray_ai: Command) -> None:
    verification: Contexts = {uid.UID("1.2.840.10008.1.1"): [uid.ImplicitVRLittleEndian]}
    with a_storage_scp(verification) as pacs:
        configure(pacs.port)
        ended = xray_ai("destinations", "echo", "PACS")

    assert ended.code == 2
    assert "Let it store that SOP class" in ended.out


def test_a_destination_that_is_down_is_told_and_may_be_up_later(xray_ai: Command) -> None:
    configure(free_port())

    ended = xray_ai("destinations", "echo")

    assert ended.code == 3
    assert "refused the connection: no program listens there." in ended.out


def test_a_destination_with_another_ae_title_is_told(xray_ai: Command) -> None:
    def know_only_itself(ae: object) -> None:
        ae.ae_title, ae.require_called_aet = "ELSEWHERE", True  # type: ignore[attr-defined]  # pynetdicom's AE

    with a_storage_scp(configure=know_only_itself) as pacs:
        configure(pacs.port)
        ended = xray_ai("destinations", "echo")

    assert ended.code == 2
    assert "no application there is called PACS1" in ended.out


def test_an_unknown_destination_is_an_error(xray_ai: Command) -> None:
    ended = xray_ai("destinations", "echo", "PACS9")

    assert ended.code == 2
    assert "No destination is called PACS9." in ended.err


def test_without_destinations_there_is_nothing_to_try(xray_ai: Command) -> None:
    ended = xray_ai("destinations", "echo")

    assert (ended.code, ended.out) == (0, "No destination is configured: results stay here.\n")


# ---- send


def test_each_file_is_sent_with_its_status(xray_ai: Command) -> None:
    a_file("study/one.dcm")
    a_file("study/two.dcm")

    with a_storage_scp(statuses=[0x0000, 0xB000]) as pacs:
        ended = xray_ai("send", "study", "--to", f"PACS1@127.0.0.1:{pacs.port}")

    assert ended.code == 0
    assert ended.out.splitlines() == [
        "0x0000 stored: one.dcm",
        "0xB000 stored, with a warning: two.dcm",
        f"2 of 2 objects are stored at PACS1@127.0.0.1:{pacs.port}.",
    ]


def test_a_file_that_is_refused_and_one_that_is_no_dicom_are_told(xray_ai: Command) -> None:
    a_file("refused.dcm")
    Path("notes.txt").write_text("no DICOM", "utf-8")

    with a_storage_scp(statuses=[0xA900]) as pacs:
        ended = xray_ai("send", "refused.dcm", "notes.txt", "--to", f"PACS1@127.0.0.1:{pacs.port}")

    assert ended.code == 1
    assert "0xA900 not stored: refused.dcm" in ended.out
    assert "------ not stored: notes.txt: This is not a DICOM file." in ended.out


def test_a_receiver_that_is_down_may_be_up_later(xray_ai: Command) -> None:
    ended = xray_ai("send", a_file("one.dcm"), "--to", f"PACS1@127.0.0.1:{free_port()}")

    assert ended.code == 3
    assert "no program listens there" in ended.err


def test_a_receiver_without_room_may_have_some_later(xray_ai: Command) -> None:
    with a_storage_scp(statuses=[0xA700]) as pacs:
        ended = xray_ai("send", a_file("one.dcm"), "--to", f"PACS1@127.0.0.1:{pacs.port}")

    assert ended.code == 3


@pytest.mark.parametrize("to", ["PACS1", "PACS1@host", "@host:104", "PACS1@host:99999"])
def test_what_is_no_address_is_refused(xray_ai: Command, to: str) -> None:
    assert xray_ai("send", a_file("one.dcm"), "--to", to).code == 2


def test_nothing_to_send_is_no_success(xray_ai: Command) -> None:
    Path("empty").mkdir()

    assert xray_ai("send", "empty", "--to", f"PACS1@127.0.0.1:{free_port()}").code == 1


# ---- backup and restore


@pytest.mark.usefixtures("three_deliveries")
def test_a_backup_is_restored_into_an_empty_storage(xray_ai: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = xray_ai("backup", "copy")
    monkeypatch.setenv("XRAY_AI_STORAGE__ROOT", "new")
    restored = xray_ai("restore", "copy")

    assert (taken.code, restored.code) == (0, 0)
    assert "Records and 2 objects" in taken.out
    assert f"of {datetime.now(UTC):%Y-%m-%d}" in restored.out
    assert "3 of 3 deliveries." in xray_ai("deliveries", "list").out


@pytest.mark.usefixtures("three_deliveries")
def test_a_backup_is_not_restored_over_what_is_there(xray_ai: Command) -> None:
    xray_ai("backup", "copy")

    ended = xray_ai("restore", "copy")

    assert ended.code == 2
    assert "xray-ai-data is not empty." in ended.err


@pytest.mark.usefixtures("three_deliveries")
def test_an_object_that_is_gone_from_the_storage_is_told_and_the_rest_is_backed_up(xray_ai: Command) -> None:
    next(path for path in (ROOT / "objects").rglob("*") if path.is_file()).unlink()

    ended = xray_ai("backup", "copy")

    assert ended.code == 2
    assert "Records and 1 objects" in ended.out
    assert "1 objects that the records name are gone" in ended.err


def test_what_is_no_backup_is_not_restored(xray_ai: Command) -> None:
    Path("copy").mkdir()

    ended = xray_ai("restore", "copy")

    assert ended.code == 2
    assert "holds no whole backup" in ended.err


def test_records_in_postgresql_are_left_to_its_own_tools(xray_ai: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XRAY_AI_RECORDS__URL", "postgresql://xray@localhost/xray")

    for command in ("backup", "restore"):
        ended = xray_ai(command, "copy")
        assert ended.code == 2
        assert "pg_dump" in ended.err
