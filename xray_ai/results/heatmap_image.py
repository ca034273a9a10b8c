"""The heatmap as a picture for people: radiograph, colours, legend, finding, probability, warning."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from io import BytesIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from xray_ai.domain.finding import Score
from xray_ai.domain.priority import Priority
from xray_ai.domain.reading import Heatmap, ModelIdentity
from xray_ai.imaging.overlay import in_source_pixels, overlay

LONG_SIDE_PX = 1024  # of a picture with all its words
LEAST_WIDTH_PX = 512  # room for the words beside a small radiograph
WARNING = "RESEARCH USE - NOT FOR DIAGNOSIS"
_MARGIN_PX = 8
_HELD = "\N{NO-BREAK SPACE}"  # keeps a finding's words and its probability on one line
_PAPER = (16, 16, 16)
_INK = (240, 240, 240)
_ALARM = (255, 196, 0)

Picture = NDArray[np.uint8]  # (rows, columns, 3) RGB
Font = ImageFont.ImageFont | ImageFont.FreeTypeFont


@dataclass(frozen=True, slots=True)
class HeatmapCaption:
    """What the picture must say; never a patient."""

    score: Score  # of the finding whose heatmap is drawn
    model: ModelIdentity
    others: tuple[Score, ...] = ()  # flagged too, and not drawn
    priority: Priority | None = None


def display_size(rows: int, columns: int) -> tuple[int, int]:
    """Rows and columns with the long side at most 1024 px, never enlarged."""
    shrink = min(1.0, LONG_SIDE_PX / max(rows, columns))
    return max(1, round(rows * shrink)), max(1, round(columns * shrink))


def display_for_results(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Make display grayscale as small as results need it, by area average.

    Shape:  (rows, columns) float32, 0.0 black to 1.0 white -> the same with the long side at most 1024 px.
    """
    return _resized(grey, *display_size(*grey.shape))


def heatmap_png(
    display: NDArray[np.float32], heatmap: Heatmap, caption: HeatmapCaption, source_shape: tuple[int, ...]
) -> bytes:
    """Draw one heatmap as a PNG file; see `heatmap_picture`."""
    picture = heatmap_picture(display_for_results(display), heatmap, caption, source_shape)
    file = BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


def heatmap_picture(
    display: NDArray[np.float32], heatmap: Heatmap, caption: HeatmapCaption, source_shape: tuple[int, ...]
) -> Picture:
    """Draw the radiograph with its heatmap between the words that belong to it.

    Shape:  display (rows, columns) float32, 0.0 black to 1.0 white, of a source with `source_shape` rows and columns
            -> (rows, columns, 3) RGB uint8, the long side at most 1024 px with the words.
    """
    width = min(max(display.shape[1], LEAST_WIDTH_PX), LONG_SIDE_PX)
    header, footer = _header(caption, width), _footer(caption.model, width)
    grey = _fitted(display, LONG_SIDE_PX - len(header) - len(footer), width)
    rows, columns = grey.shape
    heat = in_source_pixels(heatmap, rows, columns, max(grey.shape) / max(source_shape))
    top, left = len(header), (width - columns) // 2
    sheet = np.full((top + rows + len(footer), width, 3), _PAPER[0], np.uint8)
    sheet[:top], sheet[top + rows :] = header, footer
    sheet[top : top + rows, left : left + columns] = overlay(grey, heat)
    return sheet


def _fitted(grey: NDArray[np.float32], most_rows: int, most_columns: int) -> NDArray[np.float32]:
    shrink = min(1.0, most_rows / grey.shape[0], most_columns / grey.shape[1])
    return _resized(grey, max(1, round(grey.shape[0] * shrink)), max(1, round(grey.shape[1] * shrink)))


def _resized(grey: NDArray[np.float32], rows: int, columns: int) -> NDArray[np.float32]:
    if grey.shape == (rows, columns):
        return grey
    return np.asarray(cv2.resize(grey, (columns, rows), interpolation=cv2.INTER_AREA), np.float32)


def _header(caption: HeatmapCaption, width: int) -> Picture:
    text_px, score = _text_px(width), caption.score
    probability, operating_point = _share(score.probability), _share(score.operating_point)
    title = f"{score.finding.name}: probability {probability} (operating point {operating_point})"
    lines = [_Line(WARNING, text_px, _ALARM, f"Priority {caption.priority.name}" if caption.priority else "")]
    lines += _wrapped(title.split(" "), round(1.3 * text_px), width)
    if caption.others:
        names = ", ".join(_scored(other).replace(" ", _HELD) for other in caption.others)
        lines += _wrapped(f"Also flagged: {names}".split(" "), text_px, width)
    return _written(lines, width)


@lru_cache(maxsize=8)
def _footer(model: ModelIdentity, width: int) -> Picture:
    text_px = _text_px(width)
    meaning = "Class activation: where the score comes from, not where the finding ends."
    identity = f"Model {model.name} {model.version}, digest {model.digest[:12]}"
    lines = [*_wrapped(meaning.split(" "), text_px, width), *_wrapped(identity.split(" "), text_px, width)]
    return np.concatenate([_legend(width, text_px), _written(lines, width)])


def _legend(width: int, text_px: int) -> Picture:
    """The colours as they look over a mid-grey, between the words for their two ends."""
    none, strongest = "none", "strongest of this map"
    bar_px = width // 3
    shares = np.repeat(np.linspace(0.0, 1.0, bar_px, dtype=np.float32)[None], text_px, axis=0)
    bar_left = 2 * _MARGIN_PX + round(_font(text_px).getlength(none))
    sheet = Image.new("RGB", (width, _MARGIN_PX + _line_px(text_px)), _PAPER)
    sheet.paste(Image.fromarray(overlay(np.full_like(shares, 0.5), shares)), (bar_left, _MARGIN_PX))
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN_PX, _MARGIN_PX), none, _INK, _font(text_px))
    draw.text((bar_left + bar_px + _MARGIN_PX, _MARGIN_PX), strongest, _INK, _font(text_px))
    return np.asarray(sheet, np.uint8)


def _scored(score: Score) -> str:
    return f"{score.finding.name} {_share(score.probability)}"


def _share(share: float) -> str:
    """Two decimals, or three where two would say 0.00 or 1.00."""
    return f"{share:.2f}" if 0.1 <= share <= 0.99 else f"{share:.3f}"  # noqa: PLR2004 - where the third decimal matters


# ---- words


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    text_px: int
    ink: tuple[int, int, int] = _INK
    right: str = ""  # words at the right end of the line


def _text_px(width: int) -> int:
    return max(14, width // 56)


def _line_px(text_px: int) -> int:
    return round(1.4 * text_px)


@cache
def _font(text_px: int) -> Font:
    return ImageFont.load_default(text_px)


def _wrapped(words: Iterable[str], text_px: int, width: int) -> list[_Line]:
    """Break words into lines that the picture is wide enough for."""
    font, lines = _font(text_px), [""]
    for word in words:
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width - 2 * _MARGIN_PX:
            lines.append(word)
        else:
            lines[-1] = longer
    return [_Line(line.replace(_HELD, " "), text_px) for line in lines]


def _written(lines: Iterable[_Line], width: int) -> Picture:
    lines = list(lines)
    sheet = Image.new("RGB", (width, sum(_line_px(line.text_px) for line in lines) + _MARGIN_PX), _PAPER)
    draw, top = ImageDraw.Draw(sheet), _MARGIN_PX // 2
    for line in lines:
        font = _font(line.text_px)
        draw.text((_MARGIN_PX, top), line.text, line.ink, font)
        draw.text((width - _MARGIN_PX - font.getlength(line.right), top), line.right, _INK, font)
        top += _line_px(line.text_px)
    return np.asarray(sheet, np.uint8)
