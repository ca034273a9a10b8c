"""What intake must know of an object before it is kept: identifiers, demographics, and whether it is our own."""

import re
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset

from xray_ai.domain.radiograph import RadiographHeader
from xray_ai.domain.uid import TransferSyntaxUID
from xray_ai.errors import StudyRejected
from xray_ai.imaging.attributes import text_of
from xray_ai.imaging.header import header_of
from xray_ai.imaging.part10 import open_part10, parse_part10
from xray_ai.records.studies import Demographics
from xray_ai.records.tables import LONGEST_DEMOGRAPHIC

HEAD_BYTES = 256 * 2**10  # a radiograph's header has 2 to 20 KiB
OUR_MANUFACTURER = "xray_ai"
OUR_SERIES_DESCRIPTION = "XRAY_AI "  # begins with it
# Neither database nor page takes these: controls, and halves of characters.
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class ReceivedHeader:
    """An object as its header describes it."""

    radiograph: RadiographHeader
    transfer_syntax_uid: TransferSyntaxUID
    demographics: Demographics
    says_it_is_ours: bool


def read_header(path: Path, size: int) -> ReceivedHeader:
    """Read the header of a received file of this size, and of its pixels as little as possible.

    Raises: StudyRejected NOT_DICOM, FILE_UNREADABLE, FILE_TOO_LARGE or HEADER_INCOMPLETE.
    """
    dataset = _opened(path, size)
    return ReceivedHeader(
        radiograph=header_of(dataset),
        transfer_syntax_uid=TransferSyntaxUID(str(dataset.file_meta.TransferSyntaxUID)[:64]),
        demographics=_demographics_of(dataset),
        says_it_is_ours=text_of(dataset, "Manufacturer") == OUR_MANUFACTURER
        and text_of(dataset, "SeriesDescription").startswith(OUR_SERIES_DESCRIPTION),
    )


def _opened(path: Path, size: int) -> Dataset:
    """Parse the first part of the file, and all of it only where the header does not end there."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    try:
        dataset = parse_part10(head)
    except StudyRejected:
        if size <= HEAD_BYTES:
            raise
        return open_part10(path)
    ends_in_head = size <= HEAD_BYTES or "PixelData" in dataset
    return dataset if ends_in_head else open_part10(path)


def _demographics_of(dataset: Dataset) -> Demographics:
    return Demographics(
        patient_name=_shown(dataset, "PatientName"),
        patient_id=_shown(dataset, "PatientID"),
        patient_birth_date=_shown(dataset, "PatientBirthDate"),
        patient_sex=_shown(dataset, "PatientSex"),
        study_date=_shown(dataset, "StudyDate"),
        study_time=_shown(dataset, "StudyTime"),
        accession_number=_shown(dataset, "AccessionNumber"),
        study_description=_shown(dataset, "StudyDescription"),
        patient_age=_shown(dataset, "PatientAge"),
        station_name=_shown(dataset, "StationName"),
        modalities=_shown(dataset, "Modality"),
    )


def _shown(dataset: Dataset, keyword: str) -> str:
    """Text as far as it can be decoded; the kept bytes are the truth."""
    return UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text_of(dataset, keyword))[:LONGEST_DEMOGRAPHIC]
