"""What acceptance by pixels found stands in the report: faults of an image as codes, refusals with who refused."""

from dataclasses import replace

import pytest
from pydicom.dataset import Dataset

from tests.factories import a_dataset
from tests.readings import MODEL, SCOPE, a_read_image, a_study_result, accepted, an_unread_image
from tests.results.test_structured_report import group, items, name_of, said, value_of
from xray_ai.domain.scope import QUALITY_FINDINGS, ScopeQuestion
from xray_ai.errors import RejectionCode, StudyRejected
from xray_ai.results.measurement_report import summary_of
from xray_ai.results.structured_report import structured_report
from xray_ai.results.study_result import StudyResult, UnreadImage

Q = ScopeQuestion


def a_report(study: StudyResult) -> Dataset:
    report = structured_report(study)
    assert report is not None
    return report


def a_study(*faults: ScopeQuestion) -> StudyResult:
    return a_study_result(accepted(a_read_image(), *faults), scope=SCOPE)


def refused(code: RejectionCode, body_part: str | None = "CHEST") -> UnreadImage:
    return an_unread_image(a_dataset(BodyPartExamined=body_part), StudyRejected(code, "Found this."))


def nothing_read(image: UnreadImage) -> StudyResult:
    return replace(a_study(), read=(), unread=(image,))


@pytest.mark.parametrize("fault", QUALITY_FINDINGS)
def test_a_fault_makes_the_quality_limited_and_is_named_by_its_code(fault: ScopeQuestion) -> None:
    report = a_report(a_study(fault))

    [rating] = [item for item in items(report) if name_of(item) == "Quality Assessment"]
    [finding] = [item for item in items(report) if name_of(item) == "Quality Finding"]
    assert rating.ConceptCodeSequence[0].CodeValue == "RID13"
    assert finding.ConceptCodeSequence[0].CodeValue == QUALITY_FINDINGS[fault].value
    assert [(name_of(item), value_of(item)) for item in finding.ContentSequence] == [("Probability", 0.9)]
    assert said(report, "Image Quality") == []


def test_each_fault_has_its_code() -> None:
    report = a_report(a_study(Q.OVEREXPOSED, Q.CLIPPED))

    assert said(report, "Quality Assessment") == ["Limited quality"]
    assert said(report, "Quality Finding") == ["Positioning", "Over exposed"]


def test_without_a_fault_no_rating_is_claimed() -> None:
    report = a_report(a_study())

    assert said(report, "Image Quality") == ["not rated; no fault found by pixels"]
    assert said(report, "Quality Assessment") == []


def test_where_pixels_were_not_checked_quality_is_not_assessed() -> None:
    assert said(a_report(a_study_result()), "Image Quality") == ["not assessed"]


def test_the_summary_tells_of_a_limited_image() -> None:
    assert "Limited image quality: Motion blur. Read by AI: 1 of 1 images." in summary_of(a_study(Q.MOTION))
    assert "quality" not in summary_of(a_study())


def test_the_model_that_let_an_image_pass_is_a_parameter_of_the_one_that_read_it() -> None:
    report = a_report(a_study())

    parameters = [str(parameter) for parameter in said(report, "Algorithm Parameters")]
    assert said(report, "Algorithm Name") == [MODEL.name]
    assert f"scope pack frontal-scope 0.1.0 SHA-256 {SCOPE.digest}" in parameters
    assert any(parameter.startswith("scope points: not_frontal_chest 0.5, turned_90 0.5") for parameter in parameters)
    assert "scope 0.1.0" in report.SoftwareVersions


@pytest.mark.parametrize("code", ["not_frontal_chest", "turned", "looks_inverted"])
def test_an_image_refused_by_its_pixels_names_the_scope_pack_as_the_algorithm(code: str) -> None:
    report = a_report(nothing_read(refused(RejectionCode(code))))

    assert group(report, "image 1 not read")[:4] == [
        ("Algorithm Name", "frontal-scope"),
        ("Algorithm Version", "0.1.0"),
        ("Algorithm Parameters", f"model pack SHA-256 {SCOPE.digest}"),
        ("Not read by AI: reason", f"Not read: {code.replace('_', ' ')}"),
    ]


def test_an_image_refused_by_its_header_names_no_algorithm() -> None:
    report = a_report(nothing_read(refused(RejectionCode.VIEW_POSITION)))

    assert said(report, "Algorithm Name") == []


@pytest.mark.parametrize(("code", "is_reported"), [("turned", True), ("looks_inverted", True), ("body_part", False)])
def test_a_chest_by_its_pixels_is_reported_as_not_read_though_its_header_says_nothing(
    code: str, *, is_reported: bool
) -> None:
    silent = refused(RejectionCode(code), body_part=None)

    assert (structured_report(nothing_read(silent)) is not None) is is_reported


def test_what_is_no_chest_by_header_nor_pixels_has_no_report() -> None:
    foot = refused(RejectionCode.NOT_FRONTAL_CHEST, body_part=None)

    assert structured_report(nothing_read(foot)) is None
