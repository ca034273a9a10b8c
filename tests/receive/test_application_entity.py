"""Who may associate, for what, and how the application entity stops."""

import threading
from pathlib import Path

import pytest

from bench.raw_scu import ABORT, EXPLICIT, IMPLICIT, RawAssociation, status_of
from tests.factories import a_dataset
from tests.receive.dimse_peers import CT, DX, STORAGE, Receiver, a_receiver, a_store, answers_echo, encoded, logged
from xray_ai.imaging.codecs import decoders
from xray_ai.receive.admission import (
    APPLICATION_CONTEXT,
    CALLED_UNKNOWN,
    CALLING_UNKNOWN,
    CONTEXT_UNKNOWN,
    HOST_UNKNOWN,
    Admission,
    Caller,
    Rejection,
)
from xray_ai.receive.application_entity import ApplicationEntity, PortNotAvailable, StorageScpSettings
from xray_ai.receive.storage_scp import SOP_CLASSES, storage_contexts

JPEG_2000_LOSSLESS, JPEG_BASELINE = "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.50"


def an_admission(*calling: str, hosts: tuple[str, ...] = ()) -> Admission:
    return Admission(frozenset({"XRAY_AI", "XRAY_STAT"}), frozenset(calling), frozenset(hosts))


def a_caller(host: str = "127.0.0.1", calling: str = "PACS", called: str = "XRAY_AI") -> Caller:
    return Caller(calling, called, APPLICATION_CONTEXT, host, "10.1.2.3")


@pytest.mark.parametrize(
    ("admission", "caller", "rejection"),
    [
        (an_admission(), a_caller(), None),
        (an_admission(), a_caller("::1"), None),
        (an_admission(), a_caller("::ffff:127.0.0.1"), None),
        (an_admission(), a_caller("10.1.2.3"), None),
        (an_admission(), a_caller("10.1.2.4"), HOST_UNKNOWN),
        (an_admission(), a_caller(called="XRAY_STAT"), None),
        (an_admission(), a_caller(called="XRAY"), CALLED_UNKNOWN),
        (an_admission("PACS"), a_caller("10.9.9.9"), None),
        (an_admission("PACS"), a_caller(calling="OTHER"), CALLING_UNKNOWN),
        (an_admission(hosts=("10.1.0.0/16",)), a_caller("10.1.2.4"), None),
        (an_admission(hosts=("10.1.0.0/16",)), a_caller("10.2.0.1"), HOST_UNKNOWN),
        (an_admission(hosts=("10.1.0.0/16",)), a_caller("127.0.0.1"), HOST_UNKNOWN),
        (an_admission("PACS", hosts=("10.1.2.4",)), a_caller("10.1.2.4", "OTHER"), CALLING_UNKNOWN),
        (an_admission("PACS", hosts=("fe80::/10",)), a_caller("fe80::1%eth0"), None),
        (an_admission(), Caller("PACS", "XRAY_AI", "1.2.3", "127.0.0.1", "127.0.0.1"), CONTEXT_UNKNOWN),
    ],
)
def test_a_caller_is_judged_by_titles_and_host(
    admission: Admission, caller: Caller, rejection: Rejection | None
) -> None:
    assert admission.rejection_of(caller) == rejection


@pytest.mark.parametrize(
    ("settings", "answer"),
    [
        (StorageScpSettings(port=0, ae_titles=frozenset({"OTHER"})), "00010107"),
        (StorageScpSettings(port=0, calling_ae_titles=frozenset({"PACS"})), "00010103"),
        (StorageScpSettings(port=0, calling_hosts=frozenset({"10.1.2.3"})), "00010103"),
    ],
)
def test_a_rejection_says_why(tmp_path: Path, settings: StorageScpSettings, answer: str) -> None:
    with (
        logged() as events,
        a_receiver(tmp_path, settings) as receiver,
        RawAssociation(receiver.port) as association,
        pytest.raises(ConnectionRefusedError, match=answer),
    ):
        association.associate(STORAGE)

    assert "rejected: call" in str(events)


def test_one_association_too_many_is_told_to_come_back(tmp_path: Path) -> None:
    settings = StorageScpSettings(port=0, maximum_associations=2)

    with a_receiver(tmp_path, settings) as receiver:
        with RawAssociation(receiver.port) as first, RawAssociation(receiver.port) as second:
            first.associate(STORAGE)
            second.associate(STORAGE)
            with RawAssociation(receiver.port) as third, pytest.raises(ConnectionRefusedError, match="00020302"):
                third.associate(STORAGE)
            first.release()
            second.release()
        assert answers_echo(receiver.port)


def test_every_transfer_syntax_that_we_read_is_taken_and_what_loses_nothing_goes_first() -> None:
    contexts = storage_contexts(frozenset({CT}))

    assert {context.abstract_syntax for context in contexts} == SOP_CLASSES | {CT}
    for context in contexts:
        syntaxes = [str(syntax) for syntax in context.transfer_syntax]
        assert set(syntaxes) == {str(state.transfer_syntax_uid) for state in decoders()}
        assert syntaxes[0] == EXPLICIT
        assert syntaxes.index(JPEG_2000_LOSSLESS) < syntaxes.index(JPEG_BASELINE)


def test_a_sop_class_that_is_not_ours_is_refused_at_negotiation(tmp_path: Path) -> None:
    with logged() as events, a_receiver(tmp_path) as receiver, RawAssociation(receiver.port) as association:
        accepted = association.associate([(1, CT, [EXPLICIT]), (3, DX, [EXPLICIT]), (5, DX, ["1.2.3.4"])])

    assert b"\x01\x00\x03\x00" in accepted  # context 1: abstract syntax not supported
    assert b"\x03\x00\x00\x00" in accepted  # context 3: accepted
    assert b"\x05\x00\x04\x00" in accepted  # context 5: transfer syntaxes not supported
    assert "CT Image Storage" in str(events)


def test_further_sop_classes_are_taken_where_they_are_configured(tmp_path: Path) -> None:
    settings = StorageScpSettings(port=0, more_sop_classes=frozenset({CT}))

    with a_receiver(tmp_path, settings) as receiver, RawAssociation(receiver.port) as association:
        assert b"\x01\x00\x00\x00" in association.associate([(1, CT, [IMPLICIT])])


def test_a_port_in_use_calls_the_operator(tmp_path: Path) -> None:
    with a_receiver(tmp_path) as receiver, pytest.raises(PortNotAvailable, match="in use"):
        ApplicationEntity(StorageScpSettings(port=receiver.port), receiver.door)


def stopping(receiver: Receiver, deadline_s: float) -> threading.Thread:
    thread = threading.Thread(target=receiver.entity.stop, args=(deadline_s,))
    thread.start()
    return thread


def test_stopping_lets_a_running_c_store_end(tmp_path: Path) -> None:
    with a_receiver(tmp_path) as receiver, RawAssociation(receiver.port) as association:
        receiver.door.may_take.clear()
        association.associate(STORAGE)
        association.send(a_store())
        assert receiver.door.is_taking.wait(10)

        stop = stopping(receiver, deadline_s=30)
        receiver.door.may_take.set()

        assert status_of(association.answer()[1]) == 0x0000
        assert association.answer()[0] == ABORT
        stop.join()


def test_stopping_ends_idle_associations_at_once(tmp_path: Path) -> None:
    with a_receiver(tmp_path) as receiver, RawAssociation(receiver.port) as association:
        association.associate(STORAGE)

        stopping(receiver, deadline_s=3600).join(60)

        assert association.answer()[0] == ABORT


def test_a_c_store_that_is_late_is_cut_off_and_leaves_nothing(tmp_path: Path) -> None:
    with a_receiver(tmp_path) as receiver, RawAssociation(receiver.port) as association:
        association.associate(STORAGE)
        association.send(a_store(encoded(a_dataset()))[:-1])

        stopping(receiver, deadline_s=0.1).join(60)

        with pytest.raises(ConnectionError):
            association.answer()
    assert receiver.leftovers() == []
