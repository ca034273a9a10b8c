"""Twelve cases as a picture: with the radiographs for those who hold them, or as outlines alone for the manual."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from xray_ai.imaging.grayscale import PLAIN
from xray_ai.imaging.grey_file import open_grey_file
from xray_ai.imaging.overlay import in_source_pixels, overlay
from xray_ai.training.localisation.energy import Call
from xray_ai.training.localisation.lung_region import Outlines, drawn_by_hand, name_of

Grey = NDArray[np.float32]  # 0.0 to 1.0
Picture = NDArray[np.uint8]  # RGB

PANEL_PX, LINE_PX, GAP_PX = 260, 20, 8
PER_ROW = 4
TEXT_SIZE = 0.42
PAPER, INK, LINE = 255, (20, 20, 20), (235, 235, 235)
OUTSIDE_GREY, INSIDE_GREY = 0.12, 0.3
ROW_NAMES = ("Most energy inside", "Middle", "Least energy inside")


def with_radiographs(calls: Sequence[Call]) -> Picture:
    """The heatmaps over their radiographs: for those who hold the data, never for the project."""
    return _sheet(calls, lambda call, _: PLAIN.for_display(open_grey_file(call.image.path).values))


def without_radiographs(calls: Sequence[Call]) -> Picture:
    """The same over the drawn lungs and heart alone: no pixel of a radiograph."""
    return _sheet(calls, lambda _, outlines: _drawn_chest(outlines))


def _drawn_chest(outlines: Outlines) -> Grey:
    chest = np.full((PANEL_PX, PANEL_PX), OUTSIDE_GREY, np.float32)
    for outline in outlines.all:
        cv2.fillPoly(chest, [_in_panel(outline)], INSIDE_GREY)
    return chest


def _sheet(calls: Sequence[Call], under: Callable[[Call, Outlines], Grey]) -> Picture:
    outlines, rows = drawn_by_hand(), []
    for first in range(0, len(calls), PER_ROW):
        part = calls[first : first + PER_ROW]
        panels = [
            _panel(call, under(call, outlines[name_of(call.image)]), outlines[name_of(call.image)]) for call in part
        ]
        row = np.hstack(panels + [np.full_like(panels[0], PAPER)] * (PER_ROW - len(panels)))
        title = np.full((LINE_PX + GAP_PX, row.shape[1], 3), PAPER, np.uint8)
        rows.extend([_written(title, ROW_NAMES[first // PER_ROW], GAP_PX + LINE_PX // 2), row])
    return np.vstack(rows)


def _panel(call: Call, grey: Grey, outlines: Outlines) -> Picture:
    """One case: heatmap, outlines, and below them what was said and what is so."""
    heat = in_source_pixels(call.heatmap, *open_grey_file(call.image.path).values.shape)
    picture = overlay(_resized(grey), _resized(heat))
    cv2.polylines(picture, [_in_panel(outline) for outline in outlines.all], isClosed=True, color=LINE, thickness=1)
    label = "yes" if call.is_labelled else "no"
    said = f"{call.score.finding.name} {call.score.probability:.2f}, present from {call.score.operating_point:.2f}"
    so = f"label: {label}; inside {call.inside:.0%}, by area {call.region.mean():.0%}"
    text = np.full((2 * LINE_PX + GAP_PX, PANEL_PX, 3), PAPER, np.uint8)
    framed = np.vstack([picture, _written(_written(text, said, LINE_PX - 4), so, 2 * LINE_PX - 4)])
    return np.asarray(
        cv2.copyMakeBorder(framed, 0, 0, GAP_PX // 2, GAP_PX // 2, cv2.BORDER_CONSTANT, value=(PAPER,) * 3)
    )


def _resized(values: Grey) -> Grey:
    return np.asarray(cv2.resize(values, (PANEL_PX, PANEL_PX), interpolation=cv2.INTER_LINEAR), np.float32)


def _in_panel(outline: NDArray[np.float32]) -> NDArray[np.int32]:
    return np.round(outline * PANEL_PX - 0.5).astype(np.int32)


def _written(picture: Picture, text: str, baseline: int) -> Picture:
    written = picture.copy()
    cv2.putText(written, text, (GAP_PX // 2, baseline), cv2.FONT_HERSHEY_SIMPLEX, TEXT_SIZE, INK, 1, cv2.LINE_AA)
    return written
