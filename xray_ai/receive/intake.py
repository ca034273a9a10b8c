"""One door for C-STORE, STOW-RS and folders alike: write, digest, de-duplicate, record; only then is it received."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from threading import Lock

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from xray_ai import log
from xray_ai.domain.received import ObjectDigest, Receipt, Sender
from xray_ai.errors import RejectionCode, StudyRejected, XrayAiError
from xray_ai.objects import Incoming, LocalObjects, ObjectStoreFull
from xray_ai.receive.arrivals import Arrival, ArrivalRecorder, Enqueue, Recorded
from xray_ai.receive.group_commit import GroupCommit
from xray_ai.receive.received_header import ReceivedHeader, read_header
from xray_ai.receive.repeats import Comparison, compare
from xray_ai.records.received_instances import ReceivedInstance


class IntakeRefusalCode(StrEnum):
    """Why an object is not taken, for the edges' tables of status."""

    OUT_OF_RESOURCES = "out_of_resources"  # later, it may be
    NOT_DICOM = "not_dicom"
    HEADER_INCOMPLETE = "header_incomplete"


class IntakeRefused(XrayAiError):
    """The object was not taken: nothing of it is kept, and its sender must be told so."""

    def __init__(self, code: IntakeRefusalCode, found: str, *, remedy: str) -> None:
        super().__init__(found, remedy=remedy)
        self.code = code


@dataclass(frozen=True, slots=True)
class Watermark:
    """How much of the disk must stay free; below it nothing more is taken."""

    free_share: float = 0.05  # 0.0 to 1.0
    free_bytes: int = 2 * 2**30


@dataclass(frozen=True, slots=True)
class ReadQueue:
    """Where reading is enqueued: in the transaction of the row, and whom to wake once that is committed."""

    enqueue: Enqueue
    wake: Callable[[], None]


class Intake:
    """Takes objects of many threads at once, and answers each when its bytes and its row are durable."""

    def __init__(
        self,
        objects: LocalObjects,
        engine: Engine,
        queue: ReadQueue,
        clock: Callable[[], datetime],
        watermark: Watermark = Watermark(),
    ) -> None:
        self._objects = objects
        self._clock = clock
        self._watermark = watermark
        self._recorder = ArrivalRecorder(objects, queue.enqueue)
        self._commits = GroupCommit(engine, self._recorder.record_all, queue.wake)
        self._comparing = Lock()  # two decoded radiographs at a time, whoever sends repeats

    def open(self) -> Incoming:
        """Begin an object. Raises IntakeRefused OUT_OF_RESOURCES, before a byte is written."""
        share, free = self._objects.free_share(), self._objects.free_bytes()
        if share < self._watermark.free_share or free < self._watermark.free_bytes:
            raise _out_of_resources(f"Of the disk below storage.root only {free // 2**20} MiB ({share:.1%}) are free.")
        try:
            return self._objects.incoming()
        except ObjectStoreFull as full:
            raise _out_of_resources(full.found) from full

    def take(self, incoming: Incoming, sender: Sender) -> Receipt:
        """Return once the bytes and their row are durable and reading is enqueued. Raises IntakeRefused."""
        header = _header_of(incoming)
        try:
            digest = self._objects.keep(incoming)
            recorded = self._record(Arrival(header, digest, incoming.size, sender, self._clock()))
            if recorded.is_kept:
                self._objects.keep(incoming)  # retention may have deleted the same bytes before they were recorded
        except ObjectStoreFull as full:
            raise _out_of_resources(full.found) from full
        except SQLAlchemyError as error:
            raise _out_of_resources("The records cannot be written.") from error
        uids = header.radiograph
        log.event("object.received", study=log.key_of(uids.study_instance_uid), repeat=recorded.repeat.value)
        return Receipt(uids.sop_instance_uid, uids.study_instance_uid, recorded.repeat)

    def close(self) -> None:
        """Finish what waits."""
        self._commits.close()

    def _record(self, arrival: Arrival) -> Recorded:
        """Record; where another version is there already, compare with it first, outside of any transaction."""
        while True:
            answer = self._commits.record(arrival)
            if isinstance(answer, Recorded):
                return answer
            arrival = arrival.compared_with(answer, self._compare(arrival.digest, answer))

    def _compare(self, digest: ObjectDigest, version: ReceivedInstance) -> Comparison:
        with self._comparing:
            return compare(self._objects.path(digest), self._objects.path(version.digest))


def _header_of(incoming: Incoming) -> ReceivedHeader:
    try:
        return read_header(incoming.path, incoming.size)
    except StudyRejected as rejection:
        is_dicom = rejection.code is not RejectionCode.NOT_DICOM
        code = IntakeRefusalCode.HEADER_INCOMPLETE if is_dicom else IntakeRefusalCode.NOT_DICOM
        raise IntakeRefused(code, rejection.found, remedy=rejection.remedy) from rejection


def _out_of_resources(found: str) -> IntakeRefused:
    remedy = "Free space under storage.root, then send again."
    return IntakeRefused(IntakeRefusalCode.OUT_OF_RESOURCES, found, remedy=remedy)
