"""From stored values to grayscale: Modality LUT, VOI LUT, MONOCHROME1, each applied once."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from xray_ai.domain.radiograph import Note
from xray_ai.errors import RejectionCode, StudyRejected
from xray_ai.imaging.attributes import integer_of, items_of, number_of, values_of, word_of

MOST_ENTRIES = 65536
LARGEST_VALUE = 1e12  # beyond it float arithmetic on pixels loses neighbouring grey values


@dataclass(frozen=True, slots=True)
class Rescale:
    """A linear Modality LUT: Rescale Slope and Rescale Intercept."""

    slope: float  # never 0
    intercept: float

    def apply(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return values * self.slope + self.intercept


@dataclass(frozen=True, slots=True, eq=False)
class LookupTable:
    """A table of a Modality or VOI LUT Sequence; values beyond its ends take its first or last entry."""

    first: int  # the input value that the first entry stands for
    entries: NDArray[np.float64]  # 1 to 65536 of them, each 0 to 2**bits - 1
    bits: int  # 8 to 16

    def apply(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Look up, and interpolate linearly between entries: averaged pixels lie between stored values."""
        position = np.clip(values - self.first, 0, len(self.entries) - 1)
        below = position.astype(np.int32)
        above = np.minimum(below + 1, len(self.entries) - 1)
        return self.entries[below] + (position - below) * (self.entries[above] - self.entries[below])

    def to_display(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.apply(values) / float(2**self.bits - 1)


@dataclass(frozen=True, slots=True)
class LinearWindow:
    """VOI LUT Function LINEAR (PS3.3 C.11.2.1.2.1)."""

    center: float
    width: float  # 1 or more

    def to_display(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        middle = self.center - 0.5
        if self.width == 1:
            return (values > middle).astype(np.float64)
        return np.clip((values - middle) / (self.width - 1) + 0.5, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class LinearExactWindow:
    """VOI LUT Function LINEAR_EXACT (PS3.3 C.11.2.1.3.2)."""

    center: float
    width: float  # above 0

    def to_display(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.clip((values - self.center) / self.width + 0.5, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class SigmoidWindow:
    """VOI LUT Function SIGMOID (PS3.3 C.11.2.1.3.1)."""

    center: float
    width: float  # above 0

    def to_display(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        exponent = np.clip(-4 * (values - self.center) / self.width, -700, 700)
        return 1 / (1 + np.exp(exponent))


Window = LinearWindow | LinearExactWindow | SigmoidWindow


@dataclass(frozen=True, slots=True)
class GrayscaleTransform:
    """How a header wants its stored values to be turned into grey; a description, free of any pixel."""

    modality: Rescale | LookupTable
    voi: Window | LookupTable | None
    inverted: bool  # MONOCHROME1: the lowest value is white
    notes: tuple[Note, ...]

    def for_model(self, values: NDArray[np.generic]) -> NDArray[np.float32]:
        """Turn stored values, averaged or not, into grey that rises with brightness and has no fixed range.

        Linear windows are left out, since a site's window must not change a score; a table or a
        sigmoid is applied, since it shapes the image. MONOCHROME1 is negated.

        Shape:  any, kept; integers or floats -> float32.
        Units:  those of the Modality LUT, or of the VOI LUT where one is applied.
        Source: DICOM PS3.3 C.11.1, C.11.2, C.7.6.3.1.2; design decision 13.
        """
        if self == PLAIN:
            return values.astype(np.float32)
        return _by_value(values, self._grey_for_model)

    def for_display(self, values: NDArray[np.generic]) -> NDArray[np.float32]:
        """Turn stored values into display grayscale: 0.0 is black, 1.0 is white.

        Applies the Modality LUT, the VOI LUT (the first, if several) and the Photometric
        Interpretation, in that order, so that air is dark also for MONOCHROME1. Without a VOI LUT
        the image's own range is shown.

        Shape:  any, kept; integers or floats -> float32 0.0 to 1.0.
        Source: DICOM PS3.3 C.11.1, C.11.2, C.7.6.3.1.2; PS3.4 N.2.
        """
        voi = self.voi if self.voi is not None else _range_of(_by_value(values, self.modality.apply))

        def display(stored: NDArray[np.float64]) -> NDArray[np.float64]:
            grey = np.clip(voi.to_display(self.modality.apply(stored)), 0.0, 1.0)
            return 1.0 - grey if self.inverted else grey

        return _by_value(values, display)

    def _grey_for_model(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        grey = self.modality.apply(values)
        if isinstance(self.voi, LookupTable):
            grey = self.voi.apply(grey)
        elif isinstance(self.voi, SigmoidWindow):
            grey = self.voi.to_display(grey)
        return -grey if self.inverted else grey


PLAIN = GrayscaleTransform(Rescale(1.0, 0.0), None, inverted=False, notes=())  # 8-bit images outside DICOM


def grayscale_of(dataset: Dataset) -> GrayscaleTransform:
    """Read from the header how its pixels become grey, and note where it contradicts itself.

    Raises: StudyRejected UNDISPLAYABLE, when a table or a sigmoid cannot be applied, or the slope is 0.
    Source: DICOM PS3.3 C.11.1, C.11.2, C.11.6 (Presentation LUT Shape), C.7.6.3.1.2.
    """
    modality = _modality_of(dataset)
    voi, window_notes = _voi_of(dataset, modality)
    inverted = word_of(dataset, "PhotometricInterpretation") == "MONOCHROME1"
    return GrayscaleTransform(modality, voi, inverted, window_notes + _polarity_notes(dataset, inverted=inverted))


def _by_value(
    values: NDArray[np.generic], transform: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> NDArray[np.float32]:
    """Transform each value that occurs in a large image of integers once, instead of each pixel."""
    if not np.issubdtype(values.dtype, np.integer) or values.size <= MOST_ENTRIES:
        return transform(values.astype(np.float64)).astype(np.float32)
    lowest, highest = int(values.min()), int(values.max())
    if highest - lowest >= MOST_ENTRIES:
        return transform(values.astype(np.float64)).astype(np.float32)
    table = transform(np.arange(lowest, highest + 1, dtype=np.float64)).astype(np.float32)
    return np.asarray(table[values.astype(np.int32) - lowest])


def _range_of(grey: NDArray[np.float32]) -> Window:
    darkest, brightest = float(grey.min()), float(grey.max())
    return LinearExactWindow((darkest + brightest) / 2, (brightest - darkest) or 1.0)


def _modality_of(dataset: Dataset) -> Rescale | LookupTable:
    tables = items_of(dataset, "ModalityLUTSequence")
    if tables:
        return _table_of(tables[0], signed_input=integer_of(dataset, "PixelRepresentation") == 1)
    slope = number_of(dataset, "RescaleSlope")
    intercept = number_of(dataset, "RescaleIntercept")
    rescale = Rescale(1.0 if slope is None else slope, intercept or 0.0)
    if rescale.slope == 0 or max(abs(rescale.slope) * MOST_ENTRIES, abs(rescale.intercept)) > LARGEST_VALUE:
        raise _undisplayable("The Rescale Slope and Intercept of this image cannot be applied.")
    return rescale


def _voi_of(dataset: Dataset, modality: Rescale | LookupTable) -> tuple[Window | LookupTable | None, tuple[Note, ...]]:
    tables = items_of(dataset, "VOILUTSequence")
    if tables:
        signed = integer_of(dataset, "PixelRepresentation") == 1 if isinstance(modality, Rescale) else False
        falls_below_zero = isinstance(modality, Rescale) and modality.intercept < 0
        return _table_of(tables[0], signed_input=signed or falls_below_zero), ()
    center, width = number_of(dataset, "WindowCenter"), number_of(dataset, "WindowWidth")
    if center is None or width is None:
        return None, ()
    return _window_of(center, width, word_of(dataset, "VOILUTFunction") or "LINEAR")


def _window_of(center: float, width: float, function: str) -> tuple[Window | None, tuple[Note, ...]]:
    usable = max(abs(center), abs(width)) <= LARGEST_VALUE
    if function == "SIGMOID":
        if width <= 0 or not usable:
            raise _undisplayable("The sigmoid window of this image cannot be applied.")
        return SigmoidWindow(center, width), ()
    if not usable or (width <= 0 if function == "LINEAR_EXACT" else width < 1):
        note = "The window in the header cannot be applied; the image is shown in its full range."
        return None, (Note("window_unusable", note),)
    if function == "LINEAR_EXACT":
        return LinearExactWindow(center, width), ()
    if function == "LINEAR":
        return LinearWindow(center, width), ()
    note = "The header names a VOI LUT Function that the standard does not; the window is applied as LINEAR."
    return LinearWindow(center, width), (Note("window_function_unknown", note),)


def _table_of(item: Dataset, *, signed_input: bool) -> LookupTable:
    """Read LUT Descriptor and LUT Data, in any of the encodings seen in the wild (PS3.3 C.11.1.1.1)."""
    descriptor = [value for value in values_of(item, "LUTDescriptor") if isinstance(value, int)]
    if len(descriptor) != 3:  # noqa: PLR2004 - the standard's three values
        raise _undisplayable("A lookup table of this image has no usable LUT Descriptor.")
    count, first, bits = descriptor[0] & 0xFFFF or MOST_ENTRIES, descriptor[1], descriptor[2]
    first = (first + 0x8000) % 0x10000 - 0x8000 if signed_input else first % 0x10000
    entries = _entries_of(item, count, bits)
    if not 8 <= bits <= 16 or len(entries) != count:  # noqa: PLR2004 - PS3.3 C.11.1.1.1, C.11.2.1.1
        raise _undisplayable("The data of a lookup table of this image do not fit its LUT Descriptor.")
    return LookupTable(first, np.minimum(entries.astype(np.float64), 2**bits - 1), bits)


def _entries_of(item: Dataset, count: int, bits: int) -> NDArray[np.unsignedinteger]:
    """Unpack LUT Data: words, or bytes two to a word where an entry has 8 bits."""
    values = values_of(item, "LUTData")
    order = ">" if item.original_encoding[1] is False else "<"
    if len(values) == 1 and isinstance(values[0], bytes):
        raw = values[0]
    else:
        order = "<"
        raw = np.array([value & 0xFFFF for value in values if isinstance(value, int)], "<u2").tobytes()
    is_packed = bits == 8 and len(raw) < 2 * count  # noqa: PLR2004 - PS3.3 C.11.1.1.1
    return np.frombuffer(raw if is_packed else raw[: len(raw) // 2 * 2], "u1" if is_packed else f"{order}u2")[:count]


def _polarity_notes(dataset: Dataset, *, inverted: bool) -> tuple[Note, ...]:
    """Presentation LUT Shape INVERSE belongs to MONOCHROME1 and IDENTITY to MONOCHROME2; it never inverts by itself."""
    shape = word_of(dataset, "PresentationLUTShape")
    if shape not in ("IDENTITY", "INVERSE") or (shape == "INVERSE") == inverted:
        return ()
    photometric = "MONOCHROME1" if inverted else "MONOCHROME2"
    text = f"Presentation LUT Shape {shape} contradicts {photometric}; {photometric} was followed."
    return (Note("presentation_lut_shape_contradiction", text),)


def _undisplayable(found: str) -> StudyRejected:
    return StudyRejected(RejectionCode.UNDISPLAYABLE, found, remedy="Send the image again from the modality.")
