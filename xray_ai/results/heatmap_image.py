"""The heatmap as a picture for people: radiograph, colours, legend, finding, probability, warning."""

from dataclasses import dataclass
from io import BytesIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from xray_ai.domain.finding import Score
from xray_ai.domain.reading import Heatmap, ModelIdentity
from xray_ai.imaging.overlay import colours, in_source_pixels, overlay

LONG_SIDE_PX = 1024
WARNING = "RESEARCH USE - NOT FOR DIAGNOSIS"
_PAPER = (16, 16, 16)
_INK = (240, 240, 240)
_ALARM = (255, 196, 0)


@dataclass(frozen=True, slots=True)
class HeatmapCaption:
    """What the picture must say; never a patient."""

    score: Score
    model: ModelIdentity


def display_size(rows: int, columns: int) -> tuple[int, int]:
    """Rows and columns of the picture: the long side at most 1024 px, never enlarged."""
    shrink = min(1.0, LONG_SIDE_PX / max(rows, columns))
    return max(1, round(rows * shrink)), max(1, round(columns * shrink))


def heatmap_png(display: NDArray[np.float32], heatmap: Heatmap, caption: HeatmapCaption) -> bytes:
    """Draw one heatmap: display grayscale (rows, columns) float32, 0.0 to 1.0, at full resolution -> a PNG file."""
    rows, columns = display_size(*display.shape)
    grey = np.asarray(cv2.resize(display, (columns, rows), interpolation=cv2.INTER_AREA), np.float32)
    heat = in_source_pixels(heatmap, rows, columns, rows / display.shape[0])
    picture = _with_caption(overlay(grey, heat), caption)
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def _with_caption(picture: NDArray[np.uint8], caption: HeatmapCaption) -> Image.Image:
    rows, columns = picture.shape[:2]
    width = max(columns, 480)
    text_px = max(14, width // 48)
    header, footer = 2 * text_px + 16, 3 * text_px + 28
    sheet = Image.new("RGB", (width, rows + header + footer), _PAPER)
    sheet.paste(Image.fromarray(picture), ((width - columns) // 2, header))
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(text_px)
    score, model = caption.score, caption.model
    draw.text(
        (8, 6),
        f"{score.finding.name}: {score.probability:.2f} (operating point {score.operating_point:.2f})",
        _INK,
        font,
    )
    draw.text((8, 8 + text_px), WARNING, _ALARM, font)
    foot = rows + header + 8
    bar_width = width // 3
    sheet.paste(Image.fromarray(_legend(bar_width, text_px)), (8, foot))
    draw.text((8 + bar_width + 8, foot), "class activation: none to strongest in this map", _INK, font)
    draw.text((8, foot + text_px + 4), "where the score comes from, not where the finding ends", _INK, font)
    draw.text((8, foot + 2 * text_px + 8), f"{model.name} {model.version} {model.digest[:12]}", _INK, font)
    return sheet


def _legend(width: int, height: int) -> NDArray[np.uint8]:
    return colours(np.repeat(np.linspace(0.0, 1.0, width, dtype=np.float32)[None], height, axis=0))
