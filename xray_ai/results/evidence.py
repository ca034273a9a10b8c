"""All that is written about one study, composed at once."""

from collections.abc import Mapping
from dataclasses import dataclass

from xray_ai.domain.uid import SOPInstanceUID
from xray_ai.results.part10_bytes import encoded
from xray_ai.results.secondary_capture import secondary_capture
from xray_ai.results.structured_report import structured_report
from xray_ai.results.study_result import StudyResult


@dataclass(frozen=True, slots=True)
class Evidence:
    """The DICOM objects of one study, as files (PS3.10)."""

    structured_report: bytes | None  # None: nothing was read, and no header says that it is a chest
    secondary_captures: Mapping[SOPInstanceUID, bytes]  # by the image that each shows


def compose(study: StudyResult) -> Evidence:
    """Compose the evidence of a study: the same study gives the same bytes."""
    report = structured_report(study)
    captures = ((image.header.sop_instance_uid, secondary_capture(study, image)) for image in study.read)
    return Evidence(
        structured_report=encoded(report) if report is not None else None,
        secondary_captures={uid: encoded(capture) for uid, capture in captures if capture is not None},
    )
