"""Pixel Padding: values that fill the frame around the image and must weigh on no average."""

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from xray_ai.errors import RejectionCode, StudyRejected
from xray_ai.imaging.attributes import integer_of
from xray_ai.imaging.codecs import Pixels
from xray_ai.imaging.grayscale import grayscale_of
from xray_ai.imaging.pixel_format import PixelFormat


def has_padding(dataset: Dataset) -> bool:
    return integer_of(dataset, "PixelPaddingValue") is not None


def without_padding(values: Pixels, words: Pixels, dataset: Dataset, pixel_format: PixelFormat) -> Pixels:
    """Replace Pixel Padding Value, or its range up to Pixel Padding Range Limit, by the darkest other value.

    Shape:  kept; `words` are the same pixels before foreign bits were dropped, for a padding value beyond Bits Stored.
    Raises: StudyRejected BLANK, when there is nothing but padding.
    Source: DICOM PS3.3 C.7.5.1.1.2, C.7.6.3.
    """
    is_padding = _find_padding(values, words, dataset, pixel_format)
    if not is_padding.any():
        return values
    image = values[~is_padding]
    if image.size == 0:
        found = "The image is blank: all of its pixels are padding."
        raise StudyRejected(RejectionCode.BLANK, found, remedy="Send the image again from the modality.")
    ends = np.array([image.min(), image.max()])
    darkest = ends[np.argmin(grayscale_of(dataset).for_model(ends))]
    return np.where(is_padding, darkest, values).astype(values.dtype, copy=False)


def _find_padding(values: Pixels, words: Pixels, dataset: Dataset, pixel_format: PixelFormat) -> NDArray[np.bool_]:
    first = integer_of(dataset, "PixelPaddingValue") or 0
    limit = integer_of(dataset, "PixelPaddingRangeLimit")
    low, high = sorted((first, first if limit is None else limit))
    if pixel_format.lowest <= low <= high <= pixel_format.highest:
        return (values == low) if low == high else (values >= low) & (values <= high)
    word = np.dtype(f"u{words.dtype.itemsize}")
    return np.asarray(words.view(word) == first % (1 << 8 * word.itemsize), np.bool_)
