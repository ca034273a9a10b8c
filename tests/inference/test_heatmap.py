"""A heatmap lies where the score comes from, in pixels of the source, under crop, resize and reduced decoding."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.packs import TinyFinding, a_pack, a_reader
from xray_ai.domain.finding import FindingKey
from xray_ai.domain.reading import Heatmap, SourceBox
from xray_ai.imaging.grayscale import PLAIN
from xray_ai.imaging.overlay import in_source_pixels
from xray_ai.imaging.stored_image import StoredImage
from xray_ai.inference.heatmap import heatmaps_of
from xray_ai.inference.reader import Reader

MASS = FindingKey("mass")
KEYS = (MASS, FindingKey("abnormality"))
PATCH = 255
BOX = SourceBox(0.0, 0.0, 640.0, 480.0)
BRIGHT = TinyFinding("mass", weight=10.0, brighter_than=0.45)
BORDERS = [(0.0, 0.0, 0.0, 0.0), (0.15, 0.0, 0.0, 0.0), (0.0, 0.1, 0.0, 0.15), (0.1, 0.12, 0.15, 0.05)]
SHAPES = [(256, 256), (410, 500), (500, 410), (300, 800), (900, 320)]
PLACES = st.tuples(st.floats(0.1, 0.9), st.floats(0.1, 0.9))  # shares of the sides


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """Sees what is bright as a mass, on 12 x 8 cells."""
    return a_reader(a_pack(tmp_path_factory.mktemp("models"), [BRIGHT], shape=(96, 64)))


def a_bright_patch(shape: tuple[int, int], place: tuple[float, float]) -> NDArray[np.uint8]:
    """Noise with one bright disc, as large as two or three cells of the heatmap."""
    rows, columns = shape
    image = np.random.default_rng(0).integers(40, 160, shape)
    y, x = np.mgrid[0:rows, 0:columns] + 0.5
    disc = np.hypot(y - place[0] * rows, x - place[1] * columns) < 0.09 * np.sqrt(rows * columns)
    return np.asarray(np.where(disc, PATCH, image), np.uint8)


def collimated(image: NDArray[np.uint8], border: tuple[float, ...], shutter: int) -> NDArray[np.uint8]:
    """Put strips along the top, bottom, left and right, as shares of the sides."""
    rows, columns = image.shape
    top, bottom, left, right = (
        round(share * side) for share, side in zip(border, (rows, rows, columns, columns), strict=True)
    )
    return np.pad(image, ((top, bottom), (left, right)), constant_values=shutter)


def centre(weights: NDArray[Any]) -> NDArray[np.float64]:
    """Centre of mass in pixels, (y, x)."""
    y, x = np.mgrid[0 : weights.shape[0], 0 : weights.shape[1]] + 0.5
    return np.asarray(np.array([(weights * y).sum(), (weights * x).sum()]) / weights.sum())


def cell_of(heatmap: Heatmap) -> NDArray[np.float64]:
    """Height and width of one cell in pixels of the source."""
    box, (h, w) = heatmap.box, heatmap.values.shape
    return np.array([(box.bottom - box.top) / h, (box.right - box.left) / w])


@settings(max_examples=60, deadline=None)
@given(
    shape=st.sampled_from(SHAPES),
    place=PLACES,
    border=st.sampled_from(BORDERS),
    shutter=st.sampled_from([0, 250]),
)
def test_the_heatmap_moves_with_a_bright_patch(
    reader: Reader,
    shape: tuple[int, int],
    place: tuple[float, float],
    border: tuple[float, float, float, float],
    shutter: int,
) -> None:
    image = collimated(a_bright_patch(shape, place), border, shutter)

    rows, columns = image.shape
    heatmap = reader.read(StoredImage(image, rows, columns, 0, lossy=False), PLAIN).heatmap_of(MASS)

    distance = np.abs(centre(in_source_pixels(heatmap, rows, columns)) - centre(image == PATCH))
    assert (distance < 0.5 * cell_of(heatmap)).all()


@pytest.mark.parametrize("reduction", [1, 2, 3])
def test_a_heatmap_of_reduced_pixels_lies_on_the_full_resolution(reader: Reader, reduction: int) -> None:
    step = 2**reduction
    image = collimated(a_bright_patch((1000, 760), (0.3, 0.25)), (0.1, 0.0, 0.15, 0.05), shutter=0)
    rows, columns = (side // step * step for side in image.shape)
    blocks = image[:rows, :columns].reshape(rows // step, step, columns // step, step)

    reduced = np.asarray(blocks.mean(axis=(1, 3)), np.uint8)
    heatmap = reader.read(StoredImage(reduced, rows, columns, reduction, lossy=False), PLAIN).heatmap_of(MASS)

    distance = np.abs(centre(in_source_pixels(heatmap, rows, columns)) - centre(image == PATCH))
    assert (distance < 0.5 * cell_of(heatmap)).all()


def heatmaps(activation: list[list[float]], bias: float = 0.0, present_from: float = 0.0) -> list[Any]:
    """Values of one map for each row of cells, all with the same bias and operating point."""
    maps = np.array(activation, np.float32)[:, None, :]
    logits = maps.mean(axis=(1, 2)) + np.float32(bias)
    points = np.full(len(maps), present_from)
    return [one.values[0].tolist() for one in heatmaps_of(maps, logits, points, KEYS[: len(maps)], BOX)]


def test_each_map_is_a_share_of_its_own_strongest_cell() -> None:
    assert heatmaps([[1.0, 4.0], [0.5, 0.25]]) == [[0.25, 1.0], [1.0, 0.5]]


def test_cells_that_would_not_be_called_present_are_not_shown() -> None:
    assert heatmaps([[1.0, 2.5, 4.5]], bias=-2.0) == [[0.0, pytest.approx(0.2), 1.0]]
    assert heatmaps([[1.0, 2.5, 4.5]], present_from=2.0) == [[0.0, pytest.approx(0.2), 1.0]]


def test_a_map_without_any_cell_that_would_be_called_present_is_empty() -> None:
    assert heatmaps([[-5.0, -2.0], [1.0, 0.5]], bias=-1.0) == [[0.0, 0.0], [0.0, 0.0]]


@given(
    cells=st.lists(st.floats(-20, 20, width=32), min_size=1, max_size=49),
    bias=st.floats(-10, 10, width=32),
    surplus=st.floats(0.001, 5),
)
def test_a_finding_that_is_called_present_shows_at_least_one_cell(
    cells: list[float], bias: float, surplus: float
) -> None:
    logit = float(np.float32(np.mean(cells)) + np.float32(bias))

    (heatmap,) = heatmaps([cells], bias, present_from=logit - surplus)

    assert max(heatmap) == 1.0


def test_every_heatmap_knows_its_finding_and_its_part_of_the_source() -> None:
    maps = heatmaps_of(np.ones((2, 3, 3), np.float32), np.ones(2, np.float32), np.zeros(2), KEYS, BOX)

    assert [(heatmap.finding, heatmap.box) for heatmap in maps] == [(key, BOX) for key in KEYS]


@pytest.mark.parametrize("operating_point", [0.0, 1.0])
def test_an_operating_point_at_either_end_leaves_the_heatmap_a_map(tmp_path: Path, operating_point: float) -> None:
    always_or_never = TinyFinding("mass", weight=10.0, operating_point=operating_point)
    image = a_bright_patch((256, 256), (0.5, 0.5))

    reading = a_reader(a_pack(tmp_path, [always_or_never])).read(StoredImage(image, 256, 256, 0, lossy=False), PLAIN)

    values = reading.heatmap_of(MASS).values
    assert 0.0 <= values.min() <= values.max() == (1.0 if operating_point == 0.0 else 0.0)
