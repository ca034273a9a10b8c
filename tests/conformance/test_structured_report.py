"""Structured reports in the eyes of others: dicom3tools, Pixelmed and dcmtk find what we meant, and no error."""

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import GrayscaleSoftcopyPresentationStateStorage

from tests.factories import a_dataset, a_demo_file, as_part10
from tests.readings import SCOPE, a_read_image, a_score, a_study_result, accepted, an_unread_image, some_heat
from xray_ai.domain.evidence import SRForm
from xray_ai.domain.scope import ScopeQuestion
from xray_ai.errors import RejectionCode, StudyRejected
from xray_ai.imaging.part10 import open_part10, parse_part10
from xray_ai.results.part10_bytes import encoded
from xray_ai.results.structured_report import structured_report
from xray_ai.results.study_result import ReadImage, StudyResult, UnreadImage

pytestmark = pytest.mark.e2e

VIETNAMESE = {"SpecificCharacterSet": "ISO_IR 192", "PatientName": "Nguyễn^Thị Hương"}
FULL = {"PatientSex": "F", "StudyTime": "101500", "StudyID": "7", "AccessionNumber": "A1", "StudyDescription": "Ngực"}
SCORES = [
    a_score("Pneumothorax", 0.91),
    a_score("Pleural effusion", 0.3),
    a_score("Pleural thickening of unusual length", 0.02),
    a_score("Abnormality", 0.8),
]
# Why these are no errors of ours: docs/decisions/0021.
EXPLAINED = re.compile(
    r'Code \(43468-8,LN,"XR unspecified body region"\) not found in context group 100$'
    r"|^Error: Template 1410 PlanarROIMeasurements/.*/\[Row [57]\] .*: Missing conditional content item$"
)


def a_source(number: int = 1, **attributes: object) -> Dataset:
    """A header as it comes from a file."""
    source = a_dataset(SOPInstanceUID=f"1.2.3.{number}")
    for keyword, value in {**VIETNAMESE, **FULL, **attributes}.items():
        setattr(source, keyword, value)
    return parse_part10(as_part10(source))


def an_order() -> Dataset:
    order = Dataset()
    order.RequestedProcedureID, order.RequestedProcedureDescription = "P1", "Chụp X quang ngực thẳng"
    return order


def read(number: int = 1, **attributes: object) -> ReadImage:
    return a_read_image(a_source(number, **attributes), SCORES, heat=[some_heat()] * len(SCORES))


def poor(number: int = 1) -> ReadImage:
    return accepted(read(number), ScopeQuestion.CLIPPED, ScopeQuestion.MOTION)


def refused_by_pixels(number: int = 9) -> UnreadImage:
    refused = StudyRejected(RejectionCode.NOT_FRONTAL_CHEST, "By its pixels this is no frontal chest radiograph.")
    return an_unread_image(a_source(number), refused)


def unread(number: int = 9, **attributes: object) -> UnreadImage:
    refused = StudyRejected(RejectionCode.VIEW_POSITION, "This is a lateral view.", remedy="Send the frontal one.")
    return an_unread_image(a_source(number, ViewPosition="LL", **attributes), refused)


def nothing_read(*images: UnreadImage) -> StudyResult:
    return replace(a_study_result(), read=(), unread=images)


STUDIES = {
    "one image": a_study_result(read()),
    "a poor one and one refused by pixels": a_study_result(poor(1), unread=[refused_by_pixels(2)], scope=SCOPE),
    "no localisation": a_study_result(read(), localisation=False),
    "two frontals and a lateral": a_study_result(read(1), read(2, SeriesInstanceUID="1.2.4"), unread=[unread(3)]),
    "revised, on order": a_study_result(read(RequestAttributesSequence=[an_order()]), predecessor="2.25.1"),
    "nothing read": nothing_read(unread(1), unread(2)),
    "no image": nothing_read(unread(1, SOPClassUID=GrayscaleSoftcopyPresentationStateStorage)),
    "nothing flagged": a_study_result(a_read_image(a_source(), [a_score("Mass", 0.01), a_score("Abnormality", 0.2)])),
    "a bare header": a_study_result(a_read_image(a_dataset(PatientName=None, PatientID=None, StudyDate=None))),
}


def a_file(folder: Path, study: StudyResult, form: SRForm) -> Path:
    report = structured_report(replace(study, options=replace(study.options, sr_form=form)))
    assert report is not None
    file = folder / "report.dcm"
    file.write_bytes(encoded(report))
    return file


def errors_of_dciodvfy(file: Path) -> list[str]:
    verdict = subprocess.run(["dciodvfy", file], capture_output=True, text=True, check=False)
    assert "Comprehensive" in verdict.stderr  # it knows what this is
    return [line for line in verdict.stderr.splitlines() if line.startswith("Error")]


def verdict_of_pixelmed(file: Path) -> list[str]:
    jars = ":".join(str(jar) for jar in sorted(Path("/usr/share/java").glob("*.jar")))
    limits = [f"-Djdk.xml.{limit}=0" for limit in ("xpathTotalOpLimit", "xpathExprOpLimit", "xpathExprGrpLimit")]
    command = ["java", *limits, "-cp", jars, "com.pixelmed.validate.DicomSRValidator", str(file)]
    verdict = subprocess.run(command, capture_output=True, text=True, check=True)
    return verdict.stdout.splitlines()


@pytest.mark.parametrize("form", SRForm)
@pytest.mark.parametrize("study", STUDIES.values(), ids=STUDIES)
def test_dciodvfy_finds_no_error(tmp_path: Path, study: StudyResult, form: SRForm) -> None:
    assert errors_of_dciodvfy(a_file(tmp_path, study, form)) == []


@pytest.mark.parametrize(
    ("situation", "form"),
    [
        ("two frontals and a lateral", SRForm.COMPREHENSIVE_3D),
        ("revised, on order", SRForm.COMPREHENSIVE),
        ("nothing read", SRForm.COMPREHENSIVE_3D),
        ("a poor one and one refused by pixels", SRForm.COMPREHENSIVE_3D),
    ],
)
def test_pixelmed_finds_the_template_and_no_error_but_those_explained(
    tmp_path: Path, situation: str, form: SRForm
) -> None:
    verdict = verdict_of_pixelmed(a_file(tmp_path, STUDIES[situation], form))

    assert "Found Root Template TID_1500 (MeasurementReport)" in verdict
    assert "IOD validation complete" in verdict
    errors = [line for line in verdict if line.startswith("Error")]
    assert [line for line in errors if not EXPLAINED.search(line)] == []


@pytest.mark.parametrize("form", SRForm)
def test_dcmtk_renders_it(tmp_path: Path, form: SRForm) -> None:
    file = a_file(tmp_path, STUDIES["two frontals and a lateral"], form)

    rendered = subprocess.run(["dsrdump", "+Pl", "+U8", file], capture_output=True, text=True, check=True).stdout

    assert VIETNAMESE["PatientName"] in rendered
    assert '<contains TEXT:(,,"Comment")="RESEARCH USE - NOT FOR DIAGNOSIS">' in rendered
    assert '<contains CODE:(,,"Pneumothorax")=(52101004,SCT,"Present")>' in rendered
    assert '(view_position,99XRAYAI,"Not read: view position")' in rendered


def test_a_real_radiograph_keeps_its_patient(tmp_path: Path) -> None:
    source = open_part10(a_demo_file("RG1_UNCI"))

    file = a_file(tmp_path, a_study_result(a_read_image(source)), SRForm.COMPREHENSIVE_3D)

    report, image = dcmread(file), dcmread(a_demo_file("RG1_UNCI"), stop_before_pixels=True)
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "AccessionNumber", "StudyInstanceUID", "StudyTime"):
        assert report.get(keyword) == image.get(keyword), keyword
    assert errors_of_dciodvfy(file) == []
