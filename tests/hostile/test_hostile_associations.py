"""Whatever arrives at the DICOM port, the service stays up, serves others, and keeps nothing of it."""

import gc
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from bench.raw_scu import EXPLICIT, P_DATA, RELEASE_RQ, RawAssociation, associate_rq, pdu, pdv
from tests.factories import a_dataset
from tests.hostile.conversations import BEFORE_AN_ASSOCIATION, MARK, ON_AN_ASSOCIATION, mutated, reset
from tests.receive.dimse_peers import (
    STORAGE,
    Receiver,
    a_command,
    a_receiver,
    a_store,
    answers_echo,
    encoded,
    logged,
    status_after,
    wait_until,
)
from xray_ai.receive.application_entity import StorageScpSettings

IMPATIENT = StorageScpSettings(
    port=0, maximum_associations=4, acse_timeout_s=0.5, dimse_timeout_s=2.0, network_timeout_s=1.0
)
TEMPLATES = (associate_rq(STORAGE), a_command(), a_store(), pdu(RELEASE_RQ, bytes(4)))

HANGS_S = 3600.0


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    with a_receiver(tmp_path, IMPATIENT) as receiver:
        yield receiver


def is_quiet(receiver: Receiver) -> bool:
    """Whether every association has ended, with its threads and its files."""
    names = [thread.name for thread in threading.enumerate()]
    return receiver.leftovers() == [] and not any(name == "association" or "run_reactor" in name for name in names)


def is_serving(receiver: Receiver) -> bool:
    """Whether another sender is served; one that calls while connections still queue may be turned away."""
    with suppress(OSError):
        return status_after(receiver.port, a_store()) == 0x0000
    return False


def say(receiver: Receiver, *messages: bytes, associated: bool) -> None:
    """Send these on a connection of their own, and hang up once the service has said what it has to say."""
    with suppress(OSError), RawAssociation(receiver.port) as association:
        association.socket.settimeout(10)
        if associated:
            association.associate(STORAGE)
        for message in messages:
            association.send(message)
        association.socket.shutdown(socket.SHUT_WR)
        while association.socket.recv(4096):
            pass


def open_files() -> int:
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


def drip(association: RawAssociation) -> None:
    """Send a little of a dataset again and again."""
    pause = threading.Event()
    while True:
        association.send(pdu(P_DATA, pdv(1, 0, b"xx")))
        pause.wait(0.1)


@pytest.mark.parametrize("name", BEFORE_AN_ASSOCIATION)
def test_what_is_no_request_for_an_association_ends_the_connection(receiver: Receiver, name: str) -> None:
    say(receiver, BEFORE_AN_ASSOCIATION[name], associated=False)

    assert answers_echo(receiver.port)
    wait_until(lambda: is_quiet(receiver))


@pytest.mark.parametrize("name", ON_AN_ASSOCIATION)
def test_what_no_sender_may_say_ends_the_association(receiver: Receiver, name: str) -> None:
    with logged() as events:
        say(receiver, ON_AN_ASSOCIATION[name], associated=True)
        wait_until(lambda: is_quiet(receiver))

    assert answers_echo(receiver.port)
    assert receiver.door.taken == []
    assert [event["reason"] != "released" for event in events if event["event"] == "association.ended"] == [True]


def test_a_release_in_the_middle_of_a_dataset_leaves_nothing(receiver: Receiver) -> None:
    half = a_command() + pdu(P_DATA, pdv(1, 0, bytes(9)))

    say(receiver, half + pdu(RELEASE_RQ, bytes(4)), associated=True)

    wait_until(lambda: is_quiet(receiver))
    assert receiver.door.taken == []


def test_half_a_request_is_waited_for_only_so_long(receiver: Receiver) -> None:
    with logged() as events, RawAssociation(receiver.port) as association:
        association.send(associate_rq(STORAGE)[:-7])
        assert association.socket.recv(1) == b""
        wait_until(lambda: is_quiet(receiver))

    assert [event["reason"] for event in events if event["event"] == "association.ended"] == ["too slow"]


def test_hundreds_of_mutated_conversations_are_survived(receiver: Receiver) -> None:
    chance = random.Random(3)  # noqa: S311 - chance, not a secret

    for number in range(200):
        say(receiver, mutated(chance.choice(TEMPLATES), chance), b"\0", associated=number % 3 > 0)

    wait_until(lambda: is_serving(receiver))
    wait_until(lambda: is_quiet(receiver))


def test_connections_that_say_nothing_do_not_keep_others_out(receiver: Receiver) -> None:
    with ExitStack() as stack:
        for _ in range(15):
            stack.enter_context(RawAssociation(receiver.port))

        assert answers_echo(receiver.port)


def test_of_connections_that_say_nothing_the_oldest_gives_way_to_a_sender(receiver: Receiver) -> None:
    with logged() as events, ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(RawAssociation(receiver.port))
        assert is_serving(receiver)

    assert "gave way to another connection" in [event.get("reason") for event in events]


@pytest.mark.parametrize("said", [b"", b"\x01", b"\xff" * 6], ids=["nothing", "a byte", "noise"])
def test_connections_that_end_before_a_request_make_room_at_once(tmp_path: Path, said: bytes) -> None:
    with a_receiver(tmp_path, replace(IMPATIENT, acse_timeout_s=HANGS_S, network_timeout_s=HANGS_S)) as patient:
        for _ in range(10):
            say(patient, said, associated=False)

        wait_until(lambda: is_quiet(patient))


def test_a_connection_reset_at_once_leaves_no_file_open(receiver: Receiver) -> None:
    wait_until(lambda: is_serving(receiver))
    wait_until(lambda: is_quiet(receiver))
    before = open_files()

    for _ in range(50):
        reset(RawAssociation(receiver.port).socket)

    wait_until(lambda: is_serving(receiver))
    wait_until(lambda: is_quiet(receiver))
    assert open_files() <= before


def test_a_proposed_sop_class_that_is_no_uid_is_not_logged(receiver: Receiver) -> None:
    with logged() as events:
        say(receiver, associate_rq([(1, MARK, [EXPLICIT])]), associated=False)
        wait_until(lambda: is_quiet(receiver))

    assert "context.refused" in [event["event"] for event in events]
    assert MARK not in str(events)


def test_threads_are_bounded_however_many_connect(receiver: Receiver) -> None:
    before = threading.active_count()
    with ExitStack() as stack, suppress(ConnectionError):
        for _ in range(60):
            stack.enter_context(RawAssociation(receiver.port)).send(b"\x01\x00")
            assert threading.active_count() - before <= 2 * (4 + 16)

    wait_until(lambda: is_serving(receiver))
    wait_until(lambda: is_quiet(receiver))


def test_a_sender_that_drips_is_ended(receiver: Receiver) -> None:
    with RawAssociation(receiver.port) as association:
        association.associate(STORAGE)
        association.send(a_command())
        with pytest.raises(ConnectionError):
            drip(association)

    wait_until(lambda: is_quiet(receiver))


def test_a_sender_that_does_not_wait_for_answers_is_read_one_object_at_a_time(receiver: Receiver) -> None:
    receiver.door.may_take.clear()
    with RawAssociation(receiver.port) as association:
        association.associate(STORAGE)
        association.send(a_store() * 5)
        assert receiver.door.is_taking.wait(10)
        assert len(receiver.leftovers()) == 1
        receiver.door.may_take.set()
        assert [association.answer()[0] for _ in range(5)] == [P_DATA] * 5

    assert len(receiver.door.taken) == 5


def test_many_tiny_associations_leave_neither_threads_nor_files_open(receiver: Receiver) -> None:
    wait_until(lambda: is_serving(receiver))
    wait_until(lambda: is_quiet(receiver))
    before = open_files()

    for _ in range(200):
        RawAssociation(receiver.port).socket.close()

    wait_until(lambda: is_serving(receiver))
    wait_until(lambda: is_quiet(receiver))
    assert open_files() <= before


@pytest.mark.parametrize("head", [b"MZ", b"%PDF-1.7", b"#!/bin/sh\n", b"PK\x03\x04"])
def test_a_preamble_never_reaches_the_disk(receiver: Receiver, head: bytes) -> None:
    polyglot = head.ljust(128, b"\0") + b"DICM" + encoded(a_dataset())

    assert status_after(receiver.port, a_store(polyglot)) == 0xC000
    assert receiver.door.taken == []
