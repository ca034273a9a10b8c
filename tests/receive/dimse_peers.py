"""A small door that keeps files, our AE listening on a free port, and an association that may say anything."""

import threading
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import structlog
from pydicom import dcmread
from pydicom.dataset import Dataset
from structlog.testing import capture_logs

from bench.raw_scu import (
    EXPLICIT,
    IMPLICIT,
    LAST_COMMAND,
    P_DATA,
    RawAssociation,
    echo_rq,
    fragments,
    pdu,
    pdv,
    status_of,
    store_rq,
)
from tests.factories import a_dataset, as_part10
from xray_ai.domain.received import ObjectDigest, Receipt, Repeat, Sender
from xray_ai.domain.uid import SOPInstanceUID, StudyInstanceUID
from xray_ai.objects import Incoming, LocalObjects
from xray_ai.receive.application_entity import ApplicationEntity, StorageScpSettings, listening

DX = "1.2.840.10008.5.1.4.1.1.1.1"
CT = "1.2.840.10008.5.1.4.1.1.2"
VERIFICATION = "1.2.840.10008.1.1"
ANY_PORT = StorageScpSettings(port=0)
STORAGE = [(1, DX, [EXPLICIT]), (3, VERIFICATION, [IMPLICIT])]
INSTANCE = "1.2.826.0.1.3680043.10.1"  # of `a_dataset`
HANG_GUARD_S = 30


@dataclass(slots=True)
class FileDoor:
    """Keeps what comes, and remembers who brought it."""

    objects: LocalObjects
    taken: list[tuple[ObjectDigest, Sender]] = field(default_factory=list)
    error_at_open: Exception | None = None
    error_at_take: Exception | None = None
    is_taking: threading.Event = field(default_factory=threading.Event)
    may_take: threading.Event = field(default_factory=threading.Event)

    def open(self) -> Incoming:
        if self.error_at_open is not None:
            raise self.error_at_open
        return self.objects.incoming()

    def take(self, incoming: Incoming, sender: Sender) -> Receipt:
        self.is_taking.set()
        self.may_take.wait(HANG_GUARD_S)
        if self.error_at_take is not None:
            raise self.error_at_take
        self.taken.append((self.objects.keep(incoming), sender))
        return Receipt(SOPInstanceUID("1.2.3"), StudyInstanceUID("1.2"), Repeat.NEW)

    def files(self) -> list[bytes]:
        return [self.objects.path(digest).read_bytes() for digest, _ in self.taken]

    def datasets(self) -> list[Dataset]:
        return [dcmread(BytesIO(file)) for file in self.files()]

    def senders(self) -> list[Sender]:
        return [sender for _, sender in self.taken]


@dataclass(frozen=True, slots=True)
class Receiver:
    """Our AE with its door, as a test sees it."""

    entity: ApplicationEntity
    door: FileDoor
    root: Path

    @property
    def port(self) -> int:
        return self.entity.port

    def leftovers(self) -> list[Path]:
        return list((self.root / "incoming").iterdir())


@contextmanager
def a_receiver(root: Path, settings: StorageScpSettings = ANY_PORT) -> Iterator[Receiver]:
    """Our AE on a free port, with a door that lets all in."""
    door = FileDoor(LocalObjects(root))
    door.may_take.set()
    with listening(settings, door) as entity:
        yield Receiver(entity, door, root)
    door.objects.close()


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait for what other threads do; fails when it does not happen."""
    waiting = threading.Event()
    for _ in range(HANG_GUARD_S * 100):
        if is_so():
            return
        waiting.wait(0.01)
    message = "it did not happen"
    raise TimeoutError(message)


@contextmanager
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """All events meanwhile, whatever level another test has set."""
    structlog.reset_defaults()
    with capture_logs() as events:
        yield events


def encoded(dataset: Dataset) -> bytes:
    """A dataset's bytes without preamble and File Meta Information."""
    return dataset_of(as_part10(dataset))


def dataset_of(file: bytes) -> bytes:
    """The dataset in a DICOM file: all behind the File Meta Information, whose length its first element tells."""
    return file[144 + int.from_bytes(file[140:144], "little") :]


def a_command(instance: str = INSTANCE, sop_class: str = DX, *, priority: int = 0) -> bytes:
    """A C-STORE-RQ as a PDU."""
    return pdu(P_DATA, pdv(1, LAST_COMMAND, store_rq(sop_class, instance, priority=priority)))


def a_store(dataset: bytes | None = None, *, command: bytes | None = None, longest: int = 16_384) -> bytes:
    """A whole C-STORE: its command, and its dataset in PDUs."""
    content = encoded(a_dataset()) if dataset is None else dataset
    return (command or a_command()) + b"".join(fragments(1, content, longest))


def status_after(port: int, message: bytes) -> int:
    """What one C-STORE on an association of its own is answered."""
    with RawAssociation(port) as association:
        association.associate(STORAGE)
        association.send(message)
        status = status_of(association.answer()[1])
        association.release()
    return status


def answers_echo(port: int) -> bool:
    with RawAssociation(port) as association:
        association.associate(STORAGE)
        association.send(pdu(P_DATA, pdv(3, LAST_COMMAND, echo_rq())))
        is_there = status_of(association.answer()[1]) == 0
        association.release()
    return is_there
