"""What a DICOM file says of itself (File Meta Information, PS3.10 7.1) before it is sent; nothing of the patient."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from xray_ai.domain.uid import SOPClassUID, SOPInstanceUID, TransferSyntaxUID
from xray_ai.errors import RejectionCode, StudyRejected

PREFIX_END = 132
ELEMENT_HEAD = 8
LONG_VALUES = frozenset({b"OB", b"OW", b"UN", b"UT"})
LARGEST_VALUE = 2**20
UID_PATTERN = re.compile(rb"[0-9.]{1,64}")
MEDIA_STORAGE_SOP_CLASS_UID, MEDIA_STORAGE_SOP_INSTANCE_UID, TRANSFER_SYNTAX_UID = 0x0002, 0x0003, 0x0010


@dataclass(frozen=True, slots=True)
class OutgoingFile:
    """A file that can be sent as it is."""

    path: Path
    sop_class_uid: SOPClassUID
    sop_instance_uid: SOPInstanceUID
    transfer_syntax_uid: TransferSyntaxUID


def outgoing_file(path: Path) -> OutgoingFile:
    """Read the head of a file. Raises StudyRejected NOT_FOUND, FILE_UNREADABLE, NOT_DICOM or HEADER_INCOMPLETE."""
    try:
        with path.open("rb") as file:
            is_dicom = file.read(PREFIX_END).endswith(b"DICM")
            stated = dict(_file_meta(file)) if is_dicom else {}
    except FileNotFoundError as error:
        raise StudyRejected(RejectionCode.NOT_FOUND, "There is no such file.", remedy="Check its path.") from error
    except OSError as error:
        found = "The file cannot be opened."
        raise StudyRejected(RejectionCode.FILE_UNREADABLE, found, remedy="Check it and its permissions.") from error
    if not is_dicom:
        raise StudyRejected(RejectionCode.NOT_DICOM, "This is not a DICOM file.", remedy="Send DICOM files only.")
    return OutgoingFile(
        path,
        SOPClassUID(_uid(stated, MEDIA_STORAGE_SOP_CLASS_UID)),
        SOPInstanceUID(_uid(stated, MEDIA_STORAGE_SOP_INSTANCE_UID)),
        TransferSyntaxUID(_uid(stated, TRANSFER_SYNTAX_UID)),
    )


def _file_meta(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Elements of group 0002, always Explicit VR Little Endian, up to the first that is cut off or absurdly long."""
    while len(head := file.read(ELEMENT_HEAD)) == ELEMENT_HEAD and head.startswith(b"\2\0"):
        _, element, vr, length = struct.unpack("<HH2sH", head)
        if vr in LONG_VALUES:
            length = int.from_bytes(file.read(4), "little")
        if length > LARGEST_VALUE:
            return
        yield element, file.read(length)


def _uid(stated: dict[int, bytes], element: int) -> str:
    value = stated.get(element, b"").rstrip(b"\0 ")
    if not UID_PATTERN.fullmatch(value):
        raise StudyRejected(
            RejectionCode.HEADER_INCOMPLETE,
            "The File Meta Information does not say what this file is.",
            remedy="Write it anew with a DICOM tool, or send it from its source.",
        )
    return value.decode("ascii")
