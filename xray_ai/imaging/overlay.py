"""A heatmap over the radiograph, in colours that colour-blind eyes can tell apart, with its legend."""

import cv2
import numpy as np
from numpy.typing import NDArray

from xray_ai.domain.reading import Heatmap

Shares = NDArray[np.float32]  # 0.0 to 1.0

STRONGEST_OPACITY = 0.6
FAINTEST_COLOUR = 0.55  # where on the inferno scale the colours begin
FAINTEST_SHOWN = 0.15  # shares below this stay grey, so that the map does not veil the whole image
_FULL = 255


def in_source_pixels(heatmap: Heatmap, rows: int, columns: int, scale: float = 1.0) -> Shares:
    """Lay a heatmap over the image that it came from, smoothly.

    Shape:  (h, w) -> (rows, columns) float32; what the network did not see is 0.0.
    Units:  `rows` and `columns` count pixels of the target, which is `scale` times the full-resolution source.
    Source: Keys, Cubic convolution interpolation for digital image processing, IEEE ASSP 29 (1981): it parts into
            rows and columns, so two small products of matrices give the whole picture.
    """
    h, w = heatmap.values.shape
    box = heatmap.box
    down = _weights(h, rows, box.top * scale, box.bottom * scale)
    across = _weights(w, columns, box.left * scale, box.right * scale)
    return np.asarray(np.clip(_product(_product(down, heatmap.values), across.T), 0.0, 1.0), np.float32)


def _product(left: Shares, right: Shares) -> Shares:
    """The product of small matrices in this thread: `@` wakes a thread a core, which costs ten times the product."""
    return np.asarray(cv2.gemm(left, np.ascontiguousarray(right), 1.0, np.empty(0), 0.0), np.float32)


def _weights(cells: int, pixels: int, start: float, end: float) -> Shares:
    """How much each cell of one axis counts at each pixel: (pixels, cells); nothing before `start` and after `end`."""
    cell_px = (end - start) / cells
    # Cell i has its centre at (i + 0.5) * cell_px inside the box; pixel centres lie at whole numbers plus one half.
    to_pixels = np.array([[1.0, 0.0, 0.0], [0.0, cell_px, start + 0.5 * cell_px - 0.5]])
    weights = cv2.warpAffine(
        np.eye(cells, dtype=np.float32),
        to_pixels,
        (cells, pixels),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    seen = np.zeros((pixels, 1), np.float32)
    seen[max(0, round(start)) : round(end)] = 1.0
    return np.asarray(weights * seen, np.float32)


def colours(shares: Shares) -> NDArray[np.uint8]:
    """Colour shares 0.0 to 1.0 from red to pale yellow: (...) -> (..., 3) RGB uint8.

    This is the upper part of the inferno scale, which rises in lightness. Its lower part, from black over violet,
    looks like plain grey somewhere on its way to eyes that are blind for red or green: heat would look like anatomy.
    """
    levels = cv2.convertScaleAbs(np.atleast_2d(FAINTEST_COLOUR + (1.0 - FAINTEST_COLOUR) * shares), alpha=_FULL)
    bgr = cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)
    return np.asarray(bgr[..., ::-1], np.uint8).reshape(*np.shape(shares), 3)


def overlay(grey: Shares, heat: Shares) -> NDArray[np.uint8]:
    """Blend a heatmap over display grayscale.

    Shape:  (rows, columns) and (rows, columns) float32, 0.0 to 1.0 -> (rows, columns, 3) RGB uint8.
    """
    levels = cv2.convertScaleAbs(heat, alpha=_FULL)
    under = cv2.multiply(cv2.convertScaleAbs(grey, alpha=_FULL), cv2.LUT(levels, _KEPT), scale=1 / _FULL)
    tint = cv2.applyColorMap(levels, _TINT)
    return np.asarray(cv2.add(cv2.cvtColor(under, cv2.COLOR_GRAY2RGB), tint), np.uint8)


_LEVELS = np.linspace(0.0, 1.0, 256, dtype=np.float32)
_SHOWN = np.clip((_LEVELS - FAINTEST_SHOWN) / (1.0 - FAINTEST_SHOWN), 0.0, 1.0)
_OPACITY = STRONGEST_OPACITY * _SHOWN**0.75  # so that a wide map of middling heat does not veil both lungs
_KEPT = np.round((1.0 - _OPACITY) * _FULL).astype(np.uint8)  # of the radiograph, by level of heat
_TINT = np.round(colours(_LEVELS) * _OPACITY[:, None]).astype(np.uint8)[:, None]  # added to it
