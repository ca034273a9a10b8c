"""The heatmap as a Secondary Capture: what it shows and says, in every form, and when there is none."""

from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom import uid
from pydicom.dataset import Dataset

from tests.factories import MARKED_NAME, a_dataset, some_pixels
from tests.readings import (
    ABNORMAL,
    MASS,
    MODEL,
    NO_PNEUMOTHORAX,
    READ_AT,
    a_read_image,
    a_score,
    a_study_result,
    some_heat,
)
from xray_ai.domain.evidence import SCForm
from xray_ai.domain.priority import Priority
from xray_ai.results.heatmap_image import LONG_SIDE_PX
from xray_ai.results.part10_bytes import encoded
from xray_ai.results.secondary_capture import secondary_capture
from xray_ai.results.study_result import ReadImage, StudyResult

PNEUMOTHORAX = a_score("Pneumothorax", 0.6, 0.4)
SYNTAXES = {
    SCForm.JPEG: (uid.JPEGBaseline8Bit, "YBR_FULL_422"),
    SCForm.RLE: (uid.RLELossless, "RGB"),
    SCForm.UNCOMPRESSED: (uid.ExplicitVRLittleEndian, "RGB"),
}
Tree = dict[str, Any]

LOSSY_SOURCE: Tree = {
    "LossyImageCompression": "01",
    "LossyImageCompressionRatio": "10.5",
    "LossyImageCompressionMethod": "ISO_15444_1",
}

ALL_OPTIONS: list[Tree] = [
    {"sc_form": form, "sc_series_number": number, "sr_series_number": other}
    for form in SCForm
    for number in (9902, 5)
    for other in (9901, 4)
]


def a_capture(image: ReadImage | None = None, **options: Any) -> Dataset:  # noqa: ANN401 - any option
    """Draw one image's capture, write it as a file, and read that."""
    shown = image or a_read_image()
    capture = secondary_capture(a_study_result(shown, **options), shown)
    assert capture is not None
    return pydicom.dcmread(BytesIO(encoded(capture)))


def a_file(study: StudyResult, image: ReadImage) -> tuple[str, bytes]:
    capture = secondary_capture(study, image)
    assert capture is not None
    return str(capture.SOPInstanceUID), encoded(capture)


def rgb(capture: Dataset) -> NDArray[np.int_]:
    return np.asarray(capture.pixel_array, int)


def test_a_triage_only_site_gets_no_picture() -> None:
    image = a_read_image()

    assert secondary_capture(a_study_result(image, localisation=False), image) is None


def test_there_is_no_picture_where_nothing_is_flagged() -> None:
    image = a_read_image(scores=[NO_PNEUMOTHORAX])

    assert secondary_capture(a_study_result(image), image) is None


def test_there_is_no_picture_without_a_radiograph_to_draw() -> None:
    image = replace(a_read_image(), display=None)

    assert secondary_capture(a_study_result(image), image) is None


def test_there_is_no_picture_where_no_heatmap_shows_anything() -> None:
    image = a_read_image(scores=[MASS], heat=[some_heat(None)])

    assert secondary_capture(a_study_result(image), image) is None


def test_the_most_urgent_finding_is_shown() -> None:
    image = a_read_image(scores=[MASS, PNEUMOTHORAX, ABNORMAL])

    assert "map of Pneumothorax" in a_capture(image).DerivationDescription


def test_a_finding_without_heat_leaves_its_place_to_the_next() -> None:
    image = a_read_image(scores=[MASS, PNEUMOTHORAX], heat=[some_heat(), some_heat(None)])

    assert "map of Mass" in a_capture(image).DerivationDescription


@pytest.mark.parametrize("form", SCForm)
def test_each_form_says_how_its_pixels_are_stored(form: SCForm) -> None:
    capture = a_capture(sc_form=form)

    assert (capture.file_meta.TransferSyntaxUID, capture.PhotometricInterpretation) == SYNTAXES[form]
    assert (capture.SOPClassUID, capture.SamplesPerPixel, capture.PlanarConfiguration, capture.BitsStored) == (
        uid.SecondaryCaptureImageStorage,
        3,
        0,
        8,
    )


@pytest.mark.parametrize("shape", [(64, 64), (203, 301), (1024, 853), (700, 1024)])
def test_every_form_shows_the_same_picture(shape: tuple[int, int]) -> None:
    image = a_read_image(a_dataset(some_pixels(*shape)))

    jpeg, rle, uncompressed = (rgb(a_capture(image, sc_form=form)) for form in SCForm)

    assert (rle == uncompressed).all()
    assert np.abs(jpeg - uncompressed).mean() < 3
    assert max(uncompressed.shape) <= LONG_SIDE_PX


def test_the_heat_lies_where_the_heatmap_of_the_full_source_says() -> None:
    source = a_dataset(np.full((2000, 1600), 2048, np.uint16))
    grey = np.full((1024, 819), 0.5, np.float32)

    picture = rgb(a_capture(a_read_image(source, display=grey), sc_form=SCForm.UNCOMPRESSED))

    coloured = np.argwhere(picture[..., 0] - picture[..., 2] > 60)
    coloured = coloured[(coloured[:, 0] > 100) & (coloured[:, 0] < 900)]  # neither words nor legend
    rows = np.flatnonzero((picture[:, 600] == 128).all(axis=1))
    scale = len(rows) / 2000
    expected = [rows[0] + 700 * scale, picture.shape[1] / 2 + (560 - 800) * scale]  # between the hot cell and the warm
    assert coloured.mean(axis=0) == pytest.approx(expected, abs=40)


def test_the_patient_is_nowhere_in_the_pixels() -> None:
    somebody, nobody = (
        a_capture(a_read_image(a_dataset(PatientName=name, PatientID=number, StudyDate=date)))
        for name, number, date in ((MARKED_NAME, "XRAY-0001", "20200704"), ("", "", ""))
    )

    assert somebody.PixelData == nobody.PixelData
    assert somebody.SOPInstanceUID != nobody.SOPInstanceUID


@pytest.mark.parametrize(
    ("stated", "sop_class", "expected"),
    [
        ("NO", uid.DigitalXRayImageStorageForPresentation, "NO"),
        (None, uid.DigitalXRayImageStorageForPresentation, "NO"),
        ("YES", uid.DigitalXRayImageStorageForPresentation, "YES"),
        (None, uid.SecondaryCaptureImageStorage, "YES"),
        ("NO", uid.SecondaryCaptureImageStorage, "NO"),
    ],
)
def test_a_name_burnt_into_the_radiograph_is_declared(stated: str | None, sop_class: str, expected: str) -> None:
    source = a_dataset(SOPClassUID=sop_class)
    if stated:
        source.BurnedInAnnotation = stated

    capture = a_capture(a_read_image(source))

    assert (capture.BurnedInAnnotation, capture.RecognizableVisualFeatures) == (expected, "NO")


def test_it_says_what_it_is_and_what_it_was_made_from() -> None:
    image = a_read_image()

    capture = a_capture(image)

    (source,) = capture.SourceImageSequence
    assert (capture.ImageType, capture.ConversionType) == (["DERIVED", "SECONDARY"], "WSD")
    assert (source.ReferencedSOPClassUID, source.ReferencedSOPInstanceUID) == (
        image.source.SOPClassUID,
        image.source.SOPInstanceUID,
    )
    assert source.PurposeOfReferenceCodeSequence[0].CodeValue == "121322"
    assert (capture.ManufacturerModelName, capture.DeviceSerialNumber) == (MODEL.name, MODEL.digest)


@pytest.mark.parametrize(
    ("form", "codes"),
    [(SCForm.JPEG, ["130402", "113040"]), (SCForm.RLE, ["130402"]), (SCForm.UNCOMPRESSED, ["130402"])],
)
def test_the_visual_explanation_is_coded(form: SCForm, codes: list[str]) -> None:
    capture = a_capture(sc_form=form)

    assert [(item.CodingSchemeDesignator, item.CodeValue) for item in capture.DerivationCodeSequence] == [
        ("DCM", code) for code in codes
    ]


@pytest.mark.parametrize(
    ("form", "source", "lossy", "methods"),
    [
        (SCForm.JPEG, {}, "01", ["ISO_10918_1"]),
        (SCForm.RLE, {}, "00", []),
        (SCForm.JPEG, LOSSY_SOURCE, "01", ["ISO_15444_1", "ISO_10918_1"]),
        (SCForm.RLE, LOSSY_SOURCE, "01", ["ISO_15444_1"]),
        (SCForm.UNCOMPRESSED, {"LossyImageCompression": "01"}, "01", []),
        (
            SCForm.RLE,
            LOSSY_SOURCE | {"LossyImageCompressionMethod": ["\N{LATIN SMALL LETTER E WITH ACUTE}", "X"]},
            "01",
            [],
        ),
    ],
)
def test_what_was_lost_once_stays_declared(form: SCForm, source: Tree, lossy: str, methods: list[str]) -> None:
    capture = a_capture(a_read_image(a_dataset(**source)), sc_form=form)

    declared = capture.get("LossyImageCompressionMethod", [])
    assert capture.LossyImageCompression == lossy
    assert ([declared] if isinstance(declared, str) else list(declared)) == methods


def test_the_ratio_tells_how_much_smaller_the_jpeg_is() -> None:
    image = a_read_image(a_dataset(some_pixels(1000, 800)))

    capture = a_capture(image)

    size = capture.Rows * capture.Columns * 3
    assert float(capture.LossyImageCompressionRatio) == pytest.approx(size / len(capture.PixelData), rel=0.01)


@pytest.mark.parametrize(
    ("stated", "expected"), [(["L", "F"], ["L", "F"]), (["R", "F"], ["R", "F"]), (["X", "F"], ""), (["L"], "")]
)
def test_the_sides_are_the_sources_and_never_guessed(stated: list[str], expected: list[str] | str) -> None:
    capture = a_capture(a_read_image(a_dataset(PatientOrientation=stated)))

    assert capture.PatientOrientation == expected


@pytest.mark.parametrize(
    ("character_set", "name"),
    [
        ("ISO_IR 192", "Nguyễn^Thị Hương".encode()),
        ("ISO_IR 100", "Müller^Jörg".encode("latin-1")),
        ("ISO_IR 100", "Nguyễn^Thị Hương".encode()),  # mislabelled
        (None, b"M\xfcller^J\xf6rg\xff"),  # broken
    ],
)
def test_the_name_and_its_character_set_are_the_sources_byte_for_byte(character_set: str | None, name: bytes) -> None:
    source = a_dataset()
    if character_set:
        source.SpecificCharacterSet = character_set
    plain = b"".join([name, b" " * (len(name) % 2)])
    source["PatientName"] = pydicom.dataelem.RawDataElement(
        pydicom.tag.Tag("PatientName"), "PN", len(plain), plain, 0, is_implicit_VR=False, is_little_endian=True
    )

    capture = a_capture(a_read_image(source))

    assert capture.get_item("PatientName").value == plain
    assert capture.get("SpecificCharacterSet") == character_set


def test_a_name_beyond_ascii_of_a_finding_keeps_the_objects_character_set() -> None:
    capture = a_capture(a_read_image(scores=[a_score("Épanchement pleural", 0.9)]))

    assert "Epanchement pleural" in capture.DerivationDescription


def test_every_time_is_that_of_the_reading() -> None:
    capture = a_capture()

    dates = {str(getattr(capture, f"{kind}Date")) for kind in ("Content", "Series", "InstanceCreation")}
    assert dates == {str(capture.DateOfSecondaryCapture)} == {f"{READ_AT:%Y%m%d}"}
    assert float(capture.ContentTime) == float(capture.TimeOfSecondaryCapture) == float(f"{READ_AT:%H%M%S.%f}")


def test_the_series_is_known_by_its_description_and_number() -> None:
    capture = a_capture(sc_series_number=77)

    assert capture.SeriesDescription.startswith("XRAY_AI")
    assert (capture.SeriesNumber, capture.Modality) == (77, "OT")


def test_captures_of_one_study_stand_in_one_series_in_an_order_that_does_not_change() -> None:
    first, second = (a_read_image(a_dataset(SOPInstanceUID=f"1.2.3.{number}")) for number in (1, 2))
    there, back = a_study_result(first, second), a_study_result(second, first)

    captures = [secondary_capture(study, image) for study in (there, back) for image in (first, second)]

    assert [capture and capture.InstanceNumber for capture in captures] == [1, 2, 1, 2]
    assert len({capture and capture.SeriesInstanceUID for capture in captures}) == 1
    assert len({capture and capture.SOPInstanceUID for capture in captures}) == 2


def test_the_same_reading_gives_the_same_bytes() -> None:
    first, second = (a_file(a_study_result(image), image) for image in (a_read_image(), a_read_image()))

    assert first == second


def test_one_uid_never_has_two_contents() -> None:
    image = a_read_image()
    images = [
        image,
        a_read_image(ordered=Priority.STAT),
        a_read_image(scores=[MASS, PNEUMOTHORAX]),
        a_read_image(heat=[some_heat((5, 5))] * 3),
        a_read_image(display=np.zeros((203, 301), np.float32)),
        a_read_image(a_dataset(BurnedInAnnotation="YES")),
        a_read_image(a_dataset(**LOSSY_SOURCE)),
        a_read_image(a_dataset(PatientName="Other^Name")),
    ]
    studies = [a_study_result(one, **options) for one in images for options in ALL_OPTIONS]

    files = [a_file(study, study.read[0]) for study in studies]

    assert len({name for name, _ in files}) == len({content for _, content in files}) == len(studies)
