"""A heatmap over the radiograph, in colours that colour-blind eyes can tell apart, with its legend."""

import cv2
import numpy as np
from numpy.typing import NDArray

from xray_ai.domain.reading import Heatmap

STRONGEST_OPACITY = 0.55
FAINTEST_SHOWN = 0.15  # shares below this stay grey, so that the map does not veil the whole image


def in_source_pixels(heatmap: Heatmap, rows: int, columns: int, scale: float = 1.0) -> NDArray[np.float32]:
    """Lay a heatmap over the image that it came from.

    Shape:  (h, w) -> (rows, columns) float32; what the network did not see is 0.0.
    Units:  `rows` and `columns` count pixels of the target, which is `scale` times the full-resolution source.
    """
    h, w = heatmap.values.shape
    box = heatmap.box
    cell_rows, cell_columns = (box.bottom - box.top) * scale / h, (box.right - box.left) * scale / w
    # Cell (i, j) has its centre at ((i + 0.5) * cell_rows, (j + 0.5) * cell_columns) inside the box; pixel centres
    # lie at whole numbers plus one half.
    to_target = np.array(
        [
            [cell_columns, 0.0, box.left * scale + 0.5 * cell_columns - 0.5],
            [0.0, cell_rows, box.top * scale + 0.5 * cell_rows - 0.5],
        ]
    )
    smooth = cv2.warpAffine(
        heatmap.values, to_target, (columns, rows), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    seen = np.zeros((rows, columns), np.float32)
    top, left = max(0, round(box.top * scale)), max(0, round(box.left * scale))
    seen[top : round(box.bottom * scale), left : round(box.right * scale)] = 1.0
    return np.asarray(np.clip(smooth, 0.0, 1.0) * seen, np.float32)


def colours(shares: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Colour shares 0.0 to 1.0 by the inferno scale, which rises in lightness: (...) -> (..., 3) RGB uint8."""
    levels = np.round(np.atleast_2d(shares) * 255).astype(np.uint8)
    bgr = cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)
    return np.asarray(bgr[..., ::-1], np.uint8).reshape(*np.shape(shares), 3)


def overlay(grey: NDArray[np.float32], heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Blend a heatmap over display grayscale.

    Shape:  (rows, columns) and (rows, columns) float32, 0.0 to 1.0 -> (rows, columns, 3) RGB uint8.
    """
    shown = np.clip((heat - FAINTEST_SHOWN) / (1.0 - FAINTEST_SHOWN), 0.0, 1.0)
    opacity = (STRONGEST_OPACITY * np.sqrt(shown))[..., None]
    base = (grey * 255.0)[..., None]
    return np.asarray(np.round(base * (1.0 - opacity) + colours(heat) * opacity), np.uint8)
