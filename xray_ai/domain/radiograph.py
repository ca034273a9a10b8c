"""A projection radiograph as its header describes it, before any pixel is decoded."""

from dataclasses import dataclass
from enum import StrEnum

from xray_ai.domain.uid import SOPClassUID, SOPInstanceUID, StudyInstanceUID


class ViewPosition(StrEnum):
    """How the beam crossed the patient, as far as this service must tell views apart (PS3.3 C.8.11.4, CID 4010)."""

    PA = "PA"
    AP = "AP"
    LATERAL = "LATERAL"
    OTHER = "OTHER"
    UNKNOWN = "UNKNOWN"

    @property
    def is_frontal(self) -> bool:
        return self in (ViewPosition.PA, ViewPosition.AP)


@dataclass(frozen=True, slots=True)
class RadiographHeader:
    """What acceptance judges by. An empty string or None means that the header does not say."""

    sop_instance_uid: SOPInstanceUID
    study_instance_uid: StudyInstanceUID
    sop_class_uid: SOPClassUID
    modality: str
    body_part_examined: str  # upper case, Code String characters only
    view_position: ViewPosition
    patient_age_years: float | None
    presentation_intent: str  # FOR PRESENTATION, FOR PROCESSING or empty


@dataclass(frozen=True, slots=True)
class Note:
    """Something a reader of the result should know; it stops nothing."""

    code: str
    text: str
