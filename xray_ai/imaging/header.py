"""Reads from a dataset what acceptance judges by, and forgives what real headers get wrong."""

import re
from datetime import date, datetime
from types import MappingProxyType

from pydicom.dataset import Dataset

from xray_ai.domain.radiograph import RadiographHeader
from xray_ai.domain.uid import SOPClassUID, SOPInstanceUID, StudyInstanceUID
from xray_ai.errors import RejectionCode, StudyRejected
from xray_ai.imaging.attributes import items_of, text_of, word_of
from xray_ai.imaging.view_position import view_position_of

UID_PATTERN = re.compile(r"[0-9]+(\.[0-9]+)+")  # PS3.5 9.1; leading zeros are forgiven
LONGEST_UID = 64
AGE_PATTERN = re.compile(r"(\d{1,3})([DWMY])")  # PS3.5 6.2, VR AS
DAYS_IN_YEAR = 365.25
DAYS_BY_UNIT = MappingProxyType({"D": 1.0, "W": 7.0, "M": DAYS_IN_YEAR / 12, "Y": DAYS_IN_YEAR})
OLDEST_YEARS = 130.0

# Anatomic Region Sequence: SNOMED CT, and the SNOMED RT values that older objects carry.
BODY_PART_BY_CODE = MappingProxyType({"51185008": "CHEST", "T-D3000": "CHEST", "39607008": "LUNG", "T-28000": "LUNG"})


def header_of(dataset: Dataset) -> RadiographHeader:
    """Describe the radiograph as far as its header does.

    Raises: StudyRejected HEADER_INCOMPLETE, when one of the three identifiers is missing or no UID.
    """
    return RadiographHeader(
        sop_instance_uid=SOPInstanceUID(_uid_of(dataset, "SOPInstanceUID", "SOP Instance UID")),
        study_instance_uid=StudyInstanceUID(_uid_of(dataset, "StudyInstanceUID", "Study Instance UID")),
        sop_class_uid=SOPClassUID(_uid_of(dataset, "SOPClassUID", "SOP Class UID")),
        modality=word_of(dataset, "Modality"),
        body_part_examined=_body_part_of(dataset),
        view_position=view_position_of(dataset),
        patient_age_years=_age_of(dataset),
        presentation_intent=word_of(dataset, "PresentationIntentType"),
    )


def _uid_of(dataset: Dataset, keyword: str, name: str) -> str:
    uid = text_of(dataset, keyword)
    if UID_PATTERN.fullmatch(uid) is None or len(uid) > LONGEST_UID:
        found = f"The header has no valid {name}."
        raise StudyRejected(RejectionCode.HEADER_INCOMPLETE, found, remedy="Send the image again from the modality.")
    return uid


def _body_part_of(dataset: Dataset) -> str:
    """Body Part Examined, else the region's code, else the code's meaning; Code String characters only."""
    body_part = word_of(dataset, "BodyPartExamined")
    for region in items_of(dataset, "AnatomicRegionSequence"):
        code = text_of(region, "CodeValue").upper()
        body_part = body_part or BODY_PART_BY_CODE.get(code) or word_of(region, "CodeMeaning")
    return re.sub(r"[^A-Z0-9_]+", " ", body_part).strip()


def _age_of(dataset: Dataset) -> float | None:
    """Patient's Age, else from birth to study; None where neither makes sense."""
    stated = AGE_PATTERN.fullmatch(word_of(dataset, "PatientAge"))
    born, studied = _date_of(dataset, "PatientBirthDate"), _date_of(dataset, "StudyDate")
    if stated:
        years = int(stated[1]) * DAYS_BY_UNIT[stated[2]] / DAYS_IN_YEAR
    elif born and studied:
        years = (studied - born).days / DAYS_IN_YEAR
    else:
        return None
    return years if 0.0 <= years <= OLDEST_YEARS else None


def _date_of(dataset: Dataset, keyword: str) -> date | None:
    text = text_of(dataset, keyword).replace(".", "").replace("-", "")  # ACR-NEMA wrote 1995.07.20
    if re.fullmatch(r"[0-9]{8}", text) is None:
        return None
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a date has no time zone
    except ValueError:
        return None
