from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xray_ai.domain.finding import FindingKey
from xray_ai.domain.reading import Heatmap, SourceBox
from xray_ai.results.region import MOST_POINTS, Region, regions_of

ROWS, COLUMNS = 2000, 1000


def a_heatmap(*rows: Sequence[float], box: SourceBox | None = None) -> Heatmap:
    """Cells as one writes them down; by default they cover the whole image."""
    whole = SourceBox(0.0, 0.0, ROWS, COLUMNS)
    return Heatmap(FindingKey("mass"), np.array(rows, np.float32), whole if box is None else box)


def regions(*rows: Sequence[float], box: SourceBox | None = None) -> tuple[Region, ...]:
    return regions_of(a_heatmap(*rows, box=box), ROWS, COLUMNS)


def size_of(region: Region) -> float:
    return float(cv2.contourArea(np.array(region.points, np.float32)))


def contains(region: Region, column: float, row: float) -> bool:
    return cv2.pointPolygonTest(np.array(region.points, np.float32), (column, row), measureDist=False) >= 0


def test_one_strong_cell_is_outlined_along_its_edges() -> None:
    [region] = regions([0, 0, 0, 0], [0, 1, 0.4, 0])

    assert region.points == ((250, 1000), (500, 1000), (500, 2000), (250, 2000), (250, 1000))


def test_neighbours_of_half_the_strength_belong_to_it() -> None:
    [region] = regions([0, 0.5, 0, 0], [0, 1, 0.7, 0.49])

    assert region.points == ((250, 0), (500, 0), (500, 1000), (750, 1000), (750, 2000), (250, 2000), (250, 0))


def test_cells_that_touch_at_a_corner_are_two_regions() -> None:
    assert len(regions([1, 0], [0, 1])) == 2


def test_only_the_three_largest_are_shown_the_largest_first() -> None:
    found = regions([1, 0, 1, 1, 0, 1, 1, 1], [0, 0, 0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 0, 0, 0, 1])

    assert [round(size_of(region) / (ROWS * COLUMNS / 24)) for region in found] == [4, 3, 2]


def test_a_ring_is_filled() -> None:
    [region] = regions([1, 1, 1], [1, 0, 1], [1, 1, 1])

    assert size_of(region) == ROWS * COLUMNS


def test_a_heatmap_without_support_has_no_region() -> None:
    assert regions([0, 0], [0, 0]) == ()


def test_not_a_number_is_not_strong() -> None:
    assert regions([float("nan"), 0]) == ()


def test_cells_beyond_the_image_are_cut_off() -> None:
    [region] = regions([1, 1], [1, 1], box=SourceBox(-500.5, -1000.0, ROWS + 700, COLUMNS))

    assert region.points == ((0, 0), (COLUMNS, 0), (COLUMNS, ROWS), (0, ROWS), (0, 0))


def test_a_cell_outside_the_image_is_no_region() -> None:
    assert regions([1, 0], box=SourceBox(0.0, -1000.0, ROWS, COLUMNS)) == ()


def test_a_ragged_region_of_a_fine_heatmap_is_drawn_with_few_points() -> None:
    comb = np.zeros((80, 80), np.float32)
    comb[40:, :] = 1.0
    comb[:, ::2] = 1.0

    [region] = regions_of(a_heatmap(*comb), ROWS, COLUMNS)

    assert len(region.points) <= MOST_POINTS
    assert contains(region, COLUMNS / 2, 0.75 * ROWS)


@given(
    arrays(np.float32, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.sampled_from([0, 0.3, 0.5, 1])),
    st.tuples(*[st.floats(-600, 600)] * 4),
)
def test_regions_are_closed_inside_the_image_and_hold_the_strongest_cells_in_them(
    values: np.ndarray[tuple[int, int], np.dtype[np.float32]], margins: tuple[float, float, float, float]
) -> None:
    top, left, lower, right = margins
    box = SourceBox(top, left, ROWS + lower, COLUMNS + right)

    found = regions_of(Heatmap(FindingKey("mass"), values, box), ROWS, COLUMNS)

    assert len(found) <= 3
    for region in found:
        assert region.points[0] == region.points[-1]
        assert 4 <= len(region.points) <= MOST_POINTS
        assert all(0 <= column <= COLUMNS and 0 <= row <= ROWS for column, row in region.points)
        assert size_of(region) > 0


@pytest.mark.parametrize("seed", range(20))
def test_a_region_covers_its_cells_and_what_they_enclose(seed: int) -> None:
    strong = (np.random.default_rng(seed).random((12, 12)) < 0.62).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(strong, connectivity=4)
    area = np.asarray(labels == 1 + stats[1:, cv2.CC_STAT_AREA].argmax())
    outside = cv2.connectedComponents(np.pad(~area, 1, constant_values=True).astype(np.uint8), connectivity=4)[1]

    [region] = regions(*area.astype(np.float32))

    assert size_of(region) / (ROWS * COLUMNS / 144) == pytest.approx((outside[1:-1, 1:-1] != outside[0, 0]).sum())
