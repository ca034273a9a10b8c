"""What acceptance judges by, read from headers as they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from tests.factories import a_dataset, a_demo_file
from xray_ai.domain.radiograph import ViewPosition
from xray_ai.errors import RejectionCode, StudyRejected
from xray_ai.imaging.header import header_of
from xray_ai.imaging.part10 import open_part10


def test_a_real_chest_radiograph_is_described() -> None:
    header = header_of(open_part10(a_demo_file("RG1_UNCR")))

    assert (header.modality, header.body_part_examined, header.view_position) == ("CR", "CHEST", ViewPosition.PA)
    assert header.patient_age_years == pytest.approx(64.5, abs=0.1)
    assert header.sop_instance_uid == "1.3.6.1.4.1.5962.1.1.9.1.1.20040826185059.5457"


@pytest.mark.parametrize("keyword", ["SOPInstanceUID", "StudyInstanceUID", "SOPClassUID"])
@pytest.mark.parametrize("uid", ["", "garbage", "1.2.", "1..2", "12", "1.2." + "3" * 62])
def test_an_identifier_that_is_no_uid_is_refused(keyword: str, uid: str) -> None:
    dataset = a_dataset()
    dataset.add_new(keyword, "LO", uid)

    with pytest.raises(StudyRejected) as refusal:
        header_of(dataset)

    assert refusal.value.code is RejectionCode.HEADER_INCOMPLETE
    assert "garbage" not in str(refusal.value)


def test_a_uid_with_leading_zeros_or_padding_is_forgiven() -> None:
    dataset = a_dataset(SOPInstanceUID=None)
    dataset.add_new("SOPInstanceUID", "LO", "1.2.003.4\0")

    assert header_of(dataset).sop_instance_uid == "1.2.003.4"


@pytest.mark.parametrize(
    ("text", "years"), [("045Y", 45), ("006M", 0.5), ("052W", 52 * 7 / 365.25), ("010D", 10 / 365.25), ("45y", 45)]
)
def test_patient_age_is_read_in_its_unit(text: str, years: float) -> None:
    assert header_of(a_dataset(PatientAge=text)).patient_age_years == pytest.approx(years)


@pytest.mark.parametrize(
    ("born", "studied", "years"),
    [
        ("19600704", "20200704", 60),
        ("1960.07.04", "20200704", 60),
        ("", "20200704", None),
        ("19600704", "", None),
        ("19601399", "20200704", None),
        ("20300101", "20200704", None),
        ("18000101", "20200704", None),
    ],
)
def test_without_an_age_birth_and_study_dates_tell_it_where_they_make_sense(
    born: str, studied: str, years: float | None
) -> None:
    age = header_of(a_dataset(PatientBirthDate=born, StudyDate=studied)).patient_age_years

    assert age == (None if years is None else pytest.approx(years, abs=0.01))


def test_body_part_is_upper_case_and_free_of_odd_characters() -> None:
    assert header_of(a_dataset(BodyPartExamined=" Thorax, p.a. ")).body_part_examined == "THORAX P A"


@pytest.mark.parametrize(
    ("code", "meaning", "body_part"),
    [("51185008", "Thorax", "CHEST"), ("T-D3000", "Chest", "CHEST"), ("30021000", "Lower leg", "LOWER LEG")],
)
def test_the_anatomic_region_counts_where_body_part_is_missing(code: str, meaning: str, body_part: str) -> None:
    region = Dataset()
    region.CodeValue, region.CodeMeaning = code, meaning

    header = header_of(a_dataset(BodyPartExamined=None, AnatomicRegionSequence=[region]))

    assert header.body_part_examined == body_part


def test_absent_attributes_leave_gaps_and_raise_nothing() -> None:
    header = header_of(
        a_dataset(
            Modality=None,
            BodyPartExamined=None,
            ViewPosition=None,
            PatientBirthDate=None,
            PresentationIntentType=None,
        )
    )

    assert (header.modality, header.body_part_examined, header.presentation_intent) == ("", "", "")
    assert header.view_position is ViewPosition.UNKNOWN
    assert header.patient_age_years is None


@given(st.sampled_from(["Modality", "PatientAge", "BodyPartExamined", "ViewPosition", "StudyDate"]), st.binary())
def test_any_bytes_in_any_attribute_are_survived(keyword: str, value: bytes) -> None:
    dataset = a_dataset()
    dataset.add_new(keyword, "OB", value)

    assert header_of(dataset).sop_instance_uid
