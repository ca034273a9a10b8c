"""What an object is beside the versions that came before it under the same SOP Instance UID."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from xray_ai.domain.received import ObjectDigest, Repeat
from xray_ai.errors import StudyRejected
from xray_ai.imaging.attributes import text_of, values_of
from xray_ai.imaging.decode import decode
from xray_ai.imaging.header import header_of
from xray_ai.imaging.part10 import PREFIX_END, open_part10
from xray_ai.imaging.stored_image import StoredImage
from xray_ai.records.received_instances import ReceivedInstance

PIECE_BYTES = 2**20
GROUP_LENGTH = struct.Struct("<4s2sHL")  # of File Meta Information, the first element of a file (PS3.10 7.1)
GROUP_LENGTH_HEAD = (b"\x02\x00\x00\x00", b"UL", 4)
# Beside the radiograph's header, what changes a reading though the stored values stay (PS3.3 C.7.6.3, C.11).
SEEN_BY_THE_MODEL = (
    *("PhotometricInterpretation", "PresentationLUTShape", "RescaleIntercept", "RescaleSlope", "VOILUTFunction"),
    *("ModalityLUTSequence", "VOILUTSequence", "PixelPaddingValue", "PixelPaddingRangeLimit"),
)


class Difference(Enum):
    """How two files with the same SOP Instance UID differ."""

    FILE_META = auto()  # the dataset is the same, byte for byte: another sender's name stands before it
    HEADER = auto()
    SYNTAX = auto()
    PIXELS = auto()


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is new about a file beside an earlier version of it."""

    difference: Difference
    reads_alike: bool  # nothing that a model sees, or acceptance judges by, has changed


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an object is beside those before it."""

    repeat: Repeat
    beside: ReceivedInstance | None = None  # the version that it repeats
    reads_alike: bool = True


def compare(new: Path, old: Path) -> Comparison:
    """Compare two files, by their pixels where it must be; that may take a second."""
    one, other = _opened(new), _opened(old)
    if other is None or one is None:  # expired meanwhile; or far larger than any radiograph
        return Comparison(Difference.PIXELS if one is None else Difference.HEADER, reads_alike=False)
    if _same_dataset(new, old):
        return Comparison(Difference.FILE_META, reads_alike=True)
    if not _same_pixels(one, other):
        return Comparison(Difference.PIXELS, reads_alike=False)
    same_syntax = one.file_meta.TransferSyntaxUID == other.file_meta.TransferSyntaxUID
    return Comparison(Difference.HEADER if same_syntax else Difference.SYNTAX, _reads_alike(one, other))


def judge(
    digest: ObjectDigest, versions: Sequence[ReceivedInstance], compared: Mapping[ObjectDigest, Comparison]
) -> Judgement | ReceivedInstance:
    """Judge an object by its earlier versions, or name the version that it must be compared with first."""
    same = next((version for version in versions if version.digest == digest), None)
    if same is not None:
        return Judgement(Repeat.SAME_BYTES, same)
    images = [version for version in versions if version.repeat.is_image_of_study]
    if not images:
        return Judgement(Repeat.NEW)
    newest = images[-1]  # it has the pixels of all others
    comparison = compared.get(newest.digest)
    if comparison is None:
        return newest
    repeat = {
        Difference.FILE_META: Repeat.SAME_BYTES,
        Difference.HEADER: Repeat.NEW_HEADER,
        Difference.SYNTAX: Repeat.NEW_SYNTAX,
        Difference.PIXELS: Repeat.CONFLICT,
    }[comparison.difference]
    return Judgement(repeat, newest, comparison.reads_alike)


def _opened(path: Path) -> Dataset | None:
    try:
        return open_part10(path)
    except StudyRejected:
        return None


def _same_dataset(new: Path, old: Path) -> bool:
    """Whether two files differ in nothing but their File Meta Information."""
    with new.open("rb") as one, old.open("rb") as other:
        starts = [_dataset_start(file.read(PREFIX_END + GROUP_LENGTH.size)) for file in (one, other)]
        if None in starts:
            return False
        one.seek(starts[0] or 0)
        other.seek(starts[1] or 0)
        while piece := one.read(PIECE_BYTES):
            if piece != other.read(PIECE_BYTES):
                return False
        return not other.read(1)


def _dataset_start(head: bytes) -> int | None:
    if len(head) < PREFIX_END + GROUP_LENGTH.size:
        return None
    *element, length = GROUP_LENGTH.unpack_from(head, PREFIX_END)
    return PREFIX_END + GROUP_LENGTH.size + length if tuple(element) == GROUP_LENGTH_HEAD else None


def _same_pixels(new: Dataset, old: Dataset) -> bool:
    """Whether both show the same stored values.

    A version that cannot be decoded was never read: one that can takes its place, since that is what the sender
    was asked for. Two that cannot are compared as they are encoded.
    """
    one, other = _decoded(new), _decoded(old)
    if one is None and other is None:
        return values_of(new, "PixelData") == values_of(old, "PixelData")
    if one is None or other is None:
        return one is not None
    return np.array_equal(one.values, other.values)


def _decoded(dataset: Dataset) -> StoredImage | None:
    try:
        return decode(dataset, least_side=None)
    except StudyRejected:
        return None


def _reads_alike(new: Dataset, old: Dataset) -> bool:
    return header_of(new) == header_of(old) and all(
        text_of(new, keyword) == text_of(old, keyword) for keyword in SEEN_BY_THE_MODEL
    )
