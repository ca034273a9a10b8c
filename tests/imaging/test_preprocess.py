"""The recipe: what the network sees does not depend on how a site stores, windows, collimates and marks its images."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.factories import RECIPE, Pixels, a_dataset, some_pixels
from xray_ai.domain.reading import SourceBox
from xray_ai.errors import RejectionCode, StudyRejected
from xray_ai.imaging.grayscale import PLAIN, GrayscaleTransform, Rescale, grayscale_of
from xray_ai.imaging.preprocess import (
    PolarityRecipe,
    PreparedImage,
    Recipe,
    as_input,
    halved_for,
    prepare,
    thumbnail,
)
from xray_ai.imaging.stored_image import StoredImage

NEGATED = replace(PLAIN, inverted=True)
SURVEY_PX = 1 / 128  # as a share of a side: what is cut is found on a survey of this resolution


def a_chest(rows: int = 320, columns: int = 256) -> NDArray[np.uint8]:
    """A chest that fills the image and leaves room for brighter things, 8 bits."""
    return (some_pixels(rows, columns, bits=16).astype(np.float64) / 65535 * 160 + 20).astype(np.uint8)


def prepared(values: Pixels, transform: GrayscaleTransform = PLAIN, recipe: Recipe = RECIPE) -> PreparedImage:
    rows, columns = values.shape
    return prepare(StoredImage(values, rows, columns, reduction=0, lossy=False), transform, recipe)


def whole(values: Pixels) -> SourceBox:
    rows, columns = values.shape
    return SourceBox(0.0, 0.0, rows, columns)


def test_monochrome1_and_monochrome2_of_one_image_look_alike() -> None:
    values = some_pixels(bits=12)

    upright, negated = prepared(values), prepared(4095 - values, NEGATED)

    assert negated.box == upright.box
    np.testing.assert_allclose(negated.grey, upright.grey, atol=1e-3)


@pytest.mark.parametrize("bits", [8, 12])
def test_bits_stored_do_not_matter(bits: int) -> None:
    finest = prepared(some_pixels(bits=16))

    coarser = prepared(some_pixels(bits=bits))

    assert coarser.box == finest.box
    np.testing.assert_allclose(coarser.grey, finest.grey, atol=1.5 / 2**bits)


def test_signed_and_unsigned_pixels_look_alike() -> None:
    signed, unsigned = some_pixels(bits=12, signed=True), some_pixels(bits=12)

    np.testing.assert_allclose(prepared(signed).grey, prepared(unsigned).grey, atol=1e-3)


@pytest.mark.parametrize("window", [(2048, 4096), (1800, 2600), (3000, 1000)])
def test_a_linear_window_changes_nothing_for_the_model(window: tuple[int, int]) -> None:
    values, (center, width) = some_pixels(bits=12), window

    windowed = grayscale_of(a_dataset(values, WindowCenter=center, WindowWidth=width))

    np.testing.assert_array_equal(prepared(values, windowed).grey, prepared(values).grey)


def test_the_narrowest_of_these_windows_clips_a_fifth_of_the_pixels_for_the_eye() -> None:
    values = some_pixels(bits=12)

    shown = grayscale_of(a_dataset(values, WindowCenter=3000, WindowWidth=1000)).for_display(values)

    assert np.isin(shown, (0.0, 1.0)).mean() >= 0.2


def test_a_sigmoid_shapes_what_the_model_sees() -> None:
    values = some_pixels(bits=12)

    shaped = grayscale_of(a_dataset(values, WindowCenter=2048, WindowWidth=800, VOILUTFunction="SIGMOID"))

    assert np.abs(prepared(values, shaped).grey - prepared(values).grey).max() > 0.1


@settings(max_examples=25, deadline=None)
@given(slope=st.floats(0.1, 50), intercept=st.floats(-2000, 2000))
def test_no_rescale_with_a_positive_slope_changes_the_input(slope: float, intercept: float) -> None:
    values = some_pixels(96, 96)

    rescaled = prepared(values, replace(PLAIN, modality=Rescale(slope, intercept)))

    np.testing.assert_allclose(rescaled.grey, prepared(values).grey, atol=1e-4)


@pytest.mark.parametrize("marker", [0, 255])
def test_a_marker_burnt_into_a_corner_changes_the_rest_little(marker: int) -> None:
    plain = a_chest()
    marked = plain.copy()
    marked[:40, -32:] = marker

    rest = np.ones((64, 64), bool)
    rest[:10, -10:] = False

    assert prepared(marked).box == prepared(plain).box
    assert np.abs(prepared(marked).grey - prepared(plain).grey)[rest].max() < 0.05


@pytest.mark.parametrize("shutter", [0, 255])
@pytest.mark.parametrize("strips", [(40, 0, 0, 0), (0, 30, 24, 0), (36, 36, 28, 28)])
def test_black_or_white_collimation_is_cut_away(shutter: int, strips: tuple[int, int, int, int]) -> None:
    chest = a_chest()
    top, bottom, left, right = strips
    collimated = np.pad(chest, ((top, bottom), (left, right)), constant_values=shutter)

    box = prepared(collimated).box

    rows, columns = collimated.shape
    assert (box.top, box.bottom) == pytest.approx((top, rows - bottom), abs=1.5 * rows * SURVEY_PX)
    assert (box.left, box.right) == pytest.approx((left, columns - right), abs=1.5 * columns * SURVEY_PX)


@pytest.mark.parametrize("shutter", [0, 255])
def test_a_collimated_chest_looks_as_it_does_without_collimation(shutter: int) -> None:
    chest = a_chest(512, 512)

    collimated = prepared(np.pad(chest, 64, constant_values=shutter))

    difference = np.abs(collimated.grey - prepared(chest).grey)
    assert difference[2:-2, 2:-2].mean() < 0.02  # the rim holds what the survey cannot part


def test_a_chest_that_fills_the_image_is_not_cut() -> None:
    chest = a_chest()

    assert prepared(chest).box == whole(chest)


def test_a_grey_strip_is_no_collimation() -> None:
    chest = np.pad(a_chest(), ((40, 0), (0, 0)), constant_values=100)

    assert prepared(chest).box == whole(chest)


def test_at_most_the_recipes_share_is_cut_from_an_edge() -> None:
    half_black = np.pad(a_chest(320, 320), ((0, 0), (320, 0)))

    box = prepared(half_black).box

    assert box.left == pytest.approx(0.2 * 640, abs=640 * SURVEY_PX)


@pytest.mark.parametrize("photometric", [PLAIN, NEGATED])
@pytest.mark.parametrize("value", [0, 128, 255])
def test_an_image_of_one_grey_value_is_blank(value: int, photometric: GrayscaleTransform) -> None:
    with pytest.raises(StudyRejected) as refused:
        prepared(np.full((100, 100), value, np.uint8), photometric)

    assert refused.value.code is RejectionCode.BLANK


def test_an_image_with_text_along_its_edge_only_is_blank() -> None:
    lettered = np.zeros((400, 400), np.uint16)
    lettered[4:16, 4:120] = np.random.default_rng(1).integers(0, 4096, (12, 116))

    with pytest.raises(StudyRejected) as refused:
        prepared(lettered)

    assert refused.value.code is RejectionCode.BLANK


@pytest.mark.parametrize("shape", [(64, 64), (64, 1000), (2000, 71), (901, 1300)])
def test_any_aspect_ratio_fills_the_input_from_black_to_white(shape: tuple[int, int]) -> None:
    grey = prepared(a_chest(*shape)).grey

    assert grey.shape == (64, 64)
    assert grey.dtype == np.float32
    assert (grey.min(), grey.max()) == (0.0, 1.0)


def test_the_box_is_told_in_pixels_of_the_full_resolution() -> None:
    collimated = np.pad(a_chest(640, 512), ((128, 0), (0, 128)))
    halved = collimated.reshape(384, 2, 320, 2).mean(axis=(1, 3)).astype(np.uint8)

    box = prepare(StoredImage(halved, rows=768, columns=640, reduction=1, lossy=False), PLAIN, RECIPE).box

    assert (box.top, box.left) == pytest.approx((128, 0), abs=1.5 * 768 * SURVEY_PX)
    assert (box.bottom, box.right) == pytest.approx((768, 512), abs=1.5 * 640 * SURVEY_PX)


@pytest.mark.parametrize("bits", [8, 12])
@pytest.mark.parametrize("least_side", [64, 100, 224])
def test_an_image_that_was_reduced_for_a_larger_recipe_gives_a_smaller_one_the_same(bits: int, least_side: int) -> None:
    values = some_pixels(1301, 1111, bits=bits)
    image = StoredImage(values, 1301, 1111, reduction=0, lossy=False)

    shared = prepare(halved_for(image, least_side), PLAIN, RECIPE)
    alone = prepare(image, PLAIN, RECIPE)

    assert shared.box == alone.box
    np.testing.assert_allclose(shared.grey, alone.grey, atol=1e-4)


def test_a_template_tells_a_chest_from_its_negative() -> None:
    template = PolarityRecipe(thumbnail(prepared(a_chest()).grey, 16), bias=0.0, inverted_below=0.0)
    recipe = replace(RECIPE, polarity=template)

    upright, negative = prepared(a_chest(), recipe=recipe), prepared(255 - a_chest(), recipe=recipe)

    assert upright.polarity is not None
    assert negative.polarity is not None
    assert upright.polarity > 0.0 > negative.polarity


def test_without_a_template_nothing_is_said_about_polarity() -> None:
    assert prepared(a_chest()).polarity is None


def test_the_networks_input_is_normalised_by_the_recipe() -> None:
    grey = np.full((64, 64), 0.75, np.float32)

    image = as_input(grey, RECIPE)

    assert image.shape == (1, 1, 64, 64)
    assert image.dtype == np.float32
    assert np.unique(image).tolist() == [1.0]


def test_smoothing_hides_a_scanners_noise_from_the_model() -> None:
    values = some_pixels(320, 256, bits=12)
    noisy = np.clip(values + np.random.default_rng(1).normal(0, 120, values.shape), 0, 4095).astype(np.uint16)

    plain, smoothed = (
        (prepared(noisy, recipe=recipe).grey - prepared(values, recipe=recipe).grey).std()
        for recipe in (RECIPE, replace(RECIPE, smoothing_px=0.9))
    )

    assert smoothed < plain / 2
