"""Where a heatmap points: outlines of its strong cells, in pixels of the source image."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from xray_ai.domain.reading import Heatmap

STRONG = 0.5  # share of the strongest cell from which a cell belongs to a region
MOST_REGIONS = 3
MOST_POINTS = 64

Cells = NDArray[np.bool_]
Corner = tuple[int, int]  # row and column of the grid between the cells
Outline = NDArray[np.float32]  # (n, 2): column and row in pixels of the source


@dataclass(frozen=True, slots=True)
class Region:
    """One closed outline; (0, 0) is the outer corner of the first pixel, as in SCOORD (PS3.3 C.18.6.1)."""

    points: tuple[tuple[float, float], ...]  # (column, row), 4 to 64 of them; the last is the first again


def regions_of(heatmap: Heatmap, rows: int, columns: int) -> tuple[Region, ...]:
    """Outline the strong cells of a heatmap: at most three areas, the largest first.

    Cells that touch only at a corner lie in different areas; holes are filled.

    Shape:  cells (h, w); `rows` and `columns` are those of the full-resolution source.
    Units:  source pixels, inside the image.
    """
    h, w = heatmap.values.shape
    row_of = _edges(heatmap.box.top, heatmap.box.bottom, h, rows)
    column_of = _edges(heatmap.box.left, heatmap.box.right, w, columns)
    inside = (np.diff(row_of)[:, None] > 0) & (np.diff(column_of)[None, :] > 0)
    outlines = [
        np.array([(column_of[column], row_of[row]) for row, column in _corners(area)], np.float32)
        for area in _areas((heatmap.values >= STRONG) & inside)
    ]
    largest = sorted(outlines, key=cv2.contourArea, reverse=True)[:MOST_REGIONS]
    return tuple(_region(outline) for outline in largest)


def _edges(start: float, end: float, cells: int, pixels: int) -> NDArray[np.float64]:
    """Where the cells begin and end, cut off at the border of the image."""
    return np.clip(np.linspace(start, end, cells + 1), 0.0, float(pixels))


def _areas(strong: Cells) -> list[Cells]:
    count, labels = cv2.connectedComponents(strong.astype(np.uint8), connectivity=4)
    return [labels == label for label in range(1, count)]


def _corners(area: Cells) -> list[Corner]:
    """Where the outer border of one area turns, clockwise. Without holes the border is a single ring."""
    ahead = _border(_without_holes(area))
    ring = [min(ahead)]
    while (following := ahead[ring[-1]]) != ring[0]:
        ring.append(following)
    neighbours = zip([ring[-1], *ring[:-1]], ring, [*ring[1:], ring[0]], strict=True)
    return [corner for before, corner, after in neighbours if before[0] != after[0] and before[1] != after[1]]


def _without_holes(area: Cells) -> Cells:
    around = np.pad(~area, 1, constant_values=True).astype(np.uint8)
    labels = cv2.connectedComponents(around, connectivity=4)[1]
    return np.asarray(labels != labels[0, 0])[1:-1, 1:-1]


def _border(area: Cells) -> dict[Corner, Corner]:
    """From each corner of the border to the next, with the area on the right hand."""
    padded = np.pad(area, 1)
    ahead: dict[Corner, Corner] = {}
    for row, column in np.argwhere(area).tolist():
        upper_left, upper_right = (row, column), (row, column + 1)
        lower_left, lower_right = (row + 1, column), (row + 1, column + 1)
        sides = (
            ((row, column + 1), upper_left, upper_right),
            ((row + 1, column + 2), upper_right, lower_right),
            ((row + 2, column + 1), lower_right, lower_left),
            ((row + 1, column), lower_left, upper_left),
        )
        ahead.update({begin: end for neighbour, begin, end in sides if not padded[neighbour]})
    return ahead


def _region(outline: Outline) -> Region:
    """Close an outline, and make one with too many corners coarser."""
    coarseness = cv2.arcLength(outline, closed=True) / 1000
    points = outline
    while len(points) >= MOST_POINTS:
        points = np.asarray(cv2.approxPolyDP(outline, coarseness, closed=True)[:, 0], np.float32)
        coarseness *= 1.5
    corners = [(float(column), float(row)) for column, row in points.tolist()]
    return Region((*corners, corners[0]))
