"""Elements as the bytes of Explicit VR Little Endian (PS3.5 section 7)."""

import struct

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element
from pydicom.tag import BaseTag
from pydicom.valuerep import EXPLICIT_VR_LENGTH_16, EXPLICIT_VR_LENGTH_32

ITEM_TAG = b"\xfe\xff\x00\xe0"
LONGEST_SHORT_VALUE = 0xFFFF


def framed(tag: BaseTag, vr: str, value: bytes) -> bytes:
    """Tag, VR, length and value; a value too long for its VR becomes UN (PS3.5 6.2.2)."""
    if vr in EXPLICIT_VR_LENGTH_32 or len(value) > LONGEST_SHORT_VALUE:
        vr = vr if vr in EXPLICIT_VR_LENGTH_32 else "UN"
        return struct.pack("<HH2sxxL", tag.group, tag.element, vr.encode(), len(value)) + value
    return struct.pack("<HH2sH", tag.group, tag.element, vr.encode(), len(value)) + value


def item(content: bytes) -> bytes:
    """One item of a sequence."""
    return ITEM_TAG + struct.pack("<L", len(content)) + content


def raw_element(tag: BaseTag, vr: str, value: bytes) -> RawDataElement:
    """An element that pydicom has not decoded, and writes as it is."""
    fits = len(value) <= LONGEST_SHORT_VALUE or vr in EXPLICIT_VR_LENGTH_32
    return RawDataElement(
        tag=tag,
        VR=vr if fits else "UN",
        length=len(value),
        value=value,
        value_tell=0,
        is_implicit_VR=False,
        is_little_endian=True,
    )


def is_known(vr: str) -> bool:
    return vr in EXPLICIT_VR_LENGTH_16 or vr in EXPLICIT_VR_LENGTH_32


def as_pydicom_writes(element: DataElement | RawDataElement, character_sets: list[str]) -> bytes:
    """The whole element, in the character sets (0008,0005)."""
    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = False, True
    write_data_element(buffer, element, character_sets)
    return buffer.getvalue()


def value_of(written: bytes) -> bytes:
    """The value of an element that `as_pydicom_writes` has written."""
    return written[12 if written[4:6].decode() in EXPLICIT_VR_LENGTH_32 else 8 :]
