"""Headers as DICOM JSON (PS3.18 annex F), and which attributes a search answers at each level."""

from collections.abc import Iterable, Mapping
from functools import partial

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

from xray_ai.imaging.attributes import attempt

Json = dict[str, object]
PIXEL_DATA = "7FE00010"
MOST_BYTES = 2**31  # no value of a header is left out
STUDY = [
    "SpecificCharacterSet",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ModalitiesInStudy",
    "ReferringPhysicianName",
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "StudyID",
    "StudyDescription",
    "NumberOfStudyRelatedSeries",
    "NumberOfStudyRelatedInstances",
]
SERIES = [
    "SpecificCharacterSet",
    "Modality",
    "SeriesDescription",
    "SeriesInstanceUID",
    "SeriesNumber",
    "PerformedProcedureStepStartDate",
    "PerformedProcedureStepStartTime",
    "NumberOfSeriesRelatedInstances",
]
INSTANCE = [
    "SpecificCharacterSet",
    "SOPClassUID",
    "SOPInstanceUID",
    "InstanceNumber",
    "Rows",
    "Columns",
    "BitsAllocated",
    "NumberOfFrames",
]


def answered(header: Dataset, keywords: Iterable[str], url: str) -> Json:
    """One match of a search: these attributes, and where it is retrieved."""
    picked = Dataset()
    for keyword in dict.fromkeys(keywords):
        element = _element(header, keyword)
        if element is not None:
            picked.add(element)
    return as_json(picked) | {"00081190": {"vr": "UR", "Value": [url]}}


def as_json(header: Dataset, bulk: Mapping[str, tuple[str, str]] | None = None) -> Json:
    """All attributes; bulk names by tag the VR and the place of what is not in the header."""
    told: Json = {}
    for tag in list(header.keys()):
        element = _element(header, tag)
        one = attempt(partial(element.to_json_dict, None, MOST_BYTES)) if element is not None else None
        if one is not None:
            told[f"{int(tag):08X}"] = one
    for place_of, (vr, place) in (bulk or {}).items():
        told[place_of] = {"vr": vr, "BulkDataURI": place}
    return told


def _element(header: Dataset, tag: BaseTag | str) -> DataElement | None:
    """One attribute; None where it is absent or damaged."""
    return attempt(lambda: header[Tag(tag)]) if tag in header else None
