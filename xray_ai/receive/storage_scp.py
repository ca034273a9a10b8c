"""The Storage SCP (PS3.4 annex B): a dataset goes to disk as it arrives; success is said once it is safe there."""

import re
import traceback
import zlib
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from io import BytesIO
from typing import Protocol

from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.presentation import PresentationContext, build_context

from xray_ai import log
from xray_ai.acceptance import CR_STORAGE, DX_FOR_PRESENTATION, DX_FOR_PROCESSING, SECONDARY_CAPTURE
from xray_ai.domain.priority import Priority
from xray_ai.domain.received import Receipt, Route, Sender
from xray_ai.imaging.attributes import attempt, text_of
from xray_ai.imaging.codecs import ALWAYS_LOSSY, MAYBE_LOSSY, decoders
from xray_ai.objects import Incoming, ObjectStoreFull
from xray_ai.receive.intake import IntakeRefusalCode, IntakeRefused
from xray_ai.receive.part10_head import part10_head

SOP_CLASSES = frozenset({CR_STORAGE, DX_FOR_PRESENTATION, DX_FOR_PROCESSING, SECONDARY_CAPTURE})
HIGH = 1  # Priority of a C-STORE (PS3.7 9.3.1.1)
SUCCESS = 0x0000
PROCESSING_FAILURE = 0x0110
OUT_OF_RESOURCES = 0xA700
DATASET_MISMATCH = 0xA900
CANNOT_UNDERSTAND = 0xC000
STATUS_OF_INTAKE = {
    IntakeRefusalCode.OUT_OF_RESOURCES: OUT_OF_RESOURCES,
    IntakeRefusalCode.NOT_DICOM: CANNOT_UNDERSTAND,
    IntakeRefusalCode.HEADER_INCOMPLETE: CANNOT_UNDERSTAND,
}
SOP_INSTANCE_UID = 0x00080018
HEAD_BYTES = 2**16  # SOP Class and Instance UID stand among the first elements
UID = re.compile(r"[0-9.]{1,64}")
LONGEST_COMMENT = 64


class Door(Protocol):
    """What the Storage SCP needs of intake."""

    def open(self) -> Incoming:
        """Begin an object."""

    def take(self, incoming: Incoming, sender: Sender) -> Receipt:
        """Return once the object and its row are durable."""


class _Refused(Exception):
    """This C-STORE ends in failure."""

    def __init__(self, status: int, comment: str) -> None:
        super().__init__(comment)
        self.status = status


@dataclass(frozen=True, slots=True)
class StorageScp:
    """Where datasets go, and how soon those called by an AE title of ours are wanted."""

    door: Door
    ordered_priorities: Mapping[str, Priority]

    def receive(self, association: Association, request: C_STORE, context: PresentationContext) -> "StoredObject":
        """Open the door for the dataset that a command announces."""
        calling, called = association.requestor.ae_title.strip(), called_ae_title(association)
        by_request = Priority.HIGH if request.Priority == HIGH else Priority.ROUTINE
        ordered = self.ordered_priorities.get(called, by_request)
        sender = Sender(calling, called, association.requestor.address, Route.C_STORE, ordered)
        return StoredObject(self.door, request, context, sender)


def called_ae_title(association: Association) -> str:
    request = association.requestor.primitive
    return request.called_ae_title.strip() if request is not None else ""


def storage_contexts(more_sop_classes: frozenset[str]) -> list[PresentationContext]:
    """What we take, in every transfer syntax that we read; of those a sender offers, what loses nothing goes first."""
    lossy = ALWAYS_LOSSY | MAYBE_LOSSY
    syntaxes = [state.transfer_syntax_uid for state in decoders() if state.is_available]
    ordered = sorted(syntaxes, key=lambda syntax: (syntax in lossy, syntax != str(uid.ExplicitVRLittleEndian)))
    return [
        build_context(sop_class, [str(one) for one in ordered]) for sop_class in sorted(SOP_CLASSES | more_sop_classes)
    ]


class StoredObject:
    """One C-STORE: refused or opened by its command, written as its dataset arrives, taken at its end."""

    def __init__(self, door: Door, request: C_STORE, context: PresentationContext, sender: Sender) -> None:
        self._door, self._sender, self._context = door, sender, context
        self._sop_class_uid = str(request.AffectedSOPClassUID)
        self._sop_instance_uid = str(request.AffectedSOPInstanceUID)
        self._syntax = uid.UID(context.transfer_syntax[0])
        self._resources = ExitStack()
        self._incoming: Incoming | None = None
        self._head = bytearray()
        self._answer = _status(SUCCESS)
        self._unless_refused(self._open)

    def write(self, fragment: memoryview) -> None:
        self._unless_refused(lambda: self._append(fragment))

    def finish(self) -> Dataset:
        self._unless_refused(self._take)
        self.discard()
        return self._answer

    def discard(self) -> None:
        self._incoming = None
        self._resources.close()

    def _open(self) -> None:
        if self._sop_class_uid != str(self._context.abstract_syntax):
            raise _Refused(DATASET_MISMATCH, "SOP Class was not agreed for this presentation context.")
        if not UID.fullmatch(self._sop_instance_uid):
            raise _Refused(CANNOT_UNDERSTAND, "SOP Instance UID is not a UID.")
        self._incoming = self._resources.enter_context(self._door.open())
        self._incoming.write(part10_head(self._sop_class_uid, self._sop_instance_uid, self._syntax, self._sender))

    def _append(self, fragment: memoryview) -> None:
        if len(self._head) < HEAD_BYTES:
            self._head += fragment[: HEAD_BYTES - len(self._head)]
        if self._incoming is not None:
            self._incoming.write(fragment)

    def _take(self) -> None:
        found = attempt(lambda: _uids_in(bytes(self._head), self._syntax))
        if found is None or "" in found:
            raise _Refused(CANNOT_UNDERSTAND, "The data set cannot be read, or lacks its SOP UIDs.")
        if found != (self._sop_class_uid, self._sop_instance_uid):
            raise _Refused(DATASET_MISMATCH, "SOP UIDs of data set and command differ.")
        if self._incoming is not None:
            self._door.take(self._incoming, self._sender)

    def _unless_refused(self, step: Callable[[], None]) -> None:
        """Do one step; whatever it raises becomes the answer, and the rest of the dataset is read for nothing."""
        if self._answer.Status != SUCCESS:
            return
        try:
            step()
        except _Refused as refused:
            self._refuse(refused.status, str(refused))
        except (OSError, ObjectStoreFull):
            self._refuse(OUT_OF_RESOURCES, "The object store cannot write now.")
        except IntakeRefused as refused:
            self._refuse(STATUS_OF_INTAKE[refused.code], refused.found)
        except Exception as defect:  # noqa: BLE001 - one object must not end the service; the sender will try again
            where = traceback.extract_tb(defect.__traceback__)[-1]
            self._refuse(
                PROCESSING_FAILURE, "Unexpected error.", f"{type(defect).__name__} at {where.name}:{where.lineno}"
            )

    def _refuse(self, status: int, comment: str, defect: str | None = None) -> None:
        self._answer = _status(status, comment)
        self.discard()
        log.warning(
            "object.refused",
            object=log.key_of(self._sop_instance_uid),
            status=f"{status:04X}",
            reason=comment,
            defect=defect,
            calling_ae_title=self._sender.calling_ae_title,
            host=self._sender.host,
        )


def _status(status: int, comment: str | None = None) -> Dataset:
    answer = Dataset()
    answer.Status = status
    if comment:
        answer.ErrorComment = comment[:LONGEST_COMMENT]
    return answer


def _uids_in(head: bytes, syntax: uid.UID) -> tuple[str, str]:
    """SOP Class and Instance UID of a dataset that begins with these bytes."""
    if syntax.is_deflated:
        head = zlib.decompressobj(-zlib.MAX_WBITS).decompress(head, HEAD_BYTES)
    dataset = read_dataset(BytesIO(head), syntax.is_implicit_VR, syntax.is_little_endian, stop_when=_is_past_the_uids)
    return text_of(dataset, "SOPClassUID"), text_of(dataset, "SOPInstanceUID")


def _is_past_the_uids(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return int(tag) > SOP_INSTANCE_UID
