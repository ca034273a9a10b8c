"""A result as the bytes of a DICOM file (PS3.10): the same dataset gives the same bytes.

pydicom's own writer goes through the whole tree once for each of its levels; a report has ten of them.
"""

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import BaseTag, Tag
from pydicom.uid import UID

from xray_ai import __version__
from xray_ai.domain.uid import derived_uid
from xray_ai.results.explicit_vr import LONGEST_SHORT_VALUE, as_pydicom_writes, framed, item

IMPLEMENTATION_CLASS_UID = derived_uid("xray_ai", "implementation class")
IMPLEMENTATION_VERSION_NAME = f"XRAY_AI {__version__}"[:16]
PREAMBLE = b"\0" * 128 + b"DICM"
GROUP_LENGTH = Tag(0x0002, 0x0000)
CHARACTERS = frozenset({"AE", "AS", "CS", "LO", "LT", "SH", "ST", "UC", "UI", "UR", "UT"})


def encoded(dataset: Dataset) -> bytes:
    """Write a result as a file of Explicit VR Little Endian; compressed pixel data may be in it.

    Its own text is ASCII; what was carried from the source as bytes is written as it is.
    """
    meta = _elements(_file_meta(dataset), {})
    length = framed(GROUP_LENGTH, "UL", len(meta).to_bytes(4, "little"))
    return PREAMBLE + length + meta + _elements(dataset, {})


def _file_meta(dataset: Dataset) -> Dataset:
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\0\1"
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    return meta


def _elements(dataset: Dataset, known: dict[int, bytes]) -> bytes:
    """All elements in the order of their tags, without the retired group lengths."""
    tags = sorted(tag for tag in dataset.keys() if tag.element)  # noqa: SIM118 - iterating a Dataset decodes it
    return b"".join(_element(tag, dataset.get_item(tag), known) for tag in tags)


def _element(tag: BaseTag, element: DataElement | RawDataElement, known: dict[int, bytes]) -> bytes:
    if isinstance(element, RawDataElement):
        return framed(tag, str(element.VR), element.value or b"")
    value: object = element.value
    if element.VR == "SQ":
        return framed(tag, "SQ", b"".join(_item(inner, known) for inner in element.value))
    if element.VR in CHARACTERS and isinstance(value, str) and len(value) < LONGEST_SHORT_VALUE:
        return framed(tag, element.VR, _padded(value.encode("ascii"), b"\0" if element.VR == "UI" else b" "))
    return as_pydicom_writes(element, ["ISO_IR 6"])


def _item(inner: Dataset, known: dict[int, bytes]) -> bytes:
    """One item of a sequence; coded concepts stand in many places, and are encoded once."""
    if id(inner) not in known:
        known[id(inner)] = item(_elements(inner, known))
    return known[id(inner)]


def _padded(value: bytes, padding: bytes) -> bytes:
    return value + padding * (len(value) % 2)
