"""A drawn chest: synthetic images for golden scores, so that no patient is in a pack."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE_PX = 320


@dataclass(frozen=True, slots=True)
class Phantom:
    """What is drawn."""

    seed: int
    masses: int = 0
    heart: float = 1.0  # size of the heart, 1.0: about half the chest's width


def chest_phantom(phantom: Phantom) -> NDArray[np.uint8]:
    """Draw a frontal chest: dark air and lungs, bright mediastinum; (320, 320) uint8, the same for the same seed."""
    draw = np.random.default_rng(phantom.seed)
    body = np.full((SIDE_PX, SIDE_PX), 18.0, np.float32)
    _ellipse(body, (160, 200), (150, 190), 130)
    _ellipse(body, (160, 40), (42, 60), 60)
    for middle in (95, 225):
        _ellipse(body, (middle, 170), (52, 105), -92)
    for rib in range(70, 280, 24):
        for middle, tilt in ((95, -12), (225, 12)):
            _ellipse(body, (middle, rib), (56, 5), 14, tilt)
    _ellipse(body, (160, 165), (16, 160), 55)
    _ellipse(body, (178, 215), (int(58 * phantom.heart), int(46 * phantom.heart)), 62, 25)
    _ellipse(body, (160, 310), (150, 50), 60)
    for _ in range(phantom.masses):
        centre = (int(draw.choice((95, 225)) + draw.integers(-25, 25)), int(draw.integers(100, 240)))
        _ellipse(body, centre, (14, 14), 70)
    smooth = cv2.GaussianBlur(body, (0, 0), 2.5) + draw.normal(0.0, 3.0, body.shape)
    return np.clip(np.round(smooth), 0, 255).astype(np.uint8)


def _ellipse(
    image: NDArray[np.float32], centre: tuple[int, int], axes: tuple[int, int], grey: float, tilt: float = 0
) -> None:
    layer = np.zeros_like(image)
    cv2.ellipse(layer, centre, axes, tilt, 0, 360, 1.0, thickness=-1)
    image += layer * grey
