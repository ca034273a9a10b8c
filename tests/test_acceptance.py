"""Acceptance by header: what is read, what is refused and in which words."""

from typing import Any

import pytest
from pydicom import uid

from tests.factories import a_radiograph_header, an_acceptance
from xray_ai.acceptance import CR_STORAGE, DX_FOR_PROCESSING, SECONDARY_CAPTURE, accept_header
from xray_ai.domain.radiograph import ViewPosition
from xray_ai.errors import RejectionCode, StudyRejected


def refusal_of(**changes: Any) -> StudyRejected:  # noqa: ANN401 - any field of the header
    with pytest.raises(StudyRejected) as refusal:
        accept_header(a_radiograph_header(**changes), an_acceptance())
    return refusal.value


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"sop_class_uid": CR_STORAGE, "modality": "CR", "presentation_intent": ""},
        {"modality": "RG"},
        {"view_position": ViewPosition.AP},
        {"body_part_examined": "THORAX"},
        {"body_part_examined": "LUNG"},
        {"body_part_examined": "CHEST_PORTABLE"},
        {"body_part_examined": "PORT CHEST AP"},
        {"patient_age_years": 16.0},
        {"patient_age_years": 101.0},
    ],
)
def test_a_frontal_chest_radiograph_of_an_adult_is_accepted(changes: dict[str, Any]) -> None:
    assert accept_header(a_radiograph_header(**changes), an_acceptance()) == ()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"patient_age_years": None}, "patient_age_unknown"),
        ({"view_position": ViewPosition.UNKNOWN}, "view_position_unknown"),
        ({"body_part_examined": ""}, "body_part_unknown"),
        ({"body_part_examined": "PA"}, "body_part_unknown"),
        ({"modality": ""}, "modality_unknown"),
    ],
)
def test_what_the_header_leaves_open_is_noted(changes: dict[str, Any], code: str) -> None:
    notes = accept_header(a_radiograph_header(**changes), an_acceptance())

    assert [note.code for note in notes] == [code]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sop_class_uid": uid.CTImageStorage}, RejectionCode.SOP_CLASS),
        ({"sop_class_uid": uid.DigitalMammographyXRayImageStorageForPresentation}, RejectionCode.SOP_CLASS),
        ({"sop_class_uid": uid.UltrasoundImageStorage}, RejectionCode.SOP_CLASS),
        ({"sop_class_uid": "1.2.3.4"}, RejectionCode.SOP_CLASS),
        ({"sop_class_uid": SECONDARY_CAPTURE}, RejectionCode.SOP_CLASS),
        ({"sop_class_uid": DX_FOR_PROCESSING}, RejectionCode.FOR_PROCESSING),
        ({"presentation_intent": "FOR PROCESSING"}, RejectionCode.FOR_PROCESSING),
        ({"modality": "MG"}, RejectionCode.MODALITY),
        ({"modality": "OT"}, RejectionCode.MODALITY),
        ({"body_part_examined": "EXTREMITY"}, RejectionCode.BODY_PART),
        ({"body_part_examined": "CHESTABDOMEN"}, RejectionCode.BODY_PART),
        ({"body_part_examined": "CHEST ABDOMEN"}, RejectionCode.BODY_PART),
        ({"view_position": ViewPosition.LATERAL}, RejectionCode.VIEW_POSITION),
        ({"view_position": ViewPosition.OTHER}, RejectionCode.VIEW_POSITION),
        ({"patient_age_years": 15.9}, RejectionCode.PATIENT_AGE),
    ],
)
def test_what_the_model_may_not_judge_is_refused_with_its_reason(changes: dict[str, Any], code: RejectionCode) -> None:
    refusal = refusal_of(**changes)

    assert refusal.code is code
    assert refusal.remedy


def test_a_secondary_capture_is_read_where_the_site_wants_it() -> None:
    capture = a_radiograph_header(sop_class_uid=SECONDARY_CAPTURE, modality="OT")

    assert accept_header(capture, an_acceptance(secondary_capture=True)) == ()


def test_an_oldest_age_includes_the_whole_last_year() -> None:
    acceptance = an_acceptance(oldest_age_years=90.0)

    assert accept_header(a_radiograph_header(patient_age_years=90.9), acceptance) == ()
    with pytest.raises(StudyRejected, match="older than 90"):
        accept_header(a_radiograph_header(patient_age_years=91.0), acceptance)


def test_a_refusal_names_what_was_found_where_the_standard_knows_it() -> None:
    assert "EXTREMITY" in refusal_of(body_part_examined="EXTREMITY").found
    assert "CT Image" in refusal_of(sop_class_uid=uid.CTImageStorage).found
    assert "lateral" in refusal_of(view_position=ViewPosition.LATERAL).found


@pytest.mark.parametrize("field", ["body_part_examined", "modality", "sop_class_uid"])
def test_a_refusal_never_repeats_what_the_standard_does_not_know(field: str) -> None:
    assert "ZZYZX" not in str(refusal_of(**{field: "ZZYZX QUIMBY"}))
