"""What reaches this service, who handed it over, and what intake answers."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from xray_ai.domain.priority import Priority
from xray_ai.domain.uid import SOPInstanceUID, StudyInstanceUID

ObjectDigest = NewType("ObjectDigest", str)  # SHA-256 of the bytes as kept, 64 lower-case hex digits


class Route(StrEnum):
    """The door by which an object came."""

    C_STORE = "C-STORE"
    STOW_RS = "STOW-RS"
    FOLDER = "folder"


class Repeat(StrEnum):
    """What an object is beside those that came before under the same SOP Instance UID."""

    NEW = "new"
    SAME_BYTES = "same_bytes"  # counts once
    NEW_HEADER = "new_header"  # the same pixels: the newest demographics are shown, both are kept
    NEW_SYNTAX = "new_syntax"  # the same pixels in another transfer syntax
    CONFLICT = "conflict"  # other pixels: kept and visible, never read
    OWN_RESULT = "own_result"  # written by this service: kept, never read

    @property
    def is_image_of_study(self) -> bool:
        """Whether these bytes may stand for the instance: may be read, and tell the newest demographics."""
        return self in (Repeat.NEW, Repeat.NEW_HEADER, Repeat.NEW_SYNTAX)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who handed an object over."""

    calling_ae_title: str
    called_ae_title: str
    host: str
    via: Route
    ordered_priority: Priority = Priority.ROUTINE  # as the edge found it: by AE title, or by the priority of C-STORE


@dataclass(frozen=True, slots=True)
class Receipt:
    """What intake answers once an object is safe."""

    sop_instance_uid: SOPInstanceUID
    study_instance_uid: StudyInstanceUID
    repeat: Repeat
