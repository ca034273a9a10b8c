"""Headers as DICOM JSON (PS3.18 annex F), and which attributes a search answers at each level."""

from collections.abc import Iterable, Mapping

from pydicom.dataset import Dataset
from pydicom.tag import Tag

from xray_ai.imaging.attributes import attempt

Json = dict[str, object]
PIXEL_DATA = "7FE00010"
STUDY = (
    "SpecificCharacterSet StudyDate StudyTime AccessionNumber ModalitiesInStudy ReferringPhysicianName PatientName "
    "PatientID PatientBirthDate PatientSex StudyInstanceUID StudyID StudyDescription NumberOfStudyRelatedSeries "
    "NumberOfStudyRelatedInstances"
).split()
SERIES = (
    "SpecificCharacterSet Modality SeriesDescription SeriesInstanceUID SeriesNumber PerformedProcedureStepStartDate "
    "PerformedProcedureStepStartTime NumberOfSeriesRelatedInstances"
).split()
INSTANCE = (
    "SpecificCharacterSet SOPClassUID SOPInstanceUID InstanceNumber Rows Columns BitsAllocated NumberOfFrames"
).split()


def answered(header: Dataset, keywords: Iterable[str], url: str) -> Json:
    """One match of a search: these attributes, and where it is retrieved."""
    picked = Dataset()
    for keyword in dict.fromkeys(keywords):
        element = attempt(lambda name=keyword: header[name])
        if element is not None:
            picked.add(element)
    return as_json(picked) | {"00081190": {"vr": "UR", "Value": [url]}}


def as_json(header: Dataset, bulk: Mapping[str, tuple[str, str]] | None = None) -> Json:
    """All attributes; bulk names by tag the VR and the place of what is not in the header."""
    told: Json = {}
    for tag in header.keys():
        one = attempt(lambda tag=tag: _element(header, tag))
        if one is not None:
            told[f"{Tag(tag):08X}"] = one
    for tag, (vr, place) in (bulk or {}).items():
        told[tag] = {"vr": vr, "BulkDataURI": place}
    return told


def _element(header: Dataset, tag: int) -> object:
    return header[tag].to_json_dict(None, 1024)
