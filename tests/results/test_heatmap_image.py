"""The picture for people: what it shows, what it says, and that it can be read."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.readings import MODEL, a_score
from xray_ai.domain.finding import FindingKey
from xray_ai.domain.priority import Priority
from xray_ai.domain.reading import Heatmap, SourceBox
from xray_ai.results.heatmap_image import (
    LONG_SIDE_PX,
    HeatmapCaption,
    display_for_results,
    display_size,
    heatmap_picture,
    heatmap_png,
)

Picture = NDArray[np.uint8]

ALARM = (255, 196, 0)
PAPER = 16
GREY = 128  # of the radiograph in these pictures
MASS = HeatmapCaption(a_score(), MODEL)
SHAPES = [(64, 64), (256, 200), (700, 500), (500, 1024), (3000, 1500), (3000, 3000), (1500, 3000), (64, 9000)]
# Machado et al., A physiologically-based model for simulation of color vision deficiency, IEEE TVCG 2009: severity 1.0
COLOUR_BLIND = {
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritanopia": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}


def some_heat(rows: int, columns: int, hot: tuple[int, int] | None = (1, 2)) -> Heatmap:
    """4 x 4 cells, one of them hot."""
    values = np.zeros((4, 4), np.float32)
    if hot is not None:
        values[hot] = 1.0
    return Heatmap(FindingKey("mass"), values, SourceBox(0, 0, rows, columns))


def a_picture(
    rows: int = 600, columns: int = 500, hot: tuple[int, int] | None = (1, 2), caption: HeatmapCaption = MASS
) -> Picture:
    """A grey radiograph with one hot cell of 4 x 4, as RGB pixels."""
    display = display_for_results(np.full((rows, columns), GREY / 255, np.float32))
    return heatmap_picture(display, some_heat(rows, columns, hot), caption, (rows, columns))


def radiograph_rows(picture: Picture) -> slice:
    """Rows of the picture between header and footer."""
    grey_px = (picture == GREY).all(axis=2).sum(axis=1)
    rows = np.flatnonzero(grey_px > 0.3 * grey_px.max())  # the legend has some of this grey, and letters a little
    return slice(int(rows[0]), int(rows[-1]) + 1)


def header_of(picture: Picture) -> Picture:
    return picture[: radiograph_rows(picture).start]


def footer_of(picture: Picture) -> Picture:
    return picture[radiograph_rows(picture).stop :]


def legend_of(picture: Picture) -> Picture:
    """The colours of the legend from none to strongest, in the middle of the bar."""
    middle = footer_of(picture)[15]
    bar = np.flatnonzero((middle != PAPER).any(axis=1) & (middle < 230).any(axis=1))
    start = int(bar[np.argmax((middle[bar] == GREY).all(axis=1))])
    return np.asarray(middle[start : start + picture.shape[1] // 3], np.uint8)


@pytest.mark.parametrize(
    ("source", "shown"),
    [((3000, 2400), (1024, 819)), ((2000, 4000), (512, 1024)), ((300, 200), (300, 200)), ((64, 9000), (7, 1024))],
)
def test_results_need_at_most_1024_pixels_and_nothing_is_enlarged(
    source: tuple[int, int], shown: tuple[int, int]
) -> None:
    grey = display_for_results(np.full(source, 0.25, np.float32))

    assert display_size(*source) == grey.shape == shown
    assert grey.dtype == np.float32
    assert (float(grey.min()), float(grey.max())) == pytest.approx((0.25, 0.25))


def test_a_radiograph_is_reduced_by_the_average_of_its_pixels() -> None:
    checked = np.indices((2048, 2048)).sum(axis=0) % 2

    grey = display_for_results(checked.astype(np.float32))

    assert np.unique(grey).tolist() == [0.5]


@pytest.mark.parametrize(("rows", "columns"), SHAPES)
def test_the_picture_with_all_its_words_is_at_most_1024_pixels_long(rows: int, columns: int) -> None:
    picture = a_picture(rows, columns)

    assert picture.dtype == np.uint8
    assert max(picture.shape[:2]) <= LONG_SIDE_PX


def test_the_same_reading_gives_the_same_picture() -> None:
    assert (a_picture() == a_picture()).all()


@pytest.mark.parametrize(("rows", "columns", "side_by_side"), [(2000, 1000, 0.5), (1000, 1000, 1.0), (500, 600, 1.2)])
def test_the_whole_radiograph_is_shown_in_its_proportions(rows: int, columns: int, side_by_side: float) -> None:
    picture = a_picture(rows, columns, hot=None)

    shown = picture[radiograph_rows(picture)]
    columns_px = int((shown[100] == GREY).all(axis=1).sum())
    assert columns_px / len(shown) == pytest.approx(side_by_side, rel=0.01)
    assert len(shown) >= min(rows, 800)


@pytest.mark.parametrize("hot", [(0, 0), (1, 2), (3, 1)])
def test_heat_is_drawn_where_the_heatmap_is(hot: tuple[int, int]) -> None:
    cold, heated = a_picture(hot=None), a_picture(hot=hot)

    rows = radiograph_rows(cold)
    changed = np.argwhere((cold != heated).any(axis=2)[rows])
    margin = (cold.shape[1] - 500) / 2
    assert changed.mean(axis=0) == pytest.approx([150 * (hot[0] + 0.5), margin + 125 * (hot[1] + 0.5)], abs=30)


def test_a_reduced_radiograph_carries_its_heat_along() -> None:
    small, large = a_picture(900, 900, hot=(2, 0)), a_picture(2700, 2700, hot=(2, 0))

    heated = [(picture != GREY).any(axis=2)[radiograph_rows(picture)][:, 30:-30] for picture in (small, large)]
    middles = [np.argwhere(each[:, : each.shape[1] // 2]).mean(axis=0) / len(each) for each in heated]
    assert middles[0] == pytest.approx(middles[1], abs=0.05)


@pytest.mark.parametrize(("rows", "columns", "least_px"), [(64, 64, 9), (500, 500, 9), (3000, 3000, 13)])
def test_the_warning_is_written_large_enough_to_be_read(rows: int, columns: int, least_px: int) -> None:
    letters = np.flatnonzero((a_picture(rows, columns) == ALARM).all(axis=2).any(axis=1))

    assert letters.max() - letters.min() + 1 >= least_px


@pytest.mark.parametrize(("rows", "columns"), SHAPES)
def test_no_text_is_cut_off(rows: int, columns: int) -> None:
    thickening = a_score("Pleural thickening")
    caption = HeatmapCaption(thickening, MODEL, others=(thickening,) * 14, priority=Priority.ROUTINE)

    picture = a_picture(rows, columns, hot=None, caption=caption)

    edges = [picture[:, :2], picture[:, -2:], picture[:1], picture[-1:]]
    assert {int(level) for edge in edges for level in np.unique(edge)} <= {PAPER, GREY}


def test_the_finding_and_its_probability_stand_above_the_radiograph() -> None:
    mass, nodule, fainter = (
        a_picture(caption=replace(MASS, score=score))
        for score in (a_score(), a_score("Nodule"), a_score(probability=0.61))
    )

    assert (header_of(mass) != header_of(nodule)).any()
    assert (header_of(mass) != header_of(fainter)).any()
    assert (footer_of(mass) == footer_of(nodule)).all()


def test_the_other_flagged_findings_have_a_line_of_their_own() -> None:
    others = (a_score("Nodule", 0.61), a_score("Pleural effusion", 0.2))

    alone, among_others, more = (
        header_of(a_picture(caption=replace(MASS, others=flagged))) for flagged in ((), others, others * 5)
    )

    assert len(alone) < len(among_others) < len(more)


def test_the_priority_stands_beside_the_warning() -> None:
    routine, stat = (header_of(a_picture(caption=replace(MASS, priority=one))) for one in (None, Priority.STAT))

    changed = np.argwhere((routine != stat).any(axis=2))
    assert changed[:, 0].max() < 0.4 * len(stat)
    assert changed[:, 1].min() > 0.7 * stat.shape[1]


def test_small_and_nearly_certain_probabilities_keep_a_third_decimal() -> None:
    hernias = [header_of(a_picture(caption=replace(MASS, score=a_score("Hernia", p)))) for p in (0.002, 0.004, 0.5)]
    certain = [header_of(a_picture(caption=replace(MASS, score=a_score("Hernia", p)))) for p in (0.996, 0.999)]

    assert (hernias[0] != hernias[1]).any()
    assert (certain[0] != certain[1]).any()


def test_the_model_is_named_below_the_radiograph() -> None:
    mine, another = (
        a_picture(caption=replace(MASS, model=replace(MODEL, digest=digest * 64))) for digest in ("a", "b")
    )

    assert (header_of(mine) == header_of(another)).all()
    assert (footer_of(mine) != footer_of(another)).any()


def test_the_legend_shows_the_colours_as_they_look_over_the_radiograph() -> None:
    picture = a_picture(1000, 1000, hot=(1, 1))

    legend, heated = legend_of(picture).astype(int), picture[radiograph_rows(picture)].astype(int)
    hottest = heated[heated.shape[0] * 3 // 8, heated.shape[1] // 2 - heated.shape[0] // 8]
    assert legend[0].tolist() == [GREY] * 3
    assert np.abs(legend[-1] - hottest).max() <= 4


@pytest.mark.parametrize("blindness", sorted(COLOUR_BLIND))
def test_colour_blind_eyes_see_heat_in_the_legend(blindness: str) -> None:
    linear = (legend_of(a_picture()) / 255) ** 2.2

    seen = 255 * np.clip(linear @ np.transpose(COLOUR_BLIND[blindness]), 0, 1) ** (1 / 2.2)

    none, middle, strongest = seen[0], seen[len(seen) // 2], seen[-1]
    assert min(np.abs(heat - none).max() for heat in (middle, strongest)) > 30
    assert np.abs(strongest - middle).max() > 15


def test_a_png_is_the_same_picture_and_carries_no_hidden_text() -> None:
    display = np.full((1500, 1200), GREY / 255, np.float32)

    png = Image.open(BytesIO(heatmap_png(display, some_heat(1500, 1200), MASS, display.shape)))

    assert (png.format, png.info) == ("PNG", {})
    assert (np.asarray(png) == a_picture(1500, 1200)).all()


def test_a_display_made_small_shows_the_heat_where_the_large_source_has_it() -> None:
    heatmap = some_heat(3000, 2400)

    whole, small = (
        heatmap_png(np.full(shape, GREY / 255, np.float32), heatmap, MASS, (3000, 2400))
        for shape in ((3000, 2400), (1024, 819))
    )

    assert (np.asarray(Image.open(BytesIO(small))) == np.asarray(Image.open(BytesIO(whole)))).mean() > 0.99
