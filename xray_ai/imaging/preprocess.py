"""The pack's recipe: from stored values to the network's input, and the way back to source pixels.

Training and serving both come through `prepare`, so that a network never meets pixels
made another way. Why each stage is what it is: docs/decisions/0018.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from xray_ai.domain.reading import SourceBox
from xray_ai.errors import RejectionCode, StudyRejected
from xray_ai.imaging.grayscale import GrayscaleTransform
from xray_ai.imaging.stored_image import StoredImage

Pixels = NDArray[Any]  # any of the types that a decoder gives, or float32

SURVEY_SIDE_PX = 128
BLANK_SPAN = 1e-6


@dataclass(frozen=True, slots=True)
class CollimationRecipe:
    """Flat strips along an edge, black or white, are shutter or backing and are cut off."""

    flat_span: float  # a line is flat when its 5th to 95th percentile spans less than this share of the image's range
    largest_share: float  # at most this share of a side is cut from each edge, 0.0 to 0.5


@dataclass(frozen=True, slots=True)
class RangeRecipe:
    """Which pixels mean 0.0 and 1.0, taken from the image itself and not from its window."""

    low_percentile: float
    high_percentile: float
    central_share: float  # share of each side, around the centre, whose pixels are counted; markers lie outside it


@dataclass(frozen=True, slots=True)
class PolarityRecipe:
    """A linear template on a thumbnail that tells a frontal chest from its negative."""

    weights: NDArray[np.float32]  # (side, side)
    bias: float
    inverted_below: float  # template sum below this: the image looks inverted


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides what the network sees; part of the pack, never of the code."""

    rows: int
    columns: int
    collimation: CollimationRecipe
    grey_range: RangeRecipe
    smoothing_px: float  # standard deviation of the Gaussian that takes away what only tells scanners and copies apart
    mean: float
    standard_deviation: float
    polarity: PolarityRecipe | None


@dataclass(frozen=True, slots=True)
class PreparedImage:
    """The network's input with its provenance."""

    grey: NDArray[np.float32]  # (rows, columns), 0.0 is black and 1.0 is white, before mean and standard deviation
    box: SourceBox
    polarity: float | None  # template sum, positive: upright grey scale; None when the recipe has no template


def prepare(stored: StoredImage, transform: GrayscaleTransform, recipe: Recipe) -> PreparedImage:
    """Cut the collimation away, resize, and bring the grey values to the recipe's range.

    Resizing comes before any grey-value transform: it then touches the stored integers once,
    and what follows works on a few thousand pixels.

    Shape:  (rows, columns) integers -> (recipe.rows, recipe.columns) float32.
    Units:  grey 0.0 to 1.0; the box in pixels of the full-resolution source.
    Raises: StudyRejected BLANK, when all pixels of the central part have one value.
    Source: DICOM PS3.3 C.7.6.3, C.11.1, C.11.2 for the order of the grey-value transforms.
    """
    halved = halved_for(stored, max(recipe.rows, recipe.columns)).values
    survey = transform.for_model(_resize(halved, SURVEY_SIDE_PX, SURVEY_SIDE_PX))
    top, bottom, left, right = _uncollimated(_to_range(survey, 0.5, 99.5, 1.0), recipe.collimation)
    rows, columns = halved.shape
    crop = halved[round(top * rows) : round(bottom * rows), round(left * columns) : round(right * columns)]
    small = _resize(crop, recipe.rows, recipe.columns)
    grey_range = recipe.grey_range
    grey = _to_range(
        transform.for_model(small), grey_range.low_percentile, grey_range.high_percentile, grey_range.central_share
    )
    if recipe.smoothing_px:
        grey = np.asarray(cv2.GaussianBlur(grey, (0, 0), recipe.smoothing_px), np.float32)
    box = SourceBox(
        top=round(top * rows) / rows * stored.rows,
        left=round(left * columns) / columns * stored.columns,
        bottom=round(bottom * rows) / rows * stored.rows,
        right=round(right * columns) / columns * stored.columns,
    )
    return PreparedImage(grey, box, polarity_of(grey, recipe.polarity) if recipe.polarity else None)


def halved_for(stored: StoredImage, least_side: int) -> StoredImage:
    """Reduce a radiograph as far as `prepare` would for a recipe of this side.

    It is the dearest part of `prepare`. Where several recipes look at one radiograph it is done once, for the largest.

    Shape:  (rows, columns) integers -> less, or as it was; float32 where 8-bit pixels were averaged.
    """
    return replace(stored, values=_halved_while_above(stored.values, 3 * least_side))


def as_input(grey: NDArray[np.float32], recipe: Recipe) -> NDArray[np.float32]:
    """Normalise for the network: (rows, columns) -> (1, 1, rows, columns) float32."""
    return np.asarray(((grey - recipe.mean) / recipe.standard_deviation)[None, None], np.float32)


def thumbnail(grey: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Area-average to a square of `side` pixels, centred on its own mean: what the polarity template sees."""
    small = cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(small - small.mean(), np.float32)


def polarity_of(grey: NDArray[np.float32], recipe: PolarityRecipe) -> float:
    """How much the image looks like a chest with dark air (positive) or like its negative (negative)."""
    return float((thumbnail(grey, recipe.weights.shape[0]) * recipe.weights).sum() + recipe.bias)


def _resize(values: Pixels, rows: int, columns: int) -> NDArray[np.float32]:
    """Average over the area when shrinking, interpolate when enlarging."""
    if values.shape[0] < rows or values.shape[1] < columns:
        enlarged = cv2.resize(values.astype(np.float32), (columns, rows), interpolation=cv2.INTER_LINEAR)
        return np.asarray(enlarged, np.float32)
    step = len(values) / rows
    sums = cv2.resize(_sums_of_strips(values, rows), (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(sums / np.float32(step), np.float32)


def _sums_of_strips(values: Pixels, count: int) -> NDArray[np.float32]:
    """Add the rows up in strips of equal height, whose ends may part a row.

    INTER_AREA does the same, pixel by pixel and so in three times the time; it is left the columns.

    Shape:  (rows, columns) -> (count, columns), count <= rows.
    """
    ends = np.arange(count + 1) * (len(values) / count)
    rows = np.minimum(ends.astype(int), len(values) - 1)  # the row in which a strip ends and the next begins
    sums = np.empty((count, values.shape[1]), np.float32)
    bounds = [*rows[:-1].tolist(), len(values)]
    for strip, (first, last) in enumerate(pairwise(bounds)):
        cv2.reduce(values[first:last], 0, cv2.REDUCE_SUM, sums[strip : strip + 1], cv2.CV_32F)
    parted = values[rows] * (ends - rows).astype(np.float32)[:, None]  # what belongs to the strip before, of each row
    parted[-1] = 0.0
    sums += parted[1:]
    sums -= parted[:-1]
    return sums


def _halved_while_above(values: Pixels, side: int) -> Pixels:
    """Average 2 x 2 blocks while the shorter side stays at or above `side`: OpenCV's fastest exact reduction.

    Integers of 16 bits lose nothing that matters by rounding; those of 8 bits would, and are given 8 more for it.
    """
    is_narrow = values.dtype == np.uint8
    if is_narrow:
        values = values.astype(np.uint16)
        values <<= 8
    while min(values.shape) // 2 >= side:
        rows, columns = values.shape
        even = values[: rows - rows % 2, : columns - columns % 2]
        values = cv2.resize(even, (columns // 2, rows // 2), interpolation=cv2.INTER_AREA)
    return values / np.float32(1 << 8) if is_narrow else values


def _to_range(values: NDArray[np.float32], low: float, high: float, central_share: float) -> NDArray[np.float32]:
    """Map the percentiles of the central part to 0.0 and 1.0 and clip."""
    rows, columns = values.shape
    row_margin, column_margin = round(rows * (1 - central_share) / 2), round(columns * (1 - central_share) / 2)
    centre = values[row_margin : rows - row_margin, column_margin : columns - column_margin]
    black, white = np.percentile(centre, (low, high))
    if white - black <= BLANK_SPAN * max(abs(black), abs(white), 1.0):
        raise StudyRejected(
            RejectionCode.BLANK,
            "The image is blank: its central part has one grey value.",
            remedy="Look at the original; if it shows a chest there too, send it again.",
        )
    return np.asarray(np.clip((values - black) / (white - black), 0.0, 1.0), np.float32)


def _uncollimated(survey: NDArray[np.float32], recipe: CollimationRecipe) -> tuple[float, float, float, float]:
    """Find the shares (top, bottom, left, right) of the survey inside any flat black or white border."""
    top, bottom = _inside(survey, recipe)
    left, right = _inside(survey.T, recipe)
    return top, bottom, left, right


def _inside(lines: NDArray[np.float32], recipe: CollimationRecipe) -> tuple[float, float]:
    low, middle, high = _percentiles_of_lines(lines, (5, 50, 95))
    flat = (high - low < recipe.flat_span) & ((middle < recipe.flat_span) | (middle > 1 - recipe.flat_span))
    count = len(flat)
    most = int(recipe.largest_share * count)
    first = int(np.argmin(flat[:most])) if not flat[:most].all() else most
    last = int(np.argmin(flat[::-1][:most])) if not flat[::-1][:most].all() else most
    # One more line goes where a border was found: the survey's line on the edge holds a part of both.
    return (first + 1 if first else 0) / count, (count - (last + 1 if last else 0)) / count


def _percentiles_of_lines(lines: NDArray[np.float32], percents: tuple[float, ...]) -> NDArray[np.float64]:
    """As np.percentile along the lines, in a tenth of its time: (n, length) -> (percents, n)."""
    ordered = np.sort(lines, axis=1)
    place = np.array(percents) / 100 * (lines.shape[1] - 1)
    below = place.astype(int)
    above = np.minimum(below + 1, lines.shape[1] - 1)
    return np.asarray(ordered[:, below] + (ordered[:, above] - ordered[:, below]) * (place - below)).T
