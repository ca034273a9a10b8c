"""The heatmap over the radiograph: in its place, in colours, and transparent where nothing is."""

import numpy as np
import pytest
from numpy.typing import NDArray

from xray_ai.domain.finding import FindingKey
from xray_ai.domain.reading import Heatmap, SourceBox
from xray_ai.imaging.overlay import FAINTEST_SHOWN, colours, in_source_pixels, overlay

GREY = np.full((8, 8), 0.5, np.float32)


def a_heatmap(hot: tuple[int, int] = (1, 2), shape: tuple[int, int] = (4, 4), box: SourceBox | None = None) -> Heatmap:
    """One hot cell, by default over a source of 400 x 200 pixels."""
    values = np.zeros(shape, np.float32)
    values[hot] = 1.0
    return Heatmap(FindingKey("mass"), values, box or SourceBox(0, 0, 400, 200))


def centre(heat: NDArray[np.float32]) -> tuple[float, float]:
    y, x = np.mgrid[0 : heat.shape[0], 0 : heat.shape[1]] + 0.5
    return float((heat * y).sum() / heat.sum()), float((heat * x).sum() / heat.sum())


@pytest.mark.parametrize("hot", [(1, 1), (1, 2), (2, 1)])
def test_a_cell_lies_on_the_pixels_that_it_was_computed_from(hot: tuple[int, int]) -> None:
    heat = in_source_pixels(a_heatmap(hot), 400, 200)

    assert heat.shape == (400, 200)
    assert centre(heat) == pytest.approx((100 * (hot[0] + 0.5), 50 * (hot[1] + 0.5)), abs=0.6)


def test_a_cell_of_a_cropped_image_lies_inside_the_crop() -> None:
    heat = in_source_pixels(a_heatmap((2, 1), box=SourceBox(40, 20, 440, 220)), 500, 300)

    assert centre(heat) == pytest.approx((40 + 250, 20 + 75), abs=0.6)


def test_a_smaller_picture_shows_the_heat_at_the_same_place() -> None:
    heat = in_source_pixels(a_heatmap((2, 1), box=SourceBox(40, 20, 440, 220)), 250, 150, scale=0.5)

    assert centre(heat) == pytest.approx((290 / 2, 95 / 2), abs=0.6)


def test_nothing_is_shown_where_the_network_did_not_look() -> None:
    everywhere = Heatmap(FindingKey("mass"), np.ones((4, 4), np.float32), SourceBox(40, 20, 440, 220))

    seen = in_source_pixels(everywhere, 500, 300) > 0

    assert seen[40:440, 20:220].all()
    assert seen.sum() == 400 * 200


def test_heat_stays_between_none_and_strongest() -> None:
    checked = np.indices((7, 7)).sum(axis=0) % 2
    heatmap = Heatmap(FindingKey("mass"), checked.astype(np.float32), SourceBox(0, 0, 90, 70))

    heat = in_source_pixels(heatmap, 90, 70)

    assert (heat.min(), heat.max()) == (0.0, 1.0)


def test_where_there_is_no_heat_the_radiograph_stays_as_it_is() -> None:
    picture = overlay(GREY, np.zeros((8, 8), np.float32))

    assert picture.dtype == np.uint8
    assert np.unique(picture).tolist() == [128]


def test_faint_heat_does_not_veil_the_radiograph() -> None:
    picture = overlay(GREY, np.full((8, 8), FAINTEST_SHOWN, np.float32))

    assert np.unique(picture).tolist() == [128]


def test_the_radiograph_shines_through_the_strongest_heat() -> None:
    heat = np.ones((8, 8), np.float32)

    difference = overlay(np.ones((8, 8), np.float32), heat).astype(int) - overlay(np.zeros_like(heat), heat)

    assert difference.min() > 100


def test_more_heat_is_lighter_for_any_eye() -> None:
    scale = colours(np.linspace(0.0, 1.0, 32, dtype=np.float32)).astype(np.float64)

    lightness = scale @ [0.2126, 0.7152, 0.0722]  # ITU-R BT.709 luma

    assert scale.shape == (32, 3)
    assert (np.diff(lightness) > 0).all()


def test_hot_is_yellow_and_not_blue() -> None:
    red, green, blue = colours(np.array([0.85], np.float32))[0].astype(int)

    assert red > green > blue
