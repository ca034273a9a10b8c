import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from highdicom.sr import Comprehensive3DSR, ComprehensiveSR, MeasurementReport, srread
from pydicom.dataset import Dataset
from pydicom.uid import GrayscaleSoftcopyPresentationStateStorage

from tests.factories import a_dataset
from tests.readings import MODEL, POLICY, READ_AT, a_read_image, a_score, a_study_result, an_unread_image, some_heat
from xray_ai.domain.evidence import SRForm
from xray_ai.domain.finding import Score
from xray_ai.domain.priority import Priority
from xray_ai.domain.radiograph import Note
from xray_ai.errors import RejectionCode, StudyRejected
from xray_ai.results.part10_bytes import encoded
from xray_ai.results.structured_report import structured_report
from xray_ai.results.study_result import ReadImage, StudyResult, UnreadImage

Report = Comprehensive3DSR | ComprehensiveSR
PNEUMOTHORAX = a_score("Pneumothorax", 0.91, 0.4)
PERHAPS_EFFUSION = a_score("Pleural effusion", 0.3, 0.5)
NO_HERNIA = a_score("Hernia", 0.012345678, 0.5)
ABNORMAL = a_score("Abnormality", 0.8, 0.5)
LATERAL = StudyRejected(RejectionCode.VIEW_POSITION, "This is a lateral view.", remedy="Send the frontal one.")


def an_image(number: int = 1, scores: Sequence[Score] = (PNEUMOTHORAX, ABNORMAL), **attributes: str) -> ReadImage:
    return a_read_image(a_source(number, **attributes), scores)


def a_lateral(number: int = 9, **attributes: str) -> UnreadImage:
    return an_unread_image(a_source(number, ViewPosition="LL", **attributes), LATERAL)


def a_source(number: int, **attributes: str) -> Dataset:
    source = a_dataset(SOPInstanceUID=f"1.2.3.{number}")
    for keyword, value in attributes.items():
        setattr(source, keyword, value)
    return source


def nothing_read(*unread: UnreadImage) -> StudyResult:
    return replace(a_study_result(), read=(), unread=unread)


def written(study: StudyResult) -> Report:
    """The report after it has been a file, as highdicom reads it."""
    report = structured_report(study)
    assert report is not None
    document = srread(BytesIO(encoded(report)))
    assert isinstance(document, Comprehensive3DSR | ComprehensiveSR)
    return document


def report_of(*scores: Score, localisation: bool = True) -> Report:
    return written(a_study_result(an_image(scores=scores), localisation=localisation))


def items(node: Dataset) -> Iterator[Dataset]:
    """All content items below one, in the order of the report."""
    for item in node.get("ContentSequence", ()):
        yield item
        yield from items(item)


def name_of(item: Dataset) -> str:
    return str(item.ConceptNameCodeSequence[0].CodeMeaning)


def value_of(item: Dataset) -> object:
    match item.ValueType:
        case "CODE":
            return item.ConceptCodeSequence[0].CodeMeaning
        case "NUM":
            return float(item.MeasuredValueSequence[0].NumericValue)
        case "IMAGE" | "COMPOSITE":
            return item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        case "TEXT":
            return item.TextValue
    return None


def group(report: Dataset, tracking_identifier: str) -> list[tuple[str, object]]:
    """One measurement group as names and values, without what identifies it."""
    for item in items(report):
        inner = item.get("ContentSequence", ())
        if name_of(item) == "Measurement Group" and value_of(inner[0]) == f"XRAY_AI {tracking_identifier}":
            return [(name_of(each), value_of(each)) for each in inner][2:]
    return []


def said(report: Dataset, name: str) -> list[object]:
    return [value_of(item) for item in items(report) if name_of(item) == name]


def test_a_present_finding_has_a_group_of_its_own() -> None:
    report = report_of(PNEUMOTHORAX)

    assert group(report, "image 1 pneumothorax") == [
        ("Finding", "Pneumothorax"),
        ("Finding Site", "Pleura"),
        ("Probability", 0.91),
        ("Operating point (present at or above)", 0.4),
        ("Pneumothorax", "Present"),
        ("Source of Measurement", "1.2.3.1"),
    ]


@pytest.mark.parametrize(
    ("probability", "presence"),
    [(0.5, "Present"), (0.499999, "Undetermined"), (0.1, "Undetermined"), (0.099999, "Absent"), (0.0, "Absent")],
)
def test_presence_is_decided_by_the_two_points_of_the_pack(probability: float, presence: str) -> None:
    report = report_of(a_score("Mass", probability, 0.5))  # rule-out point 0.1

    assert said(report, "Mass") == [presence]


def test_absent_findings_share_one_group_and_keep_their_probabilities() -> None:
    report = report_of(NO_HERNIA, a_score("Mass", 0.02), PERHAPS_EFFUSION)

    assert group(report, "image 1 absent findings") == [
        ("Hernia", "Absent"),
        ("Mass", "Absent"),
        ("Source of Measurement", "1.2.3.1"),
    ]
    assert {0.012346, 0.02} <= set(said(report, "Probability"))


def test_an_image_says_how_likely_it_is_that_anything_is_to_be_seen() -> None:
    report = report_of(PNEUMOTHORAX, ABNORMAL)

    assert group(report, "image 1")[5:8] == [
        ("Probability", 0.8),
        ("Operating point (present at or above)", 0.5),
        ("Abnormality", "Present"),
    ]


def test_abnormality_is_never_called_absent() -> None:
    report = report_of(a_score("Abnormality", 0.01, 0.5))

    assert "Absent" not in [value_of(item) for item in items(report)]


def test_flagged_findings_come_first() -> None:
    report = report_of(PERHAPS_EFFUSION, PNEUMOTHORAX)

    assert said(report, "Finding")[:2] == ["Pneumothorax", "Pneumothorax"]  # with its region
    assert said(report, "Finding")[-1] == "Pleural effusion"


@pytest.mark.parametrize(
    ("finding", "category"), [("Pneumothorax", "1"), ("Mass", "2"), ("Hernia", "3")], ids=["STAT", "HIGH", "ROUTINE"]
)
def test_the_acr_category_tells_how_soon_what_was_flagged_wants_action(finding: str, category: str) -> None:
    report = report_of(a_score(finding, 0.9))

    assert said(report, "Actionable finding classification") == [f"ACR Category {category} Actionable Finding"]


def test_without_a_flagged_finding_nothing_is_actionable_however_urgent_the_order() -> None:
    report = written(a_study_result(a_read_image(scores=[NO_HERNIA], ordered=Priority.STAT)))

    assert said(report, "Actionable finding classification") == []
    assert said(report, "Priority") == ["STAT"]


def test_image_quality_is_not_claimed() -> None:
    assert said(report_of(PNEUMOTHORAX), "Image Quality") == ["not assessed"]


@pytest.mark.parametrize(("position", "view"), [("PA", "postero-anterior"), ("AP", "antero-posterior")])
def test_the_view_is_said_of_the_image_and_in_the_library(position: str, view: str) -> None:
    report = written(a_study_result(an_image(ViewPosition=position)))

    assert said(report, "Image View") == [view, view]


def test_notes_on_an_image_are_repeated() -> None:
    image = replace(an_image(), notes=(Note("view_position_unknown", "The header does not say the view."),))

    assert "The header does not say the view." in said(written(a_study_result(image)), "Comment")


def test_the_observer_is_a_device_with_its_model() -> None:
    report = report_of(PNEUMOTHORAX)

    assert said(report, "Observer Type") == ["Device"]
    assert said(report, "Device Observer Manufacturer") == ["xray_ai"]
    assert said(report, "Device Observer Model Name") == [f"{MODEL.name} {MODEL.version}"]
    assert said(report, "Device Observer Serial Number") == [MODEL.digest]


def test_the_algorithm_is_named_with_policy_and_threshold_set() -> None:
    report = report_of(PNEUMOTHORAX)

    pack, policy, thresholds = said(report, "Algorithm Parameters")

    assert said(report, "Algorithm Version") == [MODEL.version]
    assert MODEL.digest in str(pack)
    assert POLICY.digest in str(policy)
    assert "pneumothorax 0.4 / 0.1" in str(thresholds)


def test_a_located_finding_has_its_region_in_pixels_of_the_source() -> None:
    image = a_read_image(a_source(1), [PNEUMOTHORAX], heat=[some_heat((3, 2))])
    rows, columns = image.source.Rows, image.source.Columns

    content = written(a_study_result(image)).content

    assert isinstance(content, MeasurementReport)
    [region] = content.get_planar_roi_measurement_groups()
    left, top, right, bottom = 2 / 8 * columns, 3 / 10 * rows, 4 / 8 * columns, 4 / 10 * rows
    assert region.tracking_identifier == "XRAY_AI image 1 pneumothorax region 1"
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    assert region.roi is not None
    assert region.roi.value == pytest.approx(np.array(corners), rel=1e-6)


def test_no_region_is_shown_where_localisation_is_switched_off() -> None:
    report = report_of(PNEUMOTHORAX, localisation=False)

    assert [item for item in items(report) if item.ValueType == "SCOORD"] == []


def test_no_region_is_shown_of_what_is_undetermined() -> None:
    report = report_of(PERHAPS_EFFUSION)

    assert [item for item in items(report) if item.ValueType == "SCOORD"] == []


def test_an_image_that_was_not_read_is_listed_with_its_coded_reason() -> None:
    report = written(a_study_result(an_image(1), an_image(2), unread=[a_lateral(3)]))

    assert group(report, "image 3 not read") == [
        ("Not read by AI: reason", "Not read: view position"),
        ("Comment", "Not read by AI. This is a lateral view. Send the frontal one."),
        ("Source of Measurement", "1.2.3.3"),
    ]
    assert said(report, "Source")[:3] == ["1.2.3.1", "1.2.3.2", "1.2.3.3"]


@pytest.mark.parametrize("code", RejectionCode)
def test_every_reason_has_its_code(code: RejectionCode) -> None:
    report = written(nothing_read(an_unread_image(a_source(1), StudyRejected(code, "Found this."))))

    [reason] = [item for item in items(report) if name_of(item) == "Not read by AI: reason"]
    value = reason.ConceptCodeSequence[0]
    assert (value.get("CodeValue") or value.LongCodeValue, value.CodingSchemeDesignator) == (code, "99XRAYAI")


def test_an_object_that_is_no_image_is_referenced_as_what_it_is() -> None:
    lines = a_source(2, SOPClassUID=GrayscaleSoftcopyPresentationStateStorage)
    refused = an_unread_image(lines, StudyRejected(RejectionCode.SOP_CLASS, "No radiograph."))

    report = written(a_study_result(an_image(1), unread=[refused]))

    assert [value_of(item) for item in items(report) if item.ValueType == "COMPOSITE"] == ["1.2.3.2"]
    assert said(report, "Source")[:2] == ["1.2.3.1", "1.2.3.1"]  # the library, and a region


@pytest.mark.parametrize("body_part", ["CHEST", "THORAX", "LUNG", "CHEST PA", "chest_2v"])
def test_a_chest_that_was_not_read_is_reported(body_part: str) -> None:
    report = written(nothing_read(a_lateral(1, BodyPartExamined=body_part)))

    assert said(report, "Summary") == ["Not read by AI: none of 1 images. This says nothing about the patient."]


@pytest.mark.parametrize("body_part", ["", "HAND", "CHESTABDPELVIS"])
def test_a_study_of_anything_else_has_no_report(body_part: str) -> None:
    assert structured_report(nothing_read(a_lateral(1, BodyPartExamined=body_part))) is None


def test_the_summary_names_what_was_flagged_the_most_urgent_first() -> None:
    likely = an_image(1, [PNEUMOTHORAX, a_score("Mass", 0.95), ABNORMAL])
    likelier = an_image(2, [a_score("Pneumothorax", 0.97, 0.4)])

    report = written(a_study_result(likely, likelier, unread=[a_lateral()]))

    assert said(report, "Summary") == [
        "Flagged: Pneumothorax 0.97, Mass 0.95, Abnormality 0.80. Priority STAT. Read by AI: 2 of 3 images."
    ]


def test_where_nothing_is_flagged_the_summary_says_no_more_than_that() -> None:
    report = written(a_study_result(a_read_image(scores=[NO_HERNIA], ordered=Priority.HIGH)))

    assert said(report, "Summary") == ["No finding flagged. Priority HIGH as ordered. Read by AI: 1 of 1 images."]


def test_the_word_that_clears_a_patient_is_nowhere() -> None:
    report = report_of(NO_HERNIA, a_score("Abnormality", 0.01, 0.5))

    assert re.findall(r"\bnormal\b", str(report), flags=re.IGNORECASE) == []


def test_a_person_sees_first_that_it_is_no_diagnosis() -> None:
    texts = [value_of(item) for item in items(report_of(PNEUMOTHORAX)) if item.RelationshipType == "CONTAINS"]

    assert texts[0] == "RESEARCH USE - NOT FOR DIAGNOSIS"


def test_evidence_is_grouped_by_series_and_holds_every_reference() -> None:
    images = [an_image(1, SeriesInstanceUID="1.5"), an_image(2, SeriesInstanceUID="1.4")]
    report = written(a_study_result(*images, unread=[a_lateral(3, SeriesInstanceUID="1.5")]))

    [evidence] = report.CurrentRequestedProcedureEvidenceSequence
    grouped = {
        series.SeriesInstanceUID: [one.ReferencedSOPInstanceUID for one in series.ReferencedSOPSequence]
        for series in evidence.ReferencedSeriesSequence
    }

    assert grouped == {"1.5": ["1.2.3.1", "1.2.3.3"], "1.4": ["1.2.3.2"]}
    referenced = {value_of(item) for item in items(report) if item.ValueType in {"IMAGE", "COMPOSITE"}}
    assert referenced == {"1.2.3.1", "1.2.3.2", "1.2.3.3"}


def test_a_revised_report_names_its_predecessor_and_the_series_that_it_was_in() -> None:
    first = written(a_study_result(an_image(1)))

    revised = written(a_study_result(an_image(1), an_image(2), predecessor=str(first.SOPInstanceUID)))

    [series] = revised.PredecessorDocumentsSequence[0].ReferencedSeriesSequence
    assert series.SeriesInstanceUID == first.SeriesInstanceUID
    assert series.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == first.SOPInstanceUID
    assert series.ReferencedSOPSequence[0].ReferencedSOPClassUID == first.SOPClassUID


def test_the_order_of_the_image_is_referenced() -> None:
    image, order = an_image(), Dataset()
    order.RequestedProcedureID = "P1"
    image.source.RequestAttributesSequence = [order]

    assert written(a_study_result(image)).ReferencedRequestSequence[0].RequestedProcedureID == "P1"


@pytest.mark.parametrize(("form", "kind"), [*zip(SRForm, (Comprehensive3DSR, ComprehensiveSR), strict=True)])
def test_the_form_decides_the_sop_class(form: SRForm, kind: type[Report]) -> None:
    assert type(written(a_study_result(an_image(), sr_form=form))) is kind


def test_it_is_a_complete_unverified_preliminary_document_of_our_own_series() -> None:
    report = written(a_study_result(an_image(), sr_series_number=77))

    assert (report.CompletionFlag, report.VerificationFlag, report.PreliminaryFlag) == (
        *("COMPLETE", "UNVERIFIED"),
        "PRELIMINARY",
    )
    assert report.SeriesDescription.startswith("XRAY_AI")
    assert (report.SeriesNumber, report.Modality, report.Manufacturer) == (77, "SR", "xray_ai")
    assert report.CodingSchemeIdentificationSequence[0].CodingSchemeDesignator == "99XRAYAI"


def test_it_was_made_when_the_last_image_was_read() -> None:
    report = report_of(PNEUMOTHORAX)

    assert report.ContentDate == report.SeriesDate == report.InstanceCreationDate == f"{READ_AT:%Y%m%d}"
    assert report.ContentTime == report.SeriesTime == report.InstanceCreationTime == "081530.250000"


def test_it_carries_the_patient_of_the_source() -> None:
    report = written(a_study_result(an_image(SpecificCharacterSet="ISO_IR 192", PatientName="Nguyễn^Thị Hương")))

    assert str(report.PatientName) == "Nguyễn^Thị Hương"
    assert report.SpecificCharacterSet == "ISO_IR 192"


def test_names_of_a_pack_are_written_in_plain_letters() -> None:
    report = report_of(a_score("Tràn khí màng phổi", 0.9))

    assert "Tran khi mang phoi" in said(report, "Finding")


def test_a_header_that_says_next_to_nothing_is_enough() -> None:
    bare = Dataset()
    for keyword in ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID"):
        setattr(bare, keyword, a_dataset()[keyword].value)

    report = written(a_study_result(replace(an_image(), source=bare)))

    assert group(report, "image 1 pneumothorax") != []
    assert report.PatientName == ""
