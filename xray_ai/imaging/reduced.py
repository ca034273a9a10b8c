"""Decodes a wavelet codestream only as far as a small image needs: a fourth of the side in a fourteenth of the time.

What an image scores must not depend on it. So the low-pass band, whose samples are no means of blocks and do not lie
where blocks do, is laid on the grid of means that full decoding would have come to (bench/reduced_decoding.py).
"""

import cv2
import numpy as np

from xray_ai.imaging.attributes import attempt
from xray_ai.imaging.codecs import Codec, Pixels
from xray_ai.imaging.codestream import CodestreamFrame
from xray_ai.imaging.pixel_format import PixelFormat

SMALLEST_SURPLUS = 2.0  # the band keeps this many times the pixels a side that are asked for
REVERSIBLE_SHARPENING, IRREVERSIBLE_SHARPENING = 0.02, 0.14  # what a sample holds of each neighbour, beyond a mean
REVERSIBLE_LIFT = 0.5  # grey values by which each level of the reversible wavelet's rounding lifts a noisy image


def decode_reduced(
    codec: Codec, stream: bytes, frame: CodestreamFrame, pixel_format: PixelFormat, least_side: int | None
) -> tuple[Pixels, int] | None:
    """Decode at the largest reduction that `least_side` allows; None where only full decoding is right.

    Shape:  (rows, columns) / 2**(reduction - 1) rounded up, and that reduction, 1 or more.
    Units:  stored values, each the mean of a block of 2**(reduction - 1) source pixels a side, to 0.1 % of full scale.
    """
    reduction = _reduction_for(frame, least_side)
    reducer = codec.decode_reduced
    if reducer is None or reduction == 0 or not _averages_mean_something(frame, pixel_format):
        return None
    band = attempt(lambda: reducer(stream, reduction, frame))
    if band is None or band.shape != (-(-frame.rows >> reduction), -(-frame.columns >> reduction)):
        return None
    swing = 1 << pixel_format.bits_stored - 1  # the band may overshoot at sharp edges; foreign high bits do so more
    if band.min() < pixel_format.lowest - swing or band.max() > pixel_format.highest + swing:
        return None
    lift = REVERSIBLE_LIFT * reduction if frame.is_reversible else 0.0
    level = np.clip(_sharpened(band.astype(np.float32), frame) - lift, pixel_format.lowest, pixel_format.highest)
    stored = np.int16 if pixel_format.is_signed else np.dtype(f"u{pixel_format.bits_allocated // 8}")
    return np.rint(on_block_grid(level, frame, reduction)).astype(stored), reduction


def _sharpened(band: cv2.typing.MatLike, frame: CodestreamFrame) -> cv2.typing.MatLike:
    """Take back what a sample of the low-pass band holds of its neighbours, beyond the mean of its own block."""
    share = REVERSIBLE_SHARPENING if frame.is_reversible else IRREVERSIBLE_SHARPENING
    kernel = np.array([-share, 1 + 2 * share, -share], np.float32)
    return cv2.sepFilter2D(band, -1, kernel, kernel, borderType=cv2.BORDER_REFLECT_101)


def on_block_grid(band: cv2.typing.MatLike, frame: CodestreamFrame, reduction: int) -> cv2.typing.MatLike:
    """Lay a low-pass band, whose sample i lies on source pixel 2**r * i, on a grid of blocks half as wide.

    The finer grid costs little, and lets the area average that follows part blocks as it would part the full image's.

    Shape:  (rows, columns) float32 -> the frame's rows and columns / 2**(r - 1), rounded up; covers the frame evenly.
    Units:  kept; the border is repeated.
    Source: ISO/IEC 15444-1 annex F; linear comes closer to means than cubic, which rings.
    """
    step = 1 << reduction
    height, width = -(-frame.rows >> reduction - 1), -(-frame.columns >> reduction - 1)
    across, down = frame.columns / width, frame.rows / height
    to_band = np.array([[across / step, 0, (across - 1) / 2 / step], [0, down / step, (down - 1) / 2 / step]])
    return cv2.warpAffine(
        band,
        to_band,
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )


def _reduction_for(frame: CodestreamFrame, least_side: int | None) -> int:
    """Find the largest reduction that keeps `SMALLEST_SURPLUS` times the side that is asked for."""
    if least_side is None:
        return 0
    enough = SMALLEST_SURPLUS * max(least_side, 1)
    reduction = 0
    while reduction < frame.reductions and min(frame.rows, frame.columns) / 2 ** (reduction + 1) >= enough:
        reduction += 1
    return reduction


def _averages_mean_something(frame: CodestreamFrame, pixel_format: PixelFormat) -> bool:
    """Whether the codestream's samples are the stored values: not two's complement as unsigned, not shifted."""
    is_shifted = pixel_format.shift > 0 and frame.precision > pixel_format.bits_stored
    return frame.is_signed == pixel_format.is_signed and not is_shifted
