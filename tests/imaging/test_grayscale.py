"""Grayscale, against values worked out by hand from the formulas of PS3.3 C.11.1 and C.11.2."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydicom import uid
from pydicom.dataset import Dataset

from tests.factories import a_dataset, as_part10
from xray_ai.errors import RejectionCode, StudyRejected
from xray_ai.imaging.grayscale import (
    PLAIN,
    GrayscaleTransform,
    LinearExactWindow,
    LinearWindow,
    LookupTable,
    Rescale,
    SigmoidWindow,
    grayscale_of,
)
from xray_ai.imaging.part10 import parse_part10

IDENTITY = Rescale(1.0, 0.0)


def a_table(first: int, entries: list[int], *, bits: int = 16) -> Dataset:
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if first < 0 else "US", [len(entries), first, bits])
    item.add_new("LUTData", "US", entries)
    return item


def stored(*values: float) -> NDArray[np.float64]:
    return np.array(values)


@pytest.mark.parametrize(
    ("center", "width", "value", "grey"),
    [
        (2048, 4096, 0, 0.0),
        (2048, 4096, 4095, 1.0),
        (2048, 4096, 2047.5, 0.5),
        (2048, 4096, -1, 0.0),
        (2048, 1, 2047, 0.0),
        (2048, 1, 2048, 1.0),
        (2048, 2, 2047, 0.0),
        (2048, 2, 2048, 1.0),
        (0, 100, -50, 0.0),
        (0, 100, 49, 1.0),
        (0, 100, 0, 50 / 99),
    ],
)
def test_a_linear_window_follows_the_formula_of_the_standard(
    center: float, width: float, value: float, grey: float
) -> None:
    assert LinearWindow(center, width).to_display(stored(value)) == pytest.approx(grey)


@pytest.mark.parametrize(
    ("center", "width", "value", "grey"),
    [(2048, 4096, 0, 0.0), (2048, 4096, 4096, 1.0), (2048, 4096, 2048, 0.5), (0, 100, -50, 0.0), (0, 0.5, 0.125, 0.75)],
)
def test_an_exact_linear_window_follows_the_formula_of_the_standard(
    center: float, width: float, value: float, grey: float
) -> None:
    assert LinearExactWindow(center, width).to_display(stored(value)) == pytest.approx(grey)


def test_a_sigmoid_window_follows_the_formula_of_the_standard() -> None:
    grey = SigmoidWindow(1000, 400).to_display(stored(1000, 1200, 800, 1e9, -1e9))

    assert grey == pytest.approx([0.5, 1 / (1 + np.exp(-2)), 1 / (1 + np.exp(2)), 1.0, 0.0])


def test_the_modality_lut_comes_before_the_window() -> None:
    transform = grayscale_of(
        a_dataset(RescaleSlope="2", RescaleIntercept="-1000", WindowCenter="0.5", WindowWidth="2001")
    )

    assert transform.for_display(stored(0, 500, 1000)) == pytest.approx([0.0, 0.5, 1.0])


def test_the_first_of_several_windows_counts() -> None:
    transform = grayscale_of(a_dataset(WindowCenter=["2048", "100"], WindowWidth=["4096", "10"]))

    assert transform.voi == LinearWindow(2048, 4096)


def test_without_a_window_the_display_shows_the_range_of_the_image() -> None:
    transform = grayscale_of(a_dataset())

    assert transform.for_display(stored(100, 200, 300)) == pytest.approx([0.0, 0.5, 1.0])


def test_a_uniform_image_without_a_window_is_displayed_uniformly() -> None:
    grey = PLAIN.for_display(np.full((4, 4), 7, np.uint8))

    assert grey.min() == grey.max()


@pytest.mark.parametrize("shape", [None, "IDENTITY", "INVERSE"])
def test_monochrome1_is_inverted_once_whatever_the_presentation_lut_shape_says(shape: str | None) -> None:
    transform = grayscale_of(a_dataset(photometric="MONOCHROME1", PresentationLUTShape=shape or ""))

    assert transform.for_display(stored(0, 4095)) == pytest.approx([1.0, 0.0])
    assert transform.for_model(stored(0, 4095)) == pytest.approx([0.0, -4095.0])


@pytest.mark.parametrize("shape", ["IDENTITY", "INVERSE"])
def test_monochrome2_is_never_inverted(shape: str) -> None:
    transform = grayscale_of(a_dataset(photometric="MONOCHROME2", PresentationLUTShape=shape))

    assert transform.for_display(stored(0, 4095)) == pytest.approx([0.0, 1.0])


@pytest.mark.parametrize(
    ("photometric", "shape", "is_noted"),
    [
        ("MONOCHROME1", "INVERSE", False),
        ("MONOCHROME1", "IDENTITY", True),
        ("MONOCHROME2", "IDENTITY", False),
        ("MONOCHROME2", "INVERSE", True),
    ],
)
def test_a_presentation_lut_shape_that_contradicts_the_photometric_interpretation_is_noted(
    photometric: str, shape: str, *, is_noted: bool
) -> None:
    notes = grayscale_of(a_dataset(photometric=photometric, PresentationLUTShape=shape)).notes

    assert [note.code for note in notes] == ["presentation_lut_shape_contradiction"] * is_noted


def test_the_model_does_not_see_a_linear_window() -> None:
    windowed = grayscale_of(a_dataset(WindowCenter="2048", WindowWidth="100"))
    exact = grayscale_of(a_dataset(WindowCenter="2048", WindowWidth="100", VOILUTFunction="LINEAR_EXACT"))

    assert windowed.for_model(stored(0, 4095)) == pytest.approx([0, 4095])
    assert exact.for_model(stored(0, 4095)) == pytest.approx([0, 4095])


def test_the_model_sees_a_sigmoid() -> None:
    transform = grayscale_of(a_dataset(WindowCenter="1000", WindowWidth="400", VOILUTFunction="SIGMOID"))

    assert transform.for_model(stored(1000, 1200)) == pytest.approx([0.5, 1 / (1 + np.exp(-2))])


def test_the_model_sees_a_voi_lut() -> None:
    transform = grayscale_of(a_dataset(VOILUTSequence=[a_table(100, [0, 10, 40, 90])]))

    assert transform.for_model(stored(99, 100, 102, 103, 900)) == pytest.approx([0, 0, 40, 90, 90])


def test_a_table_is_interpolated_between_its_entries_since_averaged_pixels_lie_there() -> None:
    transform = grayscale_of(a_dataset(VOILUTSequence=[a_table(0, [0, 10, 40])]))

    assert transform.for_model(stored(0.5, 1.25)) == pytest.approx([5, 17.5])


def test_a_voi_lut_is_displayed_over_the_range_of_its_bits() -> None:
    transform = grayscale_of(a_dataset(VOILUTSequence=[a_table(0, [0, 1023, 511], bits=10)]))

    assert transform.for_display(stored(0, 1, 2)) == pytest.approx([0.0, 1.0, 511 / 1023])


def test_a_voi_lut_goes_before_a_window() -> None:
    transform = grayscale_of(a_dataset(VOILUTSequence=[a_table(0, [0, 1, 2])], WindowCenter="2048", WindowWidth="4096"))

    assert isinstance(transform.voi, LookupTable)


def test_a_modality_lut_sequence_replaces_the_rescale() -> None:
    transform = grayscale_of(a_dataset(ModalityLUTSequence=[a_table(10, [7, 8, 30])], RescaleSlope="100"))

    assert transform.for_model(stored(0, 11, 12)) == pytest.approx([7, 8, 30])


def test_a_modality_lut_may_begin_below_zero_for_signed_pixels() -> None:
    transform = grayscale_of(a_dataset(signed=True, ModalityLUTSequence=[a_table(-2, [1, 2, 3, 4, 5])]))

    assert transform.for_model(stored(-2, 0, 2)) == pytest.approx([1, 3, 5])


def test_a_voi_lut_may_begin_below_zero_where_the_rescale_intercept_is_negative() -> None:
    transform = grayscale_of(
        a_dataset(RescaleSlope="1", RescaleIntercept="-1000", VOILUTSequence=[a_table(65536 - 1000, [1, 2, 3])])
    )

    assert transform.for_model(stored(0, 1, 2)) == pytest.approx([1, 2, 3])


def test_a_table_of_65536_entries_says_zero_in_its_descriptor() -> None:
    item = a_table(0, list(range(65536)))
    item.LUTDescriptor = [0, 0, 16]

    table = grayscale_of(a_dataset(VOILUTSequence=[item])).voi

    assert isinstance(table, LookupTable)
    assert len(table.entries) == 65536


@pytest.mark.parametrize("syntax", [uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian])
@pytest.mark.parametrize("vr", ["US", "OW"])
def test_a_table_reads_the_same_in_every_encoding(syntax: uid.UID, vr: str) -> None:
    item = a_table(3, [0, 258, 4095], bits=12)
    if vr == "OW":
        order = ">" if syntax == uid.ExplicitVRBigEndian else "<"
        item.add_new("LUTData", "OW", np.array([0, 258, 4095], f"{order}u2").tobytes())

    dataset = parse_part10(as_part10(a_dataset(syntax=syntax, VOILUTSequence=[item])))

    assert grayscale_of(dataset).for_model(stored(3, 4, 5)) == pytest.approx([0, 258, 4095])


def test_entries_of_8_bits_may_lie_two_to_a_word() -> None:
    item = a_table(0, [1, 2, 3, 4], bits=8)
    item.add_new("LUTData", "US", [0x0201, 0x0403])

    assert grayscale_of(a_dataset(VOILUTSequence=[item])).for_model(stored(0, 1, 2, 3)) == pytest.approx([1, 2, 3, 4])


@pytest.mark.parametrize(
    "attributes",
    [
        {"RescaleSlope": "0"},
        {"RescaleSlope": "1e30"},
        {"WindowCenter": "0", "WindowWidth": "0", "VOILUTFunction": "SIGMOID"},
        {"VOILUTSequence": [Dataset()]},
        {"VOILUTSequence": [a_table(0, [0, 1, 2], bits=99)]},
        {"ModalityLUTSequence": [a_table(0, [])]},
    ],
)
def test_what_cannot_be_applied_is_refused(attributes: dict[str, Any]) -> None:
    with pytest.raises(StudyRejected) as refusal:
        grayscale_of(a_dataset(**attributes))

    assert refusal.value.code is RejectionCode.UNDISPLAYABLE


def test_a_table_whose_data_are_cut_off_is_refused() -> None:
    item = a_table(0, [0, 1, 2, 3])
    item.LUTData = [0, 1]

    with pytest.raises(StudyRejected, match="LUT Descriptor"):
        grayscale_of(a_dataset(VOILUTSequence=[item]))


@pytest.mark.parametrize(("width", "function"), [("0.5", "LINEAR"), ("0", "LINEAR_EXACT"), ("1e300", "LINEAR")])
def test_a_linear_window_that_cannot_be_applied_is_noted_and_the_full_range_shown(width: str, function: str) -> None:
    transform = grayscale_of(a_dataset(WindowCenter="0", WindowWidth=width, VOILUTFunction=function))

    assert transform.voi is None
    assert [note.code for note in transform.notes] == ["window_unusable"]


def test_an_unknown_voi_lut_function_is_applied_as_linear_and_noted() -> None:
    transform = grayscale_of(a_dataset(WindowCenter="50", WindowWidth="100", VOILUTFunction="VENDOR"))

    assert transform.voi == LinearWindow(50, 100)
    assert [note.code for note in transform.notes] == ["window_function_unknown"]


@given(
    center=st.floats(-1e4, 1e4),
    width=st.floats(1, 1e5),
    window=st.sampled_from([LinearWindow, LinearExactWindow, SigmoidWindow]),
    inverted=st.booleans(),
)
def test_display_grey_lies_between_black_and_white_and_rises_with_the_pixel(
    center: float, width: float, window: type[LinearWindow], *, inverted: bool
) -> None:
    transform = GrayscaleTransform(IDENTITY, window(center, width), inverted=inverted, notes=())

    grey = transform.for_display(np.arange(-4000, 4000, 37).astype(np.int16))

    assert grey.min() >= 0.0
    assert grey.max() <= 1.0
    assert (np.diff(-grey if inverted else grey) >= 0).all()


def test_large_images_are_transformed_by_value_to_the_same_grey() -> None:
    transform = GrayscaleTransform(Rescale(0.5, -3.0), SigmoidWindow(400, 300), inverted=True, notes=())
    large = np.random.default_rng(0).integers(-2000, 2000, (300, 300)).astype(np.int16)

    assert transform.for_display(large) == pytest.approx(transform.for_display(large.astype(np.float64)), abs=1e-6)
    assert transform.for_model(large) == pytest.approx(transform.for_model(large.astype(np.float64)), abs=1e-6)


def test_images_outside_dicom_pass_unchanged() -> None:
    grey = PLAIN.for_model(np.array([[0, 255]], np.uint8))

    assert grey.dtype == np.float32
    assert grey.tolist() == [[0.0, 255.0]]
