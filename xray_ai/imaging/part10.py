"""Opens a DICOM file (PS3.10) that may be anything: damaged, cut off, hostile, or no DICOM at all."""

import io
import os
import stat
import struct
import zlib
from pathlib import Path
from typing import BinaryIO, cast

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from xray_ai.errors import RejectionCode, StudyRejected
from xray_ai.imaging.attributes import attempt, text_of

LARGEST_FILE_BYTES = 512 * 2**20
LARGEST_INFLATED_BYTES = 256 * 2**20  # the largest image that is read has 128 MiB
LARGEST_INFLATION = 250  # times its size; radiographs deflate 2 to 20 times
HARMLESS_INFLATED_BYTES = 16 * 2**20  # below it a small synthetic image may deflate as well as it likes
MOST_READS = 400_000  # an element takes two or three of them; the fullest headers have a few thousand elements

PREFIX_END = 132
PIXEL_DATA = 0x7FE00010
UNDEFINED_LENGTH = 0xFFFFFFFF
SEND_AGAIN = "Send the image again from its source."


def open_part10(path: Path) -> Dataset:
    """Read a file's header and its still encoded pixel data.

    Raises: StudyRejected NOT_FOUND, FILE_UNREADABLE, FILE_TOO_LARGE or NOT_DICOM.
    Source: DICOM PS3.10 section 7; PS3.5 sections 7, A.
    """
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            raise StudyRejected(RejectionCode.FILE_UNREADABLE, "This is not a file.", remedy="Name a DICOM file.")
        _refuse_larger_than_limit(state.st_size)
        with path.open("rb") as file:
            return _parse(_BoundedReader(file, state.st_size))
    except (FileNotFoundError, ValueError) as error:
        raise StudyRejected(RejectionCode.NOT_FOUND, "There is no such file.", remedy="Check its path.") from error
    except OSError as error:
        found = f"The file cannot be opened: {os.strerror(error.errno) if error.errno else 'reading failed'}."
        raise StudyRejected(RejectionCode.FILE_UNREADABLE, found, remedy="Check it and its permissions.") from error


def parse_part10(content: bytes) -> Dataset:
    """Read a DICOM file that is already in memory; as `open_part10`."""
    _refuse_larger_than_limit(len(content))
    return _parse(_BoundedReader(io.BytesIO(content), len(content)))


class _BoundedReader:
    """A file that never hands out more than it holds, and stops a header of endless small elements."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self._reads = 0

    def read(self, count: int = -1) -> bytes:
        self._reads += 1
        if self._reads > MOST_READS:
            raise StudyRejected(RejectionCode.FILE_UNREADABLE, "The header has too many elements.", remedy=SEND_AGAIN)
        left = max(self._size - self._file.tell(), 0)
        return self._file.read(left if count < 0 else min(count, left))

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


def _parse(reader: _BoundedReader) -> Dataset:
    has_prefix = _skip_preamble(reader)
    dataset = attempt(lambda: _dataset_after_preamble(reader))
    is_plausible = dataset is not None and text_of(dataset, "SOPClassUID") != ""
    if not has_prefix and not is_plausible:
        raise StudyRejected(RejectionCode.NOT_DICOM, "This is not a DICOM file.", remedy="Send DICOM files only.")
    if dataset is None or len(dataset) == 0:
        found = "The header of this DICOM file is damaged or cut off."
        raise StudyRejected(RejectionCode.FILE_UNREADABLE, found, remedy=SEND_AGAIN)
    return dataset


def _skip_preamble(reader: _BoundedReader) -> bool:
    """Stand at the first element; True where the prefix DICM says that this is a DICOM file."""
    if reader.read(PREFIX_END).endswith(b"DICM"):
        return True
    reader.seek(0)
    first_group = reader.read(2)
    reader.seek(0)
    if first_group not in (b"\x02\x00", b"\x08\x00", b"\x00\x08"):
        raise StudyRejected(RejectionCode.NOT_DICOM, "This is not a DICOM file.", remedy="Send DICOM files only.")
    return False


def _dataset_after_preamble(reader: _BoundedReader) -> Dataset:
    meta = read_dataset(
        cast(BinaryIO, reader), is_implicit_VR=False, is_little_endian=True, stop_when=_is_past_file_meta
    )
    syntax = text_of(meta, "TransferSyntaxUID") or _guessed_syntax(reader)
    if syntax == DeflatedExplicitVRLittleEndian:
        inflated = _inflate(reader.read())
        reader = _BoundedReader(io.BytesIO(inflated), len(inflated))
    dataset = read_dataset(
        cast(BinaryIO, reader),
        is_implicit_VR=syntax == ImplicitVRLittleEndian,
        is_little_endian=syntax != ExplicitVRBigEndian,
        stop_when=_is_pixel_data,
    )
    dataset.file_meta = FileMetaDataset(meta)
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    _read_pixel_data(reader, dataset)
    return dataset


def _is_past_file_meta(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return int(tag) >> 16 != 2  # noqa: PLR2004 - group 0002 is File Meta Information


def _is_pixel_data(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return int(tag) == PIXEL_DATA


def _guessed_syntax(reader: _BoundedReader) -> str:
    """Tell the uncompressed transfer syntaxes apart by the first element, where File Meta Information is missing."""
    start = reader.tell()
    element = reader.read(6)
    reader.seek(start)
    if element[:2] == b"\x00\x08":
        return str(ExplicitVRBigEndian)
    return str(ExplicitVRLittleEndian if element[4:].isalpha() else ImplicitVRLittleEndian)


def _read_pixel_data(reader: _BoundedReader, dataset: Dataset) -> None:
    """Add Pixel Data where the reader stands before it: a native value, or fragments up to the end of the file."""
    is_implicit, is_little = dataset.original_encoding
    head = reader.read(8)
    if len(head) < 8:  # noqa: PLR2004 - tag and length
        return
    order = "<" if is_little else ">"
    vr = "OW" if is_implicit or not head[4:6].isalpha() else head[4:6].decode("ascii")
    if is_implicit or not head[4:6].isalpha():
        length = struct.unpack(f"{order}L", head[4:])[0]
    elif vr in EXPLICIT_VR_LENGTH_32:
        length = struct.unpack(f"{order}L", reader.read(4))[0]
    else:
        length = struct.unpack(f"{order}H", head[6:])[0]
    value = reader.read(-1 if length == UNDEFINED_LENGTH else length)
    dataset.add_new(PIXEL_DATA, vr if vr in ("OB", "OW") else "OW", value)
    dataset[PIXEL_DATA].is_undefined_length = length == UNDEFINED_LENGTH


def _inflate(deflated: bytes) -> bytes:
    """Unfold the deflated transfer syntax, but not a bomb."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    limit = min(LARGEST_INFLATED_BYTES, max(LARGEST_INFLATION * len(deflated), HARMLESS_INFLATED_BYTES))
    inflated = stream.decompress(deflated, limit)
    if stream.unconsumed_tail:
        found = "The compressed content of this file unfolds to far more than a radiograph needs."
        raise StudyRejected(RejectionCode.FILE_TOO_LARGE, found, remedy="Send the image uncompressed.")
    return inflated


def _refuse_larger_than_limit(size: int) -> None:
    if size > LARGEST_FILE_BYTES:
        found = f"The file is larger than {LARGEST_FILE_BYTES // 2**20} MiB, more than any radiograph needs."
        raise StudyRejected(RejectionCode.FILE_TOO_LARGE, found, remedy="Send single radiographs.")
