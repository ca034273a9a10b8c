"""A C-STORE is answered by what became of its object."""

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import uid

from bench.raw_scu import P_DATA, RawAssociation, pdv, status_of
from bench.raw_scu import pdu as a_pdu
from tests.factories import MARKED_NAME, NATIVE, a_dataset
from tests.receive.dimse_peers import (
    CT,
    STORAGE,
    Receiver,
    a_command,
    a_receiver,
    a_store,
    dataset_of,
    encoded,
    logged,
    status_after,
    wait_until,
)
from xray_ai.domain.priority import Priority
from xray_ai.domain.received import Route, Sender
from xray_ai.objects import ObjectStoreFull
from xray_ai.receive.application_entity import StorageScpSettings
from xray_ai.receive.intake import IntakeRefusalCode, IntakeRefused

LONG = 3_000_000


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    with a_receiver(tmp_path) as receiver:
        yield receiver


@pytest.mark.parametrize("longest", [64, 16_384, 131_072, 2**24])
def test_the_dataset_is_kept_to_the_last_byte_however_it_is_cut(receiver: Receiver, longest: int) -> None:
    dataset = encoded(a_dataset())

    status = status_after(receiver.port, a_store(dataset, longest=longest))

    assert status == 0x0000
    assert dataset_of(receiver.door.files()[0]) == dataset


def test_many_objects_on_one_association_stay_apart(receiver: Receiver) -> None:
    datasets = [encoded(a_dataset(SOPInstanceUID=f"1.2.{n}", ImageComments="x" * (n * 7919))) for n in range(9)]

    with RawAssociation(receiver.port) as association:
        association.associate(STORAGE)
        for number, dataset in enumerate(datasets):
            association.send(a_store(dataset, command=a_command(f"1.2.{number}"), longest=131_072))
            assert status_of(association.answer()[1]) == 0x0000

    assert [dataset_of(file) for file in receiver.door.files()] == datasets


def test_what_is_kept_is_a_whole_dicom_file(receiver: Receiver) -> None:
    status_after(receiver.port, a_store())

    (dataset,) = receiver.door.datasets()
    assert dataset.preamble == bytes(128)
    assert dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID
    assert dataset.file_meta.MediaStorageSOPClassUID == dataset.SOPClassUID
    assert dataset.file_meta.TransferSyntaxUID == uid.ExplicitVRLittleEndian
    assert dataset.file_meta.SourceApplicationEntityTitle == "RAW_SCU"


@pytest.mark.parametrize("syntax", NATIVE)
def test_its_uids_are_found_in_every_encoding(receiver: Receiver, syntax: uid.UID) -> None:
    dataset = encoded(a_dataset(syntax=syntax))

    with RawAssociation(receiver.port) as association:
        association.associate([(1, "1.2.840.10008.5.1.4.1.1.1.1", [syntax])])
        association.send(a_store(dataset))
        assert status_of(association.answer()[1]) == 0x0000

    assert dataset_of(receiver.door.files()[0]) == dataset


def test_success_is_said_only_once_the_door_has_taken_it(receiver: Receiver) -> None:
    receiver.door.may_take.clear()

    with RawAssociation(receiver.port) as association:
        association.associate(STORAGE)
        association.send(a_store())
        assert receiver.door.is_taking.wait(10)
        association.socket.settimeout(0.2)
        with pytest.raises(TimeoutError):
            association.answer()
        receiver.door.may_take.set()
        association.socket.settimeout(10)
        assert status_of(association.answer()[1]) == 0x0000


def test_the_door_learns_who_brought_it(receiver: Receiver) -> None:
    status_after(receiver.port, a_store())

    assert receiver.door.senders() == [Sender("RAW_SCU", "XRAY_AI", "127.0.0.1", Route.C_STORE, Priority.ROUTINE)]


@pytest.mark.parametrize(("by_request", "ordered"), [(0, Priority.ROUTINE), (1, Priority.HIGH), (2, Priority.ROUTINE)])
def test_the_priority_of_the_request_is_passed_on(receiver: Receiver, by_request: int, ordered: Priority) -> None:
    status_after(receiver.port, a_store(command=a_command(priority=by_request)))

    assert receiver.door.senders()[0].ordered_priority is ordered


def test_the_priority_of_an_ae_title_outranks_that_of_the_request(tmp_path: Path) -> None:
    settings = StorageScpSettings(port=0, ordered_priorities={"XRAY_AI": Priority.STAT})

    with a_receiver(tmp_path, settings) as receiver:
        status_after(receiver.port, a_store(command=a_command(priority=1)))

    assert receiver.door.senders()[0].ordered_priority is Priority.STAT


@pytest.mark.parametrize(
    "error",
    [
        IntakeRefused(IntakeRefusalCode.OUT_OF_RESOURCES, "The disk is nearly full.", remedy=""),
        ObjectStoreFull(),
        OSError(errno.EIO, "broken"),
    ],
)
def test_no_room_is_out_of_resources_and_the_association_goes_on(receiver: Receiver, error: Exception) -> None:
    receiver.door.error_at_open = error

    with RawAssociation(receiver.port) as association:
        association.associate(STORAGE)
        association.send(a_store())
        assert status_of(association.answer()[1]) == 0xA700
        receiver.door.error_at_open = None
        association.send(a_store())
        assert status_of(association.answer()[1]) == 0x0000


@pytest.mark.parametrize("code", [IntakeRefusalCode.NOT_DICOM, IntakeRefusalCode.HEADER_INCOMPLETE])
def test_what_intake_cannot_read_cannot_be_understood(receiver: Receiver, code: IntakeRefusalCode) -> None:
    receiver.door.error_at_take = IntakeRefused(code, "The header is damaged.", remedy="")

    assert status_after(receiver.port, a_store()) == 0xC000
    assert receiver.leftovers() == []


def test_a_defect_of_ours_is_a_processing_failure_and_the_service_goes_on(receiver: Receiver) -> None:
    receiver.door.error_at_take = ZeroDivisionError(MARKED_NAME)

    with logged() as events:
        assert status_after(receiver.port, a_store()) == 0x0110
    receiver.door.error_at_take = None
    assert status_after(receiver.port, a_store()) == 0x0000
    assert "ZeroDivisionError at take" in str(events)
    assert MARKED_NAME not in str(events)
    assert receiver.leftovers() == []


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (a_command("1.2.3"), 0xA900),
        (a_command(sop_class=CT), 0xA900),
        (a_command("../../etc/passwd"), 0xC000),
        (a_command("/dev/null"), 0xC000),
        (a_command("1.2.3\\1.2.4"), 0xA900),
        (a_command("1.2.%n"), 0xC000),
    ],
)
def test_a_command_that_does_not_fit_is_refused(receiver: Receiver, command: bytes, status: int) -> None:
    assert status_after(receiver.port, a_store(command=command)) == status
    assert receiver.door.taken == []
    assert receiver.leftovers() == []


@pytest.mark.parametrize(
    "dataset",
    [
        encoded(a_dataset(SOPInstanceUID=None)),
        bytes(128) + b"DICM" + bytes(1000),
        b"MZ" + bytes(LONG),
        b"\x08\x00\x18\x00UI",
        b"{}",
    ],
)
def test_a_dataset_without_its_uids_cannot_be_understood(receiver: Receiver, dataset: bytes) -> None:
    assert status_after(receiver.port, a_store(dataset)) == 0xC000
    assert receiver.leftovers() == []


def test_why_it_was_refused_stands_in_the_answer_and_names_no_patient(receiver: Receiver) -> None:
    with RawAssociation(receiver.port) as association:
        association.associate(STORAGE)
        association.send(a_store(command=a_command("1.2.3")))
        _, answer = association.answer()

    assert b"SOP UIDs of data set and command differ." in answer
    assert MARKED_NAME.encode() not in answer


def test_a_transfer_that_breaks_off_leaves_nothing(receiver: Receiver) -> None:
    with RawAssociation(receiver.port) as association:
        association.associate(STORAGE)
        association.send(a_command() + a_pdu(P_DATA, pdv(1, 0, bytes(LONG))))
        wait_until(lambda: len(receiver.leftovers()) == 1)

    wait_until(lambda: receiver.leftovers() == [])
    assert receiver.door.taken == []


def test_names_in_any_character_set_are_kept_as_they_are(receiver: Receiver) -> None:
    dataset = encoded(a_dataset()).replace(MARKED_NAME.encode(), bytes(range(200, 200 + len(MARKED_NAME))))

    assert status_after(receiver.port, a_store(dataset)) == 0x0000
    assert dataset_of(receiver.door.files()[0]) == dataset
