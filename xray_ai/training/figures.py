"""Pictures for the manual: a drawn chest in the disguises of different sites, and its reading."""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from xray_ai.domain.finding import FindingKey
from xray_ai.imaging.grayscale import PLAIN
from xray_ai.imaging.preprocess import Recipe, prepare
from xray_ai.imaging.stored_image import StoredImage
from xray_ai.inference.reader import Reader
from xray_ai.results.heatmap_image import HeatmapCaption, heatmap_png
from xray_ai.training.phantom import Phantom, chest_phantom

Pixels = NDArray[np.uint16]

SHOWN = Phantom(seed=2, masses=6)
FULL_SCALE = 4095
SIDE_PX = 224
MASS = FindingKey("mass")


def disguises() -> dict[str, tuple[Pixels, bool]]:
    """One chest as sites send it: name -> 12-bit stored values (rows, columns), and whether they are MONOCHROME1."""
    drawn = chest_phantom(SHOWN)
    chest = np.asarray(drawn, np.uint16) * 16
    marked = np.asarray(_written(drawn, "R", (272, 40), 1.0, 4), np.uint16) * 16
    shuttered = cv2.copyMakeBorder(chest, 36, 20, 44, 30, cv2.BORDER_CONSTANT, value=0)
    margined = cv2.copyMakeBorder(chest, 10, 30, 40, 30, cv2.BORDER_CONSTANT, value=FULL_SCALE)
    stretched = np.clip((chest.astype(np.float32) - 900) * 1.7, 0, FULL_SCALE)
    return {
        "as stored": (chest, False),
        "MONOCHROME1": (FULL_SCALE - chest, True),
        "wide window": (chest // 4 + 1500, False),
        "narrow window": (stretched.astype(np.uint16), False),
        "collimated": (np.asarray(shuttered, np.uint16), False),
        "white margin": (np.asarray(margined, np.uint16), False),
        "marked": (marked, False),
    }


def recipe_figure(recipe: Recipe) -> NDArray[np.uint8]:
    """Draw each disguise above what the network sees of it: a (rows, columns) uint8 picture."""
    columns = []
    for name, (values, is_monochrome1) in disguises().items():
        rows, width_px = values.shape
        stored = StoredImage(values, rows, width_px, reduction=0, lossy=False)
        prepared = prepare(stored, replace(PLAIN, inverted=is_monochrome1), recipe)
        above = cv2.resize(values / FULL_SCALE, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
        below = cv2.resize(prepared.grey, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
        pictures = np.round(np.vstack([above, np.full((6, SIDE_PX), 0.5), below]) * 255)
        title = _written(np.zeros((28, SIDE_PX), np.uint8), name, (6, 20), 0.55, 1)
        columns.append(np.vstack([title, pictures]))
    return np.asarray(np.hstack(columns), np.uint8)


def _written(
    picture: NDArray[np.uint8], text: str, place: tuple[int, int], size: float, width: int
) -> NDArray[np.uint8]:
    written = picture.copy()
    cv2.putText(written, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, 255, width, cv2.LINE_AA)
    return written


def result_figure(reader: Reader) -> bytes:
    """Draw the reading of the drawn chest as `xray-ai triage --out` writes it: a PNG file."""
    chest = cv2.resize(chest_phantom(SHOWN), (640, 640), interpolation=cv2.INTER_CUBIC)
    stored = StoredImage(np.asarray(chest, np.uint8), 640, 640, reduction=0, lossy=False)
    reading = reader.read(stored, PLAIN)
    caption = HeatmapCaption(reading.score_of(MASS), reading.model)
    return heatmap_png(PLAIN.for_display(stored.values), reading.heatmap_of(MASS), caption, stored.values.shape)
