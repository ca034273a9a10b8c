"""Drawn images that show no body: gradients, noise, text, drawings, grids and pieces of photographs."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_sample_images

from xray_ai.training.scope.projection import clouds, happens

Draw = np.random.Generator
Picture = NDArray[np.uint8]

LETTERS = "ABCDEFGHIKLMNOPRSTUVWXYZ abcdefghiklmnoprstuvwxyz 0123456789 .,:-/"
FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX)
PHOTOGRAPHS = tuple(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY) for photo in load_sample_images().images)


def gradient(side: int, draw: Draw) -> Picture:
    """A blank image but for a fall of brightness, a vignette or a few flat fields."""
    axis = np.linspace(-1, 1, side)
    slope = draw.uniform(-1, 1) * axis[:, None] + draw.uniform(-1, 1) * axis[None, :]
    hill = draw.uniform(-1, 1) * np.exp(-((axis[:, None] - draw.uniform(-1, 1)) ** 2 + axis[None, :] ** 2) * 2)
    fields = np.repeat(np.repeat(draw.normal(size=(2, 2)), side // 2, 0), side // 2, 1)
    flat = cv2.resize(fields, (side, side), interpolation=cv2.INTER_NEAREST) * happens(0.3, draw)
    return _digitised(slope + hill + flat + draw.normal(0, draw.choice([0.0, 0.02, 0.2]), (side, side)))


def noise(side: int, draw: Draw) -> Picture:
    """Noise, from white to clouds."""
    return _digitised(clouds(side, draw.uniform(0.0, 2.5), draw))


def text(side: int, draw: Draw) -> Picture:
    """Lines of writing."""
    page = np.full((side, side), draw.integers(0, 256), np.uint8)
    ink = int((page[0, 0] + draw.integers(80, 176)) % 256)
    size = draw.uniform(0.25, 1.5)
    step = int(28 * size) + 4
    for row in range(int(draw.integers(0, step)), side + step, step * int(draw.integers(1, 3))):
        line = "".join(draw.choice(list(LETTERS), int(draw.integers(2, 40))))
        column = int(draw.integers(-20, side // 2))
        cv2.putText(
            page, line, (column, row), int(draw.choice(FONTS)), size, ink, int(draw.integers(1, 3)), cv2.LINE_AA
        )
    return page


def drawing(side: int, draw: Draw) -> Picture:
    """Shapes and lines."""
    page = np.full((side, side), draw.integers(0, 256), np.uint8)
    for _ in range(int(draw.integers(1, 14))):
        grey, width = int(draw.integers(0, 256)), int(draw.choice([-1, 1, 2, 5]))
        start = (int(draw.integers(0, side)), int(draw.integers(0, side)))
        end = (int(draw.integers(0, side)), int(draw.integers(0, side)))
        match int(draw.integers(0, 4)):
            case 0:
                cv2.line(page, start, end, grey, abs(width), cv2.LINE_AA)
            case 1:
                cv2.rectangle(page, start, end, grey, width)
            case 2:
                axes = (int(draw.integers(4, side // 2)), int(draw.integers(4, side // 2)))
                cv2.ellipse(page, start, axes, float(draw.uniform(0, 180)), 0, 360, grey, width)
            case _:
                corners = draw.integers(0, side, (int(draw.integers(3, 8)), 2)).astype(np.int32)
                cv2.fillPoly(page, [corners], grey)
    return page


def grid(side: int, draw: Draw) -> Picture:
    """Stripes, checks and rings."""
    axis = np.linspace(-np.pi, np.pi, side)
    waves = draw.uniform(1, 24, 2)
    down, across = np.meshgrid(axis * waves[0], axis * waves[1], indexing="ij")
    kinds = (np.sin(down), np.sin(across), np.sin(down) * np.sin(across), np.sin(np.hypot(down, across)))
    pattern = kinds[int(draw.integers(0, len(kinds)))]
    return _digitised(np.sign(pattern) if happens(0.4, draw) else pattern)


def photograph(side: int, draw: Draw) -> Picture:
    """A piece of one of scikit-learn's sample photographs (CC BY)."""
    photo = PHOTOGRAPHS[int(draw.integers(0, len(PHOTOGRAPHS)))]
    size = int(draw.integers(60, min(photo.shape)))
    top, left = int(draw.integers(0, photo.shape[0] - size)), int(draw.integers(0, photo.shape[1] - size))
    piece = photo[top : top + size, left : left + size]
    return np.asarray(cv2.resize(piece, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


PATTERNS: Mapping[str, Callable[[int, Draw], Picture]] = MappingProxyType(
    {
        "gradient": gradient,
        "noise": noise,
        "text": text,
        "drawing": drawing,
        "grid": grid,
        "photograph": photograph,
    }
)


def _digitised(values: NDArray[np.floating]) -> Picture:
    low, high = float(values.min()), float(values.max())
    return np.round((values - low) / max(high - low, 1e-6) * 255).astype(np.uint8)
